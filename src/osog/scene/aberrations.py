"""Wavefront errors and the shape of the objective's pupil."""

from typing import Any, Generic, Literal

from pydantic import field_validator

from osog.scene import materials
from osog.scene.model import FitRole, FitTraits, Number, SceneModel, parameter

_WAVES = (-5.0, 5.0)


def _in_fits(role: FitRole | None = None) -> FitTraits:
    return FitTraits(role=role, scale=0.2, reach=1.0, tolerance=0.02)


def _waves(title: str, help: str, role: FitRole | None = None) -> Any:
    return parameter(
        0.0,
        title=title,
        help=help,
        unit="waves rms",
        limits=_WAVES,
        slider=(-0.5, 0.5),
        step=0.005,
        fit=_in_fits(role),
    )


class Aberrations(SceneModel, Generic[Number]):
    """Wavefront errors of the objective: Noll-normalised Zernike terms in waves rms.

    The named terms are Noll 4 (defocus), 6 (astigmatism_0), 5 (astigmatism_45), 8 (coma_x),
    7 (coma_y), 10 (trefoil_x), 9 (trefoil_y) and 11 (spherical). ``zernike`` adds any further
    Noll index and ``osa`` any OSA/ANSI index; the same term given twice adds up.
    """

    page = "physics.md#pupil-and-aberrations"

    spherical: Number = _waves(
        "Spherical", "Rings of unequal sharpness above and below focus.", "spherical"
    )
    astigmatism_0: Number = _waves("Astigmatism 0°", "Focus differs between x and y.")
    astigmatism_45: Number = _waves("Astigmatism 45°", "Focus differs between the two diagonals.")
    coma_x: Number = _waves("Coma x", "Comet tails along x.")
    coma_y: Number = _waves("Coma y", "Comet tails along y.")
    trefoil_x: Number = _waves("Trefoil x", "Three-pointed stars, as mounting stress makes them.")
    trefoil_y: Number = _waves("Trefoil y", "Three-pointed stars turned by 30°.")
    defocus: Number = _waves("Defocus term", "Parabolic wavefront error, beside the focus itself.")
    zernike: dict[int, Number] = parameter(
        {},
        title="Zernike terms",
        help="Noll index → waves rms.",
        unit="waves rms",
        panel=False,
        fit=_in_fits(),
    )
    osa: dict[int, Number] = parameter(
        {},
        title="Zernike terms (OSA)",
        help="OSA/ANSI index → waves rms.",
        unit="waves rms",
        panel=False,
        fit=_in_fits(),
    )

    @field_validator("zernike")
    @classmethod
    def _known_noll_terms(cls, value: dict[int, float]) -> dict[int, float]:
        return _known("zernike", value, 2, 120, "Noll")

    @field_validator("osa")
    @classmethod
    def _known_osa_terms(cls, value: dict[int, float]) -> dict[int, float]:
        return _known("osa", value, 1, 119, "OSA")


def _known(
    field: str, value: dict[int, float], first: int, last: int, order: str
) -> dict[int, float]:
    for index, waves in value.items():
        if not first <= index <= last:
            raise ValueError(
                f"{field} index {index} must lie between {first} and {last} ({order})."
            )
        if not _WAVES[0] <= waves <= _WAVES[1]:
            raise ValueError(f"{field}[{index}] = {waves:g} must lie between -5 and 5 waves.")
    return value


class FieldAberrations(SceneModel, Generic[Number]):
    """What changes from the centre of the frame to its corners.

    Every number holds at the corner of the frame and grows from 0 at its centre: tilt, coma and
    lateral colour with the distance, field curvature and astigmatism with its square.
    """

    page = "scene.md#lens-cover-glass-and-field"

    curvature_um: Number = parameter(
        0.0,
        title="Field curvature",
        help="Height by which the plane in focus rises at the corner of the frame.",
        unit="µm",
        limits=(-100.0, 100.0),
        slider=(-10.0, 10.0),
        step=0.05,
    )
    coma: Number = parameter(
        0.0,
        title="Coma at the corner",
        help="Comet tails that point away from the centre of the frame.",
        unit="waves rms",
        limits=_WAVES,
        slider=(-0.5, 0.5),
        step=0.005,
    )
    astigmatism: Number = parameter(
        0.0,
        title="Astigmatism at the corner",
        help="Radial and tangential detail focus at different heights.",
        unit="waves rms",
        limits=_WAVES,
        slider=(-0.5, 0.5),
        step=0.005,
    )
    distortion_percent: Number = parameter(
        0.0,
        title="Distortion",
        help="Shift of the image at the corner as a share of its distance; above 0 is pincushion.",
        unit="%",
        limits=(-10.0, 10.0),
        slider=(-5.0, 5.0),
        step=0.05,
    )
    vignetting: Number = parameter(
        0.0,
        title="Pupil vignetting",
        help="Shift of a stop across the pupil at the corner, as a share of the pupil's radius.",
        limits=(0.0, 1.5),
        slider=(0.0, 1.0),
        step=0.01,
    )


