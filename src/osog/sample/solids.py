"""Drawn particles as solid bodies, for the tests of contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from osog.geometry import BOX, SHAPES, Bodies, convex_bodies, number_of
from osog.rotations import quaternion_from_angles
from osog.sample.placement import Clump
from osog.scene import Polyhedron, RandomPolyhedron
from osog.scene.habits import true_planes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.geometry import ConvexBody
    from osog.scene import Population

Array = NDArray[np.float64]
Key = tuple[str, int | None]


def solids(
    population: Population, angles_deg: Array, columns: Mapping[Key, Array], factor: Array
) -> list[ConvexBody]:
    """Bodies of particles (n,) about their positions.

    Parameters
    ----------
    population : Population
    angles_deg : ndarray, shape (n, 3)
    columns : mapping
        Numbers (n,) of particles by field and place; what is missing is what the shape states.
    factor : ndarray, shape (n,)
        On all lengths.
    """
    model, number = population.shape, number_of(population.shape)
    shape, count = SHAPES[number], len(angles_deg)
    numbers = [_column(model, key, columns, count) for key in model.columns()]
    size = torch.as_tensor(np.stack(shape.half_lengths(model, numbers), 1) * factor[:, None])
    planes = shape.planes(model)
    faces = mask = None
    true = None
    if isinstance(model, Polyhedron) and model.half_spaces is None:
        true = true_planes(model.habit)
    if isinstance(model, RandomPolyhedron):
        # Grains are not drawn yet: what holds each of them is the block that it fills.
        shape = BOX
        size = torch.as_tensor(half_lengths(population, count, columns, factor))
    elif true is not None:
        distance = np.stack(numbers[:3], 1) @ true[:, 3:].T
        normals = np.broadcast_to(true[:, :3], (count, len(true), 3))
        faces = torch.as_tensor(np.concatenate([normals, distance[..., None]], -1))
        mask = torch.ones(count, len(true), dtype=torch.bool)
    elif planes is not None:
        faces = torch.as_tensor(planes).expand(count, *planes.shape)
        mask = torch.ones(count, len(planes), dtype=torch.bool)
    turned = quaternion_from_angles(torch.as_tensor(angles_deg))
    return convex_bodies(shape, Bodies(turned, size.double(), faces, mask)) if count else []


def half_lengths(
    population: Population, count: int, columns: Mapping[Key, Array], factor: Array
) -> Array:
    """Half lengths (n, 3) along the bodies' own axes; other parameters as for `solids`."""
    model = population.shape
    numbers = [_column(model, key, columns, count) for key in model.columns()]
    outer = SHAPES[number_of(model)].outer_half_lengths(model, numbers)
    return np.stack(outer, 1) * factor[:, None]


def clumps_of(
    bodies: list[ConvexBody],
    half: Array,
    angles_deg: Array,
    offset: Array,
    members: NDArray[np.int64],
) -> list[Clump]:
    """Particles or aggregates as what is placed as one.

    Parameters
    ----------
    bodies : list of ConvexBody
    half : ndarray, shape (n, 3)
        Half lengths along the bodies' own axes.
    angles_deg : ndarray, shape (n, 3)
    offset : ndarray, shape (n, 3)
        Of each body from the clump that it belongs to.
    members : ndarray, shape (clumps,), int64
        How many bodies each clump has; these follow one another.
    """
    if not len(members):
        return []
    straight, radius = _spherocylinders(bodies, half, angles_deg)
    height = np.array([0.0, 0.0, 1.0])
    low = np.array([-body.extent(-height) for body in bodies]) + offset[:, 2]
    high = np.array([body.extent(height) for body in bodies]) + offset[:, 2]
    clumps, first = [], 0
    for count in members:
        own = slice(first, first + int(count))
        clumps.append(
            Clump(
                offset[own], bodies[own], straight[own], radius[own],
                float(low[own].min()), float(high[own].max()),
            )
        )  # fmt: skip
        first += int(count)
    return clumps


def _spherocylinders(
    bodies: list[ConvexBody], half: Array, angles_deg: Array
) -> tuple[Array, Array]:
    """Half axes (n, 3) and radii (n,) of spherocylinders that hold the bodies."""
    order = np.sort(half, axis=1)
    azimuth, elevation, _ = np.deg2rad(angles_deg).T
    direction = np.stack(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ],
        1,
    )
    longest_is_first = half[:, 0] >= order[:, 2] - 1e-12
    straight = np.where(longest_is_first, np.maximum(order[:, 2] - order[:, 1], 0.0), 0.0)
    axis = direction * straight[:, None]
    radius = [
        order[i, 1] if body.capsule else body.reach_from(axis[i]) for i, body in enumerate(bodies)
    ]
    return axis, np.array(radius)


def _column(model: Any, key: Key, columns: Mapping[Key, Array], count: int) -> Array:
    if key in columns:
        return columns[key]
    field, component = key
    quantity = getattr(model, field)
    quantity = quantity if component is None else quantity[component]
    if quantity is None:
        return np.zeros(count)
    plain = isinstance(quantity, int | float)
    return np.full(count, float(quantity if plain else quantity.centre))
