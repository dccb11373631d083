"""Source of functions of single numbers, and of their adjoints, from torch code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.exit_wave.compiled.code import (
    SCALAR,
    Dialect,
    added,
    backward_lines,
    constant_lines,
    forward_lines,
    moves,
    name_of,
    needed,
)
from osog.exit_wave.compiled.expressions import Formulas, Symbolic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch


def function_source(
    name: str,
    inputs: Sequence[str],
    fixed: Sequence[str],
    formula: Callable[..., Sequence[Any]],
    dtype: torch.dtype,
    dialect: Dialect = SCALAR,
) -> str:
    """Source of ``name`` and ``name_adjoint``.

    Parameters
    ----------
    name : str
        The function takes the inputs, then what is fixed, and returns a tuple of results. The
        adjoint takes the gradients in the results besides, and returns a tuple of those in the
        inputs; there is none without inputs.
    inputs, fixed : sequence of str
    formula : callable
        From as many symbols, in place of tensors, to results.
    dtype : torch.dtype
    dialect : Dialect, optional
    """
    formulas = Formulas()
    names = [*inputs, *fixed]
    symbols = [Symbolic.inputs(formulas, f"{n}_", (), dtype) for n in names]
    results = [result.nodes.item() for result in formula(*symbols)]
    nodes = [s.nodes.item() for s in symbols]
    order = needed([*results, *nodes])
    still = {f"{n}_0" for n in fixed}
    moving: set[int] = set()
    for node in order:
        if moves(node, moving, still):
            moving.add(node.number)
    value = [f"{name_of(node)} = {n}" for n, node in zip(names, nodes, strict=True)]
    value += constant_lines(order, dialect)
    value += forward_lines([n for n in order if n.operation not in {"input", "constant"}], dialect)

    both = [function(name, names, value, [name_of(r) for r in results], dialect)]
    if inputs:
        gradients = [f"to{k}" for k in range(len(results))]
        begun: set[int] = set()
        back: list[str] = []
        for result, gradient in zip(results, gradients, strict=True):
            back += added(result, gradient, begun, moving)
        back += backward_lines(order, begun, moving, dialect)
        wanted = nodes[: len(inputs)]
        back += [f"g{n.number} = REAL(0)" for n in wanted if n.number not in begun]
        answer = [f"g{n.number}" for n in wanted]
        both.append(
            function(f"{name}_adjoint", [*names, *gradients], value + back, answer, dialect)
        )
    return "\n\n\n".join(both)


def function(
    name: str, names: Sequence[str], body: Sequence[str], answer: Sequence[str], dialect: Dialect
) -> str:
    """Source of a function that returns a tuple."""
    lines = [dialect.inlined, f"def {name}({', '.join(names)}):"]
    lines += [f"    {line}" for line in (*dialect.helpers, *body)]
    return "\n".join([*lines, f"    return ({', '.join(answer)},)"])


__all__ = ["function", "function_source"]
