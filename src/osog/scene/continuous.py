"""Continuous laws: one class each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from osog.scene.exact_functions import exp, log, normal_probability, normal_quantile, power
from osog.scene.law import TAIL, TAIL_SIGMAS, Array, Distribution, Tailed

if TYPE_CHECKING:
    from typing import Self


class Bounded(Distribution):
    """A law between two bounds."""

    low: float = Field(title="From")
    high: float = Field(title="To")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low = {self.low:g} must not exceed high = {self.high:g}.")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        return self.low, self.high

    def _at(self, share: Array) -> Array:
        return np.clip(share, self.low, self.high)


class Uniform(Bounded):
    """Every value between two bounds is equally likely."""

    title = "Uniform"

    law: Literal["uniform"] = "uniform"

    @property
    def centre(self) -> float:
        """Middle of the distribution."""
        return 0.5 * (self.low + self.high)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        x = np.asarray(x, dtype=np.float64)
        if self.low == self.high:
            return (x >= self.low).astype(np.float64)
        return np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)

    def quantile(self, u: ArrayLike) -> Array:
        """Value below which a draw lies with probability `u`."""
        result: Array = self.low + (self.high - self.low) * np.asarray(u, dtype=np.float64)
        return result

    def around(self, number: float) -> Uniform:
        """Return the law with the same width around another middle."""
        half = 0.5 * (self.high - self.low)
        return self.model_copy(update={"low": number - half, "high": number + half})


class LogUniform(Bounded):
    """Every ratio is equally likely: the logarithm is uniform between two bounds above 0."""

    title = "Log-uniform"

    law: Literal["loguniform"] = "loguniform"
    low: float = Field(gt=0, title="From")

    @property
    def centre(self) -> float:
        """Geometric mean of the bounds, the median."""
        return float(np.sqrt(self.low) * np.sqrt(self.high))

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        x = np.asarray(x, dtype=np.float64)
        if self.low == self.high:
            return (x >= self.low).astype(np.float64)
        share = log(np.clip(x, self.low, self.high) / self.low) / log(self.high / self.low)
        return np.clip(share, 0.0, 1.0)

    def quantile(self, u: ArrayLike) -> Array:
        """Value below which a draw lies with probability `u`."""
        return self._at(self.low * exp(np.asarray(u) * log(self.high / self.low)))

    def around(self, number: float) -> Distribution:
        """Return the law with the same ratio of its bounds around another median."""
        return _scaled(self, number, ("low", "high"))


class PowerLaw(Bounded):
    """Density ∝ x^(−exponent) between two bounds above 0, as of fragments and aggregates."""

    title = "Power law"
    pure = ("exponent",)

    law: Literal["power"] = "power"
    low: float = Field(gt=0, title="From")
    exponent: float = Field(ge=-20, le=20, title="Exponent")

    @property
    def centre(self) -> float:
        """Median."""
        return float(self.quantile(0.5))

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        x = np.clip(np.asarray(x, dtype=np.float64), self.low, self.high)
        if self.low == self.high:
            return np.ones_like(x)
        span, k = self.high / self.low, 1 - self.exponent
        if k == 0:
            return np.clip(log(x / self.low) / log(span), 0.0, 1.0)
        return np.clip((power(x / self.low, k) - 1) / (power(span, k) - 1), 0.0, 1.0)

    def quantile(self, u: ArrayLike) -> Array:
        """Value below which a draw lies with probability `u`."""
        u = np.asarray(u, dtype=np.float64)
        span, k = self.high / self.low, 1 - self.exponent
        if k == 0 or span == 1:
            return self._at(self.low * exp(u * log(span)))
        return self._at(self.low * power(1 + u * (power(span, k) - 1), 1 / k))

    def around(self, number: float) -> Distribution:
        """Return the law with the same exponent and ratio of its bounds around another median."""
        return _scaled(self, number, ("low", "high"))


class Normal(Tailed):
    """Gaussian law, cut at four standard deviations so that sizes stay finite."""

    title = "Normal"

    law: Literal["normal"] = "normal"
    mean: float = Field(title="Mean")
    std: float = Field(ge=0, title="Sigma")

    @property
    def centre(self) -> float:
        """Middle of the distribution, within its bounds."""
        low, high = self.support
        return min(max(self.mean, low), high)

    def _whole_support(self) -> tuple[float, float]:
        return self.mean - TAIL_SIGMAS * self.std, self.mean + TAIL_SIGMAS * self.std

    def _whole_cdf(self, x: Array) -> Array:
        if self.std == 0:
            return (x >= self.mean).astype(np.float64)
        return normal_probability((x - self.mean) / self.std)

    def _whole_quantile(self, u: Array) -> Array:
        result: Array = self.mean + self.std * normal_quantile(u)
        return result

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw numbers; tails beyond four sigma are moved to four sigma."""
        if self.between is not None:
            return super().draw(rng, count)
        standard = np.clip(rng.standard_normal(count), -TAIL_SIGMAS, TAIL_SIGMAS)
        result: Array = self.mean + self.std * standard
        return result

    def around(self, number: float) -> Normal:
        """Return the law with the same width around another mean."""
        return self.model_copy(update={"mean": number})


