"""Stage 4: camera pixels and camera noise."""

from osog.sensor.camera import expected_counts, expose
from osog.sensor.pixels import pixels

__all__ = ["expected_counts", "expose", "pixels"]
