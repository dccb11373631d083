"""Modalities of one axial plane wave: holograms, and the phase itself."""

from typing import Literal

from osog.scene.modalities.base import HALF_TURN, TURN, ModalityModel
from osog.scene.model import FitTraits, Number, parameter


class Hologram(ModalityModel[Number]):
    """Inline hologram: interference of the scattered with the unscattered plane wave."""

    page = "modalities.md#inline-hologram"

    title = "Inline hologram"
    wave = "scalar"
    backdrop = "bright"
    condenser = False
    vectorial = True
    weak_object = False
    light = "axial"
    contrast_by_defocus = True
    lens_tolerance = True
    divided = True

    kind: Literal["hologram"] = "hologram"
    scattered_amplitude: Number = parameter(
        1.0,
        title="Scattered wave",
        help="Factor on the amplitude of the scattered wave. Below 1 where light that is not fully "
        "coherent, or vibration, washes fringes out; 1 as theory has it.",
        limits=(0.0, 2.0),
        slider=(0.5, 1.2),
        step=0.01,
        fit=FitTraits(scale=0.2, tolerance=0.1),
    )


class OffAxisHologram(ModalityModel[Number]):
    """Off-axis hologram: the image field interferes with a tilted reference wave."""

    page = "modalities.md#off-axis-hologram"

    title = "Off-axis hologram"
    wave = "scalar"
    backdrop = "bright"
    condenser = False
    vectorial = False
    weak_object = False
    light = "axial"

    kind: Literal["off_axis_hologram"] = "off_axis_hologram"
    carrier_per_um: Number = parameter(
        3.0,
        title="Carrier",
        help="Fringes per µm in the object; above 3 NA/λ the orders separate.",
        unit="1/µm",
        limits=(0.0, 50.0),
        slider=(0.5, 8.0),
        step=0.05,
    )
    carrier_azimuth_deg: Number = parameter(
        45.0,
        title="Carrier azimuth",
        help="Direction across the fringes, from +x towards +y.",
        unit="°",
        limits=TURN,
        slider=HALF_TURN,
        step=1.0,
    )
    reference_amplitude: Number = parameter(
        1.0,
        title="Reference",
        help="Amplitude of the reference wave relative to the undisturbed object wave.",
        limits=(0.01, 100.0),
        slider=(0.1, 3.0),
        step=0.05,
    )

    @property
    def fringes_per_um(self: "OffAxisHologram") -> float | None:
        """Frequency of the carrier."""
        return self.carrier_per_um


class QuantitativePhase(ModalityModel[Number]):
    """Phase of the coherent image in radians, unwrapped; the camera does not act on it."""

    page = "modalities.md#quantitative-phase"

    title = "Quantitative phase"
    wave = "scalar"
    backdrop = "phase"
    condenser = False
    vectorial = False
    weak_object = False
    light = "axial"

    kind: Literal["phase"] = "phase"
