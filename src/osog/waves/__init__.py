"""Ground floor of wave optics: plane waves, their borders, and the grids that they live on."""

from osog.waves.angular_spectrum import axial_wavenumber, defocus_per_um, kappa, propagator
from osog.waves.condenser_points import ring_numbers, source_points
from osog.waves.evanescence import propagating
from osog.waves.phase_factors import phase_factor, phasor
from osog.waves.plane_waves import ForwardWaves, UpwardWaves
from osog.waves.pupil_edge import soft_edge
from osog.waves.sampling_plan import SamplingPlan

__all__ = [
    "ForwardWaves",
    "SamplingPlan",
    "UpwardWaves",
    "axial_wavenumber",
    "defocus_per_um",
    "kappa",
    "phase_factor",
    "phasor",
    "propagating",
    "propagator",
    "ring_numbers",
    "soft_edge",
    "source_points",
]
