"""``python -m napari_osog.demo``: fit a real micrograph, then watch crowded crystals live.

With a display the steps are played in a window that stays open. With ``--headless`` the same
window is driven on a virtual display; screenshots and the result are written, and it closes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from osog.fitting import FitResult
    from osog.scene import Scene

WINDOW = (1500, 950)
CROWD = "lysozyme-dic"
CENTRE_PX = (428.7, 374.6)
RADIUS_UM = 6.98
"""Column, row and radius of the cell by a chord model with a free amplitude and background."""
TOLERANCE_PX, TOLERANCE_UM = 2.0, 0.15
_REGION = (244.0, 504.0, 298.0, 549.0)
_LONGEST_S = 300.0
_FOCUS_UM = (-6.0, 8.0)
_DRAG_S, _LONGEST_DRAG_S, _FRAMES = 4.0, 40.0, 6


class DemoError(RuntimeError):
    """A step that did not do what it should; the message is one sentence."""


@dataclass
class Demo:
    """The window, and the steps that are played in it.

    Attributes
    ----------
    viewer : napari.Viewer
    simulate : SimulatePanel
    fit : FitPanel
    out : Path
        Folder for screenshots and result.
    pause_s : float
        Time that a user needs to see a step.
    """

    viewer: Any
    simulate: Any
    fit: Any
    out: Path
    pause_s: float = 0.0

    # --- steps -------------------------------------------------------------------------------

    def twin(self) -> None:
        """Put a sphere beside the micrograph, on its grid and with its optics."""
        session = self.simulate.session
        session.set_scene(start_scene(), preset="")
        self.front(self.simulate)
        click(self.simulate.compare.match_button)
        self.simulate.compare.choose_mode("beside")
        self.rendered()
        session.view.update(particles=False)
        known = self.simulate.compare.known
        facts = ", ".join(
            f"{name.removesuffix('_um').replace('_', ' ')} {entry.value:g} ({entry.source})"
            for name, entry in known.items()
        )
        rows, columns = session.scene.grid.shape
        say(f"Opened the HL60 cell that ships with scikit-image: {columns} × {rows} pixels.")
        say(f"Known of its optics: {facts}. The objective's NA is not stated; "
            f"{session.scene.microscope.numerical_aperture:g} is used.")  # fmt: skip
        say("Rendered a sphere on the same grid and put it beside the micrograph.")

    def fitted(self) -> FitResult:
        """Fit position and radius of a sphere in a rectangle around the cell, from no start."""
        import numpy as np

        fit = self.fit
        self.front(fit)
        fit.setting.draw_region()
        y0, y1, x0, x1 = _REGION
        rectangle = fit.setting.shapes[0]
        rectangle.mode = "pan_zoom"
        rectangle.add_rectangles(np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]]))
        fit.setting.start = "detect"
        self.wait(0.2)
        click(fit.run_box.run_button)
        if fit.state != "running":
            raise DemoError(f"The fit did not begin: {fit.run_box.fault.text()}")
        say("Drew a rectangle around the cell and began a fit; the start is looked for by itself.")
        photographed = False
        begun = time.monotonic()
        while fit.state == "running":
            self.wait(0.05)
            if not photographed and fit.run_box.steps >= 6:
                self.screenshot("fit-running")
                photographed = True
            if time.monotonic() - begun > _LONGEST_S:
                click(fit.run_box.stop_button)
                begun = float("inf")
        if fit.ending.record is None:
            raise DemoError(f"The fit gave no result: {fit.run_box.fault.text()}")
        result: FitResult = fit.ending.record.result
        self.wait(0.6)
        self.screenshot("fit-result")
        result.to_json(self.out / "fit.json")
        say(f"{fit.run_box.status.text()} The residual stays in view.")
        return result

    def laid_over(self) -> None:
        """Apply the fit, and show the micrograph left and its twin right of a line in the cell."""
        session = self.simulate.session
        click(self.fit.ending.apply_button)
        self.front(self.simulate)
        for layer in self.fit.setting.shapes:
            layer.visible = False
        session.view.update(particles=False, wipe=CENTRE_PX[0] / session.scene.grid.shape[1])
        self.simulate.compare.choose_mode("wipe")
        self.rendered()
        self.scroll(1.0)
        self.wait(0.4)
        self.screenshot("overlay")
        say("Applied the numbers and laid the twin over the micrograph: real left of the line "
            "through the cell, rendered right of it.")  # fmt: skip

    def crowd(self) -> tuple[int, float]:
        """Show crowded crystals in DIC and drag the focus through them.

        Returns
        -------
        frames : int
            Pictures that were shown during the drag.
        seconds : float
            Its length.
        """
        session = self.simulate.session
        click(self.simulate.compare.mode_buttons["off"])
        viewer_layers = self.simulate.controller.viewer_layers
        for layer in self.viewer.layers:
            if not viewer_layers.registry.owns(layer):
                layer.visible = False
        self.viewer.layers.selection.active = viewer_layers.registry.layer("image")
        combo = self.simulate.header.preset
        combo.setCurrentIndex(combo.findData(CROWD))
        self.simulate.header.load_preset(CROWD)
        self.rendered()
        self.scroll(0.0)
        shown: list[float] = []

        def count(_: object) -> None:
            shown.append(time.monotonic())

        session.events.picture.connect(count)
        slider = self.simulate.row("microscope.focus_um").slider
        low, high = (self.tick(slider, value) for value in _FOCUS_UM)
        begun = time.monotonic()
        slider.sliderPressed.emit()
        # At least one way through; on a slow machine until a few pictures have come.
        while (past := time.monotonic() - begun) < _DRAG_S or (
            len(shown) < _FRAMES and past < _LONGEST_DRAG_S
        ):
            share = (past / _DRAG_S) % 2.0
            slider.setValue(low + (high - low) * (share if share < 1.0 else 2.0 - share))
            self.wait(0.03)
        frames, seconds = len(shown), time.monotonic() - begun
        slider.setValue(self.tick(slider, 1.5))
        slider.sliderReleased.emit()
        session.events.picture.disconnect(count)
        self.rendered()
        self.wait(0.8)
        self.screenshot("simulate")
        return frames, seconds

    @staticmethod
    def tick(slider: Any, focus_um: float) -> float:
        """Position of the focus slider, which runs linearly over ± 20 µm."""
        share = (focus_um + 20.0) / 40.0
        return float(slider.minimum() + share * (slider.maximum() - slider.minimum()))

    # --- the window --------------------------------------------------------------------------

    def front(self, panel: Any) -> None:
        """Bring the tab of a panel to the front."""
        dock = panel.parent()
        while dock is not None and not hasattr(dock, "raise_"):
            dock = dock.parent()
        for widget in (panel, dock):
            if widget is not None:
                widget.show()
        holder = panel.parent()
        while holder is not None:
            if holder.inherits("QDockWidget"):
                holder.raise_()
            holder = holder.parent()
        self.wait(0.3)

    def scroll(self, share: float) -> None:
        """Scroll the Simulate panel: 0 is its top, 1 its end."""
        bar = self.simulate.scroll_area.verticalScrollBar()
        bar.setValue(round(share * bar.maximum()))

    def rendered(self) -> None:
        """Wait until the picture of the present scene is on the screen."""
        live, session = self.simulate.controller.live, self.simulate.session
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            self.wait(0.05)
            picture = session.picture
            if not live.busy and picture is not None and picture.request.scene is session.scene:
                return
        raise DemoError(f"No picture came within a minute. {session.status}".strip())

    def wait(self, seconds: float) -> None:
        """Let the window live for a while."""
        from qtpy.QtWidgets import QApplication

        deadline = time.monotonic() + seconds
        while True:
            QApplication.processEvents()
            if time.monotonic() >= deadline:
                return
            time.sleep(0.005)

    def screenshot(self, name: str) -> None:
        """Write the whole window as PNG, and give a user time to look."""
        self.wait(0.2)
        self.viewer.window.screenshot(
            path=str(self.out / f"{name}.png"), canvas_only=False, flash=False
        )
        self.wait(self.pause_s)


def start_scene() -> Scene:
    """Return a sphere that is a fifth too small, in the middle of a phase image."""
    from osog.scene import Scene

    return Scene.parse(
        {
            "grid": {"shape": [660, 550], "pixel_size_um": 0.107},
            "medium": {"index": 1.335},
            "populations": [
                {
                    "name": "cell",
                    "shape": {"kind": "sphere", "radius_um": 0.8 * RADIUS_UM},
                    "material": {"index": 1.365},
                    "particles": [{"x_um": 29.4, "y_um": 35.3, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {"kind": "phase"},
                "wavelength_um": 0.633,
                "numerical_aperture": 0.5,
            },
        }
    )


def checked(result: FitResult) -> list[str]:
    """Return what is wrong with the fit of the cell, in sentences; an empty list is a good fit."""
    pixel = result.scene.grid.pixel_size_um
    wrong = []
    if not result.converged:
        wrong.append("The fit did not converge.")
    for axis, name, wanted in zip("xy", ("column", "row"), CENTRE_PX, strict=True):
        found = result.values[f"particles[0].{axis}_um"] / pixel
        if abs(found - wanted) > TOLERANCE_PX:
            wrong.append(f"The centre's {name} {found:.1f} is not {wanted} ± {TOLERANCE_PX:g} px.")
    radius = result.values["populations.cell.shape.radius_um"]
    if abs(radius - RADIUS_UM) > TOLERANCE_UM:
        wrong.append(f"The radius {radius:.2f} µm is not {RADIUS_UM} ± {TOLERANCE_UM} µm.")
    if "populations.cell.material.index" not in result.undetermined:
        wrong.append("The index was given a number although the grey scale is unknown.")
    return wrong


def reported(result: FitResult) -> None:
    """Print the result in plain words."""
    from napari_osog.panels.fit_result import title_of
    from napari_osog.panels.numbers import rounded

    pixel = result.scene.grid.pixel_size_um
    for name, value in result.values.items():
        title, unit, factor = title_of(result.scene, name)
        if name in result.undetermined:
            say(f"  {title}: not determined. {result.undetermined[name]}")
            continue
        text, spread = rounded(value * factor, result.sigma[name] * factor)
        extra = f"  ({value / pixel:.1f} px)" if title in ("x", "y") else ""
        say(f"  {title}: {text} ± {spread} {unit}{extra}")


def click(button: QWidget) -> None:
    """Click a button with the mouse."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    test: Any = QTest  # its stubs take these functions for methods
    test.mouseClick(button, Qt.MouseButton.LeftButton)


