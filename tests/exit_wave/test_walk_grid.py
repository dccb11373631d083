"""The coarser grid on which the light of a condenser travels: when it is taken, what it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from osog.exit_wave import exit_wave, multislice, plan_sampling
from osog.exit_wave.phase_screens import Fixed
from osog.exit_wave.raster import Raster
from osog.optics import image
from osog.sample import Values, sample
from osog.scene import Scene
from osog.waves import ForwardWaves, source_points
from osog.waves.band_limit import band_limited, band_limited_adjoint

DOUBLE = torch.float64


def crowd(delta: float = 0.03, **changes) -> Scene:
    """Spheres of 2 µm in half-open light, by slabs."""
    microscope = {
        "modality": {"kind": "brightfield"},
        "numerical_aperture": 0.6,
        "condenser_numerical_aperture": 0.15,
        "wavelength_um": 0.55,
        "source_points": 8,
    }
    return Scene.parse(
        {
            "grid": {"shape": [160, 160], "pixel_size_um": 0.12},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "spheres",
                    "shape": {"kind": "sphere", "radius_um": 1.0},
                    "material": {"index": 1.33 + delta},
                    "scattering": "slabs",
                    "count": 20,
                    "placement": {"law": "poisson", "z_um": [-4, 4]},
                }
            ],
            "microscope": {**microscope, **changes},
            "numerics": {"accuracy": "standard"},
        }
    )


def planned(scene):
    return plan_sampling(scene, sample(scene, 0, Values(scene)))


def test_directions_of_a_condenser_share_a_coarser_grid() -> None:
    plan = planned(crowd())
    assert plan.walk_shape is not None
    for coarse, fine, extent in zip(plan.walk_shape, plan.grid_shape, plan.extent_um, strict=True):
        assert 2 * plan.band * extent <= coarse <= 0.8 * fine


@pytest.mark.parametrize(
    "changes",
    [
        {"condenser_numerical_aperture": 0.0},  # one direction has nobody to share with
        {"oblique_numerical_aperture": 0.2},  # every direction has a tilt of its own
        {"condenser_numerical_aperture": 0.6},  # the band fills the grid
        {"modality": {"kind": "polarized"}},  # slabs differ from direction to direction
        {"modality": {"kind": "reflection"}},
    ],
)
def test_other_light_travels_on_the_grid_of_the_bodies(changes) -> None:
    plan = planned(crowd(**changes))
    assert plan.walk_shape is None and plan.walk_grid == plan.grid_shape


@pytest.mark.parametrize("delta", [0.03, 0.1])
def test_images_change_by_less_than_their_grids_are_worth(delta) -> None:
    """Spheres of 0.7 and 2.3 rad; a standard grid is off by 1 to 5 % of the contrast."""
    scene = crowd(delta)
    values = Values(scene, dtype=torch.float32)
    batch = sample(scene, 0, values)
    plan = plan_sampling(scene, batch)
    pictures = [
        image(exit_wave(batch, values, each), values).irradiance
        for each in (plan, replace(plan, walk_shape=None))
    ]
    change = (pictures[0] - pictures[1]).square().mean().sqrt() / pictures[1].std()
    assert 1e-6 < change < (0.003 if delta < 0.05 else 0.015)


def test_plain_operations_take_the_same_way() -> None:
    scene = crowd()
    values = Values(scene, dtype=DOUBLE)
    batch = sample(scene, 0, values)
    plan = plan_sampling(scene, batch)
    wavelength, index = values.microscope.wavelength_um, values.medium.index
    points, _ = source_points(torch.tensor(0.15, dtype=DOUBLE), wavelength, (2, 3), 0.0)
    waves = ForwardWaves.of(plan, points, wavelength, index)
    raster, phase = Raster(batch, plan), 2 * torch.pi / wavelength * batch.delta_index
    quick = multislice.multislice(raster, batch, phase, None, waves)
    plain = multislice._plain(
        Fixed(raster, batch, (waves.rows, waves.columns)),
        batch.position, batch.quaternion, batch.size, batch.planes, phase, None,
        waves.kappa, waves.decay, waves.stretch, *batch.weights,
    )  # fmt: skip
    assert (quick - plain).abs().max() < 1e-12 * plain.abs().max()


@pytest.mark.parametrize("shape", [(12, 15), (20, 9), (16, 20), (25, 26), (16, 15)])
def test_the_adjoint_of_a_change_of_grid(shape) -> None:
    generator = torch.Generator().manual_seed(0)
    field = torch.randn(16, 15, dtype=torch.complex128, generator=generator)
    other = torch.randn(shape, dtype=torch.complex128, generator=generator)
    there = (band_limited(field, shape) * other.conj()).sum()
    back = (field * band_limited_adjoint(other, (16, 15)).conj()).sum()
    assert torch.allclose(there, back, rtol=1e-12)


def test_a_wave_below_nyquist_is_the_same_on_every_grid() -> None:
    def wave(rows: int, columns: int) -> torch.Tensor:
        y, x = (torch.arange(n, dtype=DOUBLE) / n for n in (rows, columns))
        return torch.exp(2j * torch.pi * (3 * y[:, None] - 4 * x))

    for shape in ((8, 9), (16, 15), (7, 30)):
        assert torch.allclose(band_limited(wave(16, 15), shape), wave(*shape), atol=1e-12)
