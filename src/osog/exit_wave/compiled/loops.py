"""The loops around the formulas of a shape: sub-samples, splat into slabs, and the adjoint.

They are source text rather than functions, since Numba compiles them together with the formulas of
one shape in one module. REAL stands for the precision, PIECES for the pieces of a line of sight.
What they compute is `Raster.chord` followed by `deposit`, and `deposit_adjoint`; the sub-samples
that neighbouring pixels share are looked at once.
"""

LEVEL = '''@compiled
def _level(
    samples, windows, x0, y0, skip, py, px, bound, kept, line, half, product, span,
    cover,  # of silhouettes
):
    """Half paths from row skip on, by samples x samples points a pixel, and times the middles."""
    s, count = samples, int(windows[samples, 0, 0])
    mixed = REAL(0) if samples == 1 else REAL(1)
    rows, width = half.shape[1], half.shape[2]
    half[:] = REAL(0)
    product[:] = REAL(0)
    cover[:] = REAL(0)  # of silhouettes
    step_x, step_y = px / REAL(s), py / REAL(s)
    x0 -= REAL(0.5) * step_x * REAL(count - 1)
    y0 -= REAL(0.5) * step_y * REAL(count - 1)
    reach = bound[2] + max(px, py) * _margin(s)
    points = s * (width - 1) + count
    weights = windows[s, 1, :count]
    line[:, :, : points + LANES] = REAL(0)
    for f in range(s * (rows - 1) + count):
        # Counted from the first row of the patch: the same bits wherever a thread begins.
        y = y0 + REAL(f + s * skip) * step_y
        begin, end = _columns(y, bound[0], bound[1], reach, x0, step_x, points)
        if end <= begin:
            continue
        end = begin + (end - begin + LANES - 1) // LANES * LANES
        _row(x0 + REAL(begin) * step_x, step_x, y, kept, mixed, line, begin, end)
        a, b = max(0, (begin - count) // s + 1), min(width, (end - 1) // s + 1)
        first, last = max(0, (f - count) // s + 1), min(rows, f // s + 1)
        for r in range(first, last):
            span[r, 0], span[r, 1] = min(span[r, 0], a), max(span[r, 1], b)
        for k in range(PIECES):
            for c in range(a, b):
                own_half, own_product = REAL(0), REAL(0)
                for i in range(count):
                    own_half += weights[i] * line[0, k, s * c + i]
                    own_product += weights[i] * line[1, k, s * c + i]
                for r in range(first, last):
                    share = weights[f - s * r]
                    half[k, r, c] += share * own_half
                    product[k, r, c] += share * own_product
        for c in range(a, b):  # of silhouettes
            own = REAL(0)  # of silhouettes
            for i in range(count):  # of silhouettes
                own += weights[i] * line[2, 0, s * c + i]  # of silhouettes
            for r in range(first, last):  # of silhouettes
                cover[r, c] += weights[f - s * r] * own  # of silhouettes
        line[:, :, begin:end] = REAL(0)
'''
"""Pixel means of one level of sub-samples. What is marked is for those who ask for silhouettes."""

