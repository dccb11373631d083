"""Which shapes are drawn by compiled code, and how that comes about.

Numba compiles the loops of a shape for a CPU, Triton its kernels for a GPU, once for each machine,
which takes 5 to 25 s; the code is kept on disk. Until it is there, shapes are drawn by torch:
nothing waits for a compiler unless asked to. Both ways agree to rounding, and rounding can change
the noise of a camera. So a process keeps to the way in which it has drawn a shape first, until
`look_again` is called.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import torch

from osog.geometry import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from osog.geometry import Shape

Mode = Literal["auto", "wait", "off"]
_VARIABLE = "OSOG_COMPILED_LOOPS"
_PATIENCE_S = 0.5
"""Time that torch spends on a shape before its loops are compiled in the background."""
_DTYPES = {"float32": torch.float32, "float64": torch.float64}
TARGETS = {"cpu": "numba", "cuda": "triton"}
"""What compiles for each type of device."""

_Key = tuple[str, str, str]
"""Class of the shape, precision, type of device."""


class _State:
    """What has been loaded, asked for and found missing in this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.chosen: dict[_Key, ModuleType | None] = {}
        self.spent: dict[_Key, float] = {}
        self.asked: set[_Key] = set()


_STATE = _State()
_MODE: ContextVar[Mode | None] = ContextVar("osog_compiled_loops", default=None)
_SETTLED: ContextVar[dict[Any, ModuleType | None] | None] = ContextVar(
    "osog_settled_loops", default=None
)


def mode() -> Mode:
    """How the choice is made here: by `use`, else by the variable OSOG_COMPILED_LOOPS, else "auto".

    Raises
    ------
    ValueError
        When the variable says anything else.
    """
    chosen = _MODE.get() or os.environ.get(_VARIABLE, "auto")
    if chosen not in {"auto", "wait", "off"}:
        raise ValueError(f"{_VARIABLE} is {chosen!r}; allowed are auto, wait and off.")
    return chosen  # type: ignore[return-value]


@contextmanager
def use(chosen: Mode) -> Iterator[None]:
    """Choose within a block.

    Parameters
    ----------
    chosen : {"auto", "wait", "off"}
        Compiled loops where their code is ready; always, compiling first where it is not; never.
    """
    token = _MODE.set(chosen)
    try:
        yield
    finally:
        _MODE.reset(token)


@contextmanager
def settled() -> Iterator[None]:
    """Keep every choice that is made within a block.

    Both ways of drawing agree to rounding only, so differences of images must not mix them.
    """
    if _SETTLED.get() is not None:
        yield
        return
    token = _SETTLED.set({})
    try:
        yield
    finally:
        _SETTLED.reset(token)


def on_gpu(device: torch.device) -> bool:
    """Whether kernels of a GPU draw, whose sums run in an order that changes from call to call."""
    return device.type == "cuda"


def loops_of(shape: Shape, dtype: torch.dtype, device: str = "cpu") -> ModuleType | None:
    """Compiled loops or kernels of a shape, or None where torch is to draw it.

    Parameters
    ----------
    shape : Shape
    dtype : torch.dtype
    device : str
        Type of the device.
    """
    if not shape.compilable or mode() == "off" or not available(device):
        return None
    kept = _SETTLED.get()
    if kept is None:
        return _found(shape, dtype, device)
    if (shape, dtype, device) not in kept:
        kept[shape, dtype, device] = _found(shape, dtype, device)
    return kept[shape, dtype, device]


def available(device: str = "cpu") -> bool:
    """Whether what compiles is installed: Numba with ``napari[all]``, Triton with torch for CUDA.

    Parameters
    ----------
    device : str
        Type of the device.
    """
    compiler = TARGETS.get(device)
    return compiler is not None and (compiler in sys.modules or find_spec(compiler) is not None)


def note_time(shape: Shape, dtype: torch.dtype, seconds: float, device: str = "cpu") -> None:
    """Note what torch has spent on a shape; what costs a lot gets compiled in the background."""
    if not shape.compilable or mode() != "auto" or not available(device):
        return
    key = _key(shape, dtype, device)
    _STATE.spent[key] = _STATE.spent.get(key, 0.0) + seconds
    if _STATE.spent[key] > _PATIENCE_S:
        compile_in_background([shape], dtype, device)


