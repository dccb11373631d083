"""Derivatives of second order, in forward mode and by `torch.func`, of every way to make light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.autograd import forward_ad
from torch.autograd.functional import hessian, jacobian

from osog.rendering import ForwardModel, forward
from osog.scene import Scene, SceneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

DOUBLE = torch.float64
FOCUS, RADIUS = "microscope.focus_um", "populations.bodies.shape.radius_um"
BALL = {"kind": "sphere", "radius_um": 0.51}
BOX = {"kind": "box", "size_um": [1.3, 0.9, 0.7]}
PRISM = {"kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [1.3, 1.1, 0.8]}
CRYSTAL = {"index": 1.36, "birefringence": 0.01, "optic_axis": [0.8, 0.3, 0.5]}

# Every function with an adjoint of its own, and every way to compute without keeping the parts.
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "slabs": (BALL, {"scattering": "slabs"}, {"modality": {"kind": "hologram"}}),
    "projected": (BALL, {"scattering": "projection"}, {"modality": {"kind": "hologram"}}),
    "walls": (BOX, {}, {"modality": {"kind": "brightfield"}}),
    "planes": (PRISM, {}, {"modality": {"kind": "brightfield"}}),
    "rods": (
        {"kind": "rod", "length_um": 1.5, "radius_um": 0.3}, {},
        {"modality": {"kind": "brightfield"}},
    ),
    "condenser": (
        BALL, {}, {"modality": {"kind": "dic"}, "condenser_numerical_aperture": 0.3},
    ),
    "weak objects": (
        BALL, {}, {"modality": {"kind": "brightfield"}, "condenser_numerical_aperture": 0.3},
    ),
    "crystals": (
        BALL, {"material": CRYSTAL},
        {"modality": {"kind": "polarized"}, "condenser_numerical_aperture": 0.2},
    ),
    "exact spheres": (BALL, {"scattering": "mie"}, {"modality": {"kind": "hologram"}}),
    "exact coated spheres": (
        {"kind": "coated_sphere", "radius_um": 0.5, "core_radius_um": 0.31, "core_index": 1.4},
        {"scattering": "mie"}, {"modality": {"kind": "hologram"}},
    ),
    "darkfield": (BALL, {"scattering": "mie"}, {"modality": {"kind": "darkfield"}}),
    "scattered back": (BALL, {"scattering": "mie"}, {"modality": {"kind": "iscat"}}),
    "facets": (BOX, {}, {"modality": {"kind": "reflection"}}),
    "emission": (BALL, {}, {"modality": {"kind": "fluorescence"}}),
    "emission of walls": (BOX, {}, {"modality": {"kind": "fluorescence"}}),
    "confocal": (BALL, {}, {"modality": {"kind": "confocal"}}),
    "light sheet": (BALL, {}, {"modality": {"kind": "light_sheet"}}),
    "phase": (BALL, {}, {"modality": {"kind": "phase"}}),
}  # fmt: skip


def scene_of(way: str) -> Scene:
    shape, population, optics = WAYS[way]
    return Scene.parse(
        {
            "grid": {"shape": [10, 11], "pixel_size_um": 0.25},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "bodies", "shape": shape, "material": {"index": 1.36},
                    "particles": [{"x_um": 1.217, "y_um": 1.083, "z_um": 0.331,
                                   "orientation_deg": [31, 17, 9]}],
                    **population,
                }
            ],
            "microscope": {
                "numerical_aperture": 0.6, "focus_um": 0.7, "source_points": 2, **optics,
            },
            "numerics": {
                "accuracy": "draft", "padding_um": 1.0,
                "partial_coherence": "weak_object" if way == "weak objects" else "abbe",
            },
        }
    )  # fmt: skip


def picture_of(way: str) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
    """A picture's weighted sum as a function of four numbers, and these numbers."""
    scene = scene_of(way)
    model = ForwardModel(scene)
    sized = {"box": "size_um[0]", "polyhedron": "size_um[0]"}.get(WAYS[way][0]["kind"], "radius_um")
    names = {
        FOCUS: 0.7, "particles[0].x_um": 1.217, "particles[0].z_um": 0.331,
        f"populations.bodies.shape.{sized}": None,
    }  # fmt: skip
    shape = WAYS[way][0]
    size = shape["size_um"][0] if "size_um" in shape else shape["radius_um"]
    scale = None

    def picture(*numbers: Tensor) -> Tensor:
        image = model.image(dict(zip(names, numbers, strict=True)))
        weight = torch.linspace(-1, 1.7, image.numel(), dtype=DOUBLE).reshape(image.shape).sin()
        return (image * weight * (1 if scale is None else scale)).sum()

    values = [size if value is None else value for value in names.values()]
    inputs = tuple(torch.tensor(value, dtype=DOUBLE, requires_grad=True) for value in values)
    # Of order 1, as tolerances are.
    slopes = torch.autograd.grad(picture(*inputs), inputs, allow_unused=True)
    scale = 1 / max(float(slope.abs()) for slope in slopes if slope is not None)
    return picture, inputs