class Chromatic(SceneModel, Generic[Number]):
    """Chromatic aberration: how focus and magnification change with the wavelength.

    Both act relative to the microscope's wavelength and show only with a source of some bandwidth.
    """

    page = "physics.md#colour-of-the-light"

    axial_um_per_100nm: Number = parameter(
        0.0,
        title="Axial colour",
        help="Rise of the plane in focus per 100 nm of longer wavelength.",
        unit="µm",
        limits=(-50.0, 50.0),
        slider=(-2.0, 2.0),
        step=0.01,
    )
    lateral_percent_per_100nm: Number = parameter(
        0.0,
        title="Lateral colour",
        help="Growth of the magnification per 100 nm of longer wavelength.",
        unit="%",
        limits=(-5.0, 5.0),
        slider=(-0.5, 0.5),
        step=0.005,
    )


class CoverGlass(SceneModel, Generic[Number]):
    """Media between the sample and the objective that it was not corrected for.

    The objective is corrected for its immersion (``microscope.immersion_index``) and a glass of the
    design thickness; the medium of the sample, below the glass, and a wrong thickness aberrate.
    """

    page = "scene.md#lens-cover-glass-and-field"

    depth_um: Number = parameter(
        10.0,
        title="Depth of z = 0",
        help="Distance of the plane z = 0 from the cover glass, in the medium of the sample.",
        unit="µm",
        limits=(0.0, 5000.0),
        slider=(0.0, 200.0),
        step=0.5,
    )
    thickness_um: Number = parameter(
        170.0,
        title="Cover glass",
        help="Thickness of the cover glass.",
        unit="µm",
        limits=(0.0, 5000.0),
        slider=(0.0, 400.0),
        step=1.0,
    )
    design_thickness_um: Number = parameter(
        170.0,
        title="Designed for",
        help="Cover-glass thickness that the objective is corrected for.",
        unit="µm",
        limits=(0.0, 5000.0),
        slider=(0.0, 400.0),
        step=1.0,
    )
    index: Number = parameter(
        1.5255,
        title="Glass index",
        help="Refractive index of the cover glass.",
        limits=(1.3, 2.2),
        slider=(1.45, 1.6),
        step=0.001,
        fit=FitTraits(scale=0.15),
    )
    dispersion: str | None = parameter(
        None,
        title="Glass follows",
        help="Known material, such as cover glass, whose n(λ) the glass follows over the colours; "
        "empty: the same index for all.",
        panel=False,
    )
    focus_scale: Literal["stage", "object"] = parameter(
        "stage",
        title="Focus counts",
        help="Stage: travel of the stage below the glass, and what is sharp lies at medium index / "
        "immersion index of it. Object: the height that is sharp near the axis.",
    )

    @field_validator("dispersion")
    @classmethod
    def _known_glass(cls, name: str | None) -> str | None:
        return materials.checked(name, "dispersion")


class PupilShape(SceneModel, Generic[Number]):
    """What the objective's pupil does to the amplitude of the light."""

    page = "physics.md#pupil-and-aberrations"

    obstruction: Number = parameter(
        0.0,
        title="Central obstruction",
        help="Radius of an opaque disc in the middle of the pupil, as a share of its radius.",
        limits=(0.0, 0.95),
        slider=(0.0, 0.9),
        step=0.01,
    )
    apodisation: Literal["uniform", "aplanatic"] = parameter(
        "uniform",
        title="Apodisation",
        help="Aplanatic weights each ray by the root of its cosine, as a corrected objective does.",
    )
    vectorial: bool = parameter(
        False,
        title="Vectorial",
        help="Follow the polarisation through a lens of high NA; averaged without polars.",
    )
