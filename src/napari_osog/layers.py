"""The only code that touches layers of the viewer; runs on the GUI thread."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.comparison import Match, compose
from napari_osog.micrographs import TargetError, plane
from napari_osog.session import Placement, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_osog.live import Picture
    from napari_osog.session import Session, View

MAX_POINTS = 2000
MAX_OUTLINES = 1000
_BESIDE = 1.03
_NAMES = {
    "image": "OSOG",
    "compare": "OSOG compare",
    "masks": "OSOG masks",
    "outlines": "OSOG outlines",
    "particles": "OSOG particles",
    "profile": "OSOG profile line",
}
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


class LayerSink:
    """Shows pictures in layers that are made once, kept, and reused.

    A layer that the person deletes is made again when there is something to show in it; a layer
    that the person renames, hides or restyles stays as it is. Layers of the person are never
    changed.

    Parameters
    ----------
    viewer : napari viewer
        Held weakly.
    session : Session

    Attributes
    ----------
    pinned : bool
        Whether the difference on show is the residual of a fit, which no new picture replaces.
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        real = unwrapped(viewer)
        self._viewer = weakref.ref(real)
        self.session = session
        self._layers: dict[str, Any] = {}
        self._quiet = 0
        self._limits_key: Any = None
        self._limits: tuple[float, float] | None = None
        self._points: NDArray[np.float64] = np.empty((0, 2))
        self._numbers: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._touched: set[int] = set()
        self._depths: NDArray[np.float64] | None = None
        self._dragging = False
        self._edited = False
        self._grip = False
        self._compare_limits: Any = None
        self._histogram = False
        self._extent: Any = None
        self.match: Match | None = None
        self.problem = ""
        self.pinned = False
        real.layers.events.removed.connect(self._on_removed)
        real.mouse_drag_callbacks.append(_wipe_handle(weakref.ref(self)))

    # --- layers by role ----------------------------------------------------------------------

    @property
    def viewer(self) -> Any:
        """The viewer, or None once it is gone."""
        return self._viewer()

    def layer(self, role: str) -> Any:
        """Layer of this role while it is in the viewer, or None.

        Parameters
        ----------
        role : str
            "image", "compare", "masks", "outlines", "particles" or "profile".
        """
        viewer, layer = self.viewer, self._layers.get(role)
        if viewer is None or layer is None:
            return None
        return layer if any(layer is other for other in viewer.layers) else None

    def owns(self, layer: Any) -> bool:
        """Whether this is one of our layers."""
        layer = unwrapped(layer)
        return any(layer is mine for mine in self._layers.values())

    def micrographs(self) -> list[Any]:
        """Image layers of the person, in the order of the layer list from the top."""
        from napari.layers import Image

        viewer = self.viewer
        if viewer is None:
            return []
        return [
            layer
            for layer in reversed(list(viewer.layers))
            if isinstance(unwrapped(layer), Image) and not self.owns(layer)
        ]

    def _add(self, role: str, layer: Any) -> Any:
        viewer = self.viewer
        chosen = [unwrapped(selected) for selected in viewer.layers.selection]
        self._layers[role] = layer
        with self._silence():
            viewer.add_layer(layer)
            if chosen and role != "image":
                viewer.layers.selection = set(chosen)
        return layer

    @contextmanager
    def _silence(self) -> Iterator[None]:
        """Our own changes of a layer must not come back as changes by the person."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def _on_removed(self, event: Any) -> None:
        removed = unwrapped(event.value)
        for role, layer in list(self._layers.items()):
            if layer is removed:
                # The object is kept until it is replaced: letting go of the drawing of a layer
                # between its removal and the next paint crashes some OpenGL drivers.
                if role == "particles":
                    self._points, self._depths = np.empty((0, 2)), None
                    self._dragging = False
        if removed is self.session.target:
            self.session.set_target(None)

    # --- a new picture -----------------------------------------------------------------------

    def show(self, picture: Picture) -> None:
        """Put a finished render on the screen."""
        if self.viewer is None or picture.image is None:
            return
        self._show_image(picture)
        self._show_masks(picture)
        self._show_outlines(picture)
        self._show_particles(picture)
        self.refresh_comparison()

    def _kwargs(self, shape: tuple[int, int]) -> dict[str, Any]:
        """Transform of our layers for a frame of this shape."""
        copied, target = self.session.view.placement, self.session.target
        matched = copied is not None and copied.shape == tuple(shape)
        if not matched:
            pixel = self.session.scene.grid.pixel_size_um
            copied = Placement(shape=tuple(shape), scale=(pixel, pixel))
        rotate = np.array(copied.rotate)
        translate = np.array(copied.translate)
        if self.session.view.compare == "beside":
            if matched or target is None:
                translate = translate + rotate @ (0.0, _BESIDE * shape[1] * copied.scale[1])
            else:  # another grid: to the right of wherever the micrograph ends
                (top, left), (_, right) = np.asarray(target.extent.world)[:, -2:]
                translate = np.array([top, left + _BESIDE * (right - left)])
        return {
            "scale": copied.scale,
            "translate": tuple(translate),
            "rotate": rotate,
            "units": copied.units,
        }

    def _place(self, layer: Any, shape: tuple[int, int]) -> bool:
        """Move a layer to where the render belongs; returns whether it moved."""
        wanted = self._kwargs(shape)
        moved = False
        with self._silence():
            if tuple(str(u) for u in layer.units[-2:]) != _unit_names(wanted["units"]):
                layer.units = wanted["units"]
                moved = True
            for name in ("scale", "translate", "rotate"):
                if not np.allclose(getattr(layer, name), wanted[name], rtol=1e-9, atol=1e-12):
                    setattr(layer, name, wanted[name])
                    moved = True
        return moved

    def _show_image(self, picture: Picture) -> None:
        from napari.layers import Image

        image = picture.image
        shape = image.shape[:2]
        layer = self.layer("image")
        limits = self._contrast(picture)
        first = layer is None
        if first:
            layer = self._add(
                "image",
                Image(
                    image.copy(),
                    name=_NAMES["image"],
                    contrast_limits=limits or _finite_range(image),
                    axis_labels=("y", "x"),
                    metadata={"osog": {}},
                    **self._kwargs(shape),
                ),
            )
            self._arrange()
        else:
            self._place(layer, shape)
            if layer.data.shape == image.shape and layer.data.flags.writeable:
                np.copyto(layer.data, image)
                layer.refresh(thumbnail=False, highlight=False, extent=False)
            else:
                layer.data = image.copy()
        if limits is not None:
            with self._silence():
                low, high = limits
                layer.contrast_limits_range = _widened(_finite_range(image), limits)
                layer.contrast_limits = (low, high)
        if first:
            _show_scale_bar(self.viewer)
        extent = (shape, *(float(s) for s in layer.scale), self.session.view.compare == "beside")
        if extent != self._extent and not self.session.sliding:
            self._extent = extent
            self._fit_view()

    def _contrast(self, picture: Picture) -> tuple[float, float] | None:
        """Contrast limits when they must change: once per kind of image, not per frame."""
        scene = picture.request.scene
        key = (
            picture.request.shown,
            scene.microscope.modality.kind,
            None if scene.camera is None else scene.camera.bit_depth,
            self.session.preset,
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

    def _show_masks(self, picture: Picture) -> None:
        from napari.layers import Labels

        layer = self.layer("masks")
        wanted = self.session.view.masks
        if not wanted:
            _hide(layer)
            return
        masks = picture.instances
        if masks is None:
            return
        if layer is None:
            layer = self._add(
                "masks",
                Labels(
                    masks.copy(),
                    name=_NAMES["masks"],
                    opacity=0.45,
                    axis_labels=("y", "x"),
                    **self._kwargs(masks.shape),
                ),
            )
            layer.editable = False
            self._arrange()
            return
        self._place(layer, masks.shape)
        layer.visible = True
        if layer.data.shape == masks.shape:
            np.copyto(layer.data, masks)
            layer.refresh(thumbnail=False, highlight=False, extent=False)
        else:
            layer.data = masks.copy()

    def _show_outlines(self, picture: Picture) -> None:
        from napari.layers import Shapes

        layer = self.layer("outlines")
        if not self.session.view.outlines:
            _hide(layer)
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
            layer = self._add(
                "outlines",
                Shapes(
                    closed or None,
                    ndim=2,
                    shape_type="path",
                    name=_NAMES["outlines"],
                    axis_labels=("y", "x"),
                    **style,
                    **self._kwargs(shape),
                ),
            )
            layer.editable = False
            self._arrange()
            return
        self._place(layer, shape)
        layer.visible = True
        with self._silence():
            layer.data = []
            if closed:
                layer.add(closed, shape_type="path", **style)

    # --- particles ---------------------------------------------------------------------------

    def _show_particles(self, picture: Picture) -> None:
        from napari.layers import Points

        layer = self.layer("particles")
        shape = picture.image.shape[:2]
        number = len(picture.positions_um)
        if (
            not self.session.view.particles
            or number > MAX_POINTS
            or (layer is None and number == 0)
        ):
            _hide(layer)
            return
        fresh = picture.request.scene is self.session.scene
        if self._dragging or (self._edited and not fresh):
            return  # made before the particle was moved: it would jump back under the hand
        self._edited = False
        pixel = picture.request.scene.grid.pixel_size_um
        points = picture.positions_um[:, 1::-1] / pixel
        # Particles in the margin act on the image, but their points would lie beside it.
        inside = ((points >= -0.5) & (points <= np.array(shape) - 0.5)).all(axis=1)
        inside[[i for i in self._touched if i < number]] = True
        numbers = np.flatnonzero(inside)
        points, depths = points[numbers], picture.positions_um[numbers, 2]
        if layer is None:
            layer = self._add(
                "particles",
                Points(
                    points,
                    name=_NAMES["particles"],
                    size=_point_size(shape),
                    symbol="ring",
                    face_color=_depth_colours(depths),
                    border_width=0,
                    opacity=0.9,
                    axis_labels=("y", "x"),
                    features={"z_um": depths},
                    **self._kwargs(shape),
                ),
            )
            self._arrange()
            layer.events.data.connect(self._on_points_data)
            layer.events.set_data.connect(self._on_points_set)
            layer.selected_data.events.items_changed.connect(self._on_selected)
            self._remember_points(points, depths, numbers)
            if self._grip:
                self.grip_particles()
            return
        self._place(layer, shape)
        layer.visible = True
        if self._points.shape == points.shape and np.allclose(layer.data, points, atol=1e-6):
            if self._depths is not None and np.array_equal(self._depths, depths):
                self._numbers = numbers
                return
        with self._silence():
            if layer.data.shape != points.shape or not np.allclose(layer.data, points, atol=1e-6):
                layer.selected_data = set()
                layer.data = points
                layer.size = _point_size(shape)
                layer.symbol = "ring"
                layer.border_width = 0
            layer.face_color = _depth_colours(depths)
            layer.features = {"z_um": depths}
        self._remember_points(points, depths, numbers)

    def _remember_points(
        self,
        points: NDArray[np.float64],
        depths: NDArray[np.float64],
        numbers: NDArray[np.intp],
    ) -> None:
        self._points, self._depths, self._numbers = points.copy(), depths.copy(), numbers

    def _on_points_set(self, event: Any = None) -> None:
        """Follow a drag: napari announces moved points only when the mouse is released."""
        layer = self.layer("particles")
        if self._quiet or layer is None or layer.data.shape != self._points.shape:
            return
        if len(self._numbers) != len(self._points):
            return  # the picture with the particles just added or removed is on its way
        moved = np.flatnonzero(np.abs(layer.data - self._points).max(axis=1) > 1e-9)
        if len(moved):
            self._dragging = self._edited = True
            self.session.hold()
            self._move(layer, moved)

    def _move(self, layer: Any, moved: NDArray[np.intp]) -> None:
        pixel = self.session.scene.grid.pixel_size_um
        self._points[moved] = layer.data[moved]
        numbers = [int(n) for n in self._numbers[moved]]
        self._touched.update(numbers)
        rows, columns = self._points[moved].T * pixel
        self.session.move_particles(
            {n: (float(x), float(y)) for n, x, y in zip(numbers, columns, rows, strict=True)}
        )

    def _on_selected(self, event: Any = None) -> None:
        layer = self.layer("particles")
        chosen = set() if layer is None else set(layer.selected_data)
        number = None
        if len(chosen) == 1:
            index = int(next(iter(chosen)))
            if index < len(self._numbers):
                number = int(self._numbers[index])
        self.session.select(number)

    def grip_particles(self) -> None:
        """Make the points ready to be selected and dragged."""
        layer = self.layer("particles")
        self._grip = layer is None  # then it is made with the next picture
        if layer is not None:
            self.viewer.layers.selection.active = layer
            layer.mode = "select"

    def _on_points_data(self, event: Any) -> None:
        layer = self.layer("particles")
        action = str(getattr(event.action, "value", event.action)).lower()
        if self._quiet or layer is None or not action.endswith("ed"):
            return
        pixel = self.session.scene.grid.pixel_size_um
        if len(layer.data) == len(self._points):
            self._on_points_set()
            self._dragging = False
            self.session.release()
        elif action == "added" and len(layer.data) > len(self._points):
            added = np.asarray(layer.data[len(self._points) :])
            self._touched.clear()
            self._numbers = np.empty(0, dtype=np.intp)
            self._points, self._edited = np.array(layer.data), True
            names = [p.name for p in self.session.scene.populations if p.visible]
            if not names:
                self.session.say("There is no population to add a particle to; add one first.")
                return
            name = self.session.population if self.session.population in names else names[0]
            self.session.add_particles(name, [(c * pixel, r * pixel) for r, c in added])
        elif action == "removed":
            if len(self._numbers) != len(self._points):
                return
            gone = {int(self._numbers[i]) for i in event.data_indices}
            self._touched.clear()
            self._numbers = np.empty(0, dtype=np.intp)
            self._points, self._edited = np.array(layer.data), True
            self._depths = None
            self.session.remove_particles(gone)

    # --- comparison --------------------------------------------------------------------------

    def apply_view(self, view: View) -> None:
        """Follow a change of what is shown."""
        image, compare = self.layer("image"), self.layer("compare")
        folded = view.compare in ("wipe", "checkerboard", "difference")
        if image is not None:
            self._arrange()
            image.visible = not folded
            image.opacity = view.opacity if view.compare == "blend" else 1.0
            shape = image.data.shape[:2]
            for role in ("image", "masks", "outlines", "particles"):
                layer = self.layer(role)
                if layer is not None:
                    self._place(layer, shape)
        if compare is not None and not folded:
            compare.visible = False
        beside = view.compare == "beside"
        if image is not None and self._extent is not None and beside != self._extent[-1]:
            self._extent = (*self._extent[:-1], beside)
            self._fit_view()
        for role, wanted in (
            ("masks", view.masks),
            ("outlines", view.outlines),
            ("particles", view.particles),
        ):
            if not wanted:
                _hide(self.layer(role))
        self.refresh_comparison()

    def target_plane(self) -> NDArray[np.float64]:
        """Grey image of the micrograph in use.

        Raises
        ------
        TargetError
            If there is none, or it cannot be used.
        """
        if self.session.target is None:
            raise TargetError("Choose a micrograph first: an image layer of this viewer.")
        point = tuple(self.viewer.dims.point) if self.viewer is not None else None
        return plane(self.session.target, point)

    def render_plane(self) -> NDArray[np.float32] | None:
        """Image that is shown at the moment, or None."""
        picture = self.session.picture
        return None if picture is None else picture.image

    def refresh_comparison(self) -> None:
        """Compute the comparison again, when one is shown; `problem` says why there is none."""
        view = self.session.view
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
            _hide(self.layer("compare"))
            image = self.layer("image")
            if image is not None:
                image.visible = True
            return
        mode = view.compare if view.compare != "blend" else "difference"
        array, self.match = compose(mode, render, micrograph, wipe=view.wipe, tiles=view.tiles)
        if view.compare != "blend":
            target = tuple(float(v) for v in self.session.target.contrast_limits)
            self.show_compared(array, None if mode == "difference" else target)

    def show_compared(
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
        layer = self.layer("compare")
        if layer is None:
            layer = self._add(
                "compare",
                Image(
                    array.copy(),
                    name=_NAMES["compare"],
                    contrast_limits=limits,
                    colormap=colours,
                    axis_labels=("y", "x"),
                    metadata={"osog": {"role": "compare"}},
                    **self._kwargs(array.shape),
                ),
            )
            self._arrange()
        else:
            self._place(layer, array.shape)
            if layer.data.shape == array.shape:
                np.copyto(layer.data, array)
                layer.refresh(thumbnail=False, highlight=False, extent=False)
            else:
                layer.data = array.copy()
            if (layer.colormap.name == "gray") != (kind == "grey"):
                layer.colormap = colours
            layer.contrast_limits_range = _widened(limits, limits)
            layer.contrast_limits = limits
        layer.visible = True
        image = self.layer("image")
        if image is not None and image.visible:
            image.visible = False

    def hide_compared(self) -> None:
        """Take the comparison away and show the render again."""
        _hide(self.layer("compare"))
        image = self.layer("image")
        if image is not None:
            image.visible = True

    # --- line profile ------------------------------------------------------------------------

    def draw_profile_line(self) -> Any:
        """Add, or show again, a line across the frame to drag; returns its layer."""
        from napari.layers import Shapes

        layer = self.layer("profile")
        picture = self.session.picture
        if picture is None or picture.image is None:
            return None
        shape = picture.image.shape[:2]
        if layer is None or len(layer.data) == 0:
            row = shape[0] / 2
            line = np.array([[row, 0.15 * shape[1]], [row, 0.85 * shape[1]]])
            if layer is None:
                layer = self._add(
                    "profile",
                    Shapes(
                        [line],
                        shape_type="line",
                        name=_NAMES["profile"],
                        edge_color="#00c8ff",
                        edge_width=max(max(shape) / 300, 0.5),
                        axis_labels=("y", "x"),
                        **self._kwargs(shape),
                    ),
                )
            else:
                layer.add_lines([line], edge_color="#00c8ff")
        layer.visible = True
        viewer = self.viewer
        viewer.layers.selection.active = layer
        layer.mode = "select"
        return layer

    # --- housekeeping ------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Our image lies above the micrograph, and what is drawn on it above both."""
        viewer, target = self.viewer, self.session.target
        if viewer is None:
            return
        order = list(viewer.layers)

        def position(layer: Any) -> int:
            return next((i for i, other in enumerate(order) if other is layer), -1)

        floor = position(target) if target is not None else -1
        for role in ("image", "compare", "masks", "outlines", "particles", "profile"):
            layer = self.layer(role)
            if layer is None:
                continue
            here = position(layer)
            if here < floor:
                with self._silence():
                    viewer.layers.move(here, floor + 1)
                order = list(viewer.layers)
            floor = position(layer)

    def _fit_view(self) -> None:
        """Show the render whole, and the micrograph that it is compared with."""
        viewer, shown = self.viewer, [self.layer("image")]
        target = self.session.target
        if self.session.view.compare != "off" and target is not None and target.visible:
            shown.append(target)
        if viewer is not None and shown[0] is not None:
            viewer.reset_view(layers=[layer for layer in viewer.layers if layer in shown])

    def begin_motion(self) -> None:
        """Frames are about to follow fast: the histogram of the layer controls must wait."""
        layer = self.layer("image")
        histogram = getattr(layer, "histogram", None)
        if histogram is not None and histogram.enabled:
            self._histogram = True
            histogram.enabled = False

    def rest(self, metadata: dict[str, Any] | None = None) -> None:
        """Nothing moves any more: bring thumbnails, histogram and metadata up to date."""
        layer = self.layer("image")
        if layer is None:
            return
        if self._histogram:
            self._histogram = False
            layer.histogram.enabled = True
        layer.refresh(extent=False, highlight=False)
        if metadata is not None:
            layer.metadata["osog"] = metadata
        compare = self.layer("compare")
        if compare is not None and compare.visible:
            compare.refresh(extent=False, highlight=False)


