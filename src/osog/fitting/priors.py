"""Optics are never known exactly: Gaussian priors on the numbers of the microscope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting.errors import FitError
from osog.fitting.parameters import last_word
from osog.scene import SceneError
from osog.scene.parameters import describe, get

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from osog.scene import Scene

_WAVES = 0.02
# Absolute standard deviations, or shares of the value (marked by True).
_DEVIATIONS: dict[str, tuple[float, bool]] = {
    "microscope.numerical_aperture": (0.02, True),
    "microscope.condenser_numerical_aperture": (0.10, True),
    "microscope.wavelength_um": (0.005, True),
    "medium.index": (0.002, False),
}
_NUISANCES = (
    "microscope.numerical_aperture",
    "microscope.aberrations.astigmatism_0",
    "microscope.aberrations.astigmatism_45",
    "microscope.aberrations.spherical",
)
_WITH_LENS = ("brightfield", "dic", "hologram")


def default_prior(scene: Scene, name: str) -> tuple[float, float] | None:
    """Nominal value and standard deviation of an optics number; None for others.

    Aberrations 0.02 waves, NA 2 %, condenser NA 10 %, wavelength 0.5 %, index of the medium
    0.002: what makers' figures and alignment are worth.
    """
    if name.startswith("microscope.aberrations."):
        return float(get(scene, name)), _WAVES
    if name not in _DEVIATIONS:
        return None
    value = float(get(scene, name))
    deviation, share = _DEVIATIONS[name]
    return value, deviation * value if share else deviation


def all_priors(
    scene: Scene,
    free: Sequence[str],
    given: Mapping[str, Any] | None,
    optics: str,
) -> dict[str, tuple[float, float]]:
    """Priors of a fit, of the free names and of nuisances that join them.

    Parameters
    ----------
    scene : Scene
    free : sequence of str
        Names that the caller frees.
    given : mapping of names to (value, sd) or None, optional
        The caller's priors. A name that is not free becomes a nuisance: it varies within its
        prior and widens the intervals of the others. None switches a default prior off.
    optics : str
        ``uncertain`` adds NA, astigmatism and spherical aberration as nuisances where a lens
        forms the image and a depth, size or index is free; ``exact`` adds none.

    Raises
    ------
    FitError
        For a name that does not exist, a prior that is not two numbers, or sd ≤ 0.
    """
    if optics not in ("uncertain", "exact"):
        raise FitError(f"optics = '{optics}' must be uncertain or exact.")
    out: dict[str, tuple[float, float]] = {}
    for name in free:
        prior = default_prior(scene, name)
        if prior is not None and prior[1] > 0:
            out[name] = prior
    if optics == "uncertain" and _depends_on_lens(scene, free):
        for name in _NUISANCES:
            prior = default_prior(scene, name)
            if prior is not None:
                out[name] = prior
    for name, pair in (given or {}).items():
        if pair is None:
            out.pop(name, None)
            continue
        try:
            describe(scene, name)
        except SceneError as error:
            raise FitError(f"priors: {error}") from None
        try:
            value, deviation = (float(v) for v in pair)
        except (TypeError, ValueError):
            raise FitError(f"priors['{name}'] = {pair!r} must be (value, sd).") from None
        if not (np.isfinite(value) and np.isfinite(deviation) and deviation > 0):
            raise FitError(f"priors['{name}'] = ({value:g}, {deviation:g}): sd must be above 0.")
        out[name] = (value, deviation)
    return out


def _depends_on_lens(scene: Scene, free: Sequence[str]) -> bool:
    if scene.microscope.modality.kind not in _WITH_LENS:
        return False
    words = {last_word(name) for name in free}
    return bool(words & {"focus_um", "z_um", "radius_um", "index"})
