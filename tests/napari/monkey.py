"""A pair of random hands on a real window, and what they complain of."""

from __future__ import annotations

import collections
import ctypes
import functools
import gc
import hashlib
import logging
import os
import random
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress

import numpy as np
from napari._qt.qt_main_window import Window
from napari._vispy.canvas import VispyCanvas
from qtpy.QtCore import QEvent, QTimer, QtMsgType, qInstallMessageHandler
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QFileDialog, QInputDialog, QMenu
from vispy.gloo.context import GLContext

from napari_osog.docks import open_panel
from napari_osog.live_controller import LiveController
from napari_osog.panels.dataset import DatasetPanel
from napari_osog.panels.fit import FitPanel
from napari_osog.panels.simulate import SimulatePanel

from .conftest import small_scene

SLOW = ("grid.", "source_points", "series.", ".scattering", "numerics.", "focus_planes")
"""Rows whose numbers would only make every picture slow."""

MOST_IN_GRID = 12
"""Actions after which napari's grid is left again."""


class Elsewhere:
    """Processor time of this thread in what is none of ours.

    Without a graphics card the driver of OpenGL compiles shaders (seconds, when 3-D is first
    shown) and draws on the processor, in the thread that asks for it. napari collects all garbage
    after each layer that is removed, lays out every cell of its grid anew with each eye that is
    shut, and styles its whole window for another theme: 0.3, 0.6 and 1.2 s with twelve layers and
    no plugin.
    """

    def __init__(self):
        self.spent = 0.0
        self._inside = False

    def timed(self, function):
        @functools.wraps(function)
        def timed_function(*args, **options):
            if self._inside:
                return function(*args, **options)
            self._inside = True
            began = time.thread_time()
            try:
                return function(*args, **options)
            finally:
                self.spent += time.thread_time() - began
                self._inside = False

        return timed_function


ELSEWHERE = Elsewhere()


class Hands:
    """One pair of random hands; remembers what they did, and every complaint.

    One complaint is that the event loop was away for more than so many seconds of processor time,
    drawing left out.
    """

    def __init__(self, viewer, seed, folder, most_cpu_s):
        self.most_cpu_s = most_cpu_s
        self.viewer, self.random, self.folder = viewer, random.Random(seed), folder
        self.controller = LiveController.of(viewer)
        self.session = self.controller.session
        self.session.set_scene(small_scene(), preset="")
        self.done = collections.deque(maxlen=25)
        self.complaints = []
        self.longest = (0.0, "")
        self.written = {}
        self.in_grid = 0
        self._since = 0.0
        self.app = QApplication.instance()
        # napari lets the event loop run inside some of its calls: that is a turn, too.
        self.beat = QTimer()
        self.beat.timeout.connect(self._turn)
        viewer.window._qt_window.show()
        noise = np.random.default_rng(seed)
        options = {"scale": (0.2, 0.2), "units": ("um", "um")}
        self.mine = [
            viewer.add_image(noise.random((64, 80), np.float32), name="mine", **options),
            viewer.add_points(noise.random((5, 2)) * 60, name="my points", **options),
            viewer.add_shapes([noise.random((4, 2)) * 60], name="my shape", **options),
            viewer.add_labels(noise.integers(0, 4, (64, 80)), name="my labels", **options),
        ]
        self.before = [fingerprint(layer) for layer in self.mine]
        self.sim()

    # --- running -----------------------------------------------------------------------------

    def play(self, actions, weights):
        """Do so many things, and stop at the first complaint; returns how many were done."""
        self.beat.start(0)
        methods = [getattr(self, name) for name in weights]
        for number in range(actions):
            act = self.random.choices(methods, weights.values())[0]
            self.done.append(f"{number} {act.__name__}")
            self.begin_turn()
            try:
                act()
            except Exception:
                self.complaints.append(traceback.format_exc())
            self._turn()
            self.breathe(self.random.choice((0, 0, 0.01, 0.05, 0.2)))
            self._leave_grid()
            if number % 40 == 39:
                self.check_mine()
            if self.complaints:
                break
        self.check_mine()
        return number + 1

    def _leave_grid(self):
        """Take the grid away after a while.

        napari keeps every grid that it has laid out, with no plugin at all: 20,000 objects more
        with each layer that comes or goes, and a camera per cell that follows each move.
        """
        self.in_grid = self.in_grid + 1 if self.viewer.grid.enabled else 0
        if self.in_grid > MOST_IN_GRID:
            self.viewer.grid.enabled = False

    def breathe(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self.begin_turn()
            self.app.processEvents()
            # Outside of a running event loop Qt keeps what was to be deleted later.
            self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            self._turn()
            if time.monotonic() >= end:
                return
            time.sleep(0.002)

    def settle(self):
        """Wait until the window has been drawn and shows its first picture."""
        end = time.monotonic() + 60.0
        while self.session.picture is None and time.monotonic() < end:
            self.breathe(0.05)
        self.breathe(0.5)

    def begin_turn(self):
        self._since = time.thread_time() - ELSEWHERE.spent

    def _turn(self):
        """The event loop has its turn again: how long was it away?"""
        took = time.thread_time() - ELSEWHERE.spent - self._since
        self.begin_turn()
        what = self.done[-1] if self.done else "the beginning"
        self.longest = max(self.longest, (took, what))
        if took > self.most_cpu_s and self.done:
            self.complaints.append(f"the event loop was away for {took:.2f} s of CPU in {what}")

    def say(self, what):
        self.done[-1] += f" {what}"

    def check_mine(self):
        for layer, before in zip(self.mine, self.before, strict=True):
            if not any(layer == other for other in self.viewer.layers):
                self.complaints.append(f"{layer.name} is gone")
            elif fingerprint(layer) != before:
                self.complaints.append(f"{layer.name} was changed")
        for layer in self.viewer.layers:
            pixels = self.written.get(str(layer.source.path))
            if pixels is not None and not np.array_equal(np.asarray(layer.data), pixels):
                self.complaints.append(f"{layer.name}, which was opened from a file, was changed")

    # --- where things are --------------------------------------------------------------------

    def panel(self, kind):
        return next((p for p in self.controller.panels if isinstance(p, kind)), None)

    def sim(self):
        return self.panel(SimulatePanel) or open_panel(self.viewer, SimulatePanel, "Simulate")

    def fit(self):
        return self.panel(FitPanel) or open_panel(self.viewer, FitPanel, "Fit")

    def dataset(self):
        panel = self.panel(DatasetPanel) or open_panel(self.viewer, DatasetPanel, "Dataset")
        panel.folder.setText(str(self.folder / "dataset"))
        panel.count.setValue(3)
        return panel

    def ours(self):
        known = self.controller.viewer_layers.registry
        return [layer for layer in self.viewer.layers if known.owns(layer)]

    def points(self):
        return self.controller.viewer_layers.registry.layer("particles")

    def rows(self, kind):
        found = [r for r in self.sim().findChildren(kind) if r.isVisibleTo(self.sim())]
        return [r for r in found if r.isEnabled() and not any(s in r.name for s in SLOW)]


class Watched(logging.Handler):
    """What goes wrong where nobody raises: in slots, in threads, in Qt, in logged failures."""

    def __init__(self, complaints):
        super().__init__(logging.ERROR)
        self.complaints = complaints

    def emit(self, record):
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info))
        self.complaints.append(text)

    def raised(self, kind, value, trace):
        self.complaints.append("".join(traceback.format_exception(kind, value, trace)))

    def warned(self, kind, context, message):
        if kind != QtMsgType.QtDebugMsg and kind != QtMsgType.QtInfoMsg:
            self.complaints.append(f"Qt: {message}")


