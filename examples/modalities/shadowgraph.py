"""Shadowgraph of gas bubbles: dark discs with a bright middle, by the Lorenz-Mie series.

Run it as ``python examples/modalities/shadowgraph.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
frame = osog.render(osog.presets.load("bubbles-shadowgraph"), seed=2)
osog.io.write_png(folder / "shadowgraph.png", frame.image)
print(frame.explain)
