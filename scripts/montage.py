"""Make ``docs/images/montage.png``: one labelled tile for each modality, from the gallery.

Run it as ``python scripts/montage.py [FILE]`` after ``python scripts/gallery.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
TILES = {
    "brightfield-koehler": "Brightfield",
    "phase-contrast-positive": "Phase contrast",
    "dic-relief": "DIC",
    "darkfield": "Darkfield",
    "polarized-red-plate": "Polarised light",
    "hologram": "Inline hologram",
    "off-axis-hologram": "Off-axis hologram",
    "phase": "Quantitative phase",
    "shadowgraph": "Shadowgraph",
    "fluorescence": "Fluorescence",
    "confocal": "Confocal",
    "light-sheet": "Light sheet",
    "reflection-bright": "Reflection",
    "iscat": "iSCAT",
}
"""Picture of the gallery → label, in the order of the gallery page."""
CROPS = {
    "off-axis-hologram": (0.33, 0.4, 0.2),  # fringes that can be seen to bend
    "phase": (0.5, 0.5, 0.55),
    "hologram": (0.37, 0.6, 0.75),
    "confocal": (0.6, 0.62, 0.75),
}
"""Where the middle is not the best part: its centre and its size, as shares of the square."""
COLUMNS = 5
SIDE, GAP, LABEL, LETTER = 320, 12, 44, 28
PAPER, INK = (255, 255, 255), (36, 41, 47)


def tile(name: str) -> Image.Image:
    """A square of a picture of the gallery, its brightest pixel white."""
    picture = Image.open(IMAGES / "gallery" / f"{name}.png").convert("RGB")
    across, down, share = CROPS.get(name, (0.5, 0.5, 1.0))
    side = round(share * min(picture.size))
    left = min(max(round(across * picture.width) - side // 2, 0), picture.width - side)
    top = min(max(round(down * picture.height) - side // 2, 0), picture.height - side)
    square = picture.crop((left, top, left + side, top + side))
    brightest = max(high for _, high in square.getextrema())
    square = square.point(lambda level: round(level * 255 / brightest))
    return square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def montage() -> Image.Image:
    """All tiles in rows, a row that is not full in the middle."""
    names = list(TILES)
    rows = [names[start : start + COLUMNS] for start in range(0, len(names), COLUMNS)]
    width = COLUMNS * (SIDE + GAP) + GAP
    sheet = Image.new("RGB", (width, len(rows) * (SIDE + LABEL + GAP) + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTER)
    for number, row in enumerate(rows):
        x = (width - len(row) * (SIDE + GAP) + GAP) // 2
        y = GAP + number * (SIDE + LABEL + GAP)
        for name in row:
            sheet.paste(tile(name), (x, y))
            draw.text((x + SIDE // 2, y + SIDE + 6), TILES[name], INK, font, anchor="ma")
            x += SIDE + GAP
    return sheet


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES / "montage.png"
    # 256 colours: half the file, and no difference to the eye.
    montage().quantize(256, Image.Quantize.MEDIANCUT).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
