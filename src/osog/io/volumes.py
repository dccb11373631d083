"""Volumes in: a 3-D array of numbers, or a closed mesh, with the size of its voxels if known."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.errors import VolumeError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

MESH_SUFFIXES = (".stl", ".obj", ".ply")
"""Names of files that hold a mesh."""
_IN_UM = {
    **dict.fromkeys(("µm", "μm", "um", "micron", "micrometer", "micrometre", "\\u00b5m"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
    **dict.fromkeys(("Å", "angstrom", "ångström"), 1e-4),
}

VoxelSize = tuple[float, float, float]


@dataclass(frozen=True)
class VolumeFile:
    """What a file holds.

    Attributes
    ----------
    array : ndarray, shape (Z, Y, X)
    voxel_um : tuple of float or None
        (z, y, x) size of a voxel, if the file states it.
    """

    array: NDArray[Any]
    voxel_um: VoxelSize | None


@dataclass(frozen=True)
class MeshFile:
    """A closed surface of triangles.

    Attributes
    ----------
    vertices : ndarray, shape (V, 3)
        (x, y, z) in the unit of the file, which such files do not state.
    faces : ndarray, shape (F, 3)
        Numbers of vertices, counter-clockwise from outside.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


def read_volume(path: str | os.PathLike[str]) -> VolumeFile:
    """Read a 3-D array.

    Parameters
    ----------
    path : path
        NPY, TIFF (OME and ImageJ state their voxels), or OME-Zarr (0.4 and 0.5, its finest level).

    Raises
    ------
    VolumeError
        If there is no such file, it is of another kind or damaged, or holds no 3-D array of real,
        finite numbers.
    """
    target = Path(path)
    if not target.exists():
        raise VolumeError(f"{target.name}: there is no such file in {target.parent}.")
    try:
        if target.is_dir():
            found = _from_zarr(target)
        elif target.suffix.lower() == ".npy":
            array = np.load(target, allow_pickle=False)
            found = VolumeFile(array, None)
        elif target.suffix.lower() in (".tif", ".tiff"):
            found = _from_tiff(target)
        else:
            raise VolumeError(
                f"{target.name} is no volume that can be read: .npy, .tif or an OME-Zarr folder, "
                f"and {', '.join(MESH_SUFFIXES)} for a mesh."
            )
    except VolumeError:
        raise
    except MemoryError:
        raise VolumeError(f"{target.name} needs more memory than there is.") from None
    except Exception as error:  # decoders raise whatever they like on damaged bytes
        lines = str(error).splitlines()
        reason = (lines[0] if lines else type(error).__name__)[:120]
        raise VolumeError(f"{target.name} cannot be read as a volume: {reason}.") from None
    return VolumeFile(checked(found.array, target.name), found.voxel_um)


def checked(array: Any, name: str) -> NDArray[Any]:
    """Return a 3-D array of real, finite numbers.

    Parameters
    ----------
    array : array_like
        Axes of length 1 beyond three are dropped.
    name : str
        For the sentence.

    Raises
    ------
    VolumeError
    """
    try:
        found = np.asarray(array)
    except (TypeError, ValueError, RuntimeError):
        raise VolumeError(f"{name} is a {type(array).__name__}, not an array.") from None
    if found.dtype.kind not in "biuf":
        raise VolumeError(f"{name} holds {found.dtype} values; it must hold real numbers.")
    if found.ndim > 3:
        extra = [k for k, n in enumerate(found.shape[:-3]) if n == 1]
        found = found.squeeze(tuple(extra)) if extra else found
    if found.ndim != 3:
        shape = " × ".join(str(n) for n in found.shape)
        raise VolumeError(f"{name} has {found.ndim} axes ({shape}); a volume has three: z, y, x.")
    if min(found.shape) < 1:
        raise VolumeError(f"{name} is empty: its shape is {found.shape}.")
    if found.dtype.kind == "f":
        # A sum of finite numbers is finite, and needs no array of truth values.
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(found.sum(dtype=np.float64))
        if not np.isfinite(total):
            bad = int(found.size - np.isfinite(found).sum())
            if bad:
                raise VolumeError(f"{name} holds {bad} numbers that are NaN or infinite.")
    return found


def _from_tiff(path: Path) -> VolumeFile:
    import tifffile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            axes, array = series.axes, series.asarray()
            if "S" in axes or array.ndim < 3:
                raise VolumeError(f"{path.name} is no grey stack: its axes are {axes}.")
            size = _of_ome(file.ome_metadata) if file.is_ome else None
            if size is None and file.is_imagej:
                size = _of_imagej(file.imagej_metadata or {}, file.pages.first.tags)
    return VolumeFile(array, size)


