"""The look of a crowded micrograph: populations and optics brought to its statistics, live."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QFileDialog, QLabel, QProgressBar, QSizePolicy, QSpinBox

from napari_osog import engine
from napari_osog.lifetimes import listen
from napari_osog.micrographs import known_optics
from napari_osog.panels.calibrate_job import (
    EFFORTS,
    CalibrationRequest,
    CalibrationWord,
    carry_out,
)
from napari_osog.panels.calibrate_lines import RangeLines
from napari_osog.panels.forms import SCENE_FILES
from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.micrograph_box import MicrographBox
from napari_osog.panels.numbers import number
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import (
    busy_sign,
    combo_box,
    fault,
    note,
    push_button,
    say,
    side_by_side,
    titled,
)
from napari_osog.pictures import single_frame
from napari_osog.plane_geometry import TargetError
from napari_osog.words import plain, told
from napari_osog.worker import Worker
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_osog.live_controller import LiveController
    from napari_osog.panels.calibrate_job import CalibrationOutcome
    from osog.calibration import CalibrationStep
    from osog.scene import Scene

_TILE_PX = 192
_GAP_PX = 6
_WORDS = {
    "start": "Looking at the micrograph",
    "pilot": "Trying pictures all over the ranges",
    "matching": "Bringing statistics together",
    "judging": "Comparing start and answer",
}
_SHOWN = {"spectrum": "Spectrum", "histogram": "Histogram"}


class Pair(QLabel):
    """A tile of the micrograph and its look-alike, side by side in the same grey levels."""

    def __init__(self) -> None:
        super().__init__()
        self._whole: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("A tile of the micrograph, and beside it a render")
        self.hide()

    def show_pair(self, real: NDArray[np.float64], mine: NDArray[np.float64]) -> None:
        """Show two pictures of the same shape; each has its empty field at the same grey."""
        sides = [picture - np.median(picture) for picture in (real, mine)]
        scale = [max(abs(float(np.median(p))), 1e-12) for p in (real, mine)]
        sides = [side / one for side, one in zip(sides, scale, strict=True)]
        low, high = np.quantile(sides[0], [0.003, 0.997])
        gap = np.full((real.shape[0], _GAP_PX), high)
        both = np.concatenate([sides[0], gap, sides[1]], axis=1)
        grey = np.clip((both - low) / max(high - low, 1e-12) * 255, 0, 255).astype(np.uint8)
        height, width = grey.shape
        data = np.ascontiguousarray(grey).tobytes()
        image = QImage(data, width, height, width, QImage.Format.Format_Grayscale8)
        self._whole = QPixmap.fromImage(image.copy())
        self.show()
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Keep both in view."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._whole is None or self.width() < 10:
            return
        shown = self._whole.scaledToWidth(self.width(), Qt.TransformationMode.SmoothTransformation)
        self.setPixmap(shown)
        self.setFixedHeight(shown.height())


class CalibrateSection(Section):
    """Calibrates the scene to the crowd in the chosen micrograph.

    Parameters
    ----------
    controller : LiveController
    calibrate : callable, optional
        Another function than `osog.calibrate`; for tests.

    Attributes
    ----------
    outcome : CalibrationOutcome or None
        How the last run ended.
    """

    def __init__(
        self, controller: LiveController, calibrate: Callable[..., Any] | None = None
    ) -> None:
        super().__init__("Calibrate to a crowd", open=False)
        self.controller = controller
        self.session = controller.session
        self.outcome: CalibrationOutcome | None = None
        self._before: dict[str, float] = {}
        self._began = 0.0
        self._listed: Any = None
        self.worker = Worker(
            lambda request, turn: carry_out(request, turn, calibrate),
            "osog-calibrate", lasting=False, listed_as="Calibrating to a micrograph", parent=self,
        )  # fmt: skip
        self.worker.told.connect(self._on_word)
        self.worker.finished.connect(self._on_ended)
        self._add_setting()
        self._add_run()
        self._add_result()
        for signal, slot in (
            (self.session.scene_changed, self._list_numbers),
            (self.session.events.target, self._list_numbers),
            (self.session.events.picture, self._on_picture),
        ):
            listen(self, signal, slot)
        self.toggled.connect(self._list_numbers)
        self._show_running(False)

    # --- parts -------------------------------------------------------------------------------

    def _add_setting(self) -> None:
        self.add(
            note(
                "Finds sizes, densities and depths whose renders look like the micrograph: same "
                "spectrum, same histogram. No particle is fitted, so they may touch and overlap."
            )
        )
        self.chooser = MicrographBox(self.controller, "Crowded micrograph to look like")
        self.add(titled("Micrograph", self.chooser))
        self.tile = QSpinBox()
        self.tile.setRange(96, 1024)  # noise is measured in nine blocks of 32 px or more
        self.tile.setSingleStep(32)
        self.tile.setValue(_TILE_PX)
        self.tile.setSuffix(" px")
        self.tile.setAccessibleName("Side of a tile")
        self.tile.setToolTip(
            "The micrograph is measured, and pictures are rendered, in tiles of this size: 10 to "
            "100 particles in each are a good number, and small ones are fast"
        )
        ignore_wheel(self.tile)
        self.add(titled("Tile", self.tile))
        self.effort = combo_box("Effort", "How many pictures are made")
        for name, counts in EFFORTS.items():
            self.effort.addItem(f"{name} ({counts['pilot']} + {counts['steps']} steps)", name)
        self.add(titled("Effort", self.effort))
        self.loading = self.add(busy_sign("The engine is being loaded"))
        self.lines = RangeLines()
        self.add(self.lines)

    def _add_run(self) -> None:
        self.problem = fault()
        self.add(self.problem)
        self.start_button = push_button(
            "Start", "Calibrate: the sliders stay as they are until you apply it", self.start
        )
        self.stop_button = push_button("Stop", "End it with the best so far", self.stop)
        self.add(side_by_side(self.start_button, self.stop_button))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        self.bar.setAccessibleName("Pictures made, of all")
        self.add(self.bar)
        self.status = note()
        self.add(self.status)

    def _add_result(self) -> None:
        self.pair = Pair()
        self.add(self.pair)
        self.pair_note = note("Left a tile of the micrograph, right a render.")
        self.add(self.pair_note)
        self.distances = note(style="", selectable=True)
        self.add(self.distances)
        self.values = note(style="", selectable=True)
        self.add(self.values)
        self.apply_button = push_button(
            "Apply to the sliders", "Put the numbers found into the scene; Undo takes it back",
            self.apply,
        )  # fmt: skip
        self.save_button = push_button(
            "Save as scene…", "Keep the scene with these numbers, as a preset of your own", self.ask
        )
        self.ending = side_by_side(self.apply_button, self.save_button)
        self.add(self.ending)
        for widget in (self.pair_note, self.distances, self.values, self.ending):
            widget.hide()

    # --- what is to be found -------------------------------------------------------------------

    def _on_picture(self, _: object) -> None:
        if self._listed is None:
            self._list_numbers()

    def _list_numbers(self, _: object = None) -> None:
        """List the numbers of the scene while they can be seen."""
        self.start_button.setEnabled(self.session.target is not None and not self.worker.running)
        if not self.isExpanded():
            return
        waiting = not engine.is_loaded()
        self.loading.setVisible(waiting)
        self.lines.setVisible(not waiting)
        if waiting or self.worker.running or self._listed is self.session.scene:
            return
        from osog.calibration import suggested

        self._listed = self.session.scene
        self.lines.show_entries(suggested(single_frame(self.session.scene)))

    def open(self) -> None:
        """Unfold it."""
        self.expand(animate=False)

    def request(self) -> CalibrationRequest:
        """What is set.

        Raises
        ------
        ValueError
            With a sentence, if that cannot be calibrated; `TargetError` and `SceneError` are some.
        """
        from osog.calibration import tiled
        from osog.fitting import FitError

        session = self.session
        if session.target is None:
            raise ValueError("Choose a micrograph first.")
        if not engine.is_loaded():
            raise ValueError("The engine is still being loaded: press Start again in a moment.")
        image = self.controller.viewer_layers.compared.target_plane()
        known = known_optics(session.target, session)
        scene = single_frame(session.scene)
        if "pixel_size_um" in known:
            scene = scene.updated({"grid.pixel_size_um": known["pixel_size_um"].value})
        side = min(self.tile.value(), *image.shape)
        free = self.lines.ranges()
        try:
            tile = tiled(scene, side)
        except FitError as error:
            raise ValueError(str(error)) from None
        return CalibrationRequest(
            np.array(image, dtype=np.float64), scene, tile, _on_tile(free, scene, tile),
            str(self.effort.currentData()), session.seed, session.device,
        )  # fmt: skip

    # --- the run -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin; what is wrong is said, and nothing begins."""
        if self.worker.running:
            return
        try:
            request = self.request()
        except (SceneError, TargetError) as error:
            say(self.problem, plain(str(error)))
            return
        except ValueError as error:
            say(self.problem, str(error).splitlines()[0])
            return
        say(self.problem, "")
        self.outcome, self._before, self._began = None, {}, time.monotonic()
        for widget in (self.values, self.ending, self.distances):
            widget.hide()
        self.bar.setRange(0, 0)
        say(self.status, "Looking at the micrograph …")
        self.worker.submit(request)
        self._show_running(True)

    def stop(self) -> None:
        """Ask the run to end; it does so within a second, between two steps of a picture."""
        self.worker.cancel()
        self.stop_button.setEnabled(False)
        say(self.status, "Stopping …")

    def _show_running(self, running: bool) -> None:
        self.start_button.setEnabled(not running and self.session.target is not None)
        self.stop_button.setEnabled(running)
        self.bar.setVisible(running)
        for widget in (self.chooser, self.tile, self.effort, self.lines):
            widget.setEnabled(not running)
        if not self.status.text():
            self.status.hide()

    def _on_word(self, word: CalibrationWord) -> None:
        if self.worker.cancelled:
            return
        self.bar.setRange(0, word.total)
        self.bar.setValue(min(word.done, word.total))
        seconds = time.monotonic() - self._began
        stage = _WORDS.get(word.word, word.word)
        say(self.status, f"{stage}: picture {word.done} of {word.total}, {seconds:.0f} s")
        if word.step is not None:
            self._show_step(word.step)

    def _show_step(self, step: CalibrationStep) -> None:
        self.pair.show_pair(step.micrograph, step.picture)
        self.pair_note.show()
        far = {name: step.distances[name] for name in _SHOWN if name in step.distances}
        if step.word == "start" and far:
            self._before = far
        if far:
            self._show_distances(self._before, far, {})

    def _show_distances(
        self, before: dict[str, float], after: dict[str, float], own: dict[str, float]
    ) -> None:
        words = []
        for name, title in _SHOWN.items():
            if name not in after:
                continue
            then = f"{before[name]:.2f} → " if name in before else ""
            yard = f" (its own tiles differ by {own[name]:.2f})" if name in own else ""
            words.append(f"{title}: distance {then}<b>{after[name]:.2f}</b>{yard}")
        say(self.distances, "<br>".join(words))

    def _on_ended(self, outcome: CalibrationOutcome) -> None:
        self._show_running(False)
        self.outcome = outcome
        found = outcome.result
        if found is None:
            say(self.status, "")
            say(self.problem, plain(outcome.problem))
            return
        if found.stopped:
            how = "Stopped early: numbers of the pilot, or of the start"
        else:
            how = f"Finished; misfit {found.misfit:.1f}, up to about 1 where none can tell"
        seconds = time.monotonic() - self._began
        say(self.status, f"{how}. {found.renders} pictures, {seconds:.0f} s.")
        if found.distances:
            self._show_distances(
                dict(found.start_distances), dict(found.distances), dict(found.own_distances)
            )
        rows = []
        for name, value in found.values.items():
            sigma = found.sigma[name]
            around = f" ± {number(sigma, 2)}" if np.isfinite(sigma) else ""
            share = _share(name, outcome.request.scene, outcome.request.tile)
            around = f" ± {number(sigma * share, 2)}" if around else ""
            rows.append(f"{self.lines.title(name)}: <b>{number(value * share, 4)}</b>{around}")
        rows += [
            f"<i>{self.lines.title(one)} and {self.lines.title(other)} act alike: state the one "
            "that you know.</i>"
            for one, other, _ in found.tied
        ]
        say(self.values, "<br>".join(rows))
        self.ending.show()

    def _found(self) -> Scene | None:
        if self.outcome is None or self.outcome.result is None:
            return None
        from osog.calibration import on_frame_of

        request = self.outcome.request
        return on_frame_of(request.scene, request.tile, self.outcome.result.values)

    def apply(self) -> None:
        """Put what was found into the scene, as one step that Undo takes back."""
        try:
            scene = self._found()
            if scene is not None:
                self.session.set_scene(scene)
        except SceneError as error:
            say(self.problem, plain(str(error)))

    def ask(self) -> None:
        """Ask where the scene is to be saved."""
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the calibrated scene", str(Path.home() / "mine.osog.yaml"), SCENE_FILES
        )
        if path:
            self.save(path)

    def save(self, path: str) -> None:
        """Write the scene with the numbers found."""
        try:
            scene = self._found()
            if scene is not None:
                scene.save(path)
                told(f"Scene saved to {path}")
        except (SceneError, OSError) as error:
            say(self.problem, plain(str(error)))

    def event(self, event: Any) -> bool:
        """A section that goes with its panel ends its run."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            worker = getattr(self, "worker", None)
            if worker is not None:
                worker.cancel()
        return bool(super().event(event))


def _share(name: str, scene: Scene, tile: Scene) -> float:
    """Factor from a number on a tile to that of the frame: counts alone change."""
    if not name.endswith(".count"):
        return 1.0
    counts = {p.name: (p.count, p.particles) for p in scene.populations}
    count, listed = counts[name.split(".")[1]]
    whole = count if count else len(listed or ())
    part = {p.name: p.count for p in tile.populations}[name.split(".")[1]]
    return float(whole or 1) / float(part or 1)


def _on_tile(
    free: dict[str, tuple[float, float]], scene: Scene, tile: Scene
) -> dict[str, tuple[float, float]]:
    """Ranges of counts in a tile, from those in the frame."""
    found = {}
    for name, (low, high) in free.items():
        share = _share(name, scene, tile)
        if share != 1.0:
            low, high = max(1.0, round(low / share)), max(2.0, round(high / share))
            high = max(high, low + 1.0)
        found[name] = (low, high)
    return found


__all__ = ["CalibrateSection", "Pair"]
