"""Contact sheets: frames of a dataset with their labels drawn, to be looked at before training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from osog.io import atomic

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from osog.datasets.labelled_frame import LabelledFrame

COLOURS = ((255, 176, 0), (86, 180, 233), (0, 200, 130), (230, 110, 190), (120, 140, 255))
"""Of the classes, in turn; told apart with any colour vision (after Okabe & Ito 2008)."""
_DIFFICULT, _IGNORED = (160, 160, 160), (90, 90, 90)


def drawn(frame: LabelledFrame, side: int | None = None) -> NDArray[np.uint8]:
    """Draw the boxes of a frame over its picture.

    Parameters
    ----------
    frame : LabelledFrame
    side : int, optional
        Length of the longer side in pixels; that of the frame where it is left out.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)
        Counted objects in the colour of their class, difficult ones grey, ignored ones dark grey.
    """
    picture = frame.picture
    image = Image.fromarray(picture).convert("RGB")
    scale = 1.0 if side is None else side / max(image.size)
    if scale != 1.0:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(image)
    objects = frame.objects
    corners = (objects.corners + 0.5) * scale - 0.5
    for k, state in enumerate(objects.state):
        if state == "none":
            continue
        colour = COLOURS[int(objects.class_id[k]) % len(COLOURS)]
        colour = {"difficult": _DIFFICULT, "ignored": _IGNORED}.get(state, colour)
        outline = [(float(x), float(y)) for x, y in corners[k]]
        pen.line([*outline, outline[0]], fill=colour, width=1)
    return np.asarray(image)


def contact_sheet(
    frames: Sequence[LabelledFrame], columns: int | None = None, side: int = 320
) -> NDArray[np.uint8]:
    """Put frames with their labels side by side.

    Parameters
    ----------
    frames : sequence of LabelledFrame
    columns : int, optional
        As square as possible where it is left out.
    side : int
        Length of the longer side of each in pixels.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)
    """
    gap, text = 6, 16
    shown = [drawn(frame, side) for frame in frames]
    columns = columns or max(1, math.ceil(math.sqrt(len(shown))))
    height = max(s.shape[0] for s in shown) + text
    width = max(s.shape[1] for s in shown)
    rows = math.ceil(len(shown) / columns)
    sheet = Image.new(
        "RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), (24, 26, 30)
    )
    pen = ImageDraw.Draw(sheet)
    for k, (frame, picture) in enumerate(zip(frames, shown, strict=True)):
        x, y = gap + (k % columns) * (width + gap), gap + (k // columns) * (height + gap)
        sheet.paste(Image.fromarray(picture), (x, y))
        counted = len(frame.objects.in_state("counted"))
        rest = len(frame.objects) - counted
        words = f"{frame.stem}: {counted} counted" + (f", {rest} not" if rest else "")
        pen.text((x + 2, y + picture.shape[0] + 2), words, fill=(200, 204, 210))
    return np.asarray(sheet)


def write_sheet(path: str | os.PathLike[str], frames: Sequence[LabelledFrame]) -> None:
    """Write a contact sheet as PNG.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with atomic.writing(path) as temporary:
        Image.fromarray(contact_sheet(frames)).save(temporary, format="PNG")
