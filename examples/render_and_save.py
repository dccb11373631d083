"""Render a scene of your own and save it with its pixel size.

Run it as ``python examples/render_and_save.py [FOLDER]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

scene = osog.Scene.parse(
    {
        "grid": {"shape": [256, 320], "pixel_size_um": 0.12},
        "medium": {"name": "water"},
        "populations": [
            {
                "name": "rods",
                "shape": {
                    "kind": "rod",
                    "length_um": {"law": "lognormal", "median": 4.0, "sigma": 0.2},
                    "radius_um": 0.45,
                },
                "material": {"index": 1.38},
                "count": 40,
                "placement": {"law": "non_overlapping", "z_um": [-3, 3]},
                "orientation": {"law": "planar", "spread_deg": 10},
            }
        ],
        "microscope": {
            "modality": {"kind": "dic", "shear_um": 0.3, "bias_retardance_deg": 60},
            "numerical_aperture": 0.75,
        },
        "camera": {"background_electrons": 9000},
    }
)

frame = osog.render(scene, seed=1)
print(frame.explain)
for caution in frame.warnings:
    print("Warning:", caution.text)

path = osog.io.write_image(
    folder / "rods.tif", frame.image, pixel_size_um=scene.grid.pixel_size_um, dtype="uint8"
)
scene.save(folder / "rods.yaml")  # osog render rods.yaml --out again.tif --seed 1
print(f"{len(frame.particles)} rods in {path}")
