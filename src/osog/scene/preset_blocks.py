"""Blocks of presets as options of a choice: ``{preset: needles-dic}``."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from osog.scene.discrete import OneOf

_load: Callable[[str], Any] | None = None


def load_presets_by(function: Callable[[str], Any]) -> None:
    """Say what loads the scene of a preset by its name: presets lie above the scene."""
    global _load
    _load = function


def filled_in(data: dict[str, Any]) -> dict[str, Any]:
    """Content of a scene in which each option that names a preset is that preset's block.

    Parameters
    ----------
    data : dict
        Content of a scene file. A choice in place of a block, such as ``microscope``, or of the
        list ``populations`` may have options of the form ``{preset: name}``.

    Raises
    ------
    SceneError
        If there is no preset of that name.
    """
    filled = dict(data)
    for field, value in data.items():
        content = value.model_dump() if isinstance(value, OneOf) else value
        if not OneOf.is_content(content) or not isinstance(content["options"], list | tuple):
            continue
        options = [_block(option, field) for option in content["options"]]
        if any(new is not old for new, old in zip(options, content["options"], strict=True)):
            filled[field] = {**content, "options": options}
    return filled


def _block(option: Any, field: str) -> Any:
    if not (isinstance(option, dict) and set(option) == {"preset"}):
        return option
    if _load is None:
        # Whoever loads presets says so when it is imported, which may not have happened.
        import_module("osog.presets")
    assert _load is not None
    return _load(str(option["preset"])).to_dict().get(field)
