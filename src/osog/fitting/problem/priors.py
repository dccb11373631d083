"""Optics are never known exactly: Gaussian priors on the numbers of the microscope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting.errors import FitError
from osog.scene import SceneError
from osog.scene.parameters import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from osog.scene import Scene
    from osog.scene.model import FitRole

NUISANCES = (
    "microscope.numerical_aperture",
    "microscope.aberrations.astigmatism_0",
    "microscope.aberrations.astigmatism_45",
    "microscope.aberrations.spherical",
)
"""Optics that vary within their tolerance where a lens forms the image."""
NUISANCE_REACH = 4.0
"""Standard deviations of its prior within which a nuisance stays."""
# Free numbers that a lens other than the nominal one pulls along.
_SEEN_THROUGH_LENS: frozenset[FitRole] = frozenset(
    {"focus", "z", "radius", "index", "medium_index"}
)


def default_prior(scene: Scene, name: str) -> tuple[float, float] | None:
    """Nominal value and standard deviation of an optics number; None for others.

    The tolerance is stated on the field: aberrations 0.02 waves, NA 2 %, condenser NA 10 %,
    wavelength 0.5 %, index of the medium 0.002.
    """
    parameter = describe(scene, name)
    traits = parameter.fit
    if traits.relative_tolerance is not None:
        return parameter.value, traits.relative_tolerance * parameter.value
    return None if traits.tolerance is None else (parameter.value, traits.tolerance)


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
        # A condenser NA of 0 is a choice, not a figure with a tolerance.
        if prior is not None and prior[1] > 0:
            out[name] = prior
    if optics == "uncertain" and _depends_on_lens(scene, free):
        for name in NUISANCES:
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
    roles = {describe(scene, name).role for name in free}
    return scene.microscope.modality.lens_tolerance and bool(roles & _SEEN_THROUGH_LENS)
