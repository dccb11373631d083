"""Stage 1: analytic shapes become entry and exit depths on patches of pixels.

One file per shape holds everything geometric about it; `SHAPES` lists them, and `register` adds
one from outside the package.
"""

from osog.geometry.areas import silhouette_areas
from osog.geometry.assemblies import ENVELOPE, Pieces, assembly_of
from osog.geometry.bent_fibre import BENT_CYLINDER, BENT_ROD
from osog.geometry.box import BOX
from osog.geometry.buckets import Bucket, buckets, patch_grid
from osog.geometry.chords import Chord, chords
from osog.geometry.convex import ConvexBody, bodies_of, convex_bodies, gap, travel
from osog.geometry.cylinder import CYLINDER
from osog.geometry.ellipsoid import ELLIPSOID
from osog.geometry.gbuffer import Canvas, GBuffer, Silhouette, gbuffer
from osog.geometry.half_spaces import padded_planes, vertices
from osog.geometry.hollow import TUBE, VESICLE
from osog.geometry.level_sets import Level, LevelShape
from osog.geometry.polyhedron import POLYHEDRON
from osog.geometry.red_cell import RED_CELL
from osog.geometry.rod import ROD
from osog.geometry.shape import Bodies, Column, Shape
from osog.geometry.shapes import SHAPES, by_shape, half_extents, number_of, register
from osog.geometry.sphere import SPHERE
from osog.geometry.sub_samples import DrawnLevels, drawn_levels, sampling_window, sub_samples
from osog.geometry.volume import VOLUME
from osog.geometry.voxel_maps import volume_box, volume_outline

__all__ = [
    "BENT_CYLINDER",
    "BENT_ROD",
    "BOX",
    "CYLINDER",
    "ELLIPSOID",
    "ENVELOPE",
    "POLYHEDRON",
    "RED_CELL",
    "ROD",
    "SHAPES",
    "SPHERE",
    "TUBE",
    "VESICLE",
    "VOLUME",
    "Bodies",
    "Bucket",
    "Canvas",
    "Chord",
    "Column",
    "ConvexBody",
    "DrawnLevels",
    "GBuffer",
    "Level",
    "LevelShape",
    "Pieces",
    "Shape",
    "Silhouette",
    "assembly_of",
    "bodies_of",
    "buckets",
    "by_shape",
    "chords",
    "convex_bodies",
    "drawn_levels",
    "gap",
    "gbuffer",
    "half_extents",
    "number_of",
    "padded_planes",
    "patch_grid",
    "register",
    "sampling_window",
    "silhouette_areas",
    "sub_samples",
    "travel",
    "vertices",
    "volume_box",
    "volume_outline",
]
