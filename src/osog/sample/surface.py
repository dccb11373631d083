"""Grooves, pits, steps and slots of crystals, as convex pieces that are taken out of them.

A piece is what the body has in common with further half-spaces, so that it never reaches beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from osog.geometry import POLYHEDRON, Pieces
from osog.geometry.half_spaces import corners_of_many
from osog.particles import CUT
from osog.sample.faces import padded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from osog.sample.faces import Faces

Array = NDArray[np.float64]
Long = NDArray[np.int64]

_BESIDE = 0.3
_MARGIN = 0.03
"""Share of the body within which a face that a piece does not touch is kept, so that numbers may
change a little without changing the plan."""
_GROOVE, _PIT, _STEP, _SLOT = range(4)
_OWN = {_GROOVE: 3, _PIT: 4, _STEP: 4, _SLOT: 3}
"""Half-spaces that each kind adds to those of the body."""


@dataclass(frozen=True)
class SurfacePlan:
    """Pieces that are taken out of n crystals.

    Attributes
    ----------
    owner, kind, face : ndarray of int, shape (p,)
        Crystal, kind, and face in the order of `Faces.physical`.
    place : ndarray, shape (p, 3)
        Where along and across the face it begins, over the size, and a third number: the rank of a
        step, the far side of a slot, ± 1 for its end in ``ends``.
    ends : ndarray, shape (p, 2)
        End (±1) and share of the fraying of a slot.
    kept : ndarray of bool, shape (p, H)
        Faces of the body that bound it, of the padded ones.
    own : ndarray of bool, shape (p, 4)
        Half-spaces of its own that bound it.
    centre : ndarray, shape (p, 3)
        A point in it.
    """

    owner: Long
    kind: Long
    face: Long
    place: Array
    ends: Array
    kept: NDArray[np.bool_]
    own: NDArray[np.bool_]
    centre: Array


def plan_surface(
    faces: Faces, size: Array, numbers: Mapping[str, Array], rng: np.random.Generator
) -> SurfacePlan | None:
    """Lay out what is taken out of n crystals; None for nothing.

    Parameters
    ----------
    faces : Faces
    size : ndarray, shape (n, 3)
        As the scene states them.
    numbers : mapping of field to ndarray (n,)
    rng : numpy Generator
    """
    plain = {name: torch.from_numpy(column) for name, column in numbers.items()}
    owner, normals, distances = faces.physical(torch.from_numpy(size), plain)
    rows = np.column_stack([normals.numpy(), distances.numpy()])
    planes, mask, number = padded(owner.numpy(), rows, len(size))
    corners, known = corners_of_many(planes, mask)
    found: list[tuple[int, int, int, tuple[float, float, float], tuple[float, float]]] = []
    for i in range(len(size)):
        mine = {name: float(column[i]) for name, column in numbers.items()}
        of_body = planes[i][mask[i]]
        found += [
            (i, kind, int(number[i, face]), place, ends)
            for kind, face, place, ends in _laid_out(
                of_body, corners[i][known[i]], size[i], mine, rng
            )
        ]
    if not found:
        return None
    who, kind, face = (np.array([f[k] for f in found], np.int64) for k in range(3))
    place, ends = np.array([f[3] for f in found]), np.array([f[4] for f in found])
    draft = SurfacePlan(
        who, kind, face, place, ends,
        np.ones((len(who), mask.shape[1]), bool), np.ones((len(who), 4), bool),
        np.zeros((len(who), 3)),
    )  # fmt: skip
    rows_of, real = _rows(draft, faces, torch.from_numpy(size), plain)
    table, real_table = rows_of.numpy(), real.numpy()
    at, there = corners_of_many(table, real_table)
    solid = there.sum(1) >= 4
    far = np.where(there[..., None], at, at[:, :1])
    centre = np.where(there[..., None], at, 0.0).sum(1) / np.maximum(there.sum(1), 1)[:, None]
    room = table[:, None, :, 3] - far @ table[..., :3].transpose(0, 2, 1)
    near = np.where(there[..., None], room, np.inf).min(1) < _MARGIN * size.max(1)[who][:, None]
    needed = near & real_table
    split = mask.shape[1]
    return SurfacePlan(
        who[solid], kind[solid], face[solid], place[solid], ends[solid],
        needed[solid, :split], needed[solid, split:], centre[solid],
    )  # fmt: skip


def surface_pieces(
    plan: SurfacePlan, faces: Faces, size: Tensor, numbers: Mapping[str, Tensor]
) -> Pieces:
    """Make the pieces of a plan; parameters as for `plan_surface`, as tensors."""
    rows, real = _rows(plan, faces, size, numbers)
    centre = torch.as_tensor(plan.centre, dtype=size.dtype, device=size.device)
    moved = rows[..., 3] - (rows[..., :3] @ centre[..., None])[..., 0]
    planes = torch.cat([rows[..., :3], moved[..., None]], -1)
    return Pieces(
        torch.as_tensor(plan.owner, device=size.device),
        CUT,
        POLYHEDRON,
        centre,
        torch.ones_like(centre),
        planes[real],
        real.sum(1),
        hollow=True,
    )


def _rows(
    plan: SurfacePlan, faces: Faces, size: Tensor, numbers: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Half-spaces (p, H + 4, 4) in µm of the pieces, and which of them are real."""
    device = size.device
    owner, normals, distances = faces.physical(size, numbers)
    _, mask, number = padded(owner.cpu().numpy(), np.zeros((len(owner), 4)), len(size))
    who = torch.as_tensor(plan.owner, device=device)
    own_faces = torch.as_tensor(number, device=device)[who]
    body = torch.cat([normals[own_faces], distances[own_faces][..., None]], -1)
    real_body = torch.as_tensor(mask, device=device)[who]
    real_body = real_body & torch.as_tensor(plan.kept, device=device)

    face = torch.as_tensor(plan.face, device=device)
    up, height = normals[face], distances[face]
    along, across = _axes(up)
    real: dict[str, Any] = {"dtype": size.dtype, "device": device}
    place, ends = torch.as_tensor(plan.place, **real), torch.as_tensor(plan.ends, **real)
    u, v = place[:, 0] * size[who, 0], place[:, 1] * size[who, 1]
    amounts = {name: column[who] for name, column in numbers.items()}
    long = along.new_tensor((1.0, 0.0, 0.0)).expand_as(up)
    # Slots run from the ends inwards; what lies beside them keeps clear of them.
    clear = size[who, 0] / 2 - torch.where(
        amounts["frayed"] >= 2, amounts["frayed_um"], torch.zeros_like(height)
    )
    table = torch.zeros(len(who), 4, 4, **real)
    counts = torch.zeros(len(who), 4, dtype=torch.bool, device=device)
    kinds = torch.as_tensor(plan.kind, device=device)

    def put(rows: Tensor, place: int, normal: Tensor, offset: Tensor) -> None:
        length = normal.norm(dim=1, keepdim=True)
        table[rows, place] = torch.cat([normal, offset[:, None]], 1) / length
        counts[rows, place] = True

    groove = torch.nonzero(kinds == _GROOVE).flatten()
    if len(groove):
        g, deep = groove, amounts["striation_depth_um"][groove]
        for k, s in enumerate((-1.0, 1.0)):
            put(g, k, -up[g] + s * across[g], deep - height[g] + s * v[g])
    pit = torch.nonzero(kinds == _PIT).flatten()
    if len(pit):
        g, deep = pit, amounts["pit_depth_um"][pit][:, None]
        wide = amounts["pit_radius_um"][pit][:, None].clamp_min(1e-6)
        for k, (s, axis, at) in enumerate(
            ((-1.0, along, u), (1.0, along, u), (-1.0, across, v), (1.0, across, v))
        ):
            offset = wide[:, 0] * (deep[:, 0] - height[g]) + s * deep[:, 0] * at[g]
            put(g, k, -wide * up[g] + s * deep * axis[g], offset)
    step = torch.nonzero(kinds == _STEP).flatten()
    if len(step):
        g, tall, rank = step, amounts["step_height_um"][step], place[step, 2]
        put(g, 0, -up[g], (rank + 1) * tall - height[g])
        put(g, 1, -along[g], -u[g])
        put(g, 2, up[g], height[g] - rank * tall)
    slot = torch.nonzero(kinds == _SLOT).flatten()
    if len(slot):
        g, end = slot, ends[slot, :1]
        deep = ends[slot, 1] * amounts["frayed_um"][slot]
        put(g, 0, -end * long[g], deep - size[who[g], 0] / 2)
        put(g, 1, -across[g], -v[g])
        put(g, 2, across[g], place[g, 2] * size[who[g], 1])
    beside = torch.nonzero((kinds == _GROOVE) & (amounts["frayed"] >= 2)).flatten()
    if len(beside):
        put(beside, 2, long[beside], clear[beside])
        put(beside, 3, -long[beside], clear[beside])
    beside = torch.nonzero((kinds == _STEP) & (amounts["frayed"] >= 2)).flatten()
    if len(beside):
        put(beside, 3, long[beside], clear[beside])
    own = counts & torch.as_tensor(plan.own, device=device)
    return torch.cat([body, table], 1), torch.cat([real_body, own], 1)