@pytest.mark.parametrize("way", WAYS)
def test_gradients_have_true_gradients(way: str) -> None:
    picture, inputs = picture_of(way)
    assert torch.autograd.gradcheck(picture, inputs, atol=2e-5, rtol=1e-4)
    assert torch.autograd.gradgradcheck(picture, inputs, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("way", WAYS)
def test_torch_func_agrees_with_the_adjoint(way: str) -> None:
    picture, inputs = picture_of(way)
    four = tuple(range(len(inputs)))
    found = torch.autograd.grad(picture(*inputs), inputs, allow_unused=True)
    expected = torch.stack([torch.zeros((), dtype=DOUBLE) if g is None else g for g in found])
    plain = tuple(x.detach() for x in inputs)
    along = tuple(torch.tensor(v, dtype=DOUBLE) for v in (0.3, -0.8, 0.5, 0.7))
    _, slope = torch.func.jvp(picture, plain, along)
    close = {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(slope, expected @ torch.stack(along), **close)
    by_func = torch.stack(torch.func.grad(picture, four)(*plain))
    torch.testing.assert_close(by_func, expected, **close)
    with forward_ad.dual_level():
        duals = (forward_ad.make_dual(x, t) for x, t in zip(plain, along, strict=True))
        tangent = forward_ad.unpack_dual(picture(*duals)).tangent
    torch.testing.assert_close(tangent, slope)


@pytest.mark.parametrize("way", ["slabs", "crystals", "scattered back", "confocal"])
def test_every_way_to_a_hessian_gives_the_same(way: str) -> None:
    picture, inputs = picture_of(way)
    four = tuple(range(len(inputs)))
    plain = tuple(x.detach() for x in inputs)

    def table(rows: Any) -> Tensor:
        return torch.stack([torch.stack(tuple(row)) for row in rows])

    twice = table(hessian(picture, plain))
    assert torch.allclose(twice, twice.T, rtol=1e-4, atol=1e-5 * float(twice.abs().max()))
    close = {"rtol": 1e-4, "atol": 1e-5 * float(twice.abs().max())}
    torch.testing.assert_close(table(torch.func.hessian(picture, four)(*plain)), twice, **close)
    reverse = torch.func.jacrev(torch.func.jacrev(picture, four), four)
    torch.testing.assert_close(table(reverse(*plain)), twice, **close)
    torch.testing.assert_close(table(hessian(picture, plain, vectorize=True)), twice, **close)


def test_focus_and_radius_are_not_independent() -> None:
    scene = scene_of("slabs")
    model = ForwardModel(scene)

    def spread(focus: Tensor, radius: Tensor) -> Tensor:
        return model.image({FOCUS: focus, RADIUS: radius}).var()

    at = tuple(torch.tensor(v, dtype=DOUBLE) for v in (0.3, 0.5))
    table = hessian(spread, at)
    h = 1e-4

    def slope(radius: float) -> float:
        focus = torch.tensor(0.3, dtype=DOUBLE, requires_grad=True)
        value = spread(focus, torch.tensor(radius, dtype=DOUBLE))
        return float(torch.autograd.grad(value, focus)[0])

    mixed = (slope(0.5 + h) - slope(0.5 - h)) / (2 * h)
    assert abs(mixed) > 1e-4
    assert float(table[0][1]) == pytest.approx(mixed, rel=1e-3)
    assert float(table[1][0]) == pytest.approx(mixed, rel=1e-3)


def test_a_jacobian_may_be_vectorized() -> None:
    model = ForwardModel(scene_of("slabs"))
    focus_um = torch.tensor(0.7, dtype=DOUBLE)

    def part(focus: Tensor) -> Tensor:
        return model.image({FOCUS: focus})[3:5, 4]

    one = jacobian(part, focus_um)
    torch.testing.assert_close(jacobian(part, focus_um, vectorize=True), one)
    torch.testing.assert_close(torch.func.jacfwd(part)(focus_um), one)
    torch.testing.assert_close(torch.func.jacrev(part)(focus_um), one)


def test_a_kept_wave_does_not_hide_what_varies_in_forward_mode() -> None:
    model = ForwardModel(scene_of("slabs"))
    height = torch.tensor(0.331, dtype=DOUBLE)
    with torch.no_grad():
        before = model.image({"particles[0].z_um": height})
    _, slope = torch.func.jvp(
        lambda z: model.image({"particles[0].z_um": z}), (height,), (torch.ones_like(height),)
    )
    assert float(slope.abs().max()) > 1e-3
    # And what forward mode has left behind does not stay either.
    torch.testing.assert_close(model.image({"particles[0].z_um": height}), before)
    assert not model.image({FOCUS: torch.tensor(0.8, dtype=DOUBLE)}).requires_grad


def test_single_precision_and_series_in_forward_mode() -> None:
    scene = scene_of("slabs").model_dump()
    film = Scene.parse({**scene, "series": {"frames": 2, "interval_s": 0.01}})

    def spread(x: Tensor) -> Tensor:
        return forward(film, {"particles[0].x_um": x + 0.9}, dtype=torch.float32).var()

    x = torch.tensor(0.317)
    _, slope = torch.func.jvp(spread, (x,), (torch.ones_like(x),))
    again = x.clone().requires_grad_()
    torch.testing.assert_close(
        slope, torch.autograd.grad(spread(again), again)[0], rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize("nested", [False, True])
def test_vmap_over_numbers_is_refused_in_words(nested: bool) -> None:
    model = ForwardModel(scene_of("emission"))

    def spread(focus: Tensor) -> Tensor:
        return model.image({FOCUS: focus}).var()

    function = torch.func.grad(spread) if nested else spread
    with pytest.raises(SceneError, match=r"'microscope\.focus_um' is a batch .* loop, or"):
        torch.func.vmap(function)(torch.tensor([0.1, 0.2], dtype=DOUBLE))
