"""Pages link to pages, headings and pictures that there are, and the menu lists every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
WRITTEN = re.compile(r"\{\{ \w+ ?\S* \}\}")
"""A page that is written in part when the pages are built; its headings are not all in the file."""


class _Loader(yaml.SafeLoader):
    """Takes the tags of mkdocs.yml for text."""


_Loader.add_multi_constructor("", lambda loader, suffix, node: None)


def pages(root: Path) -> list[Path]:
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]


def anchors(text: str) -> set[str]:
    """Names of the headings of a page, as mkdocs and GitHub make them."""
    found = set(re.findall(r"\{[:#]? ?#([\w-]+) \}", text))
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.M):
        words = re.sub(r"\{.*\}$|`|\[|\]\([^)]*\)", "", heading).strip().lower()
        found.add(re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", words)).strip("-"))
    return found


@pytest.mark.parametrize("page", pages(Path(__file__).parents[2]), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in LINK.findall(text):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{page.name} → {link}"
        if anchor and target.suffix == ".md":
            there = target.read_text(encoding="utf-8")
            known = anchor in anchors(there) or WRITTEN.search(there) or "\n::: " in there
            assert known, f"{page.name} → {link}"


def test_the_menu_lists_every_page_once(root: Path) -> None:
    menu = yaml.load((root / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_Loader)["nav"]

    def listed(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        inner = entry.values() if isinstance(entry, dict) else entry
        return [page for part in inner for page in listed(part)]  # type: ignore[union-attr]

    in_menu = listed(menu)
    docs = root / "docs"
    assert sorted(in_menu) == sorted(p.relative_to(docs).as_posix() for p in docs.rglob("*.md"))
