"""Chords of boxes and convex polyhedra, whose path may jump at the silhouette.

The pixel mean is the covered fraction of the pixel times the path at the mean covered depth
behind the silhouette; a plain point sample would have no gradient at a vertical wall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.geometry.edges import step_mean

if TYPE_CHECKING:
    from collections.abc import Callable

_GAUSS = 0.5 / 3**0.5
"""Nodes of the two-point Gauss rule on the interval of length 1."""
_HAIR = 0.03
"""Least softening of a wall, as a part of the pixel: a wall exactly on the border of two pixels
would otherwise have a gradient in both or in none of them, as rounding decides."""
_SHORT = 0.05
"""Length of a silhouette's edge, as a part of the pixel, below which its direction passes no
gradient; 1 would leave 1 % of the gradient out, and 15 % for boxes that lie almost flat."""
_VERTICAL = 1e-6
"""A face whose normal has a smaller z component gates the silhouette only."""


def box(
    x: Tensor, y: Tensor, rotation: Tensor, size: Tensor, pitch_um: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Path through boxes; the silhouette is the zonogon of the three projected axes.

    Parameters
    ----------
    x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
        µm from the centres.
    rotation : Tensor, shape (n, 3, 3)
    size : Tensor, shape (n, 3)
        Half edges in µm.
    pitch_um : tuple of float
        (y, x).

    Returns
    -------
    half_path, middle, coverage : Tensor, shape (..., n, P, Q)
        As in `quadrics.ellipsoid`.
    """
    py, px = pitch_um
    normals = zonogon_normals(rotation, size, min(px, py))
    supports = zonogon_supports(normals, rotation, size)

    depth = level = line_x = line_y = None
    for i in range(3):
        n_x, n_y = normals[:, i, 0, None, None], normals[:, i, 1, None, None]
        offset = n_x * x + n_y * y
        distance = supports[:, i, None, None] - offset.abs()
        if depth is None or level is None or line_x is None or line_y is None:
            depth, level = distance, offset
            line_x, line_y = n_x.expand_as(offset), n_y.expand_as(offset)
            continue
        binds = distance < depth
        depth, level = torch.where(binds, distance, depth), torch.where(binds, offset, level)
        line_x, line_y = torch.where(binds, n_x, line_x), torch.where(binds, n_y, line_y)
    assert depth is not None and level is not None and line_x is not None and line_y is not None
    side = torch.copysign(level.new_ones(()), level.detach())
    line_x, line_y = line_x * side, line_y * side

    reach = (rotation[:, 2, :].abs() * size).sum(-1)[:, None, None]
    e_z = rotation[:, 2, :]
    tiny = e_z.new_full((), _VERTICAL)
    e_z = torch.where(e_z.abs() < tiny, torch.copysign(tiny, e_z), e_z)
    half = size / e_z.abs()
    slopes = rotation[:, :2, :] / e_z[:, None, :]

    def surfaces(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        upper, lower = reach, reach
        for j in range(3):
            flat = half[:, j, None, None]
            sheared = slopes[:, 0, j, None, None] * x + slopes[:, 1, j, None, None] * y
            upper = torch.minimum(upper, flat - sheared)
            lower = torch.minimum(lower, flat + sheared)
        return upper, lower

    return _mean(x, y, line_x, line_y, depth, surfaces, pitch_um)


def silhouette_half_width(rotation: Tensor, size: Tensor) -> Tensor:
    """Half of the smallest width (n,) of the silhouettes of boxes, in µm.

    Parameters
    ----------
    rotation : Tensor, shape (n, 3, 3)
    size : Tensor, shape (n, 3)
        Half edges in µm.
    """
    return zonogon_supports(zonogon_normals(rotation, size, 0.0), rotation, size).amin(-1)


def zonogon_supports(normals: Tensor, rotation: Tensor, size: Tensor) -> Tensor:
    """Distances (n, 3) of the pairs of silhouette edges from the centre."""
    reach = (normals @ (rotation[:, :2, :] * size[:, None, :])).abs()
    # An edge's own generator lies along it and adds nothing.
    along = vertical_axes(rotation)
    own = torch.eye(3, dtype=torch.bool, device=size.device) & ~along[..., None]
    return torch.where(own, 0.0, reach).sum(-1)


def vertical_axes(rotation: Tensor) -> Tensor:
    """Tell (n, 3) which body axes lie along the line of sight."""
    return (rotation[:, :2, :] ** 2).sum(-2) < 1e-8


def zonogon_normals(rotation: Tensor, size: Tensor, pitch_um: float) -> Tensor:
    """Normals (n, 3, 2) of the silhouette's three pairs of edges.

    An edge much shorter than a pixel keeps its direction but passes no gradient through it:
    that direction turns infinitely fast where the axis points along the line of sight.
    """
    projected = rotation[:, :2, :].transpose(-1, -2)
    length2 = (projected**2).sum(-1, keepdim=True)
    along_z = vertical_axes(rotation)[..., None]
    stand_in = projected.new_tensor((1.0, 0.0)).expand_as(projected)
    direction = torch.where(along_z, stand_in, projected)
    direction = direction / (direction**2).sum(-1, keepdim=True).sqrt()
    # Where one axis is along the line of sight, its edges have vanished: repeat a neighbour's.
    direction = torch.where(along_z, direction.roll(-1, dims=-2), direction)
    normals = torch.stack([-direction[..., 1], direction[..., 0]], dim=-1)
    short = (length2.sqrt() * size[..., None]).detach() * 2 < _SHORT * pitch_um
    return torch.where(short, normals.detach(), normals)


def polyhedron(
    x: Tensor,
    y: Tensor,
    rotation: Tensor,
    size: Tensor,
    planes: Tensor,
    mask: Tensor,
    pitch_um: tuple[float, float],
) -> tuple[Tensor, Tensor, Tensor]:
    """Path through convex polyhedra n · (x / size) ≤ d.

    The upper surface is the minimum over faces that look up, the lower one the maximum over
    faces that look down; the silhouette comes from eliminating z (Fourier–Motzkin): one line
    per pair of an upward and a downward face, of which only those that touch are kept.

    Parameters
    ----------
    x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
        µm from the positions.
    rotation : Tensor, shape (n, 3, 3)
    size : Tensor, shape (n, 3)
        Scale factors.
    planes : Tensor, shape (n, F, 4)
    mask : Tensor, shape (n, F), bool
    pitch_um : tuple of float
        (y, x).

    Returns
    -------
    half_path, middle, coverage : Tensor, shape (..., n, P, Q)
        As in `quadrics.ellipsoid`.
    """
    py, px = pitch_um
    normals, offsets = world_planes(rotation, size, planes, mask)
    lines, bounds, lengths = silhouette(normals, offsets, mask)
    short = (lengths < _SHORT * min(px, py))[..., None]
    lines = torch.where(short, lines.detach(), lines)

    depth = line_x = line_y = None
    for e in range(lines.shape[1]):
        n_x, n_y = lines[:, e, 0, None, None], lines[:, e, 1, None, None]
        distance = (bounds[:, e, None, None] - n_x * x) - n_y * y
        if depth is None:
            depth, line_x, line_y = distance, n_x.expand_as(distance), n_y.expand_as(distance)
            continue
        assert line_x is not None and line_y is not None
        binds = distance < depth
        depth = torch.where(binds, distance, depth)
        line_x, line_y = torch.where(binds, n_x, line_x), torch.where(binds, n_y, line_y)
    assert depth is not None and line_x is not None and line_y is not None
    n_z = normals[..., 2]
    limit = _far(offsets)
    up = _faces(normals, offsets, mask & (n_z > _VERTICAL), limit)
    down = _faces(normals, offsets, mask & (n_z < -_VERTICAL), limit)

    def surfaces(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return _envelope(x, y, *up, limit), _envelope(x, y, *down, limit)

    return _mean(x, y, line_x, line_y, depth, surfaces, pitch_um)


def _far(offsets: Tensor) -> Tensor:
    """Bound (n,) that no surface of the particle reaches."""
    return 1e3 * offsets.detach().abs().amax(-1) + 1


def _faces(normals: Tensor, offsets: Tensor, chosen: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
    """Heights (n, f) above the position and slopes (n, f, 2) of the chosen faces."""
    count = int(chosen.sum(-1).max())
    order = torch.argsort(chosen.to(torch.int8), dim=-1, descending=True, stable=True)[:, :count]
    valid = torch.gather(chosen, 1, order)
    n = torch.gather(normals, 1, order[..., None].expand(-1, -1, 3))
    d = torch.gather(offsets, 1, order)
    steep = torch.where(valid, n[..., 2].abs(), 1.0)
    height = torch.where(valid, d / steep, far[:, None])
    return height, torch.where(valid[..., None], n[..., :2] / steep[..., None], 0.0)


def _envelope(x: Tensor, y: Tensor, height: Tensor, slope: Tensor, far: Tensor) -> Tensor:
    """Minimum over faces of |z|, each seen from its own side."""
    surface = far[:, None, None]
    for f in range(height.shape[1]):
        face = height[:, f, None, None] - slope[:, f, 0, None, None] * x
        surface = torch.minimum(surface, face - slope[:, f, 1, None, None] * y)
    return torch.maximum(surface, -far[:, None, None])


def world_planes(
    rotation: Tensor, size: Tensor, planes: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Scale and turn half-spaces into the world frame.

    Parameters
    ----------
    rotation : Tensor, shape (n, 3, 3)
    size : Tensor, shape (n, 3)
    planes : Tensor, shape (n, F, 4)
    mask : Tensor, shape (n, F), bool

    Returns
    -------
    normals : Tensor, shape (n, F, 3)
        Unit length; (0, 0, 1) for padding.
    offsets : Tensor, shape (n, F)
        µm from the particle's position; large for padding.
    """
    scaled = planes[..., :3] / size[:, None, :]
    unit = scaled.new_tensor((0.0, 0.0, 1.0)).expand_as(scaled)
    scaled = torch.where(mask[..., None], scaled, unit)
    length = (scaled**2).sum(-1).sqrt()
    normals = torch.where(
        mask[..., None], (scaled / length[..., None]) @ rotation.transpose(-1, -2), unit
    )
    offsets = torch.where(mask, planes[..., 3] / length, planes.new_zeros(()))
    return normals, offsets


def silhouette(normals: Tensor, offsets: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Edges of the projection of convex polyhedra onto the image plane.

    Parameters
    ----------
    normals : Tensor, shape (n, F, 3)
        World frame, unit length.
    offsets : Tensor, shape (n, F)
    mask : Tensor, shape (n, F), bool

    Returns
    -------
    lines : Tensor, shape (n, E, 2)
        Outward unit normals in the image plane.
    bounds : Tensor, shape (n, E)
        Inside where line · r ≤ bound, µm; rows of padding have a bound far outside.
    lengths : Tensor, shape (n, E)
        Lengths of the edges in µm, detached; 0 for padding.
    """
    with torch.no_grad():
        first, second, kept, lengths = _touching_pairs(normals, offsets, mask)
    rows = torch.arange(len(normals), device=normals.device)[:, None]
    a, b = _eliminate(
        normals[rows, first],
        offsets[rows, first],
        normals[rows, second],
        offsets[rows, second],
        first == second,
    )
    padding = a.new_tensor((1.0, 0.0)).expand_as(a)
    a = torch.where(kept[..., None], a, padding)
    b = torch.where(kept, b, _far(offsets)[:, None])
    length = (a**2).sum(-1).sqrt()
    return a / length[..., None], b / length, lengths


def _eliminate(
    up: Tensor, up_offset: Tensor, down: Tensor, down_offset: Tensor, alone: Tensor
) -> tuple[Tensor, Tensor]:
    """Half-plane a · r ≤ b implied by an upward and a downward face, or one vertical face."""
    weight_up = torch.where(alone, 1.0, down[..., 2].abs())
    weight_down = torch.where(alone, 0.0, up[..., 2])
    a = up[..., :2] * weight_up[..., None] + down[..., :2] * weight_down[..., None]
    return a, up_offset * weight_up + down_offset * weight_down


def _touching_pairs(
    normals: Tensor, offsets: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pairs of faces whose common edge lies on the silhouette."""
    if normals.device.type != "mps":
        normals, offsets = normals.double(), offsets.double()
    n, faces, _ = normals.shape
    n_z = normals[..., 2]
    up, down = mask & (n_z > _VERTICAL), mask & (n_z < -_VERTICAL)
    vertical = mask & ~up & ~down
    same = torch.eye(faces, dtype=torch.bool, device=normals.device)
    valid = (up[:, :, None] & down[:, None, :]) | (same & vertical[:, :, None])
    first, second = torch.meshgrid(
        torch.arange(faces, device=normals.device),
        torch.arange(faces, device=normals.device),
        indexing="ij",
    )
    first, second = first.reshape(-1), second.reshape(-1)
    a, b = _eliminate(
        normals[:, first],
        offsets[:, first],
        normals[:, second],
        offsets[:, second],
        first == second,
    )
    length = (a**2).sum(-1).sqrt()
    valid = valid.reshape(n, -1) & (length > 1e-9)
    length = torch.where(valid, length, 1.0)
    a, b = a / length[..., None], b / length

    # Work on the valid candidates only, packed to the front.
    count = int(valid.sum(-1).max())
    order = torch.argsort(valid.to(torch.int8), dim=-1, descending=True, stable=True)[:, :count]
    valid = torch.gather(valid, 1, order)
    a = torch.gather(a, 1, order[..., None].expand(-1, -1, 2))
    b = torch.gather(b, 1, order)
    block = max(1, int(2e6 // (count * count)))
    lengths = torch.cat(
        [
            _edge_lengths(a[i : i + block], b[i : i + block], valid[i : i + block])
            for i in range(0, n, block)
        ]
    )
    scale = offsets.abs().amax(-1, keepdim=True)
    kept = valid & (lengths > 1e-6 * scale)
    edges = int(kept.sum(-1).max())
    best = torch.argsort(kept.to(torch.int8), dim=-1, descending=True, stable=True)[:, :edges]
    kept, order = torch.gather(kept, 1, best), torch.gather(order, 1, best)
    lengths = torch.where(kept, torch.gather(lengths, 1, best), 0.0)
    return first[order], second[order], kept, lengths


def _edge_lengths(a: Tensor, b: Tensor, valid: Tensor) -> Tensor:
    """Length of the part of every line a · r = b that all other half-planes admit."""
    count = a.shape[1]
    # Row k walks along line k: r = b_k a_k + τ t_k with t = (−a_y, a_x).
    dot = a @ a.transpose(-1, -2)
    cross = a[:, :, None, 0] * a[:, None, :, 1] - a[:, :, None, 1] * a[:, None, :, 0]
    room = b[:, None, :] - dot * b[:, :, None]
    tolerance = 1e-9 * b.abs().amax(-1)[:, None, None].clamp_min(1e-30)
    parallel = cross.abs() < 1e-9
    at = room / torch.where(parallel, 1.0, cross)
    other = valid[:, None, :] & ~torch.eye(count, dtype=torch.bool, device=a.device)
    infinite = torch.full((), torch.inf, dtype=a.dtype, device=a.device)
    stop = torch.where(other & ~parallel & (cross > 0), at, infinite).amin(-1)
    start = torch.where(other & ~parallel & (cross < 0), at, -infinite).amax(-1)
    earlier = torch.ones(count, count, dtype=torch.bool, device=a.device).tril(-1)
    twin = parallel & (dot > 0) & (room.abs() <= tolerance) & earlier
    excluded = (other & ((parallel & (room < -tolerance)) | twin)).any(-1)
    return torch.where(excluded, -1.0, stop - start)


def _mean(
    x: Tensor,
    y: Tensor,
    line_x: Tensor,
    line_y: Tensor,
    depth: Tensor,
    surfaces: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    pitch_um: tuple[float, float],
) -> tuple[Tensor, Tensor, Tensor]:
    """Half path, middle and coverage from two Gauss points in the covered part of each pixel.

    The points lie along the normal of the silhouette. One point at the mean depth would read
    too much on steep flanks, since the path is concave. For random boxes of 2 × 1.2 × 0.8 µm the
    error behind a pupil of NA 0.8 is 0.075 % (worst 0.4 %).

    Parameters
    ----------
    x, y : Tensor
        µm from the positions.
    line_x, line_y : Tensor
        Outward normal of the nearest edge of the silhouette.
    depth : Tensor
        Distance in µm behind that edge, negative outside.
    surfaces : callable
        Heights of the upper surface above and of the lower surface below the position.
    pitch_um : tuple of float
        (y, x).
    """
    py, px = pitch_um
    side_x, side_y = line_x.abs() * px, line_y.abs() * py
    wide = torch.maximum(side_x, side_y)
    narrow = torch.maximum(torch.minimum(side_x, side_y), _HAIR * wide)
    coverage = step_mean(depth, wide, narrow)
    if px == py:
        half_width: Tensor | float = px / 2
    else:
        half_width = (side_x * side_x + side_y * side_y).sqrt() / 2
    # The covered part of the pixel reaches from `near` to `far` behind the edge; where a mere
    # corner of the pixel is covered, its mean depth counts.
    near = (depth - half_width).clamp_min(0)
    far = torch.maximum(depth + half_width, (depth + (wide + narrow) / 2) * (2 / 3))
    # Depth grows against the outward normal.
    centre = depth - (near + far) / 2
    spread = far - near
    path: Tensor | float = 0.0
    moment: Tensor | float = 0.0
    for node in (-_GAUSS, _GAUSS):
        shift = centre + node * spread
        upper, lower = surfaces(x + shift * line_x, y + shift * line_y)
        part = (upper + lower).clamp_min(0)
        path, moment = path + part, moment + part * (upper - lower)
    assert isinstance(path, Tensor)
    # Beyond the silhouette the surfaces of a point have no meaning, so faint pixels lean
    # towards the particle's own z.
    return path * (coverage / 4), moment / (2 * path + 2e-4 * min(pitch_um)), coverage
