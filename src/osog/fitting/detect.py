"""Particles of an image without clicks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import maximum_filter

from osog.fitting.dictionary import (
    DARK,
    Axes,
    Entry,
    Matcher,
    brightness_matched,
    contrast,
    depth_step,
    geometric,
    template_size,
    templates,
)
from osog.fitting.errors import FitError
from osog.fitting.inputs import checked_image
from osog.fitting.start import binned, binning
from osog.fitting.weights import noise_sigma
from osog.scene import Distribution, Particle, Sphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.scene import Population, Scene

    Array = NDArray[np.float64]


def detect(
    image: Any,
    scene: Scene,
    *,
    population: str | None = None,
    depth_range_um: float = 3.0,
    most: int = 1000,
    device: str = "cpu",
) -> tuple[Particle, ...]:
    """Find particles by matched templates and non-maximum suppression.

    Templates of the population's shape run over depth, size, index and azimuth (over the support
    of a law where the scene gives one, around the number where it gives a number); every place at
    which one of them explains clearly more than noise, and most within one particle's width, is a
    particle.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        Counts, irradiance or phase, as the scene's modality and camera say.
    scene : Scene
        Optics, and the population to look for.
    population : str, optional
        Its name; the first visible one when left out.
    depth_range_um : float
        How far from the plane in focus to look, where the scene gives no law of depth.
    most : int
        Largest number of particles.
    device : str

    Returns
    -------
    tuple of Particle
        Clearest first, each with position, depth, index, radius and azimuth as far as its shape
        has them.

    Raises
    ------
    FitError
        If the image does not fit the scene, or the scene has no population to look for.
    """
    data = checked_image(image, scene)
    kind_of = _population(scene, population)
    axes = _axes(scene, kind_of, depth_range_um)
    extent = _half_extent(kind_of)
    smallest = min(axes.radii) if axes.radii else _thinnest(kind_of)
    factor = binning(scene, smallest, data.shape)
    small, pixel = binned(data, factor), scene.grid.pixel_size_um * factor
    grid = scene.grid.model_copy(update={"pixel_size_um": pixel, "shape": small.shape})
    coarse = scene.model_copy(update={"grid": grid})
    deepest = max(abs(d) for d in axes.depths)
    size = template_size(coarse, extent, min(deepest, 3.0), pixel, (small.shape[0], small.shape[1]))
    entries = templates(coarse, kind_of, axes, size, device=device)
    modality = scene.microscope.modality.kind
    cut = brightness_matched(contrast(small, modality), entries, modality)
    found = _strongest(cut, entries, size, modality)
    peaks = _peaks(found, cut, entries, max(2.0, smallest / pixel), most)
    return tuple(_particle(scene, kind_of, found, entries, r, c, factor) for r, c in peaks)


def _population(scene: Scene, name: str | None) -> Population:
    visible = [p for p in scene.populations if p.visible]
    named = visible if name is None else [p for p in scene.populations if p.name == name]
    if not named:
        known = ", ".join(p.name for p in scene.populations) or "none"
        raise FitError(
            f"population = {name!r}: the scene has no such population to look for; it has {known}."
        )
    return named[0]


def _axes(scene: Scene, population: Population, depth_range_um: float) -> Axes:
    focus = scene.microscope.focus_planes_um[0]
    depth = population.placement.z_um
    if population.particles:
        depths = [p.z_um for p in population.particles]
        low, high = focus - max(depths) - depth_range_um, focus - min(depths) + depth_range_um
    elif isinstance(depth, Distribution):
        low, high = focus - depth.support[1], focus - depth.support[0]
    else:
        low, high = focus - float(depth) - depth_range_um, focus - float(depth) + depth_range_um
    count = int(np.clip(np.ceil((high - low) / depth_step(scene)) + 1, 3, 17))
    shape, medium = population.shape, scene.medium.index
    radii: list[float] = []
    if isinstance(shape, Sphere):
        radii = _numbers(shape.radius_um, 1.4, [p.radius_um for p in population.particles or ()], 5)
    own = [p.index for p in population.particles or ()]
    index = population.material.index
    if isinstance(index, Distribution) or any(v is not None for v in own):
        support = [v for v in own if v is not None]
        support += list(index.support) if isinstance(index, Distribution) else [float(index)]
        indices = sorted({min(support), 0.5 * (min(support) + max(support)), max(support)})
        # The amplitude covers the rest; an index equal to the medium shows nothing.
        indices = [n for n in indices if abs(n - medium) > 1e-4] or [medium + 0.02]
    else:
        indices = [float(index)]
    azimuths = (0.0,) if shape.kind == "sphere" else tuple(15.0 * k for k in range(12))
    return Axes([float(d) for d in np.linspace(low, high, count)], radii, indices, azimuths)


def _numbers(quantity: Any, around: float, own: list[float | None], most: int) -> list[float]:
    given = [v for v in own if v is not None]
    if isinstance(quantity, Distribution):
        low, high = quantity.support
        given += [max(low, 1e-3), high]
        return geometric(min(given), max(given), 1.35, most)
    given.append(float(quantity))
    return geometric(min(given) / around, max(given) * around, 1.4, most)


def _half_extent(population: Population) -> float:
    return max(_halves(population))


def _thinnest(population: Population) -> float:
    return min(_halves(population))


def _halves(population: Population) -> list[float]:
    shape, halves = population.shape, []
    for field, half in (
        ("radius_um", 1.0),
        ("length_um", 0.5),
        ("semi_axes_um", 1.0),
        ("size_um", 0.5),
    ):
        if hasattr(shape, field):
            value = getattr(shape, field)
            values = value if isinstance(value, tuple) else (value,)
            own = [getattr(p, field) for p in population.particles or ()]
            for v in own:
                if v is not None:
                    values = (*values, *(v if isinstance(v, tuple) else (v,)))
            halves += [
                half * float(v.support[1] if isinstance(v, Distribution) else v) for v in values
            ]
    return halves or [1.0]


@dataclass(frozen=True)
class _Found:
    """Best template at every pixel: its fall, number and amplitude; and the amplitude's range."""

    fall: Array
    which: NDArray[np.int64]
    amplitude: Array
    clip: tuple[float, float]


