"""What a population's particles are made of: faces, pieces, surfaces and inclusions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osog.geometry import BOX, POLYHEDRON, SHAPES, Pieces, assembly_of, number_of
from osog.geometry.half_spaces import corners_of_many
from osog.particles import OUTER
from osog.sample.faces import Faces, draw_faces, padded, with_cuts
from osog.sample.inclusions import Host, InclusionPlan, inclusion_pieces, plan_inclusions
from osog.sample.surface import SurfacePlan, plan_surface, surface_pieces
from osog.scene import Distribution, Surface
from osog.scene.paths import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from osog.geometry import Shape
    from osog.sample.further import Beside
    from osog.sample.values import Values
    from osog.scene import Population

Array = NDArray[np.float64]
Key = tuple[str, int | None]


@dataclass(frozen=True)
class BodyPlan:
    """What was drawn of the bodies of one population beside their numbers.

    Attributes
    ----------
    shape : Shape
        That draws the particles' own bodies, or stands around them.
    faces : Faces or None
    surface : SurfacePlan or None
    surface_laws : dict of field to ndarray (n,)
        Drawn numbers of the surface.
    pieces : object
        What the assembly drew.
    inclusions : tuple of InclusionPlan
    """

    shape: Shape
    faces: Faces | None
    surface: SurfacePlan | None
    surface_laws: dict[str, Array]
    pieces: Any
    inclusions: tuple[InclusionPlan, ...]


@dataclass(frozen=True)
class Bodies:
    """Bodies of n particles as tensors.

    Attributes
    ----------
    size : Tensor, shape (n, 3)
    planes : Tensor, shape (F, 4)
    counts : ndarray of int, shape (n,)
        Half-spaces of each.
    pieces : list of Pieces
    replaced : bool
        Whether the pieces are all there is of them.
    first : int
        Number of the first particle among all.
    """

    size: Tensor
    planes: Tensor
    counts: NDArray[np.int64]
    pieces: list[Pieces]
    replaced: bool
    first: int = 0


def plan_bodies(
    population: Population,
    count: int,
    stated: Mapping[Key, Array],
    streams: Mapping[str, np.random.Generator],
    beside: Beside,
) -> BodyPlan:
    """Draw what the numbers of a population do not say.

    Parameters
    ----------
    population : Population
    count : int
    stated : mapping of (field, place in a list) to ndarray (n,)
        Numbers of the shape, as the scene states them.
    streams : mapping of str to numpy Generator
        ``faces``, ``surface``, ``pieces`` and ``inclusions``.
    beside : Beside
        Numbers that those of surfaces, inclusions and cells may hang on.

    Raises
    ------
    SceneError
        If an inclusion does not fit.
    """
    model, shape = population.shape, SHAPES[number_of(population.shape)]
    faces, surface, surface_laws = None, None, {}
    if model.faceted:
        faces = draw_faces(model, count, streams["faces"], beside)
    assembly = assembly_of(model)
    pieces = None
    if assembly is not None:
        numbers = {field: column for (field, _), column in stated.items()}
        rng = streams["pieces"]
        drawn = beside.draw("shape", model, tuple(assembly.counts), count, rng)
        whole = {
            field: np.clip(np.rint(drawn[field]), *between).astype(np.int64)
            for field, between in assembly.counts.items()
        }
        pieces = assembly.plan(model, numbers, whole, rng)
    if population.surface is not None and faces is not None:
        shape, rng = POLYHEDRON, streams["surface"]
        worn = population.surface
        amounts = beside.draw("surface", worn, tuple(Surface.model_fields), count, rng)
        surface_laws = {
            f: c for f, c in amounts.items()
            if isinstance(getattr(worn, f), Distribution)
        }  # fmt: skip
        size = _plain_sizes(faces, stated, count)
        faces = with_cuts(faces, size, amounts, rng)
        surface = plan_surface(faces, size, amounts, rng)
    plan = BodyPlan(shape, faces, surface, surface_laws, pieces, ())
    if not population.inclusions or count == 0:
        return plan
    hosts, scale = _hosts(population, plan, stated, count)
    inclusions = tuple(
        plan_inclusions(each, hosts, scale, beside, streams["inclusions"], f"inclusions[{k}]")
        for k, each in enumerate(population.inclusions)
    )
    return BodyPlan(shape, faces, surface, surface_laws, pieces, inclusions)


def make_bodies(
    population: Population,
    plan: BodyPlan,
    sizes: Mapping[Key, Tensor],
    number: Callable[[str], Tensor | None],
    like: Tensor,
) -> Bodies:
    """Make the bodies of a population, differentiable in all of its numbers.

    Parameters
    ----------
    population : Population
    plan : BodyPlan
    sizes : mapping of (field, place in a list) to Tensor (n,)
        Numbers of the shape.
    number : callable
        Tensor of a further number of the population by its dotted name below it, such as
        ``surface.bevel_um``; None where the plan drew it.
    like : Tensor
        Gives type and device.
    """
    model, count = population.shape, len(next(iter(sizes.values())))
    own = SHAPES[number_of(model)]
    size = torch.stack(own.half_lengths(model, list(sizes.values())), 1)
    planes, counts = like.new_zeros(0, 4), np.zeros(count, np.int64)
    pieces: list[Pieces] = []
    assembly = assembly_of(model)
    if count == 0:  # a law of the count, or an object that is rendered without this population
        return Bodies(size, planes, counts, pieces, assembly is not None)
    if assembly is not None:
        pieces = assembly.pieces(model, {field: t for (field, _), t in sizes.items()}, plan.pieces)
    faces = plan.faces
    if faces is not None:
        full = _full_size(faces, sizes, count, like)
        if population.surface is not None:
            amounts = {}
            for field in Surface.model_fields:
                given = number(f"surface.{field}")
                if given is None:
                    drawn = plan.surface_laws[field]
                    amounts[field] = torch.as_tensor(drawn, dtype=like.dtype, device=like.device)
                else:
                    amounts[field] = given.expand(count)
            owner, normals, distances = faces.physical(full, amounts)
            planes = torch.cat([normals, distances[:, None]], 1)
            counts = np.bincount(owner.cpu().numpy(), minlength=count)
            size = torch.ones_like(size)
            if plan.surface is not None:
                pieces.append(surface_pieces(plan.surface, faces, full, amounts))
        elif own is not BOX:
            counts = np.bincount(faces.owner, minlength=count)
            if faces.by_size is None:
                planes = torch.as_tensor(faces.rows, dtype=like.dtype, device=like.device)
            else:
                _, normals, distances = faces.physical(full)
                planes = torch.cat([normals, distances[:, None]], 1)
    scale = size if faces is None else _full_size(faces, sizes, count, like)
    for k, (each, laid) in enumerate(zip(population.inclusions, plan.inclusions, strict=True)):
        pieces.append(inclusion_pieces(each, laid, scale, f"inclusions[{k}].", number))
    return Bodies(size, planes, counts, pieces, assembly is not None)


def further_numbers(values: Values, base: str) -> Callable[[str], Tensor | None]:
    """Tensors of a population's numbers by their names below `base`, for `make_bodies`."""

    def number(name: str) -> Tensor | None:
        given = values.given(f"{base}.{name}")
        if given is not None:
            return given
        stated: Any = values.scene
        for step in split(f"{base}.{name}"):
            stated = stated[step] if isinstance(step, int) else getattr(stated, step)
        return None if isinstance(stated, Distribution) else values.number(f"{base}.{name}")

    return number


