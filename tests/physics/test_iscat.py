"""Laws of iSCAT: contrast of small spheres, its period in height, and what bodies share."""

from __future__ import annotations

from typing import Any

import miepython
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.integrate import quad_vec

from osog.explain import explain_line
from osog.rendering import ForwardModel, forward
from osog.sample import Values, sample
from osog.scene import Scene

NA, WAVELENGTH, WATER, GLASS = 1.0, 0.55, 1.33, 1.518
K = 2 * np.pi * WATER / WAVELENGTH
MIRROR = (GLASS - WATER) / (GLASS + WATER)
PERIOD = WAVELENGTH / (2 * WATER)


def particle(
    shape: dict[str, Any], index: float, z: float = 0.0, focus: float = 0.0, **modality: Any
) -> Scene:
    """One particle on a pixel; 21 × 21 pixels of 0.1 µm."""
    return Scene.parse(
        {
            "grid": {"shape": [21, 21], "pixel_size_um": 0.1},
            "medium": {"index": WATER},
            "populations": [
                {
                    "shape": shape,
                    "material": {"index": index},
                    "particles": [{"x_um": 1.0, "y_um": 1.0, "z_um": z}],
                }
            ],
            "microscope": {
                "modality": {"kind": "iscat", "interface_um": 0.3, **modality},
                "numerical_aperture": NA,
                "wavelength_um": WAVELENGTH,
                "focus_um": focus,
            },
            "numerics": {"accuracy": "fine", "padding_um": 8.0},
        }
    )


def sphere(radius: float, index: float, **numbers: Any) -> Scene:
    return particle({"kind": "sphere", "radius_um": radius}, index, **numbers)


def in_the_middle(amplitude: Any, height: float, passed: float = 1.0) -> float:
    """|r + (1 − r_g²) e^{2ikh} E(0)|²/r², E(0) = −∫ 2π/(k k_z) S(θ) 2πf df over the pupil."""

    def ring(f: float) -> NDArray[np.complex128]:
        kz = np.sqrt(K**2 - (2 * np.pi * f) ** 2)
        return -2 * np.pi / (K * kz) * amplitude(kz / K) * 2 * np.pi * f

    field = quad_vec(ring, 0, NA / WAVELENGTH)[0]
    reference = MIRROR * np.sqrt(passed)
    light = (1 - MIRROR**2) * np.exp(2j * K * height) * field
    return float(abs(1 + light / reference) ** 2)


def rayleigh(radius: float, index: float) -> Any:
    """½(S₁ − S₂) of a dipole, S₁ = −ik³R³(m² − 1)/(m² + 2), S₂ = S₁ cos θ, cos θ = −cos γ."""
    m2 = (index / WATER) ** 2
    strength = -1j * K**3 * radius**3 * (m2 - 1) / (m2 + 2)
    return lambda cosine: strength * (1 + cosine) / 2


def mie(radius: float, index: float) -> Any:
    """½(S₁ − S₂) by miepython, whose time factor is exp(+iωt) and which doubles S."""

    def amplitude(cosine: float) -> complex:
        s1, s2 = miepython.S1_S2(index / WATER, K * radius, np.array([-cosine]), norm="bohren")
        return complex(np.conj(s1[0] - s2[0]) / 4)

    return amplitude


def centre(scene: Scene, **modality: float) -> float:
    named = {f"microscope.modality.{k}": v for k, v in modality.items()}
    return float(forward(scene, named)[10, 10])


@pytest.mark.parametrize("height", [0.05, 0.1, 0.15, 0.3])
def test_contrast_of_a_small_sphere(height: float) -> None:
    """Dipole of the polarisability of a sphere, through the lens, beside the coverslip."""
    seen = centre(sphere(0.01, 1.5), interface_um=height)
    expected = in_the_middle(rayleigh(0.01, 1.5), height)
    assert abs(expected - 1) > 1e-4
    assert seen - 1 == pytest.approx(expected - 1, rel=0.02)


@pytest.mark.parametrize(("radius", "index"), [(0.1, 1.59), (0.25, 1.45)])
def test_larger_spheres_follow_mie(radius: float, index: float) -> None:
    for height in (0.3, 0.38):
        seen = centre(sphere(radius, index), interface_um=height)
        expected = in_the_middle(mie(radius, index), height)
        assert abs(expected - 1) > 0.05
        assert seen == pytest.approx(expected, rel=0.01)


