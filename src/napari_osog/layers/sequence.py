"""The layer of a stack or a time series; the slider below the viewer walks through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_osog.layers.layer_registry import NAMES
from napari_osog.layers.render import displayed

if TYPE_CHECKING:
    from napari_osog.layers.layer_registry import LayerRegistry
    from napari_osog.pictures import Picture
    from osog.scene import Scene

_LAYOUT_MS = 150


class SequenceLayer:
    """Shows all planes and frames of a scene in one layer with named axes.

    It lies over the render, and is hidden as soon as the scene changes: then the live image is
    what the hand wants to see.

    Parameters
    ----------
    registry : LayerRegistry
    """

    def __init__(self, registry: LayerRegistry) -> None:
        self.registry = registry

    def show(self, picture: Picture, metadata: dict[str, Any], *, visible: bool = True) -> Any:
        """Show the pictures of a stack or series; returns the layer.

        Parameters
        ----------
        picture : Picture
            Of a request for the whole; image ([T,] [Z,] Y, X [, 3]).
        metadata : dict
            What the layer says of its render.
        visible : bool
            Whether it is shown at once, or left hidden in the layer list.
        """
        from napari.layers import Image

        scene, image = picture.request.scene, picture.image
        axes = sequence_axes(scene)
        colour = image.ndim == len(axes) + 3
        shape = image.shape[len(axes) : len(axes) + 2]
        flat = image[np.isfinite(image)]
        low, high = (float(v) for v in np.percentile(flat[:: max(flat.size // 200_000, 1)],
                                                     (0.1, 99.9)))  # fmt: skip
        margin = max(0.08 * (high - low), 1e-3 * max(abs(high), 1e-6))
        limits = low - margin, high + margin
        if colour:
            dark = 0.0 if scene.camera is None else scene.camera.dark_counts
            image = displayed(image, (dark, max(limits[1], dark + 1e-6)))
        role = "sequence colour" if colour else "sequence"
        other = self.registry.layer("sequence" if colour else "sequence colour")
        if other is not None:
            other.visible = False
        plane = self.registry.transform(shape)
        extra = len(axes)
        rotate = np.eye(extra + 2)
        rotate[-2:, -2:] = plane["rotate"]
        placed = {
            "scale": (*(a[2] for a in axes), *plane["scale"]),
            "translate": (*(a[1] for a in axes), *plane["translate"]),
            "rotate": rotate,
            "units": (*(a[3] for a in axes), *plane["units"]),
        }
        labels = (*(a[0] for a in axes), "y", "x")
        layer = self.registry.layer(role)
        if layer is not None and layer.ndim != extra + 2:
            layer = None  # dimensions of a layer are for life; the old one stays as it is
        if layer is None:
            contrast = {} if colour else {"contrast_limits": limits}
            layer = self.registry.add(
                role,
                Image(
                    image,
                    name=NAMES[role],
                    rgb=colour,
                    axis_labels=labels,
                    metadata={"osog": metadata},
                    visible=visible,
                    **contrast,
                    **placed,
                ),
            )
            self.registry.arrange()
        else:
            layer.data = image
            layer.axis_labels = labels
            for name, value in placed.items():
                setattr(layer, name, value)
            if not colour:
                layer.contrast_limits_range = limits
                layer.contrast_limits = limits
            layer.metadata["osog"] = metadata
            layer.visible = visible
        viewer = self.registry.viewer
        # The slider that has appeared takes room from the canvas, once the window is laid out anew.
        QTimer.singleShot(_LAYOUT_MS, self.registry.fit_view)
        for axis in range(extra):
            middle = image.shape[axis] // 2 if axes[axis][0] == "z" else 0
            viewer.dims.set_current_step(viewer.dims.ndim - (extra + 2) + axis, middle)
        return layer

    def leave(self) -> None:
        """Hide it: the scene has changed, and the live image is wanted."""
        for role in ("sequence", "sequence colour"):
            layer = self.registry.layer(role)
            if layer is not None and layer.visible:
                layer.visible = False


def sequence_axes(scene: Scene) -> list[tuple[str, float, float, str]]:
    """Axes in front of (Y, X): label, first position, step, unit.

    Parameters
    ----------
    scene : Scene
    """
    axes = []
    if scene.series.frames > 1:
        axes.append(("t", 0.0, scene.series.interval_s, "s"))
    if isinstance(scene.microscope.focus_um, tuple):
        planes = scene.microscope.focus_um
        step = (planes[-1] - planes[0]) / (len(planes) - 1) if len(planes) > 1 else 1.0
        axes.append(("z", planes[0], step or 1.0, "um"))
    return axes


__all__ = ["SequenceLayer", "sequence_axes"]
