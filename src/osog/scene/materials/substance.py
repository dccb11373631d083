"""One substance: its index, birefringence and absorption at every wavelength, and their source."""

from dataclasses import dataclass
from typing import Any, Literal

from osog.scene.materials.formulas import Formula, within

Family = Literal[
    "gas", "liquid", "oil", "glass", "polymer", "crystal", "organic crystal", "biological", "metal"
]
_BEYOND = (0.8, 1.25)
"""How far beyond its range, as a factor, a formula is continued; further out it stays constant."""
_DIGITS = {"metal": 4}
_ABSORPTION_DIGITS = 3


@dataclass(frozen=True)
class Substance:
    """A row of the table of materials.

    Attributes
    ----------
    name : str
        As a scene file writes it.
    family : str
    ordinary : Formula
        n(λ), for uniaxial crystals that of the ordinary ray.
    range_um : (float, float)
        Vacuum wavelengths for which the source gives the index.
    source : str
        Authors, journal or data sheet, year.
    extraordinary : Formula, optional
        n_e(λ) of a uniaxial crystal.
    absorption : Formula, optional
        Intensity lost per µm of path, μ_a(λ) = 4πκ/λ.
    note : str
        Temperature, state, and what was chosen.
    error : float
        How far the index may be off, where it is more than the last digit.
    also : tuple of str
        Other names.
    """

    name: str
    family: Family
    ordinary: Formula
    range_um: tuple[float, float]
    source: str
    extraordinary: Formula | None = None
    absorption: Formula | None = None
    note: str = ""
    error: float = 0.0
    also: tuple[str, ...] = ()

    @property
    def metallic(self) -> bool:
        """Whether it is a metal, whose index and absorption shape its light together."""
        return self.family == "metal"

    def covers(self, wavelength_um: float) -> bool:
        """Whether the source gives the index at a wavelength."""
        low, high = self.range_um
        return low <= wavelength_um <= high

    def index(self, wavelength_um: Any) -> Any:
        """Index n, of the ordinary ray if it is birefringent.

        Parameters
        ----------
        wavelength_um : float or 0-dim Tensor
            In vacuum. Formulas are continued from 0.8 of `range_um` to 1.25 times it, tables keep
            the values of their ends.

        Returns
        -------
        float or Tensor, as the argument
        """
        return self.ordinary(self._near(wavelength_um))

    def birefringence(self, wavelength_um: Any) -> Any:
        """n_e − n_o; 0 for what is isotropic. The parameters are those of `index`."""
        if self.extraordinary is None:
            return 0 * wavelength_um
        near = self._near(wavelength_um)
        return self.extraordinary(near) - self.ordinary(near)

    def absorption_per_um(self, wavelength_um: Any) -> Any:
        """Intensity lost per µm of path, 4πκ/λ. The parameters are those of `index`."""
        return 0 * wavelength_um if self.absorption is None else self.absorption(wavelength_um)

    def numbers(self, wavelength_um: float) -> dict[str, float]:
        """Fields of a material at a wavelength: index, absorption and birefringence, rounded."""
        digits = _DIGITS.get(self.family, 6)
        found = {"index": round(self.index(wavelength_um), digits)}
        if self.absorption is not None:
            found["absorption_per_um"] = round(
                self.absorption_per_um(wavelength_um), _ABSORPTION_DIGITS
            )
        if self.extraordinary is not None:
            found["birefringence"] = round(self.birefringence(wavelength_um), digits)
        return found

    def _near(self, wavelength_um: Any) -> Any:
        low, high = self.range_um
        return within(wavelength_um, low * _BEYOND[0], high * _BEYOND[1])
