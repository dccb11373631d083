"""Description + seed → particles as tensors."""

from osog.particles import ParticleBatch, quaternion_from_angles, rotation_matrix
from osog.sample.dispersion import dispersed
from osog.sample.draw import explicit, sample
from osog.sample.motion import moving
from osog.sample.seeds import checked_seed
from osog.sample.values import Values

__all__ = [
    "ParticleBatch",
    "Values",
    "checked_seed",
    "dispersed",
    "explicit",
    "moving",
    "quaternion_from_angles",
    "rotation_matrix",
    "sample",
]
