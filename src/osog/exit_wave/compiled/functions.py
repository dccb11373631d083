"""Source of functions of single numbers, and of their adjoints, from torch code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.exit_wave.compiled.expressions import Formulas, Symbolic
from osog.exit_wave.compiled.source import added, forward_lines, moves, name_of, needed, pulled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch


def function_source(
    name: str,
    inputs: Sequence[str],
    fixed: Sequence[str],
    formula: Callable[..., Sequence[Symbolic]],
    dtype: torch.dtype,
) -> str:
    """Source of ``name`` and ``name_adjoint``.

    Parameters
    ----------
    name : str
        The function takes the inputs, then what is fixed, and returns the results. The adjoint
        takes the gradients in the results besides, and returns those in the inputs.
    inputs, fixed : sequence of str
    formula : callable
        From as many symbols to results.
    dtype : torch.dtype
    """
    formulas = Formulas()
    names = [*inputs, *fixed]
    symbols = [Symbolic.inputs(formulas, f"{n}_", (), dtype) for n in names]
    results = [r.nodes.item() for r in formula(*symbols)]
    order = needed([*results, *(s.nodes.item() for s in symbols)])
    still = {f"{n}_0" for n in fixed}
    moving: set[int] = set()
    for node in order:
        if moves(node, moving, still):
            moving.add(node.number)
    body = [f"    {line}" for line in forward_lines([n for n in order if n.operation != "input"])]
    given = [f"    {name_of(s.nodes.item())} = {n}" for n, s in zip(names, symbols, strict=True)]
    constants = [
        f"    {name_of(n)} = REAL({n.value!r})" for n in order if n.operation == "constant"
    ]
    plain = [n for n in body if " = constant" not in n]
    answer = ", ".join(name_of(r) for r in results)
    lines = ["@compiled", f"def {name}({', '.join(names)}):", *given, *constants, *plain]
    lines.append(f"    return {answer}")
    gradients = [f"to{k}" for k in range(len(results))]
    lines += ["", "", "@compiled", f"def {name}_adjoint({', '.join([*names, *gradients])}):"]
    lines += [*given, *constants, *plain]
    begun: set[int] = set()
    back: list[str] = []
    for result, gradient in zip(results, gradients, strict=True):
        back += added(result, gradient, begun, moving)
    for node in reversed(order):
        if node.number in moving and node.number in begun:
            for argument, value in pulled(node):
                back += added(argument, value, begun, moving)
    wanted = [s.nodes.item() for s in symbols[: len(inputs)]]
    back += [f"g{n.number} = REAL(0)" for n in wanted if n.number not in begun]
    lines += [f"    {line}" for line in back]
    lines.append(f"    return {', '.join(f'g{n.number}' for n in wanted)}")
    return "\n".join(lines)


__all__ = ["function_source"]
