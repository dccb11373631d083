"""What a number may be drawn from: every law, and those that are made of other laws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union

import numpy as np
from numpy.typing import ArrayLike
from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    TypeAdapter,
    model_validator,
)
from typing_extensions import TypeAliasType

from osog.scene.continuous import Lognormal, LogUniform, Normal, PowerLaw, Uniform, Weibull
from osog.scene.discrete import OneOf, Poisson, Table, check_weights, cumulative, shares
from osog.scene.errors import NO_LAW
from osog.scene.law import Array, Distribution

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

_BISECTIONS = 80


def _law_name(value: Any) -> str:
    if isinstance(value, Distribution):
        return value.law
    return str(value.get("law", NO_LAW)) if isinstance(value, dict) else NO_LAW


def _which(value: Any) -> str:
    return "a law" if isinstance(value, Distribution | dict) else "number"


class Mixture(Distribution):
    """One of several laws, by weight: two kinds of particles in one bottle, or rare large ones."""

    title = "Mixture"
    pure = ("weights",)

    law: Literal["mixture"] = "mixture"
    parts: tuple[FreeLaw, ...] = Field(min_length=1, title="Parts")
    weights: tuple[float, ...] | None = Field(None, title="Weights")

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        check_weights(self.weights, len(self.parts), "parts")
        _of_numbers(self, *self.parts)
        return self

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        ends = [part.support for part in self.parts]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @property
    def centre(self) -> float:
        """Median."""
        return float(self.quantile(0.5))

    def cdf(self, x: ArrayLike) -> Array:
        """Probability that a draw is at most `x`."""
        total = np.zeros_like(np.asarray(x, dtype=np.float64))
        for share, part in zip(shares(self.weights, len(self.parts)), self.parts, strict=True):
            total = total + share * part.cdf(x)
        return total

    def quantile(self, u: ArrayLike) -> Array:
        """Value below which a draw lies with probability `u`, by bisection to the last digit."""
        u = np.asarray(u, dtype=np.float64)
        bottom, top = self.support
        low, high = np.full_like(u, np.nextafter(bottom, -np.inf)), np.full_like(u, top)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            enough = self.cdf(middle) >= u
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw numbers: first which law, then from it."""
        which = np.searchsorted(
            cumulative(shares(self.weights, len(self.parts))), rng.random(count), side="left"
        )
        rank = rng.random(count)
        out = np.empty(count)
        for k, part in enumerate(self.parts):
            out[which == k] = part.quantile(rank[which == k])
        return out


class Multiple(Distribution):
    """A share or a multiple of another number: factor × other + plus.

    A width that is a share of the length, a condenser that is tied to the objective, a length in
    pixels (of ``grid.pixel_size_um``). Factor and plus may be laws: the scatter around the other
    number.
    """

    title = "Share of another number"
    linked = True
    pure = ("factor",)

    law: Literal["multiple"] = "multiple"
    of: str = Field(
        min_length=1,
        title="Of",
        description="Dotted name of the other number, or its field alone in the same block or "
        "population.",
    )
    factor: FreeNumber = Field(1.0, title="Factor")
    plus: FreeNumber = Field(0.0, title="Plus")

    _of: tuple[float, float, float] | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _plain_parts(self) -> Self:
        _of_numbers(self, self.factor, self.plus)
        return self

    def tied(self, centre: float, low: float, high: float) -> Multiple:
        """Return the law with what is known of the other number: its centre and its support."""
        copy = self.model_copy()
        copy._of = (centre, low, high)
        return copy

    @property
    def known(self) -> bool:
        """Whether the other number is known."""
        return self._of is not None

    def _other(self) -> tuple[float, float, float]:
        if self._of is None:
            raise ValueError(f"of = {self.of}: this number is known only in its scene.")
        return self._of

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        _, low, high = self._other()
        ends = [a * b for a in _ends(self.factor) for b in (low, high)]
        bottom, top = _ends(self.plus)
        return min(ends) + bottom, max(ends) + top

    @property
    def centre(self) -> float:
        """Centre of the factor times that of the other number, plus that of the term."""
        return _centre(self.factor) * self._other()[0] + _centre(self.plus)

    def draw_of(self, other: ArrayLike, rng: np.random.Generator, count: int) -> Array:
        """Draw numbers from those of the other number, shape (count,)."""
        factor = _drawn(self.factor, rng, count)
        result: Array = factor * np.asarray(other, dtype=np.float64) + _drawn(self.plus, rng, count)
        return result


