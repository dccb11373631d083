"""Our layers in a viewer: found again after a rename, made anew after a removal, in order."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.view import LayerTransform
from napari_osog.viewers import unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_osog.session import Session

_BESIDE = 1.03
NAMES = {
    "image": "OSOG",
    "colour": "OSOG colour",
    "phase": "OSOG phase",
    "amplitude": "OSOG amplitude",
    "sequence": "OSOG stack",
    "sequence colour": "OSOG colour stack",
    "compare": "OSOG compare",
    "masks": "OSOG masks",
    "outlines": "OSOG outlines",
    "particles": "OSOG particles",
    "profile": "OSOG profile line",
}
"""Role of each of our layers, and the name that it is made with."""
_ORDER = ("image", "phase", "amplitude", "compare", "sequence", "sequence colour", "masks",
          "outlines", "particles", "profile")  # fmt: skip
"""From the lowest to the highest."""
VIEWED = ("phase", "amplitude", "masks", "outlines", "particles")
"""Roles that are shown while the view's field of that name is true."""


class LayerRegistry:
    """The layers that are ours, by role; each is made once, kept, and reused.

    A layer is known by itself and not by its name, so that one that the user renames, restyles or
    moves goes on being used; one that the user deletes is made again when it is needed.

    Parameters
    ----------
    viewer : napari viewer
        Held weakly.
    session : Session

    Attributes
    ----------
    quiet : int
        Above 0 while we change layers ourselves.
    colour : bool
        Whether the newest render is in colour: napari shows it in another layer than a grey one.
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer = weakref.ref(unwrapped(viewer))
        self.session = session
        self._layers: dict[str, Any] = {}
        self.quiet = 0
        self.colour = False

    @property
    def viewer(self) -> Any:
        """The viewer, or None once it is gone."""
        return self._viewer()

    def layer(self, role: str) -> Any:
        """Layer of this role while it is in the viewer, or None.

        Parameters
        ----------
        role : str
            One of `NAMES`. "image" is the render, in colour while `colour` is true; "grey" the one
            that shows it without colour.
        """
        if role == "image" and self.colour:
            role = "colour"
        elif role == "grey":
            role = "image"
        viewer, layer = self.viewer, self._layers.get(role)
        if viewer is None or layer is None:
            return None
        return layer if any(layer is other for other in viewer.layers) else None

    def owns(self, layer: Any) -> bool:
        """Whether this is one of our layers."""
        layer = unwrapped(layer)
        return any(layer is mine for mine in self._layers.values())

    def micrographs(self) -> list[Any]:
        """Image layers of the user, in the order of the layer list from the top."""
        from napari.layers import Image

        viewer = self.viewer
        if viewer is None:
            return []
        return [
            layer
            for layer in reversed(list(viewer.layers))
            if isinstance(unwrapped(layer), Image) and not self.owns(layer)
        ]

    def make(
        self, role: str, kind: Callable[..., Any], data: Any, shape: tuple[int, int], **options: Any
    ) -> Any:
        """Make a layer of ours where the render lies; what was selected stays selected.

        Parameters
        ----------
        role : str
            One of `NAMES`.
        kind : class of napari layers
        data : Any
            Its content.
        shape : (int, int)
            Frame that it lies on.
        **options
            As `kind` takes them.
        """
        placed = {"name": NAMES[role], "axis_labels": ("y", "x"), **self.transform(shape)}
        layer = kind(data, **(placed | options))
        viewer = self.viewer
        chosen = [unwrapped(selected) for selected in viewer.layers.selection]
        self._layers[role] = layer
        if role in VIEWED:
            layer.events.visible.connect(self._on_eye)
        with self.silence():
            viewer.layers.insert(self._place_for(role), layer)
            if chosen and role not in ("image", "colour"):
                viewer.layers.selection = set(chosen)
        self.arrange()
        return layer

    def _place_for(self, role: str) -> int:
        """Place in the layer list of a new layer, below those of ours that lie on it.

        napari lays out its canvas anew with each layer that moves: 0.1 s when there are many.
        """
        role = "image" if role == "colour" else role
        above = [self.layer(name) for name in _ORDER[_ORDER.index(role) + 1 :]]
        layers = list(self.viewer.layers)
        places = (i for i, other in enumerate(layers) if any(other is one for one in above))
        return next(places, len(layers))

    def _on_eye(self, event: Any) -> None:
        """The eye in napari's layer list says the same as the tick in the panel."""
        layer = unwrapped(event.source)
        if self.quiet:
            return
        for role in self.roles_of(layer):
            self.session.view.update(**{role: bool(layer.visible)})

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Our own changes of a layer must not come back as changes by the user."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    def transform(self, shape: tuple[int, int]) -> dict[str, Any]:
        """Transform of our layers for a frame of this shape."""
        matched, target = self.session.view.transform, self.session.target
        if matched is not None and matched.shape != tuple(shape):
            matched = None
        pixel = self.session.scene.grid.pixel_size_um
        copied = matched or LayerTransform(shape=shape, scale=(pixel, pixel))
        rotate = np.array(copied.rotate)
        translate = np.array(copied.translate)
        if self.session.view.compare == "beside":
            if matched is not None or target is None:
                translate = translate + _BESIDE * shape[1] * copied.scale[1] * rotate[:, 1]
            else:  # another grid: to the right of wherever the micrograph ends
                (top, left), (_, right) = np.asarray(target.extent.world)[:, -2:]
                translate = np.array([top, left + _BESIDE * (right - left)])
        return {
            "scale": copied.scale,
            "translate": tuple(translate),
            "rotate": rotate,
            "units": copied.units,
        }

    def place(self, layer: Any, shape: tuple[int, int]) -> bool:
        """Move a layer to where the render belongs; returns whether it moved."""
        wanted = self.transform(shape)
        moved = False
        with self.silence():
            if tuple(str(u) for u in layer.units[-2:]) != _unit_names(wanted["units"]):
                layer.units = wanted["units"]
                moved = True
            for name in ("scale", "translate", "rotate"):
                if not np.allclose(getattr(layer, name), wanted[name], rtol=1e-9, atol=1e-12):
                    setattr(layer, name, wanted[name])
                    moved = True
        return moved

    def arrange(self) -> None:
        """Our image lies above the micrograph, and what is drawn on it above both."""
        viewer, target = self.viewer, self.session.target
        if viewer is None:
            return
        order = list(viewer.layers)

        def position(layer: Any) -> int:
            return next((i for i, other in enumerate(order) if other is layer), -1)

        floor = position(target) if target is not None else -1
        for role in _ORDER:
            layer = self.layer(role)
            if layer is None:
                continue
            here = position(layer)
            if here < floor:
                with self.silence():
                    viewer.layers.move(here, floor + 1)
                order = list(viewer.layers)
            floor = position(layer)

    def reveal(self, layer: Any, shown: bool = True) -> None:
        """Show a layer, or hide it; one that already is like that keeps its mode of the mouse.

        napari takes every assignment of `visible` for a change, and leaves the mode for pan and
        zoom.

        Parameters
        ----------
        layer : napari layer or None
        shown : bool
        """
        if layer is not None and layer.visible != shown:
            with self.silence():
                layer.visible = shown

    def hide(self, layer: Any) -> None:
        """Hide a layer when there is one."""
        self.reveal(layer, False)

    def lie_flat(self) -> None:
        """Leave the 3-D display, in which napari lets nobody draw on a plane."""
        if self.viewer is not None and self.viewer.dims.ndisplay != 2:
            self.viewer.dims.ndisplay = 2

    def fit_view(self) -> None:
        """Show the render whole, and the micrograph that it is compared with."""
        viewer, asked = self.viewer, self.session.asked
        shown = [self.layer("image") if asked is None else asked]
        if viewer is None or shown[0] is None:
            return
        target = self.session.target
        if (
            asked is None
            and self.session.view.compare != "off"
            and target is not None
            and target.visible
        ):
            shown.append(target)
        if viewer.dims.ndim > max(layer.ndim for layer in shown):
            # napari cannot fit planes alone beside a stack; ours lies where the render does.
            shown += [self.layer("sequence"), self.layer("sequence colour")]
            shown = [layer for layer in shown if layer is not None]
            if viewer.dims.ndim > max(layer.ndim for layer in shown):
                viewer.reset_view()
                return
        viewer.reset_view(layers=[layer for layer in viewer.layers if layer in shown])

    def roles_of(self, layer: Any) -> list[str]:
        """Roles that a layer has, also one that was just removed."""
        layer = unwrapped(layer)
        return [role for role, mine in self._layers.items() if mine is layer]


def _unit_names(units: Any) -> tuple[str, ...]:
    import pint

    registry = pint.get_application_registry()
    return tuple(str(registry.Unit(str(unit))) for unit in units)


def write(layer: Any, array: NDArray[Any]) -> None:
    """Put an array into a layer; only another shape or type gives the layer new data.

    The thumbnail is left for the time when nothing moves any more.
    """
    same = layer.data.shape == array.shape and layer.data.dtype == array.dtype
    if same and layer.data.flags.writeable:
        np.copyto(layer.data, array)
        layer.refresh(thumbnail=False, highlight=False, extent=False)
    else:
        layer.data = array.copy()


__all__ = ["NAMES", "VIEWED", "LayerRegistry", "write"]