def test_spots_flip_with_height() -> None:
    """One image per λ/2n of height, and the opposite contrast half-way (weak particles)."""
    low = forward(sphere(0.015, 1.45, z=-0.2, focus=-0.2))
    next_one = forward(sphere(0.015, 1.45, z=-0.2 - PERIOD, focus=-0.2 - PERIOD))
    half = forward(sphere(0.015, 1.45, z=-0.2 - PERIOD / 2, focus=-0.2 - PERIOD / 2))
    contrast = float((low - 1).abs().max())
    torch.testing.assert_close(next_one, low, rtol=0, atol=2e-3 * contrast)
    torch.testing.assert_close(half - 1, 1 - low, rtol=0, atol=0.03 * contrast)


def test_attenuated_reference_shows_more() -> None:
    """The contrast of a weak particle grows as one over the root of the transmission."""
    scene = sphere(0.01, 1.45)
    full, tenth = centre(scene) - 1, centre(scene, reference_transmission=0.1) - 1
    assert tenth / full == pytest.approx(np.sqrt(10), rel=0.01)
    expected = in_the_middle(rayleigh(0.01, 1.45), 0.3, passed=0.1) - 1
    assert tenth == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("radius", [0.06, 0.2])
def test_round_ellipsoid_sends_back_what_a_sphere_does(radius: float) -> None:
    """Facets of a weak body against Lorenz-Mie theory, where its two faces do not cancel."""
    body = {"kind": "ellipsoid", "semi_axes_um": [radius] * 3}
    # At this height the scattered wave is in phase with the reference, where contrast is largest.
    facets = forward(particle(body, 1.35, interface_um=0.362))
    exact = forward(sphere(radius, 1.35, interface_um=0.362))
    assert float((facets - exact).norm() / (exact - 1).norm()) < 0.05


def test_line_names_the_models() -> None:
    scene = sphere(0.05, 1.5)
    batch = sample(scene, 0, Values(scene))
    line = explain_line(scene, batch, ForwardModel(scene).plan, "CPU", 1.0)
    assert "Mie ×1" in line
    assert "slabs" not in line


@pytest.mark.parametrize("kind", ["sphere", "coated_sphere", "rod"])
def test_image_is_smooth_in_every_number(kind: str) -> None:
    shapes: dict[str, dict[str, Any]] = {
        "sphere": {"kind": "sphere", "radius_um": 0.15},
        "coated_sphere": {
            "kind": "coated_sphere", "radius_um": 0.15, "core_radius_um": 0.1, "core_index": 1.6,
        },
        "rod": {"kind": "rod", "length_um": 0.7, "radius_um": 0.12},
    }  # fmt: skip
    scene = particle(shapes[kind], 1.42, focus=0.1)
    base = {
        "particles[0].x_um": 1.0, "particles[0].y_um": 1.0, "particles[0].z_um": 0.02,
        "populations[0].shape.radius_um": shapes[kind]["radius_um"],
        "populations[0].material.index": 1.42, "medium.index": WATER,
        "microscope.modality.interface_um": 0.3, "microscope.modality.glass_index": GLASS,
        "microscope.modality.reference_transmission": 0.5,
        "microscope.wavelength_um": WAVELENGTH, "microscope.focus_um": 0.1,
        "microscope.numerical_aperture": NA,
    }  # fmt: skip
    if kind == "coated_sphere":
        base["populations[0].shape.core_radius_um"] = 0.1
    tensors = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in base.items()}
    model = ForwardModel(scene, accuracy="draft")
    image = model.image(tensors)
    weights = torch.randn(21, 21, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gradients = torch.autograd.grad((image * weights).sum(), list(tensors.values()))
    for (name, value), gradient in zip(base.items(), gradients, strict=True):
        with torch.no_grad():
            up, down = (model.image({**base, name: value + h}) for h in (1e-6, -1e-6))
        column = (up - down) / 2e-6
        assert float(gradient) == pytest.approx(
            float((column * weights).sum()), rel=1e-3, abs=1e-5 * float(column.norm())
        ), name
