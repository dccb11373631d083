"""The layer of the render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.layer_registry import write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_osog.layers.layer_registry import LayerRegistry
    from napari_osog.pictures import Picture


_ROOM, _FLAT = 0.05, 0.01
"""Shares of the micrograph's range of grey levels: how far beside it the render's median may lie,
and the range that the render has at least; else these are other units."""


class RenderLayer:
    """Shows pictures in one image layer; its contrast changes once per kind of image.

    Parameters
    ----------
    registry : LayerRegistry
    """

    def __init__(self, registry: LayerRegistry) -> None:
        self.registry = registry
        # By colour or grey: what the contrast was chosen for, and the contrast.
        self._limits: dict[bool, tuple[Any, tuple[float, float]]] = {}
        self._histogram = False
        self.extent: Any = None

    def show(self, picture: Picture) -> None:
        """Show a picture; only another shape gives the layer new data."""
        image = picture.image
        shape = image.shape[:2]
        limits = self._contrast(picture)
        colour = image.ndim == 3
        if colour:
            image = displayed(image, self._limits[True][1])
        first = self._choose(colour)
        layer = self.registry.layer("image")
        if layer is None:
            layer = self._make(image, limits)
        else:
            self.registry.place(layer, shape)
            write(layer, image)
            if first:  # it was hidden while another, now deleted, was shown
                self.registry.reveal(layer)
        self.registry.session.render_removed = False
        if not colour and limits is not None:
            with self.registry.silence():
                low, high = limits
                layer.contrast_limits_range = widened(_finite_range(image), limits)
                layer.contrast_limits = (low, high)
        if first:
            _show_scale_bar(self.registry.viewer)
        beside = self.registry.session.view.compare == "beside"
        extent = (shape, *(float(s) for s in layer.scale[-2:]), beside)
        if extent != self.extent and not self.registry.session.sliding:
            self.extent = extent
            self.registry.fit_view()

    def _choose(self, colour: bool) -> bool:
        """Take the grey or the colour layer; returns whether there was none of either.

        The one that is left is hidden with all that the user set in it, and shown again as it was
        when the render returns to it.
        """
        before = self.registry.layer("image")
        changed = colour != self.registry.colour
        self.registry.colour = colour
        if not changed or before is None:
            return before is None
        after = self.registry.layer("image")
        viewer = self.registry.viewer
        with self.registry.silence():
            active = viewer.layers.selection.active
            if after is None:
                after = self._make(np.zeros((*before.data.shape[:2], *(3,) * colour), "f4"), None)
            after.visible, after.opacity = before.visible, before.opacity
            before.visible = False
            if active is before or active is None:
                viewer.layers.selection.active = after
        return False

    def _make(self, image: NDArray[np.float32], limits: tuple[float, float] | None) -> Any:
        from napari.layers import Image

        colour = image.ndim == 3
        role = "colour" if colour else "image"
        contrast = {} if colour else {"contrast_limits": limits or _finite_range(image)}
        return self.registry.make(
            role,
            Image,
            image.copy(),
            image.shape[:2],
            rgb=colour,
            metadata={"osog": {}},
            **contrast,
        )

    def _contrast(self, picture: Picture) -> tuple[float, float] | None:
        """Contrast limits when they must change: once per kind of image, not per frame."""
        scene = picture.request.scene
        image = picture.image
        colour = image.ndim == 3
        beside = None if colour else self._limits_beside(picture)
        key = (
            beside,
            picture.request.shown,
            scene.microscope.modality.kind,
            None if scene.camera is None else scene.camera.bit_depth,
            self.registry.session.preset,
        )
        if beside is not None:
            known, _ = self._limits.get(colour, (None, beside))
            self._limits[colour] = key, beside
            return None if known == key else beside
        known, limits = self._limits.get(colour, (None, (0.0, 0.0)))
        if known == key:
            if picture.request.preview:
                return None
            # The image has left the range altogether: a range that shows nothing helps nobody.
            low, high = limits
            middle = float(np.median(image[:: max(image.shape[0] // 64, 1)]))
            margin = 0.02 * (high - low)
            if low - margin <= middle <= high + margin:
                return None
        bottom, top = (float(v) for v in np.percentile(image[np.isfinite(image)], (0.1, 99.9)))
        margin = max(0.08 * (top - bottom), 1e-3 * max(abs(top), 1e-6))
        low, high = bottom - margin, top + margin
        if colour:
            # One range from darkness on for all colours: anything else would change the hues.
            counted = picture.request.shown == "image"
            low = scene.camera.dark_counts if counted and scene.camera is not None else 0.0
            high = max(high, low + 1e-6)
        if scene.camera is not None and picture.request.shown == "image":
            if not scene.microscope.modality.measures_phase:
                low, high = max(low, 0.0), min(high, float(scene.camera.white_counts))
                if high <= low:
                    low, high = 0.0, float(scene.camera.white_counts)
        self._limits[colour] = key, (low, high)
        return low, high

    def _limits_beside(self, picture: Picture) -> tuple[float, float] | None:
        """Contrast of the micrograph beside or below, where the render has its grey levels.

        Stretched by itself, the same noise would look stronger in the render.
        """
        session = self.registry.session
        target, matched = session.target, session.view.transform
        if session.view.compare not in ("beside", "blend") or target is None or matched is None:
            return None
        if picture.request.shown != "image" or getattr(target, "rgb", False):
            return None
        low, high = (float(v) for v in target.contrast_limits)
        image = picture.image[:: max(picture.image.shape[0] // 64, 1)]
        bottom, middle, top = np.percentile(image[np.isfinite(image)], (0.5, 50.0, 99.5))
        reach = _ROOM * (high - low)
        same = low - reach <= middle <= high + reach and top - bottom > _FLAT * (high - low)
        return (low, high) if same else None

    def begin_motion(self) -> None:
        """Frames are about to follow fast: the histogram of the layer controls must wait."""
        layer = self.registry.layer("image")
        histogram = getattr(layer, "histogram", None)
        if histogram is not None and histogram.enabled:
            self._histogram = True
            histogram.enabled = False

    def rest(self, metadata: dict[str, Any] | None = None) -> None:
        """Bring thumbnail, histogram and metadata up to date."""
        layer = self.registry.layer("image")
        if layer is None:
            return
        if self._histogram:
            self._histogram = False
            layer.histogram.enabled = True
        layer.refresh(extent=False, highlight=False)
        if metadata is not None:
            layer.metadata["osog"] = metadata


def displayed(image: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Scale a colour image to 0–1, as napari shows colours, with the same range for all three.

    Parameters
    ----------
    image : ndarray, shape (..., 3)
    limits : (float, float)
    """
    low, high = limits
    scaled: NDArray[np.float32] = np.clip((image - low) / (high - low), 0.0, 1.0, dtype=np.float32)
    return scaled


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


__all__ = ["RenderLayer", "displayed", "widened"]
