"""Laws that hold for every sample: order, translation, rotation, mirror, superposition."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st

import osog
from helpers.strategies import MIDDLE_UM, PIXEL_UM, bodies, few, small_scene

Populations = list[dict[str, Any]]

DIC = {"kind": "dic", "shear_um": 0.3, "azimuth_deg": 20.0, "bias_retardance_deg": 60.0}
POLARIZED = {"kind": "polarized", "polarizer_deg": 10.0, "analyzer_deg": 90.0}
TURNING = [
    {"kind": "hologram"},
    {"kind": "phase"},
    {"kind": "fluorescence"},
    {"kind": "confocal"},
    {"kind": "reflection"},
    {"kind": "iscat"},
    DIC,
    POLARIZED,
]
"""Light along the axis, or none but the particles' own."""
SHIFTING = [*TURNING, {"kind": "brightfield"}, {"kind": "phase_contrast"}, {"kind": "shadowgraph"}]


def image(populations: Populations, modality: dict[str, Any], focus: float) -> torch.Tensor:
    scene = small_scene(populations, modality, focus_um=focus)
    return osog.forward(scene, dtype=torch.float64)


def moved(populations: Populations, move: Any) -> Populations:
    """Move and turn every particle: ``move(x, y, angles)`` with the middle of the frame at 0."""
    out = []
    for population in populations:
        (particle,) = population["particles"]
        x, y, angles = move(
            particle["x_um"] - MIDDLE_UM,
            particle["y_um"] - MIDDLE_UM,
            particle["orientation_deg"],
        )
        placed = {"x_um": x + MIDDLE_UM, "y_um": y + MIDDLE_UM, "orientation_deg": list(angles)}
        out.append({**population, "particles": [{**particle, **placed}]})
    return out


def turned(modality: dict[str, Any], change: Any) -> dict[str, Any]:
    """Turn the parts of the microscope that have a direction."""
    fields = ("azimuth_deg", "polarizer_deg", "analyzer_deg")
    return {**modality, **{name: change(modality[name]) for name in fields if name in modality}}


def assert_same(one: torch.Tensor, other: torch.Tensor, tolerance: float = 1e-8) -> None:
    """Equal within a share of the contrast, which by default leaves room for rounding alone."""
    contrast = float((one - one.mean()).abs().max())
    torch.testing.assert_close(one, other, rtol=0, atol=tolerance * contrast + 1e-12)


@few
@given(populations=bodies((2, 4)), modality=st.sampled_from(SHIFTING), data=st.data())
def test_order_of_particles_does_not_matter(
    populations: Populations, modality: dict[str, Any], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(populations))
    assert_same(image(populations, modality, 1.0), image(shuffled, modality, 1.0))


@few
@given(
    populations=bodies(),
    modality=st.sampled_from(SHIFTING),
    down=st.integers(-5, 5),
    right=st.integers(-5, 5),
    focus=st.floats(-3, 3),
)
def test_a_sample_that_moves_by_whole_pixels_moves_its_image(
    populations: Populations, modality: dict[str, Any], down: int, right: int, focus: float
) -> None:
    one = image(populations, modality, focus)
    shifted = moved(populations, lambda x, y, a: (x + right * PIXEL_UM, y + down * PIXEL_UM, a))
    other = image(shifted, modality, focus)
    inner = one[6:-6, 6:-6]
    rows, columns = inner.shape
    assert_same(inner, other[6 + down :, 6 + right :][:rows, :columns])


@few
@given(populations=bodies(), modality=st.sampled_from(TURNING), focus=st.floats(-3, 3))
def test_a_quarter_turn_turns_the_image(
    populations: Populations, modality: dict[str, Any], focus: float
) -> None:
    one = image(populations, modality, focus)
    quarter = moved(populations, lambda x, y, a: (-y, x, (a[0] + 90, a[1], a[2])))
    other = image(quarter, turned(modality, lambda angle: angle + 90), focus)
    # From +x towards +y, which is downward: clockwise as an array is printed.
    assert_same(torch.rot90(one, -1), other)


@few
@given(populations=bodies(), modality=st.sampled_from(TURNING), focus=st.floats(-3, 3))
def test_a_mirrored_sample_has_the_mirrored_image(
    populations: Populations, modality: dict[str, Any], focus: float
) -> None:
    one = image(populations, modality, focus)
    mirrored = moved(populations, lambda x, y, a: (-x, y, (180 - a[0], a[1], -a[2])))
    other = image(mirrored, turned(modality, lambda angle: 180 - angle), focus)
    assert_same(one.flip(1), other)


@few
@given(
    populations=bodies((2, 3)),
    kind=st.sampled_from(["fluorescence", "confocal"]),
    focus=st.floats(-3, 3),
)
def test_emitted_light_adds_up(populations: Populations, kind: str, focus: float) -> None:
    together = image(populations, {"kind": kind}, focus)
    # The others stay in place without their light, so that the grids are the same.
    alone = [
        image(
            [
                {**p, "material": {**p["material"], "emission_per_um": e * (i == k)}}
                for i, p in enumerate(populations)
                for e in [p["material"]["emission_per_um"]]
            ],
            {"kind": kind},
            focus,
        )
        for k in range(len(populations))
    ]
    # The pinhole's table is interpolated.
    assert_same(together, torch.stack(alone).sum(0), 1e-6)
