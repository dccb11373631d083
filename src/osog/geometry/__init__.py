"""Stage 1: analytic shapes become entry and exit depths on patches of pixels.

One file per shape holds everything geometric about it; `SHAPES` lists them, and `register` adds
one from outside the package.
"""

from osog.geometry.box import BOX
from osog.geometry.buckets import Bucket, buckets, patch_grid
from osog.geometry.chords import Chord, chords
from osog.geometry.cylinder import CYLINDER
from osog.geometry.ellipsoid import ELLIPSOID
from osog.geometry.gbuffer import GBuffer, gbuffer
from osog.geometry.half_spaces import padded_planes, vertices
from osog.geometry.polyhedron import POLYHEDRON
from osog.geometry.rod import ROD
from osog.geometry.shape import Bodies, Column, Shape
from osog.geometry.shapes import SHAPES, by_shape, half_extents, number_of, register
from osog.geometry.sphere import SPHERE
from osog.geometry.volume import VOLUME
from osog.geometry.voxel_maps import volume_box, volume_outline

__all__ = [
    "BOX",
    "CYLINDER",
    "ELLIPSOID",
    "POLYHEDRON",
    "ROD",
    "SHAPES",
    "SPHERE",
    "VOLUME",
    "Bodies",
    "Bucket",
    "Chord",
    "Column",
    "GBuffer",
    "Shape",
    "buckets",
    "by_shape",
    "chords",
    "gbuffer",
    "half_extents",
    "number_of",
    "padded_planes",
    "patch_grid",
    "register",
    "vertices",
    "volume_box",
    "volume_outline",
]
