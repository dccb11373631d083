"""iSCAT: nanoparticles whose contrast changes its sign with their height.

Run it as ``python examples/modalities/iscat.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("particles-iscat")

frame = osog.render(scene, seed=2)
osog.io.write_png(folder / "iscat.png", frame.image)
print(frame.explain)
