"""The layer that lays a render over a micrograph, and the line of a wipe."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.comparison import GreyMatch, compose
from napari_osog.layers.layer_registry import write
from napari_osog.layers.render import widened
from napari_osog.micrographs import plane
from napari_osog.plane_geometry import TargetError
from napari_osog.viewers import camera_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_osog.layers.layer_registry import LayerRegistry

_RED_BLUE = np.array(
    [
        [0.02, 0.19, 0.38, 1.0],
        [0.26, 0.58, 0.76, 1.0],
        [0.97, 0.97, 0.97, 1.0],
        [0.84, 0.38, 0.30, 1.0],
        [0.40, 0.00, 0.12, 1.0],
    ]
)
"""Stops of the diverging map of Brewer 2003, blue below and red above zero."""


class ComparedLayer:
    """Difference, checkerboard and wipe in one layer that is reused.

    Parameters
    ----------
    registry : LayerRegistry

    Attributes
    ----------
    match : GreyMatch or None
        Grey levels of the render and the micrograph, while both are compared.
    problem : str
        Why there is no comparison, or "".
    pinned : bool
        Whether the difference on show is the residual of a fit, which no new picture replaces.
    """

    def __init__(self, registry: LayerRegistry) -> None:
        self.registry = registry
        self._compare_limits: Any = None
        self.match: GreyMatch | None = None
        self.problem = ""
        self.pinned = False
        registry.viewer.mouse_drag_callbacks.append(_wipe_handle(weakref.ref(self)))

    def target_plane(self) -> NDArray[np.float64]:
        """Grey image of the micrograph in use.

        Raises
        ------
        TargetError
            If there is none, or it cannot be used.
        """
        if self.registry.session.target is None:
            raise TargetError("Choose a micrograph first: an image layer of this viewer.")
        point = tuple(self.registry.viewer.dims.point) if self.registry.viewer is not None else None
        return plane(self.registry.session.target, point)

    def render_plane(self) -> NDArray[np.float32] | None:
        """Grey image of the render that is shown at the moment, or None."""
        picture = self.registry.session.picture
        if picture is None:
            return None
        image = picture.image
        return image.mean(axis=-1, dtype=np.float32) if image.ndim == 3 else image

    def refresh(self) -> None:
        """Compute the comparison again, when one is shown; `problem` says why there is none."""
        view = self.registry.session.view
        if self.pinned and view.compare == "difference":
            return
        self.match, self.problem = None, ""
        if view.compare in ("off", "beside"):
            return
        render = self.render_plane()
        if render is None:
            return
        try:
            micrograph = self.target_plane()
            if micrograph.shape != render.shape:
                raise TargetError(
                    f"The render has {render.shape[0]} × {render.shape[1]} pixels and the "
                    f"micrograph {micrograph.shape[0]} × {micrograph.shape[1]}: match its grid."
                )
        except TargetError as error:
            self.problem = str(error)
            self.registry.hide(self.registry.layer("compare"))
            self.registry.reveal(self.registry.layer("image"))
            return
        mode = view.compare if view.compare != "blend" else "difference"
        array, self.match = compose(mode, render, micrograph, wipe=view.wipe, tiles=view.tiles)
        if view.compare != "blend":
            low, high = self.registry.session.target.contrast_limits
            target = float(low), float(high)
            self.show_array(array, None if mode == "difference" else target)

    def show_array(
        self, array: NDArray[np.float32], limits: tuple[float, float] | None = None
    ) -> None:
        """Show an array on the render's grid in the one layer for comparisons.

        Parameters
        ----------
        array : ndarray, shape (Y, X), float32
        limits : (float, float), optional
            Contrast limits of a grey image; None is a signed residual, blue below and red above 0.
        """
        from napari.layers import Image
        from napari.utils import Colormap

        kind = "grey" if limits is not None else "residual"
        if limits is None:
            good = array[np.isfinite(array)]
            reach = float(np.percentile(np.abs(good), 99.5)) if good.size else 1.0
            reach = reach or 1.0
            known = self._compare_limits
            if isinstance(known, tuple) and known[0] == "residual" and 0.4 < reach / known[1] < 1.1:
                reach = known[1]  # steady colours while it changes little
            self._compare_limits = ("residual", reach)
            limits = (-reach, reach)
        else:
            self._compare_limits = ("grey", limits)
        colours: Any = "gray" if kind == "grey" else Colormap(_RED_BLUE, name="OSOG residual")
        layer = self.registry.layer("compare")
        if layer is None:
            layer = self.registry.make(
                "compare",
                Image,
                array.copy(),
                array.shape,
                contrast_limits=limits,
                colormap=colours,
                metadata={"osog": {"role": "compare"}},
            )
        else:
            self.registry.place(layer, array.shape)
            write(layer, array)
            if (layer.colormap.name == "gray") != (kind == "grey"):
                layer.colormap = colours
            layer.contrast_limits_range = widened(limits, limits)
            layer.contrast_limits = limits
        self.registry.reveal(layer)
        self.registry.hide(self.registry.layer("image"))

    def hide(self) -> None:
        """Take the comparison away and show the render again."""
        self.registry.hide(self.registry.layer("compare"))
        self.registry.reveal(self.registry.layer("image"))


def _wipe_handle(owner: weakref.ref[ComparedLayer]) -> Any:
    """Mouse callback of the viewer: the line of a wipe follows the hand that grips it."""

    def drag(viewer: Any, event: Any) -> Any:
        compared = owner()
        if compared is None:
            return
        layer, view = compared.registry.layer("compare"), compared.registry.session.view
        if layer is None or view.compare != "wipe":
            return
        columns = layer.data.shape[1]

        def share() -> float:
            column = layer.world_to_data(event.position)[-1]
            return float(np.clip((column + 0.5) / columns, 0.0, 1.0))

        # Within ten pixels of the screen, at the zoom of the moment.
        camera = camera_of(viewer)
        reach = 10.0 / (camera.zoom * abs(layer.scale[-1]) * columns)
        if abs(share() - view.wipe) > reach:
            return
        panning, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield
            while event.type == "mouse_move":
                view.wipe = share()
                yield
        finally:
            camera.mouse_pan = panning

    return drag


__all__ = ["ComparedLayer"]
