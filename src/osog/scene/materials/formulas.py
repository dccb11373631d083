"""Laws of dispersion: an index as a function of the vacuum wavelength in µm.

All of them take a number or a 0-dim tensor and return the same, differentiably, without knowing
tensors: they use nothing but arithmetic.
"""

from dataclasses import dataclass
from math import pi
from typing import Any, Protocol

D_LINE_UM, F_LINE_UM, C_LINE_UM = 0.5875618, 0.4861327, 0.6562725
"""Fraunhofer lines of helium (d) and hydrogen (F, C)."""
E_LINE_UM, F_PRIME_LINE_UM, C_PRIME_LINE_UM = 0.5460740, 0.4799914, 0.6438469
"""Lines of mercury (e) and cadmium (F', C'), of which microscopes and their oils are specified."""
SODIUM_UM = 0.5893
"""Mean of the sodium D lines."""


class Formula(Protocol):
    """A function of the wavelength in µm."""

    def __call__(self, wavelength_um: Any) -> Any:
        """Value at a wavelength, of the type of the argument."""


@dataclass(frozen=True)
class Constant:
    """The same at every wavelength: one measured number, of which no dispersion is known."""

    value: float

    def __call__(self, wavelength_um: Any) -> Any:
        """Value at a wavelength."""
        return self.value + 0 * wavelength_um


@dataclass(frozen=True)
class Sellmeier:
    """Resonances in the square of the index, n² = a + Σ b λ^p/(λ² − c).

    Attributes
    ----------
    constant : float
        a; 1 + A in the notation of Sellmeier.
    terms : tuple of (b, c)
        Strengths and poles in µm² (the squares of the resonant wavelengths).
    power : float
        p: 2 after Sellmeier, 0 where the numerator is a constant.
    """

    constant: float
    terms: tuple[tuple[float, float], ...]
    power: int = 2

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        square = wavelength_um * wavelength_um
        above = square if self.power == 2 else 1.0
        return (self.constant + sum(b * above / (square - c) for b, c in self.terms)) ** 0.5


@dataclass(frozen=True)
class Zernike:
    """n² = a + b/(λ² − c) + d λ²/(λ² − e), of the phosphates (Zernike 1964)."""

    a: float
    b: float
    c: float
    d: float
    e: float

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        square = wavelength_um * wavelength_um
        far = self.d * square / (square - self.e)
        return (self.a + self.b / (square - self.c) + far) ** 0.5