LOOPS = '''"""Compiled loops that draw one shape; written by osog, not by hand."""
from math import copysign, floor, ceil, sqrt

import numpy as np
from numba import njit

REAL = np.REAL
TINY = REAL(1e-15)
LANES = 64 // np.dtype(REAL).itemsize  # a whole number of vector registers
MODE = {"contract", "reassoc", "arcp", "nsz"}
compiled = njit(fastmath=MODE, error_model="numpy", nogil=True)
inlined = njit(fastmath=MODE, error_model="numpy", nogil=True, forceinline=True)

# FORMULAS

@compiled
def _columns(y, ux, uy, reach, x0, step, width):
    """First column and last + 1 in which a row meets the strip that holds the body."""
    if abs(uy) < REAL(1e-3):
        slack = abs(uy) * (abs(x0) + step * REAL(width))
        return 0, width if abs(ux * y) <= reach + slack else 0
    middle, half = ux * y / uy, reach / abs(uy)
    first = floor((middle - half - x0) / step)
    last = ceil((middle + half - x0) / step) + REAL(1)
    if last <= REAL(0) or first >= REAL(width):
        return 0, 0
    return int(max(REAL(0), first)), int(min(REAL(width), last))


@compiled
def _margin(samples):
    """How far in pixels an edge is drawn beyond a body: its kernel, and what thickens it."""
    return REAL(0.3) + REAL(1.0) / REAL(samples)


# LEVEL
@compiled
def _middles(samples, least, half, product):
    """Turn products into middles."""
    if samples > 1:
        small = least / REAL(samples * samples)
        for i in range(half.shape[0]):
            product[i] /= half[i] + copysign(small, half[i])


@compiled
def _integrated(u):
    held = min(max(u, REAL(-1)), REAL(1))
    return held - REAL(0.5) * held * abs(held)


@compiled
def _level_adjoint(
    samples, windows, x0, y0, py, px, bound, kept, line, to_half, to_product, to_kept, to
):
    s, count = samples, int(windows[samples, 0, 0])
    mixed = REAL(0) if samples == 1 else REAL(1)
    rows, width = to_half.shape[1], to_half.shape[2]
    step_x, step_y = px / REAL(s), py / REAL(s)
    x0 -= REAL(0.5) * step_x * REAL(count - 1)
    y0 -= REAL(0.5) * step_y * REAL(count - 1)
    reach = bound[2] + max(px, py) * _margin(s)
    points = s * (width - 1) + count
    weights = windows[s, 1, :count]
    for f in range(s * (rows - 1) + count):
        y = y0 + REAL(f) * step_y
        begin, end = _columns(y, bound[0], bound[1], reach, x0, step_x, points)
        if end <= begin:
            continue
        end = begin + (end - begin + LANES - 1) // LANES * LANES
        line[:, :, : points + LANES] = REAL(0)
        a, b = max(0, (begin - count) // s + 1), min(width, (end - 1) // s + 1)
        for k in range(PIECES):
            for c in range(a, b):
                own_half, own_product = REAL(0), REAL(0)
                for r in range(max(0, (f - count) // s + 1), min(rows, f // s + 1)):
                    own_half += weights[f - s * r] * to_half[k, r, c]
                    own_product += weights[f - s * r] * to_product[k, r, c]
                for i in range(count):
                    line[0, k, s * c + i] += weights[i] * own_half
                    line[1, k, s * c + i] += weights[i] * own_product
        _row_adjoint(
            x0 + REAL(begin) * step_x, step_x, y, kept, mixed, line, begin, end, to_kept, to
        )


@compiled
def _space(patch, begin, end, chosen, windows):
    """Height and width of the largest patch, and points of its longest row of sub-samples."""
    height, width, points = 1, 1, 1
    for j in range(begin, end):
        p = chosen[j]
        height, width = max(height, patch[p, 2]), max(width, patch[p, 3])
        samples = patch[p, 6]
        points = max(points, samples * patch[p, 3] + int(windows[samples, 0, 0]) + LANES)
    return height, width, points


@njit(
    "void(REAL[:,:,:,::1], int64, int64, int64[::1], int64, int64[:,::1], REAL[:,::1],"
    "REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1],"
    "float64[::1], REAL[:,:,::1])",
    fastmath=MODE, error_model="numpy", nogil=True, cache=True,
)
def deposit(
    out, top, bottom, chosen, start, patch, position, quaternion, fine, coarse, bound, numbers,
    density, plan, windows,
):
    """Add bodies to the rows top to bottom of the slabs out (C, K, Gy, Gx), from slab start on."""
    pitch_y, pitch_x, slab = plan[0], plan[1], plan[4]
    py, px = REAL(pitch_y), REAL(pitch_x)
    least = REAL(1e-4 * min(pitch_y, pitch_x))
    tall, wide, points = _space(patch, 0, len(chosen), chosen, windows)
    line = np.empty((2, PIECES, points), dtype=REAL)
    space = np.empty(4 * PIECES * tall * wide, dtype=REAL)
    spans = np.empty((tall, 2), dtype=np.int64)
    kept = np.empty(_kept_numbers(fine.shape[1]) + _room(fine.shape[1]), dtype=REAL)
    for p in chosen:
        row, column, height, width, first, last, samples = patch[p]
        share, factor, squeeze = numbers[p, 0], numbers[p, 1], numbers[p, 2]
        r0, r1 = max(row, top), min(row + height, bottom)
        if r1 <= r0:
            continue
        rows = r1 - r0
        size = PIECES * rows * width
        span = spans[:rows]
        span[:, 0] = width
        span[:, 1] = 0
        levels = space[: 4 * size].reshape((4, PIECES, rows, width))
        half, middle, other, second = levels[0], levels[1], levels[2], levels[3]
        x0 = REAL(column * pitch_x + plan[3] - position[p, 0])
        y0 = REAL(row * pitch_y + plan[2] - position[p, 1])
        mixes = share > REAL(0)
        less = samples // 2
        # One place from which the formulas are called: the compiler takes them in once.
        for k in range(2 if mixes else 1):
            cell = windows[less if k else samples, 0, 1]
            drawn = coarse[p] if k else fine[p]
            _particle(quaternion[p], drawn, py * cell, px * cell, kept)
            _level(
                less if k else samples, windows, x0, y0, r0 - row, py, px, bound[p], kept, line,
                levels[2 * k], levels[2 * k + 1], span,
            )
        level = REAL((position[p, 2] / slab - plan[5]) - first)
        scale = REAL(squeeze / slab)
        for r in range(rows):
            begin, end = span[r, 0], span[r, 1]
            if end <= begin:
                continue
            n = end - begin
            for k in range(PIECES):
                low, high = half[k, r, begin:end], middle[k, r, begin:end]
                h_coarse, z_coarse = other[k, r, begin:end], second[k, r, begin:end]
                _middles(samples, least, low, high)
                if mixes:
                    _middles(less, least, h_coarse, z_coarse)
                lowest, highest = REAL(1e9), REAL(-1e9)
                for i in range(n):
                    reach, place = low[i] * factor, high[i]
                    if mixes:
                        reach += share * (h_coarse[i] - reach)
                        place += share * (z_coarse[i] - place)
                    below, above = level + (place - reach) * scale, level + (place + reach) * scale
                    low[i], high[i] = below, above
                    there = below != above
                    lowest = min(lowest, min(below, above) if there else lowest)
                    highest = max(highest, max(below, above) if there else highest)
                if lowest > highest:
                    continue
                a = max(max(int(floor(lowest)), 0), start - first)
                b = min(min(int(ceil(highest)), last - first), start + out.shape[1] - 1 - first)
                for m in range(a, b + 1):
                    plane = REAL(m)
                    for c in range(out.shape[0]):
                        target = out[c, first + m - start, r0 + r, column + begin : column + end]
                        d = density[c, p]
                        for i in range(n):
                            target[i] += d * (
                                _integrated(high[i] - plane) - _integrated(low[i] - plane)
                            )


@njit(
    "void(REAL[:,:,:,::1], int64, int64, int64[::1], int64, int64[:,::1], REAL[:,::1],"
    "REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1],"
    "float64[::1], REAL[:,:,::1],"
    "REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1])",
    fastmath=MODE, error_model="numpy", nogil=True, cache=True,
)
def adjoint(
    slabs, begin_at, end_at, chosen, start, patch, position, quaternion, fine, coarse, bound,
    numbers, density, plan, windows,
    to_position, to_quaternion, to_fine, to_coarse, to_numbers, to_density,
):
    """Pull gradients in slabs (C, K, Gy, Gx) back to some of the chosen bodies."""
    pitch_y, pitch_x, slab = plan[0], plan[1], plan[4]
    py, px = REAL(pitch_y), REAL(pitch_x)
    least = REAL(1e-4 * min(pitch_y, pitch_x))
    tall, wide, points = _space(patch, begin_at, end_at, chosen, windows)
    line = np.empty((2, PIECES, points), dtype=REAL)
    space = np.empty(8 * PIECES * tall * wide, dtype=REAL)
    spans = np.empty((tall, 2), dtype=np.int64)
    ends = np.empty((4, wide), dtype=REAL)
    numbers_kept = _kept_numbers(fine.shape[1])
    keeps = np.empty((2, numbers_kept + _room(fine.shape[1])), dtype=REAL)
    to_kept = np.empty(numbers_kept, dtype=REAL)
    to = np.empty(2, dtype=REAL)
    for j in range(begin_at, end_at):
        p = chosen[j]
        row, column, height, width, first, last, samples = patch[p]
        share, factor, squeeze = numbers[p, 0], numbers[p, 1], numbers[p, 2]
        less = samples // 2
        mixes = share > REAL(0)
        size = PIECES * height * width
        span = spans[:height]
        span[:, 0] = width
        span[:, 1] = 0
        every = space[: 8 * size]
        every[:] = REAL(0)
        levels = every.reshape((8, PIECES, height, width))
        half, middle, other, second = levels[0], levels[1], levels[2], levels[3]
        to_half, to_product, to_other, to_second = levels[4], levels[5], levels[6], levels[7]
        x0 = REAL(column * pitch_x + plan[3] - position[p, 0])
        y0 = REAL(row * pitch_y + plan[2] - position[p, 1])
        for k in range(2 if mixes else 1):
            cell = windows[less if k else samples, 0, 1]
            drawn = coarse[p] if k else fine[p]
            _particle(quaternion[p], drawn, py * cell, px * cell, keeps[k])
            _level(
                less if k else samples, windows, x0, y0, 0, py, px, bound[p], keeps[k], line,
                levels[2 * k], levels[2 * k + 1], span,
            )
        to[:] = REAL(0)
        to_z = REAL(0)
        to_share = REAL(0)
        to_factor = REAL(0)
        level = REAL((position[p, 2] / slab - plan[5]) - first)
        scale = REAL(squeeze / slab)
        for r in range(height):
            begin, end = span[r, 0], span[r, 1]
            if end <= begin:
                continue
            n = end - begin
            low, high, to_low, to_high = ends[0, :n], ends[1, :n], ends[2, :n], ends[3, :n]
            for k in range(PIECES):
                h, z = half[k, r, begin:end], middle[k, r, begin:end]
                h_coarse, z_coarse = other[k, r, begin:end], second[k, r, begin:end]
                _middles(samples, least, h, z)
                if mixes:
                    _middles(less, least, h_coarse, z_coarse)
                lowest, highest = REAL(1e9), REAL(-1e9)
                for i in range(n):
                    reach, place = h[i] * factor, z[i]
                    if mixes:
                        reach += share * (h_coarse[i] - reach)
                        place += share * (z_coarse[i] - place)
                    low[i] = level + (place - reach) * scale
                    high[i] = level + (place + reach) * scale
                    to_low[i] = REAL(0)
                    to_high[i] = REAL(0)
                    # An empty chord has derivatives too: in where it begins to open.
                    lowest = min(lowest, min(low[i], high[i]))
                    highest = max(highest, max(low[i], high[i]))
                a = max(max(int(floor(lowest)), 0), start - first)
                b = min(min(int(ceil(highest)), last - first), start + slabs.shape[1] - 1 - first)
                for m in range(a, b + 1):
                    plane = REAL(m)
                    for c in range(slabs.shape[0]):
                        given = slabs[c, first + m - start, row + r, column + begin : column + end]
                        d = density[c, p]
                        total = REAL(0)
                        for i in range(n):
                            g = given[i]
                            under, over = low[i] - plane, high[i] - plane
                            total += g * (_integrated(over) - _integrated(under))
                            to_low[i] -= g * d * max(REAL(1) - abs(under), REAL(0))
                            to_high[i] += g * d * max(REAL(1) - abs(over), REAL(0))
                        to_density[c, p] += total
                for i in range(n):
                    to_middle = (to_low[i] + to_high[i]) * scale
                    to_reach = (to_high[i] - to_low[i]) * scale
                    to_z += to_low[i] + to_high[i]
                    own = REAL(1)
                    if mixes:
                        to_share += to_reach * (h_coarse[i] - h[i] * factor)
                        to_share += to_middle * (z_coarse[i] - z[i])
                        own = REAL(1) - share
                        to_h, to_p = to_reach * share, to_middle * share
                        if less > 1:
                            to_p /= h_coarse[i] + copysign(least / REAL(less * less), h_coarse[i])
                            to_h -= to_p * z_coarse[i]
                        to_other[k, r, begin + i], to_second[k, r, begin + i] = to_h, to_p
                    to_factor += to_reach * own * h[i]
                    to_h, to_p = to_reach * own * factor, to_middle * own
                    if samples > 1:
                        to_p /= h[i] + copysign(least / REAL(samples * samples), h[i])
                        to_h -= to_p * z[i]
                    to_half[k, r, begin + i], to_product[k, r, begin + i] = to_h, to_p
        for k in range(2 if mixes else 1):
            cell = windows[less if k else samples, 0, 1]
            drawn = coarse[p] if k else fine[p]
            to_kept[:] = REAL(0)
            _level_adjoint(
                less if k else samples, windows, x0, y0, py, px, bound[p], keeps[k], line,
                levels[4 + 2 * k], levels[5 + 2 * k], to_kept, to,
            )
            _particle_adjoint(
                quaternion[p], drawn, py * cell, px * cell, to_kept, to_quaternion[p],
                to_coarse[p] if k else to_fine[p],
            )
        to_position[p, 0] += to[0]
        to_position[p, 1] += to[1]
        to_position[p, 2] += to_z / REAL(slab)
        to_numbers[p, 0] += to_share
        to_numbers[p, 1] += to_factor
'''