def _wipe_handle(owner: weakref.ref[LayerSink]) -> Any:
    """Mouse callback of the viewer: the line of a wipe follows the hand that grips it."""

    def drag(viewer: Any, event: Any) -> Any:
        sink = owner()
        layer = None if sink is None else sink.layer("compare")
        if layer is None or sink.session.view.compare != "wipe":
            return
        columns = layer.data.shape[1]

        def share() -> float:
            column = layer.world_to_data(event.position)[-1]
            return float(np.clip((column + 0.5) / columns, 0.0, 1.0))

        # Within ten pixels of the screen, at the zoom of the moment.
        reach = 10.0 / (viewer.camera.zoom * abs(layer.scale[-1]) * columns)
        if abs(share() - sink.session.view.wipe) > reach:
            return
        panning, viewer.camera.mouse_pan = viewer.camera.mouse_pan, False
        try:
            yield
            while event.type == "mouse_move":
                sink.session.set_view(wipe=share())
                yield
        finally:
            viewer.camera.mouse_pan = panning

    return drag


def _hide(layer: Any) -> None:
    if layer is not None and layer.visible:
        layer.visible = False


def _show_scale_bar(viewer: Any) -> None:
    try:
        viewer.canvas.overlays.scale_bar.visible = True
    except AttributeError:  # napari before 0.9
        viewer.scale_bar.visible = True


