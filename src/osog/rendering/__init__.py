"""The pipeline: sample → geometry and exit wave → optics → sensor, as images and as functions."""

from osog.rendering.cache import WaveInputs
from osog.rendering.device import choose_device
from osog.rendering.forward_model import ForwardModel, forward
from osog.rendering.frame import Frame
from osog.rendering.outputs import OUTPUTS
from osog.rendering.renderer import Renderer, render, render_many

__all__ = [
    "OUTPUTS",
    "ForwardModel",
    "Frame",
    "Renderer",
    "WaveInputs",
    "choose_device",
    "forward",
    "render",
    "render_many",
]