def compile_in_background(
    shapes: list[Shape], dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> None:
    """Let another process of low priority compile shapes, once.

    Parameters
    ----------
    shapes : list of Shape
    dtype : torch.dtype
    device : str
        Type of the device.
    """
    if mode() != "auto" or not available(device):
        return
    with _STATE.lock:
        names = [_key(s, dtype, device) for s in shapes if s.compilable]
        wanted = [k for k in names if k not in _STATE.asked and not _STATE.chosen.get(k)]
        wanted = [k for k in wanted if not _is_compiled(_source_file(*k))]
        if not wanted:
            return
        _STATE.asked.update(wanted)
    _compiler(wanted)


def compiler(
    shapes: Iterable[Shape], dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> subprocess.Popen[bytes]:
    """Start another process that compiles shapes, for whoever has time to wait for it.

    Parameters
    ----------
    shapes : iterable of Shape
    dtype : torch.dtype
    device : str
        Type of the device.
    """
    return _compiler([_key(shape, dtype, device) for shape in shapes])


def _compiler(keys: list[_Key]) -> subprocess.Popen[bytes]:
    arguments = [":".join(key) for key in keys]
    quiet = subprocess.DEVNULL
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        apart = {"creationflags": flags}
    return subprocess.Popen(
        [sys.executable, "-m", "osog.exit_wave.compiled", *arguments],
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
        **apart,
    )


def compile_now(shape: Shape, dtype: torch.dtype, device: str = "cpu") -> ModuleType:
    """Compile the loops or kernels of a shape, or load them where they are on disk.

    Parameters
    ----------
    shape : Shape
    dtype : torch.dtype
    device : str
        Type of the device.
    """
    path = _source_file(*_key(shape, dtype, device))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(_source(shape, dtype, device), encoding="utf-8")
        part.replace(path)
    module = _imported(path)
    if not _is_compiled(path):
        if device == "cuda":
            module.warm_up()  # kernels are compiled when they are called first
        _mark(path).touch()
    return module


def _source(shape: Shape, dtype: torch.dtype, device: str) -> str:
    # What writes code is read only where there is none on disk yet.
    if device == "cuda":
        from osog.exit_wave.compiled.gpu_source import kernel_source

        return kernel_source(shape, dtype)
    from osog.exit_wave.compiled.source import loop_source

    return loop_source(shape, dtype)


def look_again() -> None:
    """Use code that has been compiled since a shape was drawn first."""
    with _STATE.lock:
        for key in [key for key, module in _STATE.chosen.items() if module is None]:
            del _STATE.chosen[key]


def compiled_shapes(dtype: torch.dtype = torch.float32, device: str = "cpu") -> dict[str, bool]:
    """Say of every shape that may have compiled code whether it is ready.

    Parameters
    ----------
    dtype : torch.dtype
    device : str
        Type of the device.
    """
    if not available(device):
        return {}
    lacking = missing(compilable(), dtype, device)
    return {type(shape).__name__: shape not in lacking for shape in compilable()}


def draws_compiled(
    shapes: Iterable[Shape], dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> bool:
    """Whether a set of images is to be drawn by compiled code: where it is ready or asked for.

    Parameters
    ----------
    shapes : iterable of Shape
        Those in the images; False where none of them can be compiled.
    dtype : torch.dtype
    device : str
        Type of the device.
    """
    if mode() == "auto":
        shapes = [shape for shape in shapes if shape.compilable]
        return bool(shapes) and not missing(shapes, dtype, device)
    return mode() == "wait" and available(device)


def missing(
    shapes: Iterable[Shape], dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> list[Shape]:
    """Those of some shapes that may have compiled code and have none here yet.

    Parameters
    ----------
    shapes : iterable of Shape
    dtype : torch.dtype
    device : str
        Type of the device; all are missing where nothing compiles for it.
    """
    may = [shape for shape in shapes if shape.compilable]
    if not available(device):
        return may
    return [s for s in may if not _is_compiled(_source_file(*_key(s, dtype, device)))]


def compilable() -> list[Shape]:
    """Shapes that may have compiled loops."""
    return [shape for shape in SHAPES if shape.compilable]


def _found(shape: Shape, dtype: torch.dtype, device: str) -> ModuleType | None:
    key, waits = _key(shape, dtype, device), mode() == "wait"
    known = _STATE.chosen.get(key)
    if known is not None or (key in _STATE.chosen and not waits):
        return known
    with _STATE.lock:
        if _STATE.chosen.get(key) is None:
            ready = waits or _is_compiled(_source_file(*key))
            try:
                _STATE.chosen[key] = compile_now(shape, dtype, device) if ready else None
            except OSError:  # a folder that cannot be written; torch draws as well
                _STATE.chosen[key] = None
        return _STATE.chosen[key]


def _key(shape: Shape, dtype: torch.dtype, device: str) -> _Key:
    return type(shape).__name__, str(dtype).removeprefix("torch."), device


def by_name(name: str) -> Shape:
    """Return the shape of this class."""
    return next(shape for shape in SHAPES if type(shape).__name__ == name)


_FILES: dict[_Key, Path] = {}


def _source_file(name: str, real: str, device: str) -> Path:
    """File of the source for this shape, this version of its formulas, and this machine."""
    key = (name, real, device)
    if key not in _FILES:
        text = _source(by_name(name), _DTYPES[real], device)
        compiler, chip = _version(TARGETS[device]), _chip(device)
        machine = "\n".join([text, sys.version, compiler, chip])
        digest = hashlib.sha256(machine.encode()).hexdigest()[:16]
        plain = name.removesuffix("Geometry").lower()
        _FILES[key] = folder() / f"{plain}_{real}_{digest}.py"
    return _FILES[key]


def folder() -> Path:
    """Folder for code that can be made again."""
    own = os.environ.get("OSOG_CACHE_DIR")
    if own:
        return Path(own) / "loops"
    from platformdirs import user_cache_path

    return user_cache_path("osog", appauthor=False) / "loops"


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _chip(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    from llvmlite import binding

    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"


def _mark(path: Path) -> Path:
    return path.with_suffix(".compiled")


def _is_compiled(path: Path) -> bool:
    return _mark(path).exists()


def _imported(path: Path) -> ModuleType:
    name = f"osog_loops_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    # Code that comes from disk looks for its module by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


__all__ = [
    "TARGETS",
    "Mode",
    "available",
    "by_name",
    "compilable",
    "compile_in_background",
    "compile_now",
    "compiled_shapes",
    "compiler",
    "draws_compiled",
    "folder",
    "look_again",
    "loops_of",
    "missing",
    "mode",
    "note_time",
    "on_gpu",
    "settled",
    "use",
]
