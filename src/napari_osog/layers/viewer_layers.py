"""The only code that touches layers of the viewer; runs on the GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_osog.layers.comparison import ComparedLayer
from napari_osog.layers.fields import FieldLayers
from napari_osog.layers.layer_registry import NAMES, VIEWED, LayerRegistry
from napari_osog.layers.overlays import Overlays
from napari_osog.layers.particles import ParticlePoints
from napari_osog.layers.render import RenderLayer
from napari_osog.layers.sequence import SequenceLayer
from napari_osog.viewers import unwrapped

if TYPE_CHECKING:
    from napari_osog.pictures import Picture
    from napari_osog.session import Session
    from osog.scene import Scene

FOLDED = ("wipe", "checkerboard", "difference")
"""Comparisons that take the place of the render."""


class ViewerLayers:
    """Shows pictures in layers that are made once, kept, and reused.

    An overlay that the user hides or deletes is one that the view no longer shows; the render
    comes back with the next picture. A layer that the user renames or restyles stays as it is.
    Layers of the user are never changed.

    Parameters
    ----------
    viewer : napari viewer
        Held weakly.
    session : Session
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        self.session = session
        self.registry = LayerRegistry(viewer, session)
        self.render = RenderLayer(self.registry)
        self.overlays = Overlays(self.registry)
        self.particles = ParticlePoints(self.registry)
        self.fields = FieldLayers(self.registry)
        self.sequence = SequenceLayer(self.registry)
        self._sequence_scene: Scene | None = None
        self.compared = ComparedLayer(self.registry)
        self.registry.viewer.layers.events.removed.connect(self._on_removed)

    def _on_removed(self, event: Any) -> None:
        removed = unwrapped(event.value)
        # The object is kept until it is replaced: letting go of the drawing of a layer between its
        # removal and the next paint crashes some OpenGL drivers.
        view, roles = self.session.view, self.registry.roles_of(removed)
        if "particles" in roles:
            self.particles.forget()
        gone = {role: False for role in VIEWED if role in roles}
        if gone:
            view.update(**gone)
        if "compare" in roles and view.compare in FOLDED:
            view.compare = "off"
        if ("colour" if self.registry.colour else "image") in roles:
            self.session.render_removed = True
        if removed is self.session.asked:
            self.session.asked = None
        if removed is self.session.target:
            self.session.set_target(None)

    def show(self, picture: Picture) -> None:
        """Put a finished render on the screen."""
        if self.registry.viewer is None:
            return
        if self._sequence_scene is not None and picture.request.scene is not self._sequence_scene:
            self._sequence_scene = None
            self.sequence.leave()
        self.render.show(picture)
        self.fields.show(picture)
        self.overlays.show_masks(picture)
        self.overlays.show_outlines(picture)
        self.particles.show(picture)
        self.compared.refresh()
        self._make_way()

    def _make_way(self) -> None:
        """Hide all that is ours while the user is asked about a micrograph."""
        if self.session.asked is not None:
            for role in NAMES:
                self.registry.hide(self.registry.layer("grey" if role == "image" else role))

    def show_sequence(
        self, picture: Picture, metadata: dict[str, Any], *, visible: bool = True
    ) -> None:
        """Show the pictures of a stack or series until the scene changes.

        Parameters
        ----------
        picture : Picture
        metadata : dict
            What the layer says of its render.
        visible : bool
            Whether it is shown at once; a late one would cover the live image of a newer scene.
        """
        if self.registry.viewer is not None:
            self.sequence.show(picture, metadata, visible=visible)
            self._sequence_scene = self.session.scene if visible else None

    def rest(self, metadata: dict[str, Any] | None = None) -> None:
        """Nothing moves any more: bring thumbnails, histogram and metadata up to date."""
        self.render.rest(metadata)
        compare = self.registry.layer("compare")
        if self.registry.layer("image") is not None and compare is not None and compare.visible:
            compare.refresh(extent=False, highlight=False)

    def apply_view(self) -> None:
        """Follow a change of what is shown."""
        view = self.session.view
        image, compare = self.registry.layer("image"), self.registry.layer("compare")
        folded = view.compare in FOLDED
        if image is not None:
            self.registry.arrange()
            self.registry.reveal(image, not folded)
            image.opacity = view.opacity if view.compare == "blend" else 1.0
            shape = image.data.shape[:2]
            for role in ("image", "phase", "amplitude", "masks", "outlines", "particles"):
                layer = self.registry.layer(role)
                if layer is not None:
                    self.registry.place(layer, shape)
        if not folded:
            self.registry.hide(compare)
        beside = view.compare == "beside"
        if (
            image is not None
            and self.render.extent is not None
            and beside != self.render.extent[-1]
        ):
            self.render.extent = (*self.render.extent[:-1], beside)
            self.registry.fit_view()
        for role in VIEWED:
            if not getattr(view, role):
                self.registry.hide(self.registry.layer(role))
        self.compared.refresh()
        self._make_way()


__all__ = ["ViewerLayers"]
