"""Zernike phase contrast: cells that brightfield hardly shows, dark or bright by the plate.

Run it as ``python examples/modalities/phase_contrast.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("cells-phase-contrast").updated({"grid.shape": (288, 360)})

frames = {}
for polarity in ("positive", "negative"):
    frames[polarity] = osog.render(
        scene.updated({"microscope.modality.polarity": polarity}), seed=3
    )
    osog.io.write_png(folder / f"phase-contrast-{polarity}.png", frames[polarity].image)
    print(frames[polarity].explain)
