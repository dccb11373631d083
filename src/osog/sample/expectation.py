"""How much a scene will draw, before it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.particles import FEW
from osog.scene.volumes import VoxelShape

if TYPE_CHECKING:
    from osog.scene import Population, Scene


def draws_few(scene: Scene) -> bool:
    """Whether so few particles are to be expected that the host plans them soonest.

    Parameters
    ----------
    scene : Scene
        One with volumes of voxels does not count, as their arrays lie where they are drawn.

    Notes
    -----
    A guess for speed alone: where a share of the picture is to be covered, or aggregates have many
    members, more may come.
    """
    shown = [p for p in scene.populations if p.visible]
    if any(isinstance(p.shape, VoxelShape) for p in shown):
        return False
    return sum(_expected(p, scene) for p in shown) <= FEW


def _expected(population: Population, scene: Scene) -> float:
    if population.particles is not None:
        return len(population.particles)
    height, width = scene.grid.extent_um
    margin = population.placement.margin_um
    wide = (height + 2 * margin) * (width + 2 * margin)
    if population.density_per_mm2 is not None:
        return population.density_per_mm2 * 1e-6 * wide
    return (population.count or 0) * wide / (height * width)


__all__ = ["draws_few"]
