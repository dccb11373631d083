"""Stage 2: particles into phase slabs, light through the slabs."""

from osog.exit_wave.emitted_light import emission_slabs
from osog.exit_wave.illumination import Aperture, Cone, light_points
from osog.exit_wave.polarized_wave import jones_wave, jones_waves
from osog.exit_wave.reflected_light import reflected_wave
from osog.exit_wave.sampling import models_near, plan_sampling
from osog.exit_wave.scattered_wave import exit_wave
from osog.exit_wave.wave import EmissionSlabs, ExitWave, JonesWave, LitWave, ReflectedWave, Wave

__all__ = [
    "Aperture",
    "Cone",
    "EmissionSlabs",
    "ExitWave",
    "JonesWave",
    "LitWave",
    "ReflectedWave",
    "Wave",
    "emission_slabs",
    "exit_wave",
    "jones_wave",
    "jones_waves",
    "light_points",
    "models_near",
    "plan_sampling",
    "reflected_wave",
]
