"""The pipeline: sample → geometry and exit wave → optics → sensor, as images and as functions."""

from osog.rendering.pipeline import (
    OUTPUTS,
    ForwardModel,
    Frame,
    Renderer,
    choose_device,
    forward,
    render,
)

__all__ = ["OUTPUTS", "ForwardModel", "Frame", "Renderer", "choose_device", "forward", "render"]
