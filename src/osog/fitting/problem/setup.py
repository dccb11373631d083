"""Everything that a fit is given, checked and put together once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting.errors import FitError
from osog.fitting.problem.held import held_names
from osog.fitting.problem.inputs import CheckedImage, checked_image
from osog.fitting.problem.linear import linear_part
from osog.fitting.problem.parameters import FreeParameters, free_parameters
from osog.fitting.problem.priors import NUISANCE_REACH, all_priors
from osog.fitting.problem.region import Region, region_of
from osog.fitting.problem.weights import acting_camera, unsaturated
from osog.sample import explicit
from osog.scene import SceneError
from osog.scene.parameters import replaced
from osog.sensor import camera_sigma

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.linear import LinearPart
    from osog.scene import Scene

    Array = NDArray[np.float64]

_FEWEST_PIXELS = 16


@dataclass(frozen=True)
class FitSetup:
    """What is to be fitted.

    Attributes
    ----------
    data, weights : ndarray, shape (Y, X)
        The region of the image; 1/σ, or 0 and 1 where the noise is not known.
    used : ndarray of bool, shape (Y, X)
        Pixels that count.
    noise_known : bool
        Whether the camera states its noise.
    scene : Scene
        In coordinates of the frame, with explicit particles.
    region : Region
    wanted, parameters : FreeParameters
        What the caller frees; the same without what is held, with the nuisances.
    held : dict
        Free names that nothing can determine and that stay at their start → reason in words.
    linear : LinearPart
    priors : dict
        Name → (value, standard deviation).
    device : str
    max_iterations : int
    """

    data: Array
    weights: Array
    used: NDArray[np.bool_]
    noise_known: bool
    scene: Scene
    region: Region
    wanted: FreeParameters
    parameters: FreeParameters
    held: dict[str, str]
    linear: LinearPart
    priors: dict[str, tuple[float, float]]
    device: str
    max_iterations: int

    @property
    def nuisances(self) -> tuple[str, ...]:
        """Names that vary within their priors and were not asked for."""
        return tuple(n for n in self.parameters.names if n not in self.wanted.names)

    @property
    def spread(self) -> float:
        """Standard deviation of the data over the pixels that count; 1 for a constant image."""
        return float(np.std(self.data[self.used])) or 1.0

    def fitted(self, values: Mapping[str, float]) -> Scene:
        """Put values into the scene; an NA is kept below the immersion index."""
        values = dict(values)
        aperture = values.get("microscope.numerical_aperture", 0.0)
        immersion = self.scene.microscope.immersion_index
        if aperture >= immersion:
            values["microscope.numerical_aperture"] = immersion - 1e-6
        return replaced(self.scene, values)


def fit_setup(
    image: Any,
    scene: Scene,
    free: Sequence[str],
    bounds: Mapping[str, tuple[float, float]] | None,
    mask: Any,
    *,
    seed: int,
    priors: Mapping[str, Any] | None,
    optics: str,
    linear: str,
    region: tuple[int, int, int, int] | None,
    max_iterations: int,
    device: str,
) -> FitSetup:
    """Check what `osog.fit` is given, and put it together.

    Parameters
    ----------
    image, scene, free, bounds, mask, seed, priors, optics, linear, region, max_iterations, device
        As for `osog.fit`.

    Raises
    ------
    FitError
        For an image, name, bound, prior, mask or region that cannot be used.
    """
    if max_iterations < 1:
        raise FitError(f"max_iterations = {max_iterations} must be at least 1.")
    checked = checked_image(image, scene, mask)
    data = checked.values
    try:
        listed = explicit(scene, seed)
    except SceneError as error:
        raise FitError(str(error)) from None
    area = region_of(region, listed)
    free = (free,) if isinstance(free, str) else tuple(free)
    wanted = free_parameters(listed, free, bounds)
    used = _used(checked, listed, area)
    cut = data[area.slices]
    terms = linear_part(linear, listed, cut[used], free, grey_levels=checked.grey_levels)
    pairs = all_priors(listed, free, priors, optics)
    held = held_names(listed, wanted, terms, pairs)
    camera = acting_camera(listed)
    known = camera is not None and camera.noise
    weights = used.astype(np.float64)
    if camera is not None and known:
        weights = np.where(used, 1.0 / camera_sigma(cut, camera, checked.counted[area.slices]), 0.0)
    return FitSetup(
        data=cut,
        weights=weights,
        used=used,
        noise_known=known,
        scene=listed,
        region=area,
        wanted=wanted,
        parameters=_with_nuisances(listed, wanted, pairs, held),
        held=held,
        linear=terms,
        priors={n: p for n, p in pairs.items() if n not in held},
        device=device,
        max_iterations=max_iterations,
    )


def _with_nuisances(
    scene: Scene,
    wanted: FreeParameters,
    priors: Mapping[str, tuple[float, float]],
    held: Mapping[str, str],
) -> FreeParameters:
    kept = wanted.without(held)
    if not len(kept):
        raise FitError(f"free = {wanted.names}: {held[wanted.names[0]]} Nothing else is free.")
    extra = tuple(n for n in priors if n not in wanted.names)
    if not extra:
        return kept
    nuisances = free_parameters(scene, extra)
    value, deviation = np.array([priors[n] for n in extra]).T
    # Where the image is not explained, χ² outweighs any prior: a nuisance stays what it is.
    low = np.maximum(nuisances.low, value - NUISANCE_REACH * deviation)
    high = np.minimum(nuisances.high, value + NUISANCE_REACH * deviation)
    low, high = np.minimum(low, nuisances.start), np.maximum(high, nuisances.start)
    return kept.joined(replace(nuisances, low=low, high=high))


def _used(checked: CheckedImage, scene: Scene, region: Region) -> NDArray[np.bool_]:
    used = checked.counted
    camera = acting_camera(scene)
    if camera is not None:
        used = used & unsaturated(checked.values, camera)
    cut: NDArray[np.bool_] = used[region.slices]
    if cut.sum() < _FEWEST_PIXELS:
        raise FitError(
            f"mask and saturation leave {int(cut.sum())} pixels of the region; a fit needs at "
            f"least {_FEWEST_PIXELS}."
        )
    return cut
