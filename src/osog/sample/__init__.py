"""Description + seed → particles as tensors."""

from osog.sample.batch import ParticleBatch, ShapeKind, quaternion_from_angles, rotation_matrix
from osog.sample.dispersion import dispersed
from osog.sample.draw import explicit, sample
from osog.sample.motion import moving
from osog.sample.values import Values

__all__ = [
    "ParticleBatch",
    "ShapeKind",
    "Values",
    "dispersed",
    "explicit",
    "moving",
    "quaternion_from_angles",
    "rotation_matrix",
    "sample",
]
