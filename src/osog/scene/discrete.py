"""Laws of whole numbers, of lists and of measured values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, Field, field_validator, model_validator

from osog.scene.law import Array, Distribution
from osog.scene.measured_values import read_column

if TYPE_CHECKING:
    from typing import Self


_MOST_VALUES = 100_000


class Poisson(Distribution):
    """Whole numbers of independent things: counts, cut at ten standard deviations."""

    title = "Poisson"

    law: Literal["poisson"] = "poisson"
    mean: float = Field(ge=0, le=1e8, title="Mean")

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        reach = 10 * float(np.sqrt(self.mean)) + 20 * (self.mean > 0)
        return float(max(0, np.ceil(self.mean - reach))), float(np.floor(self.mean + reach))

    @property
    def centre(self) -> float:
        """Mean."""
        return self.mean

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        low, high = self.support
        place = np.floor(np.clip(np.asarray(x, dtype=np.float64), low - 1, high)) - low
        below = np.concatenate([[0.0], self._cumulative()])
        result: Array = below[place.astype(np.int64) + 1]
        return result

    def quantile(self, u: ArrayLike) -> Array:
        """Least whole number with at least the probability `u` at or below it."""
        low, _ = self.support
        return np.asarray(
            low + np.searchsorted(self._cumulative(), np.asarray(u), side="left"), np.float64
        )

    def _cumulative(self) -> Array:
        low, high = (int(bound) for bound in self.support)
        if self.mean == 0:
            return np.ones(1)
        # From the most likely number outward, so that nothing underflows: p(k) = p(k − 1) mean/k.
        mode = min(max(int(self.mean), low), high)
        up = np.cumprod(self.mean / np.arange(mode + 1, high + 1))
        down = np.cumprod(np.arange(mode, low, -1) / self.mean)
        sums = np.cumsum(np.concatenate([down[::-1], [1.0], up]))
        return np.asarray(sums / sums[-1], np.float64)

    def around(self, number: float) -> Distribution:
        """Return the law of another mean."""
        return self.model_copy(update={"mean": number}) if number >= 0 else self


class OneOf(Distribution):
    """One of several numbers, or of several things of any kind, whole blocks too.

    Numbers may differ from particle to particle; anything else is drawn once for the picture.
    """

    title = "Choice"
    pure = ("weights",)

    law: Literal["choice"] = "choice"
    options: tuple[Any, ...] = Field(min_length=1, title="Options")
    weights: tuple[float, ...] | None = Field(None, title="Weights")

    @field_validator("options", mode="before")
    @classmethod
    def _as_in_a_file(cls, value: Any) -> Any:
        return tuple(_content(each) for each in value) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        check_weights(self.weights, len(self.options), "options")
        return self

    @staticmethod
    def is_content(value: Any) -> bool:
        """Whether something in a scene file is a choice: other blocks have a ``law`` too."""
        return isinstance(value, dict) and value.get("law") == "choice" and "options" in value

    @property
    def numeric(self) -> bool:
        """Whether all options are numbers."""
        return all(isinstance(o, int | float) and not isinstance(o, bool) for o in self.options)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest option."""
        numbers = [float(option) for option in self.options]
        return min(numbers), max(numbers)

    @property
    def place(self) -> int:
        """Place in the list of the option that stands for all: the first of the heaviest."""
        return int(np.argmax(shares(self.weights, len(self.options))))

    @property
    def likeliest(self) -> Any:
        """The option that stands for all: the first of the heaviest."""
        return self.options[self.place]

    @property
    def centre(self) -> float:
        """The first of the heaviest options."""
        return float(self.likeliest)

    def _sorted(self) -> tuple[Array, Array]:
        numbers = np.array([float(option) for option in self.options])
        order = np.argsort(numbers, kind="stable")
        return numbers[order], cumulative(shares(self.weights, len(numbers))[order])

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        numbers, below = self._sorted()
        found = np.searchsorted(numbers, np.asarray(x, dtype=np.float64), side="right")
        result: Array = np.concatenate([[0.0], below])[found]
        return result

    def quantile(self, u: ArrayLike) -> Array:
        """Least option with at least the probability `u` at or below it."""
        numbers, below = self._sorted()
        result: Array = numbers[np.searchsorted(below, np.asarray(u), side="left")]
        return result

    def pick(self, u: float) -> int:
        """Place of the option that a uniform number 0 … 1 stands for, in the order of the list."""
        below = cumulative(shares(self.weights, len(self.options)))
        return int(np.searchsorted(below, u, side="left"))

    def draw_following(
        self, other: Distribution, values: ArrayLike, rng: np.random.Generator, count: int
    ) -> Array:
        """Draw numbers that follow another law; of a choice, the option of the same place."""
        if isinstance(other, OneOf) and other.numeric and self.correlation == 1:
            self.check_same_length(other)
            places = [other.options.index(value) for value in np.asarray(values).tolist()]
            return np.array([float(self.options[place]) for place in places])
        return super().draw_following(other, values, rng, count)

    def check_same_length(self, other: OneOf) -> None:
        """Refuse to follow a choice that has another number of options.

        Raises
        ------
        ValueError
        """
        if len(other.options) != len(self.options):
            raise ValueError(
                f"a choice of {len(self.options)} options follows {self.follows}, which has "
                f"{len(other.options)}; both need as many."
            )


