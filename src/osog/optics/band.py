"""Windows of spatial frequencies, and their way to the fine grid."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Band:
    """Rectangle of frequency indices in ascending order, for one axis pair.

    Attributes
    ----------
    first : (int, int)
        Lowest index (y, x); index k stands for the frequency k × step.
    shape : (int, int)
        Number of indices (y, x).
    step : (float, float)
        Frequency step (y, x) in cycles/µm.
    """

    first: tuple[int, int]
    shape: tuple[int, int]
    step: tuple[float, float]

    @classmethod
    def around(
        cls,
        centre: tuple[float, float],
        half_width: float,
        available: tuple[int, int],
        step: tuple[float, float],
    ) -> Band:
        """Return the part of the available frequencies within a half width of a centre.

        Parameters
        ----------
        centre : (float, float)
            Frequency (y, x) in cycles/µm.
        half_width : float
            In cycles/µm.
        available : (int, int)
            Shape (y, x) of a spectrum in FFT order.
        step : (float, float)
            Frequency step (y, x) in cycles/µm.
        """
        first, shape = [], []
        for middle, number, df in zip(centre, available, step, strict=True):
            # Rounding outwards: the pupil is zero at the ends, so that none enters with a jump.
            low = max(floor((middle - half_width) / df + 1e-6), -(number // 2))
            high = min(ceil((middle + half_width) / df - 1e-6), (number - 1) // 2)
            first.append(low)
            shape.append(max(high - low + 1, 1))
        return cls((first[0], first[1]), (shape[0], shape[1]), step)

    def frequencies(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return fx (1, Bx) and fy (By, 1) in cycles/µm, in the type of a tensor."""
        axes = [
            torch.arange(k, k + n, dtype=like.dtype, device=like.device) * df
            for k, n, df in zip(self.first, self.shape, self.step, strict=True)
        ]
        return axes[1][None, :], axes[0][:, None]

    def taken(self, spectrum: Tensor) -> Tensor:
        """Cut the band out of a spectrum in FFT order; the result is in ascending order."""
        for axis in (0, 1):
            dim, number = axis - 2, spectrum.shape[axis - 2]
            spectrum = torch.roll(spectrum, number // 2, dim)
            start = self.first[axis] + number // 2
            spectrum = spectrum.narrow(dim, start, self.shape[axis])
        return spectrum

    def unit(self, like: Tensor) -> Tensor:
        """Coefficients of the incident wave: 1 at frequency zero, if the band holds it."""
        delta = torch.zeros(self.shape, dtype=like.dtype, device=like.device)
        y, x = -self.first[0], -self.first[1]
        if 0 <= y < self.shape[0] and 0 <= x < self.shape[1]:
            delta[y, x] = 1.0
        return delta

    def within(self, spectrum: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Band]:
        """Cut off what a grid does not hold.

        Parameters
        ----------
        spectrum : complex Tensor (By, Bx)
            Ascending.
        shape : (int, int)
            Grid (y, x) of the whole domain.

        Returns
        -------
        Tensor, Band
            What is left, and its frequencies.
        """
        first, size = list(self.first), list(self.shape)
        for axis in (0, 1):
            low = max(first[axis], -((shape[axis] - 1) // 2))
            high = min(first[axis] + size[axis], (shape[axis] + 1) // 2)
            spectrum = spectrum.narrow(axis, low - first[axis], high - low)
            first[axis], size[axis] = low, high - low
        return spectrum, Band((first[0], first[1]), (size[0], size[1]), self.step)

    def field(
        self, spectrum: Tensor, shape: tuple[int, int], part: tuple[slice, slice] | None = None
    ) -> Tensor:
        """Field on a grid of the whole domain from coefficients in ascending order.

        Parameters
        ----------
        spectrum : complex Tensor (By, Bx)
        shape : (int, int)
            Grid (y, x), with at least as many samples as the band has frequencies. Frequencies
            beyond its own are sampled all the same: a tilted wave turns faster than the grid.
        part : (slice, slice), optional
            Samples (y, x) of that grid which are wanted; all of them when left out.

        Returns
        -------
        complex Tensor, of ``shape`` or of the part
            Σ_f spectrum(f) exp(2πi f·r); the transform along x is done for the rows in the band
            only, that along y for the wanted columns.
        """
        rows = _in_fft_order(spectrum, self.first[1], shape[1], -1)
        rows = torch.fft.ifft(rows, dim=-1, norm="forward")
        if part is not None:
            rows = rows[..., part[1]]
        columns = _in_fft_order(rows, self.first[0], shape[0], -2)
        field: Tensor = torch.fft.ifft(columns, dim=-2, norm="forward")
        return field if part is None else field[..., part[0], :]


def modulus_squared(spectrum: Tensor, shape: tuple[int, int]) -> Tensor:
    """|field|² on a grid of the whole domain, from coefficients of any band in ascending order.

    The common shift of the frequencies to zero only turns the phase of the field, so the band
    needs no sorting.

    Parameters
    ----------
    spectrum : complex Tensor, shape (…, By, Bx)
    shape : (int, int)
        Grid (y, x).
    """
    rows = torch.fft.ifft(spectrum, n=shape[1], dim=-1, norm="forward")
    field: Tensor = torch.fft.ifft(rows, n=shape[0], dim=-2, norm="forward")
    return field.real.square() + field.imag.square()


def _in_fft_order(values: Tensor, first: int, length: int, dim: int) -> Tensor:
    """Embed ascending indices into a whole FFT axis of the given length, modulo that length."""
    number = values.shape[dim]
    if number > length:
        raise ValueError(f"a band of {number} frequencies does not fit a grid of {length} samples.")
    first = (first + length // 2) % length - length // 2
    negative = min(max(-first, 0), number)
    over = max(first + number - length, 0)
    if over:
        low, high = values.narrow(dim, number - over, over), values.narrow(dim, 0, number - over)
        gap = list(values.shape)
        gap[dim] = length - number
        return torch.cat([low, values.new_zeros(gap), high], dim)
    low, high = values.narrow(dim, 0, negative), values.narrow(dim, negative, number - negative)
    # Positive part at max(first, 0), negative part at length + first.
    lead, gap = list(values.shape), list(values.shape)
    lead[dim] = max(first, 0)
    gap[dim] = length - number - lead[dim] - max(-first - number, 0)
    tail = list(values.shape)
    tail[dim] = max(-first - number, 0)
    parts = [values.new_zeros(lead), high, values.new_zeros(gap), low, values.new_zeros(tail)]
    return torch.cat([part for part in parts if part.shape[dim]], dim)


def intensity_grid(band: tuple[int, int], fine: tuple[int, int]) -> tuple[int, int]:
    """Smallest grid that holds |field|² of a band without aliasing, or the fine grid itself.

    Parameters
    ----------
    band : (int, int)
        Number of frequencies (y, x) of the field.
    fine : (int, int)
        Fine grid (y, x) that is wanted in the end.

    Returns
    -------
    (int, int)
        The fine grid where the smaller one would save little.
    """
    need = [_smooth(2 * n) for n in band]
    if need[0] * need[1] > 0.7 * fine[0] * fine[1] or need[0] > fine[0] or need[1] > fine[1]:
        return fine
    return need[0], need[1]


def resampled(values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Interpolate a real periodic image to a finer grid; exact where it is band-limited."""
    if tuple(values.shape[-2:]) == tuple(shape):
        return values
    spectrum = torch.fft.rfft2(values, norm="forward")
    return real_image(spectrum, shape)


def real_image(spectrum: Tensor, shape: tuple[int, int]) -> Tensor:
    """Real image on a grid from a half spectrum of a coarser or equal grid.

    Parameters
    ----------
    spectrum : complex Tensor (..., By, Bx)
        Coefficients in the order of ``rfft2(norm="forward")``, without content at the Nyquist
        frequency of its own grid.
    shape : (int, int)
        Grid (y, x).
    """
    rows = spectrum.shape[-2]
    if rows != shape[0]:
        gap = list(spectrum.shape)
        gap[-2] = shape[0] - rows
        upper = (rows + 1) // 2
        spectrum = torch.cat(
            [spectrum[..., :upper, :], spectrum.new_zeros(gap), spectrum[..., upper:, :]], -2
        )
    image: Tensor = torch.fft.irfft2(spectrum, s=shape, norm="forward")
    return image


def _smooth(length: int) -> int:
    """Smallest 2^a 3^b 5^c that is at least ``length``."""
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
