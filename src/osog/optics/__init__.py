"""Stage 3: pupil, aberrations, defocus, illumination and the modalities."""

from osog.optics.imaging import IMAGINGS, Imaging, image, modality_cautions, register
from osog.optics.optical_image import OpticalImage
from osog.optics.pupil import Pupil

__all__ = [
    "IMAGINGS",
    "Imaging",
    "OpticalImage",
    "Pupil",
    "image",
    "modality_cautions",
    "register",
]
