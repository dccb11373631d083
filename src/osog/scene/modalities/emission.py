"""Modalities in which the particles shine."""

from typing import Literal

from osog.scene.modalities.base import ModalityModel
from osog.scene.model import FitTraits, Number, parameter

_EMISSION_BACKGROUND = parameter(
    0.0,
    title="Background",
    help="Uniform emission added to the image, in units of 1 µm of a particle in focus.",
    limits=(0.0, 1e3),
    slider=(0.0, 2.0),
    fit=FitTraits(scale=1.0, linear_term="offset"),
)


class Fluorescence(ModalityModel[Number]):
    """Widefield fluorescence: incoherent emission of the particles through the objective."""

    page = "modalities.md#widefield-fluorescence"

    title = "Widefield fluorescence"
    wave = "emission"
    backdrop = "dark"
    condenser = False
    vectorial = True
    weak_object = False
    light = "axial"

    kind: Literal["fluorescence"] = "fluorescence"
    background: Number = _EMISSION_BACKGROUND


class Confocal(ModalityModel[Number]):
    """Confocal laser scanning: a focused excitation spot and a pinhole."""

    page = "modalities.md#confocal-fluorescence"

    title = "Confocal fluorescence"
    wave = "emission"
    backdrop = "dark"
    condenser = False
    vectorial = True
    weak_object = False
    light = "axial"

    kind: Literal["confocal"] = "confocal"
    excitation_wavelength_um: Number = parameter(
        0.488,
        title="Excitation",
        help="Vacuum wavelength of the laser; the microscope's wavelength is that of the emission.",
        unit="µm",
        limits=(0.2, 2.0),
        slider=(0.35, 0.8),
        step=0.005,
    )
    pinhole_airy_units: Number = parameter(
        1.0,
        title="Pinhole",
        help="Diameter in Airy units of the emission (1.22 λ/NA); small ones section thinner.",
        unit="AU",
        limits=(0.01, 50.0),
        slider=(0.1, 5.0),
        step=0.05,
    )
    background: Number = _EMISSION_BACKGROUND

    def resolving_wavelength_um(self: "Confocal", emitted_um: float) -> float:
        """Return 1/(1/λ_em + 1/λ_ex): the frequencies of the excitation add to the emission's."""
        return 1 / (1 / emitted_um + 1 / self.excitation_wavelength_um)

    def section_um(self: "Confocal", spot_um: float) -> float:
        """Return the depth of the spot, and more of it with a pinhole wider than 1 Airy unit."""
        return spot_um * max(self.pinhole_airy_units, 1.0)


class LightSheet(ModalityModel[Number]):
    """Light sheet: a thin sheet from the side excites only the layer in focus."""

    page = "modalities.md#light-sheet"

    title = "Light sheet"
    wave = "emission"
    backdrop = "dark"
    condenser = False
    vectorial = True
    weak_object = False
    light = "axial"
    above_focus = ("sheet_offset_um",)

    kind: Literal["light_sheet"] = "light_sheet"
    waist_um: Number = parameter(
        2.0,
        title="Sheet waist",
        help="Half thickness (1/e² of irradiance) of the sheet at its waist.",
        unit="µm",
        limits=(0.1, 500.0),
        slider=(0.5, 20.0),
        log=True,
    )
    sheet_offset_um: Number = parameter(
        0.0,
        title="Sheet offset",
        help="Height of the sheet above the plane in focus.",
        unit="µm",
        limits=(-500.0, 500.0),
        slider=(-10.0, 10.0),
        step=0.05,
    )
    waist_position: Number = parameter(
        0.5,
        title="Waist position",
        help="Where along x the sheet is thinnest: 0 is the left border of the frame, 1 the right.",
        limits=(-10.0, 11.0),
        slider=(0.0, 1.0),
        step=0.01,
    )
    excitation_wavelength_um: Number = parameter(
        0.488,
        title="Excitation",
        help="Vacuum wavelength of the sheet; it sets how fast the sheet widens.",
        unit="µm",
        limits=(0.2, 2.0),
        slider=(0.35, 0.8),
        step=0.005,
    )
    background: Number = _EMISSION_BACKGROUND

    @property
    def sheet_um(self: "LightSheet") -> float | None:
        """Half thickness of the sheet at its waist."""
        return self.waist_um
