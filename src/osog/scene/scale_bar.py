"""A scale bar that is burnt into the picture."""

from typing import Literal

from osog.scene.model import SceneModel, parameter


class ScaleBar(SceneModel):
    """A bar with its length in words, as programs of microscopes draw it into the picture.

    It replaces the counts of its pixels behind the camera; labels know nothing of it.
    """

    length_um: float | None = parameter(
        None,
        title="Length",
        help="Length of the bar; empty takes 1, 2 or 5 times a power of ten near a fifth of the "
        "frame's width.",
        unit="µm",
        limits=(1e-3, 1e5),
        slider=(1.0, 1000.0),
        log=True,
        shapes_image=False,
    )
    corner: Literal["lower_right", "lower_left", "upper_right", "upper_left"] = parameter(
        "lower_right", title="Corner", help="Where it lies.", shapes_image=False
    )
    colour: Literal["white", "black"] = parameter(
        "white", title="Colour", help="Of the bar and its text.", shapes_image=False
    )
    text: bool = parameter(
        True, title="Text", help="Whether its length stands over it.", shapes_image=False
    )
