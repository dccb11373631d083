"""Particles → the light that they send back to the objective."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Any

import torch

from osog.exit_wave.backscatter import backscattered
from osog.exit_wave.facets import facet_spectrum
from osog.exit_wave.illumination import illumination
from osog.exit_wave.wave import ReflectedWave

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.plan import SamplingPlan
    from osog.sample import ParticleBatch, Values

_EVANESCENT = 0.99
"""Share of n/λ from which waves count as evanescent."""


def reflected_wave(batch: ParticleBatch, values: Values, plan: SamplingPlan) -> ReflectedWave:
    """Light that the particles send back when they are lit through the objective.

    Populations that the plan gives to Lorenz-Mie theory scatter back exactly; all others reflect
    with their upper and lower surfaces (`facet_spectrum` gives the range of validity).

    Parameters
    ----------
    batch : ParticleBatch
    values : Values
        Wavelength, index of the medium and the opening of the light are read from it.
    plan : SamplingPlan

    Returns
    -------
    ReflectedWave
        Differentiable in the batch and the numbers read. The fields of different particles add.
    """
    wavelength, index = values.number("microscope.wavelength_um"), values.number("medium.index")
    source, weights = illumination(values, plan)
    waves = UpwardWaves.of(plan, source, wavelength, index)
    exact = [i for i, model in enumerate(plan.scattering) if model == "mie"]
    by_mie = torch.isin(
        batch.population, torch.tensor(exact, dtype=torch.int64, device=batch.device)
    )
    spectrum = facet_spectrum(batch, waves, plan, index, ~by_mie)
    if bool(by_mie.any()):
        spheres = batch.taken(torch.nonzero(by_mie).flatten())
        spectrum = spectrum + backscattered(spheres, waves, plan, index, wavelength)
    return ReflectedWave(
        spectrum=spectrum * waves.travels,
        fx=waves.fx,
        fy=waves.fy,
        source=source,
        weights=weights,
        wavelength_um=wavelength,
        medium_index=index,
        reference_um=plan.reference_um,
        plan=plan,
    )


@dataclass(frozen=True, kw_only=True)
class UpwardWaves:
    """Plane waves that travel to the objective, in the frame of each source point.

    Attributes
    ----------
    rows, columns : Tensor, int64
        Indices of the frequencies within the band of the plan, FFT order.
    fy, fx : Tensor, shapes (By,), (Bx,)
        These frequencies in cycles/µm.
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

    rows: Tensor
    columns: Tensor
    fy: Tensor
    fx: Tensor
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
        """Waves of the band of a plan for source points (S, 2) in cycles/µm."""
        like: dict[str, Any] = {"dtype": source.dtype, "device": source.device}
        axes = []
        for number, pitch in zip(plan.grid_shape, plan.pitch_um, strict=True):
            frequencies = torch.fft.fftfreq(number, pitch, **like)
            inside = (frequencies.abs() <= plan.band) & (2 * frequencies.abs() * pitch < 1)
            chosen = torch.nonzero(inside).flatten()
            axes.append((chosen, frequencies[chosen]))
        (rows, fy), (columns, fx) = axes
        vacuum = 2 * pi / wavelength
        k = vacuum * index
        sx, sy = source[:, 0, None, None], source[:, 1, None, None]
        x, y = fx[None, :], fy[:, None]
        squared = (2 * pi) ** 2 * ((x + sx) ** 2 + (y + sy) ** 2)
        travels = squared.detach() < (_EVANESCENT * k.detach()) ** 2
        floor = (1 - _EVANESCENT**2) * k.detach() ** 2
        up = torch.sqrt(torch.where(travels, k**2 - squared, floor))
        across_squared = (2 * pi) ** 2 * source.square().sum(1)
        down = torch.sqrt(k**2 - across_squared)
        # The difference of both wavenumbers would lose three digits in single precision.
        step = (2 * pi) ** 2 * (x * (x + 2 * sx) + y * (y + 2 * sy))
        kappa = -step / (up + down[:, None, None])
        limit = min(plan.aperture, 0.98 * float(index.detach()))
        steepest = torch.sqrt((vacuum * index) ** 2 - (vacuum * limit) ** 2)
        return cls(
            rows=rows,
            columns=columns,
            fy=fy,
            fx=fx,
            kappa=kappa,
            obliquity=down[:, None, None] / up,
            travels=travels,
            down=down,
            across_squared=across_squared,
            middle=(steepest + k) / 2 - down,
            vacuum=vacuum,
            reference_um=plan.reference_um,
        )
