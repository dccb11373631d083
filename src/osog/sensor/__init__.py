"""Stage 4: camera pixels, background and camera noise."""

from osog.sensor.background import with_background
from osog.sensor.camera import expected_counts, expose, noisy, saturation
from osog.sensor.light import light_on_pixels
from osog.sensor.pixels import pixels

__all__ = [
    "expected_counts",
    "expose",
    "light_on_pixels",
    "noisy",
    "pixels",
    "saturation",
    "with_background",
]
