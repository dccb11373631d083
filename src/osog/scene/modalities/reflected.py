"""Modalities of light that the particles send back."""

from typing import Literal

from osog.scene.modalities.base import ModalityModel
from osog.scene.model import Number, parameter


class Reflection(ModalityModel[Number]):
    """Reflected light: interference of light from the particles' facets with the coverslip's."""

    page = "modalities.md#reflection-interference"

    title = "Reflection interference"
    wave = "reflected"
    backdrop = "bright"
    condenser = False
    vectorial = False
    weak_object = False
    light = "objective"

    kind: Literal["reflection"] = "reflection"
    field: Literal["bright", "dark"] = parameter(
        "bright",
        title="Field",
        help="Bright interferes with the reflection of the coverslip; dark blocks that reflection.",
    )
    interface_um: Number = parameter(
        3.0,
        title="Coverslip height",
        help="Height of the coverslip's surface, on the side of the objective, above z = 0.",
        unit="µm",
        limits=(-1000.0, 1000.0),
        slider=(-10.0, 10.0),
        step=0.01,
    )
    glass_index: Number = parameter(
        1.518,
        title="Coverslip index",
        help="Refractive index of the coverslip.",
        limits=(1.0, 2.5),
        slider=(1.45, 1.8),
        step=0.001,
    )
    illumination_numerical_aperture: Number = parameter(
        0.0,
        title="Illumination NA",
        help="Opening of the incident light; more shortens the depth over which fringes show.",
        limits=(0.0, 1.4),
        slider=(0.0, 1.2),
        step=0.01,
    )

    @property
    def mirror_um(self: "Reflection") -> float | None:
        """Height of the coverslip's surface."""
        return self.interface_um


class InterferometricScattering(ModalityModel[Number]):
    """iSCAT: light scattered back by small particles interferes with the coverslip's reflection."""

    page = "modalities.md#iscat"

    title = "iSCAT"
    wave = "reflected"
    backdrop = "bright"
    condenser = False
    vectorial = False
    weak_object = False
    light = "axial"

    kind: Literal["iscat"] = "iscat"
    interface_um: Number = parameter(
        1.0,
        title="Coverslip height",
        help="Height of the coverslip's surface, on the side of the objective, above z = 0.",
        unit="µm",
        limits=(-1000.0, 1000.0),
        slider=(-5.0, 5.0),
        step=0.005,
    )
    glass_index: Number = parameter(
        1.518,
        title="Coverslip index",
        help="Refractive index of the coverslip.",
        limits=(1.0, 2.5),
        slider=(1.45, 1.8),
        step=0.001,
    )
    reference_transmission: Number = parameter(
        1.0,
        title="Reference transmission",
        help="Share of the reflected light that a pupil mask passes; less gives more contrast.",
        limits=(1e-4, 1.0),
        slider=(0.01, 1.0),
        step=0.01,
    )

    @property
    def mirror_um(self: "InterferometricScattering") -> float | None:
        """Height of the coverslip's surface."""
        return self.interface_um
