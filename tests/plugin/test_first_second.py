"""The first second: panels are there before the engine, which a worker loads."""

from __future__ import annotations

import subprocess
import sys

WINDOW = """
import importlib, pkgutil, sys, threading
from unittest.mock import MagicMock

import napari_osog

for module in pkgutil.walk_packages(napari_osog.__path__, "napari_osog."):
    importlib.import_module(module.name)
assert "torch" not in sys.modules, "a module of the window loads torch"

from qtpy.QtWidgets import QApplication
from napari_osog.live_controller import LiveController
from napari_osog.panels.fit import FitPanel
from napari_osog.panels.simulate import SimulatePanel
from osog.scene import Population, Scene

app = QApplication([])
layers = MagicMock()
layers.registry.viewer = None
layers.registry.micrographs.return_value = []
layers.compared.match = None
layers.compared.problem = ""
controller = LiveController(None, viewer_layers=layers)
simulate, fit = SimulatePanel(None, controller), FitPanel(None, controller)
assert not simulate.header.busy.isHidden() and "engine" in simulate.header.explain_text.text()
assert not fit.parameters.waiting and fit.table.lines.all, "a crowd needs no engine"
controller.session.set_scene(Scene(populations=(Population(name="bead", count=1),)))
assert fit.parameters.waiting and not fit.parameters.loading.isHidden()
assert "torch" not in sys.modules, "a panel loads torch"

controller.session.asked = object()  # a micrograph of the user's own
assert simulate.header.busy.isHidden() and "No picture" in simulate.header.explain_text.text()
controller.enter(1)
(loading,) = (t for t in threading.enumerate() if t.name == "osog-load")
loading.join()
assert "osog.rendering" in sys.modules, "it is made ready while the questions are answered"
controller.session.asked = None
fit._on_picture(None)
assert not fit.parameters.waiting and fit.parameters.loading.isHidden()
assert [line for line in fit.table.lines.all if line.name.startswith("particles[0]")]
"""


def test_panels_are_built_before_the_engine_is_loaded():
    """On the GUI thread torch alone would take seconds."""
    finished = subprocess.run(
        [sys.executable, "-c", WINDOW], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
