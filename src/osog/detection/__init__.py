"""Detection: the particles of a micrograph, found without clicks."""

from osog.detection.pipeline import detect

__all__ = ["detect"]
