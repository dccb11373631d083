"""Bodies of every kind, and which points lie in them, from what their numbers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from osog.geometry import (
    BENT_CYLINDER,
    BENT_ROD,
    BOX,
    CYLINDER,
    ELLIPSOID,
    POLYHEDRON,
    RED_CELL,
    ROD,
    SPHERE,
    TUBE,
    VESICLE,
    by_shape,
    half_extents,
)
from osog.particles import assembled
from osog.rotations import rotation_matrix
from osog.scene import HABITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.particles import ParticleBatch

FINE = 8
"""Points of a brute-force silhouette to a pixel, each way."""
_DEEP = 64
"""Points along a line of sight."""

PIECED: dict[str, dict[str, Any]] = {
    habit: {"shape": {"kind": "polyhedron", "habit": habit, "size_um": [9, 5, 4]}}
    for habit in HABITS
} | {
    "grain": {"shape": {"kind": "random_polyhedron", "size_um": [8, 6, 5], "faces": 14}},
    "broken": {
        "shape": {"kind": "polyhedron", "habit": "lysozyme", "size_um": [9, 6, 6]},
        "surface": {"broken_corners": 0.5, "broken_um": 0.8, "bevel_um": 0.2},
    },
    "tapered": {"shape": {"kind": "box", "size_um": [10, 4, 3]}, "surface": {"taper": 0.6}},
    "striated": {
        "shape": {"kind": "box", "size_um": [9, 6, 3]},
        "surface": {"striations": 8, "striation_depth_um": 0.4},
    },
    "pitted": {
        "shape": {"kind": "box", "size_um": [9, 6, 3]},
        "surface": {"pits": 6, "pit_radius_um": 0.6, "pit_depth_um": 0.6},
    },
    "stepped": {
        "shape": {"kind": "box", "size_um": [9, 6, 3]},
        "surface": {"steps": 4, "step_height_um": 0.3},
    },
    "frayed": {
        "shape": {"kind": "box", "size_um": [10, 6, 2]},
        "surface": {"frayed": 4, "frayed_um": 2.5},
    },
    "chain": {"shape": {"kind": "cocci", "radius_um": 1.0, "cells": 5, "spacing": 0.8}},
    "cluster": {"shape": {"kind": "cocci", "radius_um": 1.2, "arrangement": "cluster", "cells": 9}},
    "tetrad": {"shape": {"kind": "cocci", "radius_um": 1.2, "arrangement": "tetrad"}},
    "bacilli": {"shape": {"kind": "bacilli", "length_um": 4.0, "radius_um": 0.9, "cells": 2}},
    "cell": {"shape": {"kind": "cell", "radius_um": 5.0, "height_um": 3.0, "granules": 8}},
    "droplet": {"shape": {"kind": "droplet", "radius_um": 3.5, "contact_angle_deg": 75}},
    "joined": {"shape": {"kind": "joined_droplets", "radius_um": 2.5, "second_radius_um": 1.8}},
    "bubble": {"shape": {"kind": "bubble", "radius_um": 2.0}},
    "granules": {
        "shape": {"kind": "ellipsoid", "semi_axes_um": [4, 3, 2]},
        "inclusions": [{"number": 6, "radius_um": 0.4, "index": 1.45}],
    },
    "cracked": {
        "shape": {"kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [9, 6, 6]},
        "inclusions": [{"number": 3, "radius_um": 0.5, "aspect": 0.1}],
    },
    "satellites": {
        "shape": {"kind": "sphere", "radius_um": 2.5},
        "inclusions": [{"number": 5, "place": "outside", "radius_um": 0.6}],
    },
}
"""Crystals, worn ones, and bodies of several pieces, as content of a population."""

SIMPLE: dict[str, dict[str, Any]] = {
    "sphere": {"shape": {"kind": "sphere", "radius_um": 2.5}},
    "coated_sphere": {"shape": {"kind": "coated_sphere", "radius_um": 2.5, "core_radius_um": 1.5}},
    "ellipsoid": {"shape": {"kind": "ellipsoid", "semi_axes_um": [4, 3, 2]}},
    "rod": {"shape": {"kind": "rod", "length_um": 9, "radius_um": 1.2}},
    "cylinder": {"shape": {"kind": "cylinder", "length_um": 8, "radius_um": 1.5}},
    "box": {"shape": {"kind": "box", "size_um": [8, 5, 3]}},
    "red_cell": {"shape": {"kind": "red_cell"}},
    "bent_rod": {
        "shape": {
            "kind": "bent_rod",
            "length_um": 12,
            "radius_um": 1,
            "bend_deg": 120,
        }
    },
    "bent_cylinder": {
        "shape": {"kind": "bent_cylinder", "length_um": 11, "radius_um": 1, "bend_deg": -90}
    },
    "vesicle": {"shape": {"kind": "vesicle", "semi_axes_um": [4, 3, 3], "wall_um": 0.4}},
    "tube": {"shape": {"kind": "tube", "length_um": 9, "radius_um": 1.6, "wall_um": 0.4}},
}
"""Bodies of one piece."""


def inside(batch: ParticleBatch, row: int, points: NDArray[Any], whole: bool) -> NDArray[np.bool_]:
    """Points (m, 3) within one body, by what it is; `whole` without what cuts it off."""
    rotation = rotation_matrix(batch.quaternion[row : row + 1])[0].double().numpy()
    size = batch.size[row].double().numpy()
    local = (points - batch.position[row].double().numpy()) @ rotation
    shape = next(s for s, _ in by_shape(batch, torch.tensor([row])))
    planes = batch.planes[batch.plane_start[row] : batch.plane_start[row + 1]].double().numpy()
    if shape is POLYHEDRON:
        return np.all((local / size[:3]) @ planes[:, :3].T <= planes[:, 3], axis=1)
    x, across = local[:, 0], np.hypot(local[:, 1], local[:, 2])
    if shape is BOX:
        found = np.all(np.abs(local) <= size[:3], axis=1)
    elif shape is ROD:
        straight = np.clip(x, size[1] - size[0], size[0] - size[1])
        found = (x - straight) ** 2 + across**2 <= size[1] ** 2
    elif shape in (CYLINDER, TUBE):  # whose hollow does not show in a silhouette, unless on end
        found = (np.abs(x) <= size[0]) & (across <= size[1])
    elif shape is RED_CELL:
        found = _in_red_cell(local, size)
    elif shape in (BENT_ROD, BENT_CYLINDER):
        found = _in_bent(local, size, round_tips=shape is BENT_ROD)
    else:
        assert shape in (SPHERE, ELLIPSOID, VESICLE) or "coated" in repr(shape), shape
        found = ((local / size[:3]) ** 2).sum(1) <= 1
    return found if whole else found & np.all(local @ planes[:, :3].T <= planes[:, 3], axis=1)


def column(batch: ParticleBatch, row: int, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Height (Y, X) of a polyhedron or box above each point of a grid."""
    rotation = rotation_matrix(batch.quaternion[row : row + 1])[0].numpy()
    planes = batch.planes[batch.plane_start[row] : batch.plane_start[row + 1]].numpy()
    if not len(planes):  # a box
        planes = np.concatenate([np.vstack([np.eye(3), -np.eye(3)]), np.ones((6, 1))], 1)
    normals = (planes[:, :3] / batch.size[row, :3].numpy()) @ rotation.T
    px, py, pz = batch.position[row].tolist()
    top, bottom = np.full((len(y), len(x)), np.inf), np.full((len(y), len(x)), -np.inf)
    for (a, b, c), d in zip(normals, planes[:, 3], strict=True):
        room = d - a * (x - px) - b * (y - py)[:, None]
        if abs(c) < 1e-12:
            top = np.where(room < 0, -np.inf, top)
        elif c > 0:
            top = np.minimum(top, pz + room / c)
        else:
            bottom = np.maximum(bottom, pz + room / c)
    return np.maximum(top - bottom, 0.0)


