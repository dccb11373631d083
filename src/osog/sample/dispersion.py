"""How refractive indices change with the wavelength."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from osog.particles import ParticleBatch
    from osog.sample.values import Values

D_LINE_UM, F_LINE_UM, C_LINE_UM = 0.5875618, 0.4861327, 0.6562725
"""Fraunhofer lines of helium (d) and hydrogen (F, C)."""


def relative_dispersion(abbe_number: Tensor, wavelength_um: Tensor, at_um: Tensor) -> Tensor:
    """Change of the refractivity, (n(λ) − 1)/(n(λ_c) − 1) − 1.

    Parameters
    ----------
    abbe_number : Tensor
        V = (n_d − 1)/(n_F − n_C), 5 to 500.
    wavelength_um : Tensor, 0-dim
        λ.
    at_um : Tensor, 0-dim
        λ_c, at which the index is stated.

    Returns
    -------
    Tensor
        In the shape of `abbe_number`.

    Notes
    -----
    Cauchy's law with two terms, n = n_c + B (1/λ² − 1/λ_c²), where V fixes
    B = (n_c − 1)/(V (1/λ_F² − 1/λ_C²) − 1/λ_d² + 1/λ_c²): the refractivity scales by one factor
    whatever the index. Good to about 1e-3 in the index of water, glasses and plastics over
    0.4–0.7 µm; not for use near absorption bands.
    """
    scale = abbe_number * (F_LINE_UM**-2 - C_LINE_UM**-2) - D_LINE_UM**-2 + at_um**-2
    return (wavelength_um**-2 - at_um**-2) / scale


def medium_index(values: Values, wavelength_um: Tensor) -> Tensor:
    """Index of the medium at a wavelength, 0-dim.

    Parameters
    ----------
    values : Values
        Numbers of the scene; ``medium.index`` holds at ``microscope.wavelength_um``.
    wavelength_um : Tensor, 0-dim
    """
    index, abbe = values.medium.index, values.medium.abbe_number
    if abbe is None:
        return index
    at = values.microscope.wavelength_um
    return index + (index - 1) * relative_dispersion(abbe, wavelength_um, at)


def dispersed(batch: ParticleBatch, values: Values, wavelength_um: Tensor) -> ParticleBatch:
    """Return the same particles with the indices that they have at a wavelength.

    Parameters
    ----------
    batch : ParticleBatch
        Index differences at ``microscope.wavelength_um``.
    values : Values
        Gives the Abbe numbers and the medium, differentiably.
    wavelength_um : Tensor, 0-dim

    Returns
    -------
    ParticleBatch
        Birefringence and absorption are taken as the same at all wavelengths.
    """
    scene = values.scene
    at = values.microscope.wavelength_um
    abbe_numbers = [population.material.abbe_number for population in scene.populations]
    index = values.medium.index
    medium_shift = medium_index(values, wavelength_um) - index
    if scene.medium.abbe_number is None and all(number is None for number in abbe_numbers):
        return batch
    zero = values.constant(0.0)
    factors = torch.stack(
        [
            zero
            if number is None
            else relative_dispersion(
                values.number(f"populations[{i}].material.abbe_number"), wavelength_um, at
            )
            for i, number in enumerate(abbe_numbers)
        ]
        or [zero]
    )[batch.population]
    own_shift = (index + batch.delta_index - 1) * factors
    return replace(
        batch,
        delta_index=batch.delta_index + own_shift - medium_shift,
        core_index_step=batch.core_index_step * (1 + factors),
    )
