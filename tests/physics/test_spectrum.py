"""What a spectrum does to images: coherence length and interference colours."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
import pytest
import torch

from osog.optics.spectrum import spectral_samples
from osog.rendering import forward, render
from osog.sample import Values
from osog.scene import Scene
from osog.scene.parameters import replaced


def bead(spectrum: dict[str, Any], accuracy: str = "standard") -> Scene:
    """Hologram of a small bead 30 µm out of focus: some ten fringes in the frame."""
    return Scene.parse(
        {
            "grid": {"shape": [201, 201], "pixel_size_um": 0.3},
            "medium": {"index": 1.33},
            "populations": [
                {"name": "p", "shape": {"kind": "sphere", "radius_um": 0.3},
                 "material": {"index": 1.39}, "particles": [{"x_um": 30.0, "y_um": 30.0}]}
            ],
            "microscope": {"modality": {"kind": "hologram"}, "numerical_aperture": 0.75,
                           "focus_um": 30.0, "spectrum": spectrum},
            "numerics": {"accuracy": accuracy},
        }
    )  # fmt: skip


def test_an_led_washes_out_the_far_fringes_of_a_hologram() -> None:
    """Fringes fade by exp(−2π²σ²Δ²/λ⁴) where the scattered light comes Δ = n(√(r²+z²) − z) late."""
    bandwidth = 30.0
    single = forward(bead({"kind": "monochromatic"}))[100, 100:].numpy() - 1
    scene = bead({"kind": "led", "bandwidth_nm": bandwidth})
    led = forward(scene)[100, 100:].numpy() - 1
    r = 0.3 * np.arange(101)
    path = 1.33 * (np.sqrt(r**2 + 900) - 30)
    expected = np.exp(-2 * (pi * bandwidth * 1e-3 / 2.3548 * path / 0.55**2) ** 2)
    seen = []
    for low, high in ((4, 11), (11, 16), (16, 20)):
        inside = (r > low) & (r < high)
        assert single[inside].std() > 0.003, "there are fringes to fade"
        share = led[inside].std() / single[inside].std()
        weight = single[inside] ** 2
        seen.append((share, np.sqrt((weight * expected[inside] ** 2).sum() / weight.sum())))
    for share, analytic in seen:
        assert share == pytest.approx(analytic, abs=0.01)
    assert seen[0][0] > 0.85 and seen[2][0] < 0.45


@pytest.mark.parametrize(("accuracy", "worst"), [("draft", 0.04), ("standard", 0.01)])
def test_enough_wavelengths_are_chosen_for_the_fringes(accuracy: str, worst: float) -> None:
    scene = bead({"kind": "led", "bandwidth_nm": 60.0}, accuracy)
    chosen, many = forward(scene), forward(replaced(scene, {"numerics.wavelengths": 20}))
    assert float((chosen - many).abs().max()) < worst * float((many - 1).abs().max())


def plate(retardance_nm: float) -> Scene:
    """A crystal plate that fills the frame, its slow axis at 45° between crossed polars."""
    thickness = retardance_nm * 1e-3 / 0.05
    return Scene.parse(
        {
            "grid": {"shape": [12, 12], "pixel_size_um": 0.5},
            "medium": {"index": 1.5},
            "populations": [
                {
                    "name": "plate",
                    "shape": {"kind": "box", "size_um": [60, 60, thickness]},
                    "material": {"index": 1.5, "birefringence": 0.05, "optic_axis": [1, 0, 0]},
                    "particles": [{"x_um": 2.75, "y_um": 2.75, "orientation_deg": [45, 0, 0]}],
                }
            ],
            "microscope": {"modality": {"kind": "polarized"}, "numerical_aperture": 0.1,
                           "spectrum": {"kind": "halogen"}},
            "camera": {"colour": "rgb"},
            "numerics": {"accuracy": "standard", "wavelengths": 16},
        }
    )  # fmt: skip


@pytest.mark.parametrize("retardance", [240.0, 350.0, 520.0, 640.0, 890.0])
def test_a_plate_between_crossed_polars_has_its_interference_colour(retardance: float) -> None:
    """sin²(πΓ/λ), summed over the lines of the lamp and the responses of the camera."""
    scene = plate(retardance)
    light = render(scene, "cpu", outputs=("irradiance",)).irradiance
    assert light is not None
    lines = spectral_samples(Values(scene, dtype=torch.float64), 16, colour=True)
    expected = sum(
        line.weights * torch.sin(pi * retardance * 1e-3 / line.wavelength_um) ** 2 for line in lines
    )
    assert isinstance(expected, torch.Tensor)
    assert light[:, 6, 6].tolist() == pytest.approx(expected.tolist(), abs=0.02)
