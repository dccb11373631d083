"""Make ``docs/images/*.png`` from the real window.

Run it on a display, or without one as ``xvfb-run -a -s "-screen 0 1500x950x24"
python scripts/screenshots.py``. Takes the name of a picture to make that one alone.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("NAPARI_CONFIG", "")

SIZE = (1500, 950)
OUT = Path(__file__).resolve().parents[1] / "docs" / "images"


class Window:
    """The window that is photographed."""

    def __init__(self) -> None:
        from napari_osog.__main__ import open_window

        self.viewer, self.panel = open_window()
        self.viewer.window._qt_window.resize(*SIZE)
        self.session = self.panel.session
        self.settle()

    def wait(self, seconds: float) -> None:
        """Let the window work for a while."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def settle(self) -> None:
        """Wait until the picture of the scene as it is now is on the screen."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            self.wait(0.05)
            picture = self.session.picture
            if (
                picture is not None
                and picture.request.scene is self.session.scene
                and not picture.request.preview
                and not self.panel.controller.live.busy
            ):
                break
        self.wait(1.0)

    def preset(self, name: str) -> None:
        """Show a preset alone."""
        self.panel.compare.choose_mode("off")
        self.panel.header.load_preset(name)
        for layer in self.viewer.layers:
            if not self.panel.controller.viewer_layers.registry.owns(layer):
                layer.visible = False
        self.settle()
        registry = self.panel.controller.viewer_layers.registry
        self.viewer.layers.selection.active = registry.layer("image")

    def scroll(self, widget: object = None) -> None:
        """Scroll the panel to a widget, or to the top."""
        bar = self.panel.scroll_area.verticalScrollBar()
        self.wait(0.2)
        if widget is None:
            bar.setValue(0)
        else:
            bar.setValue(widget.pos().y())
        self.wait(0.3)

    def photograph(self, name: str) -> None:
        """Write the whole window to a file."""
        OUT.mkdir(parents=True, exist_ok=True)
        self.viewer.window.screenshot(str(OUT / f"{name}.png"), canvas_only=False, flash=False)
        print(OUT / f"{name}.png")


def simulate(w: Window) -> None:
    """Crowded crystals in DIC, as a user sees them first."""
    w.preset("lysozyme-dic")
    w.scroll()
    w.photograph("simulate")


def beside(w: Window) -> None:
    """The real cell, and the rendered one to its right."""
    from napari_osog.samples import cell_twin

    w.session.set_scene(cell_twin(), preset="")
    for layer in w.panel.compare.chooser.layers:
        layer.visible = True
    w.panel.compare.match_grid()
    w.panel.compare.choose_mode("beside")
    w.settle()
    w.scroll(w.panel.compare)
    w.photograph("beside")


def wipe(w: Window) -> None:
    """Half real, half rendered, with the profile along a line."""
    from napari_osog.samples import CELL_CENTRE_PX

    beside(w)
    w.session.view.update(particles=False)
    w.panel.compare.choose_mode("wipe")
    w.session.view.update(wipe=CELL_CENTRE_PX[1] / w.session.scene.grid.shape[1])
    w.panel.compare.profile.on.setChecked(True)
    row, _ = CELL_CENTRE_PX
    line = w.panel.controller.viewer_layers.registry.layer("profile")
    line.data = [[[row, 300], [row, 545]]]
    w.settle()
    w.scroll(w.panel.compare)
    w.photograph("wipe")
    w.panel.compare.profile.on.setChecked(False)


def outlines(w: Window) -> None:
    """Silhouettes and points over needles; the numbers of the selected one."""
    w.preset("needles-dic")
    w.session.view.update(outlines=True, particles=True)
    w.settle()
    w.panel.show_section.grip.click()
    points = w.panel.controller.viewer_layers.registry.layer("particles")
    points.selected_data = {len(points.data) // 2}
    w.wait(0.5)
    w.scroll(w.panel.sample)
    w.photograph("outlines")
    points.selected_data = set()
    w.session.view.update(outlines=False, particles=False)


def masks(w: Window) -> None:
    """Instance masks over plates and prisms."""
    w.preset("crystals-brightfield")
    w.session.view.update(masks=True)
    w.settle()
    w.scroll()
    w.photograph("masks")
    w.session.view.update(masks=False)


def hologram(w: Window) -> None:
    """Beads in an inline hologram."""
    w.preset("beads-hologram")
    w.scroll()
    w.photograph("hologram")


def polarized(w: Window) -> None:
    """Birefringent crystals between crossed polars, in colour."""
    w.preset("crystals-polarized")
    w.scroll()
    w.photograph("polarized")


def pupil(w: Window) -> None:
    """Phase contrast, with the pupil and the transfer function of its ring."""
    w.preset("cells-phase-contrast")
    plot = w.panel.microscope.plot
    plot.expand()
    w.wait(0.5)
    w.scroll(w.panel.microscope)
    w.photograph("pupil")
    plot.collapse()


def light(w: Window) -> None:
    """The light theme."""
    w.preset("bacteria-brightfield")
    w.viewer.theme = "light"
    w.settle()
    w.scroll()
    w.photograph("light-theme")
    w.viewer.theme = "dark"


def own_image(w: Window) -> None:
    """A file that is opened: what it does not say is asked."""
    import tempfile

    from skimage.data import cell
    from skimage.io import imsave

    for layer in w.viewer.layers:
        layer.visible = False
    w.session.history.clear()  # as in a window where nothing was chosen
    with tempfile.TemporaryDirectory() as folder:
        imsave(f"{folder}/cell.png", cell())
        w.viewer.open(f"{folder}/cell.png")
        w.wait(1.0)
        card = w.panel.own_image
        card.lines["pixel_size_um"].setText("0.107")
        card.modality.choose("phase")
        card.picks["medium.name"].choose("water")
        w.scroll()
        w.photograph("own-image")
        card.leave()
        w.viewer.layers.remove("cell")


def main() -> None:
    wanted = sys.argv[1:]
    w = Window()
    w.session.view.update(particles=False)
    pictures = (simulate, wipe, beside, outlines, masks, hologram, polarized, pupil, light)
    for picture in (*pictures, own_image):
        if not wanted or picture.__name__ in wanted:
            picture(w)
    w.viewer.close()


if __name__ == "__main__":
    main()
