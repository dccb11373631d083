"""Starts for a single particle from the matched dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.dictionary import (
    DARK,
    Axes,
    best_matches,
    brightness_matched,
    contrast,
    depth_step,
    geometric,
    number,
    template_size,
    templates,
)
from osog.fitting.parameters import last_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.fitting.linear import LinearPart
    from osog.fitting.parameters import FreeParameters
    from osog.fitting.region import Region
    from osog.scene import Population, Scene

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Single:
    """The only particle of a scene, and the free names that move it.

    Attributes
    ----------
    population : Population
    names : dict
        ``x``, ``y``, ``z``, ``focus``, ``radius``, ``length``, ``index``, ``azimuth``,
        ``elevation`` → free name.
    values : dict
        The same keys (all of them that the shape has) → value in the scene.
    """

    population: Population
    names: dict[str, str]
    values: dict[str, float]

    @property
    def depth(self) -> float:
        """Focus − z in µm."""
        return self.values["focus"] - self.values["z"]


def single_particle(scene: Scene, free: FreeParameters) -> Single | None:
    """Find the only particle of a scene and the free names that move it; None for others."""
    visible = [p for p in scene.populations if p.visible and p.particles]
    if len(visible) != 1 or len(visible[0].particles or ()) != 1:
        return None
    population = visible[0]
    words = {
        "x_um": "x", "y_um": "y", "z_um": "z", "focus_um": "focus", "radius_um": "radius",
    }  # fmt: skip
    names = {}
    for name in free.names:
        word = last_word(name)
        if word in words:
            names[words[word]] = name
        elif word == "index" and not name.startswith("medium"):
            names["index"] = name
        elif word == "length_um":
            names["length"] = name
        elif name.endswith("orientation_deg[0]"):
            names["azimuth"] = name
        elif name.endswith("orientation_deg[1]"):
            names["elevation"] = name
    particle = (population.particles or ())[0]
    values = {
        "x": particle.x_um,
        "y": particle.y_um,
        "z": particle.z_um,
        "focus": scene.microscope.focus_planes_um[0],
        "azimuth": particle.orientation_deg[0],
        "elevation": particle.orientation_deg[1],
        "index": _own(particle.index, population.material.index),
    }
    if hasattr(population.shape, "radius_um"):
        values["radius"] = _own(particle.radius_um, population.shape.radius_um)
    if hasattr(population.shape, "length_um"):
        values["length"] = _own(particle.length_um, population.shape.length_um)
    for key, name in names.items():
        values[key] = float(free.start[free.names.index(name)])
    return Single(population, names, values)


def _own(own: float | None, shared: object) -> float:
    return float(own) if own is not None else number(shared)


def axes_of(
    scene: Scene,
    single: Single,
    free: FreeParameters,
    blind: bool,
    azimuth: float | None = None,
) -> Axes:
    """Templates that cover the range of the free parameters.

    Parameters
    ----------
    scene : Scene
    single : Single
    free : FreeParameters
    blind : bool
        Search all of the bounds; otherwise the surroundings of the start.
    azimuth : float, optional
        Direction of a long particle, where it could be told from the image; else all are tried.
    """
    values, names = single.values, single.names
    step = depth_step(scene)
    depth = single.depth
    low = high = depth
    mover = "focus" if "focus" in names else "z" if "z" in names else ""
    if mover:
        width = max(3.0, 0.5 * abs(depth)) * (2 if blind else 1)
        low, high = depth - width, depth + width
        k = free.names.index(names[mover])
        limits = (free.low[k] - values["z"], free.high[k] - values["z"])
        if mover == "z":
            limits = (values["focus"] - free.high[k], values["focus"] - free.low[k])
        low, high = max(low, limits[0]), min(high, limits[1])
    count = int(np.clip(np.ceil((high - low) / step) + 1, 1, 25))
    depths = [float(d) for d in np.linspace(low, high, count)]
    radii: list[float] = []
    if "radius" in values:
        radii = [values["radius"]]
    if "radius" in names:
        most = 7 if single.population.shape.kind == "sphere" else 3
        radii = geometric(*_around(free, names["radius"], 2.5 if blind else 1.6), 1.35, most)
        if "length" in values:
            # A rod is at least as long as it is wide.
            radii = [r for r in radii if 2 * r < values["length"]] or [values["radius"]]
    indices = [values["index"]]
    if "index" in names:
        medium, own = scene.medium.index, values["index"]
        sign = 1.0 if own >= medium else -1.0
        delta = max(abs(own - medium), 1e-3)
        k = free.names.index(names["index"])
        reach = max(abs(free.low[k] - medium), abs(free.high[k] - medium))
        factor = 3.0 if blind else 1.8
        steps = geometric(max(delta / factor, 1e-3), min(delta * factor, reach), 1.8, 4)
        indices = [medium + sign * d for d in steps]
    azimuths: tuple[float, ...] = (values["azimuth"],)
    if "azimuth" in names:
        azimuths = (azimuth,) if azimuth is not None else tuple(15.0 * k for k in range(12))
        if azimuth is None:
            # Twelve directions make up for the amplitude and half of the depths.
            depths, indices, radii = depths[::2], indices[::2], radii[len(radii) // 2 :][:1]
    return Axes(depths, radii, indices, azimuths)


def _around(free: FreeParameters, name: str, factor: float) -> tuple[float, float]:
    k = free.names.index(name)
    start = float(free.start[k])
    return max(float(free.low[k]), start / factor), min(float(free.high[k]), start * factor)


def dictionary_starts(
    image: Array,
    used: NDArray[np.bool_],
    scene: Scene,
    single: Single,
    free: FreeParameters,
    region: Region,
    linear: LinearPart,
    *,
    keep: int = 3,
    blind: bool = False,
    diverse: bool = True,
    device: str = "cpu",
) -> list[dict[str, float]]:
    """Values by name at which a fit should start, best first.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        The region of the data.
    used : ndarray of bool, shape (Y, X)
    scene : Scene
        In coordinates of the frame.
    single : Single
    free : FreeParameters
    region : Region
    linear : LinearPart
    keep : int
    blind, diverse : bool
        Search all of the bounds; keep only candidates that differ much.
    device : str

    Returns
    -------
    list of dict
    """
    if not {"x", "y"} & set(single.names) and not {"z", "focus", "radius"} & set(single.names):
        return []
    kind = scene.microscope.modality.kind
    azimuth = None
    if "azimuth" in single.names and kind != "dic":
        width = single.values.get("radius", 0.5)
        azimuth = principal_azimuth(
            contrast(image, kind, used), 0.5 * scene.grid.pixel_size_um / width
        )
    axes = axes_of(scene, single, free, blind, azimuth)
    size_um = max([*axes.radii, _extent(single)])
    smallest = min(axes.radii) if axes.radii else size_um
    factor = binning(scene, smallest, image.shape)
    small, pixel = binned(image, factor), scene.grid.pixel_size_um * factor
    mask = binned(used.astype(float), factor) > 0.5
    grid = scene.grid.model_copy(update={"pixel_size_um": pixel, "shape": small.shape})
    coarse = scene.model_copy(update={"grid": grid})
    deepest = max((abs(d) for d in axes.depths), default=0.0)
    size = template_size(coarse, size_um, deepest, pixel, (small.shape[0], small.shape[1]))
    particle = (single.population.particles or (None,))[0]
    entries = templates(coarse, single.population, axes, size, particle, device=device)
    if "index" in single.names:
        clip = (0.6, 1.6)
    else:
        # Where contrasts are absolute, a template of another amplitude is another particle.
        clip = (0.2, 3.0) if linear.gain and kind in DARK | {"phase"} else (0.9, 1.1)
    # Pixel i of the binned image has its centre at factor · i + (factor − 1) / 2 of the region.
    shift = (factor - 1) / 2
    window = _window(small.shape, single, free, region, factor, shift)
    matches = best_matches(
        brightness_matched(contrast(small, kind, mask), entries, kind),
        entries,
        clip,
        window,
        keep,
        _step(axes),
        diverse=diverse,
    )
    out = []
    for match in matches:
        values = {"radius": match.entry.radius, "azimuth": match.entry.azimuth}
        values["x"] = (region.x0 + factor * match.column + shift) * scene.grid.pixel_size_um
        values["y"] = (region.y0 + factor * match.row + shift) * scene.grid.pixel_size_um
        medium = scene.medium.index
        values["index"] = medium + match.amplitude * (match.entry.index - medium)
        # The same direction, turned by half turns to lie nearest the start.
        turns = round((single.values["azimuth"] - match.entry.azimuth) / 180)
        values["azimuth"] = match.entry.azimuth + 180 * turns
        values["focus"] = single.values["z"] + match.entry.depth
        if "z" in single.names and "focus" not in single.names:
            values["z"] = single.values["focus"] - match.entry.depth
        out.append({single.names[k]: v for k, v in values.items() if k in single.names})
    return out


def principal_azimuth(cut: Array, band: float) -> float:
    """Direction of a long particle from the second moments of its power spectrum.

    The spectrum of a long body is broad across it. Right to a degree in all modalities but DIC,
    whose shear has a direction of its own.

    Parameters
    ----------
    cut : ndarray, shape (Y, X)
        Contrast.
    band : float
        Highest frequency in cycles per pixel.

    Returns
    -------
    float
        Degrees from +x towards +y, 0 to 180.
    """
    window = np.outer(np.hanning(cut.shape[0] + 2)[1:-1], np.hanning(cut.shape[1] + 2)[1:-1])
    power = np.abs(np.fft.fft2(cut * window)) ** 2
    fy = np.fft.fftfreq(cut.shape[0])[:, None]
    fx = np.fft.fftfreq(cut.shape[1])[None, :]
    power = np.where(np.hypot(fy, fx) <= band, power, 0.0)
    xx, yy, xy = (float(np.sum(power * m)) for m in (fx * fx, fy * fy, fx * fy))
    across = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy))
    return float((across + 90.0) % 180.0)


def binning(scene: Scene, radius_um: float, shape: tuple[int, ...]) -> int:
    """Factor by which an image may be binned for the search.

    The smallest particle keeps 8 pixels of radius, a binned pixel stays below half of the finest
    fringe λ/(2 NA) except in phase images, which have no fringes, and 32 pixels remain.
    """
    pixel = scene.grid.pixel_size_um
    microscope = scene.microscope
    factor = radius_um / (8 * pixel)
    if microscope.modality.kind != "phase":
        factor = min(factor, microscope.wavelength_um / (4 * microscope.numerical_aperture) / pixel)
    return max(1, int(min(factor, min(shape) / 32)))


def binned(image: Array, factor: int) -> Array:
    """Mean of factor × factor blocks; the rest at the far edges is cut off."""
    if factor == 1:
        return image
    rows, columns = (n // factor for n in image.shape)
    cut = image[: rows * factor, : columns * factor]
    out: Array = cut.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    return out


def _window(
    shape: tuple[int, ...],
    single: Single,
    free: FreeParameters,
    region: Region,
    factor: int,
    shift: float,
) -> NDArray[np.bool_]:
    rows, columns = np.indices(shape)
    inside = np.ones(shape, bool)
    for key, grid, first in (("y", rows, region.y0), ("x", columns, region.x0)):
        position = (first + factor * grid + shift) * region.pixel_size_um
        half = 0.5 * factor * region.pixel_size_um
        if key in single.names:
            k = free.names.index(single.names[key])
            inside &= (position >= free.low[k] - half) & (position <= free.high[k] + half)
        else:
            inside &= np.abs(position - single.values[key]) <= half * 1.001
    return inside if inside.any() else np.ones(shape, bool)


def _step(axes: Axes) -> float:
    return abs(axes.depths[1] - axes.depths[0]) if len(axes.depths) > 1 else 1e-3


def _extent(single: Single) -> float:
    shape = single.population.shape
    particle = (single.population.particles or ())[0]
    if "radius" in single.values and not hasattr(shape, "length_um"):
        return single.values["radius"]
    for field, half in (("length_um", 0.5), ("semi_axes_um", 1.0), ("size_um", 0.5)):
        if hasattr(shape, field):
            own = getattr(particle, field)
            value = own if own is not None else getattr(shape, field)
            numbers = value if isinstance(value, tuple) else (value,)
            return half * max(number(v) for v in numbers)
    return 1.0
