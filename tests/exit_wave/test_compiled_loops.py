"""Compiled loops against torch: the same bodies, slabs and gradients."""

from __future__ import annotations

import random
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from helpers.particle_batch import particle_batch
from osog.exit_wave.compiled import choice, drawing, surveying
from osog.exit_wave.compiled.source import loop_source
from osog.exit_wave.deposit import deposited
from osog.exit_wave.raster import Raster
from osog.geometry import (
    BOX,
    CYLINDER,
    ELLIPSOID,
    POLYHEDRON,
    RED_CELL,
    ROD,
    SPHERE,
    TUBE,
    VESICLE,
    gbuffer,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from osog.geometry import Shape, Silhouette
    from osog.sample import ParticleBatch

SLABS, SIDE = 9, 34
SHAPES = (SPHERE, ELLIPSOID, ROD, CYLINDER, BOX, TUBE, VESICLE, POLYHEDRON)


def plan(accuracy: str = "standard") -> Any:
    """Grid of 34 × 34 samples and nine slabs."""
    return SimpleNamespace(
        pitch_um=(0.1, 0.1003), corner_um=(-0.4, -0.3), grid_shape=(SIDE, SIDE), slab_um=0.25,
        first_slab=-4, slabs=SLABS, accuracy=accuracy,
    )  # fmt: skip


def sizes(shape: Shape, u: Callable[[float, float], float], width: float) -> tuple[float, ...]:
    """Half lengths of a body about as wide as asked, in µm."""
    w = width
    return {
        SPHERE: (w, w, w),
        ELLIPSOID: (w * u(1, 4), w * u(1, 2), w),
        ROD: (w + u(0, 0.6), w, w),
        CYLINDER: (u(0.05, 0.6), w, w),
        BOX: (w * u(1, 4), w * u(1, 2), w),
        TUBE: (u(0.3, 0.6), w, w, w * u(0.2, 0.8)),
        VESICLE: (w, w * 1.2, w * 0.9, w * u(0.2, 0.8)),
        POLYHEDRON: (w * u(3, 6), w * u(2, 3), 2.2 * w),
    }[shape]


def bodies(shape: Shape, count: int, widths: tuple[float, ...]) -> ParticleBatch:
    """Bodies of many orientations over the grid and beyond its border, thin ones among them."""
    rng = random.Random(7)
    u = rng.uniform
    rows: list[dict[str, object]] = [
        {
            "kind": shape,
            "position": (u(-0.4, 3.0), u(-0.3, 3.0), u(-0.6, 0.6)),
            "angles": (u(0, 360), u(-80, 80), u(0, 360)),
            "size": sizes(shape, u, widths[k % len(widths)]),
            "habit": ("needle", "octahedron", "cube", "hexagonal_bipyramid")[k % 4],
        }
        for k in range(count)
    ]
    return particle_batch(rows)


def slabs_and_gradients(
    batch: ParticleBatch, raster: Raster, weights: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Slabs, and the gradients of a weighted sum of them in pose, size and coefficient."""
    read = (batch.position, batch.quaternion, batch.size, batch.planes)
    inputs = [t.clone().requires_grad_() for t in read]
    real = {"dtype": batch.dtype, "device": batch.device}
    coefficient = torch.linspace(0.5, 1.5, len(batch), **real).requires_grad_()
    moved = batch.moved(*inputs)
    raster.kept.clear()
    slabs = deposited(moved, coefficient, raster)
    loss = (slabs * weights).sum()
    gradients = torch.autograd.grad(loss, [*inputs, coefficient], materialize_grads=True)
    return (slabs.detach(), *gradients)


def compare(
    batch: ParticleBatch, accuracy: str, thin: torch.Tensor | None, tolerance: float
) -> None:
    """Draw by torch and by the loops chosen, and compare."""
    raster = Raster(batch, plan(accuracy), thin)
    weights = torch.randn(SLABS, SIDE, SIDE, dtype=batch.dtype)
    expected = slabs_and_gradients(batch, raster, weights)
    assert not raster.kept["drawings"][1].compiled
    with choice.use("wait"):
        found = slabs_and_gradients(batch, raster, weights)
        assert len(raster.kept["drawings"][1].compiled) >= 1
        assert not raster.kept["drawings"][1].rest
    for a, b in zip(expected, found, strict=True):
        assert float((a - b).norm()) <= tolerance * max(float(a.norm()), 1e-12)


def interpreted(shape: Shape, dtype: torch.dtype, device: str = "cpu") -> ModuleType | None:
    """The loops of a shape as plain Python, without a compiler; none where torch is to draw."""
    if choice.mode() == "off":
        return None
    text = loop_source(shape, dtype)
    text = text.replace("from numba import njit", "njit = lambda *a, **k: (lambda f: f)")
    module = ModuleType("loops")
    exec(compile(text, "loops", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
@pytest.mark.parametrize("accuracy", ["standard", "fine"])
def test_loops_are_the_formulas(
    shape: Shape, accuracy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "loops_of", interpreted)
    widths = (0.22, 0.11, 0.055) if accuracy == "standard" else (0.24,)
    batch = bodies(shape, 3 if accuracy == "standard" else 1, widths)
    thin = torch.arange(len(batch)) % 2 == 0 if accuracy == "standard" else None
    compare(batch, accuracy, thin, 1e-11)


def test_specks_of_boxes_are_drawn_by_the_loops_of_ellipsoids(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drawing, "loops_of", interpreted)
    batch = bodies(BOX, 2, (0.008, 0.11))
    compare(batch, "standard", None, 1e-11)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.arithmetic], ids=repr)
def test_loops_see_what_torch_sees(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveying, "loops_of", interpreted)
    batch = bodies(shape, 5, (0.24, 0.11, 0.055, 0.008))
    size = (20, 24)
    expected = gbuffer(batch, size, 0.1, silhouettes=True)
    with choice.use("wait"):
        found = gbuffer(batch, size, 0.1, silhouettes=True, first=surveying.survey)
    for name in ("opd", "path", "depth"):
        torch.testing.assert_close(
            getattr(found, name), getattr(expected, name), rtol=0, atol=1e-6, equal_nan=True
        )
    for name in ("instances", "visible_area", "inside_area", "full_area"):
        assert torch.equal(getattr(found, name), getattr(expected, name))
    assert found.silhouettes is not None
    assert expected.silhouettes is not None
    for mine, other in zip(found.silhouettes, expected.silhouettes, strict=True):
        assert owned(mine) == owned(other)


def owned(silhouette: Silhouette) -> set[tuple[int, int]]:
    """Pixels of a silhouette."""
    rows, columns = silhouette.pixels.nonzero()
    return set(
        zip((rows + silhouette.row).tolist(), (columns + silhouette.column).tolist(), strict=True)
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for compiled code."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def compiler(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Code kept in a folder of this test, and nothing chosen so far."""
    pytest.importorskip("numba")
    monkeypatch.setenv("OSOG_CACHE_DIR", str(cache))
    monkeypatch.setattr(choice, "_STATE", choice._State())
    monkeypatch.setattr(choice, "_FILES", {})
    return cache


def test_compiled_code_draws_the_same(compiler: Path) -> None:
    batch = bodies(SPHERE, 40, (0.4, 0.22, 0.11, 0.055, 0.02))
    compare(batch, "standard", None, 1e-12)


def test_threads_do_not_change_a_bit(compiler: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = bodies(SPHERE, 40, (0.4, 0.22, 0.11))
    weights = torch.randn(SLABS, SIDE, SIDE, dtype=batch.dtype)
    monkeypatch.setattr(drawing, "_BAND", 8)
    monkeypatch.setattr(drawing, "_PART", 7)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        with choice.use("wait"):
            found.append(slabs_and_gradients(batch, Raster(batch, plan()), weights))
    for a, b in zip(*found, strict=True):
        assert torch.equal(a, b)


def test_choice_is_kept_until_one_looks_again(
    compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSOG_COMPILED_LOOPS", "auto")
    monkeypatch.setenv("OSOG_CACHE_DIR", str(compiler / "other"))
    assert choice.loops_of(SPHERE, torch.float64) is None
    monkeypatch.setenv("OSOG_CACHE_DIR", str(compiler))
    monkeypatch.setattr(choice, "_FILES", {})
    choice.compile_now(SPHERE, torch.float64)
    assert choice.loops_of(SPHERE, torch.float64) is None
    with choice.settled():
        assert choice.loops_of(SPHERE, torch.float64) is None
        choice.look_again()
        assert choice.loops_of(SPHERE, torch.float64) is None
    assert choice.loops_of(SPHERE, torch.float64) is not None
    assert choice.compiled_shapes(torch.float64)["SphereGeometry"]
    # A set of images asks for the shapes in it, of those that can be compiled.
    assert choice.draws_compiled([SPHERE, RED_CELL], torch.float64)
    assert not choice.draws_compiled([SPHERE, ROD], torch.float64)
    assert not choice.draws_compiled([RED_CELL], torch.float64)
    assert choice.missing([SPHERE, ROD, RED_CELL], torch.float64) == [ROD]
    with choice.use("off"):
        assert choice.loops_of(SPHERE, torch.float64) is None


def test_unknown_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSOG_COMPILED_LOOPS", "fast")
    with pytest.raises(ValueError, match="'fast'; allowed are auto, wait and off"):
        choice.mode()


def test_what_costs_a_lot_is_compiled_in_the_background(
    compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSOG_COMPILED_LOOPS", "auto")
    monkeypatch.setenv("OSOG_CACHE_DIR", str(compiler / "empty"))
    started: list[list[str]] = []
    monkeypatch.setattr(choice.subprocess, "Popen", lambda command, **_: started.append(command))
    choice.note_time(ROD, torch.float32, 0.3)
    assert started == []
    choice.note_time(ROD, torch.float32, 0.3)
    choice.note_time(ROD, torch.float32, 0.3)
    assert [command[-1] for command in started] == ["RodGeometry:float32:cpu"]
