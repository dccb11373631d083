"""Modalities of light that a sample transmits or scatters forward."""

from typing import Literal

from pydantic import model_validator

from osog.scene.modalities.base import HALF_TURN, TURN, ModalityModel
from osog.scene.model import FitTraits, Number, parameter


class Brightfield(ModalityModel[Number]):
    """Transmitted light; coherent for a condenser NA of 0, else an Abbe sum over the condenser."""

    page = "modalities.md#brightfield"

    title = "Brightfield"
    wave = "scalar"
    backdrop = "bright"
    condenser = True
    vectorial = True
    weak_object = True
    light = "condenser"
    contrast_by_defocus = True
    lens_tolerance = True

    kind: Literal["brightfield"] = "brightfield"


class PhaseContrast(ModalityModel[Number]):
    """Zernike phase contrast: an annular condenser and a phase plate conjugate to it."""

    page = "modalities.md#zernike-phase-contrast"

    title = "Phase contrast (Zernike)"
    wave = "scalar"
    backdrop = "bright"
    condenser = False
    vectorial = True
    weak_object = True
    light = "ring"
    steepest = "ring_radius"
    path_differences = ("retardation_deg",)

    kind: Literal["phase_contrast"] = "phase_contrast"
    polarity: Literal["positive", "negative"] = parameter(
        "positive",
        title="Contrast",
        help="Positive shows a denser body dark, negative shows it bright.",
    )
    ring_radius: Number = parameter(
        0.6,
        title="Ring radius",
        help="Mean radius of the phase ring, as a share of the objective NA.",
        limits=(0.05, 0.98),
        slider=(0.2, 0.9),
        step=0.01,
    )
    ring_width: Number = parameter(
        0.1,
        title="Ring width",
        help="Width of the phase ring as a share of the objective NA; wide rings give halos.",
        limits=(0.01, 0.6),
        slider=(0.02, 0.3),
        step=0.005,
    )
    absorption: Number = parameter(
        0.75,
        title="Ring absorption",
        help="Share of the light that the phase ring takes away; more gives more contrast.",
        limits=(0.0, 0.99),
        slider=(0.0, 0.95),
        step=0.01,
    )
    retardation_deg: Number = parameter(
        90.0,
        title="Ring retardation",
        help="Phase by which the ring shifts the direct light; a quarter wave is 90°.",
        unit="°",
        limits=(0.0, 180.0),
        slider=(0.0, 180.0),
        step=1.0,
    )

    @model_validator(mode="after")
    def _ring_inside_pupil(self: "PhaseContrast") -> "PhaseContrast":
        inner = self.ring_radius - self.ring_width / 2
        outer = self.ring_radius + self.ring_width / 2
        if inner < 0 or outer > 1:
            raise ValueError(
                f"ring_width = {self.ring_width:g} around ring_radius = {self.ring_radius:g} "
                f"reaches from {inner:.3g} to {outer:.3g}; it must lie between 0 and 1 (shares of "
                "the objective NA)."
            )
        return self

    def steepest_numerical_aperture(self: "PhaseContrast", objective: float) -> float:
        """NA up to which the ring's light reaches the sample."""
        return objective * (self.ring_radius + self.ring_width / 2)

    def halo_um(self: "PhaseContrast", wavelength_um: float, aperture: float) -> float:
        """Return the first zero of the ring's blur, λ/(w NA)."""
        return wavelength_um / (self.ring_width * aperture)


class DIC(ModalityModel[Number]):
    """Nomarski differential interference contrast."""

    page = "modalities.md#nomarski-dic"

    title = "DIC (Nomarski)"
    wave = "scalar"
    backdrop = "bright"
    condenser = True
    vectorial = False
    weak_object = True
    light = "condenser"
    path_differences = ("bias_retardance_deg",)
    directional = True
    lens_tolerance = True

    kind: Literal["dic"] = "dic"
    shear_um: Number = parameter(
        0.3,
        title="Shear",
        help="Distance between the two sheared images in the object; more shear, more relief.",
        unit="µm",
        limits=(0.0, 5.0),
        slider=(0.0, 1.0),
        step=0.01,
        fit=FitTraits(role="shear", scale=0.3, factor=8.0),
    )
    azimuth_deg: Number = parameter(
        45.0,
        title="Shear azimuth",
        help="Direction of the shear from +x towards +y; the relief seems lit along it.",
        unit="°",
        limits=TURN,
        slider=HALF_TURN,
        step=1.0,
        fit=FitTraits(scale=45.0),
    )
    bias_retardance_deg: Number = parameter(
        90.0,
        title="Bias retardance",
        help="Phase between the two images where the sample is flat; 0 is extinction.",
        unit="°",
        limits=TURN,
        slider=HALF_TURN,
        step=1.0,
        fit=FitTraits(role="bias", scale=45.0),
    )
    extinction: Number = parameter(
        0.0,
        title="Extinction leak",
        help="Share of the light that leaks through crossed polars.",
        limits=(0.0, 0.5),
        slider=(0.0, 0.05),
        step=0.001,
        fit=FitTraits(scale=0.05),
    )


