"""Three ways to see the same fluorescent beads: widefield, confocal, light sheet.

Run it as ``python examples/modalities/fluorescence.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("beads-confocal").updated({"grid.shape": (256, 256)})

frame = osog.render(scene.updated({"microscope.modality": {"kind": "fluorescence"}}), seed=2)
osog.io.write_png(folder / "fluorescence.png", frame.image)
print(frame.explain)
