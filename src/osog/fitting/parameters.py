"""Free parameters: dotted names, their bounds and the scale on which they are varied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.errors import FitError
from osog.scene import SceneError
from osog.scene.parameters import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from osog.scene import Scene

    Array = NDArray[np.float64]

_NO_BOUND = 1e11
# Typical widths, by the last word of a name. They set the step of the differences (a millionth of
# them) and what counts as "not determined" (a twentieth), never the result.
_SCALES: dict[str, float] = {
    "focus_um": 6.0,
    "z_um": 6.0,
    "x_um": 2.0,
    "y_um": 2.0,
    "index": 0.15,
    "numerical_aperture": 0.2,
    "condenser_numerical_aperture": 0.2,
    "wavelength_um": 0.1,
    "shear_um": 0.3,
    "azimuth_deg": 45.0,
    "bias_retardance_deg": 45.0,
    "extinction": 0.05,
    "orientation_deg": 45.0,
    "spherical": 0.2,
    "astigmatism_0": 0.2,
    "astigmatism_45": 0.2,
    "coma_x": 0.2,
    "coma_y": 0.2,
    "zernike": 0.2,
    "background": 1.0,
}


@dataclass(frozen=True)
class FreeParameters:
    """Names that a fit varies, with bounds.

    Attributes
    ----------
    names : tuple of str
        Dotted names, P of them.
    units : tuple of str
        Unit of each, for people.
    start, low, high, scale : ndarray, shape (P,)
        In the units of the names; u = (value − start) / scale.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    start: Array
    low: Array
    high: Array
    scale: Array

    def __len__(self) -> int:
        """Count the free parameters."""
        return len(self.names)

    @property
    def unit_low(self) -> Array:
        """Lower bounds on the scale of the solver, shape (P,)."""
        return (self.low - self.start) / self.scale

    @property
    def unit_high(self) -> Array:
        """Upper bounds on the scale of the solver, shape (P,)."""
        return (self.high - self.start) / self.scale

    def scaled(self, values: Mapping[str, float]) -> Array:
        """Scale values by name, clipped into the bounds; names left out stay at the start."""
        given = np.array([values.get(n, s) for n, s in zip(self.names, self.start, strict=True)])
        out: Array = (np.clip(given, self.low, self.high) - self.start) / self.scale
        return out

    def values(self, u: Array) -> dict[str, float]:
        """Values by name of a scaled vector, shape (P,)."""
        numbers = np.clip(self.start + u * self.scale, self.low, self.high)
        return dict(zip(self.names, (float(v) for v in numbers), strict=True))

    def without(self, names: Sequence[str]) -> FreeParameters:
        """Return the rest of the parameters, these names left out."""
        keep = np.array([n not in names for n in self.names])
        return FreeParameters(
            tuple(n for n in self.names if n not in names),
            tuple(u for n, u in zip(self.names, self.units, strict=True) if n not in names),
            *(column[keep] for column in (self.start, self.low, self.high, self.scale)),
        )


def last_word(name: str) -> str:
    """Field that a dotted name ends in: ``particles[0].orientation_deg[1]`` → orientation_deg."""
    return re.sub(r"\[\d+\]", "", name).rsplit(".", 1)[-1]


