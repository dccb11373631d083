"""Quantitative phase of a cell in radians.

Run it as ``python examples/modalities/phase.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
frame = osog.render(osog.presets.load("cell-phase"), seed=0)
radians = frame.image
osog.io.write_png(folder / "phase.png", radians, low=0.0, high=float(radians.max()))
print(frame.explain)
print(f"Largest phase {radians.max():.2f} rad")
