"""Nomarski DIC: relief with a bias, dark lines along the edges at extinction.

Run it as ``python examples/modalities/dic.py [FOLDER]``; the pictures go to the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("needles-dic").updated(
    {
        "grid.shape": (256, 320),
        "microscope.condenser_numerical_aperture": 0.25,
        "microscope.source_points": 8,
    }
)

frames = {}
for name, bias, electrons in (("relief", 70.0, 12000.0), ("extinction", 0.0, 60000.0)):
    frames[name] = osog.render(
        scene.updated(
            {
                "microscope.modality.bias_retardance_deg": bias,
                "camera.background_electrons": electrons,
            }
        ),
        seed=1,
    )
    osog.io.write_png(folder / f"dic-{name}.png", frames[name].image)
    print(frames[name].explain)
