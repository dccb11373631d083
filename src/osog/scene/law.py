"""What every law is asked: where it reaches, what stands for it, and which number a draw gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from osog.scene.errors import TAGS
from osog.scene.exact_functions import normal_probability, normal_quantile

if TYPE_CHECKING:
    from typing import Self

Array = NDArray[np.float64]

TAIL_SIGMAS = 4.0
"""Standard deviations at which endless laws are cut, so that sizes stay finite."""
TAIL = 3.167124183311992e-05
"""Probability beyond them, on one side."""


class Distribution(BaseModel):
    """A law that a number is drawn from; the scene file names it by ``law``.

    Attributes
    ----------
    per : {"image", "particle"}, optional
        One draw for the picture, or one for each particle. Left out it is the particle where the
        number belongs to each particle, else the picture.
    follows : str, optional
        Another number that is drawn from a law, by its dotted name or, in the same block or
        population, by its field alone. Both have a Gaussian copula of the given correlation: laws
        and orders of size stay what they are, whatever the laws.
    correlation : float
        Of the copula, −1 … 1. With 1 both numbers have the same rank, and a choice takes the
        option of the same place in its list as the choice that it follows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: ClassVar[str]
    """Words for a menu."""
    linked: ClassVar[bool] = False
    """Whether its numbers are made of another number, so that it has no quantiles of its own."""
    page: ClassVar[str] = "scene.md#laws"
    """Page of the manual, and heading there, that say more than the fields do."""
    pure: ClassVar[tuple[str, ...]] = ()
    """Parameters without the unit of the number that is drawn: shares, exponents, factors."""

    law: str
    per: Literal["image", "particle"] | None = None
    follows: str | None = None
    correlation: float = Field(1.0, ge=-1, le=1)

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Keep the names of laws out of the paths in messages."""
        name = cls.model_fields["law"].default
        if isinstance(name, str):
            TAGS.add(name)

    @model_validator(mode="after")
    def _correlated_with_something(self) -> Self:
        if self.follows is None and self.correlation != 1.0:
            raise ValueError(f"correlation = {self.correlation:g} needs 'follows', a number.")
        if self.follows is not None and self.linked:
            raise ValueError(f"follows = {self.follows}: a {self.law} follows what it is made of.")
        return self

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        shared = ("law", "per", "follows", "correlation")
        own = {key: value for key, value in data.items() if key not in shared and value is not None}
        if data.get("per") is not None:
            own["per"] = data["per"]
        if data.get("follows") is not None:
            own |= {"follows": data["follows"], "correlation": data["correlation"]}
        return {"law": self.law, **own}

    @property
    def numeric(self) -> bool:
        """Whether it gives numbers; only a choice may give other things."""
        return True

    @property
    def known(self) -> bool:
        """Whether support and centre are known: those of a linked number only in its scene."""
        return True

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        raise NotImplementedError

    @property
    def centre(self) -> float:
        """The value that stands for the whole distribution."""
        raise NotImplementedError

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        raise NotImplementedError

    def quantile(self, u: ArrayLike) -> Array:
        """Value below which a draw lies with probability `u`, 0 … 1.

        Made of operations that every machine rounds in the same way, so that its bits are the same
        everywhere.
        """
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw numbers.

        Parameters
        ----------
        rng : numpy Generator
        count : int

        Returns
        -------
        ndarray, shape (count,)
            Within the support.
        """
        return self.quantile(rng.random(count))

    def score(self, values: ArrayLike) -> Array:
        """Standard normal numbers of the same rank as drawn values: what a copula correlates."""
        values = np.asarray(values, dtype=np.float64)
        below = self.cdf(np.nextafter(values, -np.inf))
        rank = np.clip(0.5 * (below + self.cdf(values)), 1e-16, 1 - 1e-16)
        return normal_quantile(rank)

    def draw_following(
        self, other: Distribution, values: ArrayLike, rng: np.random.Generator, count: int
    ) -> Array:
        """Draw numbers that follow those of another law, by `correlation`.

        Parameters
        ----------
        other : Distribution
            Law of the number that is followed.
        values : array_like, shape (count,)
            Its draws.
        rng : numpy Generator
        count : int

        Returns
        -------
        ndarray, shape (count,)
        """
        rho = self.correlation
        own = normal_quantile(np.clip(rng.random(count), 1e-16, 1 - 1e-16))
        score = rho * other.score(values) + np.sqrt(1 - rho * rho) * own
        return self.quantile(normal_probability(score))

    def around(self, number: float) -> Distribution:
        """Return a law of the same form around another centre; itself where it has no such form."""
        return self


class Tailed(Distribution):
    """A law without end, cut at four standard deviations or where ``between`` says."""

    between: tuple[float, float] | None = Field(
        None,
        title="Between",
        description="Lowest and highest value; what falls outside is drawn anew.",
    )

    @model_validator(mode="after")
    def _some_left_between(self) -> Self:
        if self.between is not None:
            low, high = self.between
            bottom, top = self._whole_support()
            if not max(low, bottom) < min(high, top):
                raise ValueError(
                    f"between = [{low:g}, {high:g}] must hold a part of {bottom:.4g} … {top:.4g}, "
                    "where the law draws from."
                )
        return self

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        bottom, top = self._whole_support()
        if self.between is None:
            return bottom, top
        return max(self.between[0], bottom), min(self.between[1], top)

    def _whole_support(self) -> tuple[float, float]:
        raise NotImplementedError

    def _whole_cdf(self, x: Array) -> Array:
        raise NotImplementedError

    def _whole_quantile(self, u: Array) -> Array:
        raise NotImplementedError

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        x = np.asarray(x, dtype=np.float64)
        low, high = self.support
        inside = self._whole_cdf(np.clip(x, low, high))
        if self.between is not None:
            first, last = self._whole_cdf(np.array([low, high]))
            inside = (inside - first) / (last - first)
        return np.where(x < low, 0.0, np.where(x >= high, 1.0, inside))

    def quantile(self, u: ArrayLike) -> Array:
        """Value below which a draw lies with probability `u`."""
        u = np.asarray(u, dtype=np.float64)
        if self.between is not None:
            first, last = self._whole_cdf(np.array(self.support))
            u = first + u * (last - first)
        return np.clip(self._whole_quantile(np.clip(u, TAIL, 1 - TAIL)), *self.support)