@contextmanager
def watched(complaints, monkeypatch):
    """Let everything that goes wrong inside become a complaint; dialogs are left at once."""
    ear = Watched(complaints)
    for kind, name in (
        (GLContext, "flush_commands"),
        (VispyCanvas, "_clean_and_update_scenegraph"),
        (VispyCanvas, "_update_scenegraph"),
        (Window, "_update_theme"),
    ):
        monkeypatch.setattr(kind, name, ELSEWHERE.timed(getattr(kind, name)))
    monkeypatch.setattr(sys, "excepthook", ear.raised)
    monkeypatch.setattr(
        threading, "excepthook", lambda a: ear.raised(a.exc_type, a.exc_value, a.exc_traceback)
    )
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *args, **options: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *args, **options: "")
    monkeypatch.setattr(QInputDialog, "getText", lambda *args, **options: ("", False))
    monkeypatch.setattr(QMenu, "exec", lambda *args, **options: None)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda *args: True)
    logs = [logging.getLogger(name) for name in ("osog", "napari_osog")]
    for log in logs:
        log.addHandler(ear)
    before = qInstallMessageHandler(ear.warned)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
        for log in logs:
            log.removeHandler(ear)


def fingerprint(layer):
    """Content and place of a layer of the user; name, order and eye are the user's to change."""
    data = layer.data if isinstance(layer.data, list) else [layer.data]
    made = hashlib.sha256()
    for array in data:
        made.update(np.ascontiguousarray(array).tobytes())
    place = [np.round(np.asarray(v, float), 9).tolist() for v in (layer.scale, layer.translate)]
    return made.hexdigest(), place, [str(unit) for unit in layer.units], dict(layer.metadata)


def memory_mb():
    """Memory that is held once garbage is collected.

    The C library keeps up to 0.5 GB of what large pictures and fits gave back, for the next.
    """
    gc.collect()
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def threads():
    """Names of the threads that Python has begun; those of a pool are the pool's."""
    return sorted(t.name for t in threading.enumerate() if not t.name.startswith("Dummy-"))
