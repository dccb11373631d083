"""Confocal stack: the pinhole keeps the light from other depths out.

Run it as ``python examples/modalities/confocal.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("beads-confocal").updated(
    {"grid.shape": (256, 256), "microscope.focus_um": (-1.0, 0.0, 1.0)}
)

frame = osog.render(scene, seed=2)  # planes, rows, columns
osog.io.write_png(folder / "confocal.png", frame.image[1])
print(frame.explain)
