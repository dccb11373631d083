"""The layer of a stack or a time series; the slider below the viewer walks through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_osog.layers.render import displayed

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        limits = _contrast(image)
        if colour:
            dark = 0.0 if scene.camera is None else scene.camera.dark_counts
            image = displayed(image, (dark, max(limits[1], dark + 1e-6)))
        role = "sequence colour" if colour else "sequence"
        self.registry.hide(self.registry.layer("sequence" if colour else "sequence colour"))
        options = self._placed(axes, shape) | {"axis_labels": (*(a[0] for a in axes), "y", "x")}
        if not colour:
            options |= {"contrast_limits_range": limits, "contrast_limits": limits}
        extra = len(axes)
        layer = self.registry.layer(role)
        if layer is None or layer.ndim != extra + 2:
            # Dimensions of a layer are for life; one of others stays as it is.
            options.pop("contrast_limits_range", None)
            layer = self.registry.make(
                role, Image, image, shape, rgb=colour, visible=visible, metadata={"osog": metadata},
                **options,
            )  # fmt: skip
        else:
            layer.data = image
            for name, value in options.items():
                setattr(layer, name, value)
            layer.metadata["osog"] = metadata
            self.registry.reveal(layer, visible)
        viewer = self.registry.viewer
        # The slider that has appeared takes room from the canvas, once the window is laid out anew.
        QTimer.singleShot(_LAYOUT_MS, self.registry.fit_view)
        for axis in range(extra):
            middle = image.shape[axis] // 2 if axes[axis][0] == "z" else 0
            viewer.dims.set_current_step(viewer.dims.ndim - (extra + 2) + axis, middle)
        return layer

    def _placed(
        self, axes: list[tuple[str, float, float, str]], shape: tuple[int, int]
    ) -> dict[str, Any]:
        """Transform of the layer: that of a plane, and the steps of the axes in front of it."""
        plane = self.registry.transform(shape)
        rotate = np.eye(len(axes) + 2)
        rotate[-2:, -2:] = plane["rotate"]
        return {
            "scale": (*(a[2] for a in axes), *plane["scale"]),
            "translate": (*(a[1] for a in axes), *plane["translate"]),
            "rotate": rotate,
            "units": (*(a[3] for a in axes), *plane["units"]),
        }

    def leave(self) -> None:
        """Hide it: the scene has changed, and the live image is wanted."""
        for role in ("sequence", "sequence colour"):
            self.registry.hide(self.registry.layer(role))


def _contrast(image: NDArray[np.float32]) -> tuple[float, float]:
    """Contrast limits that hold for all pictures."""
    flat = image[np.isfinite(image)]
    some = flat[:: max(flat.size // 200_000, 1)]
    low, high = (float(v) for v in np.percentile(some, (0.1, 99.9)))
    margin = max(0.08 * (high - low), 1e-3 * max(abs(high), 1e-6))
    return low - margin, high + margin


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
