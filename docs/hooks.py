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

from napari_osog.manual.reference import instruments_table, materials_table, scene_reference

ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each marker of a page by what it names."""
    written = {
        "scene_reference": scene_reference,
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
