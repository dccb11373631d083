"""The plane waves of a sampling plan, in the frame of each source point."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Any

import torch

from osog.derivatives import followed
from osog.waves.angular_spectrum import kappa
from osog.waves.bundles import bundles
from osog.waves.evanescence import CUT_OFF, FADING, STEEPEST, decay_per_um, root_within

if TYPE_CHECKING:
    from torch import Tensor

    from osog.waves.sampling_plan import SamplingPlan


def grid_frequencies(plan: SamplingPlan, like: Tensor) -> tuple[Tensor, Tensor]:
    """Frequencies (y, x) of the field grid in cycles/µm, FFT order.

    Parameters
    ----------
    plan : SamplingPlan
    like : Tensor
        Gives the floating type and the device.

    Returns
    -------
    Tensor, Tensor, shapes (Gy,), (Gx,)
    """
    real: dict[str, Any] = {"dtype": like.dtype, "device": like.device}
    (gy, gx), (py, px) = plan.grid_shape, plan.pitch_um
    return torch.fft.fftfreq(gy, py, **real), torch.fft.fftfreq(gx, px, **real)


def within_band(frequencies: Tensor, band: float) -> Tensor:
    """Indices of the frequencies within ± band, FFT order kept, the Nyquist row left out."""
    limit = frequencies.abs().max()
    return torch.nonzero((frequencies.abs() <= band) & (frequencies > -limit)).flatten()


def in_band(values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Values (…, Gy, Gx) on a grid in FFT order, at the frequencies of a band.

    Parameters
    ----------
    values : Tensor
    rows, columns : Tensor
        From `within_band`: zero and the positive frequencies first, then the negative ones, so that
        two blocks along each axis hold them, which are copied faster than they are gathered.

    Returns
    -------
    Tensor, shape (…, By, Bx)
    """
    for dim, index in ((-2, rows), (-1, columns)):
        number, size = len(index), values.shape[dim]
        ahead = number // 2 + 1
        behind = number - ahead
        blocks = [values.narrow(dim, 0, ahead), values.narrow(dim, size - behind, behind)]
        values = torch.cat(blocks, dim)
    return values


@dataclass(frozen=True, kw_only=True)
class BandWaves:
    """Frequencies of the band of a plan.

    Attributes
    ----------
    rows, columns : Tensor, int64
        Indices of the frequencies within the band of the plan, FFT order.
    fy, fx : Tensor, shapes (By,), (Bx,)
        These frequencies in cycles/µm.
    """

    rows: Tensor
    columns: Tensor
    fy: Tensor
    fx: Tensor


@dataclass(frozen=True, kw_only=True)
class ForwardWaves(BandWaves):
    """Waves of the whole field grid that travel through slabs, with the light.

    Attributes
    ----------
    rows, columns, fy, fx
        As in `BandWaves`.
    kappa : Tensor, shape (S, Gy, Gx)
        k_z(f + f_s) − k_z(f_s) in 1/µm.
    decay : Tensor, shape (S, Gy, Gx)
        Loss of amplitude in nepers/µm: 0 for all waves that travel well, large where they are
        evanescent or nearly so.
    stretch : Tensor, shape (S,)
        k/k_zs: how much longer the path of a tilted ray through a slab is.
    obliquity : Tensor, shape (S, By, Bx)
        (k_zs/k_z)(1 + cos γ)/2 in the band, γ between the source and the scattered direction: with
        it the weak-scattering limit is that of the Born amplitude.
    """

    kappa: Tensor
    decay: Tensor
    stretch: Tensor
    obliquity: Tensor

    @classmethod
    def of(
        cls, plan: SamplingPlan, source: Tensor, wavelength: Tensor, index: Tensor
    ) -> ForwardWaves:
        """Waves of a plan in the light of source points.

        Parameters
        ----------
        plan : SamplingPlan
        source : Tensor, shape (S, 2)
            Source points (x, y) in cycles/µm.
        wavelength, index : Tensor, 0-dim
            Vacuum wavelength, and index of the medium.
        """
        grid = grid_frequencies(plan, source)
        rows, columns = (within_band(frequencies, plan.band) for frequencies in grid)
        k = 2 * pi * index / wavelength
        kz_source = torch.sqrt(k**2 - (2 * pi) ** 2 * (source**2).sum(1))
        samples = len(grid[0]) * len(grid[1])
        whole = followed(source, wavelength, index)
        some = [slice(None)] if whole else bundles(0, len(source), samples, source)
        parts = [
            _forward(
                grid, (rows, columns), source[few], k, kz_source[few, None, None], plan.slab_um
            )
            for few in some
        ]
        kappas, decay, obliquity = (torch.cat(every) for every in zip(*parts, strict=True))
        return cls(
            rows=rows,
            columns=columns,
            fy=grid[0][rows],
            fx=grid[1][columns],
            kappa=kappas,
            decay=decay,
            stretch=k / kz_source,
            obliquity=obliquity,
        )


