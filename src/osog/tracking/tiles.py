"""Patches of many particles rendered side by side in one picture, with their derivatives.

An image of a hundred pixels square costs as much in preparation as in light, so that many of them
are simulated as the tiles of one mosaic: each holds a particle, and those that touch it, far from
the next. The images are those of the engine; the light of other tiles reaches a tile only across
the gap between them, and changes with a parameter as little as its own does there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.cancellation import raise_if_cancelled
from osog.rendering import ForwardModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.region import Region
    from osog.scene import Particle, Population, Scene

    Array = NDArray[np.float64]

# Tiles along a side of a mosaic, the most pixels along one, and the gap between tiles.
_MOST_TILES = 4
_MOST_PIXELS = 640
_GAP = 48
# Of the scale of a parameter. One-sided differences of a float64 model are then right to 1e-5.
_STEP = 1e-6
FAILURES = (ValueError, RuntimeError, ArithmeticError, MemoryError, np.linalg.LinAlgError)
"""What the image of one particle may raise without stopping the others."""
_PLACES = {"x_um": (1.0, 0.0), "y_um": (0.0, 1.0)}


@dataclass(frozen=True)
class Tile:
    """A particle in its patch.

    Attributes
    ----------
    particle : Particle
        In coordinates of the frame.
    others : tuple of Particle
        Those beside it that change how its own light looks.
    region : Region
        Its patch.
    """

    particle: Particle
    others: tuple[Particle, ...]
    region: Region


class Tiles:
    """Renders tiles, many in one picture.

    Parameters
    ----------
    scene : Scene
        Optics and camera.
    population : Population
    fields : tuple of str
        Free fields of a particle.
    device : str
    accuracy : str or None
        Of the images; the scene's own for None.
    tell : callable
        Called after every picture with a word; it may raise to stop.

    Attributes
    ----------
    failures : dict
        First row and column of a patch → why its particle could not be simulated.
    """

    def __init__(
        self,
        scene: Scene,
        population: Population,
        fields: Sequence[str],
        *,
        device: str = "cpu",
        accuracy: str | None = "draft",
        tell: Callable[[str], None] = lambda word: None,
    ) -> None:
        self.failures: dict[tuple[int, int], str] = {}
        self._population, self._fields = population, tuple(fields)
        self._device, self._accuracy, self._tell = device, accuracy, tell
        # Illumination and dust belong to places of the frame.
        plain = type(scene.background)()
        self._scene = scene.model_copy(update={"background": plain})

    def images(self, tiles: Sequence[Tile]) -> list[Array]:
        """Noise-free images of the patches, in the engine's grey levels."""
        out: dict[int, Array] = {}
        side = _side(tiles)
        for group in self._groups(tiles, side):
            mosaic = self._mosaic(group, tiles, side)
            out |= {k: image.copy() for k, image in mosaic.cut(mosaic.image({})).items()}
        return [out[k] for k in range(len(tiles))]

    def empty(self) -> float:
        """Grey level of the empty field, in the engine's units."""
        grid = self._scene.grid.model_copy(update={"shape": (32, 32)})
        bare = self._population.model_copy(update={"particles": (), "count": None,
                                                   "density_per_mm2": None})  # fmt: skip
        scene = self._scene.model_copy(update={"populations": (bare,), "grid": grid})
        model = ForwardModel(scene, device=self._device, accuracy=self._accuracy)
        with torch.no_grad():
            return float(np.median(_numbers(model.image({}))))

    def columns(
        self, tiles: Sequence[Tile], scale: Array, sign: Array
    ) -> list[tuple[Array, NDArray[np.float32]]]:
        """Images of the patches, and derivatives along each field of the particle.

        Parameters
        ----------
        tiles : sequence of Tile
        scale : ndarray, shape (tiles, fields)
            A step of 1 on the solver's scale, in the units of the field.
        sign : ndarray, shape (tiles, fields)
            +1 or −1: the side on which there is room for a step.

        Returns
        -------
        list of (ndarray (y, x), ndarray (fields, y, x))
            Derivatives on the solver's scale.
        """
        out: dict[int, tuple[Array, NDArray[np.float32]]] = {}
        side = _side(tiles)
        for group in self._groups(tiles, side):
            try:
                out |= self._columns(group, tiles, side, scale, sign)
            except FAILURES:
                for k in group:
                    out |= self._alone(k, tiles, side, scale, sign)
        return [out[k] for k in range(len(tiles))]

    def _alone(
        self, k: int, tiles: Sequence[Tile], side: int, scale: Array, sign: Array
    ) -> dict[int, tuple[Array, NDArray[np.float32]]]:
        """Columns of one tile; zero, so that its particle stays, where they cannot be had."""
        try:
            return self._columns([k], tiles, side, scale, sign)
        except FAILURES as error:
            self.failures[(tiles[k].region.y0, tiles[k].region.x0)] = str(error)
            shape = tiles[k].region.shape
            return {k: (np.zeros(shape), np.zeros((len(self._fields), *shape), np.float32))}

    def _columns(
        self, group: list[int], tiles: Sequence[Tile], side: int, scale: Array, sign: Array
    ) -> dict[int, tuple[Array, NDArray[np.float32]]]:
        mosaic = self._mosaic(group, tiles, side)
        base = mosaic.image({})
        images = mosaic.cut(base)
        rows = {
            k: np.empty((len(self._fields), *image.shape), np.float32)
            for k, image in images.items()
        }
        # Those that leave the light behind the sample alone come first, while it is kept.
        order = sorted(range(len(self._fields)), key=lambda f: self._fields[f] not in _PLACES)
        for f in order:
            field = self._fields[f]
            if field in _PLACES and mosaic.moves:
                step = _STEP * float(np.median(scale[:, f]))
                x, y = _PLACES[field]
                image = mosaic.moved(step * x, step * y)
                steps = {k: step / scale[k, f] for k in images}
            else:
                steps = {k: _STEP * float(sign[k, f]) for k in images}
                image = mosaic.image({k: (field, steps[k] * scale[k, f]) for k in images})
            for k, changed in mosaic.cut(image - base).items():
                rows[k][f] = changed / steps[k]
        return {k: (image.copy(), rows[k]) for k, image in images.items()}

    def _groups(self, tiles: Sequence[Tile], side: int) -> list[list[int]]:
        """Tiles that share a mosaic: alone or not, and near in depth, so that slabs are few."""
        order = sorted(range(len(tiles)), key=lambda k: (bool(tiles[k].others),
                                                         tiles[k].particle.z_um))  # fmt: skip
        across = int(np.clip(_MOST_PIXELS // side, 1, _MOST_TILES))
        groups: list[list[int]] = []
        for k in order:
            last = groups[-1] if groups else None
            alike = last and bool(tiles[last[0]].others) == bool(tiles[k].others)
            if last and alike and len(last) < across**2:
                last.append(k)
            else:
                groups.append([k])
        return groups

    def _mosaic(self, group: list[int], tiles: Sequence[Tile], side: int) -> _Mosaic:
        across = int(np.ceil(np.sqrt(len(group))))
        down = int(np.ceil(len(group) / across))
        places, own = {}, {}
        listed: list[Particle] = []
        pixel = self._scene.grid.pixel_size_um
        for n, k in enumerate(group):
            region = tiles[k].region
            top, left = n // across * side + _GAP // 2, n % across * side + _GAP // 2
            rows, columns = region.shape
            places[k] = (slice(top, top + rows), slice(left, left + columns))
            dx, dy = (left - region.x0) * pixel, (top - region.y0) * pixel
            own[k] = len(listed)
            listed += [
                particle.model_copy(update={"x_um": particle.x_um + dx, "y_um": particle.y_um + dy})
                for particle in (tiles[k].particle, *tiles[k].others)
            ]
        update = {"particles": tuple(listed), "count": None, "density_per_mm2": None,
                  "visible": True}  # fmt: skip
        population = self._population.model_copy(update=update)
        grid = self._scene.grid.model_copy(update={"shape": (down * side, across * side)})
        scene = self._scene.model_copy(update={"populations": (population,), "grid": grid})
        alone = not any(tiles[k].others for k in group)
        model = ForwardModel(scene, device=self._device, accuracy=self._accuracy)
        return _Mosaic(model, listed, places, own, alone, self._tell)


class _Mosaic:
    """One picture of several tiles."""

    def __init__(
        self,
        model: ForwardModel,
        particles: Sequence[Particle],
        places: dict[int, tuple[slice, slice]],
        own: dict[int, int],
        alone: bool,
        tell: Callable[[str], None],
    ) -> None:
        self._model, self._particles, self._tell = model, particles, tell
        self._places, self._own = places, own
        self.moves = alone and self._model.moves_wave

    def image(self, changes: dict[int, tuple[str, float]]) -> Array:
        """Picture with a field of some tiles' particles changed by so much."""
        raise_if_cancelled()
        values = {}
        for k, (field, change) in changes.items():
            index = self._own[k]
            values[f"particles[{index}].{field}"] = value_of(self._particles[index], field) + change
        with torch.no_grad():
            image = _numbers(self._model.image(values))
        self._tell("patches")
        return image

    def moved(self, x_um: float, y_um: float) -> Array:
        """Picture with all particles moved sideways by far less than a pixel."""
        raise_if_cancelled()
        with torch.no_grad():
            return _numbers(self._model.moved({}, x_um, y_um))

    def cut(self, image: Array) -> dict[int, Array]:
        """Patches of a picture by the number of their tile."""
        return {k: image[place] for k, place in self._places.items()}


def _side(tiles: Sequence[Tile]) -> int:
    return max((max(tile.region.shape) for tile in tiles), default=1) + _GAP


def value_of(particle: Particle, name: str) -> float:
    """Number that a particle's field such as ``orientation_deg[0]`` holds."""
    field, _, place = name.partition("[")
    value = getattr(particle, field)
    return float(value[int(place[:-1])] if place else value)


def with_values(particle: Particle, names: Sequence[str], values: Array) -> Particle:
    """Particle with other numbers in its fields."""
    update: dict[str, object] = {}
    for name, value in zip(names, values.tolist(), strict=True):
        field, _, place = name.partition("[")
        if place:
            whole = list(update.get(field, getattr(particle, field)))  # type: ignore[call-overload]
            whole[int(place[:-1])] = value
            update[field] = tuple(whole)
        else:
            update[field] = value
    return particle.model_copy(update=update)


def _numbers(image: torch.Tensor) -> Array:
    array: Array = image.detach().to("cpu", torch.float64).numpy()
    return array


__all__ = ["FAILURES", "Tile", "Tiles", "value_of", "with_values"]
