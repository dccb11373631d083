"""What the objective does to the light of several directions at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog.optics.band import Band
from osog.waves.angular_spectrum import propagator

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.wave import LitWave
    from osog.optics.lens import Transfer
    from osog.optics.pupil import Pupil


@dataclass(frozen=True)
class Directions:
    """Frequencies, relative to each of C directions of light, that can pass an objective.

    Attributes
    ----------
    source : Tensor, shape (2, C, 1, 1)
        Transverse frequencies (x, y) of the incident waves in cycles/µm.
    bands : tuple of Band
        The own one of each direction.
    shape : (int, int)
        Number of frequencies (y, x) of the largest band; all are laid out in this size.
    fx, fy : Tensor, shapes (C, 1, Bx) and (C, By, 1)
        In cycles/µm, ascending.
    """

    source: Tensor
    bands: tuple[Band, ...]
    shape: tuple[int, int]
    fx: Tensor
    fy: Tensor

    @classmethod
    def around(cls, wave: LitWave, pupil: Pupil, sources: Tensor) -> Directions:
        """Frequencies of a wave's grid that pass a pupil.

        Parameters
        ----------
        wave : LitWave
        pupil : Pupil
        sources : Tensor, shape (C, 2)
            (x, y) in cycles/µm.
        """
        step = wave.plan.frequency_step
        bands = bands_around(wave, pupil, sources)
        shape = (max(b.shape[0] for b in bands), max(b.shape[1] for b in bands))
        axes = []
        for axis in (0, 1):
            first = torch.tensor([b.first[axis] for b in bands], device=sources.device)
            index = first[:, None] + torch.arange(shape[axis], device=sources.device)
            axes.append(index.to(sources.dtype) * step[axis])
        source = sources.T[:, :, None, None]
        return cls(source, bands, shape, axes[1][:, None, :], axes[0][:, :, None])

    def held(self, factor: Tensor) -> Tensor:
        """Set a factor (C, By, Bx) to zero where a direction's own band has ended."""
        if all(band.shape == self.shape for band in self.bands):
            return factor
        ends = []
        for axis in (0, 1):
            own = torch.tensor([b.shape[axis] for b in self.bands], device=factor.device)
            ends.append(torch.arange(self.shape[axis], device=factor.device) < own[:, None])
        return factor * (ends[0][:, :, None] & ends[1][:, None, :])

    def taken(self, spectra: Tensor, first: tuple[int, int]) -> Tensor:
        """Cut the band of each direction out of its own spectrum.

        Parameters
        ----------
        spectra : Tensor, shape (C, Sy, Sx)
            Ascending.
        first : (int, int)
            Their lowest index (y, x).

        Returns
        -------
        Tensor, shape (C, By, Bx)
            What lies beyond a spectrum is zero.
        """
        (height, width), pad = self.shape, [0, 0]
        starts = [(b.first[0] - first[0], b.first[1] - first[1]) for b in self.bands]
        for axis, size in enumerate(self.shape):
            beyond = max(start[axis] for start in starts) + size - spectra.shape[axis + 1]
            pad[axis] = max(beyond, 0)
        if any(pad):
            spectra = torch.nn.functional.pad(spectra, (0, pad[1], 0, pad[0]))
        return torch.stack(
            [
                spectrum[top : top + height, left : left + width]
                for spectrum, (top, left) in zip(spectra, starts, strict=True)
            ]
        )

    def unit(self, like: Tensor) -> Tensor:
        """Coefficients (C, By, Bx) of the incident waves: 1 at frequency zero, where it passes."""
        delta = like.new_zeros((len(self.bands), *self.shape))
        for k, band in enumerate(self.bands):
            y, x = -band.first[0], -band.first[1]
            if 0 <= y < band.shape[0] and 0 <= x < band.shape[1]:
                delta[k, y, x] = 1.0
        return delta

    def through(
        self, wave: LitWave, pupil: Pupil, distance_um: Tensor, plate: Transfer = None
    ) -> tuple[Tensor, Tensor]:
        """What the objective makes of the waves of every direction; see `osog.optics.lens.through`.

        Returns
        -------
        transfer : complex Tensor, shape (C, By, Bx)
        incident : complex Tensor, shape (C, 1, 1)
        """
        sx, sy = self.source[0], self.source[1]
        turned = propagator(
            self.fx, self.fy, self.source, distance_um, wave.wavelength_um, wave.medium_index
        )
        passing, incident = pupil(self.fx + sx, self.fy + sy), pupil.unvignetted(sx, sy)
        if plate is not None:
            passing = passing * plate(self.fx + sx, self.fy + sy)
            incident = incident * plate(sx, sy)
        return self.held(turned * passing), incident


def bands_around(wave: LitWave, pupil: Pupil, sources: Tensor) -> tuple[Band, ...]:
    """Frequencies that can pass a pupil, relative to each of some directions (C, 2)."""
    available, step = (len(wave.fy), len(wave.fx)), wave.plan.frequency_step
    cutoff = pupil.cutoff
    return tuple(
        Band.around((-y, -x), cutoff, available, step) for x, y in sources.detach().tolist()
    )


def ascending(spectra: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Spectra (…, By, Bx) in FFT order put in ascending order, and their lowest index (y, x)."""
    rows, columns = spectra.shape[-2:]
    shift = (rows // 2, columns // 2)
    return torch.roll(spectra, shift, (-2, -1)), (-shift[0], -shift[1])


__all__ = ["Directions", "ascending", "bands_around"]