def _in_red_cell(local: NDArray[Any], size: NDArray[Any]) -> NDArray[np.bool_]:
    """Evans and Fung: √(1 − s) (C0 + C1 s + C2 s²), with its crest where and as high as stated."""
    radius, _, rim, centre, crest = size
    s = crest**2 / radius**2
    value = rim / np.sqrt(1 - s)
    table = np.array([[s, s * s], [1, 2 * s]])
    first, second = np.linalg.solve(table, [value - centre, value / (2 * (1 - s))])
    s = (local[:, 0] ** 2 + local[:, 1] ** 2) / radius**2
    height = np.sqrt(np.clip(1 - s, 0, None)) * (centre + first * s + second * s * s)
    return np.abs(local[:, 2]) <= height


def _in_bent(local: NDArray[Any], size: NDArray[Any], *, round_tips: bool) -> NDArray[np.bool_]:
    """Near enough to an arc in the x-y plane whose mean is the position; without taper."""
    half, radius, _, bend, _ = size[:5]
    half = half - radius if round_tips else half
    bent = abs(bend) / 2
    arc = half / bent  # radius of the arc, whose mean lies beside its middle
    mean = arc * (1 - np.sin(bent) / bent)
    x, y, z = local[:, 0], local[:, 1] * np.sign(bend) + mean, local[:, 2]
    angle = np.arctan2(x, arc - y)
    beside = np.hypot(x, arc - y) - arc
    found = (np.abs(angle) <= bent) & (beside**2 + z**2 <= radius**2)
    if round_tips:
        ends = np.abs(x) - arc * np.sin(bent), y - arc * (1 - np.cos(bent))
        found |= ends[0] ** 2 + ends[1] ** 2 + z**2 <= radius**2
    return found


