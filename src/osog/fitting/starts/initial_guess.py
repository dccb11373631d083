"""Initial guesses for a single particle, from templates matched to the image."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.fitting.starts.binning import binned, binning
from osog.fitting.starts.extents import longest_half_extent
from osog.fitting.starts.template_matching import (
    TemplateAxes,
    best_matches,
    brightness_matched,
    contrast,
    geometric,
    rendered_templates,
    template_size,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.fitting.problem.parameters import FreeParameters
    from osog.fitting.problem.region import Region
    from osog.fitting.problem.setup import FitSetup
    from osog.fitting.starts.single_particle import SingleParticle
    from osog.fitting.starts.template_matching import TemplateMatch
    from osog.scene import Scene

    Array = NDArray[np.float64]


# Degrees between the directions that are tried for a long particle.
_TURN_STEP = 15.0


def axes_of(
    scene: Scene,
    single: SingleParticle,
    free: FreeParameters,
    over_bounds: bool,
    azimuth: float | None = None,
) -> TemplateAxes:
    """Templates that cover the range of the free parameters.

    Parameters
    ----------
    scene : Scene
    single : SingleParticle
    free : FreeParameters
    over_bounds : bool
        Search all of the bounds; otherwise the surroundings of the start.
    azimuth : float, optional
        Direction of a long particle, where it could be told from the image; else all are tried.
    """
    values, names = single.values, single.names
    step = 0.5 * depth_of_field_um(scene)
    defocus = single.defocus_um
    low = high = defocus
    mover = "focus" if "focus" in names else "z" if "z" in names else ""
    if mover:
        width = max(3.0, 0.5 * abs(defocus)) * (2 if over_bounds else 1)
        low, high = defocus - width, defocus + width
        k = free.names.index(names[mover])
        limits = (free.low[k] - values["z"], free.high[k] - values["z"])
        if mover == "z":
            limits = (values["focus"] - free.high[k], values["focus"] - free.low[k])
        low, high = max(low, limits[0]), min(high, limits[1])
    count = int(np.clip(np.ceil((high - low) / step) + 1, 1, 25))
    defocuses = [float(d) for d in np.linspace(low, high, count)]
    radii: list[float] = []
    if "radius" in values:
        radii = [values["radius"]]
    if "radius" in names:
        most = 7 if single.population.shape.isotropic else 3
        radii = geometric(*_around(free, names["radius"], 2.5 if over_bounds else 1.6), 1.35, most)
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
        factor = 3.0 if over_bounds else 1.8
        steps = geometric(max(delta / factor, 1e-3), min(delta * factor, reach), 1.8, 4)
        indices = [medium + sign * d for d in steps]
    azimuths: tuple[float, ...] = (values["azimuth"],)
    lengths: list[float] = []
    if "length" in names and (azimuth is not None or "azimuth" not in names):
        # Half of the indices: the amplitude makes up for them.
        indices = indices[::2]
        lengths = geometric(*_around(free, names["length"], 2.0 if over_bounds else 1.6), 1.5, 4)
    if "azimuth" in names:
        azimuths = (azimuth,) if azimuth is not None else directions()
        if azimuth is None:
            # Twelve directions make up for the amplitude and half of the depths.
            defocuses, indices = defocuses[::2], indices[::2]
            radii = radii[len(radii) // 2 :][:1]
    return TemplateAxes(defocuses, radii, indices, azimuths, lengths)


def _around(free: FreeParameters, name: str, factor: float) -> tuple[float, float]:
    k = free.names.index(name)
    start = float(free.start[k])
    return max(float(free.low[k]), start / factor), min(float(free.high[k]), start * factor)


def initial_guesses(
    setup: FitSetup,
    single: SingleParticle,
    *,
    candidates: int = 3,
    over_bounds: bool = False,
    diverse: bool = True,
) -> list[dict[str, float]]:
    """Values by name at which a fit should start, best first.

    Parameters
    ----------
    setup : FitSetup
    single : SingleParticle
        The particle that the templates show.
    candidates : int
        How many guesses at most.
    over_bounds : bool
        Search all of the bounds; otherwise the surroundings of the start.
    diverse : bool
        Keep only guesses that differ much.

    Returns
    -------
    list of dict
        Empty where nothing is free that a template could tell.
    """
    if not {"x", "y"} & set(single.names) and not {"z", "focus", "radius"} & set(single.names):
        return []
    scene, region, modality = setup.scene, setup.region, setup.scene.microscope.modality
    backdrop = modality.backdrop
    azimuth = None
    if "azimuth" in single.names and not modality.directional:
        width = single.values.get("radius", 0.5)
        azimuth = principal_azimuth(
            contrast(setup.data, backdrop, setup.used), 0.5 * scene.grid.pixel_size_um / width
        )
    axes = axes_of(scene, single, setup.wanted, over_bounds, azimuth)
    particle = (single.population.particles or ())[0]
    size_um = max(
        [
            *axes.radii,
            *(0.5 * length for length in axes.lengths),
            longest_half_extent(single.population.shape, particle),
        ]
    )
    smallest = min(axes.radii) if axes.radii else size_um
    factor = binning(scene, smallest, setup.data.shape)
    small, mask = binned(setup.data, factor, setup.used)
    pixel = scene.grid.pixel_size_um * factor
    grid = scene.grid.model_copy(update={"pixel_size_um": pixel, "shape": small.shape})
    coarse = scene.model_copy(update={"grid": grid})
    deepest = max((abs(d) for d in axes.defocuses), default=0.0)
    size = template_size(coarse, size_um, deepest, pixel, (small.shape[0], small.shape[1]))
    templates = rendered_templates(
        coarse, single.population, axes, size, particle, device=setup.device
    )
    if "index" in single.names:
        clip = (0.6, 1.6)
    else:
        # Where contrasts are absolute, a template of another amplitude is another particle.
        clip = (0.2, 3.0) if setup.linear.gain and backdrop != "bright" else (0.9, 1.1)
    window = _window(small.shape, single, setup.wanted, region, factor)
    matches = best_matches(
        brightness_matched(
            contrast(small, backdrop, mask),
            templates,
            unknown_scale=backdrop == "dark" or (backdrop == "phase" and setup.linear.gain),
        ),
        templates,
        clip,
        window,
        candidates,
        _step(axes),
        diverse=diverse,
        used=mask,
    )
    return [_values(match, scene, single, region, factor) for match in matches]


def _values(
    match: TemplateMatch, scene: Scene, single: SingleParticle, region: Region, factor: int
) -> dict[str, float]:
    """Free values at a match of an image that is binned by a factor."""
    pixel, medium, template = scene.grid.pixel_size_um, scene.medium.index, match.template
    # Pixel i of the binned image has its centre at factor · i + (factor − 1) / 2 of the region.
    shift = (factor - 1) / 2
    # The same direction, turned by half turns to lie nearest the start.
    turns = round((single.values["azimuth"] - template.azimuth) / 180)
    values = {
        "radius": template.radius,
        "azimuth": template.azimuth + 180 * turns,
        "x": (region.x0 + factor * match.column + shift) * pixel,
        "y": (region.y0 + factor * match.row + shift) * pixel,
        "length": template.length,
        "index": medium + match.amplitude * (template.index - medium),
        "focus": single.values["z"] + template.defocus,
    }
    if "z" in single.names and "focus" not in single.names:
        values["z"] = single.values["focus"] - template.defocus
    # A number that the templates do not run over keeps its start.
    return {single.names[k]: v for k, v in values.items() if k in single.names and isfinite(v)}


def directions() -> tuple[float, ...]:
    """Azimuths in degrees that are tried for long particles: a half turn, since ends are alike."""
    return tuple(_TURN_STEP * k for k in range(round(180 / _TURN_STEP)))


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


def _window(
    shape: tuple[int, ...],
    single: SingleParticle,
    free: FreeParameters,
    region: Region,
    factor: int,
) -> NDArray[np.bool_]:
    """Pixels of the binned image in which the particle's centre may lie."""
    shift = (factor - 1) / 2
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


def _step(axes: TemplateAxes) -> float:
    values = axes.defocuses
    return abs(values[1] - values[0]) if len(values) > 1 else 1e-3
