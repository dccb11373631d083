"""``napari-osog [IMAGE]``: napari with the panels docked."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from typing import Any


def open_window(image: str | None = None, *, fit: bool = True) -> tuple[Any, Any]:
    """Open napari with the Simulate panel, and a micrograph beside the render.

    Parameters
    ----------
    image : str, optional
        Path of a micrograph; without it the sample micrograph is opened.
    fit : bool
        Whether the Fit panel is docked too.

    Returns
    -------
    viewer : napari.Viewer
    panel : SimulatePanel
    """
    from qtpy.QtWidgets import QApplication

    import napari

    viewer = napari.Viewer(title="OSOG")
    viewer.status = "Opening the panels…"
    QApplication.processEvents()  # the window is there while the rest is loaded
    from napari_osog.docks import open_panel
    from napari_osog.live_controller import LiveController
    from napari_osog.micrographs import TargetError, adopt
    from napari_osog.panels.fit import FitPanel
    from napari_osog.panels.simulate import SimulatePanel
    from napari_osog.samples import cell_twin
    from osog.scene import SceneError

    session = LiveController.of(viewer).session
    before = list(viewer.layers)
    with session.beginning():  # one scene: what is rendered first is what stays
        if image is None:
            viewer.open_sample("napari-osog", "cell")
            session.set_scene(cell_twin(), preset="")
            session.view.update(particles=False)
        else:
            viewer.open(image)  # the panel asks about it
        added = [layer for layer in viewer.layers if layer not in before]
        if added and image is None:
            session.set_target(added[0])
            with suppress(TargetError, SceneError):  # the panel says what is wrong
                adopt(session, session.target)
                session.view.update(compare="beside")
    panel = open_panel(viewer, SimulatePanel, "Simulate")
    if fit:
        open_panel(viewer, FitPanel, "Fit", front=False)
    return viewer, panel


def main(arguments: list[str] | None = None) -> int:
    """Open the window and run until it is closed."""
    parser = argparse.ArgumentParser(
        prog="napari-osog",
        description="Simulate micrographs live in napari, beside and over a real one.",
    )
    parser.add_argument(
        "image", nargs="?", help="micrograph to open; without it the sample micrograph is opened"
    )
    chosen = parser.parse_args(arguments)
    if chosen.image is not None and not os.path.exists(chosen.image):
        print(f"There is no file {chosen.image}.", file=sys.stderr)
        return 2
    import napari

    open_window(chosen.image)
    napari.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
