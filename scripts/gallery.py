"""Draw the pictures of the gallery page by running the example of every modality.

Run it as ``python scripts/gallery.py [FOLDER]``; without a folder it writes docs/images/gallery.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def draw(folder: Path) -> list[Path]:
    """Run every example into a folder; the pictures that are there afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    for example in sorted((ROOT / "examples" / "modalities").glob("*.py")):
        print(f"— {example.stem}")
        sys.argv = [str(example), str(folder)]
        runpy.run_path(str(example), run_name="__main__")
    return sorted(folder.glob("*.png"))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "gallery"
    for picture in draw(target):
        print(f"{picture.name}: {picture.stat().st_size / 1024:.0f} kB")
