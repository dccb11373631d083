"""Inline hologram of silica beads by the exact Lorenz-Mie series.

Run it as ``python examples/modalities/hologram.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("beads-hologram").updated(
    {"grid.shape": (256, 320), "populations.beads.scattering": "mie", "populations.beads.count": 5}
)

frame = osog.render(scene, seed=6)
osog.io.write_png(folder / "hologram.png", frame.image)
print(frame.explain)
