"""Polygons around silhouettes that are not convex."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from osog.geometry.level_sets import LevelShape
    from osog.geometry.shape import Bodies

_CELLS = 200
"""Cells along the longer side of the picture in which entangled silhouettes are followed."""


def around_discs(
    places: Tensor, tangents: Tensor, radii: Tensor, vertices: int, *, round_tips: bool
) -> tuple[Tensor, Tensor]:
    """Polygons (n, V, 2) around tubes seen from above, and which (n,) of them do not hold.

    Parameters
    ----------
    places : Tensor, shape (n, S, 2)
        Projected middles of the cross-sections.
    tangents : Tensor, shape (n, S, 3)
        Unit vectors along the tubes.
    radii : Tensor, shape (n, S)
    vertices : int
        V, points of each polygon, spread evenly along it.
    round_tips : bool
        Whether balls close the tubes; otherwise they end in flat discs.

    Notes
    -----
    A side of a silhouette is the curve beside the projected axis at the distance of the radius.
    It does not hold where such curves cross themselves or each other, as those of a tight bend
    seen obliquely; `followed_rim` takes the rim of a picture of 200 cells there.
    """
    flat = tangents[..., :2]
    lying = flat.norm(dim=-1, keepdim=True)
    along = _directions(flat, lying)
    beside = torch.stack([-along[..., 1], along[..., 0]], -1)
    # Where the radius changes along the axis, the tangent points of the discs turn.
    left, right = places + radii[..., None] * beside, places - radii[..., None] * beside
    caps = []
    for end, sign in ((-1, 1.0), (0, -1.0)):
        turn = torch.linspace(-pi / 2, pi / 2, 33, dtype=places.dtype, device=places.device)
        if sign < 0:
            out, side = -along[:, end], -beside[:, end]
        else:
            out, side = along[:, end], beside[:, end]
        # A flat end is a disc seen from its side: as an ellipse, whose outer half shows.
        squeeze = 1.0 if round_tips else tangents[:, end, 2].abs()[:, None, None]
        arc = turn[:, None].cos() * out[:, None] * squeeze + turn[:, None].sin() * side[:, None]
        caps.append(places[:, end, None] + radii[:, end, None, None] * arc)
    # Counter-clockwise: along the right side, around the end, back along the left one.
    rim = torch.cat([right, caps[0], left.flip(1), caps[1]], 1)
    polygons = _evenly(rim, vertices)
    return polygons, _entangled(places, left, right, radii)


def _directions(flat: Tensor, lying: Tensor) -> Tensor:
    """Unit vectors along the projected axis; any where it points along the light."""
    stand_in = torch.zeros_like(flat)
    stand_in[..., 0] = 1.0
    return torch.where(lying > 1e-6, flat / lying.clamp_min(1e-6), stand_in)


def _entangled(places: Tensor, left: Tensor, right: Tensor, radii: Tensor) -> Tensor:
    """Tell (n,) whose sides run backwards somewhere, or which come near themselves."""
    step = places.diff(dim=1)
    backwards = torch.zeros(len(places), dtype=torch.bool, device=places.device)
    for side in (left, right):
        backwards |= ((side.diff(dim=1) * step).sum(-1) < 0).any(-1)
    some = places[:, ::4]
    length = step.norm(dim=-1).cumsum(1)
    length = torch.nn.functional.pad(length, (1, 0))[:, ::4]
    apart = torch.cdist(some, some)
    far = (length[:, :, None] - length[:, None]).abs() > 4 * radii.amax(1)[:, None, None]
    return backwards | (far & (apart < 2.1 * radii.amax(1)[:, None, None])).flatten(1).any(1)


def followed_rim(shape: LevelShape, bodies: Bodies, vertices: int) -> Tensor:
    """Rims (1, V, 2) of the silhouette of one body as a picture of it shows them; longest one."""
    from skimage.measure import find_contours

    half = shape.half_extents(bodies)[0, :2]
    cell = float(2 * half.max()) / _CELLS
    x, y = (torch.arange(-float(h) - 2 * cell, float(h) + 3 * cell, cell, dtype=bodies.size.dtype,
                         device=bodies.size.device) for h in half)  # fmt: skip
    x, y = torch.broadcast_tensors(x[None, None], y[None, :, None])
    depth = shape.deepest(bodies, x, y, 2 * cell)[0]
    depth = depth.clamp_min(float(depth[torch.isfinite(depth)].min()))
    rims = find_contours(depth.double().cpu().numpy(), 0.0)
    rim = torch.as_tensor(max(rims, key=len)[:-1, ::-1].copy(), dtype=x.dtype, device=x.device)
    rim = rim * cell + torch.stack([x[0, 0, 0], y[0, 0, 0]])
    px, py = rim.unbind(-1)
    if float((px * py.roll(-1) - py * px.roll(-1)).sum()) < 0:
        rim = rim.flip(0)
    return _evenly(rim[None], vertices)


def _evenly(rim: Tensor, vertices: int) -> Tensor:
    """Points (n, V, 2) at equal steps along closed polygons (n, S, 2)."""
    closed = torch.cat([rim, rim[:, :1]], 1)
    length = torch.nn.functional.pad(closed.diff(dim=1).norm(dim=-1).cumsum(1), (1, 0))
    share = torch.arange(vertices, dtype=rim.dtype, device=rim.device) / vertices
    wanted = (length[:, -1:] * share).contiguous()
    after = torch.searchsorted(length.contiguous(), wanted, right=True)
    after = after.clamp(1, closed.shape[1] - 1)
    start, end = (length.gather(1, after - k) for k in (1, 0))
    part = ((wanted - start) / (end - start).clamp_min(1e-12))[..., None]
    before, behind = (closed.gather(1, (after - k)[..., None].expand(-1, -1, 2)) for k in (1, 0))
    return torch.lerp(before, behind, part)


__all__ = ["around_discs", "followed_rim"]
