"""Make ``docs/images/drag-focus.gif``: the focus is dragged in the real window.

Run it on a display, or without one as ``xvfb-run -a -s "-screen 0 1500x950x24"
python scripts/drag_gif.py [FILE]``. The slider of the focus is moved by steps, each picture is
waited for, and the window is photographed. So the film shows what the window shows, but not its
speed.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from screenshots import OUT, Window

SIZE = (1080, 700)
WIDTH = 720
STEPS = 22
FOCUS_UM = (-12.0, 10.0)
SLIDER_UM = (-20.0, 20.0)  # range of the slider
FRAME_MS, PAUSE_MS = 80, 500
COLOURS = 48

SCENE: dict[str, Any] = {
    "grid": {"shape": [300, 300], "pixel_size_um": 0.3},
    "medium": {"index": 1.38},
    "populations": [
        {
            "name": "crystals",
            "shape": {
                "kind": "polyhedron",
                "habit": "tetragonal_prism_tips",
                "size_um": [{"law": "lognormal", "median": 13.0, "sigma": 0.3}, 8.5, 8.5],
            },
            "material": {"index": 1.40},
            "count": 42,
            "placement": {"law": "poisson", "z_um": [-5, 5], "margin_um": 8},
        }
    ],
    "microscope": {
        "modality": {
            "kind": "dic",
            "shear_um": 0.4,
            "azimuth_deg": 45,
            "bias_retardance_deg": 70,
            "extinction": 0.01,
        },
        "numerical_aperture": 0.45,
        "condenser_numerical_aperture": 0.2,
    },
    "camera": None,  # its noise would be most of the file
}


def hide_other_docks(w: Window) -> None:
    """Leave the picture and the Simulate panel."""
    from qtpy.QtWidgets import QDockWidget

    for dock in w.viewer.window._qt_window.findChildren(QDockWidget):
        if not dock.isAncestorOf(w.panel):
            dock.hide()


def photographs(w: Window) -> list[Image.Image]:
    """Move the slider from one end of the focus to the other, and photograph each step."""
    slider = w.panel.row("microscope.focus_um").slider
    (low, high), (first, last) = FOCUS_UM, SLIDER_UM
    pictures = []
    slider.sliderPressed.emit()
    for step in range(STEPS):
        # A hand begins and ends slowly.
        focus = low + (high - low) * (0.5 - 0.5 * math.cos(math.pi * step / (STEPS - 1)))
        share = (focus - first) / (last - first)
        slider.setValue(slider.minimum() + share * (slider.maximum() - slider.minimum()))
        w.settle()
        shot = w.viewer.window.screenshot(canvas_only=False, flash=False)
        pictures.append(Image.fromarray(shot).convert("RGB"))
    slider.sliderReleased.emit()
    return pictures


def film(pictures: list[Image.Image], out: Path) -> None:
    """Write there and back as an endless GIF of few colours."""
    height = round(WIDTH * pictures[0].height / pictures[0].width)
    small = [p.resize((WIDTH, height), Image.Resampling.LANCZOS) for p in pictures]
    sheet = Image.new("RGB", (WIDTH, height * 2))
    sheet.paste(small[0], (0, 0))
    sheet.paste(small[len(small) // 2], (0, height))
    palette = sheet.quantize(COLOURS, Image.Quantize.MEDIANCUT)
    flat = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in small]
    loop = flat + flat[-2:0:-1]
    times = [FRAME_MS] * len(loop)
    times[0] = times[len(flat) - 1] = PAUSE_MS
    loop[0].save(out, save_all=True, append_images=loop[1:], duration=times, loop=0, optimize=True)
    print(f"{out}: {out.stat().st_size / 1024:.0f} kB, {len(loop)} frames")


def main() -> None:
    from osog import Scene

    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT / "drag-focus.gif"
    w = Window()
    w.preset("needles-dic")
    w.session.set_scene(Scene.parse(SCENE), preset="")
    w.viewer.window._qt_window.resize(*SIZE)
    hide_other_docks(w)
    w.settle()
    w.viewer.reset_view()
    w.scroll()
    film(photographs(w), out)
    w.viewer.close()


if __name__ == "__main__":
    main()
