"""Optics that change over the frame: where, how much, in which direction."""

from __future__ import annotations

from dataclasses import replace
from math import acos, pi, sqrt
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from osog.optics import image
from osog.optics.field_dependence import field_nodes
from osog.sample import Values
from osog.waves import source_points

SIZE, PAD, MIDDLE = 128, 16, 63.5


def emitter(places: list[tuple[int, int]]) -> Tensor:
    slab = torch.zeros(1, SIZE, SIZE, dtype=torch.float64)
    for y, x in places:
        slab[0, y, x] = 1.0
    return slab


def picture(
    bench: ModuleType,
    slab: Tensor,
    kind: str = "fluorescence",
    nodes: int | None = None,
    **optics: Any,
) -> Tensor:
    table = bench.Bench(size=SIZE, pad=PAD)
    wave = table.emission(slab, [0.0])
    if nodes is not None:
        plan = replace(table.plan, field_nodes=(nodes, nodes), field_rings=nodes)
        wave = replace(wave, plan=plan)
    return image(wave, Values(table.scene(kind, **optics), dtype=torch.float64)).irradiance


def test_weights_sum_to_one_everywhere(bench: ModuleType) -> None:
    table = bench.Bench(size=40, pad=5)
    for field in ({"coma": 0.1}, {"curvature_um": 1.0}):
        values = Values(table.scene("fluorescence", field_aberrations=field), dtype=torch.float64)
        nodes = list(field_nodes(values, table.plan))
        total = torch.stack([node.weight.expand(40, 40) for node in nodes]).sum(0)
        torch.testing.assert_close(total, torch.ones_like(total))
        assert min(float(node.weight.min()) for node in nodes) >= 0


def test_no_field_aberration_no_change(bench: ModuleType) -> None:
    """Nodes that all have the same pupil give the same image."""
    slab = emitter([(30, 40), (90, 100)])
    plain = picture(bench, slab, focus_um=0.7)
    table = bench.Bench(size=SIZE, pad=PAD)
    names = ("curvature_um", "coma", "astigmatism", "vignetting", "distortion_percent")
    zeros = {f"microscope.field_aberrations.{name}": 0.0 for name in names}
    values = Values(table.scene("fluorescence", focus_um=0.7), zeros, dtype=torch.float64)
    same = image(table.emission(slab, [0.0]), values).irradiance
    torch.testing.assert_close(same, plain, rtol=1e-6, atol=1e-9)


def test_curvature_lifts_the_focus_with_the_square_of_the_distance(bench: ModuleType) -> None:
    """At half the square of the half diagonal the plane in focus is c/2 higher."""
    place = (64, 112)  # 48.5 of 67.9 px from the centre: ρ² = 0.51
    square = (48.5**2 + 0.5**2) / (2 * 48**2)
    slab = emitter([place])
    sharp = picture(bench, slab)[place]
    lifted = {"curvature_um": 3.0}
    light = [
        float(picture(bench, slab, nodes=25, focus_um=-3.0 * square + z, field_aberrations=lifted)[
            place] / sharp) for z in (-0.5, 0.0, 0.5)
    ]  # fmt: skip
    assert light[1] == pytest.approx(1.0, abs=0.03)
    assert light[0] == pytest.approx(light[2], abs=0.03)
    assert light[0] < 0.9
    middle = emitter([(64, 64)])
    bent = picture(bench, middle, nodes=25, field_aberrations=lifted)[64, 64]
    assert float(bent / picture(bench, middle)[64, 64]) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("direction", [(0, 1), (0, -1), (1, 0), (-1, -1)])
def test_tails_of_coma_point_outwards(bench: ModuleType, direction: tuple[int, int]) -> None:
    dy, dx = direction
    place = (64 + 40 * dy, 64 + 40 * dx)
    light = picture(bench, emitter([place]), field_aberrations={"coma": 0.25})
    index = torch.arange(SIZE, dtype=torch.float64)
    y, x = index[:, None] - place[0], index[None, :] - place[1]
    along = (y * dy + x * dx) / sqrt(dx * dx + dy * dy)
    near = (x.square() + y.square()) < 15**2
    weight = torch.where(near, light, 0.0)
    mean = (weight * along).sum() / weight.sum()
    brightest = along.flatten()[int(weight.argmax())]
    # The tail drags the mean outwards from the bright tip.
    assert float(mean - brightest) > 0.5


def test_astigmatism_splits_radial_and_tangential_lines(bench: ModuleType) -> None:
    """On one side of focus a point is drawn out along the radius, on the other across it."""
    place = (64, 110)
    slab = emitter([place])
    index = torch.arange(SIZE, dtype=torch.float64)
    y, x = index[:, None] - place[0], index[None, :] - place[1]
    near = (x.square() + y.square()) < 12**2

    def stretch(focus: float, strength: float) -> float:
        light = picture(bench, slab, focus_um=focus, field_aberrations={"astigmatism": strength})
        weight = torch.where(near, light, 0.0)
        return float((weight * (x.square() - y.square())).sum() / weight.sum())

    above, below = stretch(1.0, 0.3), stretch(-1.0, 0.3)
    assert above * below < 0 and abs(above) > 2 and abs(below) > 2
    # A positive wavefront term along x delays nothing there: its focus lies higher.
    assert stretch(1.0, -0.3) == pytest.approx(below, rel=0.1)


