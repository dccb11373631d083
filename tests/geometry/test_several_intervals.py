"""Bodies that a line of sight crosses more than once, against closed forms and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from osog.geometry import BENT_ROD, RED_CELL, ROD, TUBE, VESICLE, chords
from osog.geometry.shape import Bodies
from osog.rotations import quaternion_from_angles

DOUBLE = torch.float64
CELL = (3.91, 3.91, 1.28285, 0.405, 2.7378)


def drawn(shape, size, angles, pitch=0.1, pixels=120):
    place = (torch.arange(pixels, dtype=DOUBLE) - (pixels - 1) / 2) * pitch
    quaternion = quaternion_from_angles(torch.tensor([angles], dtype=DOUBLE))
    return chords(
        shape, place[None, None], place[None, :, None], torch.zeros(1, 3, dtype=DOUBLE),
        quaternion, torch.tensor([size], dtype=DOUBLE), None, None, (pitch, pitch),
    )  # fmt: skip


def test_a_red_cell_has_the_profile_and_the_volume_of_evans_and_fung():
    chord = drawn(RED_CELL, CELL, (0, 0, 0))
    place = (np.arange(120) - 59.5) * 0.1
    s = (np.hypot(place, place[:, None]) / 3.91) ** 2
    law = np.sqrt(np.clip(1 - s, 0, None)) * (0.81 + 7.83 * s - 4.39 * s * s)
    inner = s < 0.9
    assert np.abs(chord.path[0].numpy() - law)[inner].max() < 0.02
    bodies = Bodies(torch.tensor([[1.0, 0, 0, 0]]), torch.tensor([CELL]))
    assert float(RED_CELL.volume(bodies)) == pytest.approx(94, abs=1)


@pytest.mark.parametrize("size", [CELL, (1.7, 1.7, 0.6, 0.25, 1.15)])
def test_the_hull_of_a_red_cell_holds_it_and_is_hardly_wider(size):
    bodies = Bodies(torch.tensor([[1.0, 0, 0, 0]]), torch.tensor([size], dtype=DOUBLE))
    points = RED_CELL.hull(bodies)[0][0].numpy()
    ways = np.random.default_rng(0).normal(size=(2000, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    radius, _, rim, centre, crest = size
    rho = np.linspace(0, 1, 4001)
    s = crest**2 / radius**2
    # The profile √(1 − s) (C0 + C1 s + C2 s²) through the crest, by its two conditions there.
    table = np.array([[s, s * s], [1, 2 * s]])
    value = rim / np.sqrt(1 - s)
    first, second = np.linalg.solve(table, [value - centre, value / (2 * (1 - s))])
    height = np.sqrt(1 - rho**2) * (centre + first * rho**2 + second * rho**4)
    lying = np.hypot(ways[:, 0], ways[:, 1])
    reach = (lying[:, None] * radius * rho + np.abs(ways[:, 2:]) * height).max(1)
    excess = (ways @ points.T).max(1) / reach
    assert 1.0 <= excess.min() and excess.max() < 1.015


def test_a_red_cell_on_edge_has_two_pieces_beside_the_dimple():
    chord = drawn(RED_CELL, CELL, (0, 0, 90))
    length = (chord.exit - chord.entry).unflatten(1, (2, -1))[0]
    # 0.75 µm beside the middle plane, on the axis: both sides of the rim, and a gap.
    lower, upper = length[:, 67, 60], chord.entry.unflatten(1, (2, -1))[0, :, 67, 60]
    assert (lower > 0.5).all()
    assert float(upper.max()) > 0
    assert float((chord.exit.unflatten(1, (2, -1))[0, :, 67, 60]).min()) < 0


@pytest.mark.parametrize("angles", [(20, 0, 0), (30, 40, 0)])
def test_a_fibre_without_bend_is_a_rod(angles):
    bent = drawn(BENT_ROD, (3.0, 0.5, 0.5, 0.0, 0.5), angles)
    straight = drawn(ROD, (3.0, 0.5, 0.5), angles)
    assert float((bent.path - straight.path).abs().max()) < 0.03
    nearly = drawn(BENT_ROD, (3.0, 0.5, 0.5, 1e-5, 0.5), angles)
    assert float((bent.path - nearly.path).abs().max()) < 5e-3


@pytest.mark.parametrize(
    ("shape", "size", "volume"),
    [
        (VESICLE, (2.0, 1.5, 1.0, 0.2), 4 / 3 * math.pi * (3.0 - 1.8 * 1.3 * 0.8)),
        (TUBE, (2.5, 1.0, 1.0, 0.3), 5 * math.pi * (1 - 0.49)),
    ],
    ids=repr,
)
def test_a_hollow_takes_away(shape, size, volume):
    chord = drawn(shape, size, (20, 30, 10))
    assert float(chord.path.sum()) * 0.01 == pytest.approx(volume, rel=2e-3)
    assert float(chord.path.min()) > -0.01
