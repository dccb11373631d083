"""Draw ``docs/images/architecture.svg``: the packages, and what passes between them.

Run it as ``python scripts/architecture.py [FILE]``. A test holds the names in the picture against
the packages that there are.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "docs" / "images" / "architecture.svg"
WIDTH, HEIGHT = 1080, 560
INK, SOFT, PAPER = "#24292f", "#57606a", "#ffffff"
BLUE, GREEN, YELLOW, GREY = "#dbe9ff", "#dff3e4", "#fff4d1", "#eef0f3"

STAGES = (
    ("scene", "what the user", "describes", "Scene"),
    ("sample", "laws and places", "drawn from a seed", "ParticleBatch"),
    ("geometry", "bodies become", "patches of pixels", "G-buffer"),
    ("exit_wave", "light meets", "the particles", "ExitWave"),
    ("optics", "pupil, focus,", "modality", "irradiance"),
    ("sensor", "pixels, electrons,", "noise, counts", "counts"),
)
"""Package, two lines on what it does, and what it passes on."""


def text(x: float, y: float, words: str, size: int = 14, fill: str = INK, more: str = "") -> str:
    """One line of text, its middle at x."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" text-anchor="middle" {more}>'
        f"{escape(words)}</text>"
    )


def box(
    x: float, y: float, w: float, h: float, name: str, lines: tuple[str, ...], fill: str
) -> str:
    """A package: its name, and what it does."""
    parts = [
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="8" fill="{fill}" '
        f'stroke="{SOFT}" stroke-opacity="0.5"/>',
        text(x + w / 2, y + 24, name, 16, more='font-weight="600"'),
    ]
    for number, line in enumerate(lines):
        parts.append(text(x + w / 2, y + 45 + 17 * number, line, 13, SOFT))
    return "\n".join(parts)


def arrow(x0: float, y0: float, x1: float, y1: float) -> str:
    """A straight arrow."""
    return (
        f'<line x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y1:g}" stroke="{SOFT}" '
        'stroke-width="1.6" marker-end="url(#tip)"/>'
    )


def picture() -> str:
    """The whole drawing."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto">',
        f'<path d="M0 0 L8 4 L0 8 z" fill="{SOFT}"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="{PAPER}"/>',
        # who calls
        box(
            30,
            20,
            320,
            70,
            "napari_osog",
            ("the window: session, live loop, layers, panels",),
            YELLOW,
        ),
        box(380, 20, 320, 70, "cli", ("the command osog, with JSON for machines",), YELLOW),
        box(730, 20, 320, 70, "your Python", ("import osog",), YELLOW),
        # what they call
        box(30, 128, 128, 74, "fitting", ("inverse rendering",), GREEN),
        box(162, 128, 112, 74, "tracking", ("crowds, in time",), GREEN),
        box(278, 128, 112, 74, "calibration", ("whole crowds",), GREEN),
        box(394, 128, 108, 74, "detection", ("by templates",), GREEN),
        box(506, 128, 118, 74, "recognition", ("which modality",), GREEN),
        box(628, 128, 112, 74, "datasets", ("labels, streams",), GREEN),
        box(744, 128, 80, 74, "io", ("image files",), GREEN),
        box(828, 128, 100, 74, "statistics", ("how alike",), GREEN),
        box(932, 128, 118, 74, "explain", ("what it is worth",), GREEN),
        *(arrow(x, 90, x, 124) for x in (190, 540, 890)),
        # the pipeline
        f'<rect x="18" y="232" width="{WIDTH - 36}" height="186" rx="12" fill="{GREY}"/>',
        text(34, 258, "rendering", 16, more='font-weight="600" style="text-anchor: start"'),
        text(
            134,
            258,
            "the stages as one pipeline, the cache of exit waves, Frame, Renderer, ForwardModel",
            13,
            SOFT,
            'style="text-anchor: start"',
        ),
        arrow(155, 202, 155, 228),
        arrow(435, 202, 435, 228),
    ]
    wide, gap, left, top = 134, 38, 34, 276
    for number, (name, first, second, product) in enumerate(STAGES):
        x = left + number * (wide + gap)
        parts.append(box(x, top, wide, 84, name, (first, second), BLUE))
        if number < len(STAGES) - 1:
            parts.append(arrow(x + wide + 2, top + 42, x + wide + gap - 3, top + 42))
        parts.append(text(x + wide / 2, top + 108, f"→ {product}", 13))
    # what lies below and beside
    middle = left + 2 * (wide + gap)
    parts += [
        box(middle, 446, wide, 84, "labels", ("instances, boxes,", "outlines, depth"), BLUE),
        arrow(middle + wide / 2, 392, middle + wide / 2, 442),
        box(
            middle + wide + gap,
            446,
            2 * wide + gap,
            84,
            "waves",
            ("plane waves, angular spectrum,", "sampling plan, pupil and evanescent edges"),
            BLUE,
        ),
        arrow(middle + 1.5 * wide + gap, 444, middle + 1.5 * wide + gap, 396),
        arrow(middle + 2.5 * wide + 2 * gap, 444, middle + 2.5 * wide + 2 * gap, 396),
        box(left, 446, wide, 84, "presets", ("scenes that come", "with the package"), BLUE),
        arrow(left + wide / 2, 444, left + wide / 2, 396),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.write_text(picture(), encoding="utf-8")
    print(f"{out}: {out.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
