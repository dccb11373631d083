"""The table of all shapes, and what follows from it for particles of any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.geometry.assemblies import ENVELOPE
from osog.geometry.bent_fibre import BENT_CYLINDER, BENT_ROD
from osog.geometry.box import BOX
from osog.geometry.cylinder import CYLINDER
from osog.geometry.ellipsoid import ELLIPSOID
from osog.geometry.hollow import TUBE, VESICLE
from osog.geometry.polyhedron import POLYHEDRON
from osog.geometry.red_cell import RED_CELL
from osog.geometry.rod import ROD
from osog.geometry.shape import Bodies, Shape
from osog.geometry.sphere import SPHERE
from osog.geometry.volume import VOLUME
from osog.particles import assembled
from osog.scene import SHAPES as SCENE_SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.particles import ParticleBatch
    from osog.scene.shapes import ShapeModel

SHAPES: list[Shape] = [
    SPHERE,
    ELLIPSOID,
    ROD,
    CYLINDER,
    BOX,
    POLYHEDRON,
    RED_CELL,
    BENT_ROD,
    BENT_CYLINDER,
    VESICLE,
    TUBE,
    VOLUME,
    ENVELOPE,
]
"""Every shape; its place is its number in ``ParticleBatch.shape_kind``."""

_OWN = len(SHAPES)


def register(shape: Shape) -> Shape:
    """Add a shape from outside the package, and its classes to the scene.

    Scene files, the JSON schema, rendering, labels and fits then know it like the others. A shape
    for a kind that was registered before takes the place of the earlier one.

    Parameters
    ----------
    shape : Shape
        Its ``models`` name the classes of the scene whose bodies it draws.

    Returns
    -------
    Shape
        The same.

    Raises
    ------
    ValueError
        When it has no models, or one of them has the kind of a shape of the package.
    """
    if not shape.models:
        raise ValueError(f"{type(shape).__name__}.models must name at least one ShapeModel.")
    names = {SCENE_SHAPES.name_of(model) for model in shape.models}
    number = len(SHAPES)
    for k, other in enumerate(SHAPES):
        common = names & {SCENE_SHAPES.name_of(model) for model in other.models}
        if common and k < _OWN:
            raise ValueError(f"kind = '{min(common)}' is a shape of the package; choose another.")
        if common:
            number = k
    for model in shape.models:
        SCENE_SHAPES.register(model)
    SHAPES[number : number + 1] = [shape]
    return shape


def number_of(model: ShapeModel) -> int:
    """Return the place in `SHAPES` of the shape that draws a shape of the scene.

    Raises
    ------
    ValueError
        When none does.
    """
    for number, shape in enumerate(SHAPES):
        if isinstance(model, shape.models):
            return number
    raise ValueError(f"A {model.kind} has no geometry; osog.geometry.register() gives it one.")


def by_shape(batch: ParticleBatch, index: Tensor | None = None) -> Iterator[tuple[Shape, Tensor]]:
    """Sort particles by their shape.

    Parameters
    ----------
    batch : ParticleBatch
    index : Tensor, optional, shape (n,), int64
        Look at these particles only.

    Yields
    ------
    shape : Shape
    rows : Tensor, shape (m,), int64
        Places in ``index``, ascending; particles of the batch when it is left out.
    """
    kind = batch.shape_kind if index is None else batch.shape_kind[index]

    def counted() -> list[int]:
        found: list[int] = torch.bincount(kind.long(), minlength=len(SHAPES)).tolist()
        return found

    counts = batch.worked_out("shapes", counted) if index is None else counted()
    for number, shape in enumerate(SHAPES):
        if counts[number] == len(kind):
            if len(kind):
                yield shape, torch.arange(len(kind), device=kind.device)
        elif counts[number]:
            yield shape, torch.nonzero(kind == number).squeeze(-1)


def half_extents(batch: ParticleBatch, index: Tensor) -> Tensor:
    """Half sizes of the axis-aligned bounding boxes in the world frame.

    Parameters
    ----------
    batch : ParticleBatch
    index : Tensor, shape (n,), int64
        Particles to look at, of any shapes.

    Returns
    -------
    Tensor, shape (n, 3)
        Half sizes along x, y, z in µm about the particle's position; detached. For a body that is
        not symmetric about its position it is the farther side.
    """
    plain = batch.detach()
    whole: Tensor = plain.worked_out("half extents", lambda: _half_extents(plain))
    return whole[index]


def _half_extents(batch: ParticleBatch) -> Tensor:
    out = batch.size.new_zeros(len(batch), 3)
    with torch.no_grad():
        for shape, rows in by_shape(batch):
            out[rows] = shape.half_extents(Bodies.of(batch, rows, shape))
        if batch.parts is not None:
            out = torch.maximum(out, _reach_of_parts(batch))
    return out


def _reach_of_parts(batch: ParticleBatch) -> Tensor:
    """Farthest reach (N, 3) of the outer parts of every particle from its position."""
    whole = assembled(batch.detach())
    assert whole.membership is not None
    rows = torch.nonzero(whole.membership.outer).flatten()
    rows = rows[rows >= len(batch)]
    host = whole.membership.host[rows]
    far = half_extents(whole, rows) + (whole.position[rows] - batch.position[host]).abs()
    found = batch.size.new_zeros(len(batch), 3).detach()
    return found.scatter_reduce_(0, host[:, None].expand(-1, 3), far, "amax")
