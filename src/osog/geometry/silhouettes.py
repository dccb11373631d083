"""Silhouettes of convex polyhedra, by eliminating the direction of sight from their half-spaces."""

from __future__ import annotations

import torch
from torch import Tensor

from osog.geometry.walls import VERTICAL


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
    b = torch.where(kept, b, beyond(offsets)[:, None])
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
    up, down = mask & (n_z > VERTICAL), mask & (n_z < -VERTICAL)
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


def beyond(offsets: Tensor) -> Tensor:
    """Bound (n,) that no surface of the particle reaches."""
    return 1e3 * offsets.detach().abs().amax(-1) + 1
