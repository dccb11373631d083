"""Stage 2: particles into phase slabs, light through the slabs."""

from osog.exit_wave.engine import emission_slabs, exit_wave
from osog.exit_wave.illumination import Cone, illumination
from osog.exit_wave.interrupt import Interrupted, checkpoint, interruptible
from osog.exit_wave.jones import jones_wave
from osog.exit_wave.plan import SamplingPlan, plan_sampling
from osog.exit_wave.reflected import reflected_wave
from osog.exit_wave.wave import EmissionSlabs, ExitWave, JonesWave, ReflectedWave

__all__ = [
    "Cone",
    "EmissionSlabs",
    "ExitWave",
    "Interrupted",
    "JonesWave",
    "ReflectedWave",
    "SamplingPlan",
    "checkpoint",
    "emission_slabs",
    "exit_wave",
    "illumination",
    "interruptible",
    "jones_wave",
    "plan_sampling",
    "reflected_wave",
]
