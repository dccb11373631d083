"""Source of functions of single numbers, and of their adjoints, from torch code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.exit_wave.compiled.code import (
    added,
    backward_lines,
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
    value += [f"{name_of(n)} = REAL({n.value!r})" for n in order if n.operation == "constant"]
    value += forward_lines([n for n in order if n.operation not in {"input", "constant"}])

    both = [_function(name, names, value, [name_of(r) for r in results])]
    if inputs:
        gradients = [f"to{k}" for k in range(len(results))]
        begun: set[int] = set()
        back: list[str] = []
        for result, gradient in zip(results, gradients, strict=True):
            back += added(result, gradient, begun, moving)
        back += backward_lines(order, begun, moving)
        wanted = nodes[: len(inputs)]
        back += [f"g{n.number} = REAL(0)" for n in wanted if n.number not in begun]
        answer = [f"g{n.number}" for n in wanted]
        both.append(_function(f"{name}_adjoint", [*names, *gradients], value + back, answer))
    return "\n\n\n".join(both)


def _function(name: str, names: Sequence[str], body: Sequence[str], answer: Sequence[str]) -> str:
    lines = ["@inlined", f"def {name}({', '.join(names)}):", *(f"    {line}" for line in body)]
    return "\n".join([*lines, f"    return ({', '.join(answer)},)"])


__all__ = ["function_source"]
