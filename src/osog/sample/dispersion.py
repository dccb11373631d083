"""How refractive indices, absorption and birefringence change with the wavelength."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from osog.particles import CUT, OUTER
from osog.scene import materials
from osog.scene.materials.formulas import C_LINE_UM, D_LINE_UM, F_LINE_UM
from osog.scene.volumes import VoxelShape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.particles import ParticleBatch, Parts
    from osog.sample.values import Values
    from osog.scene import ShapeModel


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


def table_index(name: str, stated: Tensor, wavelength_um: Tensor, at_um: Tensor) -> Tensor:
    """Index of something that disperses as a named material does.

    Parameters
    ----------
    name : str
        Of the table of materials.
    stated : Tensor, 0-dim
        Index at λ_c, which may differ from the table's.
    wavelength_um, at_um : Tensor, 0-dim
        λ and λ_c.

    Returns
    -------
    Tensor, 0-dim
        1 + (n_c − 1)(n_t(λ) − 1)/(n_t(λ_c) − 1): the table's n_t(λ) itself where n_c is n_t(λ_c).
    """
    return stated + (stated - 1) * _relative_change(name, wavelength_um, at_um)


def _relative_change(name: str, wavelength_um: Tensor, at_um: Tensor) -> Tensor:
    substance = materials.find(name)
    then = substance.index(at_um)
    change: Tensor = (substance.index(wavelength_um) - then) / (then - 1)
    return change


def medium_index(values: Values, wavelength_um: Tensor) -> Tensor:
    """Index of the medium at a wavelength, 0-dim.

    Parameters
    ----------
    values : Values
        Numbers of the scene; ``medium.index`` holds at ``microscope.wavelength_um``.
    wavelength_um : Tensor, 0-dim
    """
    index, abbe, name = values.medium.index, values.medium.abbe_number, values.medium.dispersion
    at = values.microscope.wavelength_um
    if name is not None:
        return table_index(name, index, wavelength_um, at)
    if abbe is None:
        return index
    return index + (index - 1) * relative_dispersion(abbe, wavelength_um, at)


def dispersed(batch: ParticleBatch, values: Values, wavelength_um: Tensor) -> ParticleBatch:
    """Return the same particles with the indices that they have at a wavelength.

    Parameters
    ----------
    batch : ParticleBatch
        Numbers at ``microscope.wavelength_um``.
    values : Values
        Gives the dispersion of each population and of the medium, differentiably.
    wavelength_um : Tensor, 0-dim

    Returns
    -------
    ParticleBatch
        What follows a material of the table has its index, birefringence and absorption, each in
        proportion where the scene states other numbers than the table. With an Abbe number the
        index changes alone. A core keeps to its population's law, in a metal to itself.
    """
    scene = values.scene
    laws = [_law(values, number, wavelength_um) for number in range(len(scene.populations))]
    medium = scene.medium
    if medium.dispersion is None and medium.abbe_number is None and not any(laws):
        return batch
    medium_shift = medium_index(values, wavelength_um) - values.medium.index
    none = _Law(*(values.constant(number) for number in _UNCHANGED))
    columns = zip(*(law or none for law in laws), strict=True) if laws else ()
    gathered = [torch.stack(column)[batch.population] for column in columns]
    if not gathered:
        return replace(batch, delta_index=batch.delta_index - medium_shift)
    refractivity, metal_shift, split, taken, added, metallic = gathered
    own_shift = (values.medium.index + batch.delta_index - 1) * refractivity + metal_shift
    shift = own_shift - medium_shift
    if batch.voxels is not None:
        # An array of indices disperses like the medium, as what is mostly made of it does.
        arrays = [_states_indices(p.shape) for p in values.scene.populations]
        own = torch.tensor(arrays, device=batch.device)[batch.population]
        shift = torch.where(own, torch.zeros_like(shift), shift)
    absorbed = batch.absorption_per_um * taken + added
    core_step = batch.core_index_step * (1 + refractivity)
    cored = (batch.core_radius > 0) & (metallic > 0)
    # The core of a metal shell stays what it is.
    kept = torch.where(cored, absorbed - batch.absorption_per_um, 0.0)
    core_taken = torch.where(cored, batch.core_absorption_step, batch.core_absorption_step * taken)
    return replace(
        batch,
        parts=None
        if batch.parts is None
        else _of_parts(batch.parts, gathered, values, medium_shift),
        delta_index=batch.delta_index + shift,
        birefringence=batch.birefringence * split,
        absorption_per_um=absorbed,
        core_index_step=core_step - torch.where(cored, metal_shift, 0.0),
        core_absorption_step=core_taken - kept,
    )


def _of_parts(
    parts: Parts, of_particles: list[Tensor], values: Values, medium_shift: Tensor
) -> Parts:
    """Return parts that follow the laws of their particles; what was taken out stays medium."""
    columns = (column[parts.host] for column in of_particles)
    refractivity, metal_shift, split, taken, added, _ = columns
    shift = (values.medium.index + parts.delta_index - 1) * refractivity + metal_shift
    own = torch.where(parts.role == OUTER, added, torch.zeros_like(added))
    hollow = parts.role == CUT
    return replace(
        parts,
        delta_index=torch.where(
            hollow, parts.delta_index, parts.delta_index + shift - medium_shift
        ),
        birefringence=parts.birefringence * split,
        absorption_per_um=torch.where(
            hollow, parts.absorption_per_um, parts.absorption_per_um * taken + own
        ),
    )


def _states_indices(shape: ShapeModel) -> bool:
    """Whether the numbers of an array stand in place of the material's index."""
    return isinstance(shape, VoxelShape) and shape.contents in ("index", "emission")


