"""Metals: tables of n + iκ, exact spheres of them, and what other models say about them."""

from __future__ import annotations

from math import pi
from typing import Any

import miepython
import mpmath
import numpy as np
import pytest
import torch

import osog
from osog.exit_wave.lorenz_mie.amplitudes import amplitudes
from osog.exit_wave.lorenz_mie.coefficients import coefficients
from osog.rendering import ForwardModel
from osog.sample import Values, dispersed, sample
from osog.scene import Scene, SceneError
from osog.scene.materials.metals import METALS, metal_numbers
from osog.scene.parameters import replaced

DOUBLE = torch.float64


def kappa(name: str, wavelength: float) -> complex:
    numbers = metal_numbers(name, wavelength)
    return complex(numbers["index"], numbers["absorption_per_um"] * wavelength / (4 * pi))


def scene_of(
    modality: str = "hologram",
    material: dict[str, Any] | None = None,
    radius: float = 0.04,
    shape: dict[str, Any] | None = None,
    accuracy: str = "draft",
    **optics: Any,
) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [24, 24], "pixel_size_um": 0.12},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "beads",
                    "shape": shape or {"kind": "sphere", "radius_um": radius},
                    "material": {"name": "gold"} if material is None else material,
                    "particles": [{"x_um": 1.41, "y_um": 1.37, "z_um": 0.2}],
                }
            ],
            "microscope": {
                "modality": {"kind": modality}, "numerical_aperture": 0.8, "wavelength_um": 0.55,
                "focus_um": 0.2, **optics,
            },
            "numerics": {"accuracy": accuracy},
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "wavelength", "index"),
    [
        ("gold", 0.6328, 0.183 + 3.433j),
        ("gold", 0.5209, 0.62 + 2.081j),
        ("silver", 0.5, 0.05 + 3.13j),
        ("silver", 0.3815, 0.05 + 1.864j),
        ("copper", 0.6328, 0.27 + 3.41j),
    ],
)
def test_tables_have_the_known_values(name, wavelength, index) -> None:
    assert kappa(name, wavelength) == pytest.approx(index, abs=0.006)


def test_a_metal_takes_the_index_of_its_light() -> None:
    for wavelength in (0.45, 0.6328):
        material = scene_of(wavelength_um=wavelength).populations[0].material
        assert {"index": material.index, "absorption_per_um": material.absorption_per_um} == (
            metal_numbers("gold", wavelength)
        )
    own = scene_of(material={"name": "Gold", "index": 0.3}).populations[0].material
    assert (own.name, own.index) == ("gold", 0.3)
    with pytest.raises(SceneError, match=r"known names are .*gold, silver, copper"):
        scene_of(material={"name": "mithril"})


@pytest.mark.parametrize("index", [(0.2 + 3.4j) / 1.33, 0.038 + 2.33j, 1.05 + 1.43j, 0.4 + 14j])
@pytest.mark.parametrize("x", [0.01, 0.3, 2.0, 11.0, 50.0])
def test_metal_spheres_agree_with_miepython(x: float, index: complex) -> None:
    a, b = coefficients(
        torch.tensor([x], dtype=DOUBLE), torch.tensor([index], dtype=torch.complex128)
    )
    n = torch.arange(1, a.shape[1] + 1)
    extinction = 2 / x**2 * float(((2 * n + 1) * (a + b).real).sum())
    scattering = 2 / x**2 * float(((2 * n + 1) * (a.abs() ** 2 + b.abs() ** 2)).sum())
    theirs = miepython.efficiencies_mx(index.conjugate(), x)
    assert extinction == pytest.approx(theirs[0], rel=1e-8)
    assert scattering == pytest.approx(theirs[1], rel=1e-8)


@pytest.mark.parametrize(
    ("x", "shell", "core_x", "core"),
    [
        (0.9, 0.32 + 1.86j, 0.8, 1.09),  # gold on silica
        (7.0, 0.11 + 2.71j, 6.6, 1.09),
        (50.0, 0.15 + 2.56j, 49.8, 1.09),
        (50.0, 1.09, 40.0, 0.04 + 2.3j),  # silver in silica
    ],
)
def test_shells_and_cores_of_metal_solve_the_boundary_problem(x, shell, core_x, core) -> None:
    """With 200 digits: within an absorbing shell the two kinds of wave differ by many of them."""
    found = coefficients(
        torch.tensor([x], dtype=DOUBLE),
        torch.tensor([shell], dtype=torch.complex128),
        (torch.tensor([core_x], dtype=DOUBLE), torch.tensor([core], dtype=torch.complex128)),
    )
    for n in (1, 2, 4, int(x)) if x > 4 else (1, 2, 4):
        for ours, electric in zip(found, (True, False), strict=True):
            exact = boundary_coefficient(n, x, shell, core_x, core, electric)
            assert complex(ours[0, n - 1]) == pytest.approx(exact, abs=1e-11)


