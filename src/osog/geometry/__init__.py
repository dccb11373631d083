"""Stage 1: analytic shapes become entry and exit depths on patches of pixels."""

from osog.geometry.buckets import Bucket, buckets, patch_grid
from osog.geometry.chords import Chord, chords
from osog.geometry.gbuffer import GBuffer, gbuffer
from osog.geometry.polyhedra import padded_planes, vertices
from osog.geometry.shapes import half_extents, volume

__all__ = [
    "Bucket",
    "Chord",
    "GBuffer",
    "buckets",
    "chords",
    "gbuffer",
    "half_extents",
    "padded_planes",
    "patch_grid",
    "vertices",
    "volume",
]
