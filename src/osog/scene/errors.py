"""Validation errors as one sentence each, with the path of the field."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class SceneError(ValueError):
    """A scene that cannot be used; the message names the field, the value and what is allowed."""


NO_LAW = "a mapping without a law"
"""Tag of a mapping where a number or a law was expected."""

_BLOCKS_OF_KINDS = (
    *("shape", "modality", "spectrum"),
    *("orientation", "placement", "depth", "aggregate"),
)
"""Blocks in whose paths pydantic puts the name of the kind."""

_WANTED = {
    "tuple_type": "must be a list",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping with a 'kind'",
    "dict_type": "must be a mapping",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must not contain dots or brackets",
}
"""Faults by pydantic's name, in words that do not speak of Python."""


def _wanted(fault: ErrorDetails) -> str:
    context = fault.get("ctx", {})
    if fault["type"] == "literal_error":
        return f"must be one of {context['expected'].replace(' or ', ', ')}".replace("'", "")
    for bound, words in (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below")):
        if bound in context:
            return f"must be {words} {context[bound]:g}"
    return f"{fault['msg'][0].lower()}{fault['msg'][1:]}"


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
            if tag == NO_LAW:
                text = "needs a 'law': uniform, normal or lognormal."
            else:
                text = f"'{tag}' is not one of {known}."
        elif fault["type"] == "union_tag_not_found":
            text = f"needs a {fault['ctx']['discriminator']}."
        elif fault["type"] == "missing":
            text = "is missing."
        else:
            shown = repr(fault["input"])
            shown = shown if len(shown) <= 60 else shown[:57] + "..."
            text = f"{_WANTED.get(fault['type']) or _wanted(fault)}, not {shown}."
        lines.append(f"{path}: {text}" if path else text)
    return lines


def _path(location: tuple[int | str, ...]) -> str:
    tags = {"number", "planes", "uniform", "normal", "lognormal"}
    parts: list[str] = []
    for i, step in enumerate(location):
        if isinstance(step, int):
            if parts:
                parts[-1] += f"[{step}]"
        elif step in tags or (i > 0 and location[i - 1] in _BLOCKS_OF_KINDS):
            continue  # names of union branches say nothing to the reader
        else:
            parts.append(step)
    return ".".join(parts)