SURVEY = '''
@njit(
    "void(int64[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1], REAL[:,::1],"
    "REAL[:,::1], REAL[::1], float64[::1], REAL[:,:,::1], REAL[:,::1], REAL[:,::1],"
    "float32[:,::1], int64[:,::1], int64[:,::1], boolean[::1])",
    fastmath=MODE, error_model="numpy", nogil=True, cache=True,
)
def survey(
    patch, position, quaternion, fine, coarse, bound, numbers, contrast, plan, windows,
    path, opd, top, uppermost, areas, owned,
):
    """Add what bodies cover to maps (Y, X), and say what each would own if it were alone."""
    pitch_y, pitch_x = plan[0], plan[1]
    py, px = REAL(pitch_y), REAL(pitch_x)
    least = REAL(1e-4 * min(pitch_y, pitch_x))
    everyone = np.arange(len(patch))
    tall, wide, points = _space(patch, 0, len(patch), everyone, windows)
    line = np.empty((3, PIECES, points), dtype=REAL)
    space = np.empty((4 * PIECES + 2) * tall * wide, dtype=REAL)
    spans = np.empty((tall, 2), dtype=np.int64)
    columns = fine.shape[1]
    kept = np.empty(_seen_kept_numbers(columns) + _seen_room(columns), dtype=REAL)
    for p in everyone:
        row, column, height, width, number, begin, samples = patch[p]
        share, factor = numbers[p, 0], numbers[p, 1]
        area = height * width
        size = PIECES * area
        levels = space[: 4 * size].reshape((4, PIECES, height, width))
        covers = space[4 * size : 4 * size + 2 * area].reshape((2, height, width))
        half, middle, other, second = levels[0], levels[1], levels[2], levels[3]
        cover = covers[0]
        x0 = REAL(column * pitch_x - position[p, 0])
        y0 = REAL(row * pitch_y - position[p, 1])
        mixes = share > REAL(0)
        less = samples // 2
        for k in range(2 if mixes else 1):
            at = less if k else samples
            cell = windows[at, 0, 1]
            _seen_particle(
                quaternion[p], coarse[p] if k else fine[p], py * cell, px * cell, kept
            )
            _seen_level(
                at, windows, x0, y0, 0, py, px, bound[p], kept, line,
                levels[2 * k], levels[2 * k + 1], spans[:height], covers[k],
            )
            for i in range(PIECES):
                for r in range(height):
                    _middles(at, least, levels[2 * k, i, r], levels[2 * k + 1, i, r])
        peak, fainter = REAL(0), sqrt(factor)
        for r in range(height):
            for c in range(width):
                seen = cover[r, c] * fainter
                if mixes:
                    seen += share * (covers[1, r, c] - seen)
                cover[r, c] = seen
                peak = max(peak, seen)
        limit = min(peak, REAL(1)) / REAL(2)
        for r in range(height):
            y = row + r
            for c in range(width):
                x = column + c
                mine = cover[r, c] > limit
                owned[begin + r * width + c] = mine
                areas[p, 0] += mine
                if y < 0 or y >= path.shape[0] or x < 0 or x >= path.shape[1]:
                    continue
                length, highest, lead = REAL(0), -np.inf, REAL(0)
                for k in range(PIECES):
                    reach, place = half[k, r, c] * factor, middle[k, r, c]
                    if mixes:
                        reach += share * (other[k, r, c] - reach)
                        place += share * (second[k, r, c] - place)
                    length += REAL(2) * reach
                    upper = position[p, 2] + place + reach
                    if k == 0:
                        lead = upper
                    if reach > REAL(0):
                        highest = max(highest, upper)
                path[y, x] += length
                opd[y, x] += length * contrast[p]
                if not mine:
                    continue
                areas[p, 1] += 1
                height_here = np.float32(lead if highest == -np.inf else highest)
                if height_here > top[y, x] or (
                    height_here == top[y, x] and number > uppermost[y, x]
                ):
                    top[y, x] = height_here
                    uppermost[y, x] = number
'''
"""What the bodies of a shape hide and own, as `osog.geometry.gbuffer` has it."""

__all__ = ["LEVEL", "LOOPS", "SURVEY"]
