"""Source of the kernels that draw one shape on a GPU, written from its formulas.

The arithmetic is that of `source`; Triton compiles it for tiles of pixels. What holds for a
particle is worked out once for a tile, the rest for each of its pixels.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from osog.exit_wave.compiled.code import (
    Dialect,
    added,
    backward_lines,
    constant_lines,
    forward_lines,
    name_of,
)
from osog.exit_wave.compiled.functions import function
from osog.exit_wave.compiled.gpu_loops import KERNELS
from osog.exit_wave.compiled.gpu_walls import WALLS
from osog.exit_wave.compiled.source import PARTICLE, ROW, SAMPLE, Reading
from osog.exit_wave.compiled.wall_loops import wall_functions
from osog.geometry.walls import HEAD

if TYPE_CHECKING:
    from osog.exit_wave.compiled.expressions import Node
    from osog.geometry import Shape

TILED = Dialect(
    {
        "not": "~({0})",
        "and": "{0} & {1}",
        "or": "{0} | {1}",
        "abs": "tl.abs({0})",
        "sqrt": "tl.sqrt({0})",
        "max": "tl.maximum({0}, {1})",
        "min": "tl.minimum({0}, {1})",
        "where": "tl.where({0}, {1}, {2})",
        "copysign": "tl.where({1} < 0, -tl.abs({0}), tl.abs({0}))",
        "sign": "tl.where({0} > 0, one, tl.where({0} < 0, -one, zero))",
    },
    loaded="tl.load({0} + {1})",
    fixed="tl.full([], {0!r}, KIND)",
    inlined="@triton.jit",
    helpers=(
        "one = tl.full([], 1.0, KIND)",
        "zero = tl.full([], 0.0, KIND)",
        "TINY = tl.full([], 1e-15, KIND)",
    ),
)
"""Tiles of numbers, as Triton takes them."""


def kernel_source(shape: Shape, dtype: torch.dtype) -> str:
    """Source of a module that deposits a shape, see `gpu_loops`.

    Parameters
    ----------
    shape : Shape
        One that is ``compilable``.
    dtype : torch.dtype
        float32 or float64.
    """
    parts = _WalledParts(dtype) if shape.walled else _Parts(shape, dtype)
    pieces = 1 if shape.walled else len(parts.reading.half)  # type: ignore[union-attr]
    text = _unrolled(KERNELS, pieces)
    for place, lines in parts.places().items():
        text = re.sub(
            rf"^( *){place}$",
            lambda found, lines=lines: "\n".join(found[1] + line for line in lines),  # type: ignore[misc]
            text,
            flags=re.MULTILINE,
        )
    text = text.replace("KEPT", ", ".join(f"kept{k}" for k in range(len(parts.kept))))
    text = re.sub(r"REAL\(([^()]*)\)", r"\1", text)
    real = "float32" if dtype == torch.float32 else "float64"
    return text.replace("KIND", f"tl.{real}").replace("REAL", real).replace("HEAD", str(HEAD))


def _unrolled(text: str, pieces: int) -> str:
    """Write what names a PIECE once for each."""

    def repeated(part: str) -> str:
        return "".join(part.replace("PIECE", str(k)) for k in range(pieces))

    text = re.sub(
        r"^ *BEGIN_PIECE\n(.*?)^ *END_PIECE\n",
        lambda found: repeated(found[1]),
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    text = re.sub(
        r"EACH\(([^()]*)\)",
        lambda found: ", ".join(found[1].replace("PIECE", str(k)) for k in range(pieces)),
        text,
    )
    return "".join(
        repeated(line) if "PIECE" in line else line for line in text.splitlines(keepends=True)
    )


class _Parts:
    """What the kernels ask of a shape whose lines of sight are plain arithmetic."""

    def __init__(self, shape: Shape, dtype: torch.dtype) -> None:
        self.reading = Reading(shape, dtype)
        self.moving = self.reading.moving
        self.sizes = shape.size_columns
        numbers = self.reading.kept
        self.kept = [name_of(self.reading.known[n]) for n in numbers]
        self.moving_kept = [n for n in numbers if n in self.moving]

    def places(self) -> dict[str, list[str]]:
        """Lines that stand in place of words."""
        moved = [f"g{n}" for n in self.moving_kept]
        given = [f"w * to_half{k}, w * to_product{k}" for k in range(len(self.reading.half))]
        parts = [self._particle(), self._path(), self._path_adjoint(), self._particle_adjoint()]
        to_q, to_s = [f"to_q{k}" for k in range(4)], [f"to_s{k}" for k in range(self.sizes)]
        return {
            "FORMULAS": "\n\n\n".join(parts).split("\n"),
            "BEGIN_SUMS": [f"{g} = zero" for g in moved],
            "PULL": [
                f"by_x, by_y, {''.join(f'by_{g}, ' for g in moved)}none = _path_adjoint(",
                f"    xx, yy, KEPT, {', '.join(given)}, mixed",
                ")",
                *(f"{g} += by_{g}" for g in moved),
            ],
            "END_SUMS": [
                *(f"{g} = tl.sum({g}, axis=0)" for g in moved),
                f"{', '.join(to_q + to_s)} = _particle_adjoint(",
                f"    {', '.join(['q', 's', 'py * cell', 'px * cell', *moved])}",
                ")",
                *(f"tl.store(to_quaternion + 4 * at + {k}, {n})" for k, n in enumerate(to_q)),
                *(f"tl.store(to_sizes + size_columns * at + {k}, {n})" for k, n in enumerate(to_s)),
            ],
        }

    def _particle(self) -> str:
        nodes = self.reading.of(PARTICLE)
        body = [*self._constants(nodes), *forward_lines(nodes, TILED)]
        return function("_particle", ["q", "s", "py", "px"], body, [*self.kept, "py"], TILED)

    def _forward(self) -> tuple[list[Node], list[str]]:
        nodes = self.reading.of(ROW, SAMPLE)
        ends = [*self.reading.half, *self.reading.middle]
        return nodes, [*self._constants([*nodes, *ends]), *forward_lines(nodes, TILED)]

    def _path(self) -> str:
        _, body = self._forward()
        pairs = zip(self.reading.half, self.reading.middle, strict=True)
        answer = [name_of(n) for pair in pairs for n in pair]
        return function("_path", ["x", "y", *self.kept], body, answer, TILED)

    def _path_adjoint(self) -> str:
        nodes, body = self._forward()
        body.append("lead = REAL(1) - mixed")
        begun: set[int] = set()
        names = ["x", "y", *self.kept]
        for k, (half, middle) in enumerate(
            zip(self.reading.half, self.reading.middle, strict=True)
        ):
            names += [f"h{k}", f"p{k}"]
            value = f"h{k} + p{k} * mixed * {name_of(middle)}"
            body += added(half, value, begun, self.moving)
            value = f"p{k} * (lead + mixed * {name_of(half)})"
            body += added(middle, value, begun, self.moving)
        body += backward_lines(nodes, begun, self.moving, TILED)
        by_name = {n.name: n.number for n in nodes if n.operation == "input"}
        wanted = [by_name.get("x0"), by_name.get("y0"), *self.moving_kept]
        answer = [f"g{n}" if n in begun else "zero" for n in wanted]
        return function("_path_adjoint", [*names, "mixed"], body, [*answer, "zero"], TILED)

    def _particle_adjoint(self) -> str:
        nodes = self.reading.of(PARTICLE)
        body = [*self._constants(nodes), *forward_lines(nodes, TILED)]
        begun = set(self.moving_kept)
        body += backward_lines(nodes, begun, self.moving, TILED)
        found = {n.name: f"g{n.number}" for n in nodes if n.number in begun and n.name}
        wanted = [*(f"q{k}" for k in range(4)), *(f"s{k}" for k in range(self.sizes))]
        answer = [found.get(name, "zero") for name in wanted]
        names = ["q", "s", "py", "px", *(f"g{n}" for n in self.moving_kept)]
        return function("_particle_adjoint", names, body, answer, TILED)

    def _constants(self, nodes: list[Node]) -> list[str]:
        used = {a.number: a for n in nodes for a in (n, *n.arguments)}
        return constant_lines(used.values(), TILED)


class _WalledParts:
    """What the kernels ask of convex bodies: loops over edges and faces."""

    kept = ("table", "reach", "least_side")

    def __init__(self, dtype: torch.dtype) -> None:
        self.functions = wall_functions(dtype, TILED)

    def places(self) -> dict[str, list[str]]:
        """Lines that stand in place of words."""
        return {
            "FORMULAS": "\n\n\n".join([*self.functions, WALLS]).split("\n"),
            "BEGIN_SUMS": [],
            "PULL": [
                "by_x, by_y = _path_adjoint(",
                "    xx, yy, KEPT, w * to_half0, w * to_product0, mixed,",
                "    to_sizes + size_columns * at,",
                ")",
            ],
            "END_SUMS": [],
        }


__all__ = ["TILED", "kernel_source"]
