"""The microscope: modality, lens, illumination, aberrations."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from osog.scene.description import Description, row

IMMERSIONS: dict[str, float] = {"air": 1.0, "water": 1.333, "glycerol": 1.473, "oil": 1.518}
"""Index of the liquid between the objective and the cover glass."""


class Brightfield(Description):
    """Transmitted light; coherent for a condenser NA of 0, else an Abbe sum over the condenser."""

    kind: Literal["brightfield"] = "brightfield"


class DIC(Description):
    """Nomarski differential interference contrast."""

    kind: Literal["dic"] = "dic"
    shear_um: float = row(
        0.3,
        title="Shear",
        help="Distance between the two sheared images in the object; more shear, more relief.",
        unit="µm",
        limits=(0.0, 5.0),
        slider=(0.0, 1.0),
        step=0.01,
    )
    azimuth_deg: float = row(
        45.0,
        title="Shear azimuth",
        help="Direction of the shear from +x towards +y; the relief seems lit along it.",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
        step=1.0,
    )
    bias_retardance_deg: float = row(
        90.0,
        title="Bias retardance",
        help="Phase between the two images where the sample is flat; 0 is extinction.",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
        step=1.0,
    )
    extinction: float = row(
        0.0,
        title="Extinction leak",
        help="Share of the light that leaks through crossed polars.",
        limits=(0.0, 0.5),
        slider=(0.0, 0.05),
        step=0.001,
    )


class Hologram(Description):
    """Inline hologram: interference of the scattered with the unscattered plane wave."""

    kind: Literal["hologram"] = "hologram"


class QuantitativePhase(Description):
    """Phase of the coherent image in radians, unwrapped; the camera does not act on it."""

    kind: Literal["phase"] = "phase"


class Fluorescence(Description):
    """Widefield fluorescence: incoherent emission of the particles through the objective."""

    kind: Literal["fluorescence"] = "fluorescence"
    background: float = row(
        0.0,
        title="Background",
        help="Uniform emission added to the image, in units of 1 µm of a particle in focus.",
        limits=(0.0, 1e3),
        slider=(0.0, 2.0),
    )


Modality = Annotated[
    Brightfield | DIC | Hologram | QuantitativePhase | Fluorescence, Field(discriminator="kind")
]

MODALITY_TITLES: dict[str, str] = {
    "brightfield": "Brightfield",
    "dic": "DIC (Nomarski)",
    "hologram": "Inline hologram",
    "phase": "Quantitative phase",
    "fluorescence": "Widefield fluorescence",
}
PARTIALLY_COHERENT: frozenset[str] = frozenset({"brightfield", "dic"})
"""Modalities in which the condenser's aperture acts."""

_WAVES = (-5.0, 5.0)


def _waves(title: str, help: str) -> float:
    value: float = row(
        0.0, title=title, help=help, unit="waves rms", limits=_WAVES, slider=(-0.5, 0.5), step=0.005
    )
    return value


class Aberrations(Description):
    """Wavefront errors of the objective: Noll-normalised Zernike terms in waves rms.

    The named terms are Noll 6 (astigmatism_0), 5 (astigmatism_45), 8 (coma_x), 7 (coma_y) and
    11 (spherical); ``zernike`` adds any further Noll index.
    """

    spherical: float = _waves("Spherical", "Rings of unequal sharpness above and below focus.")
    astigmatism_0: float = _waves("Astigmatism 0°", "Focus differs between x and y.")
    astigmatism_45: float = _waves("Astigmatism 45°", "Focus differs between the two diagonals.")
    coma_x: float = _waves("Coma x", "Comet tails along x.")
    coma_y: float = _waves("Coma y", "Comet tails along y.")
    zernike: dict[int, float] = row(
        {}, title="Zernike terms", help="Noll index → waves rms.", unit="waves rms", panel=False
    )

    @field_validator("zernike")
    @classmethod
    def _known_terms(cls, value: dict[int, float]) -> dict[int, float]:
        for index, waves in value.items():
            if not 2 <= index <= 120:
                raise ValueError(f"zernike index {index} must lie between 2 and 120 (Noll).")
            if not _WAVES[0] <= waves <= _WAVES[1]:
                raise ValueError(f"zernike[{index}] = {waves:g} must lie between -5 and 5 waves.")
        return value


class Microscope(Description):
    """Everything between the lamp and the camera."""

    modality: Modality = Field(default_factory=Brightfield, title="Modality")
    focus_um: float = row(
        0.0,
        title="Focus",
        help="Height of the plane in focus; particles above and below it blur into rings.",
        unit="µm",
        limits=(-1000.0, 1000.0),
        slider=(-20.0, 20.0),
        step=0.05,
    )
    numerical_aperture: float = row(
        0.5,
        title="Objective NA",
        help="Sine of the collection angle times the index; sets resolution and depth of field.",
        limits=(0.02, 1.6),
        slider=(0.05, 1.4),
        step=0.01,
    )
    immersion_index: float = row(
        1.0,
        title="Immersion",
        help="Index between objective and cover glass; it must exceed the objective NA.",
        limits=(1.0, 2.0),
        shapes_image=False,
    )
    condenser_numerical_aperture: float = row(
        0.0,
        title="Condenser NA",
        help="Opening of the condenser; 0 is a plane wave with long fringes, more softens them.",
        limits=(0.0, 1.4),
        slider=(0.0, 0.9),
        step=0.01,
    )
    source_points: int = row(
        0,
        title="Source points",
        help="Points that stand for the condenser; 0 chooses by the defocus.",
        limits=(0, 400),
        panel=False,
        shapes_image=False,
    )
    wavelength_um: float = row(
        0.55,
        title="Wavelength",
        help="Vacuum wavelength of the light (of the emission in fluorescence).",
        unit="µm",
        limits=(0.2, 2.0),
        slider=(0.38, 0.8),
        step=0.005,
    )
    aberrations: Aberrations = Field(default_factory=Aberrations, title="Aberrations")

    @model_validator(mode="before")
    @classmethod
    def _immersion_from_aperture(cls, data: Any) -> Any:
        if isinstance(data, dict) and "immersion_index" not in data:
            aperture = data.get("numerical_aperture", 0.5)
            if isinstance(aperture, int | float):
                fitting = [n for n in IMMERSIONS.values() if n > aperture]
                return {**data, "immersion_index": min(fitting) if fitting else 1.518}
        return data

    @model_validator(mode="after")
    def _aperture_below_index(self) -> "Microscope":
        if self.numerical_aperture >= self.immersion_index:
            named = {n: name for name, n in IMMERSIONS.items()}
            medium = named.get(self.immersion_index, "the immersion")
            raise ValueError(
                f"numerical_aperture = {self.numerical_aperture:g} needs an immersion index above "
                f"it; immersion_index is {self.immersion_index:g} ({medium}). Choose a denser "
                "immersion or a lower NA."
            )
        return self

    @property
    def condenser_in_use(self) -> float:
        """Condenser NA that acts in this modality: 0 where the light is one plane wave."""
        if self.modality.kind in PARTIALLY_COHERENT:
            return self.condenser_numerical_aperture
        return 0.0
