"""Periodic fields on a coarser or a finer grid of the same extent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def band_limited(field: Tensor, shape: tuple[int, int]) -> Tensor:
    """Field with the frequencies that both grids hold, and no others.

    Parameters
    ----------
    field : complex Tensor, shape (…, Gy, Gx)
    shape : (int, int)
        Samples (y, x) of the other grid. Along an axis that is to keep its samples nothing
        changes; along others the Nyquist frequency of an even number is left out, so that both
        directions are treated alike.

    Returns
    -------
    complex Tensor, shape (…, *shape)
        The same object where the shape is the same.
    """
    changed = [(dim, shape[dim]) for dim in (-1, -2) if field.shape[dim] != shape[dim]]
    # What is left out goes at once and what is added comes late: few lines are transformed.
    for dim, number in changed:
        field = torch.fft.fft(field, dim=dim, norm="forward")
        if number < field.shape[dim]:
            field = _kept(field, dim, number)
    for dim, number in reversed(changed):
        if number > field.shape[dim]:
            field = _kept(field, dim, number)
        field = torch.fft.ifft(field, dim=dim, norm="forward")
    return field


def band_limited_adjoint(gradient: Tensor, shape: tuple[int, int]) -> Tensor:
    """Gradient in the field of `band_limited` from that in its result.

    Parameters
    ----------
    gradient : complex Tensor, shape (…, Wy, Wx)
    shape : (int, int)
        Samples (y, x) of the grid that the field was on.
    """
    rows, columns = gradient.shape[-2:]
    share = rows * columns / (shape[0] * shape[1])
    back = band_limited(gradient, shape)
    return back if share == 1 else back * share


def _kept(spectrum: Tensor, dim: int, number: int) -> Tensor:
    """Spectrum in FFT order along one axis of another number of samples."""
    size = spectrum.shape[dim]
    behind = (min(size, number) - 1) // 2
    parts = [spectrum.narrow(dim, 0, behind + 1)]
    empty = number - 2 * behind - 1
    if empty:
        shape = list(spectrum.shape)
        shape[dim] = empty
        parts.append(spectrum.new_zeros(shape))
    parts.append(spectrum.narrow(dim, size - behind, behind))
    return torch.cat(parts, dim)


__all__ = ["band_limited", "band_limited_adjoint"]
