"""Source of the loops that draw one shape, written from its formulas.

The arithmetic of a line of sight falls into what holds for a particle, for a row of samples and for
one sample. Its adjoint is written backward through the same three parts, so that a sum over samples
is all that passes from one to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from osog.exit_wave.compiled.expressions import COMPARISONS, Formulas, Node, Symbolic
from osog.exit_wave.compiled.loops import LOOPS
from osog.geometry.shape import Bodies

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from osog.geometry import Shape

_PARTICLE, _ROW, _SAMPLE = range(3)
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def loop_source(shape: Shape, dtype: torch.dtype) -> str:
    """Source of a module that deposits a shape, see `loops`.

    Parameters
    ----------
    shape : Shape
        One whose ``arithmetic`` is true.
    dtype : torch.dtype
        float32 or float64.
    """
    reading = _Reading(shape, dtype)
    real = "float32" if dtype == torch.float32 else "float64"
    head, loops = LOOPS.split("# FORMULAS\n")
    parts = [
        head + reading.constants(),
        reading.particle(),
        reading.row(),
        reading.row_adjoint(),
        reading.particle_adjoint(),
        loops,
    ]
    return "\n\n".join(parts).replace("REAL", real).replace("PIECES", str(shape.intervals))


class _Reading:
    """The formulas of one shape, sorted by what they depend on."""

    def __init__(self, shape: Shape, dtype: torch.dtype) -> None:
        formulas = Formulas()

        def inputs(name: str, *shape: int) -> Symbolic:
            return Symbolic.inputs(formulas, name, shape, dtype)

        x, y = inputs("x", 1, 1, 1), inputs("y", 1, 1, 1)
        pitch: Any = (inputs("py"), inputs("px"))
        bodies: Any = Bodies(inputs("q", 1, 4), inputs("s", 1, shape.size_columns))  # type: ignore[arg-type]
        half, middle, _ = shape.path(x, y, bodies, pitch)  # type: ignore[arg-type]
        assert isinstance(half, Symbolic)
        zero = formulas.constant(0.0)
        self.half: list[Node] = list(half.nodes.ravel())
        self.middle: list[Node] = (
            list(middle.nodes.ravel()) if isinstance(middle, Symbolic) else [zero] * len(self.half)
        )
        self.order: list[Node] = _needed([*self.half, *self.middle])
        self.known: dict[int, Node] = {node.number: node for node in self.order}
        self._tier: dict[int, int] = {}
        self._moving: set[int] = set()
        for node in self.order:
            self._tier[node.number] = max(
                [_own_tier(node)] + [self._tier[a.number] for a in node.arguments]
            )
            if _moves(node, self._moving):
                self._moving.add(node.number)
        kept: dict[int, None] = {}
        for node in self.order:
            if self._tier[node.number] > _PARTICLE:
                for a in node.arguments:
                    if self._tier[a.number] == _PARTICLE and a.operation != "constant":
                        kept[a.number] = None
        for node in (*self.half, *self.middle):
            if self._tier[node.number] == _PARTICLE and node.operation != "constant":
                kept[node.number] = None
        self.kept: list[int] = list(kept)

    def constants(self) -> str:
        """Fixed numbers, in the precision of the loops, and how many numbers a particle keeps."""
        lines = [f"KEPT = {max(1, len(self.kept))}"]
        lines += [
            f"{_name(n)} = REAL({n.value!r})" if n.value == n.value else ""
            for n in self.order
            if n.operation == "constant"
        ]
        return "\n".join(lines).replace("= inf", "= np.inf") + "\n"

    def _of(self, tier: int) -> list[Node]:
        return [n for n in self.order if self._tier[n.number] == tier and n.operation != "constant"]

    def particle(self) -> str:
        """Give the function that fills what a particle keeps."""
        lines = ["@compiled", "def _particle(q, s, py, px, kept):"]
        lines += [f"    {line}" for line in _forward(self._of(_PARTICLE))]
        lines += [f"    kept[{k}] = {_name(self.known[n])}" for k, n in enumerate(self.kept)]
        return "\n".join([*lines, "    return"])

    def row(self) -> str:
        """Give the function for half paths, and those times their middles, along one row."""
        lines = ["@compiled", "def _row(x0, step, y, kept, mixed, line, begin, end):"]
        lines += self._unpacked()
        lines += [f"    {line}" for line in _forward(self._of(_ROW))]
        lines += self._lines("half", "product")
        lines += ["    one = REAL(1) - mixed", "    for i in range(half0.shape[0]):"]
        lines += ["        x = x0 + REAL(i) * step"]
        lines += [f"        {line}" for line in _forward(self._of(_SAMPLE))]
        for k, (half, middle) in enumerate(zip(self.half, self.middle, strict=True)):
            lines.append(f"        half{k}[i] = {_name(half)}")
            lead = f"(one + mixed * {_name(half)})"
            lines.append(f"        product{k}[i] = {lead} * {_name(middle)}")
        return "\n".join(lines)

    def row_adjoint(self) -> str:
        """Give the function that pulls back what `_row` gives."""
        lines = [
            "@compiled",
            "def _row_adjoint(x0, step, y, kept, mixed, line, begin, end, to_kept, to):",
        ]
        lines += self._unpacked()
        row, sample = self._of(_ROW), self._of(_SAMPLE)
        lines += [f"    {line}" for line in _forward(row)]
        sums = [number for number in self.kept if number in self._moving]
        sums += [n.number for n in row if n.number in self._moving]
        lines += [f"    g{number} = REAL(0)" for number in sums]
        lines += self._lines("to_half", "to_product")
        lines += ["    one = REAL(1) - mixed", "    for i in range(to_half0.shape[0]):"]
        lines += ["        x = x0 + REAL(i) * step"]
        lines += [f"        {line}" for line in _forward(sample)]
        begun = set(sums)
        body: list[str] = []
        for k, (half, middle) in enumerate(zip(self.half, self.middle, strict=True)):
            body.append(f"h{k} = to_half{k}[i]")
            body.append(f"p{k} = to_product{k}[i]")
            value = f"h{k} + p{k} * mixed * {_name(middle)}"
            body += self._added(half, value, begun)
            body += self._added(middle, f"p{k} * (one + mixed * {_name(half)})", begun)
        body += self._backward(sample, begun)
        lines += [f"        {line}" for line in body]
        x = [n for n in sample if n.name == "x0" and n.number in begun]
        # The place of a sample moves against that of the particle.
        lines += [f"        to[0] -= g{n.number}" for n in x]
        lines += [f"    {line}" for line in self._backward(row, begun)]
        y = [n for n in row if n.name == "y0" and n.number in begun]
        lines += [f"    to[1] -= g{n.number}" for n in y]
        for k, number in enumerate(self.kept):
            if number in self._moving:
                lines.append(f"    to_kept[{k}] += g{number}")
        return "\n".join([*lines, "    return"])

    def particle_adjoint(self) -> str:
        """Give the function that pulls back to the quaternion and the size."""
        lines = ["@compiled", "def _particle_adjoint(q, s, py, px, to_kept, to_q, to_s):"]
        particle = self._of(_PARTICLE)
        lines += [f"    {line}" for line in _forward(particle)]
        begun: set[int] = set()
        for k, number in enumerate(self.kept):
            if number in self._moving:
                lines.append(f"    g{number} = to_kept[{k}]")
                begun.add(number)
        lines += [f"    {line}" for line in self._backward(particle, begun)]
        for node in particle:
            if node.operation == "input" and node.number in begun:
                lines.append(f"    to_{node.name[0]}[{node.name[1:]}] += g{node.number}")
        return "\n".join([*lines, "    return"])

    def _lines(self, *names: str) -> list[str]:
        """One contiguous row for each piece, without which loops are not vectorised."""
        return [
            f"    {name}{k} = line[{row}, {k}, begin:end]"
            for row, name in enumerate(names)
            for k in range(len(self.half))
        ]

    def _unpacked(self) -> list[str]:
        return [f"    {_name(self.known[n])} = kept[{k}]" for k, n in enumerate(self.kept)]

    def _added(self, node: Node, value: str, begun: set[int]) -> list[str]:
        """Add to the gradient of a node."""
        if node.number not in self._moving:
            return []
        sign = "+=" if node.number in begun else "="
        begun.add(node.number)
        return [f"g{node.number} {sign} {value}"]

    def _backward(self, nodes: Sequence[Node], begun: set[int]) -> list[str]:
        lines: list[str] = []
        for node in reversed(nodes):
            if node.number not in self._moving or node.number not in begun:
                continue
            for argument, value in _pulled(node):
                lines += self._added(argument, value, begun)
        return lines


def _own_tier(node: Node) -> int:
    if node.operation == "input":
        return {"x0": _SAMPLE, "y0": _ROW}.get(node.name, _PARTICLE)
    return _PARTICLE


def _moves(node: Node, moving: set[int]) -> bool:
    """Whether a derivative passes through it."""
    if node.operation == "input":
        return node.name not in {"px0", "py0"}
    if node.logical or node.operation in {"constant", "sign", "stop"}:
        return False
    return any(a.number in moving for a in node.arguments)


def _needed(results: Iterable[Node]) -> list[Node]:
    """Return the nodes that results rest on, arguments first."""
    found: dict[int, Node] = {}
    todo = list(results)
    while todo:
        node = todo.pop()
        if node.number not in found:
            found[node.number] = node
            todo.extend(node.arguments)
    return [found[k] for k in sorted(found)]


def _name(node: Node) -> str:
    if node.operation == "input" and node.name in {"x0", "y0", "px0", "py0"}:
        return node.name[:-1]
    return f"c{node.number}" if node.operation == "constant" else f"n{node.number}"


def _forward(nodes: Sequence[Node]) -> list[str]:
    lines = []
    for node in nodes:
        if node.operation == "input":
            if node.name[0] in "qs":
                lines.append(f"{_name(node)} = {node.name[0]}[{node.name[1:]}]")
            continue
        lines.append(f"{_name(node)} = {_value(node)}")
    return lines


def _value(node: Node) -> str:
    a = [_name(argument) for argument in node.arguments]
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


def _pulled(node: Node) -> list[tuple[Node, str]]:
    """What a gradient in a node adds to those in its arguments."""
    arguments, operation, g = node.arguments, node.operation, f"g{node.number}"
    a = [_name(argument) for argument in arguments]
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
    return [(argument, rule.format(*a, g=g, n=_name(node))) for argument, rule in pairs if rule]


__all__ = ["loop_source"]
