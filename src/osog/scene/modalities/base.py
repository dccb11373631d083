"""What every modality states about itself, beside its numbers."""

from math import inf
from typing import ClassVar, Generic, Literal

from osog.scene.model import Number, SceneModel

TURN = (-360.0, 360.0)
"""Limits of an angle in degrees."""
HALF_TURN = (-180.0, 180.0)
"""Range of its slider."""


class ModalityModel(SceneModel, Generic[Number]):
    """Base of all modalities: their traits, which the rest of the program asks for.

    A modality states every trait itself, so that its class shows at one glance what it is. No
    other place asks for its name.

    Attributes
    ----------
    kind : str
        Name in the scene file.
    title : str
        Name that a user reads.
    wave : {"scalar", "jones", "emission", "reflected"}
        What it needs from the sample: a scalar transmitted wave, one with polarisation, the light
        that the particles emit, or the light that they send back.
    backdrop : {"bright", "dark", "phase"}
        What the picture shows where nothing is: light that is the unit of irradiance; no light, so
        that brightness is no absolute contrast; or a phase of 0, in radians. In the last case no
        light is measured, and neither camera nor background act.
    condenser : bool
        Whether the condenser of the microscope acts: its aperture, stop and sideways shift.
    vectorial : bool
        Whether a vectorial pupil can follow its polarisation.
    weak_object : bool
        Whether its contrast is of first order in the object, so that the weak-object preview
        exists.
    light : {"axial", "condenser", "ring", "annulus", "backlight", "objective"}
        What lights the sample: one plane wave along the axis, the microscope's condenser, the
        image of a phase ring, an annulus outside the aperture, a backlight of small divergence, or
        the objective itself.
    steepest : str
        The number that decides how steeply its light falls in, to be named in an error.
    path_differences : tuple of str
        Its numbers that are path differences stated as angles at the microscope's wavelength.
    above_focus : tuple of str
        Its heights that are counted from the plane in focus.
    contrast_by_defocus : bool
        Whether transparent particles show by their defocus only: they vanish in focus, and a
        denser one above focus looks like a lighter one below it.
    directional : bool
        Whether its contrast has a direction of its own, which hides that of long particles.
    lens_tolerance : bool
        Whether a fit lets NA, astigmatism and spherical aberration vary within their tolerance.
    divided : bool
        Whether its pictures usually come divided by their background.
    """

    title: ClassVar[str]
    wave: ClassVar[Literal["scalar", "jones", "emission", "reflected"]]
    backdrop: ClassVar[Literal["bright", "dark", "phase"]]
    condenser: ClassVar[bool]
    vectorial: ClassVar[bool]
    weak_object: ClassVar[bool]
    light: ClassVar[Literal["axial", "condenser", "ring", "annulus", "backlight", "objective"]]
    steepest: ClassVar[str] = "condenser_numerical_aperture"
    path_differences: ClassVar[tuple[str, ...]] = ()
    above_focus: ClassVar[tuple[str, ...]] = ()
    contrast_by_defocus: ClassVar[bool] = False
    directional: ClassVar[bool] = False
    lens_tolerance: ClassVar[bool] = False
    divided: ClassVar[bool] = False

    kind: str

    @property
    def emits(self) -> bool:
        """Whether the particles emit the light."""
        return self.wave == "emission"

    @property
    def epi(self) -> bool:
        """Whether it sees light that the particles send back."""
        return self.wave == "reflected"

    @property
    def measures_phase(self) -> bool:
        """Whether the picture is a phase in radians, on which no camera acts."""
        return self.backdrop == "phase"

    def steepest_numerical_aperture(self: "ModalityModel", objective: float) -> float:
        """NA up to which its own light reaches the sample; 0 for one axial plane wave.

        Parameters
        ----------
        objective : float
            NA of the objective.
        """
        return 0.0

    # --- what it asks of the grids: see `osog.exit_wave.sampling` -----------------------------

    @property
    def fringes_per_um(self: "ModalityModel") -> float | None:
        """Frequency of straight fringes across the picture; None where it has none."""
        return None

    @property
    def mirror_um(self: "ModalityModel") -> float | None:
        """Height of a surface that sends light back beside the sample's; None without one."""
        return None

    @property
    def sheet_um(self: "ModalityModel") -> float | None:
        """Half thickness of the layer that is excited; None where all of the sample is."""
        return None

    @property
    def compensation_um(self: "ModalityModel") -> float:
        """Path difference that a plate adds to that of the sample."""
        return 0.0

    @property
    def dark_aperture(self: "ModalityModel") -> float | None:
        """Outer NA of light that shows by its scatter alone; None where direct light shows."""
        return None

    def resolving_wavelength_um(self: "ModalityModel", emitted_um: float) -> float:
        """Wavelength of a widefield microscope that resolves as much.

        Parameters
        ----------
        emitted_um : float
            Wavelength of the light that is imaged.
        """
        return emitted_um

    def halo_um(self: "ModalityModel", wavelength_um: float, aperture: float) -> float:
        """How far halos reach around a body; 0 without them.

        Parameters
        ----------
        wavelength_um, aperture : float
            Of the light that is imaged, and NA of the objective.
        """
        return 0.0

    def section_um(self: "ModalityModel", spot_um: float) -> float:
        """Depth that the detector sees; infinite where it sees all of the sample.

        Parameters
        ----------
        spot_um : float
            Depth of the spot.
        """
        return inf


def check_traits(model: type[ModalityModel]) -> None:
    """Refuse a class that leaves out what the rest of the program asks for.

    Raises
    ------
    ValueError
        Names what is missing.
    """
    missing = [trait for trait in ModalityModel.__class_vars__ if not hasattr(model, trait)]
    if missing:
        raise ValueError(f"{model.__name__} must state {', '.join(sorted(missing))}.")
