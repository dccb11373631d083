"""The layer of the render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.stack import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_osog.layers.stack import LayerStack
    from napari_osog.live import Picture


class RenderLayer:
    """Shows pictures in one image layer; its contrast changes once per kind of image.

    Parameters
    ----------
    stack : LayerStack
    """

    def __init__(self, stack: LayerStack) -> None:
        self.stack = stack
        self._limits_key: Any = None
        self._limits: tuple[float, float] | None = None
        self._histogram = False
        self.extent: Any = None

    def show(self, picture: Picture) -> None:
        """Show a picture; only another shape gives the layer new data."""
        from napari.layers import Image

        image = picture.image
        shape = image.shape[:2]
        layer = self.stack.layer("image")
        limits = self._contrast(picture)
        first = layer is None
        if first:
            layer = self.stack.add(
                "image",
                Image(
                    image.copy(),
                    name=NAMES["image"],
                    contrast_limits=limits or _finite_range(image),
                    axis_labels=("y", "x"),
                    metadata={"osog": {}},
                    **self.stack.transform(shape),
                ),
            )
            self.stack.arrange()
        else:
            self.stack.place(layer, shape)
            if layer.data.shape == image.shape and layer.data.flags.writeable:
                np.copyto(layer.data, image)
                layer.refresh(thumbnail=False, highlight=False, extent=False)
            else:
                layer.data = image.copy()
        if limits is not None:
            with self.stack.silence():
                low, high = limits
                layer.contrast_limits_range = widened(_finite_range(image), limits)
                layer.contrast_limits = (low, high)
        if first:
            _show_scale_bar(self.stack.viewer)
        extent = (
            shape,
            *(float(s) for s in layer.scale),
            self.stack.session.view.compare == "beside",
        )
        if extent != self.extent and not self.stack.session.sliding:
            self.extent = extent
            self.stack.fit_view()

    def _contrast(self, picture: Picture) -> tuple[float, float] | None:
        """Contrast limits when they must change: once per kind of image, not per frame."""
        scene = picture.request.scene
        key = (
            picture.request.shown,
            scene.microscope.modality.kind,
            None if scene.camera is None else scene.camera.bit_depth,
            self.stack.session.preset,
        )
        image = picture.image
        if self._limits is not None and key == self._limits_key:
            # The image has left the range altogether: a range that shows nothing helps nobody.
            low, high = self._limits
            middle = float(np.median(image[:: max(image.shape[0] // 64, 1)]))
            margin = 0.02 * (high - low)
            if low - margin <= middle <= high + margin:
                return None
        if picture.request.preview and self._limits is not None:
            return None
        self._limits_key = key
        bottom, top = (float(v) for v in np.percentile(image[np.isfinite(image)], (0.1, 99.9)))
        margin = max(0.08 * (top - bottom), 1e-3 * max(abs(top), 1e-6))
        low, high = bottom - margin, top + margin
        if scene.camera is not None and picture.request.shown == "image":
            if scene.microscope.modality.kind != "phase":
                low, high = max(low, 0.0), min(high, float(scene.camera.white_counts))
                if high <= low:
                    low, high = 0.0, float(scene.camera.white_counts)
        self._limits = (low, high)
        return self._limits

    def begin_motion(self) -> None:
        """Frames are about to follow fast: the histogram of the layer controls must wait."""
        layer = self.stack.layer("image")
        histogram = getattr(layer, "histogram", None)
        if histogram is not None and histogram.enabled:
            self._histogram = True
            histogram.enabled = False

    def rest(self, metadata: dict[str, Any] | None = None) -> None:
        """Bring thumbnail, histogram and metadata up to date."""
        layer = self.stack.layer("image")
        if layer is None:
            return
        if self._histogram:
            self._histogram = False
            layer.histogram.enabled = True
        layer.refresh(extent=False, highlight=False)
        if metadata is not None:
            layer.metadata["osog"] = metadata


def _show_scale_bar(viewer: Any) -> None:
    try:
        viewer.canvas.overlays.scale_bar.visible = True
    except AttributeError:  # napari before 0.9
        viewer.scale_bar.visible = True


def _finite_range(image: NDArray[Any]) -> tuple[float, float]:
    good = image[np.isfinite(image)]
    if not good.size:
        return 0.0, 1.0
    low, high = float(good.min()), float(good.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def widened(inner: tuple[float, float], outer: tuple[float, float]) -> tuple[float, float]:
    """Range around two ranges, with room on both sides."""
    low, high = min(inner[0], outer[0]), max(inner[1], outer[1])
    margin = 0.5 * (high - low)
    return low - margin, high + margin


__all__ = ["RenderLayer", "widened"]
