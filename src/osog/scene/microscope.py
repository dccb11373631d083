"""The microscope: lens, light, modality."""

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeAlias

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from osog.scene import instruments, materials
from osog.scene.aberrations import (
    Aberrations,
    Chromatic,
    CoverGlass,
    FieldAberrations,
    PupilShape,
)
from osog.scene.modalities import MODALITIES, Brightfield, Modality
from osog.scene.model import Choice, FitTraits, Number, SceneModel, block, parameter
from osog.scene.spectrum import Monochromatic, Spectrum

IMMERSIONS: dict[str, float] = {"air": 1.0, "water": 1.333, "glycerol": 1.473, "oil": 1.518}
"""Index of the liquid between the objective and the cover glass."""

_FOCUS = (-1000.0, 1000.0)


def _number_or_planes(value: Any) -> str:
    return "planes" if isinstance(value, list | tuple) else "number"


if TYPE_CHECKING:
    Focus: TypeAlias = Number | tuple[Number, ...]
    """One plane in focus, or those of a stack."""
else:
    Focus = Choice(
        Annotated[Number, Tag("number")] | Annotated[tuple[Number, ...], Tag("planes")],
        Discriminator(_number_or_planes),
    )


class Microscope(SceneModel, Generic[Number]):
    """Everything between the lamp and the camera."""

    page = "choose.md"

    modality: Modality[Number] = block(Brightfield, title="Modality")
    focus_um: Focus[Number] = parameter(
        0.0,
        title="Focus",
        help="Height of the plane in focus; particles above and below it blur into rings. A list "
        "gives a stack.",
        unit="µm",
        limits=_FOCUS,
        slider=(-20.0, 20.0),
        step=0.05,
        fit=FitTraits(role="focus", scale=6.0),
    )
    numerical_aperture: Number = parameter(
        0.5,
        title="Objective NA",
        help="Sine of the collection angle times the index; sets resolution and depth of field.",
        limits=(0.02, 1.6),
        slider=(0.05, 1.4),
        step=0.01,
        fit=FitTraits(scale=0.2, below="microscope.immersion_index", relative_tolerance=0.02),
    )
    immersion_index: Number = parameter(
        1.0,
        title="Immersion",
        help="Index between objective and cover glass; it must exceed the objective NA.",
        limits=(1.0, 2.0),
        shapes_image=False,
    )
    immersion_dispersion: str | None = parameter(
        None,
        title="Immersion follows",
        help="Known material, such as immersion oil, whose n(λ) the immersion follows over the "
        "colours; empty: the same index for all.",
        panel=False,
        shapes_image=False,
    )
    condenser_numerical_aperture: Number = parameter(
        0.0,
        title="Condenser NA",
        help="Opening of the condenser; 0 is a plane wave with long fringes, more softens them.",
        limits=(0.0, 1.4),
        slider=(0.0, 0.9),
        step=0.01,
        fit=FitTraits(scale=0.2, below="medium.index", relative_tolerance=0.10),
    )
    condenser_stop: Number = parameter(
        0.0,
        title="Condenser stop",
        help="Radius of a disc that blocks the middle of the condenser, as a share of its NA.",
        limits=(0.0, 0.98),
        slider=(0.0, 0.95),
        step=0.01,
    )
    oblique_numerical_aperture: Number = parameter(
        0.0,
        title="Oblique NA",
        help="Sideways shift of the condenser's aperture: light falls in at this angle.",
        limits=(0.0, 1.2),
        slider=(0.0, 0.8),
        step=0.01,
    )
    oblique_azimuth_deg: Number = parameter(
        0.0,
        title="Oblique azimuth",
        help="Direction towards which oblique light travels, from +x towards +y.",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
        step=1.0,
    )
    source_points: int = parameter(
        0,
        title="Source points",
        help="Points that stand for the condenser; 0 chooses by the defocus.",
        limits=(0, 100_000),
        panel=False,
        shapes_image=False,
    )
    wavelength_um: Number = parameter(
        0.55,
        title="Wavelength",
        help="Vacuum wavelength of the light (of the emission in fluorescence).",
        unit="µm",
        limits=(0.2, 2.0),
        slider=(0.38, 0.8),
        step=0.005,
        fit=FitTraits(scale=0.1, relative_tolerance=0.005),
    )
    objective: str | None = parameter(
        None,
        title="Objective",
        help="Name of a maker's objective; fills NA, immersion and, with a named camera, the pixel "
        "size where the scene does not state them.",
        panel=False,
        shapes_image=False,
    )
    condenser: str | None = parameter(
        None,
        title="Condenser",
        help="Name of a maker's condenser; its iris is opened to 0.8 of the objective NA, as far "
        "as it goes, where the scene does not state the condenser NA.",
        panel=False,
        shapes_image=False,
    )
    light: str | None = parameter(
        None,
        title="Light",
        help="Name of a lamp, laser or filter; fills wavelength and spectrum where the scene does "
        "not state them.",
        panel=False,
        shapes_image=False,
    )
    spectrum: Spectrum[Number] = block(Monochromatic, title="Spectrum")
    aberrations: Aberrations[Number] = block(Aberrations, title="Aberrations")
    field_aberrations: FieldAberrations[Number] = block(FieldAberrations, title="Field aberrations")
    chromatic: Chromatic[Number] = block(Chromatic, title="Chromatic aberration")
    cover_glass: CoverGlass[Number] | None = Field(None, title="Cover glass")
    pupil: PupilShape[Number] = block(PupilShape, title="Pupil")

    @field_validator("immersion_dispersion")
    @classmethod
    def _known_immersion(cls, name: str | None) -> str | None:
        return materials.checked(name, "immersion_dispersion")

    @field_validator("focus_um")
    @classmethod
    def _some_planes(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        if isinstance(value, tuple) and not 1 <= len(value) <= 2000:
            raise ValueError(f"focus_um lists {len(value)} planes; it must list 1 to 2000.")
        return value

    @model_validator(mode="before")
    @classmethod
    def _immersion_from_aperture(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data = instruments.filled({"microscope": data})["microscope"]
        if isinstance(data, dict) and "immersion_index" not in data:
            aperture = data.get("numerical_aperture", 0.5)
            if isinstance(aperture, int | float):
                fitting = [n for n in IMMERSIONS.values() if n > aperture]
                return {**data, "immersion_index": min(fitting) if fitting else 1.518}
        return data

    @model_validator(mode="after")
    def _aperture_below_index(self: "Microscope") -> "Microscope":
        if self.numerical_aperture >= self.immersion_index:
            named = {n: name for name, n in IMMERSIONS.items()}
            medium = named.get(self.immersion_index, "the immersion")
            raise ValueError(
                f"numerical_aperture = {self.numerical_aperture:g} needs an immersion index above "
                f"it; immersion_index is {self.immersion_index:g} ({medium}). Choose a denser "
                "immersion or a lower NA."
            )
        return self

    @model_validator(mode="after")
    def _condenser_opens_so_far(self: "Microscope") -> "Microscope":
        if self.condenser is not None:
            most = instruments.condensers[self.condenser].facts["largest_na"]
            opening = self.condenser_numerical_aperture
            if isinstance(opening, float) and opening > most:
                raise ValueError(
                    f"condenser_numerical_aperture = {opening:g}: the {self.condenser} opens to "
                    f"{most:g}."
                )
        return self

    @model_validator(mode="after")
    def _phase_at_one_wavelength(self: "Microscope") -> "Microscope":
        if self.modality.measures_phase and not self.spectrum.monochromatic:
            raise ValueError(
                f"spectrum = {self.spectrum.kind}: quantitative phase is measured at one "
                "wavelength; choose the monochromatic spectrum."
            )
        return self

    @model_validator(mode="after")
    def _vectorial_pupil_possible(self: "Microscope") -> "Microscope":
        if self.pupil.vectorial and not self.modality.vectorial:
            possible = sorted(kind for kind, model in MODALITIES.items() if model.vectorial)
            raise ValueError(
                f"pupil.vectorial = true is not available for the modality {self.modality.kind}, "
                f"which needs one polarisation; it is for {', '.join(possible)}."
            )
        return self

    @property
    def focus_planes_um(self) -> tuple[Number, ...]:
        """Planes of the stack; one when the focus is a single number."""
        return self.focus_um if isinstance(self.focus_um, tuple) else (self.focus_um,)

    @property
    def focus_plane_um(self) -> Number:
        """Plane in focus, where a formula images one plane of those that the scene lists."""
        assert not isinstance(self.focus_um, tuple)
        return self.focus_um

    @property
    def wavelengths_um(self: "Microscope") -> tuple[float, float]:
        """Shortest and longest wavelength of the light."""
        return self.spectrum.range_um(self.wavelength_um)

    @property
    def emits(self) -> bool:
        """Whether the particles emit the light of this modality."""
        return self.modality.emits

    @property
    def epi(self) -> bool:
        """Whether the modality sees light that the particles send back."""
        return self.modality.epi

    @property
    def condenser_in_use(self: "Microscope") -> float:
        """NA up to which light reaches the sample in this modality; 0 for one axial plane wave."""
        if self.modality.condenser:
            return self.condenser_numerical_aperture + self.oblique_numerical_aperture
        return self.modality.steepest_numerical_aperture(self.numerical_aperture)
