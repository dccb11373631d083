"""Kernels of a GPU against torch, run on the processor as plain Python."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch

from exit_wave.test_compiled_loops import SHAPES, bodies, slabs_and_gradients
from helpers.tiles import interpreted
from osog.exit_wave import deposit, raster
from osog.exit_wave.compiled import choice, drawing
from osog.exit_wave.compiled.gpu_source import kernel_source
from osog.exit_wave.raster import Raster
from osog.geometry import BOX, CYLINDER, ELLIPSOID, POLYHEDRON, ROD, SPHERE, TUBE, VESICLE

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from osog.geometry import Shape

SLABS, SIDE = 5, 16


def plan() -> Any:
    """A small grid."""
    return SimpleNamespace(
        pitch_um=(0.1, 0.1003), corner_um=(-0.4, -0.3), grid_shape=(SIDE, SIDE), slab_um=0.3,
        first_slab=-2, slabs=SLABS, accuracy="standard",
    )  # fmt: skip


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw by kernels on the processor, as if it were a GPU."""

    def found(shape: Shape, dtype: torch.dtype, device: str) -> ModuleType | None:
        return None if choice.mode() == "off" else interpreted(kernel_source(shape, dtype))

    for module in (drawing, raster):
        monkeypatch.setattr(module, "loops_of", found)
    for module in (drawing, raster, deposit):
        monkeypatch.setattr(module, "on_gpu", lambda device: True)


CASES = {
    SPHERE: (0.4, 0.11, 0.22), ELLIPSOID: (0.106, 0.3), ROD: (0.213,), CYLINDER: (0.213,),
    BOX: (0.005, 0.11), TUBE: (0.25,), VESICLE: (0.3, 0.12), POLYHEDRON: (0.225,),
}  # fmt: skip
"""Widths in µm: thick ones, some between two levels of sub-samples, and a speck."""


@pytest.mark.parametrize("shape", CASES, ids=repr)
def test_kernels_are_the_formulas(shape: Shape, kernels: None) -> None:
    batch = bodies(shape, len(CASES[shape]), CASES[shape])
    batch = batch.moved(batch.position * 0.4, batch.quaternion, batch.size, batch.planes)
    drawn = Raster(batch, plan(), torch.arange(len(batch)) == 1)
    weights = torch.randn(SLABS, SIDE, SIDE, dtype=batch.dtype)
    with choice.use("off"):
        expected = slabs_and_gradients(batch, drawn, weights)
    with choice.use("wait"):
        found = slabs_and_gradients(batch, drawn, weights)
    assert drawn.kept["drawings"][1].compiled and not drawn.kept["drawings"][1].rest
    assert float(expected[0].abs().sum()) > 0
    for a, b in zip(expected, found, strict=True):
        assert float((a - b).norm()) <= 1e-11 * max(float(a.norm()), 1e-9)


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_every_name_in_the_kernels_is_known(shape: Shape) -> None:
    tree = ast.parse(kernel_source(shape, torch.float32))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    outside = {node.name for node in functions} | {"torch", "triton", "tl", "len", "range"}
    outside |= {"SIDE", "WARPS", "COUNTS"}
    for function in functions:
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        stored |= {a.arg for a in function.args.args}
        read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        assert read <= stored | outside, function.name


def test_nothing_is_compiled_for_other_devices() -> None:
    assert choice.TARGETS == {"cpu": "numba", "cuda": "triton"}
    assert not choice.available("mps")
    with choice.use("wait"):
        assert choice.loops_of(SPHERE, torch.float32, "mps") is None
