"""The only code that touches layers of the viewer; runs on the GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_osog.layers.compared import ComparedLayer
from napari_osog.layers.fields import FieldLayers
from napari_osog.layers.image import RenderLayer
from napari_osog.layers.overlays import Overlays
from napari_osog.layers.particles import ParticlePoints
from napari_osog.layers.sequence import SequenceLayer
from napari_osog.layers.stack import LayerStack, hide
from napari_osog.session import unwrapped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_osog.comparison import Match
    from napari_osog.live import Picture
    from napari_osog.session import Session, View
    from osog.scene import Scene


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
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        self.session = session
        self.stack = LayerStack(viewer, session)
        self.render = RenderLayer(self.stack)
        self.overlays = Overlays(self.stack)
        self.particles = ParticlePoints(self.stack)
        self.fields = FieldLayers(self.stack)
        self.sequence = SequenceLayer(self.stack)
        self._sequence_scene: Scene | None = None
        self.compared = ComparedLayer(self.stack)
        self.stack.viewer.layers.events.removed.connect(self._on_removed)

    # --- layers by role ----------------------------------------------------------------------

    @property
    def viewer(self) -> Any:
        """The viewer, or None once it is gone."""
        return self.stack.viewer

    def layer(self, role: str) -> Any:
        """Layer of this role while it is in the viewer, or None."""
        return self.stack.layer(role)

    def owns(self, layer: Any) -> bool:
        """Whether this is one of our layers."""
        return self.stack.owns(layer)

    def micrographs(self) -> list[Any]:
        """Image layers of the person, in the order of the layer list from the top."""
        return self.stack.micrographs()

    def _on_removed(self, event: Any) -> None:
        removed = unwrapped(event.value)
        # The object is kept until it is replaced: letting go of the drawing of a layer between its
        # removal and the next paint crashes some OpenGL drivers.
        if "particles" in self.stack.roles_of(removed):
            self.particles.forget()
        if removed is self.session.target:
            self.session.set_target(None)

    # --- pictures ----------------------------------------------------------------------------

    def show(self, picture: Picture) -> None:
        """Put a finished render on the screen."""
        if self.viewer is None or picture.image is None:
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
        if self.viewer is not None and picture.image is not None:
            self.sequence.show(picture, metadata, visible=visible)
            self._sequence_scene = self.session.scene if visible else None

    def grip_particles(self) -> None:
        """Make the points ready to be selected and dragged."""
        self.particles.grip()

    def draw_profile_line(self) -> Any:
        """Add, or show again, a line across the frame to drag; returns its layer."""
        return self.overlays.draw_profile_line()

    def begin_motion(self) -> None:
        """Frames are about to follow fast: the histogram of the layer controls must wait."""
        self.render.begin_motion()

    def rest(self, metadata: dict[str, Any] | None = None) -> None:
        """Nothing moves any more: bring thumbnails, histogram and metadata up to date."""
        self.render.rest(metadata)
        compare = self.layer("compare")
        if self.layer("image") is not None and compare is not None and compare.visible:
            compare.refresh(extent=False, highlight=False)

    # --- comparison --------------------------------------------------------------------------

    @property
    def match(self) -> Match | None:
        """Grey levels of the render and the micrograph, while both are compared."""
        return self.compared.match

    @property
    def problem(self) -> str:
        """Why there is no comparison, or ""."""
        return self.compared.problem

    @property
    def pinned(self) -> bool:
        """Whether the difference on show is the residual of a fit."""
        return self.compared.pinned

    @pinned.setter
    def pinned(self, pinned: bool) -> None:
        self.compared.pinned = pinned

    def target_plane(self) -> NDArray[np.float64]:
        """Grey image of the micrograph in use; raises TargetError where there is none."""
        return self.compared.target_plane()

    def render_plane(self) -> NDArray[np.float32] | None:
        """Image that is shown at the moment, or None."""
        return self.compared.render_plane()

    def refresh_comparison(self) -> None:
        """Compute the comparison again, when one is shown."""
        self.compared.refresh()

    def show_compared(
        self, array: NDArray[np.float32], limits: tuple[float, float] | None = None
    ) -> None:
        """Show an array in the one layer for comparisons; see `ComparedLayer.show_array`."""
        self.compared.show_array(array, limits)

    def hide_compared(self) -> None:
        """Take the comparison away and show the render again."""
        self.compared.hide()

    def apply_view(self, view: View) -> None:
        """Follow a change of what is shown."""
        image, compare = self.layer("image"), self.layer("compare")
        folded = view.compare in ("wipe", "checkerboard", "difference")
        if image is not None:
            self.stack.arrange()
            image.visible = not folded
            image.opacity = view.opacity if view.compare == "blend" else 1.0
            shape = image.data.shape[:2]
            for role in ("image", "phase", "amplitude", "masks", "outlines", "particles"):
                layer = self.layer(role)
                if layer is not None:
                    self.stack.place(layer, shape)
        if compare is not None and not folded:
            compare.visible = False
        beside = view.compare == "beside"
        if (
            image is not None
            and self.render.extent is not None
            and beside != self.render.extent[-1]
        ):
            self.render.extent = (*self.render.extent[:-1], beside)
            self.stack.fit_view()
        for role, wanted in (
            ("phase", view.phase),
            ("amplitude", view.amplitude),
            ("masks", view.masks),
            ("outlines", view.outlines),
            ("particles", view.particles),
        ):
            if not wanted:
                hide(self.layer(role))
        self.compared.refresh()


__all__ = ["LayerSink"]
