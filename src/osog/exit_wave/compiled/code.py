"""Lines of code for expressions of single numbers, and for their adjoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.exit_wave.compiled.expressions import COMPARISONS, Node

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def added(node: Node, value: str, begun: set[int], moving: Collection[int]) -> list[str]:
    """Line that adds to the gradient of a node, none where no derivative passes.

    Parameters
    ----------
    node : Node
    value : str
    begun : set of int
        Nodes that have a gradient so far; the node is put among them.
    moving : collection of int
        Nodes through which derivatives pass.
    """
    if node.number not in moving:
        return []
    sign = "+=" if node.number in begun else "="
    begun.add(node.number)
    return [f"g{node.number} {sign} {value}"]


def backward_lines(nodes: Sequence[Node], begun: set[int], moving: Collection[int]) -> list[str]:
    """Lines that pull the gradients of nodes back to their arguments; see `added`."""
    lines: list[str] = []
    for node in reversed(nodes):
        if node.number in moving and node.number in begun:
            for argument, value in pulled(node):
                lines += added(argument, value, begun, moving)
    return lines


def moves(node: Node, moving: Collection[int], fixed: Collection[str]) -> bool:
    """Whether a derivative passes through it: through none of the fixed inputs."""
    if node.operation == "input":
        return node.name not in fixed
    if node.logical or node.operation in {"constant", "sign", "stop"}:
        return False
    return any(a.number in moving for a in node.arguments)


def needed(results: Iterable[Node]) -> list[Node]:
    """Return the nodes that results rest on, arguments first."""
    found: dict[int, Node] = {}
    todo = list(results)
    while todo:
        node = todo.pop()
        if node.number not in found:
            found[node.number] = node
            todo.extend(node.arguments)
    return [found[k] for k in sorted(found)]


def name_of(node: Node) -> str:
    """Name of the variable that holds a node."""
    if node.operation == "input" and node.name in {"x0", "y0", "px0", "py0"}:
        return node.name[:-1]
    return f"c{node.number}" if node.operation == "constant" else f"n{node.number}"


def forward_lines(nodes: Sequence[Node]) -> list[str]:
    """Lines that give nodes their values; inputs other than numbers of a particle have theirs."""
    lines = []
    for node in nodes:
        if node.operation == "input":
            if node.name[0] in "qs":
                lines.append(f"{name_of(node)} = {node.name[0]}[{node.name[1:]}]")
            continue
        lines.append(f"{name_of(node)} = {_value(node)}")
    return lines


def _value(node: Node) -> str:
    a = [name_of(argument) for argument in node.arguments]
    operation = node.operation
    if operation in _INFIX:
        return f"{a[0]} {_INFIX[operation]} {a[1]}"
    if operation in COMPARISONS:
        return f"{a[0]} {COMPARISONS[operation]} {a[1]}"
    return {
        "neg": "-{0}",
        "not": "not {0}",
        "and": "{0} and {1}",
        "or": "{0} or {1}",
        "abs": "abs({0})",
        "sqrt": "sqrt({0})",
        "max": "max({0}, {1})",
        "min": "min({0}, {1})",
        "at_least": "max({0}, {1})",
        "at_most": "min({0}, {1})",
        "where": "{1} if {0} else {2}",
        "copysign": "copysign({0}, {1})",
        "sign": "copysign(REAL(1), {0}) if {0} != REAL(0) else REAL(0)",
        "stop": "{0}",
    }[operation].format(*a)


def pulled(node: Node) -> list[tuple[Node, str]]:
    """What a gradient in a node adds to those in its arguments."""
    arguments, operation, g = node.arguments, node.operation, f"g{node.number}"
    a = [name_of(argument) for argument in arguments]
    if operation in {"input", "copysign"}:  # the sign of a fixed number
        return []
    rules = {
        "add": ("{g}", "{g}"),
        "sub": ("{g}", "-{g}"),
        "mul": ("{g} * {1}", "{g} * {0}"),
        "div": ("{g} / {1}", "-{g} * {n} / {1}"),
        "neg": ("-{g}",),
        "abs": ("({g} if {0} > REAL(0) else (-{g} if {0} < REAL(0) else REAL(0)))",),
        "sqrt": ("REAL(0.5) * {g} / max({n}, TINY)",),
        "max": (
            "({g} if {0} > {1} else (REAL(0.5) * {g} if {0} == {1} else REAL(0)))",
            "({g} if {1} > {0} else (REAL(0.5) * {g} if {0} == {1} else REAL(0)))",
        ),
        "min": (
            "({g} if {0} < {1} else (REAL(0.5) * {g} if {0} == {1} else REAL(0)))",
            "({g} if {1} < {0} else (REAL(0.5) * {g} if {0} == {1} else REAL(0)))",
        ),
        "at_least": (
            "({g} if {0} >= {1} else REAL(0))",
            "({g} if {0} < {1} else REAL(0))",
        ),
        "at_most": (
            "({g} if {0} <= {1} else REAL(0))",
            "({g} if {0} > {1} else REAL(0))",
        ),
        "where": ("", "({g} if {0} else REAL(0))", "(REAL(0) if {0} else {g})"),
    }[operation]
    pairs = zip(arguments, rules, strict=True)
    return [(argument, rule.format(*a, g=g, n=name_of(node))) for argument, rule in pairs if rule]


__all__ = ["added", "backward_lines", "forward_lines", "moves", "name_of", "needed", "pulled"]
