"""Free parameters: dotted names, their bounds and the scale on which they are varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.errors import FitError
from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.scene import SceneError
from osog.scene.parameters import describe, get

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from osog.scene import Scene
    from osog.scene.model import FitRole
    from osog.scene.parameters import Parameter

    Array = NDArray[np.float64]

# Beyond this a value is rather a stand-in for "no limit".
_HUGE = 1e11
# How far below another number a number stays that must not reach it.
_GAP = 1e-3


@dataclass(frozen=True)
class FreeParameters:
    """Names that a fit varies, with bounds.

    Attributes
    ----------
    names : tuple of str
        Dotted names, P of them.
    units : tuple of str
        Unit of each, for people.
    roles : tuple of FitRole or None
        What each means; see `osog.scene.model.FitTraits`.
    start, low, high, scale : ndarray, shape (P,)
        In the units of the names; u = (value − start) / scale.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    roles: tuple[FitRole | None, ...]
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

    def named(self, *roles: FitRole) -> list[str]:
        """Names of the parameters that have one of these roles, in order."""
        return [name for name, role in zip(self.names, self.roles, strict=True) if role in roles]

    def without(self, names: Collection[str]) -> FreeParameters:
        """Return the rest of the parameters, these names left out."""
        keep = [k for k, name in enumerate(self.names) if name not in names]
        return FreeParameters(
            tuple(self.names[k] for k in keep),
            tuple(self.units[k] for k in keep),
            tuple(self.roles[k] for k in keep),
            *(column[keep] for column in (self.start, self.low, self.high, self.scale)),
        )

    def joined(self, other: FreeParameters) -> FreeParameters:
        """Return these parameters and then those of another set."""
        return FreeParameters(
            self.names + other.names,
            self.units + other.units,
            self.roles + other.roles,
            np.concatenate([self.start, other.start]),
            np.concatenate([self.low, other.low]),
            np.concatenate([self.high, other.high]),
            np.concatenate([self.scale, other.scale]),
        )


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
        low, high = _default_range(scene, parameter)
        scale = _scale(parameter)
        if name in bounds:
            low, high = _checked(name, bounds[name], parameter.limits)
            scale = high - low
            if not low <= parameter.value <= high:
                raise FitError(
                    f"bounds['{name}'] = ({low:g}, {high:g}) exclude the start "
                    f"{parameter.value:g} that the scene gives."
                )
        rows.append((parameter.unit, parameter.role, parameter.value, low, high, scale))
    units, roles, start, lows, highs, scales = zip(*rows, strict=True)
    return FreeParameters(
        tuple(names),
        units,
        roles,
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


def _default_range(scene: Scene, parameter: Parameter) -> tuple[float, float]:
    (low, high), value = parameter.limits, parameter.value
    role, traits = parameter.role, parameter.fit
    if role in ("x", "y"):
        extent = scene.grid.extent_um[1 if role == "x" else 0]
        low, high = min(-0.1 * extent, value), max(1.1 * extent, value)
    elif role in ("focus", "z"):
        width = _depth_width(scene)
        low, high = max(low, value - width), min(high, value + width)
    elif role == "index":
        medium = scene.medium.index
        width = max(0.5, 3 * abs(value - medium))
        high, low = min(high, medium + width), max(low, medium - width)
        # At the medium's own index nothing has an effect, and no search comes back from there.
        nearest = medium + 0.125 * (value - medium)
        low, high = (nearest, high) if value >= medium else (low, nearest)
    if traits.factor is not None:
        low = max(low, value / traits.factor)
        high = min(high, traits.factor * value) if value > 0 else high
    if traits.reach is not None:
        low, high = max(low, value - traits.reach), min(high, value + traits.reach)
    if traits.below is not None:
        high = min(high, get(scene, traits.below) - _GAP)
    return min(low, value), max(high, value)


def _depth_width(scene: Scene) -> float:
    """How far a depth may move: beyond it the padding would only cost time."""
    focus, field = scene.microscope.focus_planes_um[0], depth_of_field_um(scene)
    depths = [p.z_um for pop in scene.populations for p in pop.particles or ()]
    farthest = max((abs(focus - z) for z in depths), default=0.0)
    return max(10.0, 10 * field, 1.5 * farthest)


def _scale(parameter: Parameter) -> float:
    if parameter.fit.scale is not None:
        return parameter.fit.scale
    return abs(parameter.value) if 1e-6 < abs(parameter.value) < _HUGE else 1.0
