"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_TEMPORARY = re.compile(r"\.(?P<name>.+?)\.[a-z0-9_]{8}(\.[^.]*)?")
"""Names that `writing` gives."""


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary file that takes the place of `path` once the block succeeds.

    Parameters
    ----------
    path : path
        In a folder that exists. A file of this name stays as it is until the block has ended, and
        for good if the block fails.

    Yields
    ------
    Path
        An empty file in the same folder, with the same suffix.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to.
    """
    target = Path(path)
    handle, name = tempfile.mkstemp(
        dir=target.absolute().parent, prefix=f".{target.name}.", suffix=target.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # A temporary file is for its owner alone; a result is for everybody.
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def clear_remains(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Remove what processes that were killed have left beside files they were writing.

    Parameters
    ----------
    paths : iterable of path
        The files, which nobody may be writing now.

    Raises
    ------
    OSError
        If a folder cannot be read or a file cannot be removed.
    """
    folders: dict[Path, set[str]] = {}
    for path in map(Path, paths):
        folders.setdefault(path.parent, set()).add(path.name)
    for folder, names in folders.items():
        for left in list(folder.iterdir()):
            found = _TEMPORARY.fullmatch(left.name)
            if found is not None and found["name"] in names:
                left.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8.

    Parameters
    ----------
    path : path
    text : str

    Raises
    ------
    OSError
        As for `writing`.
    """
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
