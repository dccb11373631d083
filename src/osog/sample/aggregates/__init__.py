"""Aggregates, a file for each kind; a further one takes one line in `MAKERS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.sample.aggregates.chain import chain
from osog.sample.aggregates.cross_twin import cross_twin
from osog.sample.aggregates.dendrite import dendrite
from osog.sample.aggregates.diffusion_limited import diffusion_limited
from osog.sample.aggregates.parts import Members, Seed
from osog.sample.aggregates.random_heap import random_heap
from osog.sample.aggregates.rosette import rosette
from osog.sample.aggregates.satellites import intergrown, satellites
from osog.sample.aggregates.sheaf import sheaf
from osog.sample.aggregates.stack import stack
from osog.scene import aggregates as models

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.scene.aggregates import Aggregate

MAKERS: dict[type[Aggregate], Callable[[Any, Seed], Members]] = {
    models.RandomHeap: random_heap,
    models.Stack: stack,
    models.Chain: chain,
    models.CrossTwin: cross_twin,
    models.Sheaf: sheaf,
    models.Rosette: rosette,
    models.Dendrite: dendrite,
    models.DiffusionLimited: diffusion_limited,
    models.Satellites: satellites,
    models.Intergrown: intergrown,
}
"""The function that makes one aggregate of each kind."""


def made(model: Aggregate, seed: Seed) -> Members:
    """Members of one aggregate."""
    return MAKERS[type(model)](model, seed)


__all__ = ["MAKERS", "Members", "Seed", "made"]