@dataclass(frozen=True)
class _Law:
    """What changes in a population from the stated wavelength to another.

    Attributes
    ----------
    refractivity : Tensor
        Relative change of n − 1.
    metal_shift : Tensor
        Change of the index of a metal, whose n − 1 may vanish.
    split, taken : Tensor
        Factors on the birefringence and on the absorption.
    added : Tensor
        Absorption where the table has none at the stated wavelength.
    metallic : Tensor
        1 for metals.
    """

    refractivity: Tensor
    metal_shift: Tensor
    split: Tensor
    taken: Tensor
    added: Tensor
    metallic: Tensor

    def __iter__(self) -> Iterator[Tensor]:
        return iter(
            (
                self.refractivity, self.metal_shift, self.split, self.taken, self.added,
                self.metallic,
            )
        )  # fmt: skip


_UNCHANGED = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0)


def _law(values: Values, number: int, wavelength_um: Tensor) -> _Law | None:
    """Law of one population; None where nothing changes."""
    material = values.scene.populations[number].material
    at = values.microscope.wavelength_um
    zero, _, one, *_rest = (values.constant(value) for value in _UNCHANGED)
    if material.dispersion is None:
        if material.abbe_number is None:
            return None
        abbe = values.number(f"populations[{number}].material.abbe_number")
        factor = relative_dispersion(abbe, wavelength_um, at)
        return _Law(factor, zero, one, one, zero, zero)
    substance = materials.find(material.dispersion)
    then, now = substance.absorption_per_um(at), substance.absorption_per_um(wavelength_um)
    absorbs = float(then.detach()) > 0
    taken, added = (now / then, zero) if absorbs else (one, now)
    before = substance.birefringence(at)
    split = one
    if float(before.detach()) != 0:
        split = substance.birefringence(wavelength_um) / before
    if substance.metallic:
        shift = substance.index(wavelength_um) - substance.index(at)
        return _Law(zero, shift, split, taken, added, one)
    return _Law(
        _relative_change(material.dispersion, wavelength_um, at), zero, split, taken, added, zero
    )
