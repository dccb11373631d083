"""Layers of the viewer: the render, what is drawn over it, and comparisons."""

from napari_osog.layers.overlays import MAX_OUTLINES
from napari_osog.layers.particles import MAX_POINTS
from napari_osog.layers.viewer_layers import ViewerLayers

__all__ = ["MAX_OUTLINES", "MAX_POINTS", "ViewerLayers"]
