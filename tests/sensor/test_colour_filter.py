from __future__ import annotations

import pytest
import torch

from osog.sensor.colour_filter import demosaic, mosaic

DOUBLE = torch.float64


def test_mosaic_is_rggb() -> None:
    colours = torch.stack([torch.full((4, 6), float(k)) for k in range(3)])
    expected = torch.tensor([[0.0, 1.0], [1.0, 2.0]]).repeat(2, 3)
    assert torch.equal(mosaic(colours), expected)


def test_a_flat_field_and_a_ramp_are_kept() -> None:
    y, x = torch.meshgrid(
        torch.arange(12, dtype=DOUBLE), torch.arange(14, dtype=DOUBLE), indexing="ij"
    )
    flat = torch.full((12, 14), 7.5, dtype=DOUBLE)
    torch.testing.assert_close(demosaic(flat), flat.expand(3, 12, 14))
    ramp = 3 + 0.7 * y - 1.3 * x
    kept = demosaic(ramp)[:, 2:-2, 2:-2]
    torch.testing.assert_close(kept, ramp[2:-2, 2:-2].expand(3, 8, 10))


def test_measured_colours_stay() -> None:
    raw = torch.rand(9, 8, dtype=DOUBLE)
    assert torch.equal(mosaic(demosaic(raw)), raw)


@pytest.mark.parametrize("colour", [(1.0, 1.0, 1.0), (0.9, 0.5, 0.2)])
def test_uniform_colours_are_kept(colour: tuple[float, float, float]) -> None:
    """Every filter sums to 1 over its own colour, and to 0 over the others."""
    field = torch.tensor(colour, dtype=DOUBLE)[:, None, None].expand(3, 8, 10)
    torch.testing.assert_close(demosaic(mosaic(field)), field.contiguous())


def test_a_grey_picture_comes_back_sharper_than_by_interpolation() -> None:
    """The Laplacian of the measured colour restores what a bilinear mean would lose."""
    x = torch.arange(64, dtype=DOUBLE)
    grey = (0.5 + 0.3 * torch.sin(2 * torch.pi * x / 7))[None, :].expand(64, 64)
    error = (demosaic(grey) - grey)[:, 4:-4, 4:-4].square().mean().sqrt()
    left_right = 0.5 * (grey[:, :-2] + grey[:, 2:])
    bilinear = (left_right - grey[:, 1:-1]).square().mean().sqrt()
    assert float(error) < 0.5 * float(bilinear)


def test_gradient_and_the_smallest_frame() -> None:
    raw = torch.rand(3, 4, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(demosaic, (raw,))
    with pytest.raises(ValueError, match="2 × 9 px: a Bayer camera needs at least 3 × 3"):
        demosaic(torch.zeros(2, 9))


# Malvar, He & Cutler 2004, figure 2, in sixteenths.
GREEN = [[0, 0, -2, 0, 0], [0, 0, 4, 0, 0], [-2, 4, 8, 4, -2], [0, 0, 4, 0, 0], [0, 0, -2, 0, 0]]
IN_ROW = [
    [0, 0, 1, 0, 0],
    [0, -2, 0, -2, 0],
    [-2, 8, 10, 8, -2],
    [0, -2, 0, -2, 0],
    [0, 0, 1, 0, 0],
]
OPPOSITE = [
    [0, 0, -3, 0, 0],
    [0, 4, 0, 4, 0],
    [-3, 0, 12, 0, -3],
    [0, 4, 0, 4, 0],
    [0, 0, -3, 0, 0],
]


@pytest.mark.parametrize(
    ("channel", "row", "column", "kernel", "turned"),
    [
        (1, 4, 4, GREEN, False),
        (2, 4, 4, OPPOSITE, False),
        (0, 5, 5, OPPOSITE, False),
        (0, 4, 5, IN_ROW, False),
        (2, 4, 5, IN_ROW, True),
        (0, 5, 4, IN_ROW, True),
        (2, 5, 4, IN_ROW, False),
    ],
)
def test_published_filters(
    channel: int, row: int, column: int, kernel: list[list[int]], turned: bool
) -> None:
    raw = torch.zeros(10, 10, dtype=DOUBLE, requires_grad=True)
    (weights,) = torch.autograd.grad(demosaic(raw)[channel, row, column], raw)
    expected = torch.tensor(kernel, dtype=DOUBLE) / 16
    torch.testing.assert_close(
        weights[row - 2 : row + 3, column - 2 : column + 3], expected.T if turned else expected
    )
