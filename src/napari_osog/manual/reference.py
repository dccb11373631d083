"""The pages of the manual that list every field, material and instrument, from the code itself."""

from __future__ import annotations

import re
from typing import Any

from napari_osog.manual.pages import heading
from osog import scene
from osog.scene import Distribution, Scene, SceneModel

LAWS = {*(law.__name__ for law in scene.LAWS.values()), "Law", "FreeLaw", "FreeNumber"}
LAWS_TEXT = (
    "Every number may be drawn from a law, for example "
    "`radius_um: {law: lognormal, median: 0.5, sigma: 0.2}`; see [Let numbers vary](#laws)."
)
TOP = (
    *("grid", "medium", "populations", "microscope", "camera"),
    *("background", "series", "numerics"),
)


def scene_reference() -> str:
    """One section for each model of the scene, and for each law."""
    models, laws = sections()
    return "\n".join([*models.values(), "## Every law {: #every-law }", "", LAWS_TEXT, "",
                      *laws.values()])  # fmt: skip


def sections() -> tuple[dict[str, str], dict[str, str]]:
    """Section of each model by its anchor, in the order in which the file reaches them; of laws."""
    schema = Scene.model_json_schema()
    models = schema["$defs"]
    order: list[str] = []

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                name = node["$ref"].rsplit("/", 1)[1]
                if name not in order:
                    order.append(name)
                    visit(models[name])
            for key, value in node.items():
                if key not in {"$ref", "$defs", "discriminator"}:
                    visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    for block in TOP:
        visit(schema["properties"][block])
    known = _models()
    made: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for name in order:
        text = section(name, models[name], getattr(known.get(name.lower()), "page", ""))
        if text:
            made[name in LAWS][name.lower()] = text
    return made


def section_of(anchor: str) -> str:
    """Section of one model by its anchor; made at once, without those of all the others.

    Raises
    ------
    KeyError
        If no model of a scene has it.
    """
    model = _models()[anchor]
    schema = model.model_json_schema()
    if "$ref" in schema:  # one that may hold another of its kind
        schema = schema["$defs"][model.__name__]
    return section(model.__name__, schema, model.page)


def entrances() -> str:
    """List of links to the sections of the blocks that a file begins with."""
    lines = []
    for block in TOP:
        info = Scene.model_fields[block]
        models = [name for name in re.findall(r"\w+", str(info.annotation)) if name.lower() in
                  _models() and name != "Scene"]  # fmt: skip
        lines.append(f"- [{info.title or block.capitalize()}](#{models[-1].lower()})")
    return "\n".join(lines)


def _models() -> dict[str, type[SceneModel] | type[Distribution]]:
    """Every model of a scene by its anchor."""
    found: dict[str, Any] = {}
    waiting: list[Any] = [SceneModel, Distribution]
    while waiting:
        model = waiting.pop()
        found[model.__name__.lower()] = model
        waiting += model.__subclasses__()
    return found


