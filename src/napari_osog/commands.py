"""Commands of the layer menus."""

# Annotations stay plain strings here: napari reads them to know that a viewer is wanted.
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari


def use_as_target(viewer: "napari.viewer.Viewer") -> None:
    """Compare and fit with the selected image layer: chosen, and its grid matched.

    napari finds the viewer by the words of this annotation.
    """
    layer = viewer.layers.selection.active
    panel = _simulate(viewer)
    if layer is None or not any(_same(layer, known) for known in panel.compare.chooser.layers):
        panel.session.status = "Select an image layer first; then use it as the target."
        return
    panel.session.set_target(layer)
    panel.compare.match_grid()


def use_as_sample(viewer: "napari.viewer.Viewer") -> None:
    """Take the selected Labels or Image layer for the sample: its voxels, whatever they hold."""
    _simulate(viewer).use_as_sample(viewer.layers.selection.active)


def edit_render(viewer: "napari.viewer.Viewer") -> None:
    """Open the scene that the selected layer was rendered from."""
    _simulate(viewer).header.edit_render(viewer.layers.selection.active)


def tour(viewer: "napari.viewer.Viewer") -> None:
    """Show the window in six steps."""
    from napari_osog.panels.tour import start_tour

    start_tour(_simulate(viewer))


def manual(viewer: "napari.viewer.Viewer") -> None:
    """Open the manual at its contents."""
    _simulate(viewer).open_manual()


def _simulate(viewer: Any) -> Any:
    from napari_osog.docks import open_panel
    from napari_osog.panels.simulate import SimulatePanel

    return open_panel(viewer, SimulatePanel, "Simulate")


def _same(layer: Any, other: Any) -> bool:
    from napari_osog.viewers import unwrapped

    return unwrapped(layer) is unwrapped(other)


__all__ = ["edit_render", "manual", "tour", "use_as_sample", "use_as_target"]