class Table(Distribution):
    """Measured values: a list of numbers, or a column of a CSV file.

    ``interpolate`` draws between the values too, from quantiles that run straight from one sorted
    value to the next; ``resample`` draws the values themselves. A file is read once, from the
    folder of the scene file, and its numbers are kept in the scene.
    """

    title = "Measured values"
    pure = ("scale",)

    law: Literal["table"] = "table"
    values: tuple[float, ...] = Field(
        min_length=1,
        max_length=_MOST_VALUES,
        title="Values",
        description="The measured values.",
    )
    file: str | None = Field(None, description="CSV file that they come from.")
    column: str | int | None = Field(
        None, description="Head of its column, or its number from 0; the first where left out."
    )
    scale: float = Field(
        1.0,
        title="Times",
        description="What each value is multiplied by, to change its unit.",
    )
    draws: Literal["interpolate", "resample"] = Field("interpolate", title="Draws")

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("values") is None and data.get("file") is not None:
            return {**data, "values": read_column(str(data["file"]), data.get("column"))}
        return data

    @property
    def support(self) -> tuple[float, float]:
        """Least and greatest value."""
        ordered = self._sorted()
        return float(ordered[0]), float(ordered[-1])

    @property
    def centre(self) -> float:
        """Median of the values."""
        return float(self.quantile(0.5))

    def _sorted(self) -> Array:
        ordered: Array = np.sort(np.array(self.values, dtype=np.float64) * self.scale)
        return ordered

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        x, ordered = np.asarray(x, dtype=np.float64), self._sorted()
        most = np.searchsorted(ordered, x, side="right")
        if self.draws == "resample" or len(ordered) == 1:
            return np.asarray(most / len(ordered), np.float64)
        left = np.clip(most - 1, 0, len(ordered) - 2)
        gap = ordered[left + 1] - ordered[left]
        part = np.clip((x - ordered[left]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)
        inside = (left + part) / (len(ordered) - 1)
        inside = np.where(most == len(ordered), 1.0, inside)
        return np.asarray(np.where(most == 0, 0.0, inside), np.float64)

    def quantile(self, u: ArrayLike) -> Array:
        """Value below which a draw lies with probability `u`."""
        u = np.asarray(u, dtype=np.float64)
        ordered = self._sorted()
        if self.draws == "resample":
            place = np.clip(np.ceil(u * len(ordered)) - 1, 0, len(ordered) - 1)
            return np.asarray(ordered[place.astype(np.int64)], np.float64)
        place = u * (len(ordered) - 1)
        left = np.clip(np.floor(place).astype(np.int64), 0, max(len(ordered) - 2, 0))
        right = np.minimum(left + 1, len(ordered) - 1)
        result: Array = ordered[left] + (place - left) * (ordered[right] - ordered[left])
        return result


def check_weights(weights: tuple[float, ...] | None, count: int, of: str) -> None:
    """Refuse weights that do not belong to as many things.

    Raises
    ------
    ValueError
    """
    if weights is None:
        return
    if len(weights) != count:
        raise ValueError(f"weights lists {len(weights)} numbers for {count} {of}.")
    if min(weights) < 0 or not sum(weights) > 0:
        raise ValueError("weights must not be negative, and one of them must be above 0.")


def shares(weights: tuple[float, ...] | None, count: int) -> Array:
    """Weights that add up to 1; equal ones where none are stated."""
    stated = np.ones(count) if weights is None else np.array(weights, dtype=np.float64)
    result: Array = stated / stated.sum()
    return result


def cumulative(weights: Array) -> Array:
    """Sums of the first weights; the last is exactly 1."""
    sums = np.cumsum(weights)
    sums[np.flatnonzero(weights)[-1] :] = 1.0
    return sums


def _content(value: Any) -> Any:
    """Content as a scene file has it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _content(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_content(each) for each in value]
    return value


__all__ = ["OneOf", "Poisson", "Table"]
