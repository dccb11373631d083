"""How large a particle is, for templates, as its geometry says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.geometry import SHAPES, number_of
from osog.scene import Distribution

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.scene import Particle, Population
    from osog.scene.shapes import ShapeModel


def number(quantity: Any) -> float:
    """Value of a number, centre of a distribution."""
    return quantity.centre if isinstance(quantity, Distribution) else float(quantity)


def half_extents(population: Population) -> list[float]:
    """Half extents in µm of the shape and of its explicit particles.

    Distributions count with the end of their support.
    """
    owners = (None, *(population.particles or ()))
    return [half for owner in owners for half in _half_lengths(population.shape, owner, _largest)]


def longest_half_extent(shape: ShapeModel, particle: Particle) -> float:
    """Longest half extent in µm of one particle; distributions count with their centre."""
    return max(_half_lengths(shape, particle, number))


def _largest(quantity: Any) -> float:
    return quantity.support[1] if isinstance(quantity, Distribution) else float(quantity)


def _half_lengths(
    shape: ShapeModel, particle: Particle | None, value: Callable[[Any], float]
) -> list[float]:
    """Half lengths along the axes of a body, its particle's own sizes first."""
    numbers = []
    for field, place in shape.columns():
        own = getattr(particle, field, None)
        given = own if own is not None else getattr(shape, field)
        if given is None:  # what may be left out is no length
            given = 0.0
        numbers.append(np.array([value(given if place is None else given[place])]))
    halves = SHAPES[number_of(shape)].outer_half_lengths(shape, numbers)
    return [float(half[0]) for half in halves]
