"""The ways in which a microscope turns a sample into contrast."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from osog.scene.model import SceneModel, parameter

_TURN = (-360.0, 360.0)
_HALF_TURN = (-180.0, 180.0)


class Brightfield(SceneModel):
    """Transmitted light; coherent for a condenser NA of 0, else an Abbe sum over the condenser."""

    kind: Literal["brightfield"] = "brightfield"


class PhaseContrast(SceneModel):
    """Zernike phase contrast: an annular condenser and a phase plate conjugate to it."""

    kind: Literal["phase_contrast"] = "phase_contrast"
    polarity: Literal["positive", "negative"] = parameter(
        "positive",
        title="Contrast",
        help="Positive shows a denser body dark, negative shows it bright.",
    )
    ring_radius: float = parameter(
        0.6,
        title="Ring radius",
        help="Mean radius of the phase ring, as a share of the objective NA.",
        limits=(0.05, 0.98),
        slider=(0.2, 0.9),
        step=0.01,
    )
    ring_width: float = parameter(
        0.1,
        title="Ring width",
        help="Width of the phase ring as a share of the objective NA; wide rings give halos.",
        limits=(0.01, 0.6),
        slider=(0.02, 0.3),
        step=0.005,
    )
    absorption: float = parameter(
        0.75,
        title="Ring absorption",
        help="Share of the light that the phase ring takes away; more gives more contrast.",
        limits=(0.0, 0.99),
        slider=(0.0, 0.95),
        step=0.01,
    )
    retardation_deg: float = parameter(
        90.0,
        title="Ring retardation",
        help="Phase by which the ring shifts the direct light; a quarter wave is 90°.",
        unit="°",
        limits=(0.0, 180.0),
        slider=(0.0, 180.0),
        step=1.0,
    )

    @model_validator(mode="after")
    def _ring_inside_pupil(self) -> "PhaseContrast":
        inner = self.ring_radius - self.ring_width / 2
        outer = self.ring_radius + self.ring_width / 2
        if inner < 0 or outer > 1:
            raise ValueError(
                f"ring_width = {self.ring_width:g} around ring_radius = {self.ring_radius:g} "
                f"reaches from {inner:.3g} to {outer:.3g}; it must lie between 0 and 1 (shares of "
                "the objective NA)."
            )
        return self


class DIC(SceneModel):
    """Nomarski differential interference contrast."""

    kind: Literal["dic"] = "dic"
    shear_um: float = parameter(
        0.3,
        title="Shear",
        help="Distance between the two sheared images in the object; more shear, more relief.",
        unit="µm",
        limits=(0.0, 5.0),
        slider=(0.0, 1.0),
        step=0.01,
    )
    azimuth_deg: float = parameter(
        45.0,
        title="Shear azimuth",
        help="Direction of the shear from +x towards +y; the relief seems lit along it.",
        unit="°",
        limits=_TURN,
        slider=_HALF_TURN,
        step=1.0,
    )
    bias_retardance_deg: float = parameter(
        90.0,
        title="Bias retardance",
        help="Phase between the two images where the sample is flat; 0 is extinction.",
        unit="°",
        limits=_TURN,
        slider=_HALF_TURN,
        step=1.0,
    )
    extinction: float = parameter(
        0.0,
        title="Extinction leak",
        help="Share of the light that leaks through crossed polars.",
        limits=(0.0, 0.5),
        slider=(0.0, 0.05),
        step=0.001,
    )


class Darkfield(SceneModel):
    """Darkfield: light from an annulus outside the objective's aperture, so scatter alone shows."""

    kind: Literal["darkfield"] = "darkfield"
    inner_numerical_aperture: float = parameter(
        0.6,
        title="Inner condenser NA",
        help="Inner edge of the annulus of light; above the objective NA the field is dark.",
        limits=(0.0, 1.45),
        slider=(0.1, 1.3),
        step=0.01,
    )
    outer_numerical_aperture: float = parameter(
        0.8,
        title="Outer condenser NA",
        help="Outer edge of the annulus of light.",
        limits=(0.02, 1.5),
        slider=(0.2, 1.4),
        step=0.01,
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Darkfield":
        if self.inner_numerical_aperture >= self.outer_numerical_aperture:
            raise ValueError(
                f"inner_numerical_aperture = {self.inner_numerical_aperture:g} must be below "
                f"outer_numerical_aperture = {self.outer_numerical_aperture:g}."
            )
        return self


class Polarized(SceneModel):
    """Polarised light: polariser, sample, compensator, analyser."""

    kind: Literal["polarized"] = "polarized"
    polarizer_deg: float = parameter(
        0.0,
        title="Polariser",
        help="Direction that the polariser passes, from +x towards +y.",
        unit="°",
        limits=_TURN,
        slider=_HALF_TURN,
        step=1.0,
    )
    analyzer_deg: float = parameter(
        90.0,
        title="Analyser",
        help="Direction that the analyser passes; 90° from the polariser is crossed.",
        unit="°",
        limits=_TURN,
        slider=_HALF_TURN,
        step=1.0,
    )
    circular: bool = parameter(
        False,
        title="Circular",
        help="Quarter-wave plates behind the polariser and before the analyser: no dark azimuths.",
    )
    compensator_nm: float = parameter(
        0.0,
        title="Compensator",
        help="Retardance of the plate before the analyser; 530 nm is a first-order red plate.",
        unit="nm",
        limits=(-5000.0, 5000.0),
        slider=(0.0, 1000.0),
        step=5.0,
    )
    compensator_azimuth_deg: float = parameter(
        45.0,
        title="Compensator azimuth",
        help="Slow axis of the compensator from +x towards +y.",
        unit="°",
        limits=_TURN,
        slider=_HALF_TURN,
        step=1.0,
    )
    extinction: float = parameter(
        0.0,
        title="Extinction leak",
        help="Share of the light that the analyser lets pass in the direction it should block.",
        limits=(0.0, 0.5),
        slider=(0.0, 0.05),
        step=0.001,
    )


class Hologram(SceneModel):
    """Inline hologram: interference of the scattered with the unscattered plane wave."""

    kind: Literal["hologram"] = "hologram"


class OffAxisHologram(SceneModel):
    """Off-axis hologram: the image field interferes with a tilted reference wave."""

    kind: Literal["off_axis_hologram"] = "off_axis_hologram"
    carrier_per_um: float = parameter(
        3.0,
        title="Carrier",
        help="Fringes per µm in the object; above 3 NA/λ the orders separate.",
        unit="1/µm",
        limits=(0.0, 50.0),
        slider=(0.5, 8.0),
        step=0.05,
    )
    carrier_azimuth_deg: float = parameter(
        45.0,
        title="Carrier azimuth",
        help="Direction across the fringes, from +x towards +y.",
        unit="°",
        limits=_TURN,
        slider=_HALF_TURN,
        step=1.0,
    )
    reference_amplitude: float = parameter(
        1.0,
        title="Reference",
        help="Amplitude of the reference wave relative to the undisturbed object wave.",
        limits=(0.01, 100.0),
        slider=(0.1, 3.0),
        step=0.05,
    )


class QuantitativePhase(SceneModel):
    """Phase of the coherent image in radians, unwrapped; the camera does not act on it."""

    kind: Literal["phase"] = "phase"


class Shadowgraph(SceneModel):
    """Shadowgraphy: collimated backlight of small divergence, usually seen out of focus."""

    kind: Literal["shadowgraph"] = "shadowgraph"
    divergence_mrad: float = parameter(
        10.0,
        title="Divergence",
        help="Half angle of the backlight in the sample; more softens the fringes around a shadow.",
        unit="mrad",
        limits=(0.0, 300.0),
        slider=(0.0, 100.0),
        step=0.5,
    )


_EMISSION_BACKGROUND = parameter(
    0.0,
    title="Background",
    help="Uniform emission added to the image, in units of 1 µm of a particle in focus.",
    limits=(0.0, 1e3),
    slider=(0.0, 2.0),
)


class Fluorescence(SceneModel):
    """Widefield fluorescence: incoherent emission of the particles through the objective."""

    kind: Literal["fluorescence"] = "fluorescence"
    background: float = _EMISSION_BACKGROUND


class Confocal(SceneModel):
    """Confocal laser scanning: a focused excitation spot and a pinhole."""

    kind: Literal["confocal"] = "confocal"
    excitation_wavelength_um: float = parameter(
        0.488,
        title="Excitation",
        help="Vacuum wavelength of the laser; the microscope's wavelength is that of the emission.",
        unit="µm",
        limits=(0.2, 2.0),
        slider=(0.35, 0.8),
        step=0.005,
    )
    pinhole_airy_units: float = parameter(
        1.0,
        title="Pinhole",
        help="Diameter in Airy units of the emission (1.22 λ/NA); small ones section thinner.",
        unit="AU",
        limits=(0.01, 50.0),
        slider=(0.1, 5.0),
        step=0.05,
    )
    background: float = _EMISSION_BACKGROUND


class LightSheet(SceneModel):
    """Light sheet: a thin sheet from the side excites only the layer in focus."""

    kind: Literal["light_sheet"] = "light_sheet"
    waist_um: float = parameter(
        2.0,
        title="Sheet waist",
        help="Half thickness (1/e² of irradiance) of the sheet at its waist.",
        unit="µm",
        limits=(0.1, 500.0),
        slider=(0.5, 20.0),
        log=True,
    )
    sheet_offset_um: float = parameter(
        0.0,
        title="Sheet offset",
        help="Height of the sheet above the plane in focus.",
        unit="µm",
        limits=(-500.0, 500.0),
        slider=(-10.0, 10.0),
        step=0.05,
    )
    waist_position: float = parameter(
        0.5,
        title="Waist position",
        help="Where along x the sheet is thinnest: 0 is the left border of the frame, 1 the right.",
        limits=(-10.0, 11.0),
        slider=(0.0, 1.0),
        step=0.01,
    )
    excitation_wavelength_um: float = parameter(
        0.488,
        title="Excitation",
        help="Vacuum wavelength of the sheet; it sets how fast the sheet widens.",
        unit="µm",
        limits=(0.2, 2.0),
        slider=(0.35, 0.8),
        step=0.005,
    )
    background: float = _EMISSION_BACKGROUND


class Reflection(SceneModel):
    """Reflected light: interference of light from the particles' facets with the coverslip's."""

    kind: Literal["reflection"] = "reflection"
    field: Literal["bright", "dark"] = parameter(
        "bright",
        title="Field",
        help="Bright interferes with the reflection of the coverslip; dark blocks that reflection.",
    )
    interface_um: float = parameter(
        3.0,
        title="Coverslip height",
        help="Height of the coverslip's surface, on the side of the objective, above z = 0.",
        unit="µm",
        limits=(-1000.0, 1000.0),
        slider=(-10.0, 10.0),
        step=0.01,
    )
    glass_index: float = parameter(
        1.518,
        title="Coverslip index",
        help="Refractive index of the coverslip.",
        limits=(1.0, 2.5),
        slider=(1.45, 1.8),
        step=0.001,
    )
    illumination_numerical_aperture: float = parameter(
        0.0,
        title="Illumination NA",
        help="Opening of the incident light; more shortens the depth over which fringes show.",
        limits=(0.0, 1.4),
        slider=(0.0, 1.2),
        step=0.01,
    )


class InterferometricScattering(SceneModel):
    """iSCAT: light scattered back by small particles interferes with the coverslip's reflection."""

    kind: Literal["iscat"] = "iscat"
    interface_um: float = parameter(
        1.0,
        title="Coverslip height",
        help="Height of the coverslip's surface, on the side of the objective, above z = 0.",
        unit="µm",
        limits=(-1000.0, 1000.0),
        slider=(-5.0, 5.0),
        step=0.005,
    )
    glass_index: float = parameter(
        1.518,
        title="Coverslip index",
        help="Refractive index of the coverslip.",
        limits=(1.0, 2.5),
        slider=(1.45, 1.8),
        step=0.001,
    )
    reference_transmission: float = parameter(
        1.0,
        title="Reference transmission",
        help="Share of the reflected light that a pupil mask passes; less gives more contrast.",
        limits=(1e-4, 1.0),
        slider=(0.01, 1.0),
        step=0.01,
    )


Modality = Annotated[
    Brightfield
    | PhaseContrast
    | DIC
    | Darkfield
    | Polarized
    | Hologram
    | OffAxisHologram
    | QuantitativePhase
    | Shadowgraph
    | Fluorescence
    | Confocal
    | LightSheet
    | Reflection
    | InterferometricScattering,
    Field(discriminator="kind"),
]

MODALITY_TITLES: dict[str, str] = {
    "brightfield": "Brightfield",
    "phase_contrast": "Phase contrast (Zernike)",
    "dic": "DIC (Nomarski)",
    "darkfield": "Darkfield",
    "polarized": "Polarised light",
    "hologram": "Inline hologram",
    "off_axis_hologram": "Off-axis hologram",
    "phase": "Quantitative phase",
    "shadowgraph": "Shadowgraph",
    "fluorescence": "Widefield fluorescence",
    "confocal": "Confocal fluorescence",
    "light_sheet": "Light sheet",
    "reflection": "Reflection interference",
    "iscat": "iSCAT",
}
PARTIALLY_COHERENT: frozenset[str] = frozenset({"brightfield", "dic", "polarized"})
"""Modalities in which the condenser's aperture acts."""
EMISSION: frozenset[str] = frozenset({"fluorescence", "confocal", "light_sheet"})
"""Modalities in which the particles emit."""
EPI: frozenset[str] = frozenset({"reflection", "iscat"})
"""Modalities that see light sent back by the particles."""
VECTORIAL: frozenset[str] = EMISSION | {
    "brightfield",
    "phase_contrast",
    "darkfield",
    "hologram",
    "polarized",
    "shadowgraph",
}
"""Modalities whose polarisation a vectorial pupil can follow."""
