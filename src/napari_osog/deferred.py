"""Scenes that open as an image: it is rendered on a thread, and a layer waits for it."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.pictures import Failure, Picture
    from osog.scene import Scene

_AGAIN_MS, _TRIES = 100, 20
"""How soon, and how often, a layer is looked for again."""


def waiting_viewer() -> Any:
    """Viewer whose window would stand still during a render; None where there is no window."""
    if "napari" not in sys.modules or "qtpy" not in sys.modules:
        return None
    from qtpy.QtCore import QThread
    from qtpy.QtWidgets import QApplication

    from napari import current_viewer

    app = QApplication.instance()
    if app is None or QThread.currentThread() is not app.thread():
        return None
    return current_viewer()


def fill_later(
    viewer: Any,
    scene: Scene,
    seed: int,
    about: dict[str, Any],
    fill: Callable[[Any, Picture], None],
) -> None:
    """Render a scene on a thread, and put the image into the layer that waits for it.

    Parameters
    ----------
    viewer : napari viewer
        napari lists the render among its activities, and it ends with the window.
    scene : Scene
    seed : int
    about : dict
        ``metadata["osog"]`` of the layer, by which it is known again.
    fill : callable
        Puts a picture into the layer.
    """
    from napari_osog._settings import setting
    from napari_osog.pictures import PictureMaker, Request
    from napari_osog.worker import Worker

    seen = weakref.ref(viewer)
    worker = Worker(
        PictureMaker(), "osog-open", lasting=False, listed_as="OSOG render", synchronous=False,
        parent=viewer.window._qt_window,
    )  # fmt: skip
    worker.finished.connect(lambda made: _take_in(seen(), about, made, fill))
    worker.finished.connect(worker.deleteLater)
    worker.submit(Request(scene, seed, device=setting("device"), whole=True))


def _take_in(
    viewer: Any,
    about: dict[str, Any],
    made: Picture | Failure,
    fill: Callable[[Any, Picture], None],
    tries: int = _TRIES,
) -> None:
    """Fill the layer, if it is still there; one that cannot be filled goes, with a sentence."""
    from qtpy.QtCore import QTimer

    from napari_osog.pictures import Failure

    layers = () if viewer is None else tuple(viewer.layers)
    layer = next((one for one in layers if one.metadata.get("osog") is about), None)
    if layer is None:
        if viewer is not None and tries:  # napari is still about to add it, or it was deleted
            seen = weakref.ref(viewer)
            QTimer.singleShot(_AGAIN_MS, lambda: _take_in(seen(), about, made, fill, tries - 1))
        return
    if isinstance(made, Failure):
        from napari.utils.notifications import show_error

        show_error(f"{layer.name}: {made.error}")
        viewer.layers.remove(layer)
        return
    fill(layer, made)


__all__ = ["fill_later", "waiting_viewer"]