class Darkfield(ModalityModel[Number]):
    """Darkfield: light from an annulus outside the objective's aperture, so scatter alone shows."""

    page = "modalities.md#darkfield"

    title = "Darkfield"
    wave = "scalar"
    backdrop = "dark"
    condenser = False
    vectorial = True
    weak_object = False
    light = "annulus"
    steepest = "outer_numerical_aperture"

    kind: Literal["darkfield"] = "darkfield"
    inner_numerical_aperture: Number = parameter(
        0.6,
        title="Inner condenser NA",
        help="Inner edge of the annulus of light; above the objective NA the field is dark.",
        limits=(0.0, 1.45),
        slider=(0.1, 1.3),
        step=0.01,
    )
    outer_numerical_aperture: Number = parameter(
        0.8,
        title="Outer condenser NA",
        help="Outer edge of the annulus of light.",
        limits=(0.02, 1.5),
        slider=(0.2, 1.4),
        step=0.01,
    )

    @model_validator(mode="after")
    def _ordered(self: "Darkfield") -> "Darkfield":
        if self.inner_numerical_aperture >= self.outer_numerical_aperture:
            raise ValueError(
                f"inner_numerical_aperture = {self.inner_numerical_aperture:g} must be below "
                f"outer_numerical_aperture = {self.outer_numerical_aperture:g}."
            )
        return self

    def steepest_numerical_aperture(self: "Darkfield", objective: float) -> float:
        """NA up to which the annulus reaches the sample."""
        return self.outer_numerical_aperture

    @property
    def dark_aperture(self: "Darkfield") -> float | None:
        """Outer edge of the annulus of light."""
        return self.outer_numerical_aperture


class Polarized(ModalityModel[Number]):
    """Polarised light: polariser, sample, compensator, analyser."""

    page = "modalities.md#polarised-light"

    title = "Polarised light"
    wave = "jones"
    backdrop = "dark"
    condenser = True
    vectorial = True
    weak_object = False
    light = "condenser"

    kind: Literal["polarized"] = "polarized"
    polarizer_deg: Number = parameter(
        0.0,
        title="Polariser",
        help="Direction that the polariser passes, from +x towards +y.",
        unit="°",
        limits=TURN,
        slider=HALF_TURN,
        step=1.0,
    )
    analyzer_deg: Number = parameter(
        90.0,
        title="Analyser",
        help="Direction that the analyser passes; 90° from the polariser is crossed.",
        unit="°",
        limits=TURN,
        slider=HALF_TURN,
        step=1.0,
    )
    circular: bool = parameter(
        False,
        title="Circular",
        help="Quarter-wave plates behind the polariser and before the analyser: no dark azimuths.",
    )
    compensator_nm: Number = parameter(
        0.0,
        title="Compensator",
        help="Retardance of the plate before the analyser; 530 nm is a first-order red plate.",
        unit="nm",
        limits=(-5000.0, 5000.0),
        slider=(0.0, 1000.0),
        step=5.0,
    )
    compensator_azimuth_deg: Number = parameter(
        45.0,
        title="Compensator azimuth",
        help="Slow axis of the compensator from +x towards +y.",
        unit="°",
        limits=TURN,
        slider=HALF_TURN,
        step=1.0,
    )
    extinction: Number = parameter(
        0.0,
        title="Extinction leak",
        help="Share of the light that the analyser lets pass in the direction it should block.",
        limits=(0.0, 0.5),
        slider=(0.0, 0.05),
        step=0.001,
        fit=FitTraits(scale=0.05),
    )

    @property
    def compensation_um(self: "Polarized") -> float:
        """Path difference of the compensator."""
        return abs(self.compensator_nm) * 1e-3


class Shadowgraph(ModalityModel[Number]):
    """Shadowgraphy: collimated backlight of small divergence, usually seen out of focus."""

    page = "modalities.md#shadowgraph"

    title = "Shadowgraph"
    wave = "scalar"
    backdrop = "bright"
    condenser = False
    vectorial = True
    weak_object = True
    light = "backlight"
    steepest = "divergence_mrad"

    kind: Literal["shadowgraph"] = "shadowgraph"
    divergence_mrad: Number = parameter(
        10.0,
        title="Divergence",
        help="Half angle of the backlight in the sample; more softens the fringes around a shadow.",
        unit="mrad",
        limits=(0.0, 300.0),
        slider=(0.0, 100.0),
        step=0.5,
    )

    def steepest_numerical_aperture(self: "Shadowgraph", objective: float) -> float:
        """NA up to which the backlight reaches the sample, in paraxial order."""
        return self.divergence_mrad * 1e-3
