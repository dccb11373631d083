"""Volumes of a scene → parts of a batch, one for each label."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from osog.derivatives import outside_func
from osog.scene.volumes import LABEL_NUMBERS, VoxelShape
from osog.voxels import VoxelGrid, Voxels

if TYPE_CHECKING:
    from osog.particles import ParticleBatch
    from osog.sample.values import Values
    from osog.scene.voxels import VoxelArray

_LEAST_STEP = 1e-4
"""Index difference in which an array of the medium's own index is counted."""
_PRESENT = {"occupancy": 0.5, "index": 0.1, "emission": 0.1}
"""Share of the largest weight from which a voxel belongs to the body in maps of labels."""
_KEPT = 4
"""Arrays that are kept as tensors."""


def with_parts(batch: ParticleBatch, values: Values) -> ParticleBatch:
    """Return the batch with a particle for every label of its volumes.

    Parameters
    ----------
    batch : ParticleBatch
        One particle for each volume, with the numbers of its material.
    values : Values
        Gives the numbers of single labels, and tensors that replace arrays.

    Returns
    -------
    ParticleBatch
        The same where there is no volume. Further labels stand at its end, so that all other
        particles keep their numbers.
    """
    populations = values.scene.populations
    if not any(isinstance(population.shape, VoxelShape) for population in populations):
        return batch
    owners = batch.population.tolist()
    shapes: dict[int, VoxelShape] = {
        i: shape
        for i in sorted(set(owners))
        if isinstance(shape := populations[i].shape, VoxelShape)
    }
    if not shapes:
        return batch
    places = {i: k for k, i in enumerate(shapes)}
    labels = {i: shape.label_values for i, shape in shapes.items()}
    rows, bodies, parts = list(range(len(owners))), [-1] * len(owners), [-1] * len(owners)
    for row, i in enumerate(owners):
        if i in shapes:
            bodies[row], parts[row] = row, 1
            rows += [row] * (len(labels[i]) - 1)
            bodies += [row] * (len(labels[i]) - 1)
            parts += range(2, len(labels[i]) + 1)
    grids = [places.get(owners[row], -1) for row in rows]
    long: dict[str, Any] = {"dtype": torch.int64, "device": batch.device}
    grid, body, part = (torch.tensor(column, **long) for column in (grids, bodies, parts))
    found = batch.taken(torch.tensor(rows, **long))
    medium = values.medium.index
    columns = {name: getattr(found, name) for name in LABEL_NUMBERS if name != "index"}
    columns["delta_index"] = found.delta_index
    weights = []
    for i, shape in shapes.items():
        mine = grid == places[i]
        for rank, label in enumerate(labels[i], start=1):
            own = shape.numbers_of(label)
            for name in LABEL_NUMBERS if own is not None else ():
                assert own is not None
                path = f"populations[{i}].shape.labels[{own[0]}].{name}"
                if getattr(own[1], name) is not None:
                    number = values.number(path)
                    field = "delta_index" if name == "index" else name
                    number = number - medium if name == "index" else number
                    columns[field] = torch.where(mine & (part == rank), number, columns[field])
        kept, weight, step = _weights(i, shape, values)
        weights.append(weight)
        for name, column in columns.items():
            if name not in kept:
                columns[name] = torch.where(mine, torch.zeros_like(column), column)
        if step is not None:
            columns["delta_index"] = torch.where(mine, step, columns["delta_index"])
    stated = float(medium.detach())
    arrays = tuple(
        _grid(
            shape.grid,
            shape.contents,
            batch.device,
            stated if shape.contents == "index" else None,
        )
        for shape in shapes.values()
    )
    return replace(found, **columns, voxels=Voxels(arrays, tuple(weights), grid, body, part))


_KEEPS = {
    "labels": ("delta_index", "absorption_per_um", "emission_per_um", "birefringence"),
    "occupancy": ("delta_index", "absorption_per_um", "emission_per_um", "birefringence"),
    "index": (),
    "emission": ("emission_per_um",),
}
"""Numbers of the material that hold for an array, by what it holds."""


def _weights(
    number: int, shape: VoxelShape, values: Values
) -> tuple[tuple[str, ...], Tensor | None, Tensor | None]:
    """Numbers of the material that act, weights of the voxels, and the index step they count."""
    contents = shape.contents
    given = values.given_array(f"populations[{number}].shape.array")
    if contents == "labels":
        return _KEEPS[contents], None, None
    array = _tensor(shape.grid, values.dtype, values.device) if given is None else given
    if contents != "index":
        return _KEEPS[contents], array, None
    difference = array - values.medium.index
    step = values.constant(max(float(difference.detach().abs().max()), _LEAST_STEP))
    return _KEEPS[contents], difference / step, step


@lru_cache(maxsize=_KEPT)
def _tensor(array: VoxelArray, dtype: torch.dtype, device: torch.device) -> Tensor:
    with outside_func():
        return torch.tensor(array.data, dtype=dtype, device=device)


@lru_cache(maxsize=_KEPT)
def _grid(
    array: VoxelArray, contents: str, device: torch.device, medium: float | None
) -> VoxelGrid:
    data = array.data
    shape = (data.shape[0], data.shape[1], data.shape[2])
    with outside_func():
        if contents == "labels":
            ranks = array.labels[1]
            occupied = torch.from_numpy(ranks.reshape(len(ranks), -1).any(1))
            tensor = torch.from_numpy(ranks).to(device)
            return VoxelGrid(shape, tensor, tensor, len(array.labels[0]), occupied)
        weight = data if medium is None else np.abs(data - medium)
        occupied = torch.ones(shape[0], dtype=torch.bool)
        if medium is None:
            occupied = torch.from_numpy((weight.reshape(shape[0], -1) != 0).any(1))
        least = _PRESENT[contents] * max(float(weight.max()), 1e-12)
        mask = torch.from_numpy((weight >= least).astype(np.uint8)).to(device)
        return VoxelGrid(shape, None, mask, 1, occupied)


__all__ = ["with_parts"]
