"""Brownian motion and flow of the particles of a time series."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
import pytest
import torch

from osog.sample import moving, rotation_matrix, sample
from osog.sample.motion import BOLTZMANN_J_PER_K, stokes_einstein
from osog.scene import Scene

KT = BOLTZMANN_J_PER_K * 293


def scene_of(motion: dict[str, Any], frames: int = 40, count: int = 300, **more: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [64, 64], "pixel_size_um": 1.0},
            "populations": [
                {"name": "p", "shape": {"kind": "sphere", "radius_um": 0.5}, "count": count,
                 "motion": motion, **more}
            ],
            "series": {"frames": frames, "interval_s": 0.2},
        }
    )  # fmt: skip


def places(scene: Scene, seed: int = 0) -> torch.Tensor:
    batch = sample(scene, seed, dtype=torch.float64)
    return torch.stack([b.position for b in moving(batch, scene, seed)])


def test_mean_squared_displacement_grows_as_2_d_t_along_each_axis() -> None:
    found = places(scene_of({"diffusion_um2_per_s": 1.5}))
    for lag in (1, 5, 20):
        step = found[lag:] - found[:-lag]
        expected = 2 * 1.5 * lag * 0.2
        # Windows overlap: the number of independent ones is N T/lag.
        error = np.sqrt(2 * lag / (300 * (40 - lag)))
        for axis in range(3):
            square = float(step[..., axis].square().mean())
            assert square == pytest.approx(expected, rel=4 * error)
        assert float(step.mean()) == pytest.approx(0, abs=5 * np.sqrt(expected * lag / 36000))


def test_steps_are_independent_of_one_another() -> None:
    step = places(scene_of({"diffusion_um2_per_s": 1.0})).diff(dim=0)
    after = float((step[1:] * step[:-1]).mean() / step.square().mean())
    beside = float((step[:, 1:] * step[:, :-1]).mean() / step.square().mean())
    assert abs(after) < 0.02 and abs(beside) < 0.02


def test_flow_is_exact_and_everything_may_leave_the_frame() -> None:
    found = places(scene_of({"flow_um_per_s": [20.0, -3.0, 0.5]}, frames=30))
    time = torch.arange(30, dtype=torch.float64)[:, None, None] * 0.2
    torch.testing.assert_close(
        found, found[0] + time * torch.tensor([20.0, -3.0, 0.5], dtype=torch.float64)
    )
    assert float(found[..., 0].max()) > 64


def test_a_longer_series_begins_like_a_shorter_one() -> None:
    motion = {"diffusion_um2_per_s": 1.0, "rotational_diffusion_per_s": 2.0}
    long, short = (places(scene_of(motion, frames=n), 7) for n in (10, 3))
    assert torch.equal(long[:3], short)
    assert not torch.equal(places(scene_of(motion, frames=3), 8), short)
    more = places(scene_of(motion, frames=3, count=310), 7)
    assert torch.equal((more[1:] - more[:1])[:, :300], (short[1:] - short[:1]))


def test_still_particles_stay() -> None:
    found = places(scene_of({}, frames=4))
    assert torch.equal(found[3], found[0])


def test_spheres_diffuse_as_stokes_and_einstein_say() -> None:
    along, about = stokes_einstein(np.array([[0.5, 0.5, 0.5]]), KT, 1e-3)
    # 1 µm bead in water at 20 °C.
    np.testing.assert_allclose(along, KT / (6 * pi * 1e-3 * 0.5e-6) * 1e12)
    np.testing.assert_allclose(along, 0.4292, rtol=1e-3)
    np.testing.assert_allclose(about, KT / (8 * pi * 1e-3 * (0.5e-6) ** 3))


@pytest.mark.parametrize("ratio", [2.0, 10.0])
def test_spheroids_diffuse_as_perrin_says(ratio: float) -> None:
    """Closed forms of Perrin (1934) for prolate spheroids, a > b."""
    b = 0.3
    a = ratio * b
    xi = np.sqrt(1 - 1 / ratio**2)
    s = np.log((1 + xi) / (1 - xi))
    eta = 1e-3
    friction_parallel = 16 * pi * eta * a * xi**3 / ((1 + xi**2) * s - 2 * xi)
    friction_across = 32 * pi * eta * a * xi**3 / (2 * xi + (3 * xi**2 - 1) * s)
    along, _ = stokes_einstein(np.array([[a, b, b]]), KT, eta)
    np.testing.assert_allclose(
        along[0],
        KT * 1e12 / (1e-6 * np.array([friction_parallel, friction_across, friction_across])),
        rtol=1e-9,
    )


def test_left_out_coefficients_follow_from_the_body() -> None:
    scene = scene_of({"diffusion_um2_per_s": None}, frames=30)
    step = places(scene).diff(dim=0)
    expected = 2 * 0.2 * 0.4292
    assert float(step.square().mean()) == pytest.approx(expected, rel=0.03)
    warm = scene_of({"diffusion_um2_per_s": None}, frames=30)
    series = warm.series.model_copy(update={"temperature_k": 586.0, "viscosity_mpa_s": 4.0})
    slow = places(warm.model_copy(update={"series": series})).diff(dim=0)
    torch.testing.assert_close(slow, step * (2 / 4) ** 0.5)


def test_long_bodies_move_faster_along_their_axis() -> None:
    rod = {"shape": {"kind": "rod", "length_um": 8.0, "radius_um": 0.25},
           "orientation": {"law": "aligned", "azimuth_deg": 90}}  # fmt: skip
    step = places(scene_of({"diffusion_um2_per_s": None}, frames=60, **rod)).diff(dim=0)
    variance = step.square().mean((0, 1))
    assert 1.4 < float(variance[1] / variance[0]) < 2.0
    assert float(variance[0] / variance[2]) == pytest.approx(1, abs=0.1)


def test_orientation_decays_with_twice_the_rotational_diffusion() -> None:
    rod = {"shape": {"kind": "rod", "length_um": 4.0, "radius_um": 0.5}}
    scene = scene_of({"rotational_diffusion_per_s": 0.15}, frames=16, count=3000, **rod)
    batch = sample(scene, 1, dtype=torch.float64)
    frames = list(moving(batch, scene, 1))
    axis = [rotation_matrix(b.quaternion)[:, :, 0] for b in frames]
    for lag in (3, 10, 15):
        mean = float((axis[0] * axis[lag]).sum(-1).mean())
        assert mean == pytest.approx(np.exp(-2 * 0.15 * lag * 0.2), abs=0.02)  # P1 decay
    assert torch.equal(frames[15].position, batch.position)
    # The optic axis, here along the body, turns with it.
    torch.testing.assert_close(frames[15].optic_axis, axis[15])


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "cylinder", "length_um": 3.0, "radius_um": 0.5},
        {"kind": "box", "size_um": [2.0, 1.0, 1.0]},
        {"kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [2.0, 1.0, 1.0]},
        {"kind": "ellipsoid", "semi_axes_um": [1.0, 0.5, 0.5]},
    ],
)
def test_every_shape_moves_by_itself(shape: dict[str, Any]) -> None:
    motion = {"diffusion_um2_per_s": None, "rotational_diffusion_per_s": None}
    scene = scene_of(motion, frames=3, count=4, shape=shape)
    first, _, last = moving(sample(scene, 2), scene, 2)
    moved = (last.position - first.position).norm(dim=1)
    assert bool(((moved > 0.01) & (moved < 5)).all())
    torch.testing.assert_close(last.quaternion.norm(dim=1), torch.ones(4))
    assert not torch.equal(last.quaternion, first.quaternion)