def _axes(up: Tensor) -> tuple[Tensor, Tensor]:
    """Directions along the long axis within faces, and across."""
    x, y = up.new_tensor((1.0, 0.0, 0.0)), up.new_tensor((0.0, 1.0, 0.0))
    wish = torch.where((up[:, :1].abs() > 0.9), y, x)
    along = wish - (wish * up).sum(1, keepdim=True) * up
    along = along / along.norm(dim=1, keepdim=True)
    return along, torch.linalg.cross(up, along)


def _laid_out(
    planes: Array, corners: Array, size: Array, numbers: Mapping[str, float], rng: Any
) -> list[tuple[int, int, tuple[float, float, float], tuple[float, float]]]:
    """Kinds, faces, places and ends of the pieces of one crystal."""
    counts = {name: round(numbers[name]) for name in ("striations", "pits", "steps", "frayed")}
    if not any(counts.values()) or not len(corners):
        return []
    along, across = (a.numpy() for a in _axes(torch.from_numpy(planes[:, :3])))
    scale = np.abs(planes[:, 3]).max()
    areas, ranges = np.zeros(len(planes)), np.zeros((len(planes), 4))
    for f, plane in enumerate(planes):
        on = corners[np.abs(corners @ plane[:3] - plane[3]) < 1e-5 * scale]
        if len(on) < 3:
            continue
        u, v = on @ along[f], on @ across[f]
        ranges[f] = u.min(), u.max(), v.min(), v.max()
        areas[f] = np.ptp(u) * np.ptp(v)
    beside = (np.abs(planes[:, 0]) < _BESIDE) & (areas > 1e-3 * areas.max())
    pool = np.flatnonzero(beside if beside.any() else areas > 1e-3 * areas.max())
    order = list(pool[np.argsort(-areas[pool], kind="stable")])
    broadest = order[0]
    found: list[tuple[int, int, tuple[float, float, float], tuple[float, float]]] = []
    clear = numbers["frayed_um"] if counts["frayed"] >= 2 else 0.0

    def take() -> int:
        return int(order.pop(0) if len(order) > 1 else order[0])

    if counts["steps"]:
        f = take()
        low, high = ranges[f, 0] + clear, ranges[f, 1] - clear
        edges = np.sort(rng.uniform(0.1, 0.9, counts["steps"]))
        for rank, share in enumerate(edges):
            place = (low + share * (high - low)) / size[0]
            found.append((_STEP, f, (place, 0.0, float(rank)), (0.0, 0.0)))
    if counts["pits"]:
        f = take()
        found += _pits(f, ranges[f], size, numbers["pit_radius_um"], clear, counts["pits"], rng)
    if counts["striations"]:
        deep = max(numbers["striation_depth_um"], 1e-9)
        shares = np.array([max(ranges[f, 3] - ranges[f, 2] - 2 * deep, 0.0) for f in order])
        if shares.sum() > 0:
            exact = counts["striations"] * shares / shares.sum()
            each = np.floor(exact).astype(int)
            for k in np.argsort(each - exact)[: counts["striations"] - each.sum()]:
                each[k] += 1
            for f, wanted, wide in zip(order, each, shares, strict=True):
                grooves = min(int(wanted), int(wide // (2 * deep)))
                for k in range(grooves):
                    play = max(wide / grooves - 2 * deep, 0.0)
                    at = ranges[f, 2] + deep + (k + 0.5) * wide / grooves
                    at += rng.uniform(-0.5, 0.5) * play
                    found.append((_GROOVE, f, (0.0, at / size[1], 0.0), (0.0, 0.0)))
    if counts["frayed"] >= 2:
        f, fibres = broadest, counts["frayed"]
        for end in (-1.0, 1.0):
            edges = ranges[f, 2] + (ranges[f, 3] - ranges[f, 2]) * np.arange(fibres + 1) / fibres
            shares = rng.uniform(0.2, 1.0, fibres)
            shares[rng.integers(fibres)] = 0.0  # one fibre keeps the whole length
            for k in np.flatnonzero(shares):
                low, high = edges[k] / size[1], edges[k + 1] / size[1]
                found.append((_SLOT, f, (0.0, low, high), (end, shares[k])))
    return found


def _pits(
    face: int, ranges: Array, size: Array, radius: float, clear: float, count: int, rng: Any
) -> list[tuple[int, int, tuple[float, float, float], tuple[float, float]]]:
    """Pits in cells of a face, each in one of its own, somewhere within."""
    low, high = ranges[0] + clear, ranges[1] - clear
    rows = max(1, int((high - low) // (2.2 * radius + 1e-9)))
    columns = max(1, int((ranges[3] - ranges[2]) // (2.2 * radius + 1e-9)))
    found = []
    for cell in rng.permutation(rows * columns)[:count]:
        wide, tall = (high - low) / rows, (ranges[3] - ranges[2]) / columns
        play_u, play_v = max(wide - 2 * radius, 0.0), max(tall - 2 * radius, 0.0)
        u = low + (cell % rows + 0.5) * wide + rng.uniform(-0.5, 0.5) * play_u
        v = ranges[2] + (cell // rows + 0.5) * tall + rng.uniform(-0.5, 0.5) * play_v
        found.append((_PIT, face, (u / size[0], v / size[1], 0.0), (0.0, 0.0)))
    return found
