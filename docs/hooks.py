"""Write the reference pages from the code itself, and formulas as MathML.

Tables made from the models, and lists of modules made from the packages, cannot disagree with
them; browsers draw MathML without a script from elsewhere, so the pages work offline.
"""

from __future__ import annotations

import ast
import html as markup
import re
from pathlib import Path
from typing import Any

from osog.scene import Scene

ROOT = Path(__file__).parents[1]
LAWS = {"Uniform", "Normal", "Lognormal"}
LAWS_TEXT = (
    "Where a number or a law is allowed, a law says how it is drawn, for example "
    "`radius_um: {law: lognormal, median: 0.5, sigma: 0.2}`."
)
TOP = (
    *("grid", "medium", "populations", "microscope", "camera"),
    *("background", "series", "numerics"),
)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each marker of a page by what it names."""
    written = {
        "scene_reference": reference,
        "cli_reference": commands,
        "contributing": contributing,
        "materials_table": materials_table,
        "instruments_table": instruments_table,
    }
    for name, write in written.items():
        if f"{{{{ {name} }}}}" in markdown:
            markdown = markdown.replace(f"{{{{ {name} }}}}", write())
    return re.sub(r"\{\{ modules (\S+) \}\}", lambda found: modules(found[1]), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Replace every formula of a page by MathML."""
    inline = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.S)
    block = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.S)
    html = inline.sub(lambda found: mathml(found[1], "inline"), html)
    return block.sub(
        lambda found: f'<div style="overflow-x: auto">{mathml(found[1], "block")}</div>', html
    )


def mathml(formula: str, display: str) -> str:
    """Write one TeX formula, as it stands in a page, in MathML."""
    from latex2mathml.converter import convert

    text: str = convert(markup.unescape(formula).strip(), display=display)
    # Words are one name, not a product of letters; and a function stands apart from its argument.
    text = re.sub(
        r'(?:<mi mathvariant="normal">\w</mi>){2,}',
        lambda found: "<mi>" + "".join(re.findall(r">(\w)<", found[0])) + "</mi>",
        text,
    )
    name = r"<mi>(?:sin|cos|arg)</mi>"
    power = rf"<msup>{name}<mrow><mn>\d</mn></mrow></msup>|<msup>{name}<mn>\d</mn></msup>"
    text = re.sub(
        rf'({power}|(?<!<msup>){name})(?!<mo stretchy="false">)',
        r'\1<mspace width="0.167em" />',
        text,
    )
    if "\\" in text:
        raise ValueError(f"a formula has a command that cannot be written in MathML: {formula}")
    return text


def contributing() -> str:
    """CONTRIBUTING.md, with its links as they are seen from a page."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.replace("](docs/", "](")


def modules(package: str) -> str:
    """One reference section for each module of a package that has something public."""
    lines: list[str] = []
    folder = ROOT / "src" / Path(*package.split("."))
    for file in sorted(folder.rglob("*.py")):
        steps = file.relative_to(ROOT / "src").with_suffix("").parts
        if file.name == "__init__.py" or any(step.startswith("_") for step in steps):
            continue
        if public(file):
            lines += [f"::: {'.'.join(steps)}", ""]
    return "\n".join(lines)


def public(file: Path) -> list[str]:
    """Names of the functions and classes that a module defines for others."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [
        node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")
    ]


def reference() -> str:
    """One section for each model of the scene, in the order in which the file reaches them."""
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
    blocks = [section(name, models[name]) for name in order if name not in LAWS]
    laws = [section(name, models[name]) for name in order if name in LAWS]
    return "\n".join([*blocks, "## Laws {: #laws }", "", LAWS_TEXT, "", *laws])


def commands() -> str:
    """One section for each command of the program: its own help."""
    from typer.testing import CliRunner

    from osog.cli.app import app

    lines: list[str] = []
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        plain = {"COLUMNS": "108", "TERM": "dumb", "NO_COLOR": "1"}
        answer = CliRunner().invoke(app, [name, "--help"], env=plain)
        assert answer.exit_code == 0, answer.output
        text = "\n".join(line.rstrip() for line in answer.output.strip("\n").splitlines())
        lines += [f"### osog {name} {{: #{name} }}", "", "```text", text.strip("\n"), "```", ""]
    return "\n".join(lines)


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


def section(name: str, model: dict[str, Any]) -> str:
    """One heading, what the model is, and a table of its fields."""
    fields = model.get("properties", {})
    if not fields:
        return ""
    kind = fields.get("kind", fields.get("law", {}))
    title = name
    if "const" in kind:
        title = f"`{'kind' if 'kind' in fields else 'law'}: {kind['const']}`"
    lines = [f"### {title} {{: #{name.lower()} }}", "", first_paragraph(model), ""]
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
        if set(names) >= LAWS:
            links.append("a number or a [law](#laws)")
        text = ", ".join(links)
    else:
        parts = [about, *about.get("anyOf", [])]
        text = ", ".join(f"`{option}`" for part in parts for option in part.get("enum", []))
    if "limits" in about:
        low, high = about["limits"]
        unit = f" {about['unit']}" if about.get("unit") else ""
        text = ", ".join(part for part in (text, f"{low:g} to {high:g}{unit}") if part)
    if not text:
        for part in [about, *about.get("anyOf", [])]:
            if "minimum" in part or "maximum" in part:
                low, high = part.get("minimum"), part.get("maximum")
                text = f"from {low:g}" if high is None else f"{low:g} to {high:g}"
                break
    if not text:
        types = [part["type"] for part in [about, *about.get("anyOf", [])] if "type" in part]
        words = {
            "array": "a list",
            "object": "a mapping",
            "boolean": "`true` or `false`",
            "string": "text",
            "number": "a number",
        }
        text = ", ".join(words.get(kind, kind) for kind in types if kind != "null")
    return text
