"""Source of the loops that draw one shape, written from its formulas.

The arithmetic of a line of sight falls into what holds for a particle, for a row of samples and for
one sample. Its adjoint is written backward through the same three parts, so that a sum over samples
is all that passes from one to the next.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.exit_wave.compiled.code import (
    added,
    backward_lines,
    forward_lines,
    moves,
    name_of,
    needed,
)
from osog.exit_wave.compiled.expressions import Formulas, Node, Symbolic
from osog.exit_wave.compiled.loops import LEVEL, LOOPS, SURVEY
from osog.exit_wave.compiled.wall_loops import wall_source
from osog.geometry.shape import Bodies
from osog.rotations import rotation_written_out

if TYPE_CHECKING:
    from osog.geometry import Shape

PARTICLE, ROW, SAMPLE = range(3)
_SIZES = """@compiled
def {0}_kept_numbers(columns):
    return {1}


@compiled
def {0}_room(columns):
    return 0


"""
"""How many numbers a particle keeps, and how many its rows need besides."""
_MARK = "  # of silhouettes"
_PITCH = frozenset({"px0", "py0"})


def loop_source(shape: Shape, dtype: torch.dtype) -> str:
    """Source of a module that deposits a shape, see `loops`.

    Parameters
    ----------
    shape : Shape
        One that is ``compilable``.
    dtype : torch.dtype
        float32 or float64.
    """
    real = "float32" if dtype == torch.float32 else "float64"
    head, loops = LOOPS.split("# FORMULAS\n")
    plain = "\n".join(line for line in LEVEL.splitlines() if not line.endswith(_MARK))
    if shape.walled:
        parts = [head, wall_source(dtype), loops.replace("# LEVEL", plain)]
    else:
        seen = Reading(shape, dtype, silhouettes=True)
        own = LEVEL.replace(_MARK, "").replace("_level(", "_seen_level(")
        parts = [head, *Reading(shape, dtype).parts(), *seen.parts()]
        parts += [loops.replace("# LEVEL", f"{plain}\n\n\n{own.replace('_row(', '_seen_row(')}")]
        parts += [SURVEY]
    return "\n\n".join(parts).replace("REAL", real).replace("PIECES", str(shape.intervals))


class _BodiesRead(Bodies):
    """Bodies of symbols, whose rotation is written down number by number."""

    @cached_property
    def rotation(self) -> Tensor:
        """Rotation matrices (n, 3, 3)."""
        return rotation_written_out(self.quaternion)


class Reading:
    """The formulas of one shape, sorted by what they depend on.

    Parameters
    ----------
    shape : Shape
    dtype : torch.dtype
    silhouettes : bool
        Whether coverages are asked for, in place of gradients.

    Attributes
    ----------
    half, middle : list of Node
        Half path and middle of every piece of a line of sight.
    covered : list of Node
        Share of the pixel that the silhouette covers, where silhouettes are asked for.
    order : list of Node
        All nodes, arguments first.
    kept : list of int
        Numbers of nodes that a particle keeps for its samples.
    moving : set of int
        Nodes through which derivatives pass.
    """

    def __init__(self, shape: Shape, dtype: torch.dtype, *, silhouettes: bool = False) -> None:
        formulas = Formulas()
        self._prefix = "_seen" if silhouettes else ""

        def inputs(name: str, *shape: int) -> Symbolic:
            return Symbolic.inputs(formulas, name, shape, dtype)

        x, y = inputs("x", 1, 1, 1), inputs("y", 1, 1, 1)
        pitch: Any = (inputs("py"), inputs("px"))
        bodies: Any = _BodiesRead(inputs("q", 1, 4), inputs("s", 1, shape.size_columns))  # type: ignore[arg-type]
        half, middle, covered = shape.path(x, y, bodies, pitch)  # type: ignore[arg-type]
        assert isinstance(half, Symbolic)
        assert isinstance(covered, Symbolic)
        zero = formulas.constant(0.0)
        self.half: list[Node] = list(half.nodes.ravel())
        self.middle: list[Node] = (
            list(middle.nodes.ravel()) if isinstance(middle, Symbolic) else [zero] * len(self.half)
        )
        self.covered: list[Node] = list(covered.nodes.ravel()) if silhouettes else []
        results = [*self.half, *self.middle, *self.covered]
        self.order: list[Node] = needed(results)
        self.known: dict[int, Node] = {node.number: node for node in self.order}
        self._tier: dict[int, int] = {}
        self.moving: set[int] = set()
        for node in self.order:
            self._tier[node.number] = max(
                [_own_tier(node)] + [self._tier[a.number] for a in node.arguments]
            )
            if moves(node, self.moving, _PITCH):
                self.moving.add(node.number)
        kept: dict[int, None] = {}
        for node in self.order:
            if self._tier[node.number] > PARTICLE:
                for a in node.arguments:
                    if self._tier[a.number] == PARTICLE and a.operation != "constant":
                        kept[a.number] = None
        for node in results:
            if self._tier[node.number] == PARTICLE and node.operation != "constant":
                kept[node.number] = None
        self.kept: list[int] = list(kept)

    def parts(self) -> list[str]:
        """Give all that is written from the formulas."""
        value = [self.constants(), self.particle(), self.row()]
        return value if self.covered else [*value, self.row_adjoint(), self.particle_adjoint()]

    def constants(self) -> str:
        """Fixed numbers, in the precision of the loops, and how many numbers a particle keeps."""
        lines = [_SIZES.format(self._prefix, max(1, len(self.kept)))]
        lines += [
            f"{name_of(n)} = REAL({n.value!r})" if n.value == n.value else ""
            for n in self.order
            if n.operation == "constant"
        ]
        return "\n".join(lines).replace("= inf", "= np.inf") + "\n"

    def of(self, *tiers: int) -> list[Node]:
        """Nodes of some tiers, without fixed numbers."""
        return [
            n for n in self.order if self._tier[n.number] in tiers and n.operation != "constant"
        ]

    def particle(self) -> str:
        """Give the function that fills what a particle keeps."""
        lines = ["@compiled", f"def {self._prefix}_particle(q, s, py, px, kept):"]
        lines += [f"    {line}" for line in forward_lines(self.of(PARTICLE))]
        lines += [f"    kept[{k}] = {name_of(self.known[n])}" for k, n in enumerate(self.kept)]
        return "\n".join([*lines, "    return"])

    def row(self) -> str:
        """Give the function for half paths, and those times their middles, along one row."""
        head = f"def {self._prefix}_row(x0, step, y, kept, mixed, line, begin, end):"
        lines = ["@compiled", head]
        lines += self._unpacked()
        lines += [f"    {line}" for line in forward_lines(self.of(ROW))]
        lines += self._lines("half", "product")
        lines += ["    covered = line[2, 0, begin:end]"] if self.covered else []
        lines += ["    one = REAL(1) - mixed", "    for i in range(half0.shape[0]):"]
        lines += ["        x = x0 + REAL(i) * step"]
        lines += [f"        {line}" for line in forward_lines(self.of(SAMPLE))]
        for k, (half, middle) in enumerate(zip(self.half, self.middle, strict=True)):
            lines.append(f"        half{k}[i] = {name_of(half)}")
            lead = f"(one + mixed * {name_of(half)})"
            lines.append(f"        product{k}[i] = {lead} * {name_of(middle)}")
        lines += [f"        covered[i] = {name_of(node)}" for node in self.covered]
        return "\n".join(lines)

    def row_adjoint(self) -> str:
        """Give the function that pulls back what `_row` gives."""
        lines = [
            "@compiled",
            "def _row_adjoint(x0, step, y, kept, mixed, line, begin, end, to_kept, to):",
        ]
        lines += self._unpacked()
        row, sample = self.of(ROW), self.of(SAMPLE)
        lines += [f"    {line}" for line in forward_lines(row)]
        sums = [number for number in self.kept if number in self.moving]
        sums += [n.number for n in row if n.number in self.moving]
        lines += [f"    g{number} = REAL(0)" for number in sums]
        lines += self._lines("to_half", "to_product")
        lines += ["    one = REAL(1) - mixed", "    for i in range(to_half0.shape[0]):"]
        lines += ["        x = x0 + REAL(i) * step"]
        lines += [f"        {line}" for line in forward_lines(sample)]
        begun = set(sums)
        body: list[str] = []
        for k, (half, middle) in enumerate(zip(self.half, self.middle, strict=True)):
            body.append(f"h{k} = to_half{k}[i]")
            body.append(f"p{k} = to_product{k}[i]")
            value = f"h{k} + p{k} * mixed * {name_of(middle)}"
            body += added(half, value, begun, self.moving)
            lead = f"p{k} * (one + mixed * {name_of(half)})"
            body += added(middle, lead, begun, self.moving)
        body += backward_lines(sample, begun, self.moving)
        lines += [f"        {line}" for line in body]
        x = [n for n in sample if n.name == "x0" and n.number in begun]
        # The place of a sample moves against that of the particle.
        lines += [f"        to[0] -= g{n.number}" for n in x]
        lines += [f"    {line}" for line in backward_lines(row, begun, self.moving)]
        y = [n for n in row if n.name == "y0" and n.number in begun]
        lines += [f"    to[1] -= g{n.number}" for n in y]
        for k, number in enumerate(self.kept):
            if number in self.moving:
                lines.append(f"    to_kept[{k}] += g{number}")
        return "\n".join([*lines, "    return"])

    def particle_adjoint(self) -> str:
        """Give the function that pulls back to the quaternion and the size."""
        lines = ["@compiled", "def _particle_adjoint(q, s, py, px, to_kept, to_q, to_s):"]
        particle = self.of(PARTICLE)
        lines += [f"    {line}" for line in forward_lines(particle)]
        begun: set[int] = set()
        for k, number in enumerate(self.kept):
            if number in self.moving:
                lines.append(f"    g{number} = to_kept[{k}]")
                begun.add(number)
        lines += [f"    {line}" for line in backward_lines(particle, begun, self.moving)]
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
        return [f"    {name_of(self.known[n])} = kept[{k}]" for k, n in enumerate(self.kept)]


def _own_tier(node: Node) -> int:
    if node.operation == "input":
        return {"x0": SAMPLE, "y0": ROW}.get(node.name, PARTICLE)
    return PARTICLE


__all__ = ["PARTICLE", "ROW", "SAMPLE", "Reading", "loop_source"]
