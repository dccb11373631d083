"""Scenes that come with the package, by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from osog.scene import Scene, SceneError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_SUFFIX = ".yaml"


def names() -> tuple[str, ...]:
    """Names of the presets, in alphabetical order."""
    return tuple(_files())


def title(name: str) -> str:
    """Words for people: the comment on the first line of the preset's file.

    Raises
    ------
    SceneError
        If there is no preset of this name.
    """
    return text(name).splitlines()[0].lstrip("# ").strip()


def provenance(name: str) -> dict[str, str]:
    """Say where a preset comes from: the comments below the first line of its file.

    Returns
    -------
    dict
        ``instrument``, ``sample`` and ``source``: what the microscope and the sample stand for, and
        where their numbers are from.

    Raises
    ------
    SceneError
        If there is no preset of this name.
    """
    found = {}
    for line in text(name).splitlines()[1:]:
        title, colon, words = line.lstrip("# ").partition(":")
        if not line.startswith("#") or not colon:
            break
        found[title.strip().lower()] = words.strip()
    return found


def load(name: str) -> Scene:
    """Read a preset.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    SceneError
        If there is no preset of this name; the message lists those that there are.
    """
    _file(name)
    return _scene(name)


def text(name: str) -> str:
    """YAML text of a preset as it comes with the package, to start a scene file from.

    Raises
    ------
    SceneError
        If there is no preset of this name.
    """
    return _file(name).read_text(encoding="utf-8")


@cache
def _scene(name: str) -> Scene:
    with as_file(_file(name)) as path:
        return Scene.load(path)


@cache
def _files() -> dict[str, Traversable]:
    found = (entry for entry in files(__name__).iterdir() if entry.name.endswith(_SUFFIX))
    return {
        entry.name.removesuffix(_SUFFIX): entry
        for entry in sorted(found, key=lambda entry: entry.name)
    }


def _file(name: str) -> Traversable:
    try:
        return _files()[name]
    except KeyError:
        raise SceneError(f"'{name}' is not a preset; presets are {', '.join(_files())}.") from None


__all__ = ["load", "names", "provenance", "text", "title"]
