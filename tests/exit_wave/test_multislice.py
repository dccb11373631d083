"""The fast exit wave against the obvious one, forward and backward."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from helpers import slab_reference as reference
from osog.exit_wave import exit_wave, multislice, plan_sampling
from osog.exit_wave.deposit import deposit
from osog.exit_wave.raster import Raster
from osog.sample import Values, sample
from osog.scene.parameters import describe, replaced
from osog.waves import ForwardWaves, source_points

DOUBLE = torch.float64


def raw_spectra(scene, batch, values, plan):
    """Multislice alone, without obliquity and deconvolutions, on all frequencies."""
    wavelength, index = values.microscope.wavelength_um, values.medium.index
    aperture = values.microscope.condenser_numerical_aperture
    source, _ = source_points(aperture, wavelength, plan.source_points)
    waves = ForwardWaves.of(plan, source, wavelength, index)
    rows, columns = (torch.arange(n) for n in plan.grid_shape)
    spectra = multislice.multislice(
        Raster(batch, plan),
        batch,
        2 * torch.pi / wavelength * batch.delta_index,
        0.5 * batch.absorption_per_um,
        replace(waves, rows=rows, columns=columns),
    )
    return spectra, source


@pytest.mark.parametrize("condenser", [False, True])
def test_fast_path_equals_the_obvious_one(
    condenser, every_shape, every_shape_with_condenser
) -> None:
    scene = every_shape_with_condenser if condenser else every_shape
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, 0, values)
    plan = plan_sampling(scene, batch)
    spectra, source = raw_spectra(scene, batch, values, plan)
    for s in range(len(source)):
        slow = reference.spectrum(batch, values, plan, tuple(source[s].tolist()))
        assert (spectra[s] - slow).abs().max() < 1e-13 * slow.abs().max() + 1e-14


@pytest.mark.parametrize("condenser", [False, True])
@pytest.mark.parametrize("memory", ["stored", "checkpoints", "windows"])
def test_hand_adjoint_equals_autograd_through_the_obvious_path(
    condenser, memory, every_shape, every_shape_with_condenser, monkeypatch
) -> None:
    scene = every_shape_with_condenser if condenser else every_shape
    if memory != "stored":
        monkeypatch.setattr(multislice, "STORE_BYTES", 0)
    if memory == "windows":
        monkeypatch.setattr(multislice, "VOLUME_BYTES", 0)
    gradients = []
    for fast in (True, False):
        leaves = {
            "microscope.wavelength_um": torch.tensor(0.55, dtype=DOUBLE, requires_grad=True),
            "medium.index": torch.tensor(1.33, dtype=DOUBLE, requires_grad=True),
        }
        values = Values(scene, leaves, dtype=DOUBLE)
        batch = sample(scene, 0, values)
        plan = plan_sampling(scene, batch)
        tensors = {
            name: getattr(batch, name).detach().clone().requires_grad_()
            for name in ("position", "quaternion", "size", "absorption_per_um", "planes")
        }
        batch = replace(batch, **tensors)
        generator = torch.Generator().manual_seed(3)
        if fast:
            spectra, source = raw_spectra(scene, batch, values, plan)
        else:
            _, source = raw_spectra(scene, batch, values, plan)
            spectra = torch.stack(
                [reference.spectrum(batch, values, plan, (p[0], p[1])) for p in source]
            )
        weight = torch.randn(spectra.shape, dtype=torch.complex128, generator=generator)
        loss = (spectra * weight).real.sum()
        gradients.append(torch.autograd.grad(loss, [*tensors.values(), *leaves.values()]))
    for quick, slow in zip(*gradients, strict=True):
        assert torch.allclose(quick, slow, rtol=1e-8, atol=1e-10 * float(slow.abs().max()))


def test_windows_and_one_volume_give_the_same_field(every_shape, monkeypatch) -> None:
    values = Values(every_shape, dtype=DOUBLE)
    batch = sample(every_shape, 0, values)
    plan = plan_sampling(every_shape, batch)
    whole, _ = raw_spectra(every_shape, batch, values, plan)
    monkeypatch.setattr(multislice, "VOLUME_BYTES", 0)
    parts, _ = raw_spectra(every_shape, batch, values, plan)
    assert (whole - parts).abs().max() < 1e-14


def test_deposit_conserves_length_and_centroid(every_shape) -> None:
    values = Values(every_shape, dtype=DOUBLE)
    batch = sample(every_shape, 0, values)
    plan = plan_sampling(every_shape, batch)
    ones = torch.ones(len(batch), dtype=DOUBLE)
    slabs = deposit(Raster(batch, plan), batch, [ones], range(plan.slabs))[0]
    mass = slabs.sum((1, 2))
    centroid = (mass * torch.tensor(plan.slab_planes_um, dtype=DOUBLE)).sum() / mass.sum()
    assert torch.allclose(slabs, reference.phase_slabs(batch, plan, ones), atol=1e-13)
    finer = plan_sampling(replaced(every_shape, {"numerics.slab_um": 0.1}), batch)
    fine = deposit(Raster(batch, finer), batch, [ones], range(finer.slabs))[0]
    other = fine.sum((1, 2))
    assert torch.isclose(other.sum(), mass.sum(), rtol=1e-12)
    assert torch.isclose(
        (other * torch.tensor(finer.slab_planes_um, dtype=DOUBLE)).sum() / other.sum(),
        centroid,
        atol=1e-10,
    )


def test_order_of_particles_never_changes_the_image(every_shape) -> None:
    backwards = every_shape.model_copy(update={"populations": every_shape.populations[::-1]})
    spectra = []
    for scene in (every_shape, backwards):
        values = Values(scene, dtype=DOUBLE)
        batch = sample(scene, 0, values)
        spectra.append(exit_wave(batch, values, plan_sampling(scene, batch)).spectrum)
    assert (spectra[0] - spectra[1]).abs().max() < 1e-14


def test_integer_sums_of_accelerators_agree_with_floating_ones(every_shape, monkeypatch) -> None:
    """On CUDA the splat adds integers, so that the bits do not depend on the order."""
    values = Values(every_shape, dtype=torch.float32)
    batch = sample(every_shape, 0, values)
    plan = plan_sampling(every_shape, batch)
    ones = torch.ones(len(batch))
    floating = deposit(Raster(batch, plan), batch, [ones], range(plan.slabs))[0]
    raster = Raster(batch, plan)
    monkeypatch.setattr("osog.exit_wave.deposit.on_gpu", lambda device: True)
    integers = deposit(raster, batch, [ones], range(plan.slabs))[0]
    assert torch.allclose(floating, integers, atol=1e-6)
    monkeypatch.setattr("osog.exit_wave.deposit._POINTS_DRAWN", 1)
    assert torch.equal(integers, deposit(raster, batch, [ones], range(plan.slabs))[0])


def test_float32_is_close_to_float64(every_shape) -> None:
    waves = []
    for dtype in (torch.float32, DOUBLE):
        values = Values(every_shape, dtype=dtype)
        batch = sample(every_shape, 0, values)
        waves.append(exit_wave(batch, values, plan_sampling(every_shape, batch)).spectrum)
    error = (waves[0] - waves[1]).abs().norm() / waves[1].abs().norm()
    assert error < 3e-5


def test_projection_is_one_sheet_per_particle(every_shape) -> None:
    """All of a projected particle lies in the two slabs around its centre."""
    population = every_shape.populations[2].model_copy(update={"scattering": "projection"})
    scene = every_shape.model_copy(update={"populations": (population,)})
    scene = replaced(scene, {"numerics.slab_um": 0.2})
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, 0, values)
    plan = plan_sampling(scene, batch)
    raster = Raster(batch, plan, torch.ones(1, dtype=torch.bool))
    length = raster.density(raster.patch_batches[0], torch.ones(1, dtype=DOUBLE))
    assert length.numel() == 1
    slabs = deposit(raster, batch, [torch.ones(1, dtype=DOUBLE)], range(plan.slabs))[0]
    full = deposit(Raster(batch, plan), batch, [torch.ones(1, dtype=DOUBLE)], range(plan.slabs))[0]
    assert int((full.sum((1, 2)) > 1e-12).sum()) > 5
    assert int((slabs.sum((1, 2)) > 1e-12).sum()) <= 3
    assert torch.allclose(slabs.sum(0), full.sum(0), atol=1e-10)


@pytest.mark.parametrize("name", ["material.index", "shape.radius_um", "particles[0].z_um"])
def test_projection_has_true_gradients(name, every_shape) -> None:
    from osog.rendering import ForwardModel

    population = every_shape.populations[2].model_copy(update={"scattering": "projection"})
    scene = every_shape.model_copy(update={"populations": (population,)})
    full = name if name.startswith("particles") else f"populations.rod.{name}"
    model, start = ForwardModel(scene), 1.03 * float(describe(scene, full).value)
    weight = torch.randn(scene.grid.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))

    def loss(value: object) -> torch.Tensor:
        return (model.image({full: value}) * weight).sum()

    leaf = torch.tensor(start, dtype=DOUBLE, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    step = 1e-6
    numeric = (loss(start + step) - loss(start - step)) / (2 * step)
    assert float(gradient) == pytest.approx(float(numeric), rel=1e-3)


@pytest.mark.parametrize("name", ["microscope.wavelength_um", "medium.index"])
def test_light_that_is_gone_leaves_true_gradients(name) -> None:
    """Slabs so black that their transmission underflows to 0."""
    from osog.rendering import ForwardModel
    from osog.scene import Scene

    scene = Scene.parse(
        {
            "grid": {"shape": [24, 24], "pixel_size_um": 1.0},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": 30.0},
                    "material": {"absorption_per_um": 100.0, "index": 1.4},
                    "scattering": "slabs",
                    "particles": [{"x_um": 12.0, "y_um": 12.0}],
                }
            ],
            "microscope": {"modality": {"kind": "brightfield"}, "numerical_aperture": 0.3},
            "numerics": {"accuracy": "draft", "padding_um": 4.0, "pitch_um": 0.5, "slab_um": 20.0},
        }
    )
    model, start = ForwardModel(scene), float(describe(scene, name).value)
    weight = torch.randn(24, 24, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))

    def loss(value: object) -> torch.Tensor:
        return (model.image({name: value}) * weight).sum()

    leaf = torch.tensor(start, dtype=DOUBLE, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    step = 1e-6
    numeric = (loss(start + step) - loss(start - step)) / (2 * step)
    assert float(gradient) == pytest.approx(float(numeric), rel=1e-4)
