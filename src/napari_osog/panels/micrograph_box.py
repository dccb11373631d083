"""The list of the user's image layers, from which the micrograph is chosen."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox

from napari_osog.lifetimes import listen
from napari_osog.panels.widgets import dressed, tell_choice
from napari_osog.viewers import unwrapped

if TYPE_CHECKING:
    from napari_osog.live_controller import LiveController


class MicrographBox(QComboBox):
    """Chooses the target of the session; follows the layers of the viewer and their names.

    Layers are listed here and not by magicgui, which would process every layer again with each
    move of a slider.

    Parameters
    ----------
    controller : LiveController
    help : str
        Tooltip.

    Signals
    -------
    relisted()
        Layers came, went, or were renamed: also those that are no images.

    Attributes
    ----------
    layers : list of napari Image layers
    """

    relisted = Signal()

    def __init__(self, controller: LiveController, help: str) -> None:
        super().__init__()
        dressed(self, "Micrograph", help)
        self.session = controller.session
        self.registry = controller.viewer_layers.registry
        self.layers: list[Any] = []
        self._named: weakref.WeakSet[Any] = weakref.WeakSet()
        self.currentIndexChanged.connect(self._choose)
        listen(self, self.session.events.target, self.refresh)
        viewer = self.registry.viewer
        if viewer is not None:
            events = viewer.layers.events
            for event in (events.inserted, events.removed, events.reordered):
                listen(self, event, self.refresh)
        self.refresh()

    def refresh(self, _: object = None) -> None:
        """List the image layers of the viewer that are not ours, the chosen one chosen."""
        self.layers = [unwrapped(layer) for layer in self.registry.micrographs()]
        viewer = self.registry.viewer
        for layer in () if viewer is None else map(unwrapped, viewer.layers):
            if layer not in self._named:
                self._named.add(layer)
                listen(self, layer.events.name, self.refresh)
        with QSignalBlocker(self):
            self.clear()
            self.addItem("none" if self.layers else "none (open an image first)")
            self.addItems([layer.name for layer in self.layers])
            target = self.session.target
            index = next((i for i, layer in enumerate(self.layers) if layer is target), -1)
            self.setCurrentIndex(index + 1)
        tell_choice(self)
        self.relisted.emit()

    def _choose(self, index: int) -> None:
        self.session.set_target(self.layers[index - 1] if index > 0 else None)


__all__ = ["MicrographBox"]