class Lognormal(Tailed):
    """Log-normal law: ``median`` and the standard deviation ``sigma`` of the natural logarithm."""

    title = "Log-normal"
    pure = ("sigma",)

    law: Literal["lognormal"] = "lognormal"
    median: float = Field(gt=0, title="Median")
    sigma: float = Field(ge=0, le=3, title="Sigma of ln")

    @property
    def centre(self) -> float:
        """Median of the law, within its bounds."""
        low, high = self.support
        return min(max(self.median, low), high)

    def _whole_support(self) -> tuple[float, float]:
        """Four sigma either side."""
        factor = float(exp(TAIL_SIGMAS * self.sigma))
        return self.median / factor, self.median * factor

    def _whole_cdf(self, x: Array) -> Array:
        if self.sigma == 0:
            return (x >= self.median).astype(np.float64)
        return np.where(x > 0, normal_probability(log(x / self.median) / self.sigma), 0.0)

    def _whole_quantile(self, u: Array) -> Array:
        result: Array = self.median * exp(self.sigma * normal_quantile(u))
        return result

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw numbers; tails beyond four sigma are moved to four sigma."""
        if self.between is not None:
            return super().draw(rng, count)
        standard = np.clip(rng.standard_normal(count), -TAIL_SIGMAS, TAIL_SIGMAS)
        return np.clip(self.median * exp(self.sigma * standard), *self.support)

    def around(self, number: float) -> Distribution:
        """Return the law with the same sigma around another median."""
        return self.model_copy(update={"median": number}) if number > 0 else self


class Weibull(Tailed):
    """Weibull law F(x) = 1 − exp(−(x/scale)^shape), cut where Gaussian tails of four sigma end."""

    title = "Weibull"
    pure = ("shape",)

    law: Literal["weibull"] = "weibull"
    scale: float = Field(gt=0, title="Scale")
    shape: float = Field(ge=0.2, le=50, title="Shape")

    @property
    def centre(self) -> float:
        """Median of the law, within its bounds."""
        return float(self.quantile(0.5))

    def _whole_support(self) -> tuple[float, float]:
        low, high = self._whole_quantile(np.array([TAIL, 1 - TAIL]))
        return float(low), float(high)

    def _whole_cdf(self, x: Array) -> Array:
        grown = power(np.maximum(x, 0.0) / self.scale, self.shape)
        return np.where(x > 0, 1.0 - exp(-grown), 0.0)

    def _whole_quantile(self, u: Array) -> Array:
        result: Array = self.scale * power(-log(1.0 - u), 1 / self.shape)
        return result

    def around(self, number: float) -> Distribution:
        """Return the law with the same shape around another median."""
        return _scaled(self, number, ("scale",)) if self.between is None else self


def _scaled(law: Distribution, number: float, fields: tuple[str, ...]) -> Distribution:
    if number <= 0:
        return law
    factor = number / law.centre
    return law.model_copy(update={field: getattr(law, field) * factor for field in fields})