def fine_silhouette(
    batch: ParticleBatch, number: int, shape: tuple[int, int], pixel_um: float, *, union: bool
) -> NDArray[np.bool_]:
    """Silhouette of one particle, 8 × 8 points to a pixel, by points along lines of sight.

    Parameters
    ----------
    batch : ParticleBatch
    number : int
    shape : (Y, X) of the frame, in pixels; the silhouette may not reach beyond it
    pixel_um : float
    union : bool
        Whether pieces that meet are cut along a plane, which a union need not know of.

    Returns
    -------
    ndarray of bool, shape (8 Y, 8 X)
    """
    own = batch.taken(torch.tensor([number]))
    body = assembled(own)
    reach = half_extents(own, torch.arange(1))[0].double().numpy()
    middle = own.position[0].double().numpy()
    low = np.maximum(np.floor((middle - reach)[:2] / pixel_um) - 1, 0).astype(int)
    high = np.ceil((middle + reach)[:2] / pixel_um).astype(int) + 2
    high = np.minimum(high, [shape[1], shape[0]])
    x, y = (
        (low[k] - 0.5 + (np.arange(FINE * (high[k] - low[k])) + 0.5) / FINE) * pixel_um
        for k in range(2)
    )
    members = body.membership
    rows = [0] if members is None else torch.nonzero(members.outer).flatten().tolist()
    hollow = [] if members is None else torch.nonzero(members.thickness < 0).flatten().tolist()
    kinds = {k: next(s for s, _ in by_shape(body, torch.tensor([k]))) for k in [*rows, *hollow]}
    if len(rows) == 1 and kinds[rows[0]] in (POLYHEDRON, BOX):
        left = column(body, rows[0], x, y)
        for row in hollow:
            if kinds[row] is POLYHEDRON:  # holes of other kinds lie within
                left = left - column(body, row, x, y)
        mask = left > 1e-4  # µm; bodies of images are float32
    else:
        steps = 2 * (np.arange(_DEEP) + 0.5) / _DEEP - 1
        grid = np.stack(np.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
        found = np.zeros(len(grid), bool)
        for step in sorted(steps, key=abs):  # most lines meet the body near its middle
            still = np.flatnonzero(~found)
            points = np.column_stack([grid[still], np.full(len(still), middle[2])])
            points[:, 2] += step * reach[2]
            for row in rows:
                found[still] |= inside(body, row, points, union)
        mask = found.reshape(len(y), len(x))
    frame = np.zeros((shape[0] * FINE, shape[1] * FINE), bool)
    frame[low[1] * FINE : high[1] * FINE, low[0] * FINE : high[0] * FINE] = mask
    return frame


UNIONS = ("chain", "cluster", "tetrad", "bacilli", "joined")
"""Bodies whose pieces are cut where they meet, so that their union is what they are."""