@dataclass(frozen=True)
class Rosker:
    """n² = a + b/(λ² − c) + d (λ − e)/((λ − e)² + f), of the slow ray of urea (Rosker 1985)."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        away = wavelength_um - self.e
        near = self.b / (wavelength_um * wavelength_um - self.c)
        return (self.a + near + self.d * away / (away * away + self.f)) ** 0.5


@dataclass(frozen=True)
class Powers:
    """Sum of powers of the wavelength, Σ a λ^p: Cauchy's law, or the same for n².

    Attributes
    ----------
    terms : tuple of (a, p)
    squared : bool
        Whether the sum is the square of the index.
    """

    terms: tuple[tuple[float, int], ...]
    squared: bool = False

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        total = sum(a * wavelength_um**p for a, p in self.terms)
        return total**0.5 if self.squared else total


@dataclass(frozen=True)
class Gas:
    """n − 1 = Σ b/(c − λ⁻²), of gases (Ciddor 1996)."""

    terms: tuple[tuple[float, float], ...]

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        wavenumber = wavelength_um**-2
        return 1 + sum(b / (c - wavenumber) for b, c in self.terms)


@dataclass(frozen=True)
class TwoTerms:
    """Cauchy's law n = A + B/λ² from an index and an Abbe number at three lines.

    Good to about 1e-3 over 0.4–0.7 µm.

    Attributes
    ----------
    index : float
        n at the middle line.
    abbe_number : float
        V = (n − 1)/(n_short − n_long).
    lines_um : (middle, short, long)
        d, F, C or e, F', C'.
    """

    index: float
    abbe_number: float
    lines_um: tuple[float, float, float] = (D_LINE_UM, F_LINE_UM, C_LINE_UM)

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        middle, short, long = self.lines_um
        rise = (self.index - 1) / (self.abbe_number * (short**-2 - long**-2))
        return self.index + rise * (wavelength_um**-2 - middle**-2)


@dataclass(frozen=True)
class Table:
    """Measured values, linear between them and constant beyond their ends.

    Attributes
    ----------
    wavelengths_um : tuple of float
        Rising.
    values : tuple of float
    scale : float
        Factor on the values.
    """

    wavelengths_um: tuple[float, ...]
    values: tuple[float, ...]
    scale: float = 1.0

    def __call__(self, wavelength_um: Any) -> Any:
        """Value at a wavelength."""
        at, values = self.wavelengths_um, self.values
        place = plain(wavelength_um)
        left = min(max(sum(x <= place for x in at) - 1, 0), len(at) - 2)
        share = (within(wavelength_um, at[0], at[-1]) - at[left]) / (at[left + 1] - at[left])
        return self.scale * (values[left] + share * (values[left + 1] - values[left]))


@dataclass(frozen=True)
class FromExtinction:
    """Absorption 4πκ/λ in 1/µm of n + iκ.

    Attributes
    ----------
    extinction : Formula
        κ(λ).
    """

    extinction: Formula

    def __call__(self, wavelength_um: Any) -> Any:
        """Value at a wavelength."""
        return 4 * pi * self.extinction(wavelength_um) / wavelength_um


@dataclass(frozen=True)
class Water:
    """Liquid water at one temperature and 0.1 MPa.

    n from (n² − 1)/(n² + 2) = ρ̄ Σ…, IAPWS R9-97 (Harvey, Gallagher & Levelt Sengers 1998), for
    0.2–1.1 µm; with the density of Kell (1975), good to 1e-5 over 0–100 °C.

    Attributes
    ----------
    celsius : float
        0 … 100.
    """

    celsius: float = 20.0

    @property
    def density(self) -> float:
        """Density in g/cm³ (G. S. Kell, J. Chem. Eng. Data 20, 97 (1975))."""
        t = self.celsius
        above = 999.83952 + t * (
            16.945176
            + t * (-7.9870401e-3 + t * (-46.170461e-6 + t * (105.56302e-9 - 280.54253e-12 * t)))
        )
        return above / (1 + 16.879850e-3 * t) / 1000

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        temperature, density = (self.celsius + 273.15) / 273.15, self.density
        square = (wavelength_um / 0.589) ** 2
        refraction = density * (
            0.244257733
            + 9.74634476e-3 * density
            - 3.73234996e-3 * temperature
            + 2.68678472e-4 * square * temperature
            + 1.58920570e-3 / square
            + 2.45934259e-3 / (square - 0.2292020**2)
            + 0.900704920 / (square - 5.432937**2)
            - 1.66626219e-2 * density**2
        )
        return ((1 + 2 * refraction) / (1 - refraction)) ** 0.5


@dataclass(frozen=True)
class Dissolved:
    """A solution or gel of protein: n = n_water + c dn/dc.

    The increment of all proteins falls with the wavelength in the same way,
    dn/dc ∝ 0.940 + 0.0200 µm²/λ² (Perlmann & Longsworth, J. Am. Chem. Soc. 70, 2719 (1948)),
    and the sum is linear up to dry protein within a few parts in a hundred (Barer & Joseph 1954).

    Attributes
    ----------
    grams_per_ml : float
        Concentration c.
    increment : float
        dn/dc in ml/g at 0.578 µm.
    water : Water
    """

    grams_per_ml: float
    increment: float
    water: Water = Water()

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        solvent: Any = self.water(wavelength_um)
        return solvent + self.grams_per_ml * self.increment * (0.940 + 0.0200 / wavelength_um**2)


@dataclass(frozen=True)
class Mixed:
    """A mixture of two liquids whose index is known at one line.

    n − 1 is that of the two at every wavelength in the proportion that gives the known index.

    Attributes
    ----------
    first, second : Formula
    index : float
        Of the mixture at `at_um`.
    at_um : float
    """

    first: Formula
    second: Formula
    index: float
    at_um: float = SODIUM_UM

    @property
    def share(self) -> float:
        """Share of the second liquid."""
        first, second = self.first(self.at_um), self.second(self.at_um)
        return float((self.index - first) / (second - first))

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        share = self.share
        return (1 - share) * self.first(wavelength_um) + share * self.second(wavelength_um)


@dataclass(frozen=True)
class Shifted:
    """The dispersion of another substance, moved so that one index is met.

    Attributes
    ----------
    like : Formula
        Whose refractivity n − 1 is scaled.
    index : float
        At `at_um`.
    at_um : float
    """

    like: Formula
    index: float
    at_um: float = SODIUM_UM

    def __call__(self, wavelength_um: Any) -> Any:
        """Index at a wavelength."""
        return 1 + (self.like(wavelength_um) - 1) * ((self.index - 1) / (self.like(self.at_um) - 1))


def plain(number: Any) -> float:
    """Plain value of a number or of a tensor."""
    return float(number.detach() if hasattr(number, "detach") else number)


def within(wavelength_um: Any, low: float, high: float) -> Any:
    """Wavelength, or the end of the range that it lies beyond, in its own type."""
    place = plain(wavelength_um)
    if low <= place <= high:
        return wavelength_um
    return 0 * wavelength_um + (low if place < low else high)
