"""Other places of a particle's numbers from which a descent may find a lower minimum.

A long particle that a search has found knows neither its length nor its tilt, and one that is too
short with one end in place is a true minimum of χ²; a sphere may sit on the wrong side of focus.
The alternatives are simulated side by side, and ranked against what data − model leave for the
particle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.fitting.starts.initial_guess import principal_azimuth
from osog.fitting.starts.perturbations import perturbations
from osog.fitting.starts.single_particle import SingleParticle
from osog.tracking.tiles import Tile, value_of, with_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.region import Region
    from osog.scene import Particle, Population, Scene
    from osog.tracking.tiles import Tiles

    Array = NDArray[np.float64]

# Factors on a length, tilts in degrees, and steps of depth in depths of field, of a first look.
_LENGTHS = (0.7, 1.0, 1.35)
_TILTS = (-22.0, 0.0, 22.0)
_DEPTHS = (-0.8, 0.0, 0.8)
# Range of the factor on the contrast of a candidate, and how far it may lie from the start.
_CLIP = (0.5, 2.0)
_SHIFT_UM = 0.9
# What is tried on a sphere: factors on its radius, and steps of depth in depths of field.
_RADII = (0.72, 1.0, 1.4)
_KEYS = {"x_um": "x", "y_um": "y", "z_um": "z", "radius_um": "radius", "length_um": "length",
         "index": "index", "orientation_deg[0]": "azimuth",
         "orientation_deg[1]": "elevation"}  # fmt: skip


class Alternatives:
    """Candidates for the numbers of a particle.

    Parameters
    ----------
    scene : Scene
    population : Population
    fields : tuple of str
        Free fields of a particle.
    tiles : Tiles
    """

    def __init__(
        self, scene: Scene, population: Population, fields: tuple[str, ...], tiles: Tiles
    ) -> None:
        self._scene, self._population, self._fields, self._tiles = scene, population, fields, tiles
        self._empty = tiles.empty()
        self._field = depth_of_field_um(scene)

    @property
    def long(self) -> bool:
        """Whether the particles have a direction that is free."""
        return "orientation_deg[0]" in self._fields

    @property
    def empty(self) -> float:
        """Grey level of the empty field, in the engine's units."""
        return self._empty

    def first_look(
        self,
        particles: Sequence[Particle],
        regions: Sequence[Region],
        targets: Sequence[Array],
        weights: Sequence[Array],
    ) -> list[Particle]:
        """Length, direction, tilt and depth of long particles from the best of a few.

        Parameters
        ----------
        particles : sequence of Particle
            As a search has found them.
        regions : sequence of Region
        targets : sequence of ndarray
            Contrast in a patch that is left for the particle, in the engine's grey levels.
        weights : sequence of ndarray
        """
        now = list(particles)
        for turn in (True, False):
            options = [
                self._turned(one, target) if turn else self._tilted(one)
                for one, target in zip(now, targets, strict=True)
            ]
            owners = [k for k, listed in enumerate(options) for _ in listed]
            flat = [one for listed in options for one in listed]
            images = self._tiles.images(
                [Tile(one, (), regions[k]) for one, k in zip(flat, owners, strict=True)]
            )
            best = np.zeros(len(now))
            for one, k, image in zip(flat, owners, images, strict=True):
                score, found = self._matched(one, image - self._empty, targets[k], weights[k])
                if score < best[k]:
                    best[k], now[k] = score, found
        return now

    def _turned(self, one: Particle, target: Array) -> list[Particle]:
        width = one.radius_um or 0.5
        azimuths = [one.orientation_deg[0]]
        if not self._scene.microscope.modality.directional:
            band = 0.5 * self._scene.grid.pixel_size_um / width
            azimuths.append(principal_azimuth(_windowed(target), band))
        lengths = _LENGTHS if "length_um" in self._fields else (None,)
        return [
            one.model_copy(
                update={"orientation_deg": (azimuth, *one.orientation_deg[1:])}
                | ({} if factor is None else {"length_um": factor * (one.length_um or 1.0)})
            )
            for azimuth in azimuths
            for factor in lengths
        ]

    def _tilted(self, one: Particle) -> list[Particle]:
        azimuth, tilt, roll = one.orientation_deg
        tilts = _TILTS if "orientation_deg[1]" in self._fields else (0.0,)
        depths = _DEPTHS if "z_um" in self._fields else (0.0,)
        return [
            one.model_copy(
                update={"orientation_deg": (azimuth, tilt + more, roll),
                        "z_um": one.z_um + step * self._field}
            )
            for more in tilts
            for step in depths
        ]  # fmt: skip

    def _matched(
        self, one: Particle, contrast: Array, target: Array, weights: Array
    ) -> tuple[float, Particle]:
        """Change of χ² with a candidate where it fits best, and the candidate there."""
        pixel = self._scene.grid.pixel_size_um
        power = weights**2
        energy = float(np.sum(power * contrast**2))
        if energy <= 0:
            return 0.0, one
        match = np.fft.irfft2(
            np.fft.rfft2(power * target) * np.conj(np.fft.rfft2(contrast)), contrast.shape
        )
        reach = max(1, round(_SHIFT_UM / pixel)) if "x_um" in self._fields else 0
        near = np.roll(match, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
        row, column = np.unravel_index(int(np.argmax(near)), near.shape)
        best = float(near[row, column])
        low, high = _CLIP if "index" in self._fields else (1.0, 1.0)
        factor = float(np.clip(best / energy, low, high))
        update = {
            "x_um": one.x_um + (int(column) - reach) * pixel,
            "y_um": one.y_um + (int(row) - reach) * pixel,
        }
        if "index" in self._fields and one.index is not None:
            medium = self._scene.medium.index
            update["index"] = medium + factor * (one.index - medium)
        return factor**2 * energy - 2 * factor * best, one.model_copy(update=update)

    def moves(self, one: Particle) -> list[Particle]:
        """Starts that differ from a fitted particle by one change."""
        names = {key: name for name, key in _KEYS.items() if name in self._fields}
        values = {
            key: value_of(one, name) for name, key in _KEYS.items()
            if getattr(one, name.partition("[")[0], None) is not None
        }  # fmt: skip
        values["focus"] = self._scene.microscope.focus_planes_um[0]
        fields = {name: values[key] for key, name in names.items()}
        single = SingleParticle(self._population, names, values)
        out = perturbations(single, fields) if self.long else []
        if not out and "z_um" in fields:
            z, focus = fields["z_um"], values["focus"]
            depths = [2 * focus - z, *(z + step * self._field for step in (-2, -1, 0, 1, 2))]
            radii = _RADII if "radius_um" in fields else (1.0,)
            out = [
                fields | {"z_um": depth}
                | ({"radius_um": fields["radius_um"] * factor} if "radius_um" in fields else {})
                for depth in depths for factor in radii if (depth, factor) != (z, 1.0)
            ]  # fmt: skip
        return [_with(one, move) for move in out]

    def best_move(
        self, one: Particle, region: Region, target: Array, weights: Array, rows: Array
    ) -> tuple[float, Particle]:
        """χ² that the best change leaves once the particle has taken its first step from there.

        Parameters
        ----------
        one : Particle
            As fitted.
        region : Region
        target, weights : ndarray, shape (y, x)
        rows : ndarray, shape (F, y, x)
            Derivatives of its image.
        """
        options = self.moves(one)
        if not options:
            return float("inf"), one
        images = self._tiles.images([Tile(option, (), region) for option in options])
        flat = (rows * weights).reshape(len(rows), -1).T
        basis = np.linalg.qr(flat)[0]
        best, chosen = float("inf"), one
        for option, image in zip(options, images, strict=True):
            rest = (weights * (target - (image - self._empty))).ravel()
            left = float(rest @ rest - np.sum((basis.T @ rest) ** 2))
            if left < best:
                best, chosen = left, option
        return best, chosen


def _windowed(target: Array) -> Array:
    """Contrast about the middle of a patch, where the particle is."""
    y = np.linspace(-1, 1, target.shape[0])[:, None]
    x = np.linspace(-1, 1, target.shape[1])[None, :]
    return np.asarray(target * np.exp(-2 * (x**2 + y**2)))


def _with(one: Particle, numbers: dict[str, float]) -> Particle:
    return with_values(one, tuple(numbers), np.array(list(numbers.values())))


__all__ = ["Alternatives"]
