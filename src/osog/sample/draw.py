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
from osog.particles import ParticleBatch
from osog.rotations import quaternion_from_angles, rotation_matrix
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
from osog.sample.reading import Block
from osog.sample.solids import clumps_of, half_lengths, solids
from osog.sample.values import Values
from osog.sample.volumes import with_parts
from osog.scene import Population, Scene, SceneError
from osog.scene.seeds import checked_seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from osog.sample.reading import Reading

_CORE = ("core_radius", "core_index", "core_absorption")
_SHELL = {"core_absorption_per_um": "absorption_per_um"}
"""Numbers of a core that, left out, are those of the material."""
_MOST_PARTICLES = 1_000_000
_FIRST_COUNT = 8
"""Particles that are drawn at first where a cover is asked for."""

_MOST_KEPT = 200_000
"""Particles of a draw that is kept for the next image."""

Array = NDArray[np.float64]
_RECENT: list[tuple[int, Reading, list[Drawn]]] = []


@dataclass
class Drawn:
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
    groups = _groups(scene, seed, values)
    check_particle_names(values, sum(group.number for group in groups))
    return _batch(groups, values)


def _batch(groups: list[Drawn], values: Values) -> ParticleBatch:
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
    rotation = rotation_matrix(quaternion)
    optic_axis = (rotation @ joined["axis"][:, :, None])[:, :, 0]
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
    batch.worked_out("rotation", lambda: rotation)
    return with_parts(batch, values)


def _groups(scene: Scene, seed: int, values: Values) -> list[Drawn]:
    """Draw, unless what the last draws were made from is the same: numbers of materials seldom are.

    Whatever is read of the scene is recorded either way.
    """
    global _RECENT
    if not isinstance(scene, Block):
        return draw_groups(scene, seed)
    seed = checked_seed(seed)
    for kept_seed, reading, groups in _RECENT:
        if kept_seed == seed and values.unchanged(reading):
            values.note(reading)
            return groups
    with values.recorded() as reading:
        groups = draw_groups(scene, seed)
    if sum(group.number for group in groups) <= _MOST_KEPT:
        _RECENT = [(seed, reading, groups), *_RECENT][:2]
    return groups


def draw_groups(scene: Scene, seed: int) -> list[Drawn]:
    """Draw the populations of a scene that are visible, as plain numbers."""
    seed = checked_seed(seed)
    groups: list[Drawn] = []
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
        group = Drawn(
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


def _plan(group: Drawn, scene: Scene, streams: dict[str, np.random.Generator]) -> BodyPlan:
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


def _clumps(group: Drawn, together: Groups) -> list[Clump]:
    columns, factor = group.columns, group.factor
    bodies = solids(group.population, group.angles, columns, factor)
    half = half_lengths(group.population, group.number, columns, factor)
    return clumps_of(bodies, half, group.angles, together.offset, together.members)


def _placed(groups: list[Drawn], name: str | None) -> Placed | None:
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
        group = Drawn(
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


def _tensors(group: Drawn, values: Values) -> tuple[dict[str, Tensor], Bodies]:
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

    def plain(numbers: Array, fields: tuple[tuple[str, int | None], ...]) -> Tensor:
        out = torch.as_tensor(numbers, **float_)  # in one copy to a device
        columns = zip(fields, out.unbind(1), strict=True)
        return torch.stack(
            [_single(each, values.of_particles(*field), group) for field, each in columns], 1
        )

    position = plain(group.position, (("x_um", None), ("y_um", None), ("z_um", None)))
    turns: tuple[tuple[str, int | None], ...] = tuple(("orientation_deg", k) for k in range(3))
    angles = plain(group.angles, turns)
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


def _single(column: Tensor, given: dict[int, Tensor], group: Drawn) -> Tensor:
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