def materials_table() -> str:
    """One table for each family of materials, with values in green light and the sources."""
    from osog import materials

    lines: list[str] = []
    for family in dict.fromkeys(row.family for row in materials.MATERIALS.values()):
        lines += ["", f"### {_plural(family)}", ""]
        lines += ["| name | n | n_e − n_o | 1/µm | range µm | source |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        for row in materials.MATERIALS.values():
            if row.family != family:
                continue
            split, taken = row.birefringence(0.55), row.absorption_per_um(0.55)
            about = "; ".join(part for part in (row.source, row.note) if part)
            cells = (
                f"`{row.name}`" + "".join(f", `{other}`" for other in row.also),
                f"{row.index(0.55):.4f}",
                f"{split:+.4f}" if split else "",
                f"{taken:.3g}" if taken else "",
                "–".join(f"{end:g}" for end in dict.fromkeys(row.range_um)),
                about + (f"; ± {row.error:g}" if row.error else ""),
            )
            lines.append(f"| {' | '.join(cell(text) for text in cells)} |")
    return "\n".join(lines)


def instruments_table() -> str:
    """One table for each kind of instrument, with what it sets and its source."""
    from osog.scene.instruments import TABLES

    lines: list[str] = []
    for kind, rows in TABLES.items():
        lines += ["", f"### {_plural(kind)}", "", "| name | sets | and has | source |"]
        lines += ["| --- | --- | --- | --- |"]
        for item in rows.values():
            cells = (
                f"`{item.name}`",
                ", ".join(_setting(name, v) for name, v in item.fields.items() if v is not None),
                ", ".join(_setting(name, v) for name, v in item.facts.items()),
                f"{item.source}; {item.note}" if item.note else item.source,
            )
            lines.append(f"| {' | '.join(cell(text) for text in cells)} |")
    return "\n".join(lines)


def _setting(name: str, value: Any) -> str:
    if isinstance(value, dict):
        value = " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value.values())
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{name.rsplit('.', 1)[-1].replace('_', ' ')} {shown}"


def _plural(kind: str) -> str:
    words = {"gas": "gases", "glass": "glasses", "biological": "biological"}
    return words.get(kind, f"{kind}s").capitalize()


def section(name: str, model: dict[str, Any], page: str = "") -> str:
    """One heading, what the model is, where more is said of it, and a table of its fields."""
    fields = model.get("properties", {})
    if not fields:
        return ""
    kind = fields.get("kind", fields.get("law", {}))
    title = name
    if "const" in kind:
        title = f"`{'kind' if 'kind' in fields else 'law'}: {kind['const']}`"
    lines = [f"### {title} {{: #{name.lower()} }}", "", first_paragraph(model), ""]
    if page:
        lines += [f"More: [{heading(page)}]({page}).", ""]
    if all("const" in about for about in fields.values()):
        return "\n".join(lines)
    lines += ["| field | meaning | default | allowed |", "| --- | --- | --- | --- |"]
    required = model.get("required", [])
    for field, about in fields.items():
        if "const" in about:
            continue
        default = "required" if field in required else shown(about.get("default"))
        made_up = field.replace("_", " ").title()  # pydantic's own title, which says nothing new
        title = about.get("title", "")
        meaning = about.get("description") or ("" if title == made_up else title)
        lines.append(f"| `{field}` | {cell(meaning)} | {default} | {cell(allowed(about))} |")
    return "\n".join([*lines, ""])


def first_paragraph(model: dict[str, Any]) -> str:
    """Take the summary of a model's docstring, on one line."""
    text = str(model.get("description", "")).split("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def cell(text: str) -> str:
    """Fit a text into one cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


def shown(value: Any) -> str:
    """Write a default as it would stand in the file."""
    if value is None or value == {} or isinstance(value, dict):
        return "–"
    if isinstance(value, list):
        return f"`[{', '.join(f'{item:g}' for item in value)}]`" if value else "–"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def allowed(about: dict[str, Any]) -> str:
    """Say which values a field takes: links to models, a list of words, or a range with a unit."""
    names = sorted(set(re.findall(r"#/\$defs/(\w+)", str(about))))
    if names:
        links = [f"[{name}](#{name.lower()})" for name in names if name not in LAWS]
        text = ", ".join(links)
    else:
        text = ""
    parts = [about, *(part for part in about.get("anyOf", []) if part.get("maxItems") != 2)]
    if not text:
        text = ", ".join(f"`{option}`" for part in parts for option in part.get("enum", []))
    if "limits" in about:
        low, high = about["limits"]
        unit = f" {about['unit']}" if about.get("unit") else ""
        text = ", ".join(part for part in (text, f"{low:g} to {high:g}{unit}") if part)
    if not text:
        for part in parts:
            if "minimum" in part or "maximum" in part:
                low, high = part.get("minimum"), part.get("maximum")
                text = f"from {low:g}" if high is None else f"{low:g} to {high:g}"
                break
    if not text:
        types = [part["type"] for part in parts if "type" in part]
        words = {
            "array": "a list",
            "object": "a mapping",
            "boolean": "`true` or `false`",
            "string": "text",
            "number": "a number",
        }
        text = ", ".join(words.get(kind, kind) for kind in types if kind != "null")
    return text


__all__ = [
    "entrances",
    "instruments_table",
    "materials_table",
    "scene_reference",
    "section",
    "section_of",
    "sections",
]
