"""Scene + seed → particles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osog.cautions import Caution
from osog.geometry import SHAPES, silhouette_areas
from osog.particles import ParticleBatch, quaternion_from_angles, rotation_matrix
from osog.sample.bodies import Bodies, BodyPlan, further_numbers, make_bodies, plan_bodies
from osog.sample.columns import (
    MATERIAL,
    Columns,
    centre_of,
    check_particle_names,
    drawn_columns,
    every_column,
    is_length,
    owned_columns,
)
from osog.sample.further import Beside
from osog.sample.groups import Groups, grouped, single
from osog.sample.parts import joined_parts
from osog.sample.placement import Clump, Obstacles, Placed, Site, positions
from osog.sample.random_streams import random_streams
from osog.sample.solids import clumps_of, half_lengths, solids
from osog.sample.values import Values
from osog.sample.volumes import with_parts
from osog.scene import Particle, Population, Scene, SceneError
from osog.scene.seeds import checked_seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CORE = ("core_radius", "core_index", "core_absorption")
_SHELL = {"core_absorption_per_um": "absorption_per_um"}
"""Numbers of a core that, left out, are those of the material."""
_MOST_PARTICLES = 1_000_000
_FIRST_COUNT = 8
"""Particles that are drawn at first where a cover is asked for."""

Array = NDArray[np.float64]


@dataclass
class _Drawn:
    """One population after the draw: plain numbers, and which of them particles own."""

    population: Population
    number: int
    first: int
    position: Array
    angles: Array
    laws: Columns
    owned: dict[tuple[str, int | None], tuple[NDArray[np.bool_], Array]]
    factor: Array
    group: NDArray[np.int64]
    plan: BodyPlan | None = None

    @property
    def columns(self) -> dict[tuple[str, int | None], Array]:
        """Numbers (n,) that differ from what the population states, whoever gives them."""
        out = dict(self.laws)
        for (field, component), (mask, numbers) in self.owned.items():
            stated = out.get((field, component))
            if stated is None:
                part: Any = self.population.shape
                part = part if hasattr(part, field) else self.population.material
                quantity = getattr(part, field)
                quantity = quantity if component is None else quantity[component]
                stated = np.full(self.number, 0.0 if quantity is None else centre_of(quantity))
            out[field, component] = np.where(mask, numbers, stated)
        return out


def sample(
    scene: Scene,
    seed: int = 0,
    values: Values | Mapping[str, Any] | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> ParticleBatch:
    """Draw the particles of a scene.

    Parameters
    ----------
    scene : Scene
    seed : int
        The same scene and seed give the same particles on every device.
    values : Values or mapping, optional
        Tensors that replace numbers of the scene; the batch is differentiable in them.
    dtype, device
        Of the batch, when `values` is a mapping.

    Returns
    -------
    ParticleBatch
        Particles in scene order, invisible populations left out.

    Raises
    ------
    SceneError
        If a value names no particle that was drawn, bodies do not fit without overlap, or the seed
        is negative.
    """
    if not isinstance(values, Values):
        if isinstance(scene, Scene):
            scene = scene.drawn(seed)
        values = Values(scene, values, dtype=dtype, device=device)
    groups = _draw(scene, seed)
    check_particle_names(values, sum(group.number for group in groups))
    return _batch(groups, values)


def _batch(groups: list[_Drawn], values: Values) -> ParticleBatch:
    made = [_tensors(group, values) for group in groups]
    if not made:
        return _empty(values)
    parts, bodies = [part for part, _ in made], [body for _, body in made]
    counts = np.concatenate([body.counts for body in bodies])
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    widest = max(part["size"].shape[1] for part in parts)
    for part in parts:
        size = part["size"]
        part["size"] = torch.nn.functional.pad(size, (0, widest - size.shape[1]))
    joined = {
        name: torch.cat([part[name] for part in parts])
        for name in ("position", "size", "angles", "axis", *_CORE, *MATERIAL)
    }
    kind, owner, group = (
        torch.cat([part[name] for part in parts]) for name in ("shape_kind", "population", "group")
    )
    quaternion = quaternion_from_angles(joined["angles"])
    optic_axis = (rotation_matrix(quaternion) @ joined["axis"][:, :, None])[:, :, 0]
    batch = ParticleBatch(
        position=joined["position"],
        quaternion=quaternion,
        size=joined["size"],
        delta_index=joined["index"] - values.medium.index,
        absorption_per_um=joined["absorption_per_um"],
        emission_per_um=joined["emission_per_um"],
        birefringence=joined["birefringence"],
        optic_axis=optic_axis,
        core_radius=joined["core_radius"],
        core_index_step=joined["core_index"] - joined["index"],
        core_absorption_step=joined["core_absorption"] - joined["absorption_per_um"],
        planes=torch.cat([body.planes for body in bodies]),
        plane_start=torch.as_tensor(starts, device=values.device),
        shape_kind=kind,
        population=owner,
        group=group,
        parts=joined_parts(bodies, joined, values.medium.index),
    )
    return with_parts(batch, values)


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
    groups = {group.population.name: group for group in _draw(image, seed)}
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


def _listed(group: _Drawn) -> list[Particle]:
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


def _scaled(group: _Drawn) -> dict[tuple[str, int | None], Array]:
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


def _draw(scene: Scene, seed: int) -> list[_Drawn]:
    seed = checked_seed(seed)
    groups: list[_Drawn] = []
    obstacles = Obstacles()
    first = 0
    listed = [p.group for each in scene.populations for p in each.particles or ()]
    last = max((number for number in listed if number is not None), default=-1)
    for number, population in enumerate(scene.populations):
        if not population.visible:
            continue
        count = _count(population, scene, seed, number)
        streams = random_streams(seed, number)
        laws, placed = drawn_columns(population, count, streams, scene)
        owned = owned_columns(population)
        if population.particles is not None:
            angles = np.array([p.orientation_deg for p in population.particles]).reshape(-1, 3)
            together = single(angles)
        else:
            beside = Beside(population, scene, every_column(population, count, laws))
            together, laws = _together(beside, count, laws, placed, streams, (seed, number))
        group = _Drawn(
            population, len(together.angles), first, together.offset, together.angles, laws, owned,
            together.factor, _group_numbers(population, together, last),
        )  # fmt: skip
        last = max(last, int(group.group.max(initial=-1)))
        if population.particles is not None:
            position = np.array([[p.x_um, p.y_um, p.z_um] for p in population.particles])
            group.position = position.reshape(-1, 3)
            if any(other.placement.keeps_clear for other in scene.populations):
                for centre, clump in zip(group.position, _clumps(group, together), strict=True):
                    obstacles.add(centre, clump)
        else:
            site = Site(
                population,
                count,
                scene.grid.extent_um,
                scene.grid.pixel_size_um,
                streams,
                lambda g=group, t=together: _clumps(g, t),  # type: ignore[misc]
                obstacles,
                lambda name: _placed(groups, name),
                placed.get(("z_um", None)),
            )
            group.position = positions(site)[together.clump] + together.offset
        own = population.body_seed
        group.plan = _plan(group, scene, streams if own is None else random_streams(own, number))
        groups.append(group)
        first += group.number
    return groups


def _plan(group: _Drawn, scene: Scene, streams: dict[str, np.random.Generator]) -> BodyPlan:
    """What the numbers of a population do not say of its bodies."""
    every = every_column(group.population, group.number, group.columns, group.factor)
    stated = {key: every[key] for key in group.population.shape.columns()}
    beside = Beside(group.population, scene, every)
    return plan_bodies(group.population, group.number, stated, streams, beside)


def _together(
    beside: Beside,
    count: int,
    columns: Columns,
    placed: Columns,
    streams: dict[str, np.random.Generator],
    key: tuple[int, int],
) -> tuple[Groups, Columns]:
    """Particles alone, or the members of aggregates with the numbers that they share."""
    population = beside.population
    own = {field: column for (field, _), column in placed.items()}
    turned = population.orientation.turned(count, streams, own)
    if population.aggregate is None:
        return single(turned), columns
    together = grouped(population, turned, columns, streams["members"], key, beside)
    return together, {name: column[together.clump] for name, column in columns.items()}


def _clumps(group: _Drawn, together: Groups) -> list[Clump]:
    columns, factor = group.columns, group.factor
    bodies = solids(group.population, group.angles, columns, factor)
    half = half_lengths(group.population, group.number, columns, factor)
    return clumps_of(bodies, half, group.angles, together.offset, together.members)


def _placed(groups: list[_Drawn], name: str | None) -> Placed | None:
    found = [g for g in groups if g.population.name == name] if name is not None else groups
    if not found:
        return None
    group = found[-1]
    bodies = solids(group.population, group.angles, group.columns, group.factor)
    return list(zip(bodies, group.position, strict=True))


def _group_numbers(population: Population, together: Groups, last: int) -> NDArray[np.int64]:
    """Number (n,) of the group of each particle, from `last` + 1; −1 for those alone."""
    if population.particles is not None:
        numbers = [-1 if p.group is None else p.group for p in population.particles]
        return np.array(numbers, dtype=np.int64)
    if population.aggregate is None:
        return np.full(len(together.angles), -1, dtype=np.int64)
    return together.clump + last + 1


def _count(population: Population, scene: Scene, seed: int, number: int) -> int:
    if population.particles is not None:
        return len(population.particles)
    height, width = scene.grid.extent_um
    margin = population.placement.margin_um
    area, wide = height * width, (height + 2 * margin) * (width + 2 * margin)
    if population.density_per_mm2 is not None:
        rng = random_streams(seed, number)["count"]
        return int(rng.poisson(population.density_per_mm2 * 1e-6 * wide))
    if population.cover is not None:
        return _count_for_cover(population, scene, seed, number, population.cover * wide)
    return round((population.count or 0) * wide / area)


def _count_for_cover(
    population: Population, scene: Scene, seed: int, number: int, wanted_um2: float
) -> int:
    """How many of the first particles have silhouettes whose areas add up to the one wanted.

    The nearest number of them, so that the error is at most half of a silhouette.
    """
    if wanted_um2 <= 0:
        return 0
    count = _FIRST_COUNT
    while True:
        streams = random_streams(seed, number)
        columns, placed = drawn_columns(population, count, streams, scene)
        beside = Beside(population, scene, every_column(population, count, columns))
        together, columns = _together(beside, count, columns, placed, streams, (seed, number))
        alone = np.full(len(together.angles), -1, dtype=np.int64)
        group = _Drawn(
            population, len(alone), 0, together.offset, together.angles, columns, {},
            together.factor, alone,
        )  # fmt: skip
        group.plan = _plan(group, scene, random_streams(seed, number))
        areas = silhouette_areas(_batch([group], Values(scene, dtype=torch.float64))).numpy()
        sums = np.cumsum(np.bincount(together.clump, areas, count))
        if sums[-1] > wanted_um2 or count >= _MOST_PARTICLES:
            break
        # As many as the mean so far asks for, and some more; the first ones stay the same.
        count = min(max(2 * count, int(1.2 * count * wanted_um2 / sums[-1])), _MOST_PARTICLES)
    if sums[-1] < wanted_um2:
        raise SceneError(
            f"population '{population.name}': cover = {population.cover:g} takes more than "
            f"{_MOST_PARTICLES} particles of this size."
        )
    reached = int(np.searchsorted(sums, wanted_um2))
    before = sums[reached - 1] if reached else 0.0
    return reached + int(sums[reached] - wanted_um2 < wanted_um2 - before)


def _tensors(group: _Drawn, values: Values) -> tuple[dict[str, Tensor], Bodies]:
    population, n = group.population, group.number
    index = next(i for i, p in enumerate(values.scene.populations) if p.name == population.name)
    base = f"populations[{index}]"
    float_: dict[str, Any] = {"dtype": values.dtype, "device": values.device}
    scattered = bool((group.factor != 1).any())

    def column(path: str, field: str, component: int | None) -> Tensor:
        key = (field, component)
        suffix = "" if component is None else f"[{component}]"
        given = values.given(f"{base}.{path}.{field}{suffix}")
        if given is not None:
            out = given.expand(n)  # one number for all, also where the scene states a law
        elif key in group.laws:
            out = torch.as_tensor(group.laws[key], **float_)
        elif field in _SHELL and getattr(population.shape, field) is None:
            out = column("material", _SHELL[field], None)
        else:
            out = values.number(f"{base}.{path}.{field}{suffix}").expand(n)
        if key in group.owned:
            mask, numbers = group.owned[key]
            out = torch.where(
                torch.as_tensor(mask, device=values.device), torch.as_tensor(numbers, **float_), out
            )
        if path == "shape" and scattered and is_length(population.shape, field):
            out = out * torch.as_tensor(group.factor, **float_)
        return _single(out, values.of_particles(field, component), group)

    def plain(numbers: Array, field: str, component: int | None) -> Tensor:
        out = torch.as_tensor(numbers, **float_)
        return _single(out, values.of_particles(field, component), group)

    position = torch.stack(
        [plain(group.position[:, k], f, None) for k, f in enumerate(("x_um", "y_um", "z_um"))], 1
    )
    angles = torch.stack([plain(group.angles[:, k], "orientation_deg", k) for k in range(3)], 1)
    sizes = {(f, k): column("shape", f, k) for f, k in population.shape.columns()}
    assert group.plan is not None
    bodies = make_bodies(population, group.plan, sizes, further_numbers(values, base), position)
    out = {"position": position, "angles": angles, "size": bodies.size}
    for field in MATERIAL:
        out[field] = column("material", field, None)
    core_radius, core_index, core_absorption = (
        sizes.get((f, None)) for f in ("core_radius_um", "core_index", "core_absorption_per_um")
    )
    out["core_radius"] = torch.zeros(n, **float_) if core_radius is None else core_radius
    out["core_index"] = out["index"] if core_index is None else core_index
    absorption = out["absorption_per_um"]
    out["core_absorption"] = absorption if core_absorption is None else core_absorption
    axis = [values.number(f"{base}.material.optic_axis[{k}]") for k in range(3)]
    direction = torch.stack(axis)
    out["axis"] = (direction / direction.norm()).expand(n, 3)
    long: dict[str, Any] = {"dtype": torch.int64, "device": values.device}
    out["shape_kind"] = torch.full((n,), SHAPES.index(group.plan.shape), **long)
    out["population"] = torch.full((n,), index, **long)
    out["group"] = torch.as_tensor(group.group, **long)
    return out, replace(bodies, first=group.first)


def _single(column: Tensor, given: dict[int, Tensor], group: _Drawn) -> Tensor:
    mine = {i - group.first: t for i, t in given.items() if 0 <= i - group.first < group.number}
    if not mine:
        return column
    where = torch.tensor(list(mine), device=column.device)
    return column.index_put((where,), torch.stack(list(mine.values())))


def _empty(values: Values) -> ParticleBatch:
    real: dict[str, Any] = {"dtype": values.dtype, "device": values.device}
    long: dict[str, Any] = {"dtype": torch.int64, "device": values.device}
    return ParticleBatch(
        position=torch.zeros(0, 3, **real),
        quaternion=torch.zeros(0, 4, **real),
        size=torch.zeros(0, 3, **real),
        delta_index=torch.zeros(0, **real),
        absorption_per_um=torch.zeros(0, **real),
        emission_per_um=torch.zeros(0, **real),
        birefringence=torch.zeros(0, **real),
        optic_axis=torch.zeros(0, 3, **real),
        core_radius=torch.zeros(0, **real),
        core_index_step=torch.zeros(0, **real),
        core_absorption_step=torch.zeros(0, **real),
        shape_kind=torch.zeros(0, **long),
        population=torch.zeros(0, **long),
        group=torch.zeros(0, **long),
        planes=torch.zeros(0, 4, **real),
        plane_start=torch.zeros(1, **long),
    )


def cautions(scene: Scene, batch: ParticleBatch, plan: object) -> Iterator[Caution]:
    """Say when there is nothing to see."""
    if len(batch) == 0:
        yield Caution("The scene draws no particles; the image is the empty background.")
