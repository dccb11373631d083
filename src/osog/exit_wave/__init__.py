"""Stage 2: particles into phase slabs, light through the slabs."""

from osog.exit_wave.engine import emission_slabs, exit_wave
from osog.exit_wave.plan import SamplingPlan, plan_sampling
from osog.exit_wave.wave import EmissionSlabs, ExitWave

__all__ = [
    "EmissionSlabs",
    "ExitWave",
    "SamplingPlan",
    "emission_slabs",
    "exit_wave",
    "plan_sampling",
]