def lens(separation: float, one: float, other: float) -> float:
    """Area in which two discs overlap."""
    d, a, b = separation, one, other
    if d <= abs(a - b):
        return pi * min(a, b) ** 2
    alpha = acos((d * d + a * a - b * b) / (2 * d * a))
    beta = acos((d * d + b * b - a * a) / (2 * d * b))
    kite = sqrt((-d + a + b) * (d + a - b) * (d - a + b) * (d + a + b))
    return a * a * alpha + b * b * beta - kite / 2


def test_vignetting_darkens_the_corner_of_a_condensers_light(bench: ModuleType) -> None:
    """Light that passes both stops: the overlap of the source and the shifted stop."""
    table = bench.Bench(size=16, pixel_um=1.2)
    zero = torch.zeros((), dtype=torch.float64)
    aperture, shift = 0.7, 0.6
    source, weights = source_points(zero + aperture, zero + 0.55, 120)
    empty = torch.ones(16, 16, dtype=torch.complex128)
    wave = replace(table.wave(empty, source, weights), plan=replace(table.plan, field_nodes=(2, 2)))
    scene = table.scene("brightfield", condenser_numerical_aperture=aperture,
                        field_aberrations={"vignetting": shift})  # fmt: skip
    light = image(wave, Values(scene, dtype=torch.float64)).irradiance
    corner = lens(shift * 0.8, 0.8, aperture) / (pi * aperture**2)
    assert corner < 0.75
    assert float(light[0, 0]) == pytest.approx(corner, abs=0.03)
    # A plane wave on the axis passes the stop until it is shifted by a whole radius.
    plane = table.image(table.wave(empty), "brightfield",
                        field_aberrations={"vignetting": shift}).irradiance  # fmt: skip
    torch.testing.assert_close(plane, torch.ones_like(plane))


def test_vignetting_darkens_emission(bench: ModuleType) -> None:
    """Two unit discs at distance v overlap in (2/π)(acos v/2 − v/2 √(1 − v²/4))."""
    slab = torch.ones(1, SIZE, SIZE, dtype=torch.float64)
    light = picture(bench, slab, field_aberrations={"vignetting": 0.8})
    expected = 2 / pi * (acos(0.4) - 0.4 * sqrt(1 - 0.16))
    assert float(light[PAD, PAD]) == pytest.approx(expected, abs=0.025)
    assert float(light[63, 63]) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("percent", [8.0, -8.0, 2.5])
def test_distortion_moves_a_point_by_the_stated_share(bench: ModuleType, percent: float) -> None:
    place = (94, 100)
    light = picture(bench, emitter([place]), field_aberrations={"distortion_percent": percent})
    dy, dx = place[0] - MIDDLE, place[1] - MIDDLE
    stretch = 1 + percent / 100 * (dx * dx + dy * dy) / (2 * 48**2)
    index = torch.arange(SIZE, dtype=torch.float64)
    y, x = MIDDLE + dy * stretch, MIDDLE + dx * stretch
    near = (index[:, None] - y).square() + (index[None, :] - x).square() < 7**2
    weight = torch.where(near, light, 0.0)
    # A stretch that grows outwards shifts the centroid of a wide spot by less than the tolerance.
    assert float((weight * index[:, None]).sum() / weight.sum()) == pytest.approx(y, abs=0.1)
    assert float((weight * index[None, :]).sum() / weight.sum()) == pytest.approx(x, abs=0.1)


def test_distortion_leaves_an_even_field_even(bench: ModuleType) -> None:
    table = bench.Bench(size=32)
    wave = table.wave(torch.ones(32, 32, dtype=torch.complex128))
    even = table.image(wave, "hologram", field_aberrations={"distortion_percent": 5.0})
    torch.testing.assert_close(even.irradiance, torch.ones_like(even.irradiance))
    assert even.field is not None
    torch.testing.assert_close(even.field, torch.ones_like(even.field))


def test_more_nodes_converge_and_stay_positive(bench: ModuleType) -> None:
    slab = emitter([(25, 30), (40, 90), (80, 75), (100, 27)])
    field = {"coma": 0.08, "astigmatism": 0.08}
    exact = picture(bench, slab, nodes=13, field_aberrations=field)
    errors = []
    for nodes in (3, 5, 7):
        light = picture(bench, slab, nodes=nodes, field_aberrations=field)
        assert float(light.min()) >= 0
        errors.append(float((light - exact).norm() / exact.norm()))
    # Linear interpolation: the square of the distance between nodes.
    assert errors[0] > 2.5 * errors[1] > 2.5 * 1.5 * errors[2]
    assert errors[2] < 0.02


def test_phase_is_taken_of_the_averaged_field(bench: ModuleType) -> None:
    """A phase that wraps stays continuous where the pupils of two nodes meet."""
    table = bench.Bench(size=64)
    hill = 9.0 * torch.exp(-((table.from_centre / 1.6) ** 2))
    wave = table.wave(torch.exp(1j * hill))
    bent = table.image(wave, "phase", field_aberrations={"curvature_um": 0.2})
    flat = table.image(wave, "phase")
    assert float(bent.irradiance.max()) == pytest.approx(float(flat.irradiance.max()), rel=0.05)
    assert float(bent.irradiance.diff(dim=0).abs().max()) < 3.0


def test_the_sheet_of_light_does_not_bend_with_the_focus(bench: ModuleType) -> None:
    """Far from the axis the emitter in the sheet stays as bright, though out of focus."""
    layer = torch.ones(1, SIZE, SIZE, dtype=torch.float64)
    light = picture(bench, layer, "light_sheet", waist_um=1.0,
                    field_aberrations={"curvature_um": 4.0})  # fmt: skip
    assert float(light[PAD, 64]) == pytest.approx(float(light[64, 64]), rel=0.05)
