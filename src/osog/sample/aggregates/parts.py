"""What all kinds of aggregates are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osog.geometry import ConvexBody, travel

Array = NDArray[np.float64]

_TAIL = 4.0
"""Standard deviations at which Gaussian numbers are cut."""


@dataclass(frozen=True, eq=False)
class Seed:
    """What one aggregate grows from.

    Attributes
    ----------
    body : ConvexBody
        One member in its own axes.
    half : ndarray, shape (3,)
        Its half lengths along them, the long axis first.
    members : int
        How many there are to be; 0 where the kind itself knows.
    scatter : float
        Standard deviation of the logarithm of the factor on each member's lengths.
    rng : numpy Generator
        Of this aggregate alone.
    """

    body: ConvexBody
    half: Array
    members: int
    scatter: float
    rng: np.random.Generator

    def factors(self, count: int) -> Array:
        """Factors (count,) on the lengths of members."""
        if not self.scatter:
            return np.ones(count)
        return np.exp(self.scatter * self.normal(count))

    def normal(self, *shape: int) -> Array:
        """Gaussian numbers without far tails."""
        return np.clip(self.rng.standard_normal(shape), -_TAIL, _TAIL)

    def direction(self) -> Array:
        """One even direction in space."""
        drawn = self.rng.standard_normal(3)
        result: Array = drawn / np.linalg.norm(drawn)
        return result


@dataclass(frozen=True, eq=False)
class Members:
    """Members of one aggregate in its own axes.

    Attributes
    ----------
    offset : ndarray, shape (m, 3)
        µm from the middle.
    rotation : ndarray, shape (m, 3, 3)
        From the body into the aggregate.
    factor : ndarray, shape (m,)
        On all lengths.
    """

    offset: Array
    rotation: Array
    factor: Array

    def centred(self) -> Members:
        """Put the mean of the members, weighted by volume, into the middle."""
        weight = self.factor**3
        middle = (self.offset * weight[:, None]).sum(0) / weight.sum()
        return Members(self.offset - middle, self.rotation, self.factor)


class Heap:
    """Members that are there already, for the next one to come to."""

    def __init__(self, seed: Seed) -> None:
        self.seed = seed
        self.bodies: list[tuple[ConvexBody, Array]] = []
        self.rotations: list[Array] = []
        self.factors: list[float] = []

    def add(self, offset: Array, rotation: Array, factor: float) -> None:
        """Put one in its place."""
        self.bodies.append((self.seed.body.scaled(factor).turned(rotation), offset))
        self.rotations.append(rotation)
        self.factors.append(float(factor))

    def come(
        self,
        aim: Array,
        back: Array,
        rotation: Array,
        factor: float,
        push: float = 0.0,
        among: int | None = None,
    ) -> None:
        """Let one come along −`back` towards `aim`, stop at contact and go `push` µm farther.

        Parameters
        ----------
        among : int, optional
            Stop at this member alone.
        """
        body = self.seed.body.scaled(factor).turned(rotation)
        others = self.bodies if among is None else [self.bodies[among]]
        far = max(float(np.linalg.norm(at - aim)) + other.reach for other, at in others)
        start = aim + (far + body.reach) * back
        gone = travel(body, start, -back, others)
        stop = aim if gone is None else start - gone * back
        self.add(stop - push * back, rotation, factor)

    def members(self) -> Members:
        """All that are there."""
        offsets = np.array([at for _, at in self.bodies])
        return Members(offsets, np.array(self.rotations), np.array(self.factors))


def any_rotation(rng: np.random.Generator) -> Array:
    """Rotation matrix (3, 3), all equally likely (Shoemake 1992)."""
    drawn = rng.standard_normal(4)
    w, x, y, z = drawn / np.linalg.norm(drawn)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def turn_about(axis: Array, angle: float) -> Array:
    """Rotation matrix (3, 3) about a direction, in radians (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    result: Array = np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
    return result


def along(direction: Array, roll: float) -> Array:
    """Rotation matrix (3, 3) that lays the body's long axis along a unit vector."""
    x = np.array([1.0, 0.0, 0.0])
    axis, cosine = np.cross(x, direction), float(np.clip(direction[0], -1, 1))
    if np.linalg.norm(axis) < 1e-9:
        axis = np.array([0.0, 0.0, 1.0])
    result: Array = turn_about(axis, np.arccos(cosine)) @ turn_about(x, roll)
    return result


def tilted(seed: Seed, spread_deg: float) -> Array:
    """Turn by a Gaussian angle in each of the two directions across the long axis."""
    up, aside = np.deg2rad(spread_deg) * seed.normal(2)
    angle = float(np.hypot(up, aside))
    if angle == 0:
        return np.eye(3)
    return turn_about(np.array([0.0, -up, aside]), angle)
