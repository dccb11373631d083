"""Make ``docs/images/aggregates.png``: every aggregate in DIC with an open condenser, by name.

Run it as ``python scripts/aggregates.py [FILE]``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tiles import tile, write_sheet

import osog
from osog.scene import AGGREGATES

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
BLOCK: dict[str, Any] = {"kind": "box", "size_um": [3.5, 2.6, 2.0]}
BODIES: dict[str, dict[str, Any]] = {
    "random": BLOCK,
    "stack": {"kind": "box", "size_um": [4.0, 3.0, 0.7]},
    "chain": {"kind": "sphere", "radius_um": 0.9},
    "cross_twin": {"kind": "box", "size_um": [9.0, 1.2, 1.0]},
    "sheaf": {"kind": "box", "size_um": [8.0, 0.35, 0.35]},
    "rosette": {"kind": "box", "size_um": [6.0, 0.7, 0.6]},
    "dendrite": {"kind": "box", "size_um": [10.0, 0.7, 0.6]},
    "dlca": {"kind": "sphere", "radius_um": 0.55},
    "satellites": BLOCK,
    "intergrown": BLOCK,
}
"""Bodies that show best what an aggregate is."""
COLUMNS, PIXELS, PIXEL_UM, SCALE = 5, 170, 0.1, 1.6
SEEDS = {"dlca": 4}


def scene(kind: str) -> osog.Scene:
    """Describe one aggregate in the middle of a frame."""
    return osog.Scene.parse(
        {
            "grid": {"shape": [PIXELS, PIXELS], "pixel_size_um": PIXEL_UM},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": kind,
                    "shape": BODIES[kind],
                    "material": {"index": 1.40},
                    "count": 1,
                    "aggregate": {"kind": kind},
                    "placement": {"law": "lattice", "z_um": 0.0},
                    "orientation": {
                        "law": "aligned", "azimuth_deg": 25, "elevation_deg": 12, "roll_deg": 20,
                    },
                }
            ],
            "microscope": {
                "numerical_aperture": 0.8,
                "condenser_numerical_aperture": 0.5,
                "modality": {"kind": "dic", "shear_um": 0.25, "bias_retardance_deg": 60},
            },
        }
    )  # fmt: skip


def main(file: Path) -> None:
    pictures = {}
    for kind in AGGREGATES:
        image = osog.render(scene(kind), seed=SEEDS.get(kind, 2), device="cpu").image.numpy()
        pictures[kind] = tile(image)
    write_sheet(pictures, file, columns=COLUMNS, side=round(PIXELS * SCALE))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES / "aggregates.png")
