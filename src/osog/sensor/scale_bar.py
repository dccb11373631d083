"""The scale bar that programs of microscopes burn into pictures."""

from __future__ import annotations

from functools import lru_cache
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from osog.scene import Scene

_SHARE = 0.2
"""Share of the frame's width that a bar of no stated length has at most."""
_FACTORS = (1, 2, 5)


def with_scale_bar(counts: Tensor, scene: Scene) -> Tensor:
    """Counts with the scale bar of the scene in place of those below it.

    Parameters
    ----------
    counts : Tensor, shape (Y, X [, 3])
    scene : Scene
        One with a camera.

    Returns
    -------
    Tensor
        The input itself without a bar. Pixels of the bar depend on nothing.
    """
    bar, camera = scene.scale_bar, scene.camera
    if bar is None or camera is None:
        return counts
    shape = (int(counts.shape[0]), int(counts.shape[1]))
    length = bar.length_um
    if length is None:
        length = nice_length(shape[1] * scene.grid.pixel_size_um)
    words = length_words(length) if bar.text else ""
    drawn = _drawn(shape, length / scene.grid.pixel_size_um, words, bar.corner)
    level = float(camera.white_counts) if bar.colour == "white" else 0.0
    mask = torch.from_numpy(drawn).to(counts.device)
    mask = mask if counts.ndim == 2 else mask[..., None]
    return torch.where(mask, counts.new_tensor(level), counts)


def nice_length(width_um: float) -> float:
    """Largest of 1, 2 or 5 times a power of ten up to a fifth of a frame's width in µm."""
    wanted = _SHARE * width_um
    power = 10.0 ** floor(log10(wanted))
    return max(factor * power for factor in _FACTORS if factor * power <= wanted * (1 + 1e-9))


def length_words(length_um: float) -> str:
    """Length with its unit: nm below 1 µm, mm from 1000 µm."""
    for limit, factor, unit in ((1.0, 1e3, "nm"), (1e3, 1.0, "µm"), (float("inf"), 1e-3, "mm")):
        if length_um < limit:
            return f"{length_um * factor:.4g} {unit}"
    return f"{length_um:g} µm"


@lru_cache(maxsize=8)
def _drawn(shape: tuple[int, int], length_px: float, words: str, corner: str) -> NDArray[np.bool_]:
    """Pixels (Y, X) of the bar and its text."""
    height, width = shape
    margin = max(2, round(0.03 * min(shape)))
    thick = max(2, round(0.012 * min(shape)))
    long = max(1, min(round(length_px), width - 2 * margin))
    vertical, horizontal = corner.split("_")
    left = margin if horizontal == "left" else width - margin - long
    picture = Image.new("1", (width, height))
    pen = ImageDraw.Draw(picture)
    above = 0
    if words:
        font = ImageFont.load_default(max(8, round(0.045 * min(shape))))
        box = pen.textbbox((0, 0), words.replace("µ", "p"), font=font)  # with room for its stem
        above = int(box[3] - box[1]) + max(2, thick // 2)
        wide = box[2] - box[0]
        middle = min(max(left + long / 2, margin + wide / 2), width - margin - wide / 2)
        top = margin if vertical == "upper" else height - margin - thick - above
        _write(pen, (middle - wide / 2 - box[0], top - box[1]), words, font)
    top = margin + above if vertical == "upper" else height - margin - thick
    pen.rectangle((left, top, left + long - 1, top + thick - 1), fill=1)
    return np.array(picture, dtype=bool)


def _write(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    words: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Write words; Pillow's own font has no µ, which is a u with a stem here."""
    plain = words.replace("µ", "u")
    pen.text(at, plain, fill=1, font=font)
    if plain != words:
        place = words.index("µ")
        before = pen.textlength(plain[:place], font=font)
        left, _, right, foot = font.getbbox("u")
        depth = font.getbbox("p")[3] - foot
        stem = max(1, round((right - left) / 6))
        x, y = round(at[0] + before + left), round(at[1] + foot)
        pen.rectangle((x, y - 1, x + stem - 1, y + depth - 1), fill=1)
