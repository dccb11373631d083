"""Labels as napari layers: masks and boxes of a frame with a table, samples side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.overlays import short_numbers
from napari_osog.viewers import camera_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.datasets import LabelledFrame

MASKS, BOXES, SAMPLES = "OSOG masks", "OSOG boxes", "OSOG samples"
_LARGEST = 512
"""Pixels of the longer side of a sample that is shown large."""
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
    edge = [_COLOURS[state] for state in objects.state]
    mine = _renewed(viewer, MASKS, BOXES)
    viewer.add_labels(
        short_numbers(frame.instances), name=MASKS, opacity=0.4, features=_rows(table), **placed,
        **mine,
    )  # fmt: skip
    viewer.add_shapes(
        list(corners), shape_type="polygon", name=BOXES, face_color="transparent",
        edge_color=edge or "#ffb000", edge_width=max(1.0, min(frame.shape) / 400), features=table,
        **placed, **mine,
    )  # fmt: skip


def show_samples(viewer: Any, frames: Sequence[LabelledFrame]) -> None:
    """Add, or renew, a layer with samples and their labels; the first of them fills the view.

    They lie to the right of the frame on show.

    Parameters
    ----------
    viewer : napari viewer
    frames : sequence of LabelledFrame
    """
    from osog.datasets.sheet import contact_sheet

    grid = frames[0].scene.grid
    side = min(_LARGEST, max(frames[0].shape))
    pixel = grid.pixel_size_um * max(grid.shape) / side
    height, width = (pixels * grid.pixel_size_um for pixels in grid.shape)
    viewer.add_image(
        contact_sheet(frames, columns=3, side=side), name=SAMPLES, rgb=True,
        scale=(pixel, pixel), units=("um", "um"), translate=(0.0, 1.05 * width),
        interpolation2d="linear", **_renewed(viewer, SAMPLES),
    )  # fmt: skip
    viewer.reset_view()
    camera = camera_of(viewer)
    camera.zoom *= 3.5
    camera.center = (height / 2, 1.55 * width)


def _renewed(viewer: Any, *names: str) -> dict[str, Any]:
    """Take earlier layers of ours away; the mark of the new ones."""
    for name in names:
        if name in viewer.layers and viewer.layers[name].metadata.get("osog_labels"):
            viewer.layers.remove(name)
    return {"metadata": {"osog_labels": True}}


def _rows(table: Any) -> Any:
    """Table of a Labels layer, which begins with a row for the background."""
    import pandas as pd

    empty = pd.DataFrame([dict.fromkeys(table, np.nan)]).assign(object=0)
    return pd.concat([empty, table], ignore_index=True).rename(columns={"object": "index"})


__all__ = ["BOXES", "MASKS", "SAMPLES", "show_labels", "show_samples"]
