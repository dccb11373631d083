"""Reading an image between its samples."""

from __future__ import annotations

import math

import pytest
import torch

from osog.exit_wave import plan_sampling
from osog.optics.resample import magnified, read_at
from osog.sample import sample
from osog.scene import Scene

DOUBLE = torch.float64


def wave(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Band-limited and periodic over 32 × 48 samples, up to half the Nyquist frequency."""
    y, x = 2 * math.pi * rows / 32, 2 * math.pi * columns / 48
    return 1 + torch.cos(3 * y + 5 * x) + 0.5 * torch.sin(8 * y) * torch.cos(11 * x)


def axes() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.arange(32, dtype=DOUBLE)[:, None], torch.arange(48, dtype=DOUBLE)[None, :]


@pytest.mark.parametrize("separate", [True, False])
def test_places_between_samples(separate: bool) -> None:
    rows, columns = axes()
    image = wave(rows, columns)
    places = rows * 0.93 - 3.1, columns * 1.08 + 7.7
    if not separate:
        places = tuple(torch.broadcast_tensors(*places))  # type: ignore[assignment]
    found = read_at(image, *places)
    assert float((found - wave(*places)).abs().max()) < 0.02
    torch.testing.assert_close(read_at(image, rows, columns), image)


@pytest.mark.parametrize("separate", [True, False])
def test_gradients(separate: bool) -> None:
    rows, columns = axes()
    image = wave(rows, columns).requires_grad_()
    turn = torch.tensor(1.03, dtype=DOUBLE, requires_grad=True)

    def read(image: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        places = rows[:6] * turn + 0.21, columns[:, :7] / turn - 0.37
        if not separate:
            places = tuple(torch.broadcast_tensors(*places))  # type: ignore[assignment]
        return read_at(image, *places)

    assert torch.autograd.gradcheck(read, (image, turn), atol=1e-7, fast_mode=True)


def test_magnification_is_about_the_middle_of_the_frame() -> None:
    scene = Scene.parse({"grid": {"shape": [21, 33], "pixel_size_um": 0.2}})
    plan = plan_sampling(scene, sample(scene))
    s = plan.oversampling
    middle = [(p + (n - 1) / 2) * s for p, n in zip(plan.pad_px, plan.frame_shape, strict=True)]
    rows = torch.arange(plan.fine_shape[0], dtype=DOUBLE)[:, None] - middle[0]
    columns = torch.arange(plan.fine_shape[1], dtype=DOUBLE)[None, :] - middle[1]

    def spot(y: float, x: float) -> torch.Tensor:
        return torch.exp(-((rows - y * s) ** 2 + (columns - x * s) ** 2) / (2 * (2 * s) ** 2))

    def centre(image: torch.Tensor) -> list[float]:
        return [float((image * axis).sum() / image.sum() / s) for axis in (rows, columns)]

    moved = magnified(spot(4.0, -6.0), plan, torch.tensor(1.05, dtype=DOUBLE))
    assert centre(moved) == pytest.approx([4.2, -6.3], abs=1e-3)
