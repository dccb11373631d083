"""The pages of the manual: where they lie, their headings, and what a window can show of them.

A link is the name of a page and, after a ``#``, the anchor of a heading there, as pages link to one
another.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

REFERENCE = "scene.md"
"""The page with a section for each block of a scene."""
_HERE = Path(__file__).parent
_FENCE = re.compile(r"^(```|~~~)")
_HEADING = re.compile(r"^(#{1,6}) +(.*?)(?: *\{:? *#([\w-]+) *\})?$")
_ATTRIBUTES = re.compile(r"\{: *[^}]*\}")
_FORMULA = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]", re.S)
_MODULE = re.compile(r"^::: (\S+)$", re.M)
_MODULES = re.compile(r"\{\{ modules (\S+) \}\}")
_COMMENT = re.compile(r"<!--.*?-->", re.S)


def folder() -> Path:
    """Folder of the pages: inside the package, or in the repository that it is run from."""
    packed = _HERE / "text"
    return packed if packed.is_dir() else _HERE.parents[2] / "docs"


def split(link: str) -> tuple[str, str]:
    """Page and anchor of a link; the anchor may be ""."""
    page, _, anchor = link.partition("#")
    return page, anchor


def text_of(page: str) -> str:
    """Text of a page as it is written.

    Raises
    ------
    OSError
        If there is no such page.
    """
    return (folder() / page).read_text(encoding="utf-8")


def slug(words: str) -> str:
    """Anchor that a heading of these words gets, as the toc extension of Markdown makes it."""
    bare = re.sub(r"[`*]|\]\([^)]*\)|\[", "", words)
    ascii_ = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_).strip().lower())


def headings(text: str) -> dict[str, str]:
    """Words of each heading of a text by its anchor, in their order."""
    found: dict[str, str] = {}
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if match is not None:
            anchor = match[3] or slug(match[2])
            number = 1
            while anchor in found:
                anchor = f"{match[3] or slug(match[2])}_{number}"
                number += 1
            found[anchor] = match[2]
    return found


def heading(link: str) -> str:
    """Words of the heading that a link leads to.

    Raises
    ------
    KeyError
        If there is no such page or heading.
    """
    page, anchor = split(link)
    try:
        known = headings(text_of(page))
    except OSError:
        raise KeyError(link) from None
    return known[anchor] if anchor else next(iter(known.values()))


def shown(text: str) -> str:
    """Text of a page in the Markdown that Qt knows: formulas as they are typed, no attributes."""
    text = _COMMENT.sub("", text)
    text = _MODULE.sub(r"`\1`: in Python, `help(\1)` says what it does.\n", text)
    text = _MODULES.sub(r"In Python, `help(\1)` lists its modules.", text)
    text = _FORMULA.sub(lambda found: _typed(found[1] or found[2]), text)
    lines = []
    for line in text.splitlines():
        match = _HEADING.match(line)
        lines.append(f"{match[1]} {match[2]}" if match else _ATTRIBUTES.sub("", line))
    return "\n".join(lines)


def _typed(formula: str) -> str:
    """Set letters in italics, and leave all else as TeX has it."""
    formula = " ".join(formula.split())
    return f"*{formula}*" if re.fullmatch(r"[A-Za-zα-ωΑ-Ω]+", formula) else f"`{formula}`"


__all__ = ["REFERENCE", "folder", "heading", "headings", "shown", "slug", "split", "text_of"]
