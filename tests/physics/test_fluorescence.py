"""Laws of widefield fluorescence: OTF, energy, axial response, units."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor

from helpers.drawing import drawing_transfer

NA, WAVELENGTH = 0.8, 0.55


def point(table) -> Tensor:  # type: ignore[no-untyped-def]
    """Point emitter in the middle of the domain, as it is drawn into slabs."""
    n = table.size * table.oversampling
    slab = torch.zeros(1, n, n, dtype=torch.float64)
    slab[0, n // 2, n // 2] = 1.0
    index = torch.fft.fftfreq(n, dtype=torch.float64)
    return torch.fft.ifft2(torch.fft.fft2(slab) * drawing_transfer(index, index)).real


def test_transfer_function_in_focus(bench: ModuleType) -> None:
    """OTF(½) = (2/π)(acos ½ − ½√¾) = 0.391002 at half of the cutoff 2 NA/λ."""
    length = 80 * WAVELENGTH / NA  # the cutoff is then 160 steps
    table = bench.Bench(size=400, pixel_um=length / 400)
    image = table.image(table.emission(point(table), [0.0]), "fluorescence").irradiance
    transfer = torch.fft.fft2(image).abs()
    assert float(transfer[0, 80] / transfer[0, 0]) == pytest.approx(0.391002, abs=4e-3)
    assert float(transfer[80, 0] / transfer[0, 0]) == pytest.approx(0.391002, abs=4e-3)
    assert float(transfer[0, 164] / transfer[0, 0]) < 1e-4


def test_axial_response_of_a_point(bench: ModuleType) -> None:
    table = bench.Bench(size=256)
    slab, middle = point(table), 128
    there = table.image(table.emission(slab, [0.0]), "fluorescence", focus_um=1.0).irradiance
    focus = table.image(table.emission(slab, [0.0]), "fluorescence").irradiance
    assert float(there[middle, middle] / focus[middle, middle]) == pytest.approx(
        0.429534, abs=0.006
    )
    # Only the distance between emitter and plane of focus counts.
    moved = table.image(table.emission(slab, [3.0]), "fluorescence", focus_um=4.0).irradiance
    torch.testing.assert_close(moved, there)


@pytest.mark.parametrize("z", [0.0, 1.0, 6.0])
@pytest.mark.parametrize("oversampling", [1, 2])
def test_energy_does_not_depend_on_the_focus(
    bench: ModuleType, z: float, oversampling: int
) -> None:
    table = bench.Bench(size=64, oversampling=oversampling)
    disc = torch.sigmoid((1.0 - table.from_centre) / 0.1)[None]
    emission = table.emission(disc, [0.0])
    image = table.image(emission, "fluorescence", focus_um=z, aberrations={"coma_x": 0.1})
    assert float(image.irradiance.mean()) == pytest.approx(float(disc.mean()), rel=1e-9)
    assert float(image.irradiance.min()) >= 0.0


def test_a_sheet_of_one_micrometre_is_the_unit(bench: ModuleType) -> None:
    """Emission 1 per µm over 1 µm, split over two slabs, plus the background."""
    table = bench.Bench(size=32)
    sheet = torch.full((2, 32, 32), 0.5, dtype=torch.float64)
    emission = table.emission(sheet, [-0.3, 0.4])
    image = table.image(emission, "fluorescence", background=0.25)
    torch.testing.assert_close(image.irradiance, torch.full_like(image.irradiance, 1.25))


def test_emission_adds_up(bench: ModuleType) -> None:
    """Incoherent light: the image of two slabs is the sum of their images."""
    table = bench.Bench(size=48)
    torch.manual_seed(0)
    slabs = torch.sigmoid((0.8 - table.from_centre) / 0.1)[None] * torch.tensor([[[1.0]], [[0.4]]])
    both = table.image(table.emission(slabs, [0.0, 1.5]), "fluorescence", focus_um=0.5)
    parts = [
        table.image(table.emission(slabs[k : k + 1], [z]), "fluorescence", focus_um=0.5).irradiance
        for k, z in enumerate((0.0, 1.5))
    ]
    torch.testing.assert_close(both.irradiance, parts[0] + parts[1], rtol=1e-9, atol=1e-12)


def test_nothing_that_shines_leaves_the_background(bench: ModuleType) -> None:
    table = bench.Bench(size=16)
    empty = table.emission(torch.zeros(3, 16, 16, dtype=torch.float64), [0.0, 1.0, 2.0])
    image = table.image(empty, "fluorescence", background=0.5)
    torch.testing.assert_close(image.irradiance, torch.full((16, 16), 0.5, dtype=torch.float64))


def test_light_is_never_negative(bench: ModuleType) -> None:
    """A lone bright sample is no pixel mean; undoing the mean undershoots in the dark rings."""
    table = bench.Bench(size=48)
    slab = torch.zeros(1, 48, 48, dtype=torch.float64)
    slab[0, 24, 24] = 1.0
    image = table.image(table.emission(slab, [0.0]), "fluorescence").irradiance
    assert float(image.min()) == 0.0
    assert float(image.max()) > 0.01
