"""How finely and how widely to sample: small rules that choose the grids and slabs of one render.

`plan_sampling` follows them; the result is the `SamplingPlan` that the later stages share.
"""

from osog.exit_wave.sampling.plan import models_near, plan_sampling

__all__ = ["models_near", "plan_sampling"]
