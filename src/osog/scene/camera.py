"""The camera."""

from pydantic import model_validator

from osog.scene.description import Description, row


class Camera(Description):
    """A camera from photons to counts; each pixel integrates the light that falls on it."""

    background_electrons: float = row(
        8000.0,
        title="Exposure",
        help="Mean electrons in a pixel where the irradiance is 1 (the empty background).",
        unit="e⁻",
        limits=(0.01, 1e7),
        slider=(10.0, 1e5),
        log=True,
    )
    background_photons: float | None = row(
        None,
        title="Photons",
        help="Photons per pixel where the irradiance is 1; times the QE it replaces the electrons.",
        limits=(0.01, 1e8),
        panel=False,
    )
    quantum_efficiency: float = row(
        0.7,
        title="Quantum efficiency",
        help="Electrons per photon; acts on background_photons.",
        limits=(0.001, 1.0),
        panel=False,
        shapes_image=False,
    )
    read_noise_electrons: float = row(
        2.0,
        title="Read noise",
        help="Standard deviation of the amplifier, per pixel.",
        unit="e⁻",
        limits=(0.0, 1e4),
        slider=(0.0, 50.0),
        shapes_image=False,
    )
    full_well_electrons: float = row(
        12000.0,
        title="Full well",
        help="Electrons at which a pixel saturates.",
        unit="e⁻",
        limits=(1.0, 1e8),
        slider=(1e3, 2e5),
        log=True,
        shapes_image=False,
    )
    gain_electrons_per_count: float = row(
        50.0,
        title="Gain",
        help="Electrons per grey level.",
        unit="e⁻/count",
        limits=(1e-4, 1e6),
        slider=(0.1, 500.0),
        log=True,
    )
    offset_counts: float = row(
        5.0,
        title="Offset",
        help="Grey level without light.",
        unit="counts",
        limits=(0.0, 1e5),
        slider=(0.0, 500.0),
    )
    bit_depth: int = row(
        8,
        title="Bit depth",
        help="Bits of the converter.",
        unit="bit",
        limits=(1, 16),
        step=1,
        shapes_image=False,
    )
    noise: bool = row(True, title="Noise", help="Shot and read noise, drawn from the seed.")

    @model_validator(mode="after")
    def _offset_below_white(self) -> "Camera":
        if self.offset_counts >= self.white_counts:
            raise ValueError(
                f"offset_counts = {self.offset_counts:g} must lie below the white level "
                f"{self.white_counts} of {self.bit_depth} bits."
            )
        return self

    @property
    def white_counts(self) -> int:
        """Highest grey level of the converter."""
        return int(2**self.bit_depth - 1)

    @property
    def electrons_at_one(self) -> float:
        """Mean electrons in a pixel where the irradiance is 1."""
        if self.background_photons is not None:
            return self.background_photons * self.quantum_efficiency
        return self.background_electrons