def _full_size(faces: Faces, sizes: Mapping[Key, Tensor], count: int, like: Tensor) -> Tensor:
    """Sizes (n, 3) that faces scale with."""
    if faces.own:
        reach = 2 * float(faces.rows[:, 3].max(initial=1.0))
        return like.new_full((count, 3), reach)
    return torch.stack([sizes["size_um", k] for k in range(3)], 1)


def _plain_sizes(faces: Faces, stated: Mapping[Key, Array], count: int) -> Array:
    if faces.own:
        return np.full((count, 3), 2 * float(faces.rows[:, 3].max(initial=1.0)))
    return np.stack([np.broadcast_to(stated["size_um", k], count) for k in range(3)], 1)


def _hosts(
    population: Population, plan: BodyPlan, stated: Mapping[Key, Array], count: int
) -> tuple[list[Host], Array]:
    """Bodies that inclusions may lie in, and the sizes that their places scale with."""
    tensors = {key: torch.from_numpy(np.array(column)) for key, column in stated.items()}
    like = torch.zeros(0, dtype=torch.float64)
    bare = population.model_copy(update={"inclusions": ()})

    def number(name: str) -> Tensor | None:
        quantity = getattr(population.surface, name.split(".")[1])
        if isinstance(quantity, Distribution):
            return None
        return torch.tensor(float(quantity), dtype=torch.float64)

    made = make_bodies(bare, plan, tensors, number, like)
    size, every = made.size.numpy(), np.arange(count)
    if made.replaced:
        hosts = [
            Host(
                each.host.numpy(), each.shape, each.position.numpy(), each.size.numpy(),
                _open(each.planes, each.counts, len(each.host)),
            )
            for each in made.pieces
            if each.role == OUTER
        ]  # fmt: skip
        return hosts, size
    if plan.faces is None:
        nothing = np.zeros((count, 3))
        return [Host(every, plan.shape, nothing, size, np.zeros((count, 0, 4)))], size
    full = _plain_sizes(plan.faces, stated, count)
    if plan.shape is BOX:
        return [Host(every, BOX, np.zeros((count, 3)), size, np.zeros((count, 0, 4)))], full
    table, mask, _ = padded(np.repeat(every, made.counts), made.planes.numpy(), count)
    table = table.copy()
    if plan.faces.by_size is None and population.surface is None:
        scaled = table[..., :3] / size[:, None, :]
        length = np.where(mask, np.linalg.norm(scaled, axis=-1), 1.0)
        table = np.concatenate([scaled, table[..., 3:]], -1) / length[..., None]
    corners, known = corners_of_many(table, mask)
    half = np.where(known[..., None], np.abs(corners), 0.0).max(1)
    table[..., 3] = np.where(mask, table[..., 3], np.inf)
    return [Host(every, POLYHEDRON, np.zeros((count, 3)), half, table)], full


def _open(planes: Tensor | None, counts: Tensor | None, total: int) -> Array:
    """Half-spaces (m, F, 4) of pieces, padded with ones that hold everything."""
    if planes is None or counts is None:
        return np.zeros((total, 0, 4))
    table, mask, _ = padded(np.repeat(np.arange(total), counts.numpy()), planes.numpy(), total)
    table = np.array(table)
    table[..., 3] = np.where(mask, table[..., 3], np.inf)
    return table
