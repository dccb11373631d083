"""Triton's language in torch, as far as the kernels of the engine use it, to run them anywhere.

One program after another runs as plain Python on tiles that are tensors. Triton itself is no part
of the environment of the tests: imported beside Mesa, which has an LLVM of its own, it may crash.
"""

from __future__ import annotations

import ast
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor

_program: list[int] = [0, 0]


class Pointer:
    """Places in a tensor, which is looked at as one row of numbers."""

    def __init__(self, flat: Tensor, place: Any = 0) -> None:
        self.flat, self.place = flat, place

    def __add__(self, step: Any) -> Pointer:
        return Pointer(self.flat, self.place + step)

    __radd__ = __add__

    def at(self, mask: Any = None) -> Tensor:
        """Numbers of the places, 0 where the mask forbids them."""
        place = torch.as_tensor(self.place, dtype=torch.int64)
        place = place if mask is None else torch.where(mask, place, 0)
        assert int(place.min()) >= 0 and int(place.max()) < len(self.flat), "outside of a tensor"
        return place


class _Kernel:
    """A function that is called by others, or launched on a grid of programs."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.function(*arguments, **named)

    def __getitem__(self, grid: tuple[int, ...]) -> Any:
        def launch(*arguments: Any, num_warps: int, **named: Any) -> None:
            given = [
                Pointer(a.view(-1)) if isinstance(a, Tensor) else torch.tensor(a) for a in arguments
            ]
            assert all(number < 2**16 for number in grid[1:]), "more than a GPU takes"
            for numbers in product(*map(range, grid)):
                _program[: len(numbers)] = numbers
                self.function(*given, **named)

        return launch


def _jit(function: Any = None, **_: Any) -> Any:
    return _Kernel if function is None else _Kernel(function)


def _pair(operation: Any) -> Any:
    return lambda a, b: operation(torch.as_tensor(a), torch.as_tensor(b))


def _load(pointer: Pointer, mask: Any = None, other: float = 0.0) -> Tensor:
    found = pointer.flat[pointer.at(mask)]
    return found if mask is None else torch.where(mask, found, other)


def _store(pointer: Pointer, value: Any) -> None:
    pointer.flat[pointer.at()] = torch.as_tensor(value, dtype=pointer.flat.dtype)


def _atomic_add(pointer: Pointer, value: Tensor, mask: Any = None, sem: str = "") -> None:
    place = pointer.at(mask)
    if mask is not None:
        place, value = place[mask], value[mask]
    pointer.flat.index_add_(0, place.reshape(-1), value.reshape(-1))


def _where(condition: Any, one: Any, other: Any) -> Tensor:
    return torch.where(torch.as_tensor(condition), one, other)


LANGUAGE = SimpleNamespace(
    **{name: getattr(torch, name) for name in ("float32", "float64", "int32", "int64")},
    **{name: getattr(torch, name) for name in ("abs", "sqrt", "floor", "ceil", "zeros_like")},
    constexpr=None,
    arange=torch.arange,
    zeros=lambda shape, kind: torch.zeros(shape, dtype=kind),
    full=lambda shape, value, kind: torch.full(shape, value, dtype=kind),
    maximum=_pair(torch.maximum),
    minimum=_pair(torch.minimum),
    where=_where,
    sum=lambda tile, axis: torch.as_tensor(tile).sum(axis),
    max=lambda tile, axis: tile.amax(axis),
    min=lambda tile, axis: tile.amin(axis),
    load=_load,
    store=_store,
    atomic_add=_atomic_add,
    static_range=range,
    program_id=lambda axis: torch.tensor(_program[axis]),
)


class _Values(ast.NodeTransformer):
    """Tiles are values: nothing changes them in place."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.Assign:
        """Turn ``a += b`` into ``a = a + b``."""
        read = ast.Name(node.target.id, ast.Load())  # type: ignore[union-attr]
        return ast.Assign([node.target], ast.BinOp(read, node.op, node.value))


def interpreted(source: str) -> ModuleType:
    """Make the module of kernels that a source describes."""
    text = source.replace("import triton\nimport triton.language as tl\n", "")
    assert text != source
    module = ModuleType("kernels")
    module.__dict__.update(triton=SimpleNamespace(jit=_jit), tl=LANGUAGE)
    tree = ast.fix_missing_locations(_Values().visit(ast.parse(text)))
    exec(compile(tree, "kernels", "exec"), module.__dict__)
    return module
