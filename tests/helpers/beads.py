"""Beads in a hologram."""

from __future__ import annotations

from osog import Scene

FIELDS = ("x_um", "y_um", "z_um", "radius_um", "index")


def scene_of(*beads, **blocks):
    listed = [dict(zip(FIELDS, bead, strict=True)) for bead in beads]
    uniform = {"law": "uniform", "low": 0.4, "high": 0.6}
    population = {
        "name": "beads",
        "shape": {"kind": "sphere", "radius_um": uniform},
        "material": {"index": uniform | {"low": 1.41, "high": 1.47}},
        "placement": {"z_um": uniform | {"low": -1.0, "high": 1.0}},
        **({"particles": listed} if beads else {"count": 3}),
    }
    return Scene.parse(
        {
            "grid": {"shape": [76, 74], "pixel_size_um": 0.1},
            "medium": {"index": 1.333},
            "populations": [population],
            "microscope": {
                "modality": {"kind": "hologram"}, "wavelength_um": 0.532,
                "numerical_aperture": 0.8, "focus_um": 3.0,
            },
            "camera": {
                "background_electrons": 4000, "full_well_electrons": 20000,
                "gain_electrons_per_count": 5, "offset_counts": 20, "read_noise_electrons": 3,
                "bit_depth": 12,
            },
            **blocks,
        }
    )  # fmt: skip
