"""Polarised light through slabs against the obvious way, forward and backward."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import pytest
import torch

from helpers import slab_reference as reference
from osog.exit_wave import jones_wave, light_points, multislice, plan_sampling
from osog.exit_wave.birefringence import index_split
from osog.exit_wave.jones_multislice import through_crystals
from osog.exit_wave.polarized_wave import phases_per_um
from osog.exit_wave.raster import Raster
from osog.sample import Values, sample
from osog.scene.parameters import replaced
from osog.waves import ForwardWaves
from osog.waves.jones_matrices import polarizer_state
from osog.waves.plane_waves import grid_frequencies

DOUBLE = torch.float64
LEAVES = {"microscope.wavelength_um": 0.55, "medium.index": 1.33,
          "microscope.modality.polarizer_deg": 20.0}  # fmt: skip


def crystals(scene, circular=False):
    """The crowd of every shape, each birefringent about another axis; one of them isotropic."""
    changes = {"microscope.modality": {"kind": "polarized", "circular": circular}}
    for i in range(len(scene.populations)):
        material = f"populations[{i}].material"
        changes[f"{material}.birefringence"] = 0.0 if i == 3 else 0.04 * (-1) ** i * (1 + i)
        changes[f"{material}.optic_axis"] = ([1, 0, 0], [0.3, 1, -0.4], [0, 0, 1])[i % 3]
    return replaced(scene, changes)


def slow_spectrum(batch, values, plan, source):
    """Component by component, one 2×2 matrix exponential per sample, autograd all the way."""
    wavelength, index = values.number("microscope.wavelength_um"), values.number("medium.index")
    k0, k = 2 * pi / wavelength, 2 * pi * index / wavelength
    fy, fx = grid_frequencies(plan, source)
    sx, sy = source[0], source[1]
    squared = k**2 - (2 * pi) ** 2 * ((fx + sx) ** 2 + (fy[:, None] + sy) ** 2)
    share = ((fx + sx) ** 2 + (fy[:, None] + sy) ** 2) * (wavelength / index) ** 2
    ramp = ((share - 0.98**2) / (0.995**2 - 0.98**2)).clamp(0, 1)
    kz = torch.sqrt(torch.where(share < 0.995**2, squared, (1 - 0.995**2) * k.detach() ** 2))
    kz_source = torch.sqrt(k**2 - (2 * pi) ** 2 * (sx**2 + sy**2))
    step = torch.exp(1j * (kz - kz_source) * plan.slab_um - 40 * ramp**2 * (3 - 2 * ramp))
    mean, cosine, sine = index_split(batch, index, source * wavelength / index)
    phase, along, across, loss = (
        (k / kz_source) * reference.phase_slabs(batch, plan, c)
        for c in (k0 * mean, k0 * cosine / 2, k0 * sine / 2, 0.5 * batch.absorption_per_um)
    )
    unit = torch.eye(2, dtype=torch.complex128)
    z = torch.tensor([[1, 0], [0, -1]], dtype=torch.complex128)
    x = torch.tensor([[0, 1], [1, 0]], dtype=torch.complex128)
    state = polarisation(values)
    field = state[:, None, None].expand(2, *plan.grid_shape)
    for j in range(plan.slabs):
        exponent = (1j * phase[j] - loss[j])[..., None, None] * unit
        exponent = (
            exponent + 1j * along[j][..., None, None] * z + 1j * across[j][..., None, None] * x
        )
        matrix = torch.linalg.matrix_exp(exponent)
        field = torch.einsum("yxab,byx->ayx", matrix, field)
        if j < plan.slabs - 1:
            field = torch.fft.ifft2(torch.fft.fft2(field) * step)
    return torch.fft.fft2(field - state[:, None, None], norm="forward")


def polarisation(values):
    polars = values.microscope.modality
    return polarizer_state(polars.polarizer_deg, polars.circular)


def fast_spectra(batch, values, plan):
    wavelength, index = values.microscope.wavelength_um, values.medium.index
    source, _ = light_points(values, plan)
    waves = ForwardWaves.of(plan, source, wavelength, index)
    rows, columns = (torch.arange(n) for n in plan.grid_shape)
    per_um = phases_per_um(batch, source, wavelength, index)
    waves = replace(waves, rows=rows, columns=columns)
    return through_crystals(Raster(batch, plan), batch, per_um, polarisation(values), waves), source


@pytest.mark.parametrize("light", ["coherent", "condenser", "oblique circular"])
def test_fast_path_equals_the_obvious_one(light, every_shape, every_shape_with_condenser) -> None:
    scene = crystals(every_shape_with_condenser if light == "condenser" else every_shape,
                     circular="circular" in light)  # fmt: skip
    if "oblique" in light:
        scene = replaced(scene, {"microscope.oblique_numerical_aperture": 0.3,
                                 "microscope.oblique_azimuth_deg": 33.0})  # fmt: skip
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, 0, values)
    plan = plan_sampling(scene, batch)
    spectra, source = fast_spectra(batch, values, plan)
    for s in range(0, len(source), 3):
        slow = slow_spectrum(batch, values, plan, source[s])
        assert (spectra[s] - slow).abs().max() < 1e-12 * slow.abs().max()


@pytest.mark.parametrize("memory", ["stored", "checkpoints", "windows"])
@pytest.mark.parametrize("light", ["coherent", "oblique circular"])
def test_hand_adjoint_equals_autograd_through_the_obvious_path(
    light, memory, every_shape, monkeypatch
) -> None:
    scene = crystals(every_shape, circular="circular" in light)
    if "oblique" in light:
        scene = replaced(scene, {"microscope.oblique_numerical_aperture": 0.3})
    if memory != "stored":
        monkeypatch.setattr(multislice, "STORE_BYTES", 0)
    if memory == "windows":
        monkeypatch.setattr(multislice, "VOLUME_BYTES", 0)
    gradients = []
    for fast in (True, False):
        leaves = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in LEAVES.items()}
        values = Values(scene, leaves, dtype=DOUBLE)
        batch = sample(scene, 0, values)
        plan = plan_sampling(scene, batch)
        names = ("position", "quaternion", "size", "absorption_per_um", "planes", "birefringence",
                 "optic_axis")  # fmt: skip
        tensors = {name: getattr(batch, name).detach().clone().requires_grad_() for name in names}
        batch = replace(batch, **tensors)
        if fast:
            spectrum = fast_spectra(batch, values, plan)[0][0]
        else:
            source, _ = light_points(values, plan)
            spectrum = slow_spectrum(batch, values, plan, source[0])
        generator = torch.Generator().manual_seed(3)
        weight = torch.randn(spectrum.shape, dtype=torch.complex128, generator=generator)
        loss = (spectrum * weight).real.sum()
        gradients.append(torch.autograd.grad(loss, [*tensors.values(), *leaves.values()]))
    for quick, slow in zip(*gradients, strict=True):
        assert torch.allclose(quick, slow, rtol=1e-8, atol=1e-10 * float(slow.abs().max()))


def test_lossless_crystals_keep_the_energy(every_shape) -> None:
    """Every Jones matrix is unitary; only waves beyond 0.99 n/λ are dropped."""
    scene = crystals(every_shape)
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, 0, values)
    zero = torch.zeros_like(batch.absorption_per_um)
    batch = replace(batch, absorption_per_um=zero)
    plan = plan_sampling(scene, batch)
    spectrum = fast_spectra(batch, values, plan)[0][0].clone()
    turned = spectrum.abs().square().sum()
    spectrum[:, 0, 0] += polarisation(values)
    assert turned > 0.05
    assert float(spectrum.abs().square().sum()) == pytest.approx(1.0, abs=5e-4)


def test_an_empty_sample_leaves_the_light_alone(every_shape) -> None:
    scene = crystals(every_shape)
    scene = scene.model_copy(update={"populations": ()})
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, 0, values)
    wave = jones_wave(batch, values, plan_sampling(scene, batch))
    assert float(wave.spectrum.abs().max()) == 0.0


def test_float32_is_close_to_float64(every_shape) -> None:
    scene, waves = crystals(every_shape), []
    for dtype in (torch.float32, DOUBLE):
        values = Values(scene, dtype=dtype)
        batch = sample(scene, 0, values)
        waves.append(jones_wave(batch, values, plan_sampling(scene, batch)).spectrum)
    assert (waves[0] - waves[1]).abs().norm() / waves[1].abs().norm() < 5e-5
