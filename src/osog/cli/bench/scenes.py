"""The frames that are measured, here and by the script for GPUs: they need osog alone."""

from __future__ import annotations

from typing import Any

from osog.scene import Scene


def crowd(shape: dict[str, Any], count: int, side: int = 1024, aperture: float = 0.8) -> Scene:
    """Describe a frame of pixels of 0.1 µm with particles at z ± 10 µm in coherent brightfield.

    Parameters
    ----------
    shape : dict
        As in a scene file.
    count : int
    side : int
        Pixels of a side.
    aperture : float
        Numerical aperture.
    """
    return Scene.parse(
        {
            "grid": {"shape": [side, side], "pixel_size_um": 0.1},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "bodies",
                    "shape": shape,
                    "material": {"index": 1.36},
                    "count": count,
                    "placement": {"law": "poisson", "z_um": [-10, 10]},
                }
            ],
            "microscope": {"numerical_aperture": aperture, "wavelength_um": 0.55},
        }
    )


def labelled_rods(side: int = 256, focus_um: float = 0.0) -> Scene:
    """Describe a frame as a training loop wants it: 50 rods in DIC with a condenser of NA 0.2.

    Parameters
    ----------
    side : int
        Pixels of 0.12 µm a side.
    focus_um : float
    """
    return Scene.parse(
        {
            "grid": {"shape": [side, side], "pixel_size_um": 0.12},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "rods",
                    "shape": {"kind": "rod", "length_um": 6.0, "radius_um": 0.5},
                    "material": {"index": 1.45},
                    "count": 50,
                    "placement": {"z_um": [-5, 5]},
                }
            ],
            "microscope": {
                "numerical_aperture": 0.35,
                "condenser_numerical_aperture": 0.2,
                "focus_um": focus_um,
                "modality": {"kind": "dic"},
            },
        }
    )


__all__ = ["crowd", "labelled_rods"]