def _strongest(cut: Array, entries: list[Entry], size: int, modality: str) -> _Found:
    matcher = Matcher(cut, size)
    best = np.zeros(cut.shape)
    which = np.zeros(cut.shape, np.int64)
    amplitude = np.ones(cut.shape)
    # The brightness of luminous particles says nothing about what they are.
    clip = (0.2, 3.0) if modality in DARK else (0.45, 2.1)
    for k, entry in enumerate(entries):
        fall, factor = matcher.fall(entry, clip)
        better = fall > best
        best = np.where(better, fall, best)
        which[better] = k
        amplitude = np.where(better, factor, amplitude)
    return _Found(best, which, amplitude, clip)


def _peaks(
    found: _Found, cut: Array, entries: list[Entry], apart: float, most: int
) -> list[tuple[int, int]]:
    """Places of particles, clearest first.

    A maximum counts when it stands out of the noise, lies `apart` pixels from every better one,
    and still explains half as much after the better ones have been subtracted: the maxima along
    a rod or on the rings of a sphere do not.
    """
    fall = found.fall
    if fall.size == 0 or fall.max() <= 0:
        return []
    noise = max(noise_sigma(cut), 1e-12)
    # 60 σ² is far beyond what the best of some hundred templates gains on white noise alone, and
    # a particle much weaker than the clearest is rather a piece of its rings.
    least = max(60 * noise**2, 0.08 * float(np.quantile(fall[fall > 0], 0.9995)))
    top = (fall == maximum_filter(fall, size=3)) & (fall > least)
    rows, columns = np.nonzero(top)
    rest = cut.copy()
    kept: list[tuple[int, int]] = []
    for k in np.argsort(-fall[rows, columns]):
        r, c = int(rows[k]), int(columns[k])
        if any((r - a) ** 2 + (c - b) ** 2 <= apart**2 for a, b in kept):
            continue
        image, place = _placed(entries[int(found.which[r, c])].image, r, c, rest.shape)
        energy = float(np.sum(image**2))
        match = float(np.sum(rest[place] * image))
        factor = float(np.clip(match / max(energy, 1e-300), *found.clip))
        if 2 * factor * match - factor**2 * energy < max(least, 0.5 * fall[r, c]):
            continue
        rest[place] -= factor * image
        kept.append((r, c))
        if len(kept) == most:
            break
    return kept


def _placed(
    image: NDArray[np.float32], row: int, column: int, shape: tuple[int, ...]
) -> tuple[Array, tuple[slice, slice]]:
    """Part of a template centred at a pixel that lies inside the image, and where."""
    size = image.shape[0]
    y, x = row - size // 2, column - size // 2
    inner = image[max(0, -y) : shape[0] - y, max(0, -x) : shape[1] - x]
    top, left = max(0, y), max(0, x)
    place = (slice(top, top + inner.shape[0]), slice(left, left + inner.shape[1]))
    return inner.astype(np.float64), place


def _particle(
    scene: Scene,
    population: Population,
    found: _Found,
    entries: list[Entry],
    row: int,
    column: int,
    factor: int,
) -> Particle:
    entry = entries[int(found.which[row, column])]
    amplitude = float(found.amplitude[row, column])
    pixel, medium = scene.grid.pixel_size_um, scene.medium.index
    shift = (factor - 1) / 2
    dy = _refined(found.fall[:, column], row)
    dx = _refined(found.fall[row], column)
    own: dict[str, Any] = {}
    if np.isfinite(entry.radius):
        own["radius_um"] = entry.radius
    if scene.microscope.modality.kind not in DARK:
        own["index"] = float(np.clip(medium + amplitude * (entry.index - medium), 1.0, 4.0))
    if population.shape.kind != "sphere":
        own["orientation_deg"] = (entry.azimuth, 0.0, 0.0)
    return Particle(
        x_um=(factor * (column + dx) + shift) * pixel,
        y_um=(factor * (row + dy) + shift) * pixel,
        z_um=scene.microscope.focus_planes_um[0] - entry.depth,
        **own,
    )


def _refined(line: Array, k: int) -> float:
    if not 0 < k < len(line) - 1:
        return 0.0
    before, here, after = line[k - 1], line[k], line[k + 1]
    curvature = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0
