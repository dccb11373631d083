"""What is drawn over the render: masks, outlines, the line of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_osog.layers.layer_registry import write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_osog.layers.layer_registry import LayerRegistry
    from napari_osog.pictures import Picture

MAX_OUTLINES = 1000
_SHORT = 65535


class Overlays:
    """Masks, outlines and the profile line.

    Parameters
    ----------
    registry : LayerRegistry
    """

    def __init__(self, registry: LayerRegistry) -> None:
        self.registry = registry
        self._left_out = False
        registry.viewer.dims.events.ndisplay.connect(self._on_display)

    def _on_display(self, event: Any = None) -> None:
        """Back in the plane: draw what could not be drawn in the 3-D display."""
        viewer = self.registry.viewer
        if viewer is not None and self._left_out and viewer.dims.ndisplay == 2:
            QTimer.singleShot(0, self._catch_up)  # napari takes its layers back to the plane first

    def _catch_up(self) -> None:
        picture = self.registry.session.picture
        if self._left_out and picture is not None and self.registry.viewer is not None:
            self.show_outlines(picture)

    def show_masks(self, picture: Picture) -> None:
        """Show which particle each pixel belongs to."""
        from napari.layers import Labels

        layer = self.registry.layer("masks")
        wanted = self.registry.session.view.masks
        if not wanted:
            self.registry.hide(layer)
            return
        if picture.instances is None:
            return
        masks = short_numbers(picture.instances)
        if layer is None:
            layer = self.registry.make("masks", Labels, masks.copy(), masks.shape, opacity=0.45)
            layer.editable = False
            return
        self.registry.place(layer, masks.shape)
        self.registry.reveal(layer)
        write(layer, masks)

    def show_outlines(self, picture: Picture) -> None:
        """Show the silhouettes."""
        from napari.layers import Shapes

        layer = self.registry.layer("outlines")
        if not self.registry.session.view.outlines:
            self.registry.hide(layer)
            return
        outlines = picture.outlines
        if outlines is None:
            return
        self._left_out = False
        if self.registry.viewer.dims.ndisplay != 2:
            # napari cannot take new shapes of two dimensions while it displays three.
            self._left_out = True
            self.registry.hide(layer)
            self.registry.session.status = "Outlines are drawn in the 2-D display of the viewer."
            return
        shape = picture.image.shape[:2]
        if len(outlines) > MAX_OUTLINES:
            outlines = []
        # Bodies that lie altogether beside the frame are left out.
        closed = [
            _closed(outline)
            for outline in outlines
            if (outline.max(axis=0) >= 0).all() and (outline.min(axis=0) < shape).all()
        ]
        width = max(max(shape) / 350, 0.4)
        style = {"edge_color": "#ffb000", "edge_width": width, "face_color": "transparent"}
        if layer is None:
            layer = self.registry.make(
                "outlines", Shapes, closed or None, shape, ndim=2, shape_type="path", **style
            )
            layer.editable = False
            return
        self.registry.place(layer, shape)
        self.registry.reveal(layer)
        with self.registry.silence():
            layer.data = []
            if closed:
                layer.add(closed, shape_type="path", **style)

    def draw_profile_line(self) -> Any:
        """Add, or show again, a line across the frame to drag; returns its layer."""
        from napari.layers import Shapes

        layer = self.registry.layer("profile")
        picture = self.registry.session.picture
        if picture is None:
            return None
        self.registry.lie_flat()
        shape = picture.image.shape[:2]
        if layer is None or len(layer.data) == 0:
            row = shape[0] / 2
            line = np.array([[row, 0.15 * shape[1]], [row, 0.85 * shape[1]]])
            if layer is None:
                layer = self.registry.make(
                    "profile",
                    Shapes,
                    [line],
                    shape,
                    shape_type="line",
                    edge_color="#00c8ff",
                    edge_width=max(max(shape) / 300, 0.5),
                )
            else:
                layer.add_lines([line], edge_color="#00c8ff")
        self.registry.reveal(layer)
        viewer = self.registry.viewer
        viewer.layers.selection.active = layer
        layer.mode = "select"
        return layer


def short_numbers(masks: NDArray[np.int32]) -> NDArray[np.integer]:
    """Masks in 16 bits where they fit: napari colours these by a table.

    For longer numbers it compiles code when the first are shown, and the window stands still for
    seconds.
    """
    return masks.astype(np.uint16) if masks.max(initial=0) <= _SHORT else masks


def _closed(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Close a polygon and drop points that repeat: a path with them is not drawn."""
    step = np.abs(np.diff(outline, axis=0, prepend=outline[-1:])).max(axis=1)
    corners = outline[step > 1e-6]
    if len(corners) < 2:
        return np.concatenate([outline[:1], outline[:1] + 0.1])
    return np.concatenate([corners, corners[:1]])


__all__ = ["MAX_OUTLINES", "Overlays", "short_numbers"]
