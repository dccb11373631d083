"""Light sheet: only the layer that the sheet lights is seen.

Run it as ``python examples/modalities/light_sheet.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("beads-light-sheet").updated({"grid.shape": (240, 320)})

frame = osog.render(scene, seed=3)
osog.io.write_png(folder / "light-sheet.png", frame.image)
print(frame.explain)
