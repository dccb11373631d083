"""Quantitative phase of a cell in radians.

Run it as ``python examples/modalities/phase.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
frame = osog.render(osog.presets.load("cell-phase"), seed=0)
radians = frame.image.numpy()
osog.io.write_image(folder / "phase.png", np.uint8(np.clip(255 * radians / radians.max(), 0, 255)))
print(frame.explain)
print(f"Largest phase {radians.max():.2f} rad")
