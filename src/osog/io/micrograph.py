"""An image with what its file knows of the optics, each number with its source."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Known:
    """One number and where it comes from.

    Attributes
    ----------
    value : float
    source : str
        For people, such as ``from OME-XML``.
    """

    value: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Optics:
    """What a file knows; None where it does not say, never a guess.

    Attributes
    ----------
    pixel_size_um : Known or None
        In the object.
    numerical_aperture : Known or None
    wavelength_um : Known or None
        Emission, or the light of transmitted images.
    medium_index : Known or None
        Of the sample's surroundings.
    immersion_index : Known or None
        Between objective and cover glass.
    magnification : Known or None
    """

    pixel_size_um: Known | None = None
    numerical_aperture: Known | None = None
    wavelength_um: Known | None = None
    medium_index: Known | None = None
    immersion_index: Known | None = None
    magnification: Known | None = None

    def known(self) -> dict[str, Known]:
        """Numbers that are known, by name."""
        names = [f.name for f in fields(Optics)]
        return {n: getattr(self, n) for n in names if getattr(self, n) is not None}

    def otherwise(self, other: Optics) -> Optics:
        """Return these numbers, and those of another source where they are missing here."""
        missing = {n: v for n, v in other.known().items() if getattr(self, n) is None}
        return replace(self, **missing)


@dataclass(frozen=True, kw_only=True)
class Micrograph(Optics):
    """A grey image and its optics.

    Attributes
    ----------
    image : ndarray, shape (Y, X), float64
    name : str
        File name.
    """

    image: NDArray[np.float64]
    name: str

    @property
    def optics(self) -> Optics:
        """The optics without the image."""
        return Optics(**{f.name: getattr(self, f.name) for f in fields(Optics)})
