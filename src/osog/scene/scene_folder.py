"""The folder of the scene file that is read: paths in it are relative to that."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_FOLDER: ContextVar[Path | None] = ContextVar("folder of the scene file that is read", default=None)


@contextmanager
def relative_to(folder: Path) -> Iterator[None]:
    """Read paths of tables and arrays relative to a folder."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def scene_folder() -> Path | None:
    """Folder of the scene file that is read; None where a scene comes from elsewhere."""
    return _FOLDER.get()
