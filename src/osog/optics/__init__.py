"""Stage 3: pupil, aberrations, defocus, illumination and the modalities."""

from osog.optics.image import MODALITIES, image
from osog.optics.optical_image import OpticalImage
from osog.optics.pupil import Pupil

__all__ = ["MODALITIES", "OpticalImage", "Pupil", "image"]