def boundary_coefficient(n: int, x: float, shell: complex, xc: float, core: complex, electric):
    """a_n or b_n from the four boundary conditions (B&H section 8.1)."""
    with mpmath.workdps(200):
        shell, core, outer = (mpmath.mpc(v) for v in (shell, core, x))
        half = mpmath.mpf(1) / 2

        def psi(z, order=n):
            return mpmath.sqrt(mpmath.pi * z / 2) * mpmath.besselj(order + half, z)

        def chi(z, order=n):
            return -mpmath.sqrt(mpmath.pi * z / 2) * mpmath.bessely(order + half, z)

        def both(function, z):
            return function(z), function(z, n - 1) - n / z * function(z)

        (p, q), (c, d) = both(psi, outer), both(chi, outer)
        (p1, q1), (p2, q2) = both(psi, core * xc), both(psi, shell * xc)
        (c2, d2), (p3, q3), (c3, d3) = (
            both(chi, shell * xc),
            both(psi, shell * x),
            both(chi, shell * x),
        )
        # ψ' over the index and ψ are continuous in electric waves, the other way in magnetic ones.
        r, t, u, v = (1 / shell, 1 / core, 1, 1) if electric else (1, 1, 1 / shell, 1 / core)
        system = mpmath.matrix(
            [
                [q - 1j * d, r * q3, r * d3, 0],
                [p - 1j * c, u * p3, u * c3, 0],
                [0, r * q2, r * d2, -t * q1],
                [0, u * p2, u * c2, -v * p1],
            ]
        )
        return complex(mpmath.lu_solve(system, mpmath.matrix([q, p, 0, 0]))[0])


def test_small_metal_spheres_are_dipoles() -> None:
    """S₁ = −i x³ (m² − 1)/(m² + 2) for x → 0, in all directions (B&H section 5.2)."""
    index, x = (0.2 + 3.4j) / 1.33, 0.01
    s1, s2 = amplitudes(
        torch.tensor([x], dtype=DOUBLE),
        torch.tensor([index], dtype=torch.complex128),
        torch.tensor([-1.0, 0.3], dtype=DOUBLE),
    )
    dipole = -1j * x**3 * (index**2 - 1) / (index**2 + 2)
    for found, expected in ((s1[0, 0], dipole), (s1[0, 1], dipole), (s2[0, 1], 0.3 * dipole)):
        assert abs(complex(found) - expected) < 5e-4 * abs(dipole)


def test_iscat_of_gold_follows_its_polarisability() -> None:
    """The contrast of a dipole is Re(α H): H from two other spheres predicts gold at each pixel."""
    radius = 0.005

    def contrast(index: complex) -> torch.Tensor:
        material = {"index": index.real, "absorption_per_um": 4 * pi * index.imag / 0.55}
        with torch.no_grad():
            return ForwardModel(scene_of("iscat", material, radius)).image({}) - ForwardModel(
                scene_of("iscat", {"index": 1.33}, radius)
            ).image({})

    def polarisability(index: complex) -> complex:
        square = (index / 1.33) ** 2
        return (square - 1) / (square + 2)

    glass, ink, gold = 1.5 + 0j, 1.33 + 0.4j, kappa("gold", 0.55)
    alphas = [polarisability(index) for index in (glass, ink)]
    system = torch.tensor([[a.real, -a.imag] for a in alphas], dtype=DOUBLE)
    pictures = torch.stack([contrast(index).flatten() for index in (glass, ink)])
    real, imaginary = torch.linalg.solve(system, pictures)
    alpha = polarisability(gold)
    expected = alpha.real * real - alpha.imag * imaginary
    found = contrast(gold).flatten()
    assert float((found - expected).norm() / expected.norm()) < 0.02
    assert float(found.norm()) > 5 * float(contrast(glass).norm())


def test_resonances_lie_where_they_are_seen() -> None:
    """80 nm gold in water scatters most near 0.56 µm, 60 nm silver near 0.43 µm: green and blue."""

    def brightest(name: str, radius: float, wavelengths: list[float]) -> float:
        light = []
        for wavelength in wavelengths:
            scene = scene_of(
                "darkfield", {"name": name}, radius, wavelength_um=wavelength,
                numerical_aperture=0.5, source_points=4,
            )  # fmt: skip
            with torch.no_grad():
                light.append(float(ForwardModel(scene).image({}).sum()) * wavelength**2)
        return wavelengths[int(np.argmax(light))]

    assert brightest("gold", 0.04, [0.45, 0.5, 0.56, 0.62, 0.68]) == 0.56
    assert brightest("silver", 0.03, [0.38, 0.43, 0.5, 0.56]) == 0.43


@pytest.mark.parametrize(
    "modality",
    ["hologram", "brightfield", "dic", "phase_contrast", "darkfield", "phase", "shadowgraph",
     "off_axis_hologram", "iscat", "reflection"],
)  # fmt: skip
def test_every_modality_of_scattered_light_takes_exact_metals(modality: str) -> None:
    frame = osog.render(scene_of(modality, radius=0.1, source_points=2))
    assert "Mie ×1" in frame.explain
    assert bool(torch.isfinite(frame.image).all())
    assert not any("off:" in caution.text or "of gold with" in caution.text
                   for caution in frame.warnings)  # fmt: skip


