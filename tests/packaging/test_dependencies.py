"""The distribution promises what its code uses, and nothing else."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

MODULES = {
    "ome-types": "ome_types",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "typing-extensions": "typing_extensions",
}
"""Modules of the distributions that are not called like them."""


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())


def name(requirement: str) -> str:
    """The distribution of a requirement such as ``napari[all]>=0.9``."""
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found is not None
    return found[0]


def imported(folder: Path) -> set[str]:
    """Top-level modules that the code below a folder imports."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
                found.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "package":
                # An optional package, which `osog.io` imports by name or says what to install.
                found.add(ast.literal_eval(node.args[0]).partition(".")[0])
    return found


def test_every_dependency_is_imported(root: Path, project: dict) -> None:
    used = imported(root / "src")
    promised = {name(line) for line in project["project"]["dependencies"]}
    unused = sorted(one for one in promised if MODULES.get(one, one) not in used)
    assert not unused


def test_every_extra_has_code(root: Path, project: dict) -> None:
    used = imported(root / "src") | imported(root / "examples")
    for extra, lines in project["project"]["optional-dependencies"].items():
        for line in lines:
            if name(line) == project["project"]["name"]:
                continue  # an extra made of other extras
            # A Qt binding comes with napari, which finds it itself.
            assert MODULES.get(name(line), name(line)) in used, f"{extra}: {line}"


def test_ultralytics_stays_in_its_example(root: Path) -> None:
    """Its licence, AGPL-3.0, would bind whatever imports it."""
    assert "ultralytics" not in imported(root / "src")
    users = [
        path.relative_to(root / "examples").as_posix()
        for path in (root / "examples").rglob("*.py")
        if "ultralytics" in path.read_text(encoding="utf-8")
    ]
    assert users == ["yolo_obb/detector.py"]


def test_documents_and_messages_name_extras_that_there_are(root: Path, project: dict) -> None:
    extras = set(project["project"]["optional-dependencies"])
    texts = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "src").rglob("*.py")]
    named = {
        extra
        for path in texts
        for group in re.findall(r"napari-osog\[([\w,]+)\]", path.read_text())
        for extra in group.split(",")
    }
    assert "all" in named
    assert named <= extras
