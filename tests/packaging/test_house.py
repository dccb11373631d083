"""Facts that are written in more than one file agree, and the house keeps its rules.

The engine stays free of the viewer, no module imports itself by a detour, and no file is too long
to be read in one go.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import osog

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())


def test_version_is_the_same_everywhere(root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == osog.__version__
    assert f"## {osog.__version__}" in (root / "CHANGELOG.md").read_text()


def test_citation_names_the_licence_of_the_project(root: Path, project: dict) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["license"] == project["project"]["license"] == "BSD-3-Clause"
    assert "BSD 3-Clause License" in (root / "LICENSE").read_text()


def test_pinned_torch_is_one_that_the_project_allows(root: Path, project: dict) -> None:
    pinned = re.fullmatch(r"torch==(\d+)\.(\d+)\.\d+\n", (root / "constraints.txt").read_text())
    assert pinned
    (wanted,) = (line for line in project["project"]["dependencies"] if line.startswith("torch"))
    assert (int(pinned[1]), int(pinned[2])) >= tuple(map(int, wanted.split(">=")[1].split(".")))


def test_readme_shows_the_two_commands_and_the_install_line(root: Path) -> None:
    readme = (root / "README.md").read_text()
    assert "make demo" in readme
    assert "make test" in readme
    assert 'pip install "napari-osog[all]"' in readme


def test_engine_imports_neither_qt_nor_napari() -> None:
    code = (
        "import sys, osog, osog.cli\n"
        "taken = ('qtpy', 'napari', 'PyQt5', 'PyQt6', 'PySide6', 'superqt', 'vispy', 'magicgui')\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & set(taken)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == "[]"


def test_reading_the_manifest_does_not_import_torch() -> None:
    """napari reads every manifest at each start; torch alone would cost it seconds."""
    code = (
        "import sys; from npe2 import PluginManifest\n"
        "PluginManifest.from_distribution('napari-osog')\n"
        "print('torch' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == "False"


LONGEST_FILE = 500


def modules(source: Path) -> dict[str, Path]:
    """Every module below a folder by its dotted name."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """Modules that one names in its text: at the top, in functions and for type checkers alone."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    wanted: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            wanted.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            wanted.update(f"{base}.{alias.name}" for alias in node.names)
    found = set()
    for dotted in wanted:
        while dotted and dotted not in known:
            dotted = dotted.rpartition(".")[0]
        found.add(dotted)
    return found - {"", name}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other (Tarjan 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        path.append(node)
        for following in sorted(graph[node]):
            if following not in number:
                visit(following)
                lowest[node] = min(lowest[node], lowest[following])
            elif following in path:
                lowest[node] = min(lowest[node], number[following])
        if lowest[node] == number[node]:
            group = path[path.index(node) :]
            del path[path.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in number:
            visit(node)
    return found


def test_no_module_imports_itself_by_a_detour(root: Path) -> None:
    """Imports for type checkers count: data lives below those who share it."""
    known = modules(root / "src")
    graph = {name: imports(name, path, known) for name, path in known.items()}
    assert len(graph) > 100
    assert circles(graph) == []


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert sorted(circles(graph)) == [["a", "b", "c"], ["d", "e"]]


def test_imports_are_seen_wherever_they_stand(tmp_path: Path) -> None:
    text = """
from typing import TYPE_CHECKING
from a import c
from .d import thing
if TYPE_CHECKING:
    from a.b import Kind
def late():
    import a.e.deeper
"""
    path = tmp_path / "x.py"
    path.write_text(text)
    known = dict.fromkeys(("a", "a.b", "a.c", "a.d", "a.e", "a.x"), path)
    assert imports("a.x", path, known) == {"a.b", "a.c", "a.d", "a.e"}


def test_no_file_is_too_long_to_be_read_in_one_go(root: Path) -> None:
    lengths = {
        str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (root / "src").rglob("*.py")
    }
    assert {path: n for path, n in lengths.items() if n > LONGEST_FILE} == {}