def test_derivatives_in_radius_index_and_absorption() -> None:
    model = ForwardModel(scene_of(radius=0.1, focus_um=0.9))
    base = "populations.beads."
    names = (f"{base}shape.radius_um", f"{base}material.index", f"{base}material.absorption_per_um")
    numbers = tuple(
        torch.tensor(v, dtype=DOUBLE, requires_grad=True) for v in (0.1, 0.42, 56.0)
    )  # fmt: skip

    def picture(*given: torch.Tensor) -> torch.Tensor:
        return model.image(dict(zip(names, given, strict=True)))[9:13, 11] * 10

    assert torch.autograd.gradcheck(picture, numbers, atol=1e-6, rtol=1e-4)
    assert torch.autograd.gradgradcheck(picture, numbers, atol=1e-5, rtol=1e-3)


def test_a_spectrum_meets_the_metal_of_each_colour() -> None:
    scene = scene_of(
        shape={
            "kind": "coated_sphere", "radius_um": 0.06, "core_radius_um": 0.05, "core_index": 1.45,
            "core_absorption_per_um": 0.0,
        }
    )  # fmt: skip
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, 0, values)
    line = torch.tensor(0.6328, dtype=DOUBLE, requires_grad=True)
    red = dispersed(batch, values, line)
    found = complex(1.33 + red.delta_index.item(), red.absorption_per_um.item() * 0.6328 / (4 * pi))
    assert found == pytest.approx(kappa("gold", 0.6328), abs=2e-4)
    # The silica core stays what it is.
    assert 1.33 + (red.delta_index + red.core_index_step).item() == pytest.approx(1.45)
    assert (red.absorption_per_um + red.core_absorption_step).item() == pytest.approx(0, abs=1e-9)
    slope = torch.autograd.grad(red.delta_index.sum(), line)[0]
    step = (kappa("gold", 0.64).real - kappa("gold", 0.62).real) / 0.02
    assert float(slope) == pytest.approx(step, rel=0.01)


def test_a_shell_of_gold_absorbs_in_the_shell_alone() -> None:
    core = {"kind": "coated_sphere", "radius_um": 0.06, "core_radius_um": 0.05999,
            "core_index": 1.45}  # fmt: skip
    with torch.no_grad():
        thin, plain, filled = (
            ForwardModel(scene).image({}) - 1
            for scene in (
                scene_of(shape={**core, "core_absorption_per_um": 0.0}),
                scene_of(material={"index": 1.45}, radius=0.06),
                scene_of(shape=core),
            )
        )
    # A hundredth of a nanometre of gold changes little; a core that absorbs like gold, much.
    assert float((thin - plain).norm()) < 0.3 * float(plain.norm())
    assert float((filled - plain).norm()) > 2 * float(plain.norm())


def test_models_that_cannot_hold_a_metal_say_so() -> None:
    def texts(scene: Scene) -> list[str]:
        return [caution.text for caution in osog.render(scene).warnings]

    fine = {"accuracy": "standard"}
    rod = {"kind": "rod", "length_um": 1.2, "radius_um": 0.3}
    assert any("The light of 'beads' is about 1" in t for t in texts(scene_of(shape=rod, **fine)))
    assert any(
        "follows light through slabs only" in t for t in texts(scene_of("polarized", **fine))
    )
    mirror = texts(scene_of("reflection", shape=rod))
    assert any("its surfaces reflect as if it did not absorb" in t for t in mirror)
    weak = scene_of("reflection", {"index": 1.4, "absorption_per_um": 0.2}, shape=rod)
    assert not any("did not absorb" in t for t in texts(weak))


def test_edits_follow_the_light_and_the_name() -> None:
    red = replaced(scene_of(), {"microscope.wavelength_um": 0.65})
    material = red.populations[0].material
    assert material.name == "gold" and material.index == metal_numbers("gold", 0.65)["index"]
    own = red.updated({"populations.beads.material.absorption_per_um": 50.0})
    assert own.populations[0].material.name is None
    still = own.updated({"microscope.wavelength_um": 0.5}).populations[0].material
    assert (still.index, still.absorption_per_um) == (material.index, 50.0)
    silver = own.updated({"populations.beads.material.name": "silver"}).populations[0].material
    assert silver.absorption_per_um == metal_numbers("silver", 0.65)["absorption_per_um"]
    silica = red.updated({"populations.beads.material.name": "silica"}).populations[0].material
    assert (silica.index, silica.absorption_per_um) == (pytest.approx(1.4565, abs=1e-4), 0.0)
    assert Scene.parse(red.to_dict()) == red


def test_numbers_of_other_light_are_pointed_out_and_mended() -> None:
    stale = scene_of(material={"name": "gold", **metal_numbers("gold", 0.55)}, wavelength_um=0.65)
    found = [c for c in osog.render(stale).warnings if "is of gold with" in c.text]
    assert len(found) == 1 and "at 650 nm gold has 0.156 + 3.6" in found[0].text
    mended = replaced(stale, found[0].remedy)
    assert not [c for c in osog.render(mended).warnings if "is of gold with" in c.text]
    assert set(METALS) == {"gold", "silver", "copper"}
