"""The guided tour: six steps, each beside the widget that it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPoint, QRect, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QKeySequence
from qtpy.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QShortcut, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_osog._settings import keep, setting
from napari_osog.docks import open_panel, window_of
from napari_osog.lifetimes import listen
from napari_osog.panels.keyboard import FocusRing
from napari_osog.panels.style import STYLE, letter_size, theme_colours
from napari_osog.panels.titles import letters
from napari_osog.panels.widgets import note, push_button, side_by_side, small_button

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.panels.panel import Panel

OFFERED = "offer_tour"
_WIDTH = 34
"""In digits."""
_APART = 14
_FOLLOW_MS = 200


@dataclass(frozen=True)
class Step:
    """One step: what is said, and which widget it is said of.

    Attributes
    ----------
    title, text : str
    panel : callable
        Opens the panel of the step; called with the Simulate panel.
    target : callable
        Called with the panel of the step and the Simulate panel; None where there is no widget.
    """

    title: str
    text: str
    panel: Callable[[Any], Panel | None]
    target: Callable[[Any, Any], QWidget | None]


def _itself(panel: Any) -> Any:
    return open_panel(panel.viewer, type(panel), "Simulate")


def _dataset(panel: Any) -> Any:
    from napari_osog.panels.dataset import DatasetPanel

    return open_panel(panel.viewer, DatasetPanel, "Dataset")


def _particles(_: Any, panel: Any) -> Any:
    population = panel.sample.population
    shape = None if population is None else panel.row(f"populations.{population.name}.shape")
    return shape or panel.sample.buttons["add"]


def _own_image(_: Any, panel: Any) -> Any:
    if panel.own_image.isVisible():
        return panel.own_image
    window = window_of(panel)
    return None if window is None else window.centralWidget()


STEPS = (
    Step(
        "Turn the optics",
        "Drag <b>Focus</b>, or use the arrow keys: the image follows, and <b>Undo</b> takes back a "
        "whole drag. What you see is computed from the light up to the camera. F1 on any row opens "
        "its page of the manual.",
        _itself,
        lambda _, panel: panel.row("microscope.focus_um"),
    ),
    Step(
        "Change the particles",
        "Under <b>Sample</b> stand their shape, size, index and number; ± lets a number differ "
        "from particle to particle. <b>Select and move particles</b> under <b>Show</b> lets you "
        "drag them in the image.",
        _itself,
        _particles,
    ),
    Step(
        "Bring your own image",
        "Drop a micrograph on the canvas. A card asks for what its file does not say, such as the "
        "pixel size, and shows its synthetic twin beside it. Your image is never changed.",
        _itself,
        _own_image,
    ),
    Step(
        "Compare",
        "Lay the render over the micrograph: a <b>wipe</b> that you drag, <b>tiles</b>, or the "
        "<b>difference</b>. <b>Line profile</b> plots both along a line.",
        _itself,
        lambda _, panel: panel.compare.mode_buttons["wipe"].parentWidget(),
    ),
    Step(
        "Fit",
        "<b>Run</b> fits what is ticked in the table, beginning with the sliders; <b>Find all</b> "
        "looks for every particle and fits each. Results are values ± σ, and what the image "
        "cannot tell is said in words.",
        lambda panel: panel.open_fit(),
        lambda fit, _: fit.run_box.run_button,
    ),
    Step(
        "Make a dataset",
        "Thousands of labelled images of this scene for training a detector: look at samples "
        "first, then choose formats and a folder.",
        _dataset,
        lambda data, _: data.preview_button,
    ),
)


class Tour(QFrame):
    """A card over napari's window that points at one widget after another, and blocks none.

    Parameters
    ----------
    window : QMainWindow
        Of napari.
    panel : SimulatePanel

    Attributes
    ----------
    at : int
        Step on show, counted from 0.
    target : QWidget or None
        What it points at.
    """

    def __init__(self, window: QMainWindow, panel: Any) -> None:
        super().__init__(window)
        self.setObjectName("osog_card")
        self.panel = panel
        self.at = 0
        self.target: QWidget | None = None
        self._own: Panel | None = None
        self.ring = FocusRing(window)
        self.title = note(style="osog_card_title")
        self.words = note(style="osog_card_title")
        self.count = note()
        self.back_button = push_button("Back", "", lambda: self.go(self.at - 1))
        self.next_button = push_button("Next", "", lambda: self.go(self.at + 1))
        self.close_button = small_button("×", "Leave the tour (Esc)")
        self.close_button.clicked.connect(self.leave)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 10)
        box.setSpacing(8)
        box.addLayout(head)
        box.addWidget(self.words)
        box.addWidget(side_by_side(self.count, self.back_button, self.next_button))
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.leave)
        self._clock = QTimer(self)
        self._clock.setInterval(_FOLLOW_MS)
        self._clock.timeout.connect(self.follow)
        events = getattr(panel.viewer, "events", None)
        if events is not None:
            listen(self, events.theme, self._on_theme)
        self._on_theme()
        self.go(0)
        self._clock.start()

    def _on_theme(self, event: Any = None) -> None:
        colours = theme_colours(getattr(self.panel.viewer, "theme", None) or "dark")
        self.setStyleSheet(STYLE.format(**colours, letters=letter_size()))
        self.ring.colour = QColor(colours["focus"])

    # --- steps -------------------------------------------------------------------------------

    def go(self, number: int) -> None:
        """Show a step, and open the panel that it speaks of; past the last one the tour ends."""
        if number >= len(STEPS):
            self.leave()
            return
        self.at = max(number, 0)
        step = STEPS[self.at]
        self.title.setText(f"<b>{step.title}</b>")
        self.words.setText(step.text)
        self.count.setText(f"{self.at + 1} of {len(STEPS)}")
        self.setAccessibleName(f"Guided tour, step {self.at + 1} of {len(STEPS)}: {step.title}")
        self.back_button.setEnabled(self.at > 0)
        self.next_button.setText("Done" if self.at == len(STEPS) - 1 else "Next")
        try:
            self._own = None if self.panel.viewer is None else step.panel(self.panel)
        except RuntimeError:  # Qt has deleted the panel that the tour was begun from
            self.leave()
            return
        if isinstance(self._own, type(self.panel)):  # one that was closed is opened anew
            self.panel = self._own
        self._point(reveal=True)
        self.show()
        self.raise_()
        self.next_button.setFocus()

    def leave(self) -> None:
        """End the tour; everything stays as it is."""
        self._clock.stop()
        self.ring.surround(None)
        self.ring.deleteLater()
        self.hide()
        self.deleteLater()

    # --- what it points at -------------------------------------------------------------------

    def follow(self) -> None:
        """Keep up with panels that scroll, close, move or make their rows again."""
        self._point(reveal=False)

    def _point(self, *, reveal: bool) -> None:
        try:
            found = None if self._own is None else STEPS[self.at].target(self._own, self.panel)
            if found is not None and reveal:
                self._reveal(found)
            seen = found is not None and found.window() is self.window() and found.isVisible()
        except RuntimeError:  # the panel was closed, and Qt has deleted it
            found, seen = None, False
        self.target = found if seen else None
        if self.ring.widget() is not self.target:
            self.ring.surround(self.target)
        self._place()

    def _reveal(self, target: QWidget) -> None:
        """Unfold what a widget lies in, and scroll to it."""
        around = target.parentWidget()
        while around is not None and around is not self._own:
            if isinstance(around, QCollapsible) and not around.isExpanded():
                around.expand(animate=False)
            around = around.parentWidget()
        if self._own is not None and self._own.isAncestorOf(target):
            layout = self._own.content.layout()
            if layout is not None:
                layout.activate()
            self._own.scroll_area.ensureWidgetVisible(target, 0, 60)

    def _place(self) -> None:
        """Lie beside the target, where there is room: left of it, below it, above it."""
        window = self.parentWidget()
        assert window is not None
        self.setFixedWidth(min(letters(self.words, _WIDTH), window.width() - 2 * _APART))
        height = self.heightForWidth(self.width())
        self.resize(self.width(), max(height, self.sizeHint().height()))
        room = window.rect().adjusted(_APART, _APART, -_APART, -_APART)
        place = QRect(room.center() - self.rect().center(), self.size())
        if self.target is not None:
            corner = self.target.mapTo(window, QPoint(0, 0))
            around = QRect(corner, self.target.size())
            beside = around.left() - self.width() - _APART
            if beside >= room.left():
                place.moveTopLeft(QPoint(beside, around.top()))
            elif around.height() < room.height() / 2:
                below = around.bottom() + _APART
                fits = below + self.height() <= room.bottom()
                above = around.top() - self.height() - _APART
                place.moveTopLeft(QPoint(around.left(), below if fits else above))
            else:  # the canvas: over its middle
                place.moveCenter(around.center())
        place.moveLeft(max(min(place.left(), room.right() - place.width()), room.left()))
        place.moveTop(max(min(place.top(), room.bottom() - place.height()), room.top()))
        if place.topLeft() != self.pos():
            self.move(place.topLeft())


class TourOffer(QFrame):
    """One line that offers the tour, the first time that the panel is seen and never again.

    Signals
    -------
    taken()
    """

    taken = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("osog_notice")
        self.take_button = push_button("Take the tour", "Six steps; Esc leaves it", self._take)
        self.close_button = small_button("×", "No tour; it is under Help")
        self.close_button.clicked.connect(self.hide)
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 4, 6, 4)
        line.addWidget(note("New here?", style=""), 1)
        line.addWidget(self.take_button)
        line.addWidget(self.close_button)
        wanted = bool(setting(OFFERED))
        self.setVisible(False)
        if wanted:
            self.show()
            keep(OFFERED, False)

    def _take(self) -> None:
        self.hide()
        self.taken.emit()


def start_tour(panel: Any) -> Tour | None:
    """Begin the tour in the window of a panel, from its first step; one at a time."""
    window = window_of(panel)
    if window is None:
        return None
    for known in window.findChildren(Tour):
        if not known.isHidden():
            known.go(0)
            return known
    return Tour(window, panel)


__all__ = ["OFFERED", "STEPS", "Step", "Tour", "TourOffer", "start_tour"]
