"""The kernels around the formulas of a shape on a GPU: sub-samples, splat, and the adjoint.

They are source text, as `loops`, and compute the same. A program draws a tile of the patch of one
particle; sums over particles are integers, which give the same bits in any order. Backward, a
program takes one particle at one level of sub-samples, so that all its sums have a fixed order.
PIECE stands for a number of a piece of a line of sight: a line that names it, and what stands
between BEGIN_PIECE and END_PIECE, is written once for each. Other words in capitals on lines of
their own are written by `gpu_source`.
"""

KERNELS = '''"""Kernels that draw one shape; written by osog, not by hand."""
import torch
import triton
import triton.language as tl

SIDE = 8  # pixels of a tile, either way
WARPS = 2
COUNTS = [
    "n", "base", "start", "slabs", "rows", "columns", "across", "size_columns", "window_columns",
    "tiles",
]


FORMULAS


@triton.jit
def _integrated(u):
    held = tl.minimum(tl.maximum(u, -1.0), 1.0)
    return held - 0.5 * held * tl.abs(held)


@triton.jit
def _with_sign(size, sign):
    return tl.where(sign < 0, -size, size)


@triton.jit
def _levels(
    p, n, x, y, py, px, least, quaternion, sizes, windows, samples, levels,
    size_columns, window_columns,
):
    """Half paths and middles at a particle's own level of sub-samples and at the coarser one."""
    zero = tl.zeros_like(x)
    halfPIECE = zero
    middlePIECE = zero
    otherPIECE = zero
    secondPIECE = zero
    for k in range(levels):
        side = tl.where(k == 0, samples, samples // 2)
        window = windows + side * 2 * window_columns
        count = tl.load(window).to(tl.int32)
        cell = tl.load(window + 1)
        q = quaternion + 4 * p
        s = sizes + (k * n + p).to(tl.int64) * size_columns
        KEPT, none = _particle(q, s, py * cell, px * cell)
        mixed = tl.where(side == 1, 0.0, 1.0)
        step_x, step_y = px / side, py / side
        hPIECE = zero
        mPIECE = zero
        for f in range(count):
            yy = y + (f - 0.5 * (count - 1)) * step_y
            across = tl.load(window + window_columns + f)
            for i in range(count):
                w = across * tl.load(window + window_columns + i)
                xx = x + (i - 0.5 * (count - 1)) * step_x
                EACH(aPIECE, bPIECE) = _path(xx, yy, KEPT)
                mPIECE += w * (1.0 - mixed + mixed * aPIECE) * bPIECE
                hPIECE += w * aPIECE
        small = least / (side * side)
        mPIECE = tl.where(side > 1, mPIECE / (hPIECE + _with_sign(small, hPIECE)), mPIECE)
        halfPIECE = tl.where(k == 0, hPIECE, halfPIECE)
        middlePIECE = tl.where(k == 0, mPIECE, middlePIECE)
        otherPIECE = tl.where(k == 0, otherPIECE, hPIECE)
        secondPIECE = tl.where(k == 0, secondPIECE, mPIECE)
    return EACH(halfPIECE, middlePIECE, otherPIECE, secondPIECE)


@triton.jit
def _ends(half, middle, other, second, share, factor, level, scale):
    reach = half * factor
    reach += share * (other - reach)
    place = middle + share * (second - middle)
    return level + (place - reach) * scale, level + (place + reach) * scale


@triton.jit
def _lanes(tile, across, height, width, SIDE: tl.constexpr):
    lane = tl.arange(0, SIDE * SIDE)
    r = (tile // across) * SIDE + lane // SIDE
    c = (tile % across) * SIDE + lane % SIDE
    return r, c, (r < height) & (c < width)


@triton.jit
def _near(x, y, bound, p, py, px, samples, inside):
    """Whether any pixel meets the strip that holds the body."""
    ux, uy, reach = tl.load(bound + 3 * p), tl.load(bound + 3 * p + 1), tl.load(bound + 3 * p + 2)
    margin = 0.3 + tl.where(samples > 1, 2.0, 1.0) / samples
    # The points of a pixel lie up to 0.82 of its sides beside its middle, in both directions.
    far = tl.abs(ux * y - uy * x) > reach + tl.maximum(py, px) * (margin + 1.2)
    return tl.max(tl.where(inside & (far == 0), 1, 0), axis=0) > 0


@triton.jit(do_not_specialize=COUNTS)
def _deposit(
    out, patch, position, quaternion, sizes, bound, numbers, density, plan, windows,
    n, base, start, slabs, rows, columns, across, size_columns, window_columns, tiles,
    CHANNELS: tl.constexpr, SIDE: tl.constexpr, SCALE: tl.constexpr,
):
    # One axis: along the others a GPU takes 65,535 programs at most, fewer than a large body needs.
    p = base + tl.program_id(0) // tiles
    tile = tl.program_id(0) % tiles
    row, column = tl.load(patch + 7 * p), tl.load(patch + 7 * p + 1)
    height, width = tl.load(patch + 7 * p + 2), tl.load(patch + 7 * p + 3)
    first, last = tl.load(patch + 7 * p + 4).to(tl.int32), tl.load(patch + 7 * p + 5).to(tl.int32)
    samples = tl.load(patch + 7 * p + 6).to(tl.int32)
    r, c, inside = _lanes(tile, across, height, width, SIDE)
    pitch_y, pitch_x = tl.load(plan), tl.load(plan + 1)
    slab = tl.load(plan + 4)
    py, px = pitch_y.to(KIND), pitch_x.to(KIND)
    least = (tl.minimum(pitch_y, pitch_x) * 1e-4).to(KIND)
    y0 = (row * pitch_y + tl.load(plan + 2) - tl.load(position + 3 * p + 1)).to(KIND)
    x0 = (column * pitch_x + tl.load(plan + 3) - tl.load(position + 3 * p)).to(KIND)
    x, y = x0 + c.to(KIND) * px, y0 + r.to(KIND) * py
    if _near(x, y, bound, p, py, px, samples, inside):
        share, factor = tl.load(numbers + 3 * p), tl.load(numbers + 3 * p + 1)
        levels = tl.where(share > 0, 2, 1)
        EACH(halfPIECE, middlePIECE, otherPIECE, secondPIECE) = _levels(
            p, n, x, y, py, px, least, quaternion, sizes, windows, samples, levels,
            size_columns, window_columns,
        )
        level = (tl.load(position + 3 * p + 2) / slab - tl.load(plan + 5) - first).to(KIND)
        scale = (tl.load(numbers + 3 * p + 2) / slab).to(KIND)
        plane = rows.to(tl.int64) * columns
        address = (row + r) * columns + column + c
        BEGIN_PIECE
        low, high = _ends(
            halfPIECE, middlePIECE, otherPIECE, secondPIECE, share, factor, level, scale
        )
        there = inside & (low != high)
        lowest = tl.min(tl.where(there, tl.minimum(low, high), 1e9), axis=0)
        highest = tl.max(tl.where(there, tl.maximum(low, high), -1e9), axis=0)
        begin = tl.maximum(tl.maximum(tl.floor(lowest).to(tl.int32), 0), start - first)
        end = tl.minimum(tl.ceil(highest).to(tl.int32), last - first)
        end = tl.minimum(end, start + slabs - 1 - first)
        for m in range(begin, end + 1):
            part = _integrated(high - m) - _integrated(low - m)
            where = (first + m - start) * plane + address
            for channel in tl.static_range(CHANNELS):
                d = tl.load(density + channel * n + p)
                value = tl.floor(part * d * SCALE + 0.5).to(tl.int64)
                target = out + (channel * slabs) * plane + where
                tl.atomic_add(target, value, mask=there & (value != 0), sem="relaxed")
        END_PIECE


@triton.jit(do_not_specialize=COUNTS)
def _adjoint(
    slab_gradients, patch, position, quaternion, sizes, bound, numbers, density, plan, windows,
    to_position, to_quaternion, to_sizes, to_numbers, to_density,
    n, base, start, slabs, rows, columns, across, size_columns, window_columns,
    CHANNELS: tl.constexpr, SIDE: tl.constexpr,
):
    p = base + tl.program_id(0)
    k = tl.program_id(1)
    share, factor = tl.load(numbers + 3 * p), tl.load(numbers + 3 * p + 1)
    levels = tl.where(share > 0, 2, 1)
    if k < levels:
        at = (k * n + p).to(tl.int64)
        row, column = tl.load(patch + 7 * p), tl.load(patch + 7 * p + 1)
        height, width = tl.load(patch + 7 * p + 2), tl.load(patch + 7 * p + 3)
        first = tl.load(patch + 7 * p + 4).to(tl.int32)
        last = tl.load(patch + 7 * p + 5).to(tl.int32)
        samples = tl.load(patch + 7 * p + 6).to(tl.int32)
        pitch_y, pitch_x = tl.load(plan), tl.load(plan + 1)
        slab = tl.load(plan + 4)
        py, px = pitch_y.to(KIND), pitch_x.to(KIND)
        least = (tl.minimum(pitch_y, pitch_x) * 1e-4).to(KIND)
        y0 = (row * pitch_y + tl.load(plan + 2) - tl.load(position + 3 * p + 1)).to(KIND)
        x0 = (column * pitch_x + tl.load(plan + 3) - tl.load(position + 3 * p)).to(KIND)
        level = (tl.load(position + 3 * p + 2) / slab - tl.load(plan + 5) - first).to(KIND)
        scale = (tl.load(numbers + 3 * p + 2) / slab).to(KIND)
        plane = rows.to(tl.int64) * columns
        side = tl.where(k == 0, samples, samples // 2)
        window = windows + side * 2 * window_columns
        count = tl.load(window).to(tl.int32)
        cell = tl.load(window + 1)
        mixed = tl.where(side == 1, 0.0, 1.0)
        step_x, step_y = px / side, py / side
        small = least / (side * side)
        own = tl.where(k == 0, 1.0 - share, share)
        own_factor = tl.where(k == 0, factor, 1.0)
        q = quaternion + 4 * p
        s = sizes + at * size_columns
        KEPT, none = _particle(q, s, py * cell, px * cell)
        zero = tl.zeros([SIDE * SIDE], KIND)
        to_x, to_y, to_z = zero, zero, zero
        to_share, to_factor = zero, zero
        to_d0, to_d1 = zero, zero
        BEGIN_SUMS
        for tile in range(across * ((height.to(tl.int32) + SIDE - 1) // SIDE)):
            r, c, inside = _lanes(tile, across, height, width, SIDE)
            x, y = x0 + c.to(KIND) * px, y0 + r.to(KIND) * py
            if _near(x, y, bound, p, py, px, samples, inside):
                EACH(halfPIECE, middlePIECE, otherPIECE, secondPIECE) = _levels(
                    p, n, x, y, py, px, least, quaternion, sizes, windows, samples, levels,
                    size_columns, window_columns,
                )
                address = (row + r) * columns + column + c
                BEGIN_PIECE
                low, high = _ends(
                    halfPIECE, middlePIECE, otherPIECE, secondPIECE, share, factor, level, scale
                )
                lowest = tl.min(tl.where(inside, tl.minimum(low, high), 1e9), axis=0)
                highest = tl.max(tl.where(inside, tl.maximum(low, high), -1e9), axis=0)
                begin = tl.maximum(tl.maximum(tl.floor(lowest).to(tl.int32), 0), start - first)
                end = tl.minimum(tl.ceil(highest).to(tl.int32), last - first)
                end = tl.minimum(end, start + slabs - 1 - first)
                to_low, to_high = zero, zero
                for m in range(begin, end + 1):
                    under, over = low - m, high - m
                    part = _integrated(over) - _integrated(under)
                    tent_low = tl.maximum(1.0 - tl.abs(under), 0.0)
                    tent_high = tl.maximum(1.0 - tl.abs(over), 0.0)
                    where = (first + m - start) * plane + address
                    g = tl.load(slab_gradients + where, mask=inside, other=0.0)
                    d = tl.load(density + p)
                    to_d0 += g * part
                    to_low -= g * d * tent_low
                    to_high += g * d * tent_high
                    if CHANNELS > 1:
                        g = tl.load(slab_gradients + slabs * plane + where, mask=inside, other=0.0)
                        d = tl.load(density + n + p)
                        to_d1 += g * part
                        to_low -= g * d * tent_low
                        to_high += g * d * tent_high
                to_middle = (to_low + to_high) * scale
                to_reach = (to_high - to_low) * scale
                to_z += to_low + to_high
                to_share += to_reach * (otherPIECE - halfPIECE * factor)
                to_share += to_middle * (secondPIECE - middlePIECE)
                to_factor += to_reach * (1.0 - share) * halfPIECE
                h = tl.where(k == 0, halfPIECE, otherPIECE)
                z = tl.where(k == 0, middlePIECE, secondPIECE)
                to_halfPIECE = to_reach * own * own_factor
                to_productPIECE = to_middle * own
                to_productPIECE /= tl.where(side > 1, h + _with_sign(small, h), 1.0)
                to_halfPIECE -= tl.where(side > 1, to_productPIECE * z, 0.0)
                END_PIECE
                for f in range(count):
                    yy = y + (f - 0.5 * (count - 1)) * step_y
                    weight = tl.load(window + window_columns + f)
                    for i in range(count):
                        w = weight * tl.load(window + window_columns + i)
                        xx = x + (i - 0.5 * (count - 1)) * step_x
                        PULL
                        # The place of a sample moves against that of the particle.
                        to_x -= by_x
                        to_y -= by_y
        tl.store(to_position + 3 * at, tl.sum(to_x, axis=0))
        tl.store(to_position + 3 * at + 1, tl.sum(to_y, axis=0))
        END_SUMS
        if k == 0:
            tl.store(to_position + 3 * at + 2, tl.sum(to_z, axis=0) / slab)
            tl.store(to_numbers + 2 * p, tl.sum(to_share, axis=0))
            tl.store(to_numbers + 2 * p + 1, tl.sum(to_factor, axis=0))
            tl.store(to_density + p, tl.sum(to_d0, axis=0))
            if CHANNELS > 1:
                tl.store(to_density + n + p, tl.sum(to_d1, axis=0))


def deposit(out, start, arrays, density, plan, windows, spans, scale):
    """Add bodies as integers of 1 / scale to slabs out (C, K, Gy, Gx), the first one start.

    Spans are begin, end, height and width of runs of patches.
    """
    patch, position, quaternion, sizes, bound, numbers = arrays
    for begin, end, height, width in spans:
        across = -(-width // SIDE)
        tiles = across * -(-height // SIDE)
        _deposit[((end - begin) * tiles,)](
            out, patch, position, quaternion, sizes, bound, numbers, density, plan, windows,
            len(patch), begin, start, out.shape[1], out.shape[2], out.shape[3], across,
            sizes.shape[2], windows.shape[2], tiles,
            CHANNELS=out.shape[0], SIDE=SIDE, SCALE=scale, num_warps=WARPS,
        )


def adjoint(gradients, start, arrays, density, plan, windows, spans):
    """Pull gradients in slabs (C, K, Gy, Gx) back to position, quaternion, sizes, numbers, density.

    The first three are given at both levels of sub-samples.
    """
    patch, position, quaternion, sizes, bound, numbers = arrays
    n = len(patch)
    to = (
        position.new_zeros(2, n, 3), position.new_zeros(2, n, 4), torch.zeros_like(sizes),
        position.new_zeros(n, 2), torch.zeros_like(density),
    )
    for begin, end, height, width in spans:
        _adjoint[(end - begin, 2)](
            gradients, patch, position, quaternion, sizes, bound, numbers, density, plan, windows,
            *to, n, begin, start, gradients.shape[1], gradients.shape[2], gradients.shape[3],
            -(-width // SIDE), sizes.shape[2], windows.shape[2],
            CHANNELS=gradients.shape[0], SIDE=SIDE, num_warps=WARPS,
        )
    return to


def warm_up():
    """Compile for one and for two outputs."""
    real = {"dtype": torch.REAL, "device": "cuda"}
    patch = torch.tensor([[0, 0, 8, 8, 0, 3, 2]], device="cuda")
    arrays = (
        patch, torch.zeros(1, 3, **real), torch.ones(1, 4, **real),
        torch.ones(2, 1, 64, **real), torch.ones(1, 3, **real),
        torch.ones(1, 3, **real),
    )
    plan = torch.ones(6, dtype=torch.float64, device="cuda")
    windows = torch.ones(9, 2, 16, **real)
    for channels in (1, 2):
        out = torch.zeros(channels, 4, 16, 16, dtype=torch.int64, device="cuda")
        density = torch.ones(channels, 1, **real)
        deposit(out, 0, arrays, density, plan, windows, [(0, 1, 8, 8)], 2.0**36)
        adjoint(out.to(torch.REAL), 0, arrays, density, plan, windows, [(0, 1, 8, 8)])
    torch.cuda.synchronize()
'''

__all__ = ["KERNELS"]
