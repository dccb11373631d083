"""Incoherent emission: slabs of emitters, each blurred by its own point spread function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog.cancellation import raise_if_cancelled
from osog.derivatives import followed
from osog.exit_wave.kernel_deconvolution import drawing_transfer
from osog.optics.band import Band, modulus_squared, real_image
from osog.optics.optical_image import OpticalImage
from osog.optics.pupil import Pupil
from osog.optics.vectorial import dipole_weights, is_vectorial
from osog.waves.angular_spectrum import defocus_per_um
from osog.waves.phase_factors import phasor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

    from osog.exit_wave.wave import EmissionSlabs
    from osog.sample import Values
    from osog.waves.sampling_plan import SamplingPlan


@dataclass(frozen=True)
class PointSpread:
    """Intensity point spread function of the objective at one wavelength.

    PSF(r; z) = Σ_j |F⁻¹[P_j(f) exp(iκ z)]|² / Σ_j Σ|P_j|², so that its mean over the domain is 1
    for every z: free space loses no light, the vignetting of a pupil alone does. j runs over the
    polarised fields of a vectorial pupil; a scalar one has a single P.

    Attributes
    ----------
    band : Band
        Frequencies of the pupil.
    aperture : complex Tensor (J, By, Bx)
        P_j(f).
    defocus_per_um : Tensor (By, Bx)
        κ(f) in rad/µm.
    power : 0-dim Tensor
        Σ_j Σ|P_j|² of the pupil in the middle of the frame.
    """

    band: Band
    aperture: Tensor
    defocus_per_um: Tensor
    power: Tensor

    @classmethod
    def of(cls, emission: EmissionSlabs, values: Values, wavelength_um: Tensor) -> PointSpread:
        """Point spread of the scene's objective for light of a wavelength.

        Parameters
        ----------
        emission : EmissionSlabs
            Gives the grids and the index of the medium.
        values : Values
        wavelength_um : 0-dim Tensor
            Of the emission or of the excitation.
        """
        plan, index = emission.plan, emission.medium_index
        pupil = Pupil.of(values, wavelength_um, index, plan.frequency_step)
        band = Band.around((0.0, 0.0), pupil.cutoff, plan.fine_shape, plan.frequency_step)
        fx, fy = band.frequencies(emission.slabs)
        passing = pupil.amplitude(fx, fy)
        weights = (
            dipole_weights(fx, fy, wavelength_um, index)
            if is_vectorial(values)
            else torch.ones_like(passing)[None]
        )
        aperture = weights * pupil(fx, fy)
        if pupil.stop is not None:
            passing = pupil.unvignetted.amplitude(fx, fy)
        power = (weights * passing).square().sum()
        # Evanescent waves are cut by the pupil already.
        return cls(band, aperture, defocus_per_um(fx, fy, None, wavelength_um, index), power)

    def at(self, distance_um: Tensor, grid: tuple[int, int]) -> Tensor:
        """PSF on a grid of the whole domain, its middle at sample (0, 0).

        Parameters
        ----------
        distance_um : 0-dim Tensor
            Plane in focus − plane of the emitter.
        grid : (int, int)
            (y, x), at least twice the band.
        """
        field = self.aperture * phasor(self.defocus_per_um * distance_um)
        spread = modulus_squared(field, grid)
        return (spread.sum(0) if len(spread) > 1 else spread[0]) / self.power


def blurred(
    emission: EmissionSlabs,
    focus_um: Tensor,
    slabs: Iterable[Tensor],
    spread: Callable[[Tensor], Tensor],
    z_um: Sequence[float] | None = None,
) -> Tensor:
    """Sum the images of all slabs.

    I = Σ_k F⁻¹[ŝ_k · F[spread(z_focus − z_k)]]. The pixel mean of the slabs is divided out by
    the transfer of the kernel that bodies are drawn with.

    Parameters
    ----------
    emission : EmissionSlabs
        Gives the heights of the slabs and the grids.
    focus_um : Tensor, 0-dim
        Plane in focus.
    slabs : iterable of Tensor (Gy, Gx)
        What shines in every slab.
    spread : callable
        Distance from a slab to the focus in µm → Tensor (Sy, Sx), effective point spread with its
        middle at sample (0, 0), free of aliasing. A mean of 1 keeps the light.
    z_um : sequence of float, optional
        Heights of the slabs, if they are not those of ``emission``.

    Returns
    -------
    Tensor (Fy, Fx)
        Irradiance in units of 1 µm of emission 1 per µm, without any background.
    """
    plan = emission.plan
    fine, grid = plan.fine_shape, plan.grid_shape
    like = emission.slabs
    focus = focus_um.to(like)
    total: Tensor | None = None
    rows = columns = 0
    heights = emission.z_um if z_um is None else z_um
    for slab, z in zip(slabs, heights, strict=True):
        raise_if_cancelled()
        if not followed(slab) and not bool(slab.amax() > 0):
            continue
        transfer = spread(focus - z)
        # Frequencies that all the grids share; the effective OTF has none beyond its own.
        rows = (min(transfer.shape[0], grid[0], fine[0]) - 1) // 2
        columns = (min(transfer.shape[1], grid[1], fine[1]) - 1) // 2
        transfer = torch.fft.rfft2(transfer, norm="forward")
        source = torch.fft.rfft2(slab, norm="forward")
        part = _low(source, rows, columns) * _low(transfer, rows, columns)
        total = part if total is None else total + part
    if total is None:
        return like.new_zeros(fine)
    return _developed(total, rows, columns, plan, like)


def blurred_alike(
    emission: EmissionSlabs, slabs: Iterable[Tensor], table: Tensor, step: float
) -> Tensor:
    """Sum the images of all slabs as `blurred` does, for point spreads without a direction.

    Parameters
    ----------
    emission : EmissionSlabs
    slabs : iterable of Tensor (Gy, Gx)
        What shines in every slab.
    table : Tensor, shape (K, T)
        Transfer of every slab at |f| = 0, step, 2 step … cycles/µm, by linear interpolation; its
        last entry holds beyond the end.
    step : float

    Returns
    -------
    Tensor (Fy, Fx)
    """
    plan, like = emission.plan, emission.slabs
    rows, columns = ((min(plan.grid_shape[k], plan.fine_shape[k]) - 1) // 2 for k in (0, 1))
    step_y, step_x = plan.frequency_step
    fy = torch.arange(rows + 1, dtype=torch.float64) * step_y
    fx = torch.arange(columns + 1, dtype=torch.float64) * step_x
    place = torch.sqrt(fy[:, None].square() + fx.square()) / step
    place = torch.cat([place, place[1:].flip(0)]).clamp(max=table.shape[1] - 1.5)
    left = place.long()
    rest = (place - left).to(like.dtype).to(like.device)
    left = left.flatten().to(like.device)
    total: Tensor | None = None
    for slab, row in zip(slabs, table, strict=True):
        raise_if_cancelled()
        if not followed(slab) and not bool(slab.amax() > 0):
            continue
        low, high = (row[k : len(row) - 1 + k].index_select(0, left) for k in (0, 1))
        transfer = torch.lerp(low.view_as(rest), high.view_as(rest), rest)
        part = _low(torch.fft.rfft2(slab, norm="forward"), rows, columns) * transfer
        total = part if total is None else total + part
    if total is None:
        return like.new_zeros(plan.fine_shape)
    return _developed(total, rows, columns, plan, like)


def with_background(light: Tensor, background: Tensor) -> OpticalImage:
    """Add a uniform emission.

    Parameters
    ----------
    light : Tensor (Fy, Fx)
    background : Tensor, 0-dim
    """
    return OpticalImage(light + background.to(light))


def _developed(total: Tensor, rows: int, columns: int, plan: SamplingPlan, like: Tensor) -> Tensor:
    """Image on the fine grid from the low half spectrum of pixel means; never negative."""
    step_y, step_x = plan.frequency_step
    index = torch.arange(max(rows, columns) + 1).to(like)
    fy = torch.cat([index[: rows + 1], index[1 : rows + 1].flip(0)]) * step_y
    transfer = drawing_transfer(index[: columns + 1] * step_x, fy, plan)
    image = real_image(total / transfer, plan.fine_shape)
    return image.clamp(min=0.0)


def gathered(emission: EmissionSlabs, focus_um: Tensor) -> tuple[Iterable[Tensor], list[float]]:
    """Gather slabs that lie far from the focus onto fewer planes.

    A slab at a distance d from the focus is shared between its neighbours among the planes at whole
    multiples of 2^l slab spacings, by the triangular kernel that also deposits particles, with
    l = log₂(d/near) for d beyond `SamplingPlan.near_um` and 0 nearer than that. Between two whole l
    both sets of planes take a share, so that the image stays smooth in the focus.

    Parameters
    ----------
    emission : EmissionSlabs
    focus_um : Tensor, 0-dim
        Plane in focus.

    Returns
    -------
    slabs : iterable of Tensor (Gy, Gx)
        The same light on planes that need not be equally spaced, one after the other.
    z_um : list of float
        Heights of the planes.
    """
    plan, number = emission.plan, len(emission.z_um)
    like = emission.slabs
    focus = focus_um.to(like)
    z = torch.tensor(emission.z_um, dtype=like.dtype, device=like.device)
    distance = torch.sqrt((z - focus).square() + 1e-12)
    level = torch.log2((distance / plan.near_um).clamp(min=1.0))
    if not bool((level.detach() > 0).any()):
        return like, emission.z_um
    whole = level.detach().floor()
    rest = level - whole
    coarser = rest.square() * (3 - 2 * rest)
    planes: dict[int, Tensor] = {}
    for extra, share in ((0, 1 - coarser), (1, coarser)):
        steps = [2 ** (int(w) + extra) for w in whole.tolist()]
        for j, step in enumerate(steps):
            below, above = divmod(round(emission.z_um[j] / plan.slab_um), step)
            for plane, weight in ((below, 1 - above / step), (below + 1, above / step)):
                if weight > 0 and float(share[j].detach()) > 0:
                    row = planes.setdefault(plane * step, torch.zeros_like(z))
                    row[j] += weight * share[j]
    if len(planes) >= number:
        return like, emission.z_um
    heights = sorted(planes)
    weights = [planes[height] for height in heights]
    used = [torch.nonzero(row.detach()).flatten().tolist() for row in weights]
    # Taken apart once: the gradient of each slice would fill all slabs with zeros.
    apart = like.unbind(0)
    slabs = (_mixed(row, apart, numbers) for row, numbers in zip(weights, used, strict=True))
    return slabs, [height * plan.slab_um for height in heights]


def _mixed(weights: Tensor, planes: Sequence[Tensor], numbers: list[int]) -> Tensor:
    """Sum of weighted planes, of those with these numbers."""
    first, *rest = numbers
    total = weights[first] * planes[first]
    for k in rest:
        total = torch.addcmul(total, weights[k], planes[k])
    return total


def _low(spectrum: Tensor, rows: int, columns: int) -> Tensor:
    """Half spectrum up to the given frequencies."""
    top, bottom = spectrum[: rows + 1, : columns + 1], spectrum[-rows or None :, : columns + 1]
    return torch.cat([top, bottom], 0) if rows else top
