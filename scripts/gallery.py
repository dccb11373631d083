"""Draw the pictures of the gallery page: the example of every modality, and presets as they are.

Run it as ``python scripts/gallery.py [FOLDER]``; without a folder it writes docs/images/gallery.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import osog

ROOT = Path(__file__).parents[1]
PRESETS = (
    "protein-needles-dic",
    "lysozyme-dic-condenser",
    "lysozyme-brightfield",
    "salt-brightfield",
    "urea-polarized",
    "polystyrene-hologram",
    "bacteria-phase-contrast",
    "floc-brightfield",
)
"""Presets that no example shows, in the order of the page."""


def draw(folder: Path) -> list[Path]:
    """Run every example into a folder; the pictures that are there afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    for example in sorted((ROOT / "examples" / "modalities").glob("*.py")):
        print(f"— {example.stem}")
        sys.argv = [str(example), str(folder)]
        runpy.run_path(str(example), run_name="__main__")
    draw_presets(folder)
    return sorted(folder.glob("*.png"))


def draw_presets(folder: Path, names: tuple[str, ...] = PRESETS) -> None:
    """Render presets, at most 320 × 320 pixels of each."""
    for name in names:
        print(f"— {name}")
        image = osog.render(osog.presets.load(name), seed=1).image[:320, :320]
        counts = name not in ("urea-polarized", "bacteria-phase-contrast")
        ends = (None, None) if not counts else (float(image.min()), float(image.quantile(0.999)))
        osog.io.write_png(folder / f"preset-{name}.png", image, *ends)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "gallery"
    for picture in draw(target):
        print(f"{picture.name}: {picture.stat().st_size / 1024:.0f} kB")
