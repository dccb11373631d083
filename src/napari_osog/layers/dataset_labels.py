"""Labels of a frame as napari layers: masks, and oriented boxes with a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.overlays import short_numbers

if TYPE_CHECKING:
    from osog.datasets import LabelledFrame

MASKS, BOXES = "OSOG masks", "OSOG boxes"
_OURS = "osog_labels"
_COLOURS = {
    "counted": "#ffb000", "difficult": "#a0a0a0", "ignored": "#5a5a5a", "none": "#303030",
}  # fmt: skip


def show_masks(viewer: Any, frame: LabelledFrame) -> None:
    """Add, or renew, the layer of a frame's masks.

    Parameters
    ----------
    viewer : napari viewer
    frame : LabelledFrame
        Its objects' numbers are the values of the masks.
    """
    known, features = _known(viewer, MASKS), _rows(_table(frame))
    masks = short_numbers(frame.instances)
    if known is None:
        viewer.add_labels(masks, name=MASKS, opacity=0.4, features=features, **_placed(frame))
        return
    known.data = masks
    known.features = features
    known.scale = _placed(frame)["scale"]


def show_boxes(viewer: Any, frame: LabelledFrame) -> None:
    """Add, or renew, the layer of a frame's oriented boxes.

    Parameters
    ----------
    viewer : napari viewer
    frame : LabelledFrame
        Its objects' numbers are the first column of the table of the boxes.
    """
    known = _known(viewer, BOXES)
    if known is not None:
        viewer.layers.remove(known)
    edge = [_COLOURS[state] for state in frame.objects.state]
    viewer.add_shapes(
        list(frame.objects.corners[..., ::-1]), shape_type="polygon", name=BOXES,
        face_color="transparent", edge_color=edge or _COLOURS["counted"],
        edge_width=max(1.0, min(frame.shape) / 400), features=_table(frame), **_placed(frame),
    )  # fmt: skip


def _known(viewer: Any, name: str) -> Any:
    """Layer of this name that was made here, or None."""
    layer = viewer.layers[name] if name in viewer.layers else None
    return layer if layer is not None and layer.metadata.get(_OURS) else None


def _placed(frame: LabelledFrame) -> dict[str, Any]:
    pixel = frame.scene.grid.pixel_size_um
    return {"scale": (pixel, pixel), "units": ("um", "um"), "metadata": {_OURS: True}}


def _table(frame: LabelledFrame) -> Any:
    import pandas as pd

    objects = frame.objects
    return pd.DataFrame({"object": np.arange(1, len(objects) + 1), **objects.columns()})


def _rows(table: Any) -> Any:
    """Table of a Labels layer, which begins with a row for the background."""
    import pandas as pd

    empty = pd.DataFrame([dict.fromkeys(table, np.nan)]).assign(object=0)
    return pd.concat([empty, table], ignore_index=True).rename(columns={"object": "index"})


__all__ = ["BOXES", "MASKS", "show_boxes", "show_masks"]
