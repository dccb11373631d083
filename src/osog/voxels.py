"""Volumes of voxels among the particles of a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, eq=False)  # two are the same only if they are one
class VoxelGrid:
    """One array, whatever is made of it.

    Attributes
    ----------
    shape : (int, int, int)
        Voxels (Z, Y, X).
    ranks : Tensor or None, shape (Z, Y, X), integers
        0 where nothing is, r where the r-th part of the volume is; None for one part everywhere.
    mask : Tensor, shape (Z, Y, X), integers
        The same for the maps of labels, 0 and 1 where a single part counts as present.
    parts : int
        How many there are.
    occupied : Tensor, shape (Z,), bool, on the CPU
        Planes that hold anything.
    """

    shape: tuple[int, int, int]
    ranks: Tensor | None
    mask: Tensor
    parts: int
    occupied: Tensor

    def on(self, device: torch.device) -> VoxelGrid:
        """Return it with its array on a device."""
        if self.mask.device == device:
            return self
        ranks = None if self.ranks is None else self.ranks.to(device)
        return replace(self, ranks=ranks, mask=self.mask.to(device))


@dataclass(frozen=True)
class Voxels:
    """Which particles of a batch are parts of a volume.

    A volume with several labels has one particle for each of them, all of one position, rotation
    and size, so that each label has its own index, absorption and number in the instance map. The
    first part stands where the scene lists the volume, the others at the end of the batch.

    Attributes
    ----------
    grids : tuple of VoxelGrid
    weights : tuple of Tensor or None
        Of each grid: how much of what a particle is made of each voxel holds (Z, Y, X),
        differentiable; None for all of it.
    grid : Tensor, shape (N,), int64
        Array that a particle is drawn from; −1 for particles that are no volume.
    body : Tensor, shape (N,), int64
        Volume that it is a part of.
    part : Tensor, shape (N,), int64
        Which part, from 1.
    """

    grids: tuple[VoxelGrid, ...]
    weights: tuple[Tensor | None, ...]
    grid: Tensor
    body: Tensor
    part: Tensor

    def taken(self, numbers: Tensor) -> Voxels:
        """Return those of some of the particles."""
        return replace(
            self, grid=self.grid[numbers], body=self.body[numbers], part=self.part[numbers]
        )

    def followed_by(self, count: int) -> Voxels:
        """Return those of a batch with further particles at its end, which are no volumes."""
        none = self.grid.new_full((count,), -1)
        grid, body, part = (torch.cat((own, none)) for own in (self.grid, self.body, self.part))
        return replace(self, grid=grid, body=body, part=part)

    def mapped(self, function: Callable[[Tensor], Tensor]) -> Voxels:
        """Return them with every tensor but the arrays' own replaced."""
        return replace(
            self,
            weights=tuple(None if w is None else function(w) for w in self.weights),
            grid=function(self.grid),
            body=function(self.body),
            part=function(self.part),
        )

    def moved(self, weights: tuple[Tensor | None, ...]) -> Voxels:
        """Return them with other weights."""
        return replace(self, weights=weights)

    def on(self, device: torch.device) -> Voxels:
        """Return them with the arrays on a device."""
        return replace(self, grids=tuple(grid.on(device) for grid in self.grids))

    @property
    def others(self) -> Tensor:
        """Particles that are no volumes."""
        return torch.nonzero(self.grid < 0).flatten()

    @property
    def rows(self) -> list[int]:
        """Particles that are parts of volumes."""
        return [int(row) for row in torch.nonzero(self.grid >= 0).flatten()]

    @property
    def leaders(self) -> Tensor:
        """For each particle (N,) the first part of its volume; itself if it is none."""
        own = torch.arange(len(self.grid), device=self.grid.device)
        for body in self.bodies():
            own[body] = body[0]
        return own

    def bodies(self) -> list[Tensor]:
        """Particles of each volume, by part."""
        found = []
        for number in torch.unique(self.body[self.grid >= 0]).tolist():
            mine = torch.nonzero((self.body == number) & (self.grid >= 0)).flatten()
            found.append(mine[torch.argsort(self.part[mine])])
        return found


__all__ = ["VoxelGrid", "Voxels"]