def _of_ome(text: str | None) -> VoxelSize | None:
    from osog.io.metadata.ome import has_dtd

    if not text or has_dtd(text):
        return None
    from ome_types import from_xml

    pixels = from_xml(text).images[0].pixels
    found = []
    for axis in "zyx":
        size = getattr(pixels, f"physical_size_{axis}")
        unit = getattr(pixels, f"physical_size_{axis}_unit")
        factor = _IN_UM.get(str(getattr(unit, "value", unit)))
        if size is None or factor is None:
            return None
        found.append(float(size) * factor)
    return found[0], found[1], found[2]


def _of_imagej(metadata: dict[str, Any], tags: Any) -> VoxelSize | None:
    factor = _IN_UM.get(str(metadata.get("unit", "")).strip())
    if factor is None or "spacing" not in metadata:
        return None
    found = [float(metadata["spacing"]) * factor]
    for name in ("YResolution", "XResolution"):
        tag = tags.get(name)
        if tag is None or not tag.value[0]:
            return None
        found.append(tag.value[1] / tag.value[0] * factor)
    return found[0], found[1], found[2]


def _from_zarr(path: Path) -> VolumeFile:
    try:
        import zarr
    except ImportError:
        raise VolumeError(
            f"{path.name} needs the package zarr: pip install 'napari-osog[volumes]'."
        ) from None
    root: Any = zarr.open(str(path), mode="r")
    attributes = json.loads(json.dumps(dict(root.attrs)))
    described = attributes.get("ome", attributes)
    if isinstance(root, zarr.Array):
        return VolumeFile(np.asarray(root[:]), None)
    if "multiscales" not in described:
        raise VolumeError(f"{path.name} is a Zarr folder without the multiscales of OME-Zarr.")
    first = described["multiscales"][0]
    level = first["datasets"][0]
    array = np.asarray(root[level["path"]][:])
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in first.get("axes", ())]
    scale = [1.0] * len(axes)
    for owner in (level, first):
        for step in owner.get("coordinateTransformations", ()):
            if step.get("type") == "scale":
                scale = [a * float(b) for a, b in zip(scale, step["scale"], strict=True)]
    found: dict[str, float] = {}
    for axis, size in zip(axes, scale, strict=True):
        factor = _IN_UM.get(str(axis.get("unit", "")))
        if factor is not None:
            found[str(axis["name"])] = size * factor
    whole = all(axis in found for axis in "zyx")
    return VolumeFile(array, (found["z"], found["y"], found["x"]) if whole else None)


def read_mesh(path: str | os.PathLike[str]) -> MeshFile:
    """Read a closed mesh.

    Parameters
    ----------
    path : path
        STL, OBJ or PLY.

    Raises
    ------
    VolumeError
        If there is no such file, it cannot be read, or its surface is not closed.
    """
    target = Path(path)
    if not target.is_file():
        raise VolumeError(f"{target.name}: there is no such file in {target.parent}.")
    if target.suffix.lower() not in MESH_SUFFIXES:
        raise VolumeError(f"{target.name} is no mesh: it must end in {', '.join(MESH_SUFFIXES)}.")
    try:
        import trimesh
    except ImportError:
        raise VolumeError(
            f"{target.name} needs the package trimesh: pip install 'napari-osog[volumes]'."
        ) from None
    try:
        mesh: Any = trimesh.load(target, force="mesh", process=True)
        mesh.merge_vertices()
        faces, vertices = np.asarray(mesh.faces, np.int64), np.asarray(mesh.vertices, np.float64)
        closed, volume = bool(mesh.is_watertight), float(mesh.volume)
    except Exception as error:  # readers raise whatever they like on damaged bytes
        lines = str(error).splitlines()
        reason = (lines[0] if lines else type(error).__name__)[:120]
        raise VolumeError(f"{target.name} cannot be read as a mesh: {reason}.") from None
    if len(faces) < 4:
        raise VolumeError(f"{target.name} holds {len(faces)} triangles; a closed body has four.")
    if not closed:
        raise VolumeError(f"{target.name} is an open surface; a body needs a closed one.")
    return MeshFile(vertices, faces if volume > 0 else faces[:, ::-1])


__all__ = ["MESH_SUFFIXES", "MeshFile", "VolumeFile", "checked", "read_mesh", "read_volume"]
