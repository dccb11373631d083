"""What a number may be drawn from: one class per distribution."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from osog.scene.errors import NO_LAW
from osog.scene.model import Distribution


class Uniform(Distribution):
    """Every value between two bounds is equally likely."""

    law: Literal["uniform"] = "uniform"
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> "Uniform":
        if self.low > self.high:
            raise ValueError(f"low = {self.low:g} must not exceed high = {self.high:g}.")
        return self

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        return self.low, self.high

    @property
    def centre(self) -> float:
        """Middle of the distribution."""
        return 0.5 * (self.low + self.high)


class Normal(Distribution):
    """Gaussian law, cut at four standard deviations so that sizes stay finite."""

    law: Literal["normal"] = "normal"
    mean: float
    std: float = Field(ge=0)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn."""
        return self.mean - 4 * self.std, self.mean + 4 * self.std

    @property
    def centre(self) -> float:
        """Middle of the distribution."""
        return self.mean


class Lognormal(Distribution):
    """Log-normal law: ``median`` and the standard deviation ``sigma`` of the natural logarithm."""

    law: Literal["lognormal"] = "lognormal"
    median: float = Field(gt=0)
    sigma: float = Field(ge=0, le=3)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value that can be drawn: four sigma either side."""
        factor = 2.718281828459045 ** (4 * self.sigma)
        return self.median / factor, self.median * factor

    @property
    def centre(self) -> float:
        """Middle of the distribution."""
        return self.median


def _which(value: Any) -> str:
    if isinstance(value, Uniform | Normal | Lognormal):
        return value.law
    if isinstance(value, dict):
        return str(value.get("law", NO_LAW))
    return "number"


NumberOrDistribution = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Lognormal, Tag("lognormal")],
    Discriminator(_which),
]
"""A number, or the distribution that it is drawn from."""
