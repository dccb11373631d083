"""The colour of the light."""

from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeAlias, get_args

from pydantic import Field

from osog.scene.model import Choice, Number, SceneModel, parameter

VISIBLE_UM = (0.4, 0.7)
"""What a halogen lamp sends through its ultraviolet and infrared filters."""
BLUE_LINE_UM, PHOSPHOR_UM = (0.45, 0.0085), (0.56, 0.05)
"""Centre and standard deviation of both parts of a white LED (20 and 118 nm full width).

InGaN diode with a YAG:Ce phosphor: Schubert, Light-Emitting Diodes (2006), chapter 21.
"""
TAIL = 3.0
"""Standard deviations after which a line of Gaussian profile ends."""
_FWHM_UM_PER_NM = 1e-3 / 2.3548200450309493


class SpectrumModel(SceneModel, Generic[Number]):
    """Base of all spectra: their traits.

    Attributes
    ----------
    kind : str
        Name in the scene file.
    title : str
        Name that a user reads.
    monochromatic : bool
        Whether it is one wavelength, the microscope's.
    one_line : bool
        Whether it is a single line of some width, which a few wavelengths can stand for.
    """

    page = "scene.md#light-and-colour"

    title: ClassVar[str]
    monochromatic: ClassVar[bool] = False
    one_line: ClassVar[bool] = False

    kind: str

    def range_um(self: "SpectrumModel", wavelength_um: float) -> tuple[float, float]:
        """Shortest and longest wavelength.

        Parameters
        ----------
        wavelength_um : float
            The microscope's.
        """
        raise NotImplementedError


class Monochromatic(SpectrumModel[Number]):
    """One wavelength: the microscope's."""

    title = "One wavelength"
    monochromatic = True

    kind: Literal["monochromatic"] = "monochromatic"

    def range_um(self: "Monochromatic", wavelength_um: float) -> tuple[float, float]:
        """Shortest and longest wavelength."""
        return wavelength_um, wavelength_um


class Led(SpectrumModel[Number]):
    """A line of Gaussian profile around the microscope's wavelength: an LED or a filter."""

    title = "LED or filter"
    one_line = True

    kind: Literal["led"] = "led"
    bandwidth_nm: Number = parameter(
        30.0,
        title="Bandwidth",
        help="Full width of the line at half of its maximum.",
        unit="nm",
        limits=(0.1, 300.0),
        slider=(1.0, 100.0),
        step=1.0,
    )

    def range_um(self: "Led", wavelength_um: float) -> tuple[float, float]:
        """Shortest and longest wavelength."""
        half = min(TAIL * self.bandwidth_nm * _FWHM_UM_PER_NM, wavelength_um / 2)
        return wavelength_um - half, wavelength_um + half


class WhiteLed(SpectrumModel[Number]):
    """A white LED: a blue line and the broad glow of a yellow phosphor."""

    title = "White LED"

    kind: Literal["white_led"] = "white_led"
    blue_share: Number = parameter(
        0.3,
        title="Blue share",
        help="Share of the photons in the blue line; more looks colder.",
        limits=(0.0, 1.0),
        slider=(0.0, 1.0),
        step=0.01,
    )

    def range_um(self: "WhiteLed", wavelength_um: float) -> tuple[float, float]:
        """Shortest and longest wavelength."""
        centre, sigma = PHOSPHOR_UM
        return centre - TAIL * sigma, centre + TAIL * sigma


class Halogen(SpectrumModel[Number]):
    """A halogen lamp: a black body behind an infrared filter."""

    title = "Halogen"

    kind: Literal["halogen"] = "halogen"
    temperature_k: Number = parameter(
        3200.0,
        title="Temperature",
        help="Colour temperature of the filament.",
        unit="K",
        limits=(1500.0, 10000.0),
        slider=(2500.0, 6500.0),
        step=50.0,
    )

    def range_um(self: "Halogen", wavelength_um: float) -> tuple[float, float]:
        """Shortest and longest wavelength."""
        return VISIBLE_UM


_UNION = Monochromatic | Led | WhiteLed | Halogen

if TYPE_CHECKING:
    Spectrum: TypeAlias = Monochromatic[Number] | Led[Number] | WhiteLed[Number] | Halogen[Number]
else:
    Spectrum = Choice(_UNION, Field(discriminator="kind"))

SPECTRUM_TITLES: dict[str, str] = {
    model.model_fields["kind"].default: model.title for model in get_args(_UNION)
}
