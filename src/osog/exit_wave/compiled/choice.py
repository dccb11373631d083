"""Which shapes are drawn by compiled loops, and how their code comes about.

Numba compiles the loops of a shape once for each machine, which takes 5 to 25 s; the code is kept
on disk. Until it is there, shapes are drawn by torch: nothing waits for a compiler unless asked to.
Both ways agree to rounding, and rounding can change the noise of a camera. So a process keeps to
the way in which it has drawn a shape first, until `look_again` is called.
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
    from collections.abc import Iterator
    from types import ModuleType

    from osog.geometry import Shape

Mode = Literal["auto", "wait", "off"]
_VARIABLE = "OSOG_COMPILED_LOOPS"
_PATIENCE_S = 0.5
"""Time that torch spends on a shape before its loops are compiled in the background."""
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class _State:
    """What has been loaded, asked for and found missing in this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.chosen: dict[tuple[str, str], ModuleType | None] = {}
        self.spent: dict[tuple[str, str], float] = {}
        self.asked: set[tuple[str, str]] = set()


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


def loops_of(shape: Shape, dtype: torch.dtype) -> ModuleType | None:
    """Compiled loops of a shape, or None where torch is to draw it.

    Parameters
    ----------
    shape : Shape
    dtype : torch.dtype
    """
    if not shape.compilable or mode() == "off" or not available():
        return None
    kept = _SETTLED.get()
    if kept is None:
        return _found(shape, dtype)
    if (shape, dtype) not in kept:
        kept[shape, dtype] = _found(shape, dtype)
    return kept[shape, dtype]


def available() -> bool:
    """Whether Numba is installed, as it is with ``napari[all]``."""
    return "numba" in sys.modules or find_spec("numba") is not None


def note_time(shape: Shape, dtype: torch.dtype, seconds: float) -> None:
    """Note what torch has spent on a shape; what costs a lot gets compiled in the background."""
    if not shape.compilable or mode() != "auto" or not available():
        return
    key = _key(shape, dtype)
    _STATE.spent[key] = _STATE.spent.get(key, 0.0) + seconds
    if _STATE.spent[key] > _PATIENCE_S:
        compile_in_background([shape], dtype)


def compile_in_background(shapes: list[Shape], dtype: torch.dtype = torch.float32) -> None:
    """Let another process of low priority compile shapes, once.

    Parameters
    ----------
    shapes : list of Shape
    dtype : torch.dtype
    """
    if mode() != "auto" or not available():
        return
    with _STATE.lock:
        names = [_key(s, dtype) for s in shapes if s.compilable]
        wanted = [k for k in names if k not in _STATE.asked and not _STATE.chosen.get(k)]
        wanted = [k for k in wanted if not _is_compiled(_source_file(*k))]
        if not wanted:
            return
        _STATE.asked.update(wanted)
    arguments = [f"{name}:{real}" for name, real in wanted]
    quiet = subprocess.DEVNULL
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        apart = {"creationflags": flags}
    subprocess.Popen(
        [sys.executable, "-m", "osog.exit_wave.compiled", *arguments],
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
        **apart,
    )


def compile_now(shape: Shape, dtype: torch.dtype) -> ModuleType:
    """Compile the loops of a shape, or load them where they are on disk.

    Parameters
    ----------
    shape : Shape
    dtype : torch.dtype
    """
    path = _source_file(*_key(shape, dtype))
    if not path.exists():
        from osog.exit_wave.compiled.source import loop_source

        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(loop_source(shape, dtype), encoding="utf-8")
        part.replace(path)
    module = _imported(path)
    _mark(path).touch()
    return module


def look_again() -> None:
    """Use code that has been compiled since a shape was drawn first."""
    with _STATE.lock:
        for key in [key for key, module in _STATE.chosen.items() if module is None]:
            del _STATE.chosen[key]


def compiled_shapes(dtype: torch.dtype = torch.float32) -> dict[str, bool]:
    """Say of every shape that may have compiled loops whether their code is ready.

    Parameters
    ----------
    dtype : torch.dtype
    """
    if not available():
        return {}
    return {_key(s, dtype)[0]: _is_compiled(_source_file(*_key(s, dtype))) for s in compilable()}


def draws_compiled(dtype: torch.dtype = torch.float32) -> bool:
    """Whether a set of images is to be drawn by compiled loops: where all are ready or asked for.

    Parameters
    ----------
    dtype : torch.dtype
    """
    if mode() == "auto":
        ready = compiled_shapes(dtype)
        return bool(ready) and all(ready.values())
    return mode() == "wait" and available()


def compilable() -> list[Shape]:
    """Shapes that may have compiled loops."""
    return [shape for shape in SHAPES if shape.compilable]


def _found(shape: Shape, dtype: torch.dtype) -> ModuleType | None:
    key, waits = _key(shape, dtype), mode() == "wait"
    known = _STATE.chosen.get(key)
    if known is not None or (key in _STATE.chosen and not waits):
        return known
    with _STATE.lock:
        if _STATE.chosen.get(key) is None:
            ready = waits or _is_compiled(_source_file(*key))
            try:
                _STATE.chosen[key] = compile_now(shape, dtype) if ready else None
            except OSError:  # a folder that cannot be written; torch draws as well
                _STATE.chosen[key] = None
        return _STATE.chosen[key]


def _key(shape: Shape, dtype: torch.dtype) -> tuple[str, str]:
    return type(shape).__name__, str(dtype).removeprefix("torch.")


def by_name(name: str) -> Shape:
    """Return the shape of this class."""
    return next(shape for shape in SHAPES if type(shape).__name__ == name)


_FILES: dict[tuple[str, str], Path] = {}


def _source_file(name: str, real: str) -> Path:
    """File of the source for this shape, this version of its formulas, and this machine."""
    if (name, real) not in _FILES:
        from osog.exit_wave.compiled.source import loop_source

        text = loop_source(by_name(name), _DTYPES[real])
        machine = "\n".join([text, sys.version, _version("numba"), _processor()])
        digest = hashlib.sha256(machine.encode()).hexdigest()[:16]
        plain = name.removesuffix("Geometry").lower()
        _FILES[name, real] = folder() / f"{plain}_{real}_{digest}.py"
    return _FILES[name, real]


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


def _processor() -> str:
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
    "Mode",
    "available",
    "by_name",
    "compilable",
    "compile_in_background",
    "compile_now",
    "compiled_shapes",
    "draws_compiled",
    "folder",
    "look_again",
    "loops_of",
    "mode",
    "note_time",
    "settled",
    "use",
]
