"""A region is fitted alone, yet it lies in the light and the coordinates of its frame."""

from __future__ import annotations

import numpy as np

from osog.fitting.problem.region import Region
from osog.fitting.problem.simulator import Simulator


def test_a_region_keeps_the_background_of_the_frame(uneven) -> None:
    empty = uneven.model_copy(update={"populations": ()})
    whole = Simulator(empty)({})
    rows, columns = whole.shape
    region = Region(5, rows - 3, 9, columns - 2, uneven.grid.pixel_size_um)
    np.testing.assert_allclose(Simulator(empty, region)({}), whole[region.slices], rtol=1e-9)
    assert whole.std() > 0.05 * whole.mean()


def test_a_region_counts_positions_from_the_frame(sphere_scene) -> None:
    scene = sphere_scene()
    region = Region(5, 37, 9, 38, scene.grid.pixel_size_um)
    moved = {"particles[0].x_um": 2.2, "particles[0].y_um": 1.8, "microscope.focus_um": 1.5}
    whole, part = Simulator(scene)(moved)[region.slices], Simulator(scene, region)(moved)
    # The rest of the frame sends its light round the border of the padding.
    assert np.abs(part - whole).max() < 0.02 * np.ptp(whole)
