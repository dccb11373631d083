"""Brightfield: the condenser softens the fringes that coherent light leaves.

Run it as ``python examples/modalities/brightfield.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("bacteria-brightfield").updated(
    {"grid.shape": (256, 320), "microscope.source_points": 16}
)

frames = {}
for name, condenser in (("coherent", 0.0), ("koehler", 0.5)):
    frames[name] = osog.render(
        scene.updated({"microscope.condenser_numerical_aperture": condenser}), seed=2
    )
    osog.io.write_png(folder / f"brightfield-{name}.png", frames[name].image)
    print(frames[name].explain)
