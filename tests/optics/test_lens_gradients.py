"""Derivatives in every number of the lens, where all of them act at once."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from osog.optics import image
from osog.sample import Values
from osog.waves import source_points

LENS: dict[str, float] = {
    "focus_um": 0.4,
    "numerical_aperture": 0.71,
    "immersion_index": 1.5,
    "aberrations.spherical": 0.03,
    "aberrations.defocus": 0.02,
    "aberrations.trefoil_x": -0.03,
    "aberrations.trefoil_y": 0.0,
    "aberrations.osa[8]": 0.04,
    "aberrations.osa[13]": 0.0,
    "field_aberrations.curvature_um": 0.6,
    "field_aberrations.coma": 0.05,
    "field_aberrations.astigmatism": -0.04,
    "field_aberrations.distortion_percent": 3.0,
    "field_aberrations.vignetting": 0.4,
    "cover_glass.depth_um": 3.0,
    "cover_glass.thickness_um": 173.0,
    "cover_glass.design_thickness_um": 170.0,
    "cover_glass.index": 1.53,
    "pupil.obstruction": 0.25,
}
CASES = [
    ("brightfield", 1, False, "here"),
    ("brightfield", 1, False, "zero"),
    ("brightfield", 2, True, "here"),
    ("phase", 1, False, "here"),
    ("fluorescence", 1, False, "here"),
    ("fluorescence", 1, True, "zero"),
]


@pytest.mark.parametrize(("kind", "points", "vectorial", "start"), CASES)
def test_gradients_against_finite_differences(
    bench: ModuleType, kind: str, points: int, vectorial: bool, start: str
) -> None:
    """Also at zero, where terms are left out when nobody asks for them."""
    table = bench.Bench(size=16, pixel_um=0.16)
    shape = torch.exp(-((table.from_centre / 0.6) ** 2))
    optics: dict[str, Any] = {
        "immersion_index": 1.5,
        "cover_glass": {"focus_scale": "stage" if vectorial else "object"},
        "pupil": {"vectorial": vectorial, "apodisation": "aplanatic"},
    }
    scene = table.scene(kind, **optics)
    names = list(LENS)
    if kind == "phase":  # without the direct light there is no phase of the background
        names.remove("pupil.obstruction")
    numbers = {
        name: 0.0 if start == "zero" and name.split(".")[0] in ("aberrations", "field_aberrations",
        "pupil") else LENS[name] for name in names
    }  # fmt: skip

    weights = torch.randn(16, 16, generator=torch.Generator().manual_seed(3)).double()

    def run(numbers: Tensor) -> Tensor:
        wavelength, index, *lens = numbers
        given = {f"microscope.{n}": v for n, v in zip(names, lens, strict=True)}
        values = Values(scene, given, dtype=torch.float64)
        if kind == "fluorescence":
            wave = table.emission(torch.stack([shape, shape.flip(0) * 0.3]), [0.0, 1.0], wavelength)
        else:
            source, shares = source_points(torch.full_like(wavelength, 0.3), wavelength, points)
            transmission = torch.exp((1.4j - 0.1) * shape)
            wave = table.wave(transmission, source, shares, wavelength, index)
        wave = replace(wave, plan=replace(table.plan, field_nodes=(2, 2)))
        return (image(wave, values).irradiance * weights).sum()

    here = torch.tensor([0.57, 1.33, *numbers.values()], dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(run(here), here)
    with torch.no_grad():
        for seed in (1, 2):
            # All numbers at once: one that is wrong spoils the sum.
            way = torch.randn(len(here), generator=torch.Generator().manual_seed(seed)).double()
            way = way / slopes.abs().clamp(min=1.0) * 1e-6
            difference = float(run(here + way) - run(here - way)) / 2
            assert float((slopes * way).sum()) == pytest.approx(difference, rel=2e-5, abs=1e-12)
    if start == "here":
        for name, slope in zip(("wavelength", "index", *names), slopes, strict=True):
            # The emission of this table has an index of its own.
            if not (name == "index" and kind == "fluorescence"):
                assert float(slope.abs()) > 1e-7, name
