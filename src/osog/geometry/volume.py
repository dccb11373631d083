"""Volumes of voxels: the upright or turned box that holds the array."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.geometry.box import BoxGeometry
from osog.scene.volumes import Mesh, Volume, VoxelShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.geometry.shape import Column
    from osog.scene.shapes import ShapeModel


class VolumeGeometry(BoxGeometry):
    """Boxes around whole arrays, of the size (a, b, c): half of their sides along x, y and z.

    What such a body looks like inside is drawn by what draws volumes; this is what the rest knows
    of it: where it is and how far it reaches.
    """

    models = (Volume, Mesh)
    arithmetic = False

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half of voxels × size of a voxel; of the array's z, y and x the body's x comes first."""
        assert isinstance(model, VoxelShape)
        planes, rows, columns = model.grid.data.shape
        if len(numbers) == 3:
            z, y, x = numbers
        else:
            stated = model.grid.voxel_um
            assert stated is not None
            z, y, x = (size * numbers[0] for size in stated)
        return columns * x / 2, rows * y / 2, planes * z / 2


VOLUME = VolumeGeometry()
