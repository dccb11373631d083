"""Refractive index, absorption and brightness of what is in the sample."""

from typing import Any, Generic

from pydantic import model_validator

from osog.scene import materials
from osog.scene.distributions import NumberOrDistribution
from osog.scene.model import FitTraits, Number, SceneModel, parameter

_INDEX_LIMITS = (1.0, 4.0)
MATERIAL = ("index", "absorption_per_um", "emission_per_um", "birefringence")
"""Fields of the material that belong to each particle."""
BODY_INDEX_LIMITS = (0.02, 4.0)
"""Of what particles are made of: the index of a metal is below 1."""
_STATED_AT_UM = 0.55
"""Wavelength of named indices where nothing says another."""
_ABBE_HELP = "Low numbers spread the index more over the colours; empty is none."
_DISPERSION_HELP = (
    "Known material whose n(λ), absorption and birefringence it follows over the colours; empty: "
    "by the Abbe number."
)


def at_wavelength(data: Any, wavelength_um: float) -> Any:
    """Content of a medium or material with the numbers that its name gives for some light.

    Parameters
    ----------
    data : mapping, str, or anything else
        A name alone stands for ``{"name": …}``. What is no mapping, or has no known name, is
        returned as it is.
    wavelength_um : float
        At which the numbers that are not given are taken from the table.

    Returns
    -------
    mapping
        With the numbers, and with ``dispersion`` where neither that nor an Abbe number is stated.
    """
    data = {"name": data} if isinstance(data, str) else data
    substance = materials.known(_name(data))
    if substance is None:
        return data
    found: dict[str, Any] = {**substance.numbers(wavelength_um), **data}
    found["name"] = _name(data)
    # Files from before the table state an Abbe number, or none on purpose. Metals have none.
    by_abbe = "abbe_number" in data and not substance.metallic
    if "dispersion" not in data and not by_abbe and data.get("abbe_number") is None:
        found["dispersion"] = found["name"]
    return found


def _name(data: Any) -> str | None:
    name = data.get("name") if isinstance(data, dict) else None
    return " ".join(str(name).lower().split()) if name is not None else None


def _check_name(data: Any, field: str) -> None:
    for key in ("name", "dispersion"):
        name = data.get(key) if isinstance(data, dict) else None
        if name is not None:
            try:
                materials.find(str(name))
            except ValueError as error:
                raise ValueError(
                    f"{field}.{key} = {error} Or give index as a number."
                    if key == "name"
                    else f"{field}.{key} = {error}"
                ) from None
    if isinstance(data, dict) and data.get("dispersion") and data.get("abbe_number") is not None:
        raise ValueError(
            f"{field}.abbe_number = {data['abbe_number']} and {field}.dispersion = "
            f"{data['dispersion']} both say how the index changes with the colour; give one."
        )


class Medium(SceneModel, Generic[Number]):
    """What surrounds the particles: an index, or the name of a known liquid."""

    page = "tables.md#materials"

    name: str | None = parameter(
        None,
        title="Medium",
        help="Name of a known medium; sets the index at the microscope's wavelength and how it "
        "changes over the colours.",
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
        help=_ABBE_HELP,
        limits=(5.0, 500.0),
        panel=False,
    )
    dispersion: str | None = parameter(None, title="Dispersion", help=_DISPERSION_HELP, panel=False)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: Any) -> Any:
        data = at_wavelength(data, _STATED_AT_UM)
        _check_name(data, "medium")
        # A medium has neither absorption nor birefringence.
        unused = ("absorption_per_um", "birefringence") if _name(data) else ()
        return {k: v for k, v in data.items() if k not in unused} if unused else data


class Material(SceneModel):
    """What a particle is made of."""

    page = "tables.md#materials"

    name: str | None = parameter(
        None,
        title="Material",
        help="Name of a known material; sets index, absorption and birefringence at the "
        "microscope's wavelength, and how they change over the colours.",
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
        help=_ABBE_HELP,
        limits=(5.0, 500.0),
        panel=False,
    )
    dispersion: str | None = parameter(None, title="Dispersion", help=_DISPERSION_HELP, panel=False)
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
        data = at_wavelength(data, _STATED_AT_UM)
        _check_name(data, "material")
        return data

    @model_validator(mode="after")
    def _axis_has_a_direction(self) -> "Material":
        if sum(c * c for c in self.optic_axis) < 1e-6:
            raise ValueError("optic_axis = (0, 0, 0) must be a direction, such as (1, 0, 0).")
        return self
