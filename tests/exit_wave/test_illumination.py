"""Points that stand for the condenser."""

from __future__ import annotations

from math import sin

import pytest
import torch
from scipy.special import j1

from osog.exit_wave import Cone, light_points, plan_sampling
from osog.sample import Values, sample
from osog.scene import Scene, SceneError
from osog.waves import ring_numbers, source_points

DOUBLE = torch.float64


@pytest.mark.parametrize("count", [1, 3, 8, 16, 32, 64])
def test_points_fill_the_condenser_evenly(count) -> None:
    aperture, wavelength = torch.tensor(0.4, dtype=DOUBLE), torch.tensor(0.55, dtype=DOUBLE)
    points, weights = source_points(aperture, wavelength, count)
    assert len(points) == sum(ring_numbers(count))
    assert torch.isclose(weights.sum(), torch.tensor(1.0, dtype=DOUBLE))
    radius = points.norm(dim=1) * wavelength / aperture
    assert radius.max() <= 1
    assert torch.allclose((weights[:, None] * points).sum(0), torch.zeros(2, dtype=DOUBLE))
    if count > 1:
        # Mean squared radius of a filled disc.
        mean = (weights * radius**2).sum()
        assert torch.isclose(mean, torch.tensor(0.5, dtype=DOUBLE))


def test_points_move_with_the_condenser() -> None:
    aperture = torch.tensor(0.4, dtype=DOUBLE, requires_grad=True)
    points, _ = source_points(aperture, torch.tensor(0.55, dtype=DOUBLE), 16)
    (gradient,) = torch.autograd.grad(points.norm(dim=1).sum(), aperture)
    assert torch.isclose(gradient, points.norm(dim=1).sum().detach() / 0.4)


@pytest.mark.parametrize(
    ("hole", "numbers", "error"), [(0.5, (16, 20, 22), 2e-4), (0.85, (20, 20), 1e-4)]
)
def test_annulus_integrates_plane_waves(
    hole: float, numbers: tuple[int, ...], error: float
) -> None:
    """Mean of exp(2πi f·r) over an annulus: 2 [J1(u) − h J1(hu)] / (u (1 − h²)), u = 2π r NA/λ."""
    points, weights = source_points(
        torch.tensor(0.6, dtype=DOUBLE), torch.tensor(0.5, dtype=DOUBLE), numbers,
        torch.tensor(hole, dtype=DOUBLE),
    )  # fmt: skip
    assert len(points) == sum(numbers)
    radius = points.norm(dim=1) * 0.5 / 0.6
    assert float(radius.min()) > hole
    assert float(radius.max()) < 1
    for place in ((0.3, 0.0), (0.4, 0.5), (-0.2, 0.9)):
        r = torch.tensor(place, dtype=DOUBLE)
        u = 2 * torch.pi * float(r.norm()) * 0.6 / 0.5
        expected = 2 * (j1(u) - hole * j1(hole * u)) / (u * (1 - hole**2))
        mean = (weights * torch.exp(2j * torch.pi * (points @ r))).sum()
        assert abs(complex(mean) - expected) < error


def test_rings_of_annuli_are_even_and_as_many_as_wanted() -> None:
    for count in (1, 2, 8, 16, 32, 64):
        for hole in (0.2, 0.8, 0.98):
            numbers = ring_numbers(count, hole)
            assert all(number % 2 == 0 and number >= 4 for number in numbers)
            assert abs(sum(numbers) - count) <= max(4, 0.15 * count)
    assert ring_numbers(32, 0.85) == (10, 10, 12)


def lit(kind: str, modality: dict[str, object] | None = None, **optics: object) -> Scene:
    modality = {"kind": kind, **(modality or {})}
    return Scene.parse({"microscope": {"modality": modality, **optics}})


CONDENSER = {"condenser_numerical_aperture": 0.4, "condenser_stop": 0.5}
OBLIQUE = {"oblique_numerical_aperture": 0.2, "oblique_azimuth_deg": 90.0}
ANNULUS = {"inner_numerical_aperture": 0.7, "outer_numerical_aperture": 0.9}


@pytest.mark.parametrize(
    ("scene", "outer", "hole", "shift"),
    [
        (lit("brightfield"), 0.0, 0.0, (0.0, 0.0)),
        (lit("dic", **CONDENSER, **OBLIQUE), 0.4, 0.5, (0.0, 0.2)),
        (lit("polarized", **CONDENSER), 0.4, 0.5, (0.0, 0.0)),
        (lit("brightfield", **OBLIQUE), 0.0, 0.0, (0.0, 0.2)),
        (lit("phase_contrast", {"ring_radius": 0.6, "ring_width": 0.2}, **CONDENSER), 0.35, 5 / 7,
         (0.0, 0.0)),
        (lit("darkfield", ANNULUS, **OBLIQUE), 0.9, 7 / 9, (0.0, 0.0)),
        (lit("shadowgraph", {"divergence_mrad": 100.0}), sin(0.1), 0.0, (0.0, 0.0)),
        (lit("hologram", **CONDENSER, **OBLIQUE), 0.0, 0.0, (0.0, 0.0)),
        (lit("off_axis_hologram", **OBLIQUE), 0.0, 0.0, (0.0, 0.0)),
    ],
)  # fmt: skip
def test_every_modality_has_its_own_light(scene, outer, hole, shift) -> None:
    cone = Cone.of(scene)
    if scene.microscope.modality.kind == "shadowgraph":
        outer = scene.medium.index * outer
    assert cone.outer == pytest.approx(outer, rel=1e-5)
    assert cone.hole == pytest.approx(hole if outer else cone.hole, rel=1e-5)
    assert (cone.shift_x, cone.shift_y) == pytest.approx(shift, abs=1e-12)

    values = Values(scene, dtype=DOUBLE)
    plan = plan_sampling(scene, sample(scene, 0, values))
    points, weights = light_points(values, plan)
    assert len(points) == sum(plan.source_rings)
    assert float(weights.sum()) == pytest.approx(1.0)
    centre = torch.tensor(shift, dtype=DOUBLE) / 0.55
    torch.testing.assert_close((weights[:, None] * points).sum(0), centre, rtol=0, atol=1e-12)
    radius = (points - centre).norm(dim=1) * 0.55
    if len(points) > 1:
        assert outer * hole < float(radius.min())
        assert float(radius.max()) < outer
        # Mean squared radius of an annulus.
        mean = float((weights * radius**2).sum())
        assert mean == pytest.approx(outer**2 * (1 + hole**2) / 2, rel=1e-9)
    else:
        assert float(radius) < 1e-12


def test_grids_hold_the_tilted_apertures() -> None:
    """Field frequencies up to (NA + NA_c)/λ, and slabs thin enough for the steepest light."""
    dark = lit("darkfield", ANNULUS)
    plan = plan_sampling(dark, sample(dark, 0, Values(dark)), accuracy="standard")
    reach = (0.5 + 0.9) / 0.55
    assert plan.band >= reach
    assert 1 / (2 * max(plan.pitch_um)) > reach
    bright = lit("brightfield")
    axial = plan_sampling(bright, sample(bright, 0, Values(bright)), accuracy="standard")
    assert plan.slab_um < 0.5 * axial.slab_um


def test_light_that_cannot_enter_the_medium_is_refused() -> None:
    with pytest.raises(SceneError, match="must stay below the medium index"):
        lit("darkfield", {"inner_numerical_aperture": 1.2, "outer_numerical_aperture": 1.4})
