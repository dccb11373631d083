"""Real windows: they need a display with OpenGL."""

from __future__ import annotations

import gc
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from npe2.manifest import _bases
from qtpy.QtWidgets import QApplication

from napari_osog.docks import open_panel
from napari_osog.live_controller import LiveController
from napari_osog.panels.simulate import SimulatePanel
from osog.scene import Camera, Grid, Hologram, Material, Microscope, Population, Scene, Sphere

if TYPE_CHECKING:
    from collections.abc import Iterator


def small_scene() -> Scene:
    return Scene(
        grid=Grid(shape=(64, 80), pixel_size_um=0.2),
        populations=(
            Population(
                name="beads", shape=Sphere(radius_um=0.8), material=Material(index=1.4), count=6
            ),
        ),
        microscope=Microscope(modality=Hologram(), focus_um=2.0),
        camera=Camera(),
    )


@pytest.fixture(autouse=True)
def _imports_are_no_garbage() -> Iterator[None]:
    """After the first window, collect garbage among what tests make, and not in all of napari.

    Several full collections follow each window. They walk through every object that was ever
    imported, which takes a quarter of the time of a window.
    """
    yield
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _manifests_are_parsed_once() -> Iterator[None]:
    """Parse each manifest of a plugin once: every new window looks for all of them again.

    Parsing their YAML takes a twentieth of the time of a window.
    """
    parse = _bases._load_yaml_no_duplicates
    parsed: dict[bytes, Any] = {}

    def remembered(stream: Any) -> Any:
        text = stream.read()
        if text not in parsed:
            parsed[text] = parse(text)
        return deepcopy(parsed[text])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_bases, "_load_yaml_no_duplicates", remembered)
        yield


@pytest.fixture
def opened(make_napari_viewer_proxy, qtbot):
    """A viewer with the Simulate panel docked and the small scene rendered by the engine."""
    viewer = make_napari_viewer_proxy()
    controller = LiveController.of(viewer)
    controller.session.set_scene(small_scene(), preset="")
    panel = SimulatePanel(viewer)
    dock = viewer.window.add_dock_widget(panel, name="Simulate")
    viewer.window._qt_window.show()
    wait = Waiting(qtbot, controller)
    wait.settled()
    yield viewer, panel, dock, wait
    controller.live.stop()


@pytest.fixture
def docked(make_napari_viewer_proxy, monkeypatch):
    """A viewer with the Simulate panel docked, that renders nothing and needs no engine."""
    monkeypatch.setattr(LiveController, "request", lambda self, preview=None: None)
    viewer = make_napari_viewer_proxy()
    controller = LiveController.of(viewer)
    controller.session.set_scene(small_scene(), preset="")
    panel = open_panel(viewer, SimulatePanel, "Simulate")
    viewer.window._qt_window.resize(1280, 800)
    viewer.window._qt_window.show()
    QApplication.processEvents()
    yield viewer, panel
    controller.live.stop()


class Waiting:
    def __init__(self, qtbot, controller):
        self.qtbot, self.controller = qtbot, controller

    def settled(self):
        """Wait for the picture of the scene as it is now."""
        session = self.controller.session
        self.qtbot.waitUntil(
            lambda: (
                session.picture is not None
                and session.picture.request.scene is session.scene
                and not session.picture.request.preview
                and not self.controller.live.busy
            ),
            timeout=60000,
        )
        return session.picture

    def until(self, condition):
        self.qtbot.waitUntil(condition, timeout=60000)