def _forward(
    grid: tuple[Tensor, Tensor],
    band: tuple[Tensor, Tensor],
    source: Tensor,
    k: Tensor,
    incident: Tensor,
    slab_um: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Axial wavenumber, decay and obliquity for some source points, of `incident` k_z."""
    y, x = grid[0][:, None], grid[1][None, :]
    sx, sy = source[:, 0, None, None], source[:, 1, None, None]
    squared = (2 * pi) ** 2 * ((x + sx) ** 2 + (y + sy) ** 2)
    kz = root_within(squared, k, FADING[1])
    inner = in_band(kz, *band)
    fy, fx = grid[0][band[0]], grid[1][band[1]]
    along = incident * inner + (2 * pi) ** 2 * (sy * (sy + fy[:, None]) + sx * (sx + fx))
    return (
        kappa(x, y, (sx, sy), kz, incident),
        decay_per_um(squared / k**2, slab_um),
        (incident / inner) * (1 + along / k**2) / 2,
    )


@dataclass(frozen=True, kw_only=True)
class UpwardWaves(BandWaves):
    """Waves of the band that travel to the objective, against the light.

    Attributes
    ----------
    rows, columns, fy, fx
        As in `BandWaves`.
    kappa : Tensor, shape (S, By, Bx)
        k_z(f + f_s) − k_zs in rad/µm.
    obliquity : Tensor, shape (S, By, Bx)
        k_zs/k_z.
    travels : Tensor of bool, shape (S, By, Bx)
        False where waves count as evanescent.
    down, across_squared : Tensor, shape (S,)
        k_zs of the incident light in rad/µm, and the square of its transverse wavenumber.
    middle : Tensor, shape (S,)
        Middle of the range of `kappa` in the aperture of the plan: with this carrier taken out,
        an interpolation between slab planes is as good as with half of their spacing.
    vacuum : Tensor, 0-dim
        2π/λ.
    reference_um : float
        Height of the plane that spectra refer to.
    """

    kappa: Tensor
    obliquity: Tensor
    travels: Tensor
    down: Tensor
    across_squared: Tensor
    middle: Tensor
    vacuum: Tensor
    reference_um: float

    @classmethod
    def of(
        cls, plan: SamplingPlan, source: Tensor, wavelength: Tensor, index: Tensor
    ) -> UpwardWaves:
        """Waves of a plan in the light of source points; arguments as for `ForwardWaves.of`."""
        grid_y, grid_x = grid_frequencies(plan, source)
        rows, columns = within_band(grid_y, plan.band), within_band(grid_x, plan.band)
        fy, fx = grid_y[rows], grid_x[columns]
        vacuum = 2 * pi / wavelength
        k = vacuum * index
        sx, sy = source[:, 0, None, None], source[:, 1, None, None]
        x, y = fx[None, :], fy[:, None]
        squared = (2 * pi) ** 2 * ((x + sx) ** 2 + (y + sy) ** 2)
        up = root_within(squared, k, CUT_OFF)
        across_squared = (2 * pi) ** 2 * source.square().sum(1)
        down = torch.sqrt(k**2 - across_squared)
        incident = down[:, None, None]
        limit = min(plan.aperture, STEEPEST * float(index.detach()))
        steepest = torch.sqrt((vacuum * index) ** 2 - (vacuum * limit) ** 2)
        return cls(
            rows=rows,
            columns=columns,
            fy=fy,
            fx=fx,
            kappa=kappa(x, y, (sx, sy), up, incident),
            obliquity=incident / up,
            travels=squared.detach() < (CUT_OFF * k.detach()) ** 2,
            down=down,
            across_squared=across_squared,
            middle=(steepest + k) / 2 - down,
            vacuum=vacuum,
            reference_um=plan.reference_um,
        )


__all__ = ["BandWaves", "ForwardWaves", "UpwardWaves", "grid_frequencies", "in_band", "within_band"]
