"""The numbers of a scene that a calibration varies, and their ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting import FitError
from osog.scene import SceneError
from osog.scene.paths import get

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from osog.scene import Scene

    Array = NDArray[np.float64]

_DECADES = 4.0
"""Ratio of a range's ends from which on its number moves on a logarithmic scale."""


@dataclass(frozen=True)
class Unknowns:
    """Free numbers, each on a scale from 0 to 1.

    Attributes
    ----------
    names : tuple of str
        Dotted names, P of them.
    low, high : ndarray, shape (P,)
    whole : ndarray of bool, shape (P,)
        Which are whole numbers, such as counts.
    """

    names: tuple[str, ...]
    low: Array
    high: Array
    whole: NDArray[np.bool_]

    def __len__(self) -> int:
        """Count them."""
        return len(self.names)

    @classmethod
    def of(cls, scene: Scene, free: Mapping[str, tuple[float, float]]) -> Unknowns:
        """Check names and ranges.

        Parameters
        ----------
        scene : Scene
        free : mapping of dotted name to (low, high)

        Raises
        ------
        FitError
            For no names, a name that is no number of the scene, or a range that is empty or that
            the scene does not allow.
        """
        if not free:
            raise FitError("free names no number; give at least one, with its range.")
        whole = []
        for name, bounds in free.items():
            try:
                low, high = (float(b) for b in bounds)
            except (TypeError, ValueError):
                raise FitError(f"free: the range of {name} must be two numbers.") from None
            if not (np.isfinite([low, high]).all() and low < high):
                raise FitError(f"free: the range of {name}, {low:g} … {high:g}, is empty.")
            try:
                value = get(scene, name)
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise FitError(
                        f"free: {name} is not one number; of a law name a parameter, such as "
                        f"{name}.median."
                    )
                for end in (low, high):
                    scene.updated({name: round(end) if isinstance(value, int) else end})
            except SceneError as error:
                raise FitError(f"free: {error}") from None
            whole.append(isinstance(value, int))
        ends = np.array([[float(a), float(b)] for a, b in free.values()])
        return cls(tuple(free), ends[:, 0], ends[:, 1], np.array(whole))

    @property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Which move on a logarithmic scale, shape (P,)."""
        return (self.low > 0) & (self.high >= _DECADES * np.where(self.low > 0, self.low, 1.0))

    def values(self, u: Array) -> dict[str, float | int]:
        """Numbers by name at a place (P,) of the unit cube."""
        u = np.clip(u, 0.0, 1.0)
        safe = np.where(self.logarithmic, self.low, 1.0)
        ratio = np.where(self.logarithmic, self.high / safe, 1.0)
        numbers = np.where(self.logarithmic, safe * ratio**u, self.low + u * (self.high - self.low))
        return {
            name: round(float(v)) if whole else float(v)
            for name, v, whole in zip(self.names, numbers, self.whole, strict=True)
        }

    def place(self, values: Mapping[str, float]) -> Array:
        """Place (P,) in the unit cube of numbers by name, held to it."""
        v = np.clip([float(values[name]) for name in self.names], self.low, self.high)
        safe = np.where(self.logarithmic, self.low, 1.0)
        rise = np.log(np.where(self.logarithmic, v / safe, 1.0))
        span = np.log(np.where(self.logarithmic, self.high / safe, np.e))
        linear = (v - self.low) / (self.high - self.low)
        found: Array = np.where(self.logarithmic, rise / span, linear)
        return found

    def stepped(self, u: Array, i: int, step: float) -> tuple[Array, float]:
        """Change one number by a step, or by a whole one where the step is less.

        Parameters
        ----------
        u : ndarray, shape (P,)
            Place in the unit cube.
        i : int
        step : float
            In the unit cube, whose other end lies on the side of the step.

        Returns
        -------
        ndarray, shape (P,)
            The place there.
        float
            How far the number itself has moved in the unit cube, which rounding changes.
        """
        there = u.copy()
        there[i] += step
        if not self.whole[i]:
            return there, step
        name, here = self.names[i], self.values(u)
        wanted = self.values(there)[name]
        if wanted == here[name]:
            onward = 1 if step > 0 else -1
            inside = self.low[i] <= here[name] + onward <= self.high[i]
            wanted = here[name] + (onward if inside else -onward)
        there[i] = self.place({**here, name: wanted})[i]
        return there, float(there[i] - self.place(here)[i])

    def deviations(self, u: Array, sigma: Array) -> dict[str, float]:
        """Standard deviations by name of places with standard deviations ``sigma`` (P,)."""
        span = self.high - self.low
        here = np.array(list(self.values(u).values()), dtype=np.float64)
        safe = np.where(self.logarithmic, self.low, 1.0)
        slope = np.where(
            self.logarithmic,
            here * np.log(np.where(self.logarithmic, self.high / safe, np.e)),
            span,
        )
        return dict(zip(self.names, (float(s) for s in sigma * slope), strict=True))
