"""Exact spheres and coated ones as part of the engine: gradients, cores, sums."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog.exit_wave import exit_wave, plan_sampling
from osog.exit_wave.coated_spheres import with_cores
from osog.exit_wave.lorenz_mie import spheres
from osog.explain import field_error_percent
from osog.geometry import POLYHEDRON, SPHERE, gbuffer
from osog.rendering import ForwardModel, forward
from osog.sample import Values, sample
from osog.scene import Scene
from osog.scene.parameters import replaced

DOUBLE = torch.float64


def coated(scattering="slabs", core_index=1.40, **microscope) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [28, 30], "pixel_size_um": 0.15},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "shape": {
                        "kind": "coated_sphere",
                        "radius_um": 0.9,
                        "core_radius_um": 0.5,
                        "core_index": core_index,
                    },
                    "material": {"index": 1.36, "absorption_per_um": 0.1},
                    "particles": [
                        {"x_um": 2.0, "y_um": 2.1, "z_um": 0.4},
                        {"x_um": 3.1, "y_um": 1.9, "z_um": -1.7, "radius_um": 0.7},
                    ],
                    "scattering": scattering,
                }
            ],
            "microscope": {"numerical_aperture": 0.6, "focus_um": 1.5, **microscope},
        }
    )


@pytest.mark.parametrize("scattering", ["slabs", "mie"])
@pytest.mark.parametrize("condenser", [0.0, 0.3])
def test_gradients_of_coated_spheres(scattering, condenser) -> None:
    """Every continuous number that reaches a coated sphere, against finite differences."""
    scene = coated(scattering, condenser_numerical_aperture=condenser, source_points=4)
    shape, material = "populations[0].shape", "populations[0].material"
    names = {
        f"{shape}.radius_um": 0.9,
        f"{shape}.core_radius_um": 0.5,
        f"{shape}.core_index": 1.40,
        f"{material}.index": 1.36,
        f"{material}.absorption_per_um": 0.1,
        "particles[1].radius_um": 0.7,
        "particles[0].x_um": 2.0,
        "particles[0].z_um": 0.4,
        "medium.index": 1.33,
        "microscope.wavelength_um": 0.55,
        "microscope.numerical_aperture": 0.6,
    }
    if condenser:
        names["microscope.condenser_numerical_aperture"] = condenser
    scene = replaced(scene, {"numerics.accuracy": "standard"})
    leaves = {n: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for n, v in names.items()}
    model = ForwardModel(scene)
    image = model.image(leaves)
    weight = torch.randn(image.shape, dtype=DOUBLE)
    gradients = torch.autograd.grad((image * weight).sum(), list(leaves.values()))
    numbers = {n: torch.tensor(v, dtype=DOUBLE) for n, v in names.items()}
    for (name, value), got in zip(names.items(), gradients, strict=True):
        h = 1e-5
        ends = [
            float((model.image({**numbers, name: value + s * h}) * weight).sum()) for s in (1, -1)
        ]
        wanted = (ends[0] - ends[1]) / (2 * h)
        assert float(got) == pytest.approx(wanted, rel=2e-4, abs=2e-4), name


def test_recomputed_gradients_are_the_kept_ones(monkeypatch) -> None:
    scene, results = coated("mie"), []
    for keep in (1e9, 0.0):
        monkeypatch.setattr("osog.exit_wave.lorenz_mie.spheres.KEPT_SPHERE_SAMPLES", keep)
        leaf = torch.tensor(0.9, dtype=DOUBLE, requires_grad=True)
        image = forward(scene, {"populations[0].shape.radius_um": leaf})
        results.append(torch.autograd.grad(image.square().sum(), leaf)[0])
    assert torch.equal(results[0], results[1])


def test_gradients_that_spare_memory_take_one_direction_of_light_at_a_time(monkeypatch) -> None:
    """What is computed again is held for all spheres of a group; images take several at once."""
    at_once: list[int] = []
    plain = spheres._equal_spheres

    def noted(amplitude: torch.Tensor, place: Any, position: Any, kappa: Any, *more: Any) -> Any:
        at_once.append(len(kappa))
        return plain(amplitude, place, position, kappa, *more)

    monkeypatch.setattr(spheres, "_equal_spheres", noted)
    scene = replaced(coated("mie"), {"microscope.condenser_numerical_aperture": 0.3})
    for keep, alone in ((0.0, True), (1e9, False)):
        monkeypatch.setattr(spheres, "KEPT_SPHERE_SAMPLES", keep)
        at_once.clear()
        forward(scene, {"medium.index": torch.tensor(1.33, dtype=DOUBLE, requires_grad=True)})
        assert (max(at_once) == 1) is alone
        at_once.clear()
        with torch.no_grad():
            forward(scene)
        assert max(at_once) > 1


def test_slabs_draw_the_core() -> None:
    """Coated spheres in slabs come close to the exact theory, which their shells alone do not."""
    # One sphere alone: what is exact about two is their light, not what passes between them.
    alone = {"numerics.accuracy": "fine", "populations[0].particles[1].x_um": 60.0}
    fields = [
        forward(replaced(scene, alone))
        for scene in (coated("mie"), coated("slabs"), coated("slabs", core_index=1.36))
    ]
    contrast = (fields[0] - 1).norm()
    assert float((fields[1] - fields[0]).norm() / contrast) < 0.05
    assert float((fields[2] - fields[0]).norm() / contrast) > 0.3


def test_a_core_that_fills_its_sphere_is_that_sphere() -> None:
    """In both models; the absorption of the material holds for core and shell."""
    for model in ("slabs", "mie"):
        whole = replaced(
            coated(model),
            {
                "populations[0].shape.core_radius_um": 0.9,
                "populations[0].particles[1].core_radius_um": 0.7,
            },
        )
        plain = replaced(coated(model, core_index=1.40), {"populations[0].material.index": 1.40})
        grids = {"numerics.accuracy": "standard"}
        first, second = (forward(replaced(scene, grids)) for scene in (whole, plain))
        assert torch.allclose(first, second, atol=1e-9)


def test_cores_join_the_light_and_nothing_else(make_batch) -> None:
    """Phase of core and shell add up on a ray; labels and the count stay those of the sphere."""
    scene = coated("slabs")
    batch = sample(scene, 0, Values(scene, dtype=DOUBLE))
    both = with_cores(batch)
    assert len(batch) == 2 and len(both) == 4
    assert torch.equal(both.size[2:, 0], batch.core_radius)
    assert torch.allclose(both.delta_index[2:], torch.full((2,), 0.04, dtype=DOUBLE))
    assert not both.absorption_per_um[2:].any() and not both.emission_per_um[2:].any()
    assert torch.equal(both.plane_start, torch.zeros(5, dtype=torch.int64))
    labels = gbuffer(batch, scene.grid.shape, scene.grid.pixel_size_um)
    assert int(labels.instances.max()) == 2
    plain = make_batch([{"kind": SPHERE}, {"kind": POLYHEDRON}])
    assert with_cores(plain) is plain


def test_some_particles_keep_their_half_spaces(make_batch) -> None:
    batch = make_batch([{"kind": kind} for kind in (SPHERE, POLYHEDRON, SPHERE, POLYHEDRON)])
    left = batch.taken(torch.tensor([1, 3]))
    assert left.plane_start.tolist() == [0, 8, 16]
    assert torch.equal(left.planes, batch.planes)


def test_light_of_spheres_and_bodies_adds_up() -> None:
    """A population of exact spheres beside one in slabs: the spectrum is the sum of both."""
    spheres = coated("mie")
    rod = {
        "name": "rods",
        "shape": {"kind": "rod", "length_um": 2.0, "radius_um": 0.3},
        "material": {"index": 1.36},
        "particles": [{"x_um": 2.2, "y_um": 3.1, "z_um": -0.4}],
    }
    both = Scene.parse(
        {**spheres.model_dump(), "populations": [spheres.model_dump()["populations"][0], rod]}
    )
    values = Values(both, dtype=DOUBLE)
    batch = sample(both, 0, values)
    plan = plan_sampling(both, batch, accuracy="standard")
    assert plan.scattering == ("mie", "slabs")
    total = exit_wave(batch, values, plan).spectrum
    parts = []
    for i in (0, 1):
        mine = batch.taken(torch.nonzero(batch.population == i).flatten())
        parts.append(exit_wave(mine, values, plan).spectrum)
    assert torch.allclose(total, parts[0] + parts[1], atol=1e-14)
    assert field_error_percent(both, batch, plan) > 0


def test_single_precision_is_good_to_five_digits() -> None:
    """Hundreds of turns of phase across the domain cost nothing."""
    scene = replaced(coated("mie"), {"grid.shape": (200, 200)})
    scene = replaced(scene, {"populations[0].particles[1].x_um": 27.0})
    single = forward(scene, dtype=torch.float32).double()
    double = forward(scene)
    assert float((single - double).norm() / (double - 1).norm()) < 2e-5
