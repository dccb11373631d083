"""The residuals of a fit, with the linear part eliminated, and their derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from osog.fitting.problem.linear import LinearPart
    from osog.fitting.problem.parameters import FreeParameters

    Array = NDArray[np.float64]
    Model = Callable[[Mapping[str, float]], Array]
    Change = Callable[[Mapping[str, float]], Mapping[str, float]]

# Of the scale of a parameter. One-sided differences of a float64 model are then right to 1e-5.
STEP = 1e-6


class Shortcuts(Protocol):
    """What the images of a point and of small steps from it have in common."""

    def reuses_wave(self, name: str, /) -> bool:
        """Whether a parameter leaves the light behind the sample; its derivative comes first."""

    def stepped(self, values: Mapping[str, float], /) -> Array:
        """Image at values a small step from those of the last image, shape (Y, X)."""

    def nudges(self, name: str, /) -> bool:
        """Whether `nudged` gives the image after a small step of a parameter."""

    def nudged(self, values: Mapping[str, float], name: str, step: float, /) -> Array:
        """Image after a small step of one parameter from values, shape (Y, X)."""


@dataclass(frozen=True)
class Point:
    """The model at one point.

    Attributes
    ----------
    u : ndarray, shape (P,)
        Scaled parameters.
    values : dict
        The same by name, in their units.
    image : ndarray, shape (Y, X)
        Simulated image before the linear part.
    coefficients : ndarray, shape (K,)
        Linear coefficients in the order of `LinearPart.names`.
    model : ndarray, shape (Y, X)
        Simulated image with the linear part, to compare with the data.
    residual : ndarray, shape (n + priors,)
        Weighted data − model of the pixels in use, then one row per prior.
    cost : float
        Sum of the squares of `residual`.
    """

    u: Array
    values: dict[str, float]
    image: Array
    coefficients: Array
    model: Array
    residual: Array
    cost: float


class ImageProblem:
    """Weighted least squares of an image in scaled parameters.

    Parameters
    ----------
    data : ndarray, shape (Y, X)
    weights : ndarray, shape (Y, X)
        1/σ; 0 where a pixel does not count.
    model : callable
        Values by name → simulated image, shape (Y, X).
    parameters : FreeParameters
    linear : LinearPart
    priors : mapping of names to (value, sd)
        Gaussian priors of some of the parameters.
    shortcuts : Shortcuts, optional
        What the model has in common between the images of a point and of small steps from it.
    """

    def __init__(
        self,
        data: Array,
        weights: Array,
        model: Model,
        parameters: FreeParameters,
        linear: LinearPart,
        priors: Mapping[str, tuple[float, float]] | None = None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.data, self.weights, self.model = data, weights, model
        self.parameters, self.linear = parameters, linear
        self.priors = dict(priors or {})
        self.used = weights > 0
        self._background = linear.background((data.shape[0], data.shape[1]))
        self._pedestal = linear.pedestal if linear.gain else 0.0
        self._shortcuts = shortcuts
        self.last_jacobian: Array | None = None

    @property
    def low(self) -> Array:
        """Lower bounds, scaled, shape (P,)."""
        return self.parameters.unit_low

    @property
    def high(self) -> Array:
        """Upper bounds, scaled, shape (P,)."""
        return self.parameters.unit_high

    @property
    def pixels(self) -> int:
        """Number of pixels in use."""
        return int(self.used.sum())

    @property
    def degrees(self) -> int:
        """Degrees of freedom: pixels minus linear and free parameters that no prior holds."""
        fitted = len(self.linear.names) + len(self.parameters) - len(self.priors)
        return max(1, self.pixels - fitted)

    def reweighted(self, factor: float) -> ImageProblem:
        """Return the same problem with every weight multiplied by a factor."""
        other = ImageProblem.__new__(ImageProblem)
        other.__dict__ = {**self.__dict__, "weights": self.weights * factor}
        if self.last_jacobian is not None:
            other.last_jacobian = other.rescaled_jacobian(self.last_jacobian, self)
        return other

    def with_model(self, model: Model, shortcuts: Shortcuts | None = None) -> ImageProblem:
        """Return the same problem with another simulator, such as one on a finer grid."""
        other = ImageProblem.__new__(ImageProblem)
        own = {"model": model, "_shortcuts": shortcuts, "last_jacobian": None}
        other.__dict__ = {**self.__dict__, **own}
        return other

    def with_parameters(
        self, parameters: FreeParameters, priors: Mapping[str, tuple[float, float]]
    ) -> ImageProblem:
        """Return the same problem with other free parameters and their priors."""
        return ImageProblem(
            self.data, self.weights, self.model, parameters, self.linear, priors, self._shortcuts
        )

    def with_held(self, held: Mapping[str, float]) -> ImageProblem:
        """Return the same problem whose images also have these values, unless they are free."""
        kept = dict(held)
        return self.with_changed(lambda values: {**kept, **values})

    def with_changed(self, change: Change) -> ImageProblem:
        """Return the same problem whose images are those of changed values.

        Parameters
        ----------
        change : callable
            Values by name → all values that the images shall have.
        """
        model, quick = self.model, self._shortcuts
        return self.with_model(
            lambda values: model(change(values)), None if quick is None else _Changed(quick, change)
        )

    def evaluate(self, u: Array) -> Point:
        """Simulate, solve the linear part and form the residuals.

        Parameters
        ----------
        u : ndarray, shape (P,)
        """
        values = self.parameters.values(u)
        image = self.model(values)
        return self._point(u, values, image)

    def again(self, point: Point) -> Point:
        """Form the point anew from its image, after the weights have changed."""
        return self._point(point.u, point.values, point.image)

    def restated(self, point: Point) -> Point:
        """Form a point of a problem with fewer parameters anew, from the image that it has."""
        u = self.parameters.scaled(point.values)
        return self._point(u, self.parameters.values(u), point.image)

    def jacobian(self, point: Point) -> Array:
        """Derivatives of the residuals with the linear part projected out (Kaufman 1975).

        Returns
        -------
        ndarray, shape (n + priors, P)
        """
        u, parameters = point.u, self.parameters
        quick, names = self._shortcuts, parameters.names
        nudged = [quick is not None and quick.nudges(name) for name in names]
        cheap = [
            near or (quick is not None and quick.reuses_wave(name))
            for near, name in zip(nudged, names, strict=True)
        ]
        columns = np.zeros((self.pixels, len(parameters)))
        w = self.weights[self.used]
        gain = point.coefficients[0] if self.linear.gain else 1.0
        # Those that leave the exit wave alone come first, while the one of the point is kept.
        order = sorted(range(len(parameters)), key=lambda k: not cheap[k])
        for k in order:
            # Step towards the wider side, so that bounds are never crossed.
            step = STEP if self.high[k] - u[k] >= u[k] - self.low[k] else -STEP
            moved = u.copy()
            moved[k] += step
            values = parameters.values(moved)
            if quick is not None and nudged[k]:
                name = names[k]
                image = quick.nudged(point.values, name, values[name] - point.values[name])
            else:
                image = self.model(values) if quick is None else quick.stepped(values)
            columns[:, k] = -gain * w * (image - point.image)[self.used] / step
        fixed = self._columns(point.image)
        if fixed.shape[1]:
            basis = _orthonormal(fixed)
            columns -= basis @ (basis.T @ columns)
        self.last_jacobian = np.concatenate([columns, self._prior_rows()])
        return self.last_jacobian

    def rescaled_jacobian(self, jacobian: Array, before: ImageProblem) -> Array:
        """Derivatives for these weights from those for weights that differ by one factor.

        Parameters
        ----------
        jacobian : ndarray, shape (n + priors, P)
        before : ImageProblem
            The problem that `jacobian` belongs to.
        """
        factor = float(self.weights.max()) / float(before.weights.max())
        out = jacobian.copy()
        out[: self.pixels] *= factor
        return out

    def column_images(self, jacobian: Array) -> Array:
        """Columns of the Jacobian as images, 0 at pixels that do not count, shape (P, Y, X)."""
        out = np.zeros((jacobian.shape[1], *self.data.shape))
        out[:, self.used] = jacobian[: self.pixels].T
        return out

    def linear_images(self, point: Point) -> Array:
        """Orthonormal basis of the weighted linear part as images, shape (K, Y, X)."""
        columns = self._columns(point.image)
        if not columns.shape[1]:
            return np.zeros((0, *self.data.shape))
        return self.column_images(_orthonormal(columns))

    def residual_image(self, point: Point) -> Array:
        """Weighted residual as an image, 0 at pixels that do not count, shape (Y, X)."""
        out = np.zeros(self.data.shape)
        out[self.used] = point.residual[: self.pixels]
        return out

    def chi2_per_pixel(self, point: Point) -> float:
        """χ² of the pixels (without priors) per degree of freedom."""
        return float(np.sum(point.residual[: self.pixels] ** 2)) / self.degrees

    def rms(self, point: Point) -> float:
        """Root mean square of data − model over the pixels in use, in grey levels."""
        return float(np.sqrt(np.mean((self.data - point.model)[self.used] ** 2)))

    def r_squared(self, point: Point) -> float:
        """1 − Σ residual² / Σ (data − mean)² over the pixels in use, unweighted."""
        data = self.data[self.used]
        rest = (self.data - point.model)[self.used]
        spread = float(np.sum((data - data.mean()) ** 2))
        return 1.0 - float(np.sum(rest**2)) / spread if spread > 0 else 0.0

    def _columns(self, image: Array) -> Array:
        w = self.weights[self.used]
        columns = [w * (image - self._pedestal)[self.used]] if self.linear.gain else []
        columns += [w * background[self.used] for background in self._background]
        return np.stack(columns, 1) if columns else np.empty((len(w), 0))

    def _point(self, u: Array, values: dict[str, float], image: Array) -> Point:
        w = self.weights[self.used]
        constant = self._pedestal if self.linear.gain else image
        target = w * (self.data - constant)[self.used]
        columns = self._columns(image)
        if columns.shape[1]:
            coefficients: Array = np.linalg.lstsq(columns, target, rcond=None)[0].astype(np.float64)
            rest = target - columns @ coefficients
        else:
            coefficients, rest = np.empty(0), target
        model = np.asarray(constant + np.zeros_like(image))
        offset = 0
        if self.linear.gain:
            model = model + coefficients[0] * (image - self._pedestal)
            offset = 1
        for c, background in zip(coefficients[offset:], self._background, strict=True):
            model = model + c * background
        prior = np.array([(values[n] - mean) / sd for n, (mean, sd) in self.priors.items()])
        residual = np.concatenate([rest, prior])
        return Point(u, values, image, coefficients, model, residual, float(residual @ residual))

    def _prior_rows(self) -> Array:
        rows = np.zeros((len(self.priors), len(self.parameters)))
        for row, (name, (_, sd)) in zip(rows, self.priors.items(), strict=True):
            k = self.parameters.names.index(name)
            row[k] = self.parameters.scale[k] / sd
        return rows


class _Changed:
    """Shortcuts of a model for values that are changed first."""

    def __init__(self, quick: Shortcuts, change: Change) -> None:
        self._quick, self._change = quick, change
        self.reuses_wave, self.nudges = quick.reuses_wave, quick.nudges

    def stepped(self, values: Mapping[str, float]) -> Array:
        return self._quick.stepped(self._change(values))

    def nudged(self, values: Mapping[str, float], name: str, step: float) -> Array:
        return self._quick.nudged(self._change(values), name, step)


def _orthonormal(columns: Array) -> Array:
    """Orthonormal basis of the columns, shape (n, K); columns that depend on others drop out."""
    lengths = np.linalg.norm(columns, axis=0)
    scaled = columns / np.where(lengths > 0, lengths, 1.0)
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    kept: Array = left[:, values > 1e-10 * max(1.0, float(values.max(initial=0.0)))]
    return kept