def free_parameters(
    scene: Scene,
    names: Sequence[str],
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> FreeParameters:
    """Check the free names and find their bounds and scales.

    Without bounds of its own a parameter may take the values that the scene allows, within what a
    start can be off: positions stay in the frame (and 10 % around it), depths within 10 µm, ten
    depths of field or 1.5 times the distance from focus, sizes within a factor of 8, aberrations
    within one wave. An index stays on its side of the medium (the sign of the index difference
    cannot be told from focus, so it is the scene's to give) and keeps an eighth of its
    difference; the NA stays below the immersion index.

    Parameters
    ----------
    scene : Scene
        With explicit particles; it gives the start.
    names : sequence of str
        Dotted names.
    bounds : mapping of names to (low, high), optional

    Raises
    ------
    FitError
        If nothing is free, a name is unknown or given twice, bounds are out of order, exceed what
        the scene allows, or exclude the start.
    """
    bounds = dict(bounds or {})
    if isinstance(names, str):
        names = (names,)
    if not names:
        raise FitError("free = () leaves nothing to fit; name at least one parameter.")
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    if doubled:
        raise FitError(f"free names '{doubled[0]}' twice; name every parameter once.")
    strange = sorted(set(bounds) - set(names))
    if strange:
        raise FitError(f"bounds['{strange[0]}']: '{strange[0]}' is not free; free names are "
                       f"{', '.join(names)}.")  # fmt: skip
    rows = []
    for name in names:
        try:
            parameter = describe(scene, name)
        except SceneError as error:
            raise FitError(f"free: {error}") from None
        low, high = _default_range(scene, name, parameter.limits, parameter.value)
        scale = _scale(name, parameter.value)
        if name in bounds:
            low, high = _checked(name, bounds[name], parameter.limits)
            scale = high - low
            if not low <= parameter.value <= high:
                raise FitError(
                    f"bounds['{name}'] = ({low:g}, {high:g}) exclude the start "
                    f"{parameter.value:g} that the scene gives."
                )
        rows.append((parameter.unit, parameter.value, low, high, scale))
    units, start, lows, highs, scales = zip(*rows, strict=True)
    return FreeParameters(
        tuple(names),
        tuple(units),
        *(np.array(column, float) for column in (start, lows, highs, scales)),
    )


def _checked(
    name: str, bounds: tuple[float, float], limits: tuple[float, float]
) -> tuple[float, float]:
    try:
        low, high = (float(bound) for bound in bounds)
    except (TypeError, ValueError):
        raise FitError(f"bounds['{name}'] = {bounds!r} must be two numbers (low, high).") from None
    if not low < high:
        raise FitError(f"bounds['{name}'] = ({low:g}, {high:g}): low must be below high.")
    if low < limits[0] or high > limits[1]:
        raise FitError(
            f"bounds['{name}'] = ({low:g}, {high:g}) must lie within {limits[0]:g} … {limits[1]:g}."
        )
    return low, high


def _default_range(
    scene: Scene, name: str, limits: tuple[float, float], value: float
) -> tuple[float, float]:
    low, high = limits
    word = last_word(name)
    if word in ("x_um", "y_um"):
        extent = scene.grid.extent_um[1 if word == "x_um" else 0]
        low, high = min(-0.1 * extent, value), max(1.1 * extent, value)
    elif word in ("focus_um", "z_um"):
        width = _depth_width(scene)
        low, high = max(low, value - width), min(high, value + width)
    elif word in ("radius_um", "length_um", "size_um", "semi_axes_um", "shear_um"):
        low, high = max(low, value / 8), min(high, 8 * value) if value > 0 else high
    elif word == "index" and not name.startswith("medium"):
        medium = scene.medium.index
        width = max(0.5, 3 * abs(value - medium))
        high, low = min(high, medium + width), max(low, medium - width)
        # At the medium's own index nothing has an effect, and no search comes back from there.
        nearest = medium + 0.125 * (value - medium)
        low, high = (nearest, high) if value >= medium else (low, nearest)
    elif name.startswith("microscope.aberrations."):
        low, high = max(low, value - 1.0), min(high, value + 1.0)
    elif word == "numerical_aperture":
        high = min(high, scene.microscope.immersion_index - 1e-3)
    elif word == "condenser_numerical_aperture":
        high = min(high, scene.medium.index - 1e-3)
    return min(low, value), max(high, value)


def _depth_width(scene: Scene) -> float:
    """How far a depth may move: beyond it the padding of the engine would only cost time."""
    microscope = scene.microscope
    field = microscope.wavelength_um * scene.medium.index / microscope.numerical_aperture**2
    depths = [p.z_um for pop in scene.populations for p in pop.particles or ()]
    farthest = max((abs(microscope.focus_planes_um[0] - z) for z in depths), default=0.0)
    return max(10.0, 10 * field, 1.5 * farthest)


def _scale(name: str, value: float) -> float:
    word = last_word(name)
    if word in _SCALES:
        return _SCALES[word]
    return abs(value) if abs(value) > 1e-6 and abs(value) < _NO_BOUND else 1.0
