"""The linear part of the model: gain, offset, slopes and curvature of the background.

They enter the image linearly and are eliminated in closed form at every step (variable
projection, Golub & Pereyra 1973), so they need neither a start nor a range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.errors import FitError
from osog.fitting.problem.weights import acting_camera
from osog.scene.parameters import describe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.scene import Scene
    from osog.scene.modalities import Modality

    Array = NDArray[np.float64]

TERMS: dict[str, str] = {
    "gain": "one factor on the whole simulated image",
    "offset": "one constant added to it",
    "slopes": "two slopes of the background, along x and y",
    "quadratic": "three second-order terms of the background",
}
"""Terms that ``linear`` may join with ``+``."""


@dataclass(frozen=True)
class LinearPart:
    """Which linear terms are free.

    Attributes
    ----------
    gain : bool
        Whether a factor multiplies the simulated image above `pedestal`; else it is 1.
    offset, slopes, quadratic : bool
        Which polynomial terms of the background are free.
    pedestal : float
        Grey level without light, which the gain does not multiply.
    """

    gain: bool
    offset: bool
    slopes: bool
    quadratic: bool
    pedestal: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free coefficients in their order."""
        out = ["gain"] if self.gain else []
        out += ["offset"] if self.offset else []
        out += ["slope_x", "slope_y"] if self.slopes else []
        out += ["curve_xx", "curve_xy", "curve_yy"] if self.quadratic else []
        return tuple(out)

    @property
    def text(self) -> str:
        """The option that makes this part, such as ``gain+slopes``."""
        on = [term for term in TERMS if getattr(self, term)]
        return "+".join(on) if on else "none"

    def background(self, shape: tuple[int, int]) -> Array:
        """Fixed columns of the background.

        Parameters
        ----------
        shape : (int, int)
            Rows and columns of the image.

        Returns
        -------
        ndarray, shape (K, Y, X)
            Polynomials of coordinates that run from −1 to 1 over the image.
        """
        y = np.linspace(-1.0, 1.0, shape[0])[:, None] * np.ones(shape)
        x = np.linspace(-1.0, 1.0, shape[1])[None, :] * np.ones(shape)
        columns = [np.ones(shape)] if self.offset else []
        columns += [x, y] if self.slopes else []
        columns += [x * x, x * y, y * y] if self.quadratic else []
        return np.stack(columns) if columns else np.empty((0, *shape))


def linear_part(
    option: str,
    scene: Scene,
    image: Array,
    free: tuple[str, ...],
    *,
    grey_levels: bool = False,
) -> LinearPart:
    """Choose the linear part.

    Parameters
    ----------
    option : str
        ``auto``, ``none``, or terms of `TERMS` joined by ``+``. ``auto`` takes

        - with a camera: gain and slopes, the offset of the camera stays fixed (it trades with
          the contrast of weak objects);
        - a bright background without a camera: gain and slopes;
        - a hologram without a camera: nothing when its median lies within 0.8 … 1.25, that is
          when it is already divided by its background, else gain and slopes;
        - phase: offset and slopes, since a phase is absolute but its reference is not; with grey
          levels of unknown scale rather than radians, the gain too;
        - a dark background, as in fluorescence, darkfield and polarised light: gain and offset.
    scene : Scene
    image : ndarray
        The pixels that count, in any shape.
    free : tuple of str
        Free names; ``auto`` leaves a term out that one of them already stands for.
    grey_levels : bool
        Whether the numbers of the image are grey levels; see
        `osog.io.arrays.holds_grey_levels`.

    Raises
    ------
    FitError
        If the option is not one of these.
    """
    modality, camera = scene.microscope.modality, acting_camera(scene)
    pedestal = camera.dark_counts if camera is not None else 0.0
    if option == "auto":
        terms = set(_automatic(modality, camera is not None, image))
        if modality.measures_phase and grey_levels:
            terms.add("gain")
        terms -= {describe(scene, name).fit.linear_term or "" for name in free}
    elif option == "none":
        terms = set()
    else:
        terms = {term.strip() for term in option.split("+")}
        unknown = sorted(terms - set(TERMS))
        if unknown:
            raise FitError(
                f"linear = '{option}': '{unknown[0]}' is not one of auto, none, "
                f"{', '.join(TERMS)} (joined by +)."
            )
    return LinearPart(
        gain="gain" in terms,
        offset="offset" in terms,
        slopes="slopes" in terms,
        quadratic="quadratic" in terms,
        pedestal=pedestal,
    )


def _automatic(modality: Modality, camera: bool, image: Array) -> tuple[str, ...]:
    if modality.measures_phase:
        return ("offset", "slopes")
    if modality.backdrop == "dark":
        return ("gain", "offset")
    if modality.divided and not camera and 0.8 <= float(np.nanmedian(image)) <= 1.25:
        return ()
    return ("gain", "slopes")
