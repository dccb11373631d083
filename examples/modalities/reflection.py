"""Reflection interference: Newton's rings of beads above a coverslip, bright and dark field.

Run it as ``python examples/modalities/reflection.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("beads-reflection").updated(
    {"grid.shape": (256, 256), "microscope.source_points": 100}
)

frames = {}
# Dark field is relative to the incident light, of which water and silica send little back.
for field, electrons in (("bright", 9000.0), ("dark", 6e6)):
    frames[field] = osog.render(
        scene.updated(
            {"microscope.modality.field": field, "camera.background_electrons": electrons}
        ),
        seed=1,
    )
    osog.io.write_png(folder / f"reflection-{field}.png", frames[field].image)
    print(frames[field].explain)
