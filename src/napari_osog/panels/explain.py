"""What was computed, in one line; a click opens the reasons."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari_osog.pictures import Picture
    from osog.exit_wave.sampling.source_error import LightInUse

_MODELS = {
    "slabs": "Phase slabs",
    "projection": "Projection",
    "mie": "Lorenz–Mie",
    "facets": "Facets",
}
_MEANINGS = {
    "slabs": "The body is cut into thin slabs of phase; light is propagated from one to the next.",
    "projection": "The whole body acts as one sheet of phase in its middle.",
    "mie": "The exact field of a sphere; fields of different spheres are added.",
    "facets": "Each point of the surface reflects as a plane facet there would.",
}
_ACCURACIES = {
    "draft": "Draft grids, for a moving hand",
    "standard": "Standard grids",
    "fine": "Fine grids",
}


class ExplainLine(QLabel):
    """The engine's words on the newest picture.

    Signals
    -------
    clicked()
    """

    page = "physics.md#which-model-is-used"

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__("Rendering…")
        self.setObjectName("osog_explain")
        self.setWordWrap(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip("What was computed, and its estimated error. Click for the reasons.")
        self.setAccessibleName("What was computed")

    def mouseReleaseEvent(self, event: Any) -> None:
        """Ask for the reasons."""
        super().mouseReleaseEvent(event)
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: Any) -> None:
        """Return and space act as a click."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class Reasons(QFrame):
    """A popup with the model of each population, its error, and everything to be wary of.

    Parameters
    ----------
    parent : QWidget
        Its style is taken.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("osog_popup")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.text)
        self._scroll = scroll
        box = QVBoxLayout(self)
        box.setContentsMargins(10, 8, 10, 8)
        box.addWidget(scroll)

    def open_below(self, widget: QWidget, picture: Picture) -> None:
        """Show the reasons of a picture below a widget, as wide as that."""
        self.text.setText(reasons_html(picture))
        width = max(widget.width(), 300)
        self.setFixedWidth(width)
        wanted = self.text.heightForWidth(width - 34) + 26
        self.setFixedHeight(max(min(wanted, 480), 60))
        where = widget.mapToGlobal(QPoint(0, widget.height() + 2))
        screen = widget.screen()
        if screen is not None:
            room = screen.availableGeometry()
            where.setY(min(where.y(), max(room.bottom() - self.height(), room.top())))
        self.move(where)
        self.show()


def reasons_html(picture: Picture) -> str:
    """Everything that is known of how a picture was made, as rich text.

    Parameters
    ----------
    picture : Picture
    """
    scene = picture.request.scene
    parts = [f"<p><b>{escape(picture.explain.replace(' | ', ' · '))}</b></p>"]
    if scene.microscope.emits:
        parts.append(
            "<p>The particles emit; their light adds up slab by slab through the point-spread "
            "function of each depth. Scattering of the emitted light is left out.</p>"
        )
    elif picture.models:
        parts.append("<p>The error is that of the scattered field inside the pupil, against exact "
                     "Lorenz–Mie theory.</p>")  # fmt: skip
    for each in picture.models:
        digits = 1 if each.error_percent < 10 else 0
        reason = escape(each.reason.strip().rstrip("."))
        parts.append(
            f"<p><b>{escape(each.population)}</b>: {_MODELS.get(each.model, each.model)}, error "
            f"about {each.error_percent:.{digits}f} %.<br>{_MEANINGS.get(each.model, '')} "
            f"Chosen because {reason}.</p>"
        )
    if picture.light is not None and picture.light.exit_waves > 1:
        parts.append(f"<p>{_light_in_words(picture.light)}</p>")
    if picture.accuracy:
        parts.append(f"<p>{_ACCURACIES.get(picture.accuracy, picture.accuracy)}; computed on "
                     f"{picture.device.upper()} in {picture.milliseconds:.0f} ms.</p>")  # fmt: skip
    if picture.cautions:
        cautions = "".join(f"<li>{escape(notice.text)}</li>" for notice in picture.cautions)
        parts.append(f"<p>To be wary of:</p><ul style='margin-left: -20px'>{cautions}</ul>")
    return "".join(parts)


def _light_in_words(light: LightInUse) -> str:
    """How the condenser is represented, and what that is worth."""
    if light.source_points == light.exit_waves:
        words = (
            f"The condenser is represented by {light.exit_waves} points of light, each imaged by "
            "itself; their images add up."
        )
    else:
        words = (
            f"The condenser is represented by {light.source_points} points of light. Out of focus "
            "the image needs so many, but the light behind the sample hardly differs between "
            f"them: it was computed for {light.exit_waves} and interpolated for the others."
        )
    if light.error_percent >= 1:
        words += (
            f" The image needs about {light.wanted}; contrasts are off by about "
            f"{light.error_percent:.0f} %."
        )
    return words


__all__ = ["ExplainLine", "Reasons", "reasons_html"]
