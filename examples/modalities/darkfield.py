"""Darkfield: only what scatters is bright.

Run it as ``python examples/modalities/darkfield.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("bacteria-darkfield").updated({"grid.shape": (256, 320)})

frame = osog.render(scene, seed=5)
osog.io.write_png(folder / "darkfield.png", frame.image)
print(frame.explain)
