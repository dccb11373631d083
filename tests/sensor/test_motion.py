from __future__ import annotations

from math import cos, radians, sin

import numpy as np
import pytest
import torch

from osog.sample import Values
from osog.scene import Scene
from osog.sensor import light_on_pixels, pixels
from osog.sensor.motion import motion_path
from osog.waves.sampling_plan import SamplingPlan

DOUBLE = torch.float64


def plan(s: int, frame: tuple[int, int], pad: int = 12) -> SamplingPlan:
    return SamplingPlan(
        frame_shape=frame,
        pixel_size_um=0.3,
        pad_px=(pad, pad),
        domain_px=(frame[0] + 2 * pad, frame[1] + 2 * pad),
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


def path(length: float, azimuth: float) -> tuple[torch.Tensor, torch.Tensor]:
    turned = radians(azimuth)
    return (
        torch.tensor(length * sin(turned), dtype=DOUBLE),
        torch.tensor(length * cos(turned), dtype=DOUBLE),
    )


def spot(grid: SamplingPlan, y: float, x: float, sigma: float = 1.2) -> torch.Tensor:
    """Gaussian spot of a width that the fine grid resolves, in camera pixels of the frame."""
    s, (top, left) = grid.oversampling, grid.pad_px
    rows = torch.arange(grid.fine_shape[0], dtype=DOUBLE) / s - top
    columns = torch.arange(grid.fine_shape[1], dtype=DOUBLE) / s - left
    square = (rows[:, None] - y) ** 2 + (columns - x) ** 2
    return torch.exp(-0.5 * square / sigma**2)


@pytest.mark.parametrize("azimuth", [0.0, 90.0, 35.0, -120.0])
def test_the_picture_is_the_mean_over_the_path(azimuth: float) -> None:
    """A steady motion is the average of the pictures on the way, by quadrature."""
    grid, length = plan(2, (24, 30)), 5.0
    blurred = pixels(spot(grid, 11.0, 14.0), grid, True, path(length, azimuth))
    nodes, weights = np.polynomial.legendre.leggauss(12)
    dy, dx = (float(d) for d in path(length, azimuth))
    steps = [
        0.5 * w * pixels(spot(grid, 11.0 + 0.5 * u * dy, 14.0 + 0.5 * u * dx), grid, True)
        for u, w in zip(nodes, weights, strict=True)
    ]
    torch.testing.assert_close(blurred, torch.stack(steps).sum(0), rtol=1e-6, atol=1e-8)


def test_a_point_becomes_a_line_of_the_path_and_loses_no_light() -> None:
    grid = plan(1, (24, 40))
    still, moved = (pixels(spot(grid, 12.0, 20.0, 1.0), grid, True, p)
                    for p in (None, path(9.0, 0.0)))  # fmt: skip
    assert float(moved.sum()) == pytest.approx(float(still.sum()), rel=1e-6)
    columns = torch.arange(40, dtype=DOUBLE)
    mean = (moved.sum(0) * columns).sum() / moved.sum()
    variance = (moved.sum(0) * (columns - mean) ** 2).sum() / moved.sum()
    assert float(mean) == pytest.approx(20.0)
    # A spot of σ 1, a box of width 9 and the pixel's own box add their variances.
    assert float(variance) == pytest.approx(1 + 81 / 12 + 1 / 12, rel=1e-3)
    assert float(moved[12, 18:23].std()) < 0.01 * float(moved[12, 20]), "its top is flat"


def values(**camera: float) -> Values:
    return Values(Scene.parse({"camera": camera}), dtype=DOUBLE)


def test_motion_acts_on_cameras_alone() -> None:
    assert motion_path(Values(Scene.parse({}))) is None
    assert motion_path(values()) is None
    found = motion_path(values(motion_blur_px=3.0, motion_azimuth_deg=30.0))
    assert found is not None
    assert [float(d) for d in found] == pytest.approx([1.5, 3.0 * cos(radians(30))])


def test_the_background_stays_sharp_while_the_sample_moves() -> None:
    grid = plan(1, (24, 30))
    dusty = {"dust_count": 20, "dust_radius_px": 1.5, "dust_darkness": 0.5}
    for background in ({}, dusty):
        scene = Scene.parse(
            {
                "grid": {"shape": [24, 30]},
                "camera": {"motion_blur_px": 8.0},
                "background": background,
            }
        )
        light = torch.ones(grid.fine_shape, dtype=DOUBLE)
        still = Scene.parse({**scene.to_dict(), "camera": {}})
        moved, sharp = (
            light_on_pixels(light, grid, Values(s, dtype=DOUBLE), integrate=True)
            for s in (scene, still)
        )
        torch.testing.assert_close(moved, sharp)


def test_gradients() -> None:
    grid = plan(2, (6, 7), 3)
    fine = torch.rand(grid.fine_shape, dtype=DOUBLE)

    def run(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return pixels(fine, grid, True, (y, x))

    for start in ((1.3, -0.8), (0.0, 0.0)):
        inputs = [torch.tensor(d, dtype=DOUBLE, requires_grad=True) for d in start]
        assert torch.autograd.gradcheck(run, inputs)
