"""Derivatives of every modality against finite differences in double precision."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor

from osog.optics import image
from osog.sample import Values
from osog.waves import source_points

LENS = {
    "microscope.focus_um": 0.8,
    "microscope.numerical_aperture": 0.71,
    "microscope.aberrations.spherical": 0.03,
    "microscope.aberrations.astigmatism_0": 0.0,
    "microscope.aberrations.astigmatism_45": -0.04,
    "microscope.aberrations.coma_x": 0.05,
    "microscope.aberrations.coma_y": 0.0,
    "microscope.aberrations.zernike[4]": 0.02,
    "microscope.aberrations.zernike[14]": 0.0,
}
OWN = {
    "brightfield": {},
    "hologram": {},
    "phase": {},
    "dic": {
        "microscope.modality.shear_um": 0.3,
        "microscope.modality.azimuth_deg": 35.0,
        "microscope.modality.bias_retardance_deg": 70.0,
        "microscope.modality.extinction": 0.0,
    },
    "fluorescence": {"microscope.modality.background": 0.1},
}
CASES = [
    ("brightfield", 1),
    ("brightfield", 4),
    ("dic", 1),
    ("dic", 4),
    ("hologram", 1),
    ("phase", 1),
    ("fluorescence", 1),
]


def function(bench: ModuleType, kind: str, points: int, strength: float):  # type: ignore[no-untyped-def]
    """Image as a function of (wavelength, index, condenser NA, object height, scene numbers …)."""
    table = bench.Bench(size=16, pixel_um=0.16)
    shape = torch.exp(-((table.from_centre / 0.6) ** 2))
    names = [*LENS, *OWN[kind]]
    scene = table.scene(kind)

    def run(*numbers: Tensor) -> Tensor:
        wavelength, index, condenser, height, *rest = numbers
        values = Values(scene, dict(zip(names, rest, strict=True)), dtype=torch.float64)
        if kind == "fluorescence":
            wave = table.emission(
                torch.stack([shape * height, shape.flip(0) * 0.3]), [0.0, 1.0], wavelength
            )
        else:
            source, weights = source_points(condenser, wavelength, points)
            transmission = torch.exp((1j - 0.1) * height * shape)
            wave = table.wave(transmission, source, weights, wavelength, index)
        return image(wave, values).irradiance

    start = [0.57, 1.33, 0.35, strength, *LENS.values(), *OWN[kind].values()]
    return run, [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in start]


@pytest.mark.parametrize(("kind", "points"), CASES)
def test_gradients_against_finite_differences(bench: ModuleType, kind: str, points: int) -> None:
    run, start = function(bench, kind, points, 1.4)
    assert torch.autograd.gradcheck(run, start, eps=1e-6, atol=2e-6, rtol=1e-4, fast_mode=True)


@pytest.mark.parametrize(("kind", "points"), CASES)
def test_every_number_acts(bench: ModuleType, kind: str, points: int) -> None:
    """No parameter is silently dropped: its derivative is not zero everywhere."""
    run, start = function(bench, kind, points, 1.4)
    torch.manual_seed(0)
    weights = torch.rand(16, 16, dtype=torch.float64)
    slopes = torch.autograd.grad((run(*start) * weights).sum(), start, allow_unused=True)
    for place, slope in enumerate(slopes):
        if (place == 1 and kind == "fluorescence") or (place == 2 and points == 1):
            continue  # the table fixes the index of emission; no condenser
        assert slope is not None
        assert abs(float(slope)) > 1e-7, place


@pytest.mark.parametrize(("kind", "points"), CASES)
def test_forward_derivatives_agree_with_backward_ones(
    bench: ModuleType, kind: str, points: int
) -> None:
    """Fits take Jacobians column by column."""
    run, start = function(bench, kind, points, 1.4)
    plain = [s.detach() for s in start]
    _, column = torch.func.jvp(lambda f: run(*plain[:4], f, *plain[5:]), (plain[4],),
                               (torch.ones_like(plain[4]),))  # fmt: skip
    torch.manual_seed(0)
    weights = torch.rand(16, 16, dtype=torch.float64)
    (slope,) = torch.autograd.grad((run(*start) * weights).sum(), start[4])
    assert float((column * weights).sum()) == pytest.approx(float(slope), rel=1e-9)


def test_unwrapped_phase_has_the_same_gradient(bench: ModuleType) -> None:
    run, start = function(bench, "phase", 1, 7.0)
    assert float(run(*start).detach().max()) > 3.5
    assert torch.autograd.gradcheck(run, start, eps=1e-6, atol=2e-6, rtol=1e-4, fast_mode=True)


def test_gradients_stay_finite_at_extinction_and_on_an_empty_field(bench: ModuleType) -> None:
    for kind, points in CASES:
        run, start = function(bench, kind, points, 0.0)
        if kind == "dic":
            start[-2] = torch.zeros((), dtype=torch.float64, requires_grad=True)
        slopes = torch.autograd.grad(run(*start).sum(), start, allow_unused=True)
        assert all(bool(torch.isfinite(s)) for s in slopes if s is not None)
