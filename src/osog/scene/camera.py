"""The camera."""

from typing import Any, Generic, Literal

from pydantic import model_validator

from osog.scene import instruments
from osog.scene.model import FitTraits, Number, SceneModel, parameter

_OF_COLOURS = ("white_balance", "colour_matrix")


class Camera(SceneModel, Generic[Number]):
    """A camera from photons to counts; each pixel integrates the light that falls on it.

    Electrons before the multiplication of an EM camera are those of ``background_electrons``,
    ``dark_electrons``, hot pixels and ``full_well_electrons``; read noise, row noise, the spread of
    the offsets and the gain refer to electrons at the amplifier, behind it.
    """

    page = "camera.md#from-photons-to-counts"

    model: str | None = parameter(
        None,
        title="Model",
        help="Name of a maker's camera; fills full well, noise, gain, offset, bits, QE, colour and "
        "an exposure to half of the full well where the scene does not state them.",
        panel=False,
        shapes_image=False,
    )
    background_electrons: Number = parameter(
        8000.0,
        title="Exposure",
        help="Mean electrons in a pixel where the irradiance is 1 (the empty background).",
        unit="e⁻",
        limits=(0.01, 1e7),
        slider=(10.0, 1e5),
        log=True,
        fit=FitTraits(linear_term="gain"),
    )
    background_photons: Number | None = parameter(
        None,
        title="Photons",
        help="Photons per pixel where the irradiance is 1; times the QE it replaces the electrons.",
        limits=(0.01, 1e8),
        panel=False,
        fit=FitTraits(linear_term="gain"),
    )
    quantum_efficiency: Number = parameter(
        0.7,
        title="Quantum efficiency",
        help="Electrons per photon; acts on background_photons.",
        limits=(0.001, 1.0),
        panel=False,
        fit=FitTraits(linear_term="gain"),
    )
    target_counts: Number | None = parameter(
        None,
        title="Target grey level",
        help="Mean grey level of each picture; the exposure is set for it, whatever haze and "
        "offset do. Empty takes the exposure as it is stated.",
        unit="counts",
        limits=(0.0, 65_535.0),
        slider=(0.0, 255.0),
        panel=False,
        fit=FitTraits(linear_term="gain"),
    )
    read_noise_electrons: Number = parameter(
        2.0,
        title="Read noise",
        help="Standard deviation of the amplifier; the median over the pixels if they differ.",
        unit="e⁻",
        limits=(0.0, 1e4),
        slider=(0.0, 50.0),
        shapes_image=False,
    )
    full_well_electrons: Number = parameter(
        12000.0,
        title="Full well",
        help="Electrons at which a pixel saturates.",
        unit="e⁻",
        limits=(1.0, 1e8),
        slider=(1e3, 2e5),
        log=True,
        shapes_image=False,
    )
    gain_electrons_per_count: Number = parameter(
        50.0,
        title="Gain",
        help="Electrons per grey level.",
        unit="e⁻/count",
        limits=(1e-4, 1e6),
        slider=(0.1, 500.0),
        log=True,
        fit=FitTraits(linear_term="gain"),
    )
    offset_counts: Number = parameter(
        5.0,
        title="Offset",
        help="Grey level without light.",
        unit="counts",
        limits=(0.0, 1e5),
        slider=(0.0, 500.0),
        fit=FitTraits(linear_term="offset"),
    )
    bit_depth: int = parameter(
        8,
        title="Bit depth",
        help="Bits of the converter.",
        unit="bit",
        limits=(1, 16),
        step=1,
        shapes_image=False,
    )
    noise: bool = parameter(True, title="Noise", help="Shot and read noise, drawn from the seed.")
    colour: Literal["monochrome", "rgb", "bayer"] = parameter(
        "monochrome",
        title="Sensor",
        help="Monochrome, three whole colour pictures, or one colour per pixel (RGGB) demosaiced.",
    )
    dark_electrons: Number = parameter(
        0.0,
        title="Dark signal",
        help="Mean electrons of thermal origin in a pixel during the exposure.",
        unit="e⁻",
        limits=(0.0, 1e6),
        slider=(0.0, 100.0),
        fit=FitTraits(linear_term="offset"),
    )
    read_noise_spread: Number = parameter(
        0.0,
        title="Read-noise spread",
        help="Spread of the read noise from pixel to pixel (log-normal sigma), as CMOS has it.",
        limits=(0.0, 2.0),
        slider=(0.0, 1.0),
        shapes_image=False,
    )
    row_noise_electrons: Number = parameter(
        0.0,
        title="Row noise",
        help="Standard deviation of the error that all pixels of one row share.",
        unit="e⁻",
        limits=(0.0, 1e4),
        slider=(0.0, 20.0),
        shapes_image=False,
    )
    em_gain: Number = parameter(
        1.0,
        title="EM gain",
        help="Mean multiplication before the amplifier; high gains double the shot noise variance.",
        limits=(1.0, 5000.0),
        slider=(1.0, 1000.0),
        log=True,
        fit=FitTraits(linear_term="gain"),
    )
    response_nonuniformity: Number = parameter(
        0.0,
        title="Pixel gain spread",
        help="Standard deviation of the pixels' sensitivity (PRNU), relative to the mean.",
        limits=(0.0, 0.5),
        slider=(0.0, 0.05),
        step=0.001,
        shapes_image=False,
    )
    dark_nonuniformity_electrons: Number = parameter(
        0.0,
        title="Pixel offset spread",
        help="Standard deviation of the pixels' dark level (DSNU).",
        unit="e⁻",
        limits=(0.0, 1e4),
        slider=(0.0, 20.0),
        shapes_image=False,
    )
    hot_pixels_per_million: Number = parameter(
        0.0,
        title="Hot pixels",
        help="Pixels per million that collect dark electrons much faster than the others.",
        limits=(0.0, 1e5),
        slider=(0.0, 1000.0),
        shapes_image=False,
    )
    hot_pixel_electrons: Number = parameter(
        1000.0,
        title="Hot-pixel signal",
        help="Mean dark electrons that a hot pixel collects beyond the others'.",
        unit="e⁻",
        limits=(0.0, 1e7),
        slider=(1.0, 1e5),
        log=True,
        panel=False,
        shapes_image=False,
    )
    pixel_seed: int = parameter(
        0,
        title="Camera number",
        help="Which camera: it keeps its uneven and hot pixels from picture to picture.",
        limits=(0, 2**31 - 1),
        panel=False,
        shapes_image=False,
    )
    motion_blur_px: Number = parameter(
        0.0,
        title="Motion blur",
        help="Path in pixels that the image moves during the exposure.",
        unit="px",
        limits=(0.0, 500.0),
        slider=(0.0, 20.0),
        step=0.1,
    )
    motion_azimuth_deg: Number = parameter(
        0.0,
        title="Motion azimuth",
        help="Direction of the motion blur from +x towards +y.",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
        step=1.0,
    )
    white_balance: tuple[Number, Number, Number] = parameter(
        (1.0, 1.0, 1.0),
        title="White balance",
        help="Gains of red, green and blue; 1, 1, 1 shows the light of the lamp as white.",
        limits=(0.05, 20.0),
        slider=(0.3, 3.0),
        step=0.01,
    )
    colour_matrix: tuple[Number, Number, Number, Number, Number, Number, Number, Number, Number] = (
        parameter(
            (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
            title="Colour matrix",
            help="Red, green and blue that come out of those that go in, row by row; rows of sum 1 "
            "keep white.",
            limits=(-10.0, 10.0),
            slider=(-1.0, 2.0),
            panel=False,
        )
    )
    gamma: Number = parameter(
        1.0,
        title="Gamma",
        help="Tone curve: grey levels rise with the light to the power of 1/gamma; 1 is linear.",
        limits=(0.2, 5.0),
        slider=(0.5, 3.0),
        step=0.05,
    )
    sharpening: Number = parameter(
        0.0,
        title="Sharpening",
        help="Strength of the unsharp mask in the camera's electronics.",
        limits=(0.0, 10.0),
        slider=(0.0, 3.0),
        step=0.05,
    )
    sharpening_radius_px: Number = parameter(
        1.0,
        title="Sharpening radius",
        help="Standard deviation of the blur that the unsharp mask subtracts.",
        unit="px",
        limits=(0.3, 20.0),
        slider=(0.5, 5.0),
    )
    jpeg_quality: int | None = parameter(
        None,
        title="JPEG quality",
        help="Quality of the JPEG that the camera stores, with half the colour detail; or none.",
        limits=(1, 100),
        shapes_image=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _by_its_model(cls, data: Any) -> Any:
        return instruments.filled({"camera": data})["camera"]

    @model_validator(mode="after")
    def _offset_below_white(self: "Camera") -> "Camera":
        if self.offset_counts >= self.white_counts:
            raise ValueError(
                f"offset_counts = {self.offset_counts:g} must lie below the white level "
                f"{self.white_counts} of {self.bit_depth} bits."
            )
        return self

    @model_validator(mode="after")
    def _target_can_be_reached(self: "Camera") -> "Camera":
        if self.target_counts is None:
            return self
        most = self.offset_counts + (
            self.em_gain * self.full_well_electrons / self.gain_electrons_per_count
        )
        most = min(most, self.white_counts)
        if not self.dark_counts < self.target_counts < most:
            raise ValueError(
                f"target_counts = {self.target_counts:g} must lie between the level without light, "
                f"{self.dark_counts:g}, and the most that the camera shows, {most:g}."
            )
        return self

    @model_validator(mode="after")
    def _colours_to_balance(self: "Camera") -> "Camera":
        neutral = {name: type(self).model_fields[name].default for name in _OF_COLOURS}
        if self.colour == "monochrome":
            for name, value in neutral.items():
                if getattr(self, name) != value:
                    raise ValueError(
                        f"{name} needs a colour camera: colour = rgb or bayer, not monochrome."
                    )
        return self

    @model_validator(mode="after")
    def _jpeg_has_eight_bits(self: "Camera") -> "Camera":
        if self.jpeg_quality is not None and self.bit_depth != 8:
            raise ValueError(
                f"jpeg_quality = {self.jpeg_quality} needs bit_depth = 8, not {self.bit_depth}: a "
                "JPEG holds 8 bits."
            )
        return self

    @property
    def white_counts(self) -> int:
        """Highest grey level of the converter."""
        return int(2**self.bit_depth - 1)

    @property
    def channels(self) -> int:
        """Number of colour channels of the picture: 1 or 3."""
        return 1 if self.colour == "monochrome" else 3

    @property
    def electrons_at_one(self: "Camera") -> float:
        """Mean electrons in a pixel where the irradiance is 1."""
        if self.background_photons is not None:
            return self.background_photons * self.quantum_efficiency
        return self.background_electrons

    @property
    def dark_counts(self: "Camera") -> float:
        """Mean grey level without light: the offset and the dark signal."""
        dark = self.em_gain * self.dark_electrons / self.gain_electrons_per_count
        return self.offset_counts + dark

    @property
    def excess_noise(self: "Camera") -> float:
        """Factor F² = 2 − 1/g by which the multiplication g raises the variance of shot noise."""
        return 2.0 - 1.0 / self.em_gain