def say(sentence: str) -> None:
    """Print a line at once."""
    print(sentence, flush=True)


def opened(out: Path, *, headless: bool) -> Demo:
    """Open napari with the sample micrograph and both panels docked."""
    from napari_osog.__main__ import open_window
    from napari_osog.panels.fit import FitPanel

    viewer, simulate = open_window()
    viewer.window.resize(*WINDOW)
    fit = next(p for p in simulate.controller.panels if isinstance(p, FitPanel))
    return Demo(viewer, simulate, fit, out, pause_s=0.0 if headless else 1.5)


def play(demo: Demo) -> list[str]:
    """Play all steps; returns what is wrong, in sentences."""
    demo.twin()
    demo.wait(demo.pause_s)
    result = demo.fitted()
    reported(result)
    wrong = checked(result)
    demo.laid_over()
    frames, seconds = demo.crowd()
    picture = demo.simulate.session.picture
    particles = len(picture.positions_um)
    say(
        f"Showed {particles} crystals in DIC and dragged the focus from {_FOCUS_UM[0]:g} to "
        f"{_FOCUS_UM[1]:g} µm: {frames} pictures in {seconds:.1f} s "
        f"({picture.milliseconds:.0f} ms each on {picture.device})."
    )
    if frames < 2:
        wrong.append("The live picture did not follow the focus slider.")
    return wrong


