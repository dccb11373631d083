"""The sheet on which a micrograph and a render stand side by side with their statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from osog.io import atomic
from osog.statistics import BAND_EDGES_PER_UM, PROFILE_UM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.statistics import ImageStatistics

PANEL_PX = 384
_PLOT = (256, 200)
_MARGIN = 12
_INKS = ((30, 30, 30), (200, 60, 20))
_RANGE = 0.45
"""Relative contrast shown black, and with the other sign white."""


def save_sheet(
    path: Path,
    pictures: Sequence[NDArray[np.generic]],
    statistics: Sequence[ImageStatistics],
    titles: Sequence[str],
    lines: Sequence[str],
) -> None:
    """Write a PNG with two pictures, five curves and the lines of a table.

    Parameters
    ----------
    path : Path
    pictures : two arrays (Y, X) or (Y, X, 3)
        The first 384 rows and columns are shown, all to the same scale of contrast.
    statistics : two ImageStatistics
        Their curves share the axes; the first is drawn black, the second red.
    titles : two str
    lines : sequence of str
        Drawn in a fixed-width font beside the pictures; 24 have room.
    """
    font = _fixed(12)
    width = 5 * _PLOT[0] + 6 * _MARGIN
    height = PANEL_PX + _PLOT[1] + 6 * _MARGIN + 20
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for k, (picture, title, level) in enumerate(
        zip(pictures, titles, (one.background for one in statistics), strict=True)
    ):
        left = _MARGIN + k * (PANEL_PX + _MARGIN)
        draw.text((left, _MARGIN), title, fill=_INKS[k], font=font)
        sheet.paste(Image.fromarray(_shown(picture, level)), (left, 2 * _MARGIN + 10))
    top = PANEL_PX + 4 * _MARGIN + 10
    for k, (title, across, curves) in enumerate(_curves(statistics)):
        corner = _MARGIN + k * (_PLOT[0] + _MARGIN), top
        _plot(draw, corner, title, across, curves, font)
    beside = 2 * PANEL_PX + 4 * _MARGIN
    for k, line in enumerate(lines):
        draw.text((beside, _MARGIN + 17 * k), line, fill=_INKS[0], font=font)
    with atomic.writing(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


def _shown(picture: NDArray[np.generic], level: float) -> NDArray[np.uint8]:
    """Middle grey where the field is empty; colour as it is, relative to the field's own."""
    cut = np.asarray(picture, dtype=np.float64)[:PANEL_PX, :PANEL_PX]
    colours = cut if cut.ndim == 3 else np.repeat(cut[..., None], 3, axis=-1)
    shown = 127.5 * (1 + (colours / level - 1) / _RANGE)
    return np.clip(np.round(shown), 0, 255).astype(np.uint8)


def _curves(
    statistics: Sequence[ImageStatistics],
) -> list[tuple[str, NDArray[np.float64], list[NDArray[np.float64]]]]:
    """Title, values along the axis and both curves of each plot."""
    middles = np.log10(np.sqrt(BAND_EDGES_PER_UM[1:] * BAND_EDGES_PER_UM[:-1]))
    shares = np.linspace(0.0, 1.0, len(statistics[0].quantiles))
    with np.errstate(divide="ignore", invalid="ignore"):
        spectra = [np.log10(one.spectrum) for one in statistics]
    found = [
        ("log10 power, by log10 cycles/um", middles, spectra),
        ("contrast, by share of pixels", shares, [one.quantiles for one in statistics]),
    ]
    for name, title in (
        ("across_odd", "lines across relief, odd (um)"),
        ("across_even", "lines across relief, even (um)"),
        ("along_even", "lines along relief, even (um)"),
    ):
        found.append((title, PROFILE_UM, [getattr(one, name) for one in statistics]))
    return found


def _plot(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    title: str,
    across: NDArray[np.float64],
    curves: list[NDArray[np.float64]],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, top = corner
    wide, high = _PLOT
    draw.rectangle((left, top, left + wide, top + high), outline=(150, 150, 150))
    draw.text((left, top + high + 2), title, fill=(90, 90, 90), font=font)
    values = np.concatenate(curves)
    held = values[np.isfinite(values)]
    if not held.size:
        draw.text((left + 8, top + 8), "no lines", fill=(150, 150, 150), font=font)
        return
    used = across[np.isfinite(np.stack(curves)).any(axis=0)]
    low, high_value = float(held.min()), float(held.max())
    room = max(high_value - low, 1e-9)
    first, last = float(used.min()), max(float(used.max()), float(used.min()) + 1e-9)
    for curve, ink in zip(curves, _INKS, strict=True):
        kept = np.isfinite(curve)
        x = left + 4 + (across[kept] - first) / (last - first) * (wide - 8)
        y = top + 4 + (high_value - curve[kept]) / room * (high - 8)
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=ink, width=2)
    draw.text((left + 5, top + 4), f"{high_value:.3g}", fill=(150, 150, 150), font=font)
    draw.text((left + 5, top + high - 18), f"{low:.3g}", fill=(150, 150, 150), font=font)


def _fixed(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Use a font of one width where the system has one."""
    for name in ("DejaVuSansMono.ttf", "Menlo.ttc", "consola.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size=size)