def _unit_names(units: Any) -> tuple[str, ...]:
    import pint

    registry = pint.get_application_registry()
    return tuple(str(registry.Unit(str(unit))) for unit in units)


def _finite_range(image: NDArray[Any]) -> tuple[float, float]:
    good = image[np.isfinite(image)]
    if not good.size:
        return 0.0, 1.0
    low, high = float(good.min()), float(good.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _widened(inner: tuple[float, float], outer: tuple[float, float]) -> tuple[float, float]:
    low, high = min(inner[0], outer[0]), max(inner[1], outer[1])
    margin = 0.5 * (high - low)
    return low - margin, high + margin


def _point_size(shape: tuple[int, ...]) -> float:
    return max(max(shape) / 72, 3.0)


def _closed(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Close a polygon and drop points that repeat: a path with them is not drawn."""
    step = np.abs(np.diff(outline, axis=0, prepend=outline[-1:])).max(axis=1)
    corners = outline[step > 1e-6]
    if len(corners) < 2:
        return np.concatenate([outline[:1], outline[:1] + 0.1])
    return np.concatenate([corners, corners[:1]])


def _depth_colours(depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours from the deepest particle (blue) to the highest one (yellow)."""
    from napari.utils.colormaps import ensure_colormap

    if len(depths) == 0:
        return np.empty((0, 4))
    span = np.ptp(depths)
    level = (depths - depths.min()) / span if span > 0 else np.full(len(depths), 0.6)
    colours: NDArray[np.float64] = ensure_colormap("plasma").map(0.15 + 0.8 * level)
    return colours


__all__ = ["MAX_OUTLINES", "MAX_POINTS", "LayerSink"]
