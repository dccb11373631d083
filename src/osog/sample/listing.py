"""Drawn particles as particles that a scene lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.sample.columns import centre_of, is_length
from osog.sample.draw import draw_groups
from osog.scene import Particle, Scene

if TYPE_CHECKING:
    from osog.sample.draw import Array, Drawn


def explicit(scene: Scene, seed: int = 0) -> Scene:
    """Turn every drawn particle into one that the scene lists, so that it can be moved by hand.

    Listed particles get the sizes that they draw from laws of their population.

    Returns
    -------
    Scene
        Renders to the same image with any seed, where only particles were drawn; invisible
        populations are kept as they are, and so are laws outside the populations.
    """
    image = scene.drawn(seed)
    groups = {group.population.name: group for group in draw_groups(image, seed)}
    populations = []
    for population in image.populations:
        group = groups.get(population.name)
        if group is not None and population.random_bodies and population.body_seed is None:
            population = population.model_copy(update={"body_seed": seed})
        if group is None or (population.particles is not None and not group.laws):
            populations.append(population)
            continue
        listed = _listed(group)
        populations.append(
            population.model_copy(
                update={
                    **{"particles": tuple(listed), "count": None},
                    **{"density_per_mm2": None, "cover": None, "aggregate": None},
                }
            )
        )
    return scene.model_copy(update={"populations": tuple(populations)})


def _listed(group: Drawn) -> list[Particle]:
    """Particles of a population with the numbers that they drew."""
    population, columns = group.population, _scaled(group)
    rows: list[dict[str, Any]] = []
    for i in range(group.number):
        stated = None if population.particles is None else population.particles[i]
        own: dict[str, Any] = {"group": int(group.group[i])} if group.group[i] >= 0 else {}
        for (field, component), column in columns.items():
            if getattr(stated, field, None) is not None:
                continue
            if component is None:
                own[field] = float(column[i])
            else:
                current = own.get(field) or [
                    centre_of(getattr(population.shape, field)[k]) for k in range(3)
                ]
                current[component] = float(column[i])
                own[field] = current
        rows.append({key: tuple(v) if isinstance(v, list) else v for key, v in own.items()})
    if population.particles is not None:
        pairs = zip(population.particles, rows, strict=True)
        return [stated.model_copy(update=own) for stated, own in pairs]
    for row, place, angles in zip(
        rows, group.position.tolist(), group.angles.tolist(), strict=True
    ):
        x, y, z = place
        row.update(x_um=x, y_um=y, z_um=z, orientation_deg=tuple(angles))
    # Where the least and the largest of every number are in their range, all between them are.
    for edge in (np.min, np.max) if rows else ():
        numbers = {key: edge([row[key] for row in rows], axis=0).tolist() for key in rows[0]}
        Particle(**{key: tuple(v) if isinstance(v, list) else v for key, v in numbers.items()})
    return [Particle.model_construct(set(row), **row) for row in rows]


def _scaled(group: Drawn) -> dict[tuple[str, int | None], Array]:
    """Numbers that particles own, with the factors on their lengths."""
    out, shape = dict(group.laws), group.population.shape
    if (group.factor != 1).any():
        for field, component in shape.columns():
            if is_length(shape, field):
                quantity = getattr(shape, field)
                quantity = quantity if component is None else quantity[component]
                stated = out.get((field, component), centre_of(quantity))
                out[field, component] = stated * group.factor
    return out


__all__ = ["explicit"]
