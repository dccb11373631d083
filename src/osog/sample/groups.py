"""Aggregates of a population as plain particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from osog.rotations import angles_of_rotation, quaternion_from_angles, rotation_matrix
from osog.sample.aggregates import Seed, made
from osog.sample.solids import half_lengths, solids
from osog.scene import SceneError
from osog.scene.aggregates import Counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.sample.further import Beside
    from osog.scene import Population

Array = NDArray[np.float64]

_STREAM = 2000
"""Random stream of the aggregates of a population, one for each aggregate."""
_MOST = 1_000_000
"""Particles of all aggregates of a population."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Which particles stand together, and how.

    Attributes
    ----------
    members : ndarray, shape (clumps,), int64
        Particles of each clump; those of one follow one another.
    offset : ndarray, shape (n, 3)
        Of each particle from its clump in µm.
    angles : ndarray, shape (n, 3)
        Azimuth, elevation and roll of each particle in degrees.
    factor : ndarray, shape (n,)
        On all lengths of each particle.
    """

    members: NDArray[np.int64]
    offset: Array
    angles: Array
    factor: Array

    @property
    def clump(self) -> NDArray[np.int64]:
        """Number (n,) of the clump of each particle."""
        return np.repeat(np.arange(len(self.members)), self.members)


def single(angles: Array) -> Groups:
    """Particles that stand alone, turned by angles (n, 3)."""
    count = len(angles)
    return Groups(np.ones(count, np.int64), np.zeros((count, 3)), angles, np.ones(count))


def grouped(
    population: Population,
    angles: Array,
    columns: Mapping[tuple[str, int | None], Array],
    rng: np.random.Generator,
    key: tuple[int, int],
    beside: Beside,
) -> Groups:
    """Make the aggregates of a population.

    Parameters
    ----------
    population : Population
        One with an aggregate.
    angles : ndarray, shape (count, 3)
        Of each aggregate as a whole.
    columns : mapping
        What one draw gives to all members of each aggregate (count,).
    rng : numpy Generator
        Draws the numbers of members.
    key : (int, int)
        Seed and number of the population. Each aggregate follows from these and its own number,
        so that one more leaves the others as they are.
    beside : Beside
        Numbers of each aggregate that its members may hang on.

    Raises
    ------
    SceneError
        If there are more than a million particles.
    """
    model, count = population.aggregate, len(angles)
    assert model is not None
    wanted = np.zeros(count, np.int64)
    if isinstance(model, Counted):
        drawn = beside.draw("aggregate", model, ("members",), count, rng)
        wanted = np.maximum(np.rint(drawn["members"]), 1).astype(np.int64)
        if wanted.sum() > _MOST:
            raise SceneError(
                f"population '{population.name}': {wanted.sum()} members of aggregates are more "
                f"than the {_MOST} particles that an image may have."
            )
    level, one = np.zeros((count, 3)), np.ones(count)
    bodies = solids(population, level, columns, one)
    half = half_lengths(population, count, columns, one)
    turned = rotation_matrix(quaternion_from_angles(torch.as_tensor(angles))).numpy()
    members, offset, rotation, factor = [], [], [], []
    for k in range(count):
        stream = np.random.SeedSequence(key[0], spawn_key=(key[1], _STREAM, k))
        own = np.random.Generator(np.random.Philox(stream))
        group = made(model, Seed(bodies[k], half[k], int(wanted[k]), model.size_scatter, own))
        members.append(len(group.factor))
        offset.append(group.offset @ turned[k].T)
        rotation.append(turned[k] @ group.rotation)
        factor.append(group.factor)
    if not count:
        return single(angles)
    return Groups(
        np.array(members),
        np.concatenate(offset),
        angles_of_rotation(np.concatenate(rotation)),
        np.concatenate(factor),
    )
