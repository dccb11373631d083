"""Labels from the geometry alone: oriented boxes, masks, outlines and visibility."""

from osog.labels.boxes import boxes
from osog.labels.masks import masks
from osog.labels.outlines import outlines
from osog.labels.visibility import visibility

__all__ = ["boxes", "masks", "outlines", "visibility"]
