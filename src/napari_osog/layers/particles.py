"""The points of the particles: shown, selected, dragged, added and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.layer_registry import hide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_osog.layers.layer_registry import LayerRegistry
    from napari_osog.pictures import Picture

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
        self._numbers: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._touched: set[int] = set()
        self._depths: NDArray[np.float64] | None = None
        self._dragging = False
        self._edited = False
        self._grip = False

    def forget(self) -> None:
        """The layer was removed by the user."""
        self._points, self._depths = np.empty((0, 2)), None
        self._dragging = False

    def show(self, picture: Picture) -> None:
        """Show one point per particle, unless there are too many."""
        layer = self.registry.layer("particles")
        shape = picture.image.shape[:2]
        number = len(picture.positions_um)
        if (
            not self.registry.session.view.particles
            or number > MAX_POINTS
            or (layer is None and number == 0)
        ):
            hide(layer)
            return
        fresh = picture.request.scene is self.registry.session.scene
        if self._dragging or (self._edited and not fresh):
            return  # made before the particle was moved: it would jump back under the hand
        self._edited = False
        pixel = picture.request.scene.grid.pixel_size_um
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
            face_color=_depth_colours(depths),
            border_width=0,
            opacity=0.9,
            features={"z_um": depths},
        )
        layer.events.data.connect(self._on_points_data)
        layer.events.set_data.connect(self._on_points_set)
        layer.selected_data.events.items_changed.connect(self._on_selected)
        return layer

    def _update(
        self,
        layer: Any,
        points: NDArray[np.float64],
        depths: NDArray[np.float64],
        shape: tuple[int, int],
    ) -> None:
        self.registry.place(layer, shape)
        layer.visible = True
        moved = layer.data.shape != points.shape or not np.allclose(layer.data, points, atol=1e-6)
        known = self._depths is not None and np.array_equal(self._depths, depths)
        if known and not moved and self._points.shape == points.shape:
            return
        with self.registry.silence():
            if moved:
                layer.selected_data = set()
                layer.data = points
                layer.size = _point_size(shape)
                layer.symbol = "ring"
                layer.border_width = 0
            layer.face_color = _depth_colours(depths)
            layer.features = {"z_um": depths}

    def _on_points_set(self, event: Any = None) -> None:
        """Follow a drag: napari announces moved points only when the mouse is released."""
        layer = self.registry.layer("particles")
        if self.registry.quiet or layer is None or layer.data.shape != self._points.shape:
            return
        if len(self._numbers) != len(self._points):
            return  # the picture with the particles just added or removed is on its way
        moved = np.flatnonzero(np.abs(layer.data - self._points).max(axis=1) > 1e-9)
        if len(moved):
            self._dragging = self._edited = True
            self.registry.session.hold()
            self._move(layer, moved)

    def _move(self, layer: Any, moved: NDArray[np.intp]) -> None:
        pixel = self.registry.session.scene.grid.pixel_size_um
        self._points[moved] = layer.data[moved]
        numbers = [int(n) for n in self._numbers[moved]]
        self._touched.update(numbers)
        rows, columns = self._points[moved].T * pixel
        self.registry.session.move_particles(
            {n: (float(x), float(y)) for n, x, y in zip(numbers, columns, rows, strict=True)}
        )

    def _on_selected(self, event: Any = None) -> None:
        layer = self.registry.layer("particles")
        chosen = set() if layer is None else set(layer.selected_data)
        number = None
        if len(chosen) == 1:
            index = int(next(iter(chosen)))
            if index < len(self._numbers):
                number = int(self._numbers[index])
        self.registry.session.selected = number

    def grip(self) -> None:
        """Make the points ready to be selected and dragged."""
        layer = self.registry.layer("particles")
        self._grip = layer is None  # then it is made with the next picture
        if layer is not None:
            self.registry.viewer.layers.selection.active = layer
            layer.mode = "select"

    def _on_points_data(self, event: Any) -> None:
        layer = self.registry.layer("particles")
        action = str(getattr(event.action, "value", event.action)).lower()
        session = self.registry.session
        if self.registry.quiet or layer is None or not action.endswith("ed"):
            return
        pixel = session.scene.grid.pixel_size_um
        if len(layer.data) == len(self._points):
            self._on_points_set()
            self._dragging = False
            session.release()
        elif action == "added" and len(layer.data) > len(self._points):
            added = np.asarray(layer.data[len(self._points) :])
            self._touched.clear()
            self._numbers = np.empty(0, dtype=np.intp)
            self._points, self._edited = np.array(layer.data), True
            names = [p.name for p in session.scene.populations if p.visible]
            if not names:
                session.status = "There is no population to add a particle to; add one first."
                return
            name = session.population if session.population in names else names[0]
            session.add_particles(name, [(c * pixel, r * pixel) for r, c in added])
        elif action == "removed":
            if len(self._numbers) != len(self._points):
                return
            gone = {int(self._numbers[i]) for i in event.data_indices}
            self._touched.clear()
            self._numbers = np.empty(0, dtype=np.intp)
            self._points, self._edited = np.array(layer.data), True
            self._depths = None
            session.remove_particles(gone)


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
