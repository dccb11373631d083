"""Description + seed → particles as tensors."""

from osog.particles import ParticleBatch
from osog.rotations import quaternion_from_angles, rotation_matrix
from osog.sample.dispersion import dispersed
from osog.sample.draw import sample
from osog.sample.expectation import draws_few
from osog.sample.listing import explicit
from osog.sample.motion import moving
from osog.sample.values import Values
from osog.scene.drawing import list_particles_by
from osog.scene.seeds import checked_seed

list_particles_by(explicit)

__all__ = [
    "ParticleBatch",
    "Values",
    "checked_seed",
    "dispersed",
    "draws_few",
    "explicit",
    "moving",
    "quaternion_from_angles",
    "rotation_matrix",
    "sample",
]
