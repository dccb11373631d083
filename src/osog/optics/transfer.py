"""Numbers for a plot of the pupil, and of how contrast depends on the spatial frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog.optics.contrast import TransferCurve, aperture_of, behind
from osog.optics.imaging import IMAGINGS
from osog.sample import Values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from osog.scene import Scene


@dataclass(frozen=True)
class PupilMap:
    """The pupil as the back focal plane shows it.

    Attributes
    ----------
    sine : ndarray (N,)
        λ f along x and y: sine of the angle times the index, in units of NA.
    pupil : complex ndarray (N, N)
        Amplitude and phase, rows along y: obstruction, apodisation, aberrations, cover glass, and
        the plate of phase contrast. 0 where no light passes.
    source : tuple of float, or None
        Inner and outer NA of the light and its shift (x, y); None where the particles emit. A
        plane wave has the outer NA 0.
    """

    sine: NDArray[np.float64]
    pupil: NDArray[np.complex128]
    source: tuple[float, float, float, float] | None


def pupil_map(scene: Scene, size: int = 96) -> PupilMap:
    """Return the pupil of a scene, and the light that enters it.

    Parameters
    ----------
    scene : Scene
        A stack is shown for its first plane.
    size : int
        Samples along an edge.
    """
    values = _first_plane(scene)
    wavelength = values.microscope.wavelength_um
    aperture = None if scene.microscope.emits else aperture_of(values)
    reach = scene.microscope.numerical_aperture
    if aperture is not None:
        reach = max(reach, aperture[1] + math.hypot(aperture[2], aperture[3]))
    sine = torch.linspace(-1.05 * reach, 1.05 * reach, size, dtype=torch.float64)
    step = float(sine[1] - sine[0]) / float(wavelength) / 2
    fx, fy = (sine / wavelength)[None, :], (sine / wavelength)[:, None]
    plate = IMAGINGS[scene.microscope.modality.kind].plate
    passed = behind(values, step, plate)(fx, fy)
    return PupilMap(sine.numpy(), passed.numpy(), aperture)


def transfer_curve(scene: Scene, points: int = 96) -> TransferCurve:
    """Return how contrast depends on the spatial frequency in the modality of a scene.

    Parameters
    ----------
    scene : Scene
        A stack is shown for its first plane.
    points : int
        Frequencies from 0 to the cut-off.
    """
    return IMAGINGS[scene.microscope.modality.kind].transfer(_first_plane(scene), points)


def _first_plane(scene: Scene) -> Values:
    """Numbers of a scene in the first plane of its stack."""
    values = Values(scene, dtype=torch.float64)
    first = values.constant(scene.microscope.focus_planes_um[0])
    return values.replaced({"microscope": {"focus_um": first}})


__all__ = ["PupilMap", "TransferCurve", "pupil_map", "transfer_curve"]
