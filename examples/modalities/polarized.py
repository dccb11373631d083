"""Polarised light in colour: crossed polars alone, and with a first-order red plate.

Run it as ``python examples/modalities/polarized.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("crystals-polarized").updated({"grid.shape": (240, 300)})

frames = {}
for name, retardance in (("crossed", 0.0), ("red-plate", 530.0)):
    frames[name] = osog.render(
        scene.updated({"microscope.modality.compensator_nm": retardance}), seed=4
    )
    osog.io.write_png(folder / f"polarized-{name}.png", frames[name].image)
    print(frames[name].explain)
