"""The points of the particles: shown, selected, dragged, added and removed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_osog.layers.layer_registry import LayerRegistry
    from napari_osog.pictures import Picture
    from osog.scene import Scene

MAX_POINTS = 2000


class ParticlePoints:
    """One point per particle; what the hand does to a point is done to its particle.

    Parameters
    ----------
    registry : LayerRegistry
    """

    def __init__(self, registry: LayerRegistry) -> None:
        self.registry = registry
        self._points: NDArray[np.float64] = np.empty((0, 2))
        # Number in the scene of each point's particle, and the scene and seed that it counts in.
        self._numbers: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._counted: tuple[Scene, int] | None = None
        self._touched: set[int] = set()
        self._depths: NDArray[np.float64] | None = None
        self._dragging = False
        self._edited = False
        self._grip = False
        registry.viewer.layers.selection.events.active.connect(self._on_mode)

    def forget(self) -> None:
        """The layer was removed by the user."""
        self._points, self._depths = np.empty((0, 2)), None
        self._numbers, self._counted = np.empty(0, dtype=np.intp), None
        self._dragging = self._edited = False
        self.registry.session.selected = None
        self.registry.session.gripping = False

    def show(self, picture: Picture) -> None:
        """Show one point per particle, unless there are too many."""
        layer = self.registry.layer("particles")
        shape = picture.image.shape[:2]
        number = len(picture.positions_um)
        if (
            not self.registry.session.view.particles
            or number > MAX_POINTS
            or (layer is None and number == 0 and not self._grip)
        ):
            self.registry.hide(layer)
            return
        session, request = self.registry.session, picture.request
        fresh = request.scene is session.scene and request.seed == session.seed
        if self._dragging or (self._edited and not fresh):
            return  # made before the particle was moved: it would jump back under the hand
        self._edited = False
        pixel = request.scene.grid.pixel_size_um
        points = picture.positions_um[:, 1::-1] / pixel
        # Particles in the margin act on the image, but their points would lie beside it.
        inside = ((points >= -0.5) & (points <= np.array(shape) - 0.5)).all(axis=1)
        inside |= np.isin(np.arange(number), list(self._touched))
        numbers = np.flatnonzero(inside)
        points, depths = points[numbers], picture.positions_um[numbers, 2]
        if layer is None:
            layer = self._make(points, depths, shape)
        else:
            self._update(layer, points, depths, shape)
        self._points, self._depths, self._numbers = np.array(layer.data), depths.copy(), numbers
        self._counted = request.scene, request.seed
        if self._grip:
            self.grip()

    def _make(
        self, points: NDArray[np.float64], depths: NDArray[np.float64], shape: tuple[int, int]
    ) -> Any:
        from napari.layers import Points

        layer = self.registry.make(
            "particles",
            Points,
            points,
            shape,
            size=_point_size(shape),
            symbol="ring",
            border_width=0,
            opacity=0.9,
            ndim=2,
        )
        if len(points):  # napari takes colours of no points for illegal ones
            layer.face_color = _depth_colours(depths)
            layer.features = {"z_um": depths}
        layer.events.data.connect(self._on_points_data)
        layer.events.set_data.connect(self._on_points_set)
        layer.selected_data.events.items_changed.connect(self._on_selected)
        layer.events.mode.connect(self._on_mode)
        return layer

    def _update(
        self,
        layer: Any,
        points: NDArray[np.float64],
        depths: NDArray[np.float64],
        shape: tuple[int, int],
    ) -> None:
        self.registry.place(layer, shape)
        self.registry.reveal(layer)
        moved = layer.data.shape != points.shape or not np.allclose(layer.data, points, atol=1e-6)
        known = self._depths is not None and np.array_equal(self._depths, depths)
        if known and not moved:
            return
        with self.registry.silence():
            if moved:
                layer.selected_data = set()
                layer.data = points
                layer.size = _point_size(shape)
                layer.symbol = "ring"
                layer.border_width = 0
            if len(points):
                layer.face_color = _depth_colours(depths)
                layer.features = {"z_um": depths}

    def _is_current(self) -> bool:
        """Whether the points are those of the scene as it is now."""
        session = self.registry.session
        if self._counted is None:
            return False
        scene, seed = self._counted
        if scene is session.scene and seed == session.seed:
            return True
        now = session.scene
        return (seed, scene.populations, scene.grid) == (
            session.seed, now.populations, now.grid,
        )  # fmt: skip

    @contextmanager
    def _refusals(self, layer: Any) -> Iterator[None]:
        """Take back what the scene refuses, and say why."""
        try:
            yield
        except SceneError as error:
            self._put_back(layer)
            self.registry.session.status = str(error)

    def _put_back(self, layer: Any) -> None:
        """Take back what was done to points whose particles are no longer there."""
        with self.registry.silence():
            layer.selected_data = set()
            layer.data = self._points.copy()
            if not layer.visible:  # it goes on listing points that it no longer has
                layer.set_view_slice()
            layer.border_width = 0
            layer.symbol = "ring"
        self._depths = None  # the next picture brings colours and sizes too
        self._dragging = False
        self.registry.session.release()

    def _on_points_set(self, event: Any = None) -> None:
        """Follow a drag: napari announces moved points only when the mouse is released."""
        layer = self.registry.layer("particles")
        if self.registry.quiet or layer is None:
            return
        if layer.data.shape != self._points.shape:
            QTimer.singleShot(0, self._notice_pasted)
            return
        moved = np.flatnonzero(np.abs(layer.data - self._points).max(axis=1, initial=0.0) > 1e-9)
        if not len(moved):
            return
        if not self._is_current():
            self._put_back(layer)
            return
        self._dragging = self._edited = True
        self.registry.session.hold()
        with self._refusals(layer):
            self._move(layer, moved)

    def _notice_pasted(self) -> None:
        """Take in points of which napari tells nothing more: those from the clipboard."""
        layer = self.registry.layer("particles")
        if layer is None or len(layer.data) <= len(self._points):
            return
        if not self._is_current():
            self._put_back(layer)
            return
        with self._refusals(layer):
            self._add(layer, np.asarray(layer.data[len(self._points) :]))

    def _move(self, layer: Any, moved: NDArray[np.intp]) -> None:
        session = self.registry.session
        pixel = session.scene.grid.pixel_size_um
        numbers = [int(n) for n in self._numbers[moved]]
        rows, columns = layer.data[moved].T * pixel
        session.move_particles(
            {n: (float(x), float(y)) for n, x, y in zip(numbers, columns, rows, strict=True)}
        )
        self._touched.update(numbers)
        self._points[moved] = layer.data[moved]
        self._counted = session.scene, session.seed

    def _on_selected(self, event: Any = None) -> None:
        layer = self.registry.layer("particles")
        chosen = set() if layer is None else set(layer.selected_data)
        number = None
        if len(chosen) == 1:
            index = int(next(iter(chosen)))
            if index < len(self._numbers):
                number = int(self._numbers[index])
        self.registry.session.selected = number

    def _on_mode(self, event: Any = None) -> None:
        """The mouse acts on the points only while theirs is the active layer."""
        layer, viewer = self.registry.layer("particles"), self.registry.viewer
        ready = layer is not None and str(layer.mode) != "pan_zoom"
        self.registry.session.gripping = ready and viewer.layers.selection.active is layer

    def let_go(self) -> None:
        """Give the mouse back to panning and zooming."""
        layer = self.registry.layer("particles")
        self._grip = False
        if layer is not None:
            layer.mode = "pan_zoom"

    def grip(self) -> None:
        """Make the points ready to be selected and dragged."""
        layer = self.registry.layer("particles")
        self._grip = layer is None  # then it is made with the next picture
        if layer is not None:
            self.registry.lie_flat()
            self.registry.reveal(layer)
            self.registry.viewer.layers.selection.active = layer
            layer.mode = "select"

    def _on_points_data(self, event: Any) -> None:
        layer = self.registry.layer("particles")
        action = str(getattr(event.action, "value", event.action)).lower()
        session = self.registry.session
        if self.registry.quiet or layer is None or not action.endswith("ed"):
            return
        before, now = len(self._points), len(layer.data)
        if now == before:
            self._on_points_set()
            self._dragging = False
            session.release()
            return
        gone = tuple(range(before)) if now == 0 else tuple(event.data_indices)
        if not self._is_current():
            self._put_back(layer)
        elif action == "added" and now > before:
            with self._refusals(layer):
                self._add(layer, np.asarray(layer.data[before:]))
        elif action == "removed" and now == before - len(gone):
            with self._refusals(layer):
                self._remove(layer, gone)
        else:  # other points altogether: nobody knows which particles they would be
            self._put_back(layer)

    def _add(self, layer: Any, added: NDArray[np.float64]) -> None:
        session = self.registry.session
        names = [p.name for p in session.scene.populations if p.visible]
        if not names:
            self._put_back(layer)
            session.status = "There is no population to add a particle to; add one first."
            return
        pixel = session.scene.grid.pixel_size_um
        name = session.population if session.population in names else names[0]
        self._edited = True
        places = [(float(c) * pixel, float(r) * pixel) for r, c in added]
        first, new = session.add_particles(name, places), len(added)
        self._touched = {n + new if n >= first else n for n in self._touched}
        self._numbers = np.concatenate(
            [self._numbers + new * (self._numbers >= first), first + np.arange(new)]
        )
        self._points = np.array(layer.data)
        self._depths, self._counted = None, (session.scene, session.seed)

    def _remove(self, layer: Any, gone: tuple[int, ...]) -> None:
        session = self.registry.session
        lost = np.sort(self._numbers[list(gone)])
        kept = np.delete(self._numbers, list(gone))
        self._edited = True
        session.selected = None
        session.remove_particles({int(n) for n in lost})
        self._touched = {
            n - int(np.searchsorted(lost, n)) for n in self._touched if n not in set(lost.tolist())
        }
        self._numbers = kept - np.searchsorted(lost, kept)
        self._points = np.array(layer.data)
        self._depths, self._counted = None, (session.scene, session.seed)


def _point_size(shape: tuple[int, ...]) -> float:
    return max(max(shape) / 72, 3.0)


def _depth_colours(depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours from the deepest particle (blue) to the highest one (yellow)."""
    from napari.utils.colormaps import ensure_colormap

    if len(depths) == 0:
        return np.empty((0, 4))
    span = np.ptp(depths)
    level = (depths - depths.min()) / span if span > 0 else np.full(len(depths), 0.6)
    colours: NDArray[np.float64] = ensure_colormap("plasma").map(0.15 + 0.8 * level)
    return colours


__all__ = ["MAX_POINTS", "ParticlePoints"]
