"""Validation errors as one sentence each, with the path of the field."""

from pydantic import ValidationError


class SceneError(ValueError):
    """A scene that cannot be used; the message names the field, the value and what is allowed."""


def sentences(error: ValidationError) -> list[str]:
    """Turn a pydantic error into plain sentences.

    Returns
    -------
    list of str
        One sentence for each fault, such as ``populations[0].shape.radius_um: radius_um = -1 must
        lie between 0.005 and 2000 µm.``
    """
    lines = []
    for fault in error.errors(include_url=False):
        path = _path(fault["loc"])
        if fault["type"] == "value_error":
            text = str(fault["ctx"]["error"])
        elif fault["type"] == "extra_forbidden":
            text = "is not a known field here."
        elif fault["type"] == "union_tag_invalid":
            tag, known = fault["ctx"]["tag"], fault["ctx"]["expected_tags"].replace("'", "")
            text = f"'{tag}' is not one of {known}."
        elif fault["type"] == "union_tag_not_found":
            text = "needs a 'kind'."
        elif fault["type"] == "missing":
            text = "is missing."
        else:
            shown = repr(fault["input"])
            shown = shown if len(shown) <= 60 else shown[:57] + "..."
            text = f"{fault['msg'][0].lower()}{fault['msg'][1:]}, not {shown}."
        lines.append(f"{path}: {text}" if path else text)
    return lines


def _path(location: tuple[int | str, ...]) -> str:
    tags = {"number", "uniform", "normal", "lognormal"}
    parts: list[str] = []
    for i, step in enumerate(location):
        if isinstance(step, int):
            if parts:
                parts[-1] += f"[{step}]"
        elif step in tags or (i > 0 and location[i - 1] in ("shape", "modality")):
            continue  # names of union branches say nothing to the reader
        else:
            parts.append(step)
    return ".".join(parts)
