"""How refractive indices change with the wavelength."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from osog.scene.metals import METALS, table
from osog.scene.volumes import VoxelShape

if TYPE_CHECKING:
    from torch import Tensor

    from osog.particles import ParticleBatch
    from osog.sample.values import Values
    from osog.scene import ShapeModel

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
        Birefringence, and the absorption of all but named metals, are taken as the same at all
        wavelengths.
    """
    scene = values.scene
    at = values.microscope.wavelength_um
    abbe_numbers = [population.material.abbe_number for population in scene.populations]
    index = values.medium.index
    medium_shift = medium_index(values, wavelength_um) - index
    names = [population.material.name for population in scene.populations]
    metallic = any(name in METALS for name in names)
    dielectric = any(number is not None for number in (scene.medium.abbe_number, *abbe_numbers))
    if not dielectric and not metallic:
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
    shift = own_shift - medium_shift
    if batch.voxels is not None:
        # An array of indices disperses like the medium, as what is mostly made of it does.
        arrays = [_states_indices(p.shape) for p in scene.populations]
        own = torch.tensor(arrays, device=batch.device)[batch.population]
        shift = torch.where(own, torch.zeros_like(shift), shift)
    found = replace(
        batch,
        delta_index=batch.delta_index + shift,
        core_index_step=batch.core_index_step * (1 + factors),
    )
    return _with_metals(found, names, at, wavelength_um) if metallic else found


def _states_indices(shape: ShapeModel) -> bool:
    """Whether the numbers of an array stand in place of the material's index."""
    return isinstance(shape, VoxelShape) and shape.contents in ("index", "emission")


def _with_metals(
    batch: ParticleBatch, names: list[str | None], at_um: Tensor, wavelength_um: Tensor
) -> ParticleBatch:
    """Shift index and absorption of named metals by what their tables change."""
    zero = torch.zeros_like(wavelength_um)
    shifts = []
    for name in names:
        if name not in METALS:
            shifts.append(torch.stack((zero, zero)))
            continue
        then, now = _from_table(name, at_um), _from_table(name, wavelength_um)
        absorbed = 4 * torch.pi * (now[1] / wavelength_um - then[1] / at_um)
        shifts.append(torch.stack((now[0] - then[0], absorbed)))
    index, absorption = torch.stack(shifts)[batch.population].unbind(1)
    absorbed = (batch.absorption_per_um + absorption).clamp_min(0.0)
    cored = batch.core_radius > 0
    # A core stays what it is, relative to its shell.
    change = torch.where(cored, absorbed - batch.absorption_per_um, 0.0)
    return replace(
        batch,
        delta_index=batch.delta_index + index,
        absorption_per_um=absorbed,
        core_index_step=batch.core_index_step - torch.where(cored, index, 0.0),
        core_absorption_step=batch.core_absorption_step - change,
    )


def _from_table(name: str, wavelength_um: Tensor) -> tuple[Tensor, Tensor]:
    """N and κ of a metal, linear between the lines of its table and constant beyond."""
    like: dict[str, Any] = {"dtype": wavelength_um.dtype, "device": wavelength_um.device}
    at, index, extinction = (torch.tensor(column, **like) for column in table(name))
    within = wavelength_um.clamp(at[0], at[-1])
    left = int((at <= within.detach()).sum().clamp(1, len(at) - 1)) - 1
    share = (within - at[left]) / (at[left + 1] - at[left])
    return (
        index[left] + share * (index[left + 1] - index[left]),
        extinction[left] + share * (extinction[left + 1] - extinction[left]),
    )
