"""One particle of many: its surroundings, and the fit in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting import fit
from osog.fitting.problem.region import Region
from osog.fitting.problem.simulator import Simulator
from osog.fitting.problem.weights import acting_camera
from osog.fitting.report.goodness_of_fit import goodness_of_fit
from osog.fitting.starts.extents import longest_half_extent, number
from osog.fitting.starts.template_matching import template_size
from osog.scene import Particle
from osog.sensor import camera_sigma
from osog.tracking.tiles import FAILURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from osog.scene import Population, Scene

    Array = NDArray[np.float64]

# Half sides of a patch in pixels; light may reach farther.
_SMALLEST, _LARGEST = 16, 48
# Neighbours whose light is subtracted, nearest first.
_MOST_NEIGHBOURS = 12


@dataclass(frozen=True)
class Spot:
    """A particle, and how its fit ended.

    Attributes
    ----------
    particle : Particle
    number : int
        It keeps this number through a series.
    sigma : dict
        Field → standard deviation.
    chi2, chi2_reduction : float
        χ² per pixel of its patch, and how much χ² rises without the particle.
    gain : float
        Grey levels of the image over those of the engine, from its own fit; NaN before.
    fitted, converged, success : bool
        Whether it was fitted at all, arrived, and left nothing but noise.
    remark : str
    """

    particle: Particle
    number: int
    sigma: dict[str, float] = field(default_factory=dict)
    chi2: float = float("nan")
    chi2_reduction: float = 0.0
    gain: float = float("nan")
    fitted: bool = False
    converged: bool = False
    success: bool = False
    remark: str = ""


def free_fields(scene: Scene, population: Population) -> tuple[str, ...]:
    """Fields of a particle that an image of this modality shows: place, depth, size, index, turn.

    The brightness of a luminous or dark-field particle is the gain of the fit, so that its index
    stays; the tilt and roll of long particles stay, too.
    """
    shape = population.shape
    out = ["x_um", "y_um", "z_um"]
    out += [name if place is None else f"{name}[{place}]" for name, place in shape.columns()]
    if scene.microscope.modality.backdrop != "dark":
        out.append("index")
    if not shape.isotropic:
        out.append("orientation_deg[0]")
    return tuple(out)


def owned(particle: Particle, population: Population) -> Particle:
    """Particle that states its sizes and index itself, so that they can be free."""
    update: dict[str, Any] = {}
    for name in dict.fromkeys(name for name, _ in population.shape.columns()):
        if getattr(particle, name, None) is None:
            given = getattr(population.shape, name)
            update[name] = tuple(map(number, given)) if isinstance(given, tuple) else number(given)
    if particle.index is None:
        update["index"] = number(population.material.index)
    return particle.model_copy(update=update)


class Patches:
    """Fits particles one by one in their patches of one frame.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    scene : Scene
        Optics and camera.
    population : Population
    fields : tuple of str
        Free fields of a particle.
    mask : ndarray of bool, shape (Y, X)
    gain : float
        Grey levels of the image over those of the engine.
    options : dict
        Passed to `osog.fit`.
    """

    def __init__(
        self,
        image: Array,
        scene: Scene,
        population: Population,
        fields: Sequence[str],
        mask: NDArray[np.bool_],
        gain: float,
        options: dict[str, Any],
    ) -> None:
        self._image, self._scene, self.population = image, scene, population
        self._fields, self._mask, self._options = tuple(fields), mask, options
        self._names = tuple(f"particles[0].{name}" for name in self._fields)
        self.gain = gain

    def scene_of(self, particles: Sequence[Particle]) -> Scene:
        """Scene that holds these particles alone."""
        update = {"particles": tuple(particles), "count": None, "density_per_mm2": None,
                  "visible": True}  # fmt: skip
        lone = self.population.model_copy(update=update)
        return self._scene.model_copy(update={"populations": (lone,)})

    def typical(self) -> Particle:
        """Particle in the middle of the frame with the centre of every distribution."""
        grid = self._scene.grid
        middle = (0.5 * grid.pixel_size_um * (n - 1) for n in reversed(grid.shape))
        x, y = middle
        z = number(self.population.placement.z_um)
        return owned(Particle(x_um=x, y_um=y, z_um=z), self.population)

    def reach_px(self, particle: Particle) -> int:
        """How far a particle's light reaches: the body and its defocused cone, in pixels."""
        grid = self._scene.grid
        extent = longest_half_extent(self.population.shape, particle)
        defocus = self._scene.microscope.focus_planes_um[0] - particle.z_um
        side = template_size(
            self._scene, extent, abs(defocus), grid.pixel_size_um, (max(grid.shape),) * 2
        )
        return max(_SMALLEST, side // 2)

    def region(self, particle: Particle) -> Region | None:
        """Patch of a particle; None where too little of it lies in the frame."""
        pixel, half = self._scene.grid.pixel_size_um, min(_LARGEST, self.reach_px(particle))
        rows, columns = self._scene.grid.shape
        row, column = round(particle.y_um / pixel), round(particle.x_um / pixel)
        y0, y1 = max(0, row - half), min(rows, row + half + 1)
        x0, x1 = max(0, column - half), min(columns, column + half + 1)
        if y1 - y0 < _SMALLEST or x1 - x0 < _SMALLEST:
            return None
        return Region(y0, y1, x0, x1, pixel)

    def neighbours(self, spot: Spot, spots: Sequence[Spot]) -> list[Spot]:
        """Particles whose light reaches a particle's patch, nearest first."""
        pixel = self._scene.grid.pixel_size_um
        own = min(_LARGEST, self.reach_px(spot.particle))
        found = []
        for other in spots:
            if other.number == spot.number:
                continue
            dx = abs(other.particle.x_um - spot.particle.x_um) / pixel
            dy = abs(other.particle.y_um - spot.particle.y_um) / pixel
            if max(dx, dy) < own + self.reach_px(other.particle):
                found.append((float(np.hypot(dx, dy)), other))
        found.sort(key=lambda pair: pair[0])
        return [other for _, other in found[:_MOST_NEIGHBOURS]]

    def alone(self, spot: Spot, spots: Sequence[Spot], region: Region) -> Array:
        """Patch as it would look without the neighbours, to first order in their light."""
        cut = self._image[region.slices]
        near = self.neighbours(spot, spots)
        if not near:
            return cut
        if self._scene.microscope.modality.backdrop == "dark":
            # Luminous particles add their light, each with its own brightness.
            lights = [self._gain(other) * self.share(other, region) for other in near]
            return np.asarray(cut - np.sum(lights, axis=0))
        together = self._light([spot.particle, *(other.particle for other in near)], region)
        return np.asarray(
            cut - self._gain(spot) * (together - self._light([spot.particle], region))
        )

    def share(self, spot: Spot, region: Region) -> Array:
        """Light that a particle alone adds to a region, in the engine's grey levels."""
        return self._light([spot.particle], region) - self._light([], region)

    def _light(self, particles: Sequence[Particle], region: Region) -> Array:
        return Simulator(self.scene_of(particles), region, accuracy="fine")({})

    def _gain(self, spot: Spot) -> float:
        return spot.gain if np.isfinite(spot.gain) else self.gain

    def fitted(self, spot: Spot, spots: Sequence[Spot], start: str = "scene") -> Spot:
        """Fit a particle from where it is, the light of the others subtracted.

        A fit that raises leaves the particle as it was, with the reason as its remark.
        """
        region = self.region(spot.particle)
        if region is None:
            return replace(spot, remark="too near the edge of the frame to be fitted")
        try:
            return self._fitted(spot, spots, region, start)
        except FAILURES as error:
            return replace(spot, remark=f"not fitted: {error}", fitted=False, converged=False)

    def _fitted(self, spot: Spot, spots: Sequence[Spot], region: Region, start: str) -> Spot:
        patch = self.alone(spot, spots, region)
        local = region.scene(self.scene_of([spot.particle]))
        used = self._mask[region.slices]
        rest, weights = self._without(patch, local, used)
        if _is_noise(rest * weights, used, weights):
            return replace(spot, fitted=True, chi2_reduction=0.0, remark="nothing is left here")
        result = fit(
            patch, local, self._names, mask=used, start=start, advice=False, **self._options
        )
        found = _in_frame(result.scene.populations[0].particles, region)
        sigma = {name: result.sigma[f"particles[0].{name}"] for name in self._fields}
        return replace(
            spot,
            particle=found,
            sigma=sigma,
            chi2=result.chi2_per_pixel,
            chi2_reduction=_reduction(rest, result.residual, used, weights),
            gain=result.linear.get("gain", 1.0),
            fitted=True,
            converged=result.converged,
            success=result.success,
            remark=" ".join(dict.fromkeys(result.undetermined.values())),
        )

    def _without(self, patch: Array, local: Scene, used: NDArray[np.bool_]) -> tuple[Array, Array]:
        """What a patch shows beside its background, and weights 1/σ; 0 where no noise is known."""
        camera = acting_camera(local)
        bare = local.populations[0].model_copy(update={"particles": ()})
        empty = Simulator(local.model_copy(update={"populations": (bare,)}), accuracy="draft")({})
        rest = np.where(used, without_background(patch, empty, used), 0.0)
        if camera is None or not camera.noise:
            return rest, np.zeros_like(rest)
        return rest, np.where(used, 1.0 / camera_sigma(patch, camera, used), 0.0)


def _is_noise(rest: Array, used: NDArray[np.bool_], weights: Array) -> bool:
    """Whether nothing but the camera's noise is left, so that there is nothing to fit."""
    n = int(used.sum())
    chi2 = float(np.sum(rest**2)) / n
    known = bool(weights.any())
    return (
        known
        and chi2 < 1 + 2 * float(np.sqrt(2 / n))
        and goodness_of_fit(rest, used, chi2).is_surely_white
    )


def _reduction(rest: Array, residual: Array, used: NDArray[np.bool_], weights: Array) -> float:
    """By how much χ² rises when the particle is taken away and the background adapts."""
    if weights.any():
        return float(np.sum((weights * rest) ** 2) - np.sum((weights * residual) ** 2))
    before, after = float(np.sum(rest[used] ** 2)), float(np.sum(residual[used] ** 2))
    return int(used.sum()) * float(np.log(max(before, 1e-300) / max(after, 1e-300)))


def _in_frame(particles: tuple[Particle, ...] | None, region: Region) -> Particle:
    """The only particle of a patch, in the coordinates of the frame."""
    (particle,) = particles or ()
    pixel = region.pixel_size_um
    shift = {"x_um": particle.x_um + region.x0 * pixel, "y_um": particle.y_um + region.y0 * pixel}
    return particle.model_copy(update=shift)


def without_background(image: Array, empty: Array, used: NDArray[np.bool_]) -> Array:
    """Rest of an image after the best multiple of the empty field, an offset and two slopes.

    Parameters
    ----------
    image, empty : ndarray, shape (Y, X)
        The empty field is the engine's image without particles.
    used : ndarray of bool, shape (Y, X)
        Pixels that count.
    """
    columns = _columns(empty)
    found = np.linalg.lstsq(columns[:, used.ravel()].T, image[used], rcond=None)[0]
    rest: Array = image - (found @ columns).reshape(image.shape)
    return rest


def matched(image: Array, model: Array, used: NDArray[np.bool_]) -> Array:
    """Bring the engine's image to the grey levels of a micrograph.

    Parameters
    ----------
    image, model : ndarray, shape (Y, X)
    used : ndarray of bool, shape (Y, X)
        Pixels that count.

    Returns
    -------
    ndarray, shape (Y, X)
        Gain × model + offset + slopes, by least squares.
    """
    return image - without_background(image, model, used)


def _columns(model: Array) -> Array:
    y = np.linspace(-1.0, 1.0, model.shape[0])[:, None] * np.ones(model.shape)
    x = np.linspace(-1.0, 1.0, model.shape[1])[None, :] * np.ones(model.shape)
    return np.stack([model.ravel(), np.ones(model.size), x.ravel(), y.ravel()])
