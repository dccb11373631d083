"""Slabs that are sums of few others, for the wavelengths and directions of one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.exit_wave.deposit import deposit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from osog.exit_wave.raster import Raster
    from osog.sample import ParticleBatch

_MOST = 2
"""Independent sets of numbers that are kept for each coefficient."""
_MOST_BYTES = 2e8


class SharedSlabs:
    """Deposits of one raster; what is a multiple of what was drawn before is not drawn again.

    A deposit is linear in its coefficient. Phases of one material at another wavelength are all
    multiplied by one number, or are sums of two sets of numbers where the medium disperses in
    another way than the particles do.

    Parameters
    ----------
    raster : Raster
        On a CPU; elsewhere asking whether numbers are multiples costs more than it spares.
    """

    def __init__(self, raster: Raster) -> None:
        self._raster = raster
        self._kept: dict[tuple[int, range], list[tuple[Tensor, Tensor]]] = {}

    def of(
        self, batch: ParticleBatch, coefficients: Sequence[Tensor], slabs: range
    ) -> list[Tensor]:
        """Slabs of some coefficients, to the rounding of their type.

        Parameters
        ----------
        batch, coefficients, slabs
            As for `deposit`; the same place in `coefficients` is compared from call to call.

        Returns
        -------
        list of Tensor, each (len(slabs), Gy, Gx)
            Not to be changed.
        """
        gy, gx = self._raster.plan.grid_shape
        size = len(slabs) * gy * gx * batch.position.element_size()
        if batch.device.type != "cpu" or size * len(coefficients) * _MOST > _MOST_BYTES:
            return deposit(self._raster, batch, coefficients, slabs)
        found: list[Tensor | None] = []
        rest: list[tuple[int, Tensor]] = []
        for number, coefficient in enumerate(coefficients):
            known = self._kept.setdefault((number, slabs), [])
            left, total = coefficient.double(), None
            for base, volume in known:
                share = float((base @ left) / (base @ base))
                left = left - share * base
                total = volume * share if total is None else total.add_(volume, alpha=share)
            least = 4 * torch.finfo(coefficient.dtype).eps * coefficient.abs().max()
            if not known or bool(left.abs().max() > least):
                rest.append((number, left if len(known) < _MOST else coefficient.double()))
                total = total if len(known) < _MOST else None
            found.append(total)
        new = [numbers.to(batch.dtype) for _, numbers in rest]
        drawn = deposit(self._raster, batch, new, slabs) if new else []
        for (number, base), volume in zip(rest, drawn, strict=True):
            known, partial = self._kept[number, slabs], found[number]
            found[number] = volume if partial is None else partial.add_(volume)
            if len(known) < _MOST and bool(base.any()):
                known.append((base, volume))
        return [volume for volume in found if volume is not None]


__all__ = ["SharedSlabs"]
