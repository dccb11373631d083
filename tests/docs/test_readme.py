"""The README shows first what OSOG is, and leaves figures to the pages that explain them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.fixture
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def test_it_begins_with_a_sentence_and_the_pictures(readme: str) -> None:
    order = [
        "OSOG renders",
        "drag-focus.gif",
        "make demo",
        "montage.png",
        "## Install",
        "```python",
    ]
    places = [readme.index(mark) for mark in order]
    assert places == sorted(places)
    assert readme.split("\n\n")[1].count(". ") == 0, "one sentence"


def test_six_lines_of_python(readme: str) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", readme, flags=re.M | re.S)
    assert len([line for line in code.splitlines() if line]) == 6


def test_error_figures_stand_on_the_page_on_physics(readme: str, root: Path) -> None:
    assert "%" not in readme
    assert " % " in (root / "docs" / "physics.md").read_text(encoding="utf-8")


def test_it_promises_the_extras_that_there_are(readme: str, root: Path) -> None:
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install = readme.partition("## Install")[2].partition("\n## ")[0]
    named = set(re.findall(r"`\[?(\w+)\]?`", install))
    assert named == set(project["optional-dependencies"])
