"""Optional packages that read the files of one maker, or a sentence that one is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from osog.io.errors import MicrographError


def package(module: str, extra: str, name: str, what: str) -> Any:
    """Import a package.

    Parameters
    ----------
    module : str
        Its first part is the name of the package.
    extra : str
        Of this distribution, that asks for it.
    name, what : str
        File, and its kind: for the sentence.

    Raises
    ------
    MicrographError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MicrographError(
            f"{name}: reading {what} needs the package {module.split('.')[0]}, which is not "
            f'installed; run: pip install "napari-osog[{extra}]"'
        ) from None
