"""Laws of darkfield: black background, first diffracted order, bright edges."""

from __future__ import annotations

from math import pi
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.special import jv
from torch import Tensor

from helpers.optical_bench import grating
from osog.explain import cautions, field_error_percent
from osog.rendering import render
from osog.scene import Scene
from osog.waves import source_points

NA, WAVELENGTH = 0.8, 0.55
STEP = 0.025
WIDE = {"size": 165, "pixel_um": WAVELENGTH / NA / STEP / 165}


def annulus(inner: float, outer: float, numbers: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    return source_points(
        torch.tensor(outer * NA).double(),
        torch.tensor(WAVELENGTH).double(),
        numbers,
        torch.tensor(inner / outer).double(),
    )


def test_empty_field_is_black(bench: ModuleType) -> None:
    table = bench.Bench(size=48)
    wave = table.wave(torch.ones(48, 48, dtype=torch.complex128), *annulus(1.2, 1.4, (8, 8)))
    image = table.image(wave, "darkfield")
    assert float(image.irradiance.abs().max()) < 1e-25


def test_a_grating_sends_its_orders_into_the_aperture(bench: ModuleType) -> None:
    """Mean irradiance = Σ_m J_m² × share of the annulus whose order m lies within the aperture."""
    table, order, depth = bench.Bench(**WIDE), 26, 0.8
    wave = table.wave(grating(table, order, depth), *annulus(1.1, 1.3, (60, 62, 64, 66)))
    image = table.image(wave, "darkfield")
    rho = np.sqrt(np.linspace(1.1**2, 1.3**2, 402)[1:-1])
    angle = (np.arange(3600) + 0.5) * 2 * pi / 3600
    x, y = np.outer(rho, np.cos(angle)), np.outer(rho, np.sin(angle))
    expected = sum(
        jv(m, depth) ** 2 * float((np.hypot(x + m * order * STEP, y) < 1).mean())
        for m in range(-4, 5)
    )
    assert expected > 0.05
    assert float(image.irradiance.mean()) == pytest.approx(expected, rel=0.03)


def test_two_orders_of_one_wave_make_fringes(bench: ModuleType) -> None:
    """A wave from 1.2 NA: the orders −1 and −2 of 0.6 NA/λ pass, at 0.6 and 0 NA."""
    table, order, depth = bench.Bench(**WIDE), 24, 0.3
    source = torch.tensor([[1.2 * NA / WAVELENGTH, 0.0]], dtype=torch.float64)
    image = table.image(table.wave(grating(table, order, depth), source), "darkfield")
    x, _ = table.xy
    turn = torch.exp(-2j * pi * order * x / table.length_um)
    # i^m J_m of the orders −1, −2 and −3, the last of which lies at −0.6 NA.
    field = 1j * jv(1, depth) * turn - jv(2, depth) * turn**2 - 1j * jv(3, depth) * turn**3
    torch.testing.assert_close(image.irradiance, field.abs() ** 2, rtol=0, atol=1e-5)


def test_direct_light_enters_where_the_annulus_reaches_into_the_aperture(bench: ModuleType) -> None:
    """The soft edge of the pupil, a frequency step wide, takes a little of it away."""
    table = bench.Bench(**WIDE)
    wave = table.wave(torch.ones(165, 165, dtype=torch.complex128), *annulus(0.6, 1.2, (4,) * 30))
    background = float(table.image(wave, "darkfield").irradiance.mean())
    assert background == pytest.approx((1 - 0.6**2) / (1.2**2 - 0.6**2), abs=0.02)


def scene(inner: float = 0.65) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [64, 64], "pixel_size_um": 0.2},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "cell",
                    "shape": {"kind": "ellipsoid", "semi_axes_um": [3.0, 3.0, 2.0]},
                    "material": {"index": 1.36},
                    "particles": [{"x_um": 6.4, "y_um": 6.4, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {
                    "kind": "darkfield",
                    "inner_numerical_aperture": inner,
                    "outer_numerical_aperture": 0.8,
                },
                "numerical_aperture": 0.5,
            },
            "numerics": {"accuracy": "standard"},
        }
    )


def test_edges_of_a_cell_are_bright_on_black() -> None:
    frame = render(scene())
    axis = torch.arange(64) * 0.2 - 6.4
    radius = torch.hypot(axis[:, None], axis[None, :])
    rim = frame.image[(radius > 2.6) & (radius < 3.1)].mean()
    assert float(rim) > 4 * float(frame.image[radius < 1.5].mean())
    assert float(rim) > 30 * float(frame.image[radius > 6.0].mean())
    assert float(frame.image.min()) >= 0.0
    assert not any("direct light" in c.text for c in frame.warnings)


def test_a_wrong_condenser_is_named() -> None:
    frame = render(scene(inner=0.4))
    assert float(frame.image.min()) > 0.05
    (found,) = [c for c in frame.warnings if "direct light" in c.text]
    mended = Scene.parse(scene(inner=0.4).to_dict())
    assert "NA 0.4" in found.text
    assert found.remedy == {"microscope.numerical_aperture": pytest.approx(0.38)}
    optics = mended.microscope.model_copy(update={"numerical_aperture": 0.38})
    mended = mended.model_copy(update={"microscope": optics})
    assert not any("direct light" in c.text for c in cautions(mended, frame.particles, frame.plan))


@pytest.mark.parametrize(
    ("radius", "step", "lens", "annulus"),
    [(0.3, 0.06, 0.85, (1.0, 1.2)), (0.6, 0.06, 0.6, (0.75, 0.95)), (1.2, 0.02, 0.6, (0.75, 0.95)),
     (1.2, 0.12, 0.3, (0.4, 0.6)), (2.5, 0.06, 0.85, (1.0, 1.2))],
)  # fmt: skip
def test_slabs_are_as_good_in_the_dark_as_the_line_says(radius, step, lens, annulus) -> None:
    """Against exact spheres on the same grids; the formula is good to a factor of two."""
    pictures, stated = {}, 0.0
    for model in ("slabs", "mie"):
        scene = Scene.parse(
            {
                "grid": {"shape": [72, 72], "pixel_size_um": 0.14},
                "medium": {"index": 1.33},
                "populations": [
                    {
                        "name": "ball",
                        "shape": {"kind": "sphere", "radius_um": radius},
                        "material": {"index": 1.33 + step},
                        "scattering": model,
                        "particles": [{"x_um": 5.0, "y_um": 5.0}],
                    }
                ],
                "microscope": {
                    "modality": {
                        "kind": "darkfield",
                        "inner_numerical_aperture": annulus[0],
                        "outer_numerical_aperture": annulus[1],
                    },
                    "numerical_aperture": lens,
                    "immersion_index": 1.333,
                    "focus_um": 1.0,
                    "source_points": 8,
                },
                "numerics": {"accuracy": "fine"},
            }
        )
        frame = render(scene, device="cpu")
        pictures[model] = frame.image
        if model == "slabs":
            stated = field_error_percent(scene, frame.particles, frame.plan)
            assert "irradiance error" in frame.explain
    error = 100 * float((pictures["slabs"] - pictures["mie"]).norm() / pictures["mie"].norm())
    assert stated / 6 < error < 2.2 * stated
