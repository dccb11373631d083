"""Loops over the edges and faces of convex bodies, for shapes that are walled.

The formulas of one edge or face are written from those of `geometry.walls`; the loops around them
stand here as text, see `loops`. Samples of a row are taken BLOCK at a time, so that what the loops
need lies in a few lines of the cache at distances that the compiler knows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from osog.exit_wave.compiled.code import SCALAR, Dialect
from osog.exit_wave.compiled.functions import function_source
from osog.geometry.edges import smaller_side
from osog.geometry.walls import HEAD, between, covered_part, flank, kernel_reach, lesser

if TYPE_CHECKING:
    import torch

_STATE = ("value", "slope_x", "slope_y")


def wall_source(dtype: torch.dtype) -> str:
    """Source of what `loops` asks of the formulas of a shape.

    Parameters
    ----------
    dtype : torch.dtype
    """
    parts = [*wall_functions(dtype), _LOOPS]
    return "\n\n\n".join(parts).replace("HEAD", str(HEAD))


def wall_functions(dtype: torch.dtype, dialect: Dialect = SCALAR) -> list[str]:
    """Source of the formulas of one edge and one face, and of their adjoints.

    Parameters
    ----------
    dtype : torch.dtype
    dialect : Dialect, optional
    """
    function = partial(function_source, dtype=dtype, dialect=dialect)
    both = (*_STATE, *(f"other_{n}" for n in _STATE))
    face = ("x", "y", "height", "fall_x", "fall_y")
    return [
        function(
            "_kernel", (), ("py", "px"),
            lambda py, px: (kernel_reach((py, px)), smaller_side((py, px))),
        ),
        function("_lesser", (*both, "reach"), (), lambda *n: lesser(n[:3], n[3:6], n[6])),
        function(
            "_covered", ("x", "y", *_STATE), ("reach",),
            lambda *n: covered_part(n[0], n[1], n[2:5], n[5]),
        ),
        function(
            "_flank", face, ("highest", "reach"),
            lambda *n: flank(n[0], n[1], n[2], n[3:5], n[5], n[6]),
        ),
        function(
            "_between", ("upper", "lower", "coverage"), ("least",),
            lambda *n: between(*n),
        ),
    ]  # fmt: skip


_LOOPS = '''
BLOCK = 64
SLOTS = 24
V, SX, SY = 0, BLOCK, 2 * BLOCK
X, Y, OWN, COVER = 3 * BLOCK, 4 * BLOCK, 5 * BLOCK, 6 * BLOCK
UPPER, LOWER = 7 * BLOCK, 8 * BLOCK
TO_V, TO_SX, TO_SY = 9 * BLOCK, 10 * BLOCK, 11 * BLOCK
TO_X, TO_Y, TO_OWN, TO_COVER = 12 * BLOCK, 13 * BLOCK, 14 * BLOCK, 15 * BLOCK
TO_UPPER, TO_LOWER = 16 * BLOCK, 17 * BLOCK
WV, WX, WY = 18 * BLOCK, 19 * BLOCK, 20 * BLOCK
G, GX, GY = 21 * BLOCK, 22 * BLOCK, 23 * BLOCK


@compiled
def _kept_numbers(columns):
    return columns + 2


@compiled
def _room(columns):
    """Numbers of scratch: of each edge and face three are held for the way back."""
    return (SLOTS + columns - HEAD) * BLOCK


@compiled
def _particle(q, s, py, px, kept):
    n = len(s)
    for k in range(n):
        kept[k] = s[k]
    kept[n], kept[n + 1] = _kernel(py, px)


@compiled
def _particle_adjoint(q, s, py, px, to_kept, to_q, to_s):
    for k in range(len(s)):
        to_s[k] += to_kept[k]


@compiled
def _hold(room, begin, n):
    """Keep the least so far, for the way back."""
    for i in range(n):
        room[begin + i] = room[V + i]
    for i in range(n):
        room[begin + BLOCK + i] = room[SX + i]
    for i in range(n):
        room[begin + 2 * BLOCK + i] = room[SY + i]


@compiled
def _recall(room, begin, n):
    for i in range(n):
        room[WV + i] = room[begin + i]
    for i in range(n):
        room[WX + i] = room[begin + BLOCK + i]
    for i in range(n):
        room[WY + i] = room[begin + 2 * BLOCK + i]


@compiled
def _rim(kept, at, count, reach, x0, step, y, room, n, tape):
    """Least depth behind the edges, and its slopes."""
    n_x, n_y, bound = kept[at], kept[at + 1], kept[at + 2]
    for i in range(n):
        room[V + i] = bound - n_x * (x0 + REAL(i) * step) - n_y * y
    for i in range(n):
        room[SX + i] = -n_x
    for i in range(n):
        room[SY + i] = -n_y
    for e in range(1, count):
        if tape:
            _hold(room, tape + 3 * BLOCK * e, n)
        n_x, n_y, bound = kept[at + 3 * e], kept[at + 3 * e + 1], kept[at + 3 * e + 2]
        for i in range(n):
            value = bound - n_x * (x0 + REAL(i) * step) - n_y * y
            room[V + i], room[SX + i], room[SY + i] = _lesser(
                room[V + i], room[SX + i], room[SY + i], value, -n_x, -n_y, reach
            )


@compiled
def _surface(kept, at, count, highest, reach, room, n, tape):
    """Least height over faces, at places and for kernels of their own."""
    for f in range(count):
        height, fall_x, fall_y = kept[at + 3 * f], kept[at + 3 * f + 1], kept[at + 3 * f + 2]
        if f == 0:
            for i in range(n):
                room[V + i], room[SX + i], room[SY + i] = _flank(
                    room[X + i], room[Y + i], height, fall_x, fall_y, highest, reach
                )
            continue
        if tape:
            _hold(room, tape + 3 * BLOCK * f, n)
        for i in range(n):
            value, slope_x, slope_y = _flank(
                room[X + i], room[Y + i], height, fall_x, fall_y, highest, reach
            )
            room[V + i], room[SX + i], room[SY + i] = _lesser(
                room[V + i], room[SX + i], room[SY + i], value, slope_x, slope_y, room[OWN + i]
            )


@compiled
def _places(table):
    """Where the edges, the faces up and those down begin in a row of the table, and after them."""
    edges = HEAD
    up = edges + 3 * int(table[3])
    down = up + 3 * int(table[4])
    return edges, up, down


@compiled
def _paths(kept, columns, x0, step, y, room, n, tape):
    """Cover, place and both surfaces of a block of samples."""
    reach, highest = kept[columns], kept[6]
    edges, up, down = _places(kept)
    tape_up, tape_down = tape, tape
    if tape:
        tape_up, tape_down = tape + BLOCK * (up - edges), tape + BLOCK * (down - edges)
    _rim(kept, edges, int(kept[0]), reach, x0, step, y, room, n, tape)
    for i in range(n):
        room[X + i], room[Y + i], room[OWN + i], room[COVER + i] = _covered(
            x0 + REAL(i) * step, y, room[V + i], room[SX + i], room[SY + i], reach
        )
    if tape:
        _hold(room, tape, n)
    _surface(kept, up, int(kept[1]), highest, reach, room, n, tape_up)
    for i in range(n):
        room[UPPER + i] = room[V + i]
    _surface(kept, down, int(kept[2]), highest, reach, room, n, tape_down)
    for i in range(n):
        room[LOWER + i] = room[V + i]


@compiled
def _row(x0, step, y, kept, mixed, line, begin, end):
    columns = _columns_of(kept)
    room = kept[columns + 2 :]
    least, one = kept[columns + 1], REAL(1) - mixed
    half, product = line[0, 0], line[1, 0]
    for start in range(begin, end, BLOCK):
        n = min(BLOCK, end - start)
        _paths(kept, columns, x0 + REAL(start - begin) * step, step, y, room, n, 0)
        for i in range(n):
            h, m = _between(room[UPPER + i], room[LOWER + i], room[COVER + i], least)
            room[V + i], room[SX + i] = h, (one + mixed * h) * m
        for i in range(n):
            half[start + i] = room[V + i]
        for i in range(n):
            product[start + i] = room[SX + i]


@compiled
def _surface_adjoint(kept, at, count, highest, reach, room, n, tape, to_value, to_kept):
    for i in range(n):
        room[TO_V + i] = room[to_value + i]
    for i in range(n):
        room[TO_SX + i] = REAL(0)
    for i in range(n):
        room[TO_SY + i] = REAL(0)
    for f in range(count - 1, -1, -1):
        height, fall_x, fall_y = kept[at + 3 * f], kept[at + 3 * f + 1], kept[at + 3 * f + 2]
        to_height, to_x, to_y = REAL(0), REAL(0), REAL(0)
        for i in range(n):
            room[G + i] = room[TO_V + i]
        for i in range(n):
            room[GX + i] = room[TO_SX + i]
        for i in range(n):
            room[GY + i] = room[TO_SY + i]
        if f > 0:
            _recall(room, tape + 3 * BLOCK * f, n)
            for i in range(n):
                value, slope_x, slope_y = _flank(
                    room[X + i], room[Y + i], height, fall_x, fall_y, highest, reach
                )
                (
                    room[TO_V + i], room[TO_SX + i], room[TO_SY + i],
                    room[G + i], room[GX + i], room[GY + i], own,
                ) = _lesser_adjoint(
                    room[WV + i], room[WX + i], room[WY + i], value, slope_x, slope_y,
                    room[OWN + i], room[TO_V + i], room[TO_SX + i], room[TO_SY + i],
                )
                room[TO_OWN + i] += own
        for i in range(n):
            by_x, by_y, by_height, by_fall_x, by_fall_y = _flank_adjoint(
                room[X + i], room[Y + i], height, fall_x, fall_y, highest, reach,
                room[G + i], room[GX + i], room[GY + i],
            )
            room[TO_X + i] += by_x
            room[TO_Y + i] += by_y
            to_height += by_height
            to_x += by_fall_x
            to_y += by_fall_y
        to_kept[at + 3 * f] += to_height
        to_kept[at + 3 * f + 1] += to_x
        to_kept[at + 3 * f + 2] += to_y


@compiled
def _rim_adjoint(kept, at, count, reach, x0, step, y, room, n, tape, to_kept):
    """Gradients in TO_V, TO_SX, TO_SY to the edges; returns those in x and y."""
    to_x, to_y = REAL(0), REAL(0)
    for e in range(count - 1, -1, -1):
        n_x, n_y, bound = kept[at + 3 * e], kept[at + 3 * e + 1], kept[at + 3 * e + 2]
        to_n_x, to_n_y, to_bound = REAL(0), REAL(0), REAL(0)
        if e > 0:
            _recall(room, tape + 3 * BLOCK * e, n)
        for i in range(n):
            x = x0 + REAL(i) * step
            a, b, c = room[TO_V + i], room[TO_SX + i], room[TO_SY + i]
            if e > 0:
                value = bound - n_x * x - n_y * y
                room[TO_V + i], room[TO_SX + i], room[TO_SY + i], a, b, c, own = _lesser_adjoint(
                    room[WV + i], room[WX + i], room[WY + i], value, -n_x, -n_y, reach, a, b, c
                )
            to_n_x -= a * x + b
            to_n_y -= a * y + c
            to_bound += a
        to_x -= n_x * to_bound
        to_y -= n_y * to_bound
        to_kept[at + 3 * e] += to_n_x
        to_kept[at + 3 * e + 1] += to_n_y
        to_kept[at + 3 * e + 2] += to_bound
    return to_x, to_y


@compiled
def _row_adjoint(x0, step, y, kept, mixed, line, begin, end, to_kept, to):
    columns = _columns_of(kept)
    room = kept[columns + 2 :]
    reach, least, highest, one = kept[columns], kept[columns + 1], kept[6], REAL(1) - mixed
    edges, up, down = _places(kept)
    tape = SLOTS * BLOCK
    tape_up, tape_down = tape + BLOCK * (up - edges), tape + BLOCK * (down - edges)
    for start in range(begin, end, BLOCK):
        n = min(BLOCK, end - start)
        left = x0 + REAL(start - begin) * step
        _paths(kept, columns, left, step, y, room, n, tape)
        for i in range(n):
            upper, lower, cover = room[UPPER + i], room[LOWER + i], room[COVER + i]
            h, m = _between(upper, lower, cover, least)
            by_h, by_product = line[0, 0, start + i], line[1, 0, start + i]
            room[TO_UPPER + i], room[TO_LOWER + i], room[TO_COVER + i] = _between_adjoint(
                upper, lower, cover, least,
                by_h + by_product * mixed * m, by_product * (one + mixed * h),
            )
        for i in range(n):
            room[TO_X + i] = REAL(0)
        for i in range(n):
            room[TO_Y + i] = REAL(0)
        for i in range(n):
            room[TO_OWN + i] = REAL(0)
        _surface_adjoint(
            kept, down, int(kept[2]), highest, reach, room, n, tape_down, TO_LOWER, to_kept
        )
        _surface_adjoint(
            kept, up, int(kept[1]), highest, reach, room, n, tape_up, TO_UPPER, to_kept
        )
        _recall(room, tape, n)
        by_x, by_y = REAL(0), REAL(0)
        for i in range(n):
            a, b, room[TO_V + i], room[TO_SX + i], room[TO_SY + i] = _covered_adjoint(
                left + REAL(i) * step, y, room[WV + i], room[WX + i], room[WY + i], reach,
                room[TO_X + i], room[TO_Y + i], room[TO_OWN + i], room[TO_COVER + i],
            )
            by_x += a
            by_y += b
        a, b = _rim_adjoint(
            kept, edges, int(kept[0]), reach, left, step, y, room, n, tape, to_kept
        )
        # The place of a sample moves against that of the particle.
        to[0] -= by_x + a
        to[1] -= by_y + b


@compiled
def _columns_of(kept):
    return HEAD + 3 * (int(kept[3]) + int(kept[4]) + int(kept[5]))
'''

__all__ = ["wall_functions", "wall_source"]
