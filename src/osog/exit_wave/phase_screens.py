"""What one walk of light through slabs is made of: phase screens, and free paths between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from osog.derivatives import followed
from osog.waves.phase_factors import phasor
from osog.waves.sharing import shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from osog.exit_wave.raster import Raster
    from osog.sample import ParticleBatch

HELD_BYTES = 2e8
"""Transmissions kept for the other source points of a ring; more are computed again."""
LEAST_SLABS = 4
"""Slabs of a window at least."""


@dataclass(frozen=True)
class Walk:
    """One window of slabs: the occupied ones, and how far light travels before each."""

    slabs: range
    occupied: list[int]
    steps: list[int]


@dataclass(frozen=True)
class Fixed:
    """What a walk through slabs needs besides the tensors that have gradients.

    Attributes
    ----------
    raster : Raster
    batch : ParticleBatch
    crop : (Tensor, Tensor)
        Rows and columns of the frequencies wanted, in the grid's FFT order.
    """

    raster: Raster
    batch: ParticleBatch
    crop: tuple[Tensor, Tensor]


class Travel:
    """Free propagation over whole slab spacings for one source point."""

    def __init__(self, kappa: Tensor, decay: Tensor, slab_um: float) -> None:
        self.kappa, self.decay, self.slab_um = kappa, decay, slab_um
        self._factors: dict[int, Tensor] = {}

    def factor(self, steps: int) -> Tensor:
        """exp((iκ − decay) · steps · dz), next to nothing where waves are evanescent."""
        if steps not in self._factors:
            self._factors[steps] = shared(f"{steps} steps", partial(self._factor, steps))
        return self._factors[steps]

    def _factor(self, steps: int) -> Tensor:
        distance = steps * self.slab_um
        turned = phasor(self.kappa * distance)
        # Most grids hold no evanescent wave; only a CPU tells without being waited for.
        if self.decay.device.type == "cpu" and not followed(self.decay) and not self.decay.any():
            return turned
        return turned * torch.exp(self.decay * -distance)


def transmission(slabs: Sequence[Sequence[Tensor] | Tensor], j: int, stretch: Tensor) -> Tensor:
    """exp(iφ − α) of slab j, both `stretch` times as long."""
    return _transmission([slab[j] * stretch for slab in slabs])


def _transmission(parts: Sequence[Tensor]) -> Tensor:
    t = phasor(parts[0])
    if len(parts) > 1:
        t = t * torch.exp(-parts[1])
    return t


class Screens:
    """Transmissions of the slabs of a window for the light of one ring.

    Attributes
    ----------
    walk : Walk
    """

    def __init__(
        self, fixed: Fixed, walk: Walk, slabs: Sequence[Tensor], stretch: Tensor, again: bool
    ) -> None:
        """`again` says whether each will be asked for again; then they are kept, if they fit."""
        self.walk, self._slabs, self._stretch = walk, slabs, stretch
        rows, columns = fixed.raster.plan.grid_shape
        field_bytes = rows * columns * 2 * stretch.element_size()
        most = max(LEAST_SLABS, HELD_BYTES // field_bytes)
        fits = again and len(walk.occupied) <= most
        self._held: dict[int, Tensor] | None = {} if fits else None
        # A GPU makes all at once, a processor each in its cache.
        self._every: Tensor | None = None
        if stretch.device.type != "cpu" and len(slabs[0]) <= most:
            self._every = _transmission([slab * stretch for slab in slabs])

    def of(self, j: int) -> Tensor:
        """Transmission of slab j."""
        if self._every is not None:
            return self._every[j - self.walk.slabs.start]
        if self._held is None:
            return self._made(j)
        if j not in self._held:
            self._held[j] = self._made(j)
        return self._held[j]

    def pull_back(
        self, j: int, passed: Tensor, gradients: Sequence[Tensor], to_stretch: Tensor | None
    ) -> None:
        """Add the gradients in a slab, and in the stretch of the light.

        Parameters
        ----------
        j : int
        passed : complex Tensor, shape (Gy, Gx)
            A U* t*: gradient behind the slab against the field that arrives, times what the slab
            lets through.
        gradients : sequence of Tensor
            In phase and loss of the slabs of the window, updated in place.
        to_stretch : Tensor or None
            Updated in place.
        """
        k = j - self.walk.slabs.start
        parts = (passed.imag, -passed.real)[: len(gradients)]
        for slab, gradient, part in zip(self._slabs, gradients, parts, strict=True):
            gradient[k].addcmul_(part, self._stretch)
            if to_stretch is not None:
                to_stretch += (part * slab[k]).sum()

    def _made(self, j: int) -> Tensor:
        return transmission(self._slabs, j - self.walk.slabs.start, self._stretch)


__all__ = ["HELD_BYTES", "LEAST_SLABS", "Fixed", "Screens", "Travel", "Walk", "transmission"]
