"""Every object's own contribution to an image, apart from its neighbours and from haze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osog.sensor import camera_sigma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.datasets.objects import Mask
    from osog.rendering import Renderer
    from osog.scene import Scene

Array = NDArray[np.float64]

_RINGS = 4.0
"""Distance between objects that share a picture, in λ/NA beyond their blurred rims."""
_GROUPS = 400
"""Pictures at most; objects beyond them share the last ones with near neighbours."""


@dataclass(frozen=True)
class OwnLight:
    """What one object alone adds to the image, in a patch around it.

    Attributes
    ----------
    row, column : int
        First pixel of the patch.
    light : ndarray, shape (h, w)
        Difference to the picture without it, in units of the background's light (of emission or
        dark grounds: of irradiance 1).
    contrast : float
        Largest absolute difference, over the light of the background there, or over 1 where the
        ground is dark.
    signal_to_noise : float
        Largest absolute difference over the camera's noise in one pixel at that place; NaN without
        a camera.
    """

    row: int
    column: int
    light: Array
    contrast: float
    signal_to_noise: float


def own_light(
    renderer: Renderer,
    scene: Scene,
    seed: int,
    members: Sequence[Sequence[tuple[int, int]]],
    masks: Sequence[Mask],
    defocus_um: Array,
    image: Array,
    accuracy: str = "draft",
) -> list[OwnLight]:
    """Render objects by themselves, far ones together in one picture.

    Parameters
    ----------
    renderer : Renderer
    scene : Scene
        That lists its particles.
    seed : int
    members : sequence of sequences of (int, int)
        Population, and place in its list of particles, of all that make up each object.
    masks : sequence of Mask
    defocus_um : ndarray, shape (n,)
    image : ndarray, shape (Y, X)
        Counts of the whole scene, for the noise.
    accuracy : str
        Of these pictures.

    Returns
    -------
    list of OwnLight
        One for each object. Light that neighbours scatter onto it is left out, which is what a
        person means by the object's own contrast. Objects whose light would overlap are rendered in
        different pictures, up to 400; what is left of a denser crowd shares pictures with
        neighbours, whose light then counts too.
    """
    optics = scene.microscope
    reach_um = np.abs(defocus_um) * optics.numerical_aperture / scene.medium.index
    reach_um = reach_um + _RINGS / 2 * optics.wavelengths_um[1] / optics.numerical_aperture
    reach = np.ceil(reach_um / scene.grid.pixel_size_um).astype(int)
    frames = [_patch(m, r, image.shape) for m, r in zip(masks, reach, strict=True)]
    plain = scene.model_copy(update={"camera": None})
    empty = _grey(renderer, _with(plain, []), seed, accuracy)
    bright = optics.modality.backdrop == "bright"
    noise = None if scene.camera is None else camera_sigma(image, scene.camera)
    per_light = 0.0
    if scene.camera is not None:
        camera = scene.camera
        per_light = camera.em_gain * camera.electrons_at_one / camera.gain_electrons_per_count
    out: list[OwnLight | None] = [None] * len(masks)
    for together in _apart(frames):
        shown = [member for k in together for member in members[k]]
        picture = _grey(renderer, _with(plain, shown), seed, accuracy) - empty
        for k in together:
            top, left, bottom, right = frames[k]
            light = picture[top:bottom, left:right]
            if light.size == 0:
                out[k] = OwnLight(top, left, light, float("nan"), float("nan"))
                continue
            peak = np.unravel_index(int(np.abs(light).argmax()), light.shape)
            most = abs(float(light[peak]))
            ground = float(empty[top:bottom, left:right][peak]) if bright else 1.0
            ratio = float("nan")
            if noise is not None:
                ratio = most * per_light / float(noise[top:bottom, left:right][peak])
            out[k] = OwnLight(top, left, light, most / max(ground, 1e-9), ratio)
    return [found for found in out if found is not None]


def _patch(mask: Mask, reach: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Rows and columns (top, left, bottom, right) around a mask, inside the frame."""
    height, width = mask.pixels.shape
    if not mask.pixels.size:
        return 0, 0, 0, 0
    return (
        max(0, mask.row - reach),
        max(0, mask.column - reach),
        min(shape[0], mask.row + height + reach),
        min(shape[1], mask.column + width + reach),
    )


def _apart(frames: Sequence[tuple[int, int, int, int]]) -> list[list[int]]:
    """Sort objects into pictures in which no two patches overlap, the largest first."""
    pictures: list[list[int]] = []
    area = [(bottom - top) * (right - left) for top, left, bottom, right in frames]
    for k in sorted(range(len(frames)), key=lambda k: -area[k]):
        top, left, bottom, right = frames[k]
        for picture in pictures:
            if all(
                frames[o][0] >= bottom or frames[o][2] <= top
                or frames[o][1] >= right or frames[o][3] <= left
                for o in picture
            ):  # fmt: skip
                picture.append(k)
                break
        else:
            if len(pictures) < _GROUPS:
                pictures.append([k])
            else:
                pictures[k % _GROUPS].append(k)
    return pictures


def _with(scene: Scene, shown: Sequence[tuple[int, int]]) -> Scene:
    """Return the scene with some of its particles only."""
    kept: dict[int, list[int]] = {}
    for mine, place in shown:
        kept.setdefault(mine, []).append(place)
    populations = []
    for number, population in enumerate(scene.populations):
        listed = population.particles or ()
        chosen = tuple(listed[k] for k in sorted(kept.get(number, ())))
        populations.append(population.model_copy(update={"particles": chosen}))
    return scene.model_copy(update={"populations": tuple(populations)})


def _grey(renderer: Renderer, scene: Scene, seed: int, accuracy: str) -> Array:
    image = renderer.render(scene, seed, accuracy).image.double().cpu().numpy()
    result: Array = image.mean(-1) if image.ndim == 3 else image
    return result
