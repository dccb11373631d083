"""Sheets of small pictures with a name below each, for the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LABEL, GAP = 34, 10


def tile(image: np.ndarray, swing: float = 0.8) -> np.ndarray:
    """Grey levels of a picture around its background, which becomes middle grey."""
    ground = float(np.median(image))
    return np.clip(127 + 110 * (image - ground) / ground / swing, 0, 255).astype(np.uint8)


def write_sheet(
    tiles: Mapping[str, np.ndarray], file: Path, *, columns: int, side: int, letters: int = 20
) -> None:
    """Write named tiles (Y, X), row by row, into one picture."""
    rows = -(-len(tiles) // columns)
    size = (columns * (side + GAP) + GAP, rows * (side + LABEL + GAP) + GAP)
    sheet = Image.new("RGB", size, (255, 255, 255))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(letters)
    for number, (name, pixels) in enumerate(tiles.items()):
        picture = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
        x = GAP + (number % columns) * (side + GAP)
        y = GAP + (number // columns) * (side + LABEL + GAP)
        sheet.paste(picture, (x, y))
        pen.text((x + 2, y + side + 5), name, fill=(36, 41, 47), font=font)
    sheet.save(file, optimize=True)
    print(f"{file}: {file.stat().st_size // 1000} kB")
