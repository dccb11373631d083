"""Lines of code for expressions of single numbers, and for their adjoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osog.exit_wave.compiled.expressions import COMPARISONS, Node

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@dataclass(frozen=True)
class Dialect:
    """How a language that compiles Python writes what is not plain arithmetic.

    Attributes
    ----------
    functions : dict of str
        Templates by operation, with places for the arguments.
    loaded : str
        Template for the k-th number of an array: places for array and k.
    fixed : str
        Template for a fixed number.
    inlined : str
        Decorator of functions that become part of those that call them.
    helpers : tuple of str
        Lines at the head of every function.
    """

    functions: dict[str, str] = field(default_factory=dict)
    loaded: str = "{0}[{1}]"
    fixed: str = "REAL({0!r})"
    inlined: str = "@inlined"
    helpers: tuple[str, ...] = ()

    def write(self, operation: str, *arguments: str) -> str:
        """Return the expression of an operation."""
        return self.functions[operation].format(*arguments)


SCALAR = Dialect(
    {
        "not": "not {0}",
        "and": "{0} and {1}",
        "or": "{0} or {1}",
        "abs": "abs({0})",
        "sqrt": "sqrt({0})",
        "max": "max({0}, {1})",
        "min": "min({0}, {1})",
        "where": "{1} if {0} else {2}",
        "copysign": "copysign({0}, {1})",
        "sign": "copysign(REAL(1), {0}) if {0} != REAL(0) else REAL(0)",
    }
)
"""One number at a time, as Numba takes it."""


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


def backward_lines(
    nodes: Sequence[Node], begun: set[int], moving: Collection[int], dialect: Dialect = SCALAR
) -> list[str]:
    """Lines that pull the gradients of nodes back to their arguments; see `added`."""
    lines: list[str] = []
    for node in reversed(nodes):
        if node.number in moving and node.number in begun:
            for argument, value in pulled(node, dialect):
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


def constant_lines(nodes: Iterable[Node], dialect: Dialect = SCALAR) -> list[str]:
    """Lines that name the fixed numbers among nodes."""
    constants = [n for n in nodes if n.operation == "constant"]
    return [f"{name_of(n)} = {dialect.fixed.format(n.value)}" for n in constants]


def forward_lines(nodes: Sequence[Node], dialect: Dialect = SCALAR) -> list[str]:
    """Lines that give nodes their values; inputs other than numbers of a particle have theirs."""
    lines = []
    for node in nodes:
        if node.operation == "input":
            if node.name[0] in "qs":
                lines.append(
                    f"{name_of(node)} = {dialect.loaded.format(node.name[0], node.name[1:])}"
                )
            continue
        lines.append(f"{name_of(node)} = {_value(node, dialect)}")
    return lines


def _value(node: Node, dialect: Dialect) -> str:
    a = [name_of(argument) for argument in node.arguments]
    operation = node.operation
    if operation in _INFIX:
        return f"{a[0]} {_INFIX[operation]} {a[1]}"
    if operation in COMPARISONS:
        return f"{a[0]} {COMPARISONS[operation]} {a[1]}"
    if operation == "neg":
        return f"-{a[0]}"
    if operation == "stop":
        return a[0]
    return dialect.write({"at_least": "max", "at_most": "min"}.get(operation, operation), *a)


def pulled(node: Node, dialect: Dialect = SCALAR) -> list[tuple[Node, str]]:
    """What a gradient in a node adds to those in its arguments."""
    arguments, operation, g = node.arguments, node.operation, f"g{node.number}"
    a = [name_of(argument) for argument in arguments]
    if operation in {"input", "copysign"}:  # the sign of a fixed number
        return []

    def chosen(condition: str, one: str, other: str) -> str:
        return f"({dialect.write('where', condition, one, other)})"

    zero, half = "REAL(0)", "REAL(0.5) * {g}"
    greatest = dialect.write("max", "{n}", "TINY")
    rules = {
        "add": ("{g}", "{g}"),
        "sub": ("{g}", "-{g}"),
        "mul": ("{g} * {1}", "{g} * {0}"),
        "div": ("{g} / {1}", "-{g} * {n} / {1}"),
        "neg": ("-{g}",),
        "abs": (chosen("{0} > REAL(0)", "{g}", chosen("{0} < REAL(0)", "-{g}", zero)),),
        "sqrt": (f"{half} / {greatest}",),
        "max": (
            chosen("{0} > {1}", "{g}", chosen("{0} == {1}", half, zero)),
            chosen("{1} > {0}", "{g}", chosen("{0} == {1}", half, zero)),
        ),
        "min": (
            chosen("{0} < {1}", "{g}", chosen("{0} == {1}", half, zero)),
            chosen("{1} < {0}", "{g}", chosen("{0} == {1}", half, zero)),
        ),
        "at_least": (chosen("{0} >= {1}", "{g}", zero), chosen("{0} < {1}", "{g}", zero)),
        "at_most": (chosen("{0} <= {1}", "{g}", zero), chosen("{0} > {1}", "{g}", zero)),
        "where": ("", chosen("{0}", "{g}", zero), chosen("{0}", zero, "{g}")),
    }[operation]
    pairs = zip(arguments, rules, strict=True)
    return [(argument, rule.format(*a, g=g, n=name_of(node))) for argument, rule in pairs if rule]


__all__ = [
    "SCALAR",
    "Dialect",
    "added",
    "backward_lines",
    "constant_lines",
    "forward_lines",
    "moves",
    "name_of",
    "needed",
    "pulled",
]
