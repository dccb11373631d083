"""A layer as the sample: its voxels, their size, and what its numbers are."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.plane_geometry import TargetError, length_um
from osog.io.errors import VolumeError
from osog.io.volumes import checked
from osog.scene import LabelNumbers, Material, Particle, Population, Scene, Volume, VoxelArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP = 0.03
"""Index of a label above the medium before the user states it."""
_ROWS = 12
"""Labels that get rows of their own."""
_MOST_FRAME = 2048


def with_layer_as_sample(scene: Scene, layer: Any) -> tuple[Scene, str]:
    """Return the scene with a layer as its only population, and a sentence on what was taken.

    Parameters
    ----------
    scene : Scene
    layer : napari Labels or Image layer
        Three-dimensional, axes z, y, x; it is read and never changed.

    Returns
    -------
    scene : Scene
        The volume lies in the middle of the frame and in the plane z = 0. The frame grows if it is
        too small.
    words : str

    Raises
    ------
    TargetError
        If the layer is no volume.
    osog.scene.SceneError
        If the modality cannot show one.
    """
    name = str(layer.name)
    data, holds = _numbers(layer)
    voxel_um, doubt = _voxel(layer, scene.grid.pixel_size_um)
    index = min(scene.medium.index + _STEP, 4.0)
    array = VoxelArray.of(data, voxel_um)
    labels: tuple[LabelNumbers, ...] = ()
    if holds == "labels":
        values = array.labels[0][:_ROWS]
        labels = tuple(LabelNumbers(label=int(n), index=index) for n in values)
    try:
        shape = Volume(array=array, holds=holds, voxel_um=voxel_um, labels=labels)
    except ValueError as error:
        reason = str(error).splitlines()
        raise TargetError(f"'{name}': {reason[2].strip() if len(reason) > 2 else error}") from None
    pixel = scene.grid.pixel_size_um
    wanted = [
        n if side * size <= n * pixel else min(_MOST_FRAME, 16 * ceil(side * size / pixel / 16))
        for n, side, size in zip(scene.grid.shape, data.shape[1:], voxel_um[1:], strict=True)
    ]
    middle = [(n - 1) / 2 * pixel for n in wanted]
    population = Population(
        name=name.translate(str.maketrans(".[]", "___")) or "volume",
        shape=shape,
        material=Material(index=index),
        particles=(Particle(x_um=middle[1], y_um=middle[0]),),
    )
    content = scene.model_dump()
    content["populations"] = [population.model_dump()]
    content["grid"]["shape"] = wanted
    content["background"]["crop"] = None
    what = {
        "labels": f"{len(array.labels[0]) if holds == 'labels' else 0} labels",
        "index": "refractive indices",
        "emission": "emission",
    }[holds]
    size = " × ".join(f"{side:.3g}" for side in voxel_um)
    words = f"'{name}' is the sample: {what}, voxels of {size} µm (z, y, x)."
    return Scene.parse(content), f"{words} {doubt}".strip()


def _numbers(layer: Any) -> tuple[NDArray[Any], Any]:
    """Array of a layer, and what it holds."""
    name = layer.name
    if getattr(layer, "rgb", False):
        raise TargetError(f"'{name}' is a colour image; a volume holds one number per voxel.")
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    try:
        array = checked(data, f"'{name}'")
    except VolumeError as error:
        raise TargetError(str(error)) from None
    kind = type(layer).__name__
    if kind == "Labels":
        if not array.any():
            raise TargetError(f"'{name}' holds no label yet; paint one first.")
        return array, "labels"
    if kind != "Image":
        raise TargetError(f"'{name}' is a {kind} layer; a volume is a Labels or an Image layer.")
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind == "f" and 1.0 <= low and high <= 4.0:
        return array, "index"
    if low < 0 or high <= 0:
        raise TargetError(
            f"'{name}' goes from {low:.4g} to {high:.4g}: neither an index (1 to 4) nor emission "
            "(0 and more)."
        )
    return (array / high).astype(np.float32), "emission"


def _voxel(layer: Any, pixel_um: float) -> tuple[tuple[float, float, float], str]:
    """Size (z, y, x) of a voxel in µm, and a doubt about it in words."""
    scale = [abs(float(s)) for s in layer.scale[-3:]]
    factors = [length_um(unit) for unit in layer.units[-3:]]
    if None in factors:
        ratio = pixel_um / scale[2]
        sides = [side * ratio for side in scale]
        doubt = "The layer states no unit of length: set the size of its voxels below."
    else:
        sides, doubt = [s * (f or 1.0) for s, f in zip(scale, factors, strict=True)], ""
    return (sides[0], sides[1], sides[2]), doubt


__all__ = ["with_layer_as_sample"]
