from __future__ import annotations

from math import pi, sin

import pytest
import torch
from torch import Tensor

from osog.sensor import pixels
from osog.waves.sampling_plan import SamplingPlan


def plan(s: int = 3, frame: tuple[int, int] = (10, 14)) -> SamplingPlan:
    return SamplingPlan(
        frame_shape=frame,
        pixel_size_um=0.3,
        pad_px=(3, 5),
        domain_px=(frame[0] + 6, frame[1] + 10),
        grid_shape=(20, 20),
        oversampling=s,
        slab_um=1.0,
        first_slab=0,
        slabs=1,
        band=5.0,
        aperture=0.8,
        source_points=1,
        accuracy="fine",
        padding_wanted_um=1.0,
        padding_um=0.9,
    )


def wave(grid: SamplingPlan, orders: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Cosine on the fine grid, and the same at the camera's pixel centres."""
    (height, width), s = grid.domain_px, grid.oversampling

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        phase = orders[0] * rows[:, None] / height + orders[1] * columns[None, :] / width
        return 1 + 0.5 * torch.cos(2 * pi * phase + 0.3)

    fine = at(torch.arange(height * s, dtype=torch.float64) / s,
              torch.arange(width * s, dtype=torch.float64) / s)  # fmt: skip
    top, left = grid.pad_px
    centre = at(torch.arange(grid.frame_shape[0], dtype=torch.float64) + top,
                torch.arange(grid.frame_shape[1], dtype=torch.float64) + left)  # fmt: skip
    return fine, centre


@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("orders", [(0, 0), (2, 5), (-7, 3)])
def test_mean_of_a_cosine_over_a_pixel(s: int, orders: tuple[int, int]) -> None:
    grid = plan(s)
    fine, centre = wave(grid, orders)
    share = 1.0
    for order, number in zip(orders, grid.domain_px, strict=True):
        angle = pi * order / number
        share *= sin(angle) / angle if order else 1.0
    torch.testing.assert_close(pixels(fine, grid, integrate=True), 1 + share * (centre - 1))
    torch.testing.assert_close(pixels(fine, grid, integrate=False), centre)


def test_detail_finer_than_the_pixels_aliases_as_in_a_camera() -> None:
    """Order 20 of 24 pixels appears as order −4, weakened by the pixel's sinc."""
    grid = plan(3)
    fine, centre = wave(grid, (0, 20))
    angle = pi * 20 / 24
    expected = 1 + sin(angle) / angle * (centre - 1)
    torch.testing.assert_close(pixels(fine, grid, integrate=True), expected)
    assert float(expected.std()) > 0.05


def test_light_is_neither_made_nor_lost() -> None:
    grid = plan(2)
    whole = plan(2)
    torch.manual_seed(0)
    fine = torch.rand(whole.fine_shape, dtype=torch.float64)
    object.__setattr__(grid, "pad_px", (0, 0))
    object.__setattr__(grid, "frame_shape", grid.domain_px)
    assert float(pixels(fine, grid, integrate=True).mean()) == pytest.approx(float(fine.mean()))


def test_wrong_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"shape \(5, 5\) must be \(48, 72\)"):
        pixels(torch.zeros(5, 5), plan(3), integrate=True)


def test_gradient() -> None:
    grid = plan(2, (3, 2))
    fine = torch.rand(grid.fine_shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: pixels(f, grid, integrate=True), (fine,))
