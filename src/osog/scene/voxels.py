"""Arrays of voxels in a scene: from a file, from memory, or built in.

A scene compares and copies often, so an array is known by the digest of its bytes and is never
copied. In a scene file it is a path relative to that file.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from osog.io import atomic
from osog.io.volumes import MESH_SUFFIXES, MeshFile, checked, read_mesh, read_volume
from osog.scene.phantoms import MESHES, PHANTOMS
from osog.scene.scene_folder import scene_folder

_IN_MEMORY = "memory:"
_SAVED_AS: ContextVar[Path | None] = ContextVar("scene file that is written", default=None)
_PINNED: ContextVar[bool] = ContextVar("whether scenes are written with digests", default=False)
_KNOWN: "WeakValueDictionary[str, _Content]" = WeakValueDictionary()
"""Arrays that some scene holds, by digest."""
_FILES: "WeakValueDictionary[tuple[str, int, int], _Content]" = WeakValueDictionary()
"""Contents of files by path, time of change and size."""


@contextmanager
def saved_beside(scene_file: Path) -> Iterator[None]:
    """Write paths of arrays relative to a scene file, and arrays in memory beside it."""
    token = _SAVED_AS.set(scene_file)
    try:
        with pinned():
            yield
    finally:
        _SAVED_AS.reset(token)


@contextmanager
def pinned() -> Iterator[None]:
    """Write scenes with the digests of their files of voxels, so that changed ones are noticed."""
    token = _PINNED.set(True)
    try:
        yield
    finally:
        _PINNED.reset(token)


class _Content:
    """What an array or a mesh is made of: read-only, and equal where the bytes are."""

    digest: str
    source: str

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __copy__(self) -> "_Content":
        return self

    def __deepcopy__(self, memo: Any) -> "_Content":
        return self

    def pin(self) -> str | None:
        """Digest for a scene file, where digests are asked for; None for what is built in."""
        own = Path(self.source).is_absolute() or self.source.startswith(_IN_MEMORY)
        return self.digest if own and _PINNED.get() else None

    def check(self, digest: str | None, field: str) -> None:
        """Refuse another content than that which a scene was saved with.

        Raises
        ------
        ValueError
            In one sentence.
        """
        if digest is not None and digest != self.digest:
            shown = self.source if len(self.source) < 60 else "…" + self.source[-58:]
            raise ValueError(
                f"{field} = '{shown}' has changed since the scene was saved (digest "
                f"{self.digest[:8]}, not {str(digest)[:8]}); leave digest out to take it all the "
                "same."
            )

    def _written(self) -> str:
        """Name for a scene file."""
        beside = _SAVED_AS.get()
        path = Path(self.source)
        if not path.is_absolute():  # built in, or in memory
            return self.source if beside is None else self._saved(beside)
        if beside is None:
            return self.source
        folder = beside.absolute().parent
        try:
            return Path(os.path.relpath(path, folder)).as_posix()
        except ValueError:  # on another drive
            return self.source

    def _saved(self, beside: Path) -> str:
        return self.source

    @classmethod
    def _read(cls, source: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value._written(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string"}


class VoxelArray(_Content):
    """A 3-D array (z, y, x), from whatever `of` takes.

    Attributes
    ----------
    data : ndarray, shape (Z, Y, X)
        Read-only.
    voxel_um : tuple of float or None
        (z, y, x), where a file states it.
    digest : str
        Of shape, type and bytes; arrays of the same digest are equal.
    source : str
        Absolute path, name of a built-in phantom, or ``memory:`` and the digest.
    """

    def __init__(
        self,
        data: NDArray[Any],
        voxel_um: tuple[float, float, float] | None = None,
        source: str | None = None,
    ) -> None:
        if data.flags.writeable or not data.flags.c_contiguous:
            data = np.array(data, order="C")  # the caller's own array stays what it is
            data.setflags(write=False)
        self.data, self.voxel_um = data, voxel_um
        found = hashlib.blake2b(f"{data.dtype.str}{data.shape}".encode(), digest_size=16)
        found.update(data.data)
        self.digest = found.hexdigest()
        self.source = source or _IN_MEMORY + self.digest
        _KNOWN.setdefault(self.digest, self)

    def __repr__(self) -> str:
        shape = " × ".join(str(n) for n in self.data.shape)
        return f"VoxelArray({shape} {self.data.dtype}, {self.source})"

    @classmethod
    def of(cls, source: Any, voxel_um: tuple[float, float, float] | None = None) -> "VoxelArray":
        """Make it of a path, an array of NumPy, torch or dask, or the name of a phantom.

        Raises
        ------
        VolumeError
            In one sentence, for anything that is no 3-D array of real, finite numbers.
        """
        if isinstance(source, cls):
            return source
        if not isinstance(source, str | os.PathLike):
            source = source.detach().cpu().numpy() if hasattr(source, "detach") else source
            return cls(checked(source, "the array"), voxel_um)
        name = os.fspath(source)
        if name in PHANTOMS:
            return _built_in(name)
        if name.startswith(_IN_MEMORY):
            known = _KNOWN.get(name.removeprefix(_IN_MEMORY))
            if isinstance(known, cls):
                return known
            raise ValueError(
                f"'{name}' was an array in memory that is gone; save a scene to a file to keep it."
            )
        path, key = _file(name)
        kept = _FILES.get(key) if key is not None else None
        if isinstance(kept, cls):
            return kept
        read = read_volume(path)
        found = cls(read.array, read.voxel_um, str(path))
        if key is not None:
            _FILES[key] = found
        return found

    @classmethod
    def _read(cls, source: Any) -> "VoxelArray":
        return cls.of(source)

    def _saved(self, beside: Path) -> str:
        if not self.source.startswith(_IN_MEMORY):
            return self.source
        target = beside.absolute().parent / f"{beside.stem}-{self.digest[:8]}.npy"
        if not target.exists():
            with atomic.writing(target) as temporary, temporary.open("wb") as file:
                np.save(file, self.data, allow_pickle=False)
        return target.name

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest number."""
        return float(self.data.min()), float(self.data.max())

    @cached_property
    def labels(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Labels in use without 0, ascending, and for each voxel the place of its label from 1."""
        data = self.data
        if data.dtype.kind == "b":
            data = data.view(np.uint8)
        low, high = int(data.min()), int(data.max())
        if low >= 0 and high <= 65535:
            used = np.zeros(high + 1, bool)
            for layer in data:
                used[layer] = True
            values = np.flatnonzero(used)
            values = values[values > 0]
            place = np.zeros(high + 1, np.int16 if len(values) < 32768 else np.int32)
            place[values] = np.arange(1, len(values) + 1)
            if len(values) < 256:
                place = place.astype(np.uint8)
            return values.astype(np.int64), place[data]
        values, inverse = np.unique(data, return_inverse=True)
        shift = 0 if values[0] == 0 else 1
        ranks = inverse.reshape(data.shape).astype(np.int32) + shift
        return values[1 - shift :].astype(np.int64), ranks


class MeshSurface(_Content):
    """A closed mesh.

    Attributes
    ----------
    surface : MeshFile
        Vertices (x, y, z) in the unit of the file.
    digest, source : str
        As of `VoxelArray`.
    """

    def __init__(self, surface: MeshFile, source: str | None = None) -> None:
        self.surface = surface
        found = hashlib.blake2b(digest_size=16)
        for part in (surface.vertices, surface.faces):
            found.update(np.ascontiguousarray(part).data)
        self.digest = found.hexdigest()
        self.source = source or _IN_MEMORY + self.digest
        self._grids: dict[int, VoxelArray] = {}
        _KNOWN.setdefault(self.digest, self)

    def __repr__(self) -> str:
        return f"MeshSurface({len(self.surface.faces)} triangles, {self.source})"

    @classmethod
    def of(cls, source: Any) -> "MeshSurface":
        """Make it of a path or the name of a built-in mesh.

        Raises
        ------
        VolumeError
            In one sentence, for anything that is no closed mesh.
        """
        if isinstance(source, cls):
            return source
        if not isinstance(source, str | os.PathLike):
            raise ValueError(f"a mesh is the path of a file, not a {type(source).__name__}.")
        name = os.fspath(source)
        if name in MESHES:
            return cls(MeshFile(*MESHES[name]()), name)
        path, key = _file(name)
        kept = _FILES.get(key) if key is not None else None
        if isinstance(kept, cls):
            return kept
        found = cls(read_mesh(path), str(path))
        if key is not None:
            _FILES[key] = found
        return found

    @classmethod
    def _read(cls, source: Any) -> "MeshSurface":
        return cls.of(source)

    def voxels(self, longest: int) -> VoxelArray:
        """Share of each voxel that the body fills, with `longest` voxels along its longest side."""
        from osog.scene.mesh_voxels import occupancy

        if longest not in self._grids:
            array, pitch = occupancy(self.surface.vertices, self.surface.faces, longest)
            self._grids[longest] = VoxelArray(array, (pitch, pitch, pitch))
        return self._grids[longest]


def is_mesh(path: str) -> bool:
    """Whether a name is that of a mesh, by its ending."""
    return path in MESHES or path.lower().endswith(MESH_SUFFIXES)


_BUILT_IN: dict[str, VoxelArray] = {}


def _built_in(name: str) -> VoxelArray:
    if name not in _BUILT_IN:
        array, voxel_um = PHANTOMS[name]()
        _BUILT_IN[name] = VoxelArray(array, voxel_um, name)
    return _BUILT_IN[name]


def _file(name: str) -> tuple[Path, tuple[str, int, int] | None]:
    folder = scene_folder()
    path = Path(name) if folder is None else folder / name
    path = Path(os.path.abspath(path))
    try:
        state = path.stat()
    except OSError:
        return path, None
    return path, (str(path), state.st_mtime_ns, state.st_size)
