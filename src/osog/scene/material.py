"""Refractive index, absorption and brightness of what is in the sample."""

from typing import Any, Generic

from pydantic import model_validator

from osog.scene.distributions import NumberOrDistribution
from osog.scene.metals import METALS, metal_numbers
from osog.scene.model import FitTraits, Number, SceneModel, parameter

INDICES: dict[str, float] = {
    "air": 1.0003,
    "water": 1.333,
    "pbs": 1.335,
    "ethanol": 1.361,
    "glycerol": 1.473,
    "immersion oil": 1.518,
    "cytoplasm": 1.37,
    "lysozyme": 1.54,
    "protein crystal": 1.52,
    "silica": 1.45,
    "pmma": 1.492,
    "polystyrene": 1.598,
    "glass": 1.52,
    "ice": 1.31,
    "sodium chloride": 1.544,
    "quartz": 1.547,
}
"""Index near 550 nm at room temperature by name.

Sources: water, ethanol, glycerol, silica, PMMA, polystyrene, NaCl and quartz (mean of both rays)
from the tables of refractiveindex.info (Polyanskiy 2024); lysozyme crystals 1.54 (Aldrich
tabulations for tetragonal lysozyme, dry) and protein crystals in mother liquor around 1.52.
"""

ABBE_NUMBERS: dict[str, float] = {
    "water": 55.8,
    "pbs": 55.8,
    "ethanol": 60.6,
    "silica": 67.8,
    "pmma": 57.4,
    "polystyrene": 30.9,
    "glass": 64.2,
    "sodium chloride": 42.9,
    "quartz": 69.9,
}
"""Abbe numbers (n_d − 1)/(n_F − n_C) by name; the others have no dispersion unless one is given.

Sources: the dispersion formulas on refractiveindex.info (Polyanskiy 2024) at the d, F and C lines;
glass is N-BK7, phosphate-buffered saline is taken as water.
"""

_INDEX_LIMITS = (1.0, 4.0)
BODY_INDEX_LIMITS = (0.02, 4.0)
"""Of what particles are made of: the index of a metal is below 1."""
_STATED_AT_UM = 0.55
"""Wavelength of named indices where nothing says another."""


def with_metal(data: Any, wavelength_um: float) -> Any:
    """Fill in the index and absorption of a named metal where the data do not give them."""
    name = str(data.get("name") or "").lower() if isinstance(data, dict) else ""
    if name not in METALS:
        return data
    return {**metal_numbers(name, wavelength_um), **data, "name": name}


def _named_index(data: Any, field: str, known: tuple[str, ...] = tuple(INDICES)) -> Any:
    if isinstance(data, dict) and data.get("name") is not None:
        name = str(data["name"]).lower()
        if name not in INDICES:
            raise ValueError(
                f"{field} = '{data['name']}' is not known; known names are {', '.join(known)}; "
                "or give index as a number."
            )
        data = {"index": INDICES[name], **data, "name": name}
    name = str(data.get("name") or "").lower() if isinstance(data, dict) else ""
    if name in ABBE_NUMBERS and "abbe_number" not in data:
        data = {**data, "abbe_number": ABBE_NUMBERS[name]}
    return data


class Medium(SceneModel, Generic[Number]):
    """What surrounds the particles: an index, or the name of a known liquid."""

    name: str | None = parameter(
        None, title="Medium", help="Name of a known medium; sets the index."
    )
    index: Number = parameter(
        1.333,
        title="Index",
        help="Refractive index of the medium; particles show only by their difference from it.",
        limits=_INDEX_LIMITS,
        slider=(1.3, 1.6),
        step=0.001,
        fit=FitTraits(role="medium_index", scale=0.15, tolerance=0.002),
    )
    abbe_number: Number | None = parameter(
        None,
        title="Abbe number",
        help="Dispersion: low numbers spread the index more over the colours; empty is none.",
        limits=(5.0, 500.0),
        panel=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: Any) -> Any:
        return _named_index(data, "medium.name")


class Material(SceneModel):
    """What a particle is made of."""

    name: str | None = parameter(
        None,
        title="Material",
        help="Name of a known material; sets the index, and the absorption of a metal.",
    )
    index: NumberOrDistribution = parameter(
        1.36,
        title="Index",
        help="Refractive index of the particle; above the medium it delays the light.",
        limits=BODY_INDEX_LIMITS,
        slider=(1.3, 1.7),
        step=0.001,
        fit=FitTraits(role="index", scale=0.15),
    )
    absorption_per_um: NumberOrDistribution = parameter(
        0.0,
        title="Absorption",
        help="Intensity lost per µm of path, 4πκ/λ; makes the particle dark in focus. Metals have "
        "50 and more.",
        unit="1/µm",
        limits=(0.0, 500.0),
        slider=(0.0, 2.0),
        fit=FitTraits(role="absorption"),
    )
    emission_per_um: NumberOrDistribution = parameter(
        1.0,
        title="Fluorescence",
        help="Brightness per µm of path in the fluorescence modality.",
        unit="1/µm",
        limits=(0.0, 1e6),
        slider=(0.0, 5.0),
    )

    abbe_number: float | None = parameter(
        None,
        title="Abbe number",
        help="Dispersion: low numbers spread the index more over the colours; empty is none.",
        limits=(5.0, 500.0),
        panel=False,
    )
    birefringence: NumberOrDistribution = parameter(
        0.0,
        title="Birefringence",
        help="Extraordinary minus ordinary index of a uniaxial crystal; index is the ordinary one.",
        limits=(-1.0, 1.0),
        slider=(-0.2, 0.2),
        step=0.001,
    )
    optic_axis: tuple[float, float, float] = parameter(
        (1.0, 0.0, 0.0),
        title="Optic axis",
        help="Direction of the optic axis in the body; (1, 0, 0) is its long axis.",
        limits=(-1.0, 1.0),
        panel=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: Any) -> Any:
        data = with_metal(data, _STATED_AT_UM)
        if isinstance(data, dict) and data.get("name") in METALS:
            return data
        return _named_index(data, "material.name", (*INDICES, *METALS))

    @model_validator(mode="after")
    def _axis_has_a_direction(self) -> "Material":
        if sum(c * c for c in self.optic_axis) < 1e-6:
            raise ValueError("optic_axis = (0, 0, 0) must be a direction, such as (1, 0, 0).")
        return self
