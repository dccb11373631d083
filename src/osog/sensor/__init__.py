"""Stage 4: camera pixels, background and camera noise."""

from osog.sensor.camera import expected_counts, expose, noisy
from osog.sensor.camera_sigma import camera_sigma
from osog.sensor.light import light_on_pixels, with_background
from osog.sensor.pixels import pixels
from osog.sensor.saturation import saturation

__all__ = [
    "camera_sigma",
    "expected_counts",
    "expose",
    "light_on_pixels",
    "noisy",
    "pixels",
    "saturation",
    "with_background",
]