class Ratio(Distribution):
    """A number divided by another: the pixel of a sensor by the magnification."""

    title = "Ratio"
    linked = True
    pure = ("numerator", "denominator")

    law: Literal["ratio"] = "ratio"
    numerator: FreeNumber = Field(title="Numerator")
    denominator: FreeNumber = Field(title="Denominator")

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        _of_numbers(self, self.numerator, self.denominator)
        low, high = _ends(self.denominator)
        if low <= 0 <= high:
            raise ValueError(f"denominator may be {low:g} to {high:g}; it must not be 0.")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        ends = [a / b for a in _ends(self.numerator) for b in _ends(self.denominator)]
        return min(ends), max(ends)

    @property
    def centre(self) -> float:
        """Ratio of both centres."""
        return _centre(self.numerator) / _centre(self.denominator)

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw both numbers and divide them."""
        above = _drawn(self.numerator, rng, count)
        result: Array = above / _drawn(self.denominator, rng, count)
        return result


_FREE: tuple[type[Distribution], ...] = (
    *(Uniform, Normal, Lognormal, LogUniform, Weibull, PowerLaw, Poisson, Table, OneOf),
    Mixture,
)
_LINKED: tuple[type[Distribution], ...] = (Multiple, Ratio)
LAWS: dict[str, type[Distribution]] = {
    model.model_fields["law"].default: model for model in _FREE + _LINKED
}
"""Every law by its name in the scene file, in the order of a menu."""


def _any_of(laws: Iterable[type[Distribution]]) -> Any:
    """Type of what may be any of these laws, told apart by their names."""
    named = tuple(Annotated[law, Tag(law.model_fields["law"].default)] for law in laws)
    return Annotated[Union[named], Discriminator(_law_name)]  # noqa: UP007


if TYPE_CHECKING:
    FreeLaw: TypeAlias = Distribution
else:
    FreeLaw = TypeAliasType("FreeLaw", _any_of(_FREE))
"""A law that hangs on no other number."""


def _uniform(value: tuple[float, float]) -> Uniform:
    return Uniform(low=value[0], high=value[1])


def _which_part(value: Any) -> str:
    return "a range" if isinstance(value, list | tuple) else _which(value)


FreeNumber = TypeAliasType(
    "FreeNumber",
    Annotated[
        Annotated[float, Tag("number")]
        | Annotated[FreeLaw, Tag("a law")]
        | Annotated[tuple[float, float], AfterValidator(_uniform), Tag("a range")],
        Discriminator(_which_part),
    ],
)
"""A number, [low, high] or such a law: part of another law."""

if TYPE_CHECKING:
    Law: TypeAlias = Distribution
else:
    Law = TypeAliasType("Law", _any_of(LAWS.values()))
"""Any law."""

for _model in (Mixture, Multiple, Ratio):
    _model.model_rebuild(_types_namespace={"FreeLaw": FreeLaw, "FreeNumber": FreeNumber})

NumberOrDistribution = Annotated[
    Annotated[float, Tag("number")] | Annotated[Law, Tag("a law")], Discriminator(_which)
]
"""A number, or the distribution that it is drawn from."""

ANY_LAW: TypeAdapter[Distribution] = TypeAdapter(Law)
"""Reads a law from the content of a scene file, and describes it."""


def _ends(quantity: Any) -> tuple[float, float]:
    return quantity.support if isinstance(quantity, Distribution) else (quantity, quantity)


def _centre(quantity: Any) -> float:
    return float(quantity.centre if isinstance(quantity, Distribution) else quantity)


def _drawn(quantity: Any, rng: np.random.Generator, count: int) -> Array:
    if isinstance(quantity, Distribution):
        return quantity.draw(rng, count)
    return np.full(count, float(quantity))


def _of_numbers(law: Distribution, *parts: Any) -> None:
    """Refuse parts of a law that are no numbers, or follow something of their own."""
    for part in parts:
        if isinstance(part, Distribution):
            if not part.numeric:
                raise ValueError(f"a {law.law} is made of numbers; put the choice in its place.")
            if part.follows is not None or part.per is not None:
                raise ValueError(f"'follows' and 'per' belong to the {law.law} as a whole.")
