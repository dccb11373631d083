"""Description + seed → particles as tensors."""

from osog.particles import ParticleBatch, quaternion_from_angles, rotation_matrix
from osog.sample.dispersion import dispersed
from osog.sample.draw import explicit, sample
from osog.sample.motion import moving
from osog.sample.values import Values

__all__ = [
    "ParticleBatch",
    "Values",
    "dispersed",
    "explicit",
    "moving",
    "quaternion_from_angles",
    "rotation_matrix",
    "sample",
]
