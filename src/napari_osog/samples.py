"""Images to begin with: one real micrograph, one rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osog.scene import Scene

    LayerData = tuple[Any, dict[str, Any], str]

CELL_PIXEL_UM = 0.107
CELL_OPTICS: dict[str, dict[str, Any]] = {
    "pixel_size_um": {"value": CELL_PIXEL_UM, "source": "scikit-image, data.cell"},
    "wavelength_um": {"value": 0.633, "source": "DryMass tutorial on the same paper"},
    "medium_index": {"value": 1.335, "source": "DryMass tutorial on the same paper"},
}
"""What is known of ``skimage.data.cell``: an HL60 cell, quantitative phase by digital holography.

The grey levels are a phase whose scale is not stated; the objective's NA is not stated either.
"""


CELL_SHAPE = (660, 550)
CELL_CENTRE_PX = (375, 429)
"""Row and column of the cell in the micrograph, by eye."""


def cell_twin() -> Scene:
    """Scene of a cell where the one in the micrograph lies, to begin with beside it."""
    from osog import presets

    scene = presets.load("cell-phase")
    body = scene.populations[0].particles[0]  # type: ignore[index]
    dy, dx = (
        CELL_CENTRE_PX[0] * CELL_PIXEL_UM - body.y_um,
        CELL_CENTRE_PX[1] * CELL_PIXEL_UM - body.x_um,
    )
    moved = tuple(
        population.model_copy(
            update={
                "particles": tuple(
                    p.model_copy(update={"x_um": p.x_um + dx, "y_um": p.y_um + dy})
                    for p in population.particles or ()
                )
            }
        )
        for population in scene.populations
    )
    grid = scene.grid.model_copy(update={"shape": CELL_SHAPE, "pixel_size_um": CELL_PIXEL_UM})
    return scene.model_copy(update={"populations": moved, "grid": grid})


def cell() -> list[LayerData]:
    """HL60 cell: the phase image that ships with scikit-image (CC0)."""
    import numpy as np
    from skimage.data import cell as image

    return [
        (
            image().astype(np.float32),
            {
                "name": "HL60 cell",
                "scale": (CELL_PIXEL_UM, CELL_PIXEL_UM),
                "units": ("um", "um"),
                "axis_labels": ("y", "x"),
                "metadata": {
                    "osog": {
                        "modality": "phase",
                        "grey_scale": "unknown",
                        "optics": CELL_OPTICS,
                    }
                },
            },
            "image",
        )
    ]


def crystals_dic() -> list[LayerData]:
    """Crowded crystals in DIC, rendered from the preset of that name."""
    from napari_osog.reader import rendered_layer
    from osog import presets

    return [rendered_layer(presets.load("lysozyme-dic"), "Crystals in DIC")]


__all__ = ["CELL_OPTICS", "CELL_PIXEL_UM", "cell", "cell_twin", "crystals_dic"]
