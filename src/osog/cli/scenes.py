"""Scenes by file name or by the name of a preset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from osog.cli.errors import CommandError

if TYPE_CHECKING:
    from osog.scene import Scene


def load_scene(name: str) -> Scene:
    """Read a scene file, or a preset where there is no such file.

    Parameters
    ----------
    name : str
        Path of a YAML or JSON file, of a folder that a fit was written to, or the name of a preset.

    Returns
    -------
    Scene

    Raises
    ------
    CommandError
        If there is neither a file nor a preset of that name.
    SceneError
        If the file describes no valid scene.
    """
    from osog import presets
    from osog.scene import Scene

    path = Path(name)
    if path.is_file():
        return Scene.load(path)
    if name in presets.names():
        return presets.load(name)
    if path.is_dir():
        fitted = path / "scene.yaml"
        if fitted.is_file():
            return Scene.load(fitted)
        raise CommandError(
            f"'{name}' is a folder without a scene.yaml; a scene is a YAML or JSON file."
        )
    raise CommandError(
        f"'{name}' is neither a file nor a preset; presets are {', '.join(presets.names())}."
    )
