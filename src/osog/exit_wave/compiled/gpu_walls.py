"""Kernels' loops over the edges and faces of convex bodies; see `wall_loops` and `gpu_source`.

Nothing is held for the way back: the least over the edges before one is worked out again from
the first, which for the few edges of a crystal costs less than memory would.
"""

WALLS = '''
@triton.jit
def _particle(q, s, py, px):
    reach, least_side = _kernel(py, px)
    return s, reach, least_side, py


@triton.jit
def _places(table):
    """Where the faces up and those down begin in a row of the table, after the edges."""
    up = HEAD + 3 * tl.load(table + 3).to(tl.int32)
    return up, up + 3 * tl.load(table + 4).to(tl.int32)


@triton.jit
def _edge(x, y, edge):
    """Depth behind an edge, and its slopes."""
    n_x, n_y, bound = tl.load(edge), tl.load(edge + 1), tl.load(edge + 2)
    flat = tl.zeros_like(x)
    return bound - n_x * x - n_y * y, flat - n_x, flat - n_y


@triton.jit
def _rim(x, y, edges, count, reach):
    """Least depth behind some edges, and its slopes."""
    value, slope_x, slope_y = _edge(x, y, edges)
    for e in range(1, count):
        other, other_x, other_y = _edge(x, y, edges + 3 * e)
        value, slope_x, slope_y = _lesser(value, slope_x, slope_y, other, other_x, other_y, reach)
    return value, slope_x, slope_y


@triton.jit
def _face(x, y, face, highest, reach):
    height, fall_x, fall_y = tl.load(face), tl.load(face + 1), tl.load(face + 2)
    flat = tl.zeros_like(x)
    value, slope_x, slope_y = _flank(x, y, height, fall_x, fall_y, highest, reach)
    return value + flat, slope_x + flat, slope_y + flat


@triton.jit
def _surface(x, y, own, faces, count, highest, reach):
    """Least height over some faces, at places and for kernels of their own."""
    value, slope_x, slope_y = _face(x, y, faces, highest, reach)
    for f in range(1, count):
        other, other_x, other_y = _face(x, y, faces + 3 * f, highest, reach)
        value, slope_x, slope_y = _lesser(value, slope_x, slope_y, other, other_x, other_y, own)
    return value, slope_x, slope_y


@triton.jit
def _path(x, y, table, reach, least_side):
    up_at, down_at = _places(table)
    edges, up, down = table + HEAD, table + up_at, table + down_at
    highest = tl.load(table + 6)
    value, slope_x, slope_y = _rim(x, y, edges, tl.load(table).to(tl.int32), reach)
    xx, yy, own, cover = _covered(x, y, value, slope_x, slope_y, reach)
    upper, by_x, by_y = _surface(xx, yy, own, up, tl.load(table + 1).to(tl.int32), highest, reach)
    lower, by_x, by_y = _surface(xx, yy, own, down, tl.load(table + 2).to(tl.int32), highest, reach)
    half, middle = _between(upper, lower, cover, least_side)
    return half, middle


@triton.jit
def _add(target, tile):
    # One program alone adds to a place, one number after another: the sum has a fixed order.
    tl.atomic_add(target, tl.sum(tile, axis=0), sem="relaxed")


@triton.jit
def _surface_adjoint(x, y, own, faces, count, highest, reach, to_value, to_faces):
    """Gradients in x, y and the kernel of a place from that in the least height."""
    flat = tl.zeros_like(x)
    to_x, to_y, to_own, to_slope_x, to_slope_y = flat, flat, flat, flat, flat
    for back in range(count):
        f = count - 1 - back
        face = faces + 3 * f
        height, fall_x, fall_y = tl.load(face), tl.load(face + 1), tl.load(face + 2)
        g, g_x, g_y = to_value, to_slope_x, to_slope_y
        if f > 0:
            value, slope_x, slope_y = _surface(x, y, own, faces, f, highest, reach)
            other, other_x, other_y = _face(x, y, face, highest, reach)
            to_value, to_slope_x, to_slope_y, g, g_x, g_y, by_own = _lesser_adjoint(
                value, slope_x, slope_y, other, other_x, other_y, own,
                to_value, to_slope_x, to_slope_y,
            )
            to_own += by_own
        by_x, by_y, by_height, by_fall_x, by_fall_y = _flank_adjoint(
            x, y, height, fall_x, fall_y, highest, reach, g, g_x, g_y
        )
        to_x += by_x
        to_y += by_y
        _add(to_faces + 3 * f, by_height + flat)
        _add(to_faces + 3 * f + 1, by_fall_x + flat)
        _add(to_faces + 3 * f + 2, by_fall_y + flat)
    return to_x, to_y, to_own


@triton.jit
def _path_adjoint(x, y, table, reach, least_side, h0, p0, mixed, to_table):
    up_at, down_at = _places(table)
    edges, up, down = table + HEAD, table + up_at, table + down_at
    to_edges, to_up, to_down = to_table + HEAD, to_table + up_at, to_table + down_at
    highest = tl.load(table + 6)
    sides, count_up, count_down = tl.load(table), tl.load(table + 1), tl.load(table + 2)
    sides, count_up = sides.to(tl.int32), count_up.to(tl.int32)
    count_down = count_down.to(tl.int32)
    value, slope_x, slope_y = _rim(x, y, edges, sides, reach)
    xx, yy, own, cover = _covered(x, y, value, slope_x, slope_y, reach)
    upper, by_x, by_y = _surface(xx, yy, own, up, count_up, highest, reach)
    lower, by_x, by_y = _surface(xx, yy, own, down, count_down, highest, reach)
    half, middle = _between(upper, lower, cover, least_side)
    to_upper, to_lower, to_cover = _between_adjoint(
        upper, lower, cover, least_side, h0 + p0 * mixed * middle, p0 * (1.0 - mixed + mixed * half)
    )
    x1, y1, own1 = _surface_adjoint(xx, yy, own, up, count_up, highest, reach, to_upper, to_up)
    x2, y2, own2 = _surface_adjoint(
        xx, yy, own, down, count_down, highest, reach, to_lower, to_down
    )
    to_x, to_y, to_value, to_slope_x, to_slope_y = _covered_adjoint(
        x, y, value, slope_x, slope_y, reach, x1 + x2, y1 + y2, own1 + own2, to_cover
    )
    flat = tl.zeros_like(x)
    to_x, to_y = to_x + flat, to_y + flat
    to_value, to_slope_x, to_slope_y = to_value + flat, to_slope_x + flat, to_slope_y + flat
    for back in range(sides):
        e = sides - 1 - back
        n_x, n_y = tl.load(edges + 3 * e), tl.load(edges + 3 * e + 1)
        g, g_x, g_y = to_value, to_slope_x, to_slope_y
        if e > 0:
            value, slope_x, slope_y = _rim(x, y, edges, e, reach)
            other, other_x, other_y = _edge(x, y, edges + 3 * e)
            to_value, to_slope_x, to_slope_y, g, g_x, g_y, by_own = _lesser_adjoint(
                value, slope_x, slope_y, other, other_x, other_y, reach,
                to_value, to_slope_x, to_slope_y,
            )
        to_x -= n_x * g
        to_y -= n_y * g
        _add(to_edges + 3 * e, -(g * x + g_x))
        _add(to_edges + 3 * e + 1, -(g * y + g_y))
        _add(to_edges + 3 * e + 2, g)
    return to_x, to_y
'''

__all__ = ["WALLS"]
