"""Layers of what lies behind the image: phase and amplitude of the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.layers.layer_registry import write

if TYPE_CHECKING:
    from napari_osog.layers.layer_registry import LayerRegistry
    from napari_osog.pictures import Picture


class FieldLayers:
    """Phase (radians) and amplitude, each in a layer of its own while wanted.

    Parameters
    ----------
    registry : LayerRegistry
    """

    def __init__(self, registry: LayerRegistry) -> None:
        self.registry = registry

    def show(self, picture: Picture) -> None:
        """Show those that are wanted and that the picture brings; previews bring none."""
        view = self.registry.session.view
        for role in ("phase", "amplitude"):
            layer = self.registry.layer(role)
            if not getattr(view, role):
                self.registry.hide(layer)
            elif role in picture.fields:
                self._show(role, layer, picture.fields[role])
            elif not picture.request.preview:
                self.registry.hide(layer)

    def _show(self, role: str, layer: Any, array: np.ndarray[Any, Any]) -> None:
        from napari.layers import Image

        if layer is not None:
            self.registry.place(layer, array.shape)
            self.registry.reveal(layer)
            write(layer, array)
            return
        cyclic = role == "phase"
        reach = float(np.clip(1.1 * np.percentile(np.abs(array), 99.9), 0.05, np.pi))
        low, high = (-reach, reach) if cyclic else (0.0, max(float(array.max()), 1.2))
        self.registry.make(
            role,
            Image,
            array.copy(),
            array.shape,
            colormap="twilight_shifted" if cyclic else "gray",
            contrast_limits=(low, high),
            metadata={"osog": {"role": role}},
        )


__all__ = ["FieldLayers"]
