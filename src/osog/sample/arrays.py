"""Tensors that stand in for whole arrays of a scene."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.derivatives import array, needs_plain_operations, plain_numbers
from osog.scene import SceneError
from osog.scene.parameters import get
from osog.scene.volumes import VoxelShape
from osog.scene.voxels import VoxelArray

if TYPE_CHECKING:
    from osog.scene import Scene


def is_array(scene: Scene, name: str) -> bool:
    """Whether a dotted name is that of an array."""
    return name.endswith(".shape.array") and isinstance(get(scene, name), VoxelArray)


def array_given(
    scene: Scene, name: str, value: Any, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Return the tensor for an array.

    Parameters
    ----------
    scene : Scene
    name : str
        Such as ``populations.cell.shape.array``.
    value : Tensor or array_like, shape (Z, Y, X)
        Of the shape of the array that it replaces.
    dtype, device
        Of the result.

    Raises
    ------
    SceneError
        If the array holds labels, or the tensor has another shape or numbers that are not finite.
    """
    shape = get(scene, name.removesuffix(".array"))
    assert isinstance(shape, VoxelShape)
    if shape.contents == "labels":
        raise SceneError(
            f"'{name}' holds labels, which have no derivative; vary the numbers of a label, such "
            f"as {name.removesuffix('array')}labels[0].index, or give an array of indices."
        )
    try:
        tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise SceneError(f"'{name}' takes an array, not {type(value).__name__}.") from None
    wanted = shape.grid.data.shape
    if tuple(tensor.shape) != wanted:
        raise SceneError(f"'{name}' takes an array of {wanted}, not of {tuple(tensor.shape)}.")
    if needs_plain_operations(tensor):
        tensor = tensor.double()
    tensor = tensor.to(device, dtype)
    if not bool(torch.isfinite(plain_numbers(tensor)).all()):
        raise SceneError(f"'{name}' holds numbers that are NaN or infinite.")
    return tensor


def number_of(value: Tensor | float) -> float:
    """Return the number, or one that tells arrays apart."""
    if not isinstance(value, Tensor):
        return float(value)
    if value.numel() == 1:
        return float(value.detach())
    found = hashlib.blake2b(array(value).tobytes(), digest_size=6)
    return float(int.from_bytes(found.digest(), "big"))


__all__ = ["array_given", "is_array", "number_of"]
