"""Facts that are written in more than one file agree, and the engine stays free of the viewer."""

from __future__ import annotations

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
