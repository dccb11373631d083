"""What is drawn over the render: masks, outlines, the line of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.layer_registry import hide, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_osog.layers.layer_registry import LayerRegistry
    from napari_osog.pictures import Picture

MAX_OUTLINES = 1000


class Overlays:
    """Masks, outlines and the profile line.

    Parameters
    ----------
    registry : LayerRegistry
    """

    def __init__(self, registry: LayerRegistry) -> None:
        self.registry = registry

    def show_masks(self, picture: Picture) -> None:
        """Show which particle each pixel belongs to."""
        from napari.layers import Labels

        layer = self.registry.layer("masks")
        wanted = self.registry.session.view.masks
        if not wanted:
            hide(layer)
            return
        masks = picture.instances
        if masks is None:
            return
        if layer is None:
            layer = self.registry.make("masks", Labels, masks.copy(), masks.shape, opacity=0.45)
            layer.editable = False
            return
        self.registry.place(layer, masks.shape)
        layer.visible = True
        write(layer, masks)

    def show_outlines(self, picture: Picture) -> None:
        """Show the silhouettes."""
        from napari.layers import Shapes

        layer = self.registry.layer("outlines")
        if not self.registry.session.view.outlines:
            hide(layer)
            return
        outlines = picture.outlines
        if outlines is None:
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
        layer.visible = True
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
        layer.visible = True
        viewer = self.registry.viewer
        viewer.layers.selection.active = layer
        layer.mode = "select"
        return layer


def _closed(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Close a polygon and drop points that repeat: a path with them is not drawn."""
    step = np.abs(np.diff(outline, axis=0, prepend=outline[-1:])).max(axis=1)
    corners = outline[step > 1e-6]
    if len(corners) < 2:
        return np.concatenate([outline[:1], outline[:1] + 0.1])
    return np.concatenate([corners, corners[:1]])


__all__ = ["MAX_OUTLINES", "Overlays"]
