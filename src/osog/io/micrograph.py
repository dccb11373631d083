"""An image with what its file knows of the optics, each number with its source."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        In the object; of square pixels.
    numerical_aperture : Known or None
    wavelength_um : Known or None
        Emission, or the light of transmitted images.
    medium_index : Known or None
        Of the sample's surroundings.
    immersion_index : Known or None
        Between objective and cover glass.
    magnification : Known or None
    exposure_s : Known or None
        Of one plane, in seconds.
    gain_electrons_per_count : Known or None
        Of the camera: electrons that make one grey level.
    doubts : mapping of str to str
        For names of numbers that are stated and yet unknown, such as the size of pixels that are
        not square: one sentence that says why. No lesser source fills them.
    """

    pixel_size_um: Known | None = None
    numerical_aperture: Known | None = None
    wavelength_um: Known | None = None
    medium_index: Known | None = None
    immersion_index: Known | None = None
    magnification: Known | None = None
    exposure_s: Known | None = None
    gain_electrons_per_count: Known | None = None
    doubts: Mapping[str, str] = field(default_factory=dict, hash=False)

    def known(self) -> dict[str, Known]:
        """Numbers that are known, by name."""
        return {n: getattr(self, n) for n in NUMBERS if getattr(self, n) is not None}

    def otherwise(self, other: Optics) -> Optics:
        """Return these numbers, and those of another source where nothing is said here."""
        missing = {
            n: v
            for n, v in other.known().items()
            if getattr(self, n) is None and n not in self.doubts
        }
        more = {n: s for n, s in other.doubts.items() if getattr(self, n) is None}
        return replace(self, **missing, doubts=more | dict(self.doubts))

    def without(self, name: str, doubt: str | None = None) -> Optics:
        """Return the same with one number unknown, for a reason or for none."""
        doubts = {n: s for n, s in self.doubts.items() if n != name}
        if doubt is not None:
            doubts[name] = doubt
        known = {n: known for n, known in self.known().items() if n != name}
        return Optics(**known, doubts=doubts)

    @staticmethod
    def common(several: Sequence[Optics]) -> Optics:
        """Return what several channels agree on; a number on which they differ is in doubt."""
        if len(several) < 2:
            return several[0] if several else Optics()
        found: dict[str, Known] = {}
        doubts: dict[str, str] = {}
        for name in NUMBERS:
            stated = [getattr(optics, name) for optics in several]
            values = sorted({known.value for known in stated if known is not None})
            reasons = [optics.doubts[name] for optics in several if name in optics.doubts]
            if None not in stated and len(values) == 1:
                found[name] = stated[0]
            elif reasons:
                doubts[name] = reasons[0]
            elif values:
                listed = " and ".join(f"{value:.5g}" for value in values)
                some = "" if None not in stated else ", or none"
                doubts[name] = (
                    f"The file states {listed}{some} as {name}, of several channels or images, "
                    "and which of them this is, is not known."
                )
        return Optics(**found, doubts=doubts)


NUMBERS = tuple(f.name for f in fields(Optics) if f.name != "doubts")
"""Names of the numbers that a file can know."""


@dataclass(frozen=True, kw_only=True)
class Micrograph(Optics):
    """A grey image and its optics.

    Attributes
    ----------
    image : ndarray, shape (Y, X), float64
        Brighter is more light, also where the file stores it the other way round.
    name : str
        File name.
    """

    image: NDArray[np.float64]
    name: str

    @property
    def optics(self) -> Optics:
        """The optics without the image."""
        return Optics(**{f.name: getattr(self, f.name) for f in fields(Optics)})
