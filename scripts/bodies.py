"""Make ``docs/images/bodies.png``: crystals, surfaces, bodies of pieces and inclusions, by name.

All in DIC with an open condenser. Run it as ``python scripts/bodies.py [FILE]``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tiles import tile, write_sheet

import osog

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
COLUMNS, PIXELS, PIXEL_UM, SCALE = 6, 150, 0.1, 1.4
FLAT = [20, 0, 0]
"""Azimuth, elevation and roll of bodies that lie on the glass."""
SIZES = {
    "needle": [12, 1.2, 1.2],
    "lath": [11, 3, 1.2],
    "plate": [9, 7, 1],
    "hexagonal_plate": [8, 8, 1.5],
    "cube_cut": [6, 6, 6],
    "octahedron": [8, 8, 8],
    "lysozyme": [7, 6, 6],
    "quartz": [10, 4, 4],
    "calcite": [6, 6, 6],
    "urea": [10, 3, 3],
    "sucrose": [7, 8, 5],
    "glycine": [10, 5, 4],
}
"""Sizes of the habits in µm."""


def block(surface: dict[str, Any], size: list[float] | None = None) -> dict[str, Any]:
    """Describe a block with a surface of its own."""
    return {"shape": {"kind": "box", "size_um": size or [10, 6, 3]}, "surface": surface}


BODIES: dict[str, dict[str, Any]] = {
    **{
        habit: {"shape": {"kind": "polyhedron", "habit": habit, "size_um": size}}
        for habit, size in SIZES.items()
    },
    "random polyhedron": {
        "shape": {"kind": "random_polyhedron", "size_um": [8, 7, 6], "faces": 16}
    },
    "bevel": block({"bevel_um": 0.5}),
    "broken corners": block({"broken_corners": 0.6, "broken_um": 1.6}),
    "taper": block({"taper": 0.7}, [11, 4, 3]),
    "striations": block({"striations": 14, "striation_depth_um": 0.25}),
    "pits": block({"pits": 9, "pit_radius_um": 0.6, "pit_depth_um": 0.5}),
    "steps": block({"steps": 5, "step_height_um": 0.25}),
    "frayed": block({"frayed": 6, "frayed_um": 3.0}, [11, 4, 1.5]),
    "cocci, chain": {"shape": {"kind": "cocci", "radius_um": 0.8, "cells": 7, "bend_deg": 20}},
    "cocci, cluster": {
        "shape": {"kind": "cocci", "radius_um": 0.8, "arrangement": "cluster", "cells": 14}
    },
    "cocci, tetrad": {"shape": {"kind": "cocci", "radius_um": 1.2, "arrangement": "tetrad"}},
    "bacilli": {"shape": {"kind": "bacilli", "length_um": 4.5, "radius_um": 0.7, "cells": 2}},
    "cell": {
        "shape": {"kind": "cell", "radius_um": 6.5, "height_um": 3.5, "granules": 25},
        "angles": FLAT,
    },
    "droplet": {
        "shape": {"kind": "droplet", "radius_um": 4.0, "contact_angle_deg": 80},
        "angles": FLAT,
    },
    "joined droplets": {
        "shape": {"kind": "joined_droplets", "radius_um": 3.0, "second_radius_um": 2.0},
        "angles": FLAT,
    },
    "red cell": {"shape": {"kind": "red_cell"}},
    "bent rod": {
        "shape": {"kind": "bent_rod", "length_um": 12, "radius_um": 0.5, "bend_deg": 90},
        "angles": FLAT,
    },
    "vesicle": {
        "shape": {"kind": "vesicle", "semi_axes_um": [4, 3.5, 3.5], "wall_um": 0.4}
    },
    "tube": {"shape": {"kind": "tube", "length_um": 11, "radius_um": 1.6, "wall_um": 0.5}},
    "granules": {
        "shape": {"kind": "ellipsoid", "semi_axes_um": [5, 4, 3]},
        "inclusions": [{"number": 14, "radius_um": 0.45, "index": 1.46}],
    },
    "holes": {
        "shape": {"kind": "box", "size_um": [9, 7, 5]},
        "inclusions": [{"number": 10, "radius_um": 0.5}],
    },
    "cracks": {
        "shape": {"kind": "box", "size_um": [9, 7, 5]},
        "inclusions": [{"number": 6, "radius_um": 0.7, "aspect": 0.08}],
    },
    "satellites": {
        "shape": {"kind": "box", "size_um": [6, 5, 4]},
        "inclusions": [{"number": 12, "place": "outside", "radius_um": 0.5, "index": 1.4}],
    },
}  # fmt: skip


def scene(name: str) -> osog.Scene:
    """Describe one body in the middle of a frame."""
    body = dict(BODIES[name])
    angles = body.pop("angles", [25, 14, 30])
    middle = (PIXELS - 1) * PIXEL_UM / 2
    return osog.Scene.parse(
        {
            "grid": {"shape": [PIXELS, PIXELS], "pixel_size_um": PIXEL_UM},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "body",
                    "material": {"index": 1.38},
                    "particles": [{"x_um": middle, "y_um": middle, "orientation_deg": angles}],
                    **body,
                }
            ],
            "microscope": {
                "numerical_aperture": 0.8,
                "condenser_numerical_aperture": 0.5,
                "modality": {"kind": "dic", "shear_um": 0.25, "bias_retardance_deg": 60},
            },
        }
    )


def main(file: Path) -> None:
    pictures = {
        name: tile(osog.render(scene(name), seed=5, device="cpu").image.numpy()) for name in BODIES
    }
    write_sheet(pictures, file, columns=COLUMNS, side=round(PIXELS * SCALE), letters=18)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES / "bodies.png")
