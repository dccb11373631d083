"""The colour of the light."""

from typing import Annotated, Literal

from pydantic import Field

from osog.scene.description import Description, row


class Monochromatic(Description):
    """One wavelength: the microscope's."""

    kind: Literal["monochromatic"] = "monochromatic"


class Led(Description):
    """A line of Gaussian profile around the microscope's wavelength: an LED or a filter."""

    kind: Literal["led"] = "led"
    bandwidth_nm: float = row(
        30.0,
        title="Bandwidth",
        help="Full width of the line at half of its maximum.",
        unit="nm",
        limits=(0.1, 300.0),
        slider=(1.0, 100.0),
        step=1.0,
    )


class WhiteLed(Description):
    """A white LED: a blue line and the broad glow of a yellow phosphor."""

    kind: Literal["white_led"] = "white_led"
    blue_share: float = row(
        0.3,
        title="Blue share",
        help="Share of the power in the blue line; more looks colder.",
        limits=(0.0, 1.0),
        slider=(0.0, 1.0),
        step=0.01,
    )


class Halogen(Description):
    """A halogen lamp: a black body behind an infrared filter."""

    kind: Literal["halogen"] = "halogen"
    temperature_k: float = row(
        3200.0,
        title="Temperature",
        help="Colour temperature of the filament.",
        unit="K",
        limits=(1500.0, 10000.0),
        slider=(2500.0, 6500.0),
        step=50.0,
    )


Spectrum = Annotated[
    Monochromatic | Led | WhiteLed | Halogen,
    Field(discriminator="kind"),
]
SPECTRUM_TITLES: dict[str, str] = {
    "monochromatic": "One wavelength",
    "led": "LED or filter",
    "white_led": "White LED",
    "halogen": "Halogen",
}