def main(arguments: list[str] | None = None, *, run: Callable[[], Any] | None = None) -> int:
    """Play the demo.

    Parameters
    ----------
    arguments : list of str, optional
        As on the command line.
    run : callable, optional
        Instead of napari's event loop, for a window that stays open.

    Returns
    -------
    int
        0 when the fit agrees with the reference and the live picture followed, else 1.
    """
    parser = argparse.ArgumentParser(
        prog="python -m napari_osog.demo",
        description="Fit a sphere to a real phase micrograph in napari, then show crowded "
        "crystals in DIC, live.",
    )
    parser.add_argument("--out", default="demo-output", help="folder for screenshots and fit.json")
    parser.add_argument(
        "--headless", action="store_true", help="close the window after the last step"
    )
    chosen = parser.parse_args(arguments)
    out = Path(chosen.out)
    if chosen.headless:
        os.environ.setdefault("NAPARI_CONFIG", "")  # the settings of nobody, and none is written
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"{out} cannot be made: {error.strerror or error}.", file=sys.stderr)
        return 1
    demo = opened(out, headless=chosen.headless)
    try:
        wrong = play(demo)
    except DemoError as error:
        wrong = [str(error)]
    except RuntimeError as error:
        if "deleted" not in str(error):
            raise
        say("The window was closed.")
        return 1
    for sentence in wrong:
        print(sentence, file=sys.stderr, flush=True)
    if chosen.headless:
        demo.viewer.close()
        demo.wait(0.2)
    say(f"Wrote {', '.join(sorted(path.name for path in out.iterdir()))} to {out}.")
    if not chosen.headless:
        say("The window is yours: move sliders, drag particles, open your own image and fit it.")
        if run is None:
            import napari

            run = napari.run
        run()
    return 1 if wrong else 0


if __name__ == "__main__":
    from osog.cli.streams import spelling_streams

    with spelling_streams():
        raise SystemExit(main())
