"""Labels of a frame as napari layers: masks, and oriented boxes with a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.overlays import short_numbers

if TYPE_CHECKING:
    from osog.datasets import LabelledFrame

MASKS, BOXES = "OSOG masks", "OSOG boxes"
_COLOURS = {
    "counted": "#ffb000", "difficult": "#a0a0a0", "ignored": "#5a5a5a", "none": "#303030",
}  # fmt: skip


def show_labels(viewer: Any, frame: LabelledFrame) -> None:
    """Add, or renew, the layers of a frame's labels.

    Parameters
    ----------
    viewer : napari viewer
    frame : LabelledFrame
        Its objects' numbers are the values of the masks and the first column of the boxes' table.
    """
    import pandas as pd

    pixel = frame.scene.grid.pixel_size_um
    objects = frame.objects
    placed: dict[str, Any] = {"scale": (pixel, pixel), "units": ("um", "um")}
    corners = objects.corners[..., ::-1]
    table = pd.DataFrame({"object": np.arange(1, len(objects) + 1), **objects.columns()})
    colours = {
        "counted": "#ffb000",
        "difficult": "#a0a0a0",
        "ignored": "#5a5a5a",
        "none": "#303030",
    }
    edge = [colours[state] for state in objects.state]
    for name in (MASKS, BOXES):
        if name in viewer.layers and viewer.layers[name].metadata.get("osog_labels"):
            viewer.layers.remove(name)
    mine = {"metadata": {"osog_labels": True}}
    viewer.add_labels(
        short_numbers(frame.instances), name=MASKS, opacity=0.4, features=_rows(table), **placed,
        **mine,
    )  # fmt: skip
    viewer.add_shapes(
        list(corners), shape_type="polygon", name=BOXES, face_color="transparent",
        edge_color=edge or "#ffb000", edge_width=max(1.0, min(frame.shape) / 400), features=table,
        **placed, **mine,
    )  # fmt: skip


def _rows(table: Any) -> Any:
    """Table of a Labels layer, which begins with a row for the background."""
    import pandas as pd

    empty = pd.DataFrame([dict.fromkeys(table, np.nan)]).assign(object=0)
    return pd.concat([empty, table], ignore_index=True).rename(columns={"object": "index"})


__all__ = ["BOXES", "MASKS", "show_labels"]
