"""The package imagecodecs, or a sentence that it is missing."""

from __future__ import annotations

from typing import Any

from osog.io.errors import MicrographError


def codecs(name: str, what: str) -> Any:
    """Return the package.

    Parameters
    ----------
    name, what : str
        File, and what of it needs the package: for the sentence.

    Raises
    ------
    MicrographError
        If it is not installed.
    """
    try:
        import imagecodecs
    except ImportError:
        raise MicrographError(
            f"{name}: reading {what} needs the package imagecodecs, which is not installed; "
            "run: pip install imagecodecs"
        ) from None
    return imagecodecs
