"""Reference pages are made from the code, and leave out nothing that is public."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import osog

NO_PAGE = {"cli", "presets"}
"""The commands have a page of their own; presets stand on the page of the scene."""


@pytest.fixture(scope="module")
def hooks(root: Path) -> dict[str, Any]:
    return runpy.run_path(str(root / "docs" / "hooks.py"))


def test_every_package_has_a_page(root: Path) -> None:
    home = Path(osog.__file__).parent
    packages = {path.parent.name for path in home.glob("*/__init__.py")} - NO_PAGE
    pages = {
        path.stem: path.read_text(encoding="utf-8") for path in (root / "docs/api").glob("*.md")
    }
    for package in packages:
        assert f"{{{{ modules osog.{package} }}}}" in pages[package]


def test_the_public_surface_stands_on_the_first_page(root: Path) -> None:
    page = (root / "docs" / "api" / "index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert set(osog.__all__) - {"__version__"} <= named
    documented = set(re.findall(r"^::: osog\.(?:\w+\.)*(\w+)$", page, flags=re.M))
    modules = {"datasets", "presets", "io", "materials", "instruments"}
    assert documented - {"explain"} == set(osog.__all__) - {"__version__", *modules}


def test_every_public_module_is_listed(root: Path, hooks: dict[str, Any]) -> None:
    listed = hooks["modules"]("osog.optics")
    assert "::: osog.optics.dic\n" in listed
    assert "__init__" not in listed and "._" not in listed


def test_contributing_is_a_page_with_links_of_its_own(hooks: dict[str, Any]) -> None:
    text = hooks["on_page_markdown"]("{{ contributing }}")
    assert text.startswith("# Contributing")
    assert "](architecture.md)" in text and "](docs/" not in text
    assert "{{" not in text


def test_architecture_names_files_that_there_are(root: Path) -> None:
    pages = [root / "docs" / "architecture.md", root / "CONTRIBUTING.md"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"`((?:osog|napari_osog)/[\w/]+\.py)`", text))
    assert len(named) > 30
    missing = sorted(name for name in named if not (root / "src" / name).is_file())
    assert not missing, missing
