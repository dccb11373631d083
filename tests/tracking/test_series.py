"""Particles followed through a series."""

from __future__ import annotations

import numpy as np
import pytest

import osog
from helpers.beads import scene_of
from osog import FitError, track
from osog.tracking.series import _paired, frames_of

PATH = np.array([[(2.0, 2.2), (4.9, 4.6)], [(2.3, 2.1), (4.6, 4.9)], [(2.5, 2.4), (4.4, 5.2)]])


@pytest.fixture(scope="module")
def film():
    frames = []
    for t, ((ax, ay), (bx, by)) in enumerate(PATH):
        scene = scene_of((ax, ay, 0.0, 0.45, 1.44), (bx, by, 0.4, 0.55, 1.43))
        frames.append(osog.render(scene, device="cpu", seed=t).image.numpy())
    return np.stack(frames)


def test_particles_keep_their_numbers(film, tmp_path):
    for t, frame in enumerate(film):
        np.save(tmp_path / f"frame{t}.npy", frame)
    table = track(tmp_path / "frame*.npy", scene_of())
    assert [row["frame"] for row in table.rows] == [0, 0, 1, 1, 2, 2]
    assert len(table.scenes) == 3
    first = table.rows[0]["particle"]
    swap = abs(table.rows[0]["x_um"] - 2.0) > 1
    for row in table.rows:
        which = (row["particle"] != first) != swap
        x, y = PATH[row["frame"], int(which)]
        assert row["x_um"] == pytest.approx(x, abs=5 * row["x_um_sigma"])
        assert row["y_um"] == pytest.approx(y, abs=5 * row["y_um_sigma"])


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(FitError, match="names no image file"):
        list(frames_of(tmp_path))
    with pytest.raises(FitError, match="has 2 dimensions"):
        list(frames_of(np.ones((4, 4))))
    with pytest.raises(FitError, match="hold no frame"):
        track([], scene_of())


def test_pairs_are_the_nearest_within_reach():
    class Placed:
        def __init__(self, x):
            self.x_um, self.y_um = x, 0.0

    alive = {7: Placed(0.0), 9: Placed(1.0), 12: Placed(30.0)}
    found = [Placed(0.9), Placed(1.9), Placed(10.0)]

    class Shaped:
        population = scene_of().populations[0]

    assert _paired(found, alive, Shaped, 2.0) == {0: 7, 1: 9}
    assert _paired(found, alive, Shaped, 0.5) == {0: 9}
