"""A micrograph of the user's own: what its file did not say is asked, and its twin appears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_osog.lifetimes import listen, weakly
from napari_osog.micrographs import (
    OPTICS,
    TargetError,
    adopt,
    calibrate,
    camera_gain,
    facts,
    known_optics,
)
from napari_osog.own_image import (
    begun,
    camera_of,
    grey_copy,
    is_opened,
    picture_levels,
    typical_body,
)
from napari_osog.panels.forms import stated
from napari_osog.panels.modality_guess import (
    GuessAnswer,
    GuessRequest,
    colours_of,
    guess_worker,
    in_words,
)
from napari_osog.panels.pick_list import light_row, material_row, objective_row
from napari_osog.panels.row import ChoiceRow
from napari_osog.panels.widgets import (
    fault,
    note,
    push_button,
    say,
    side_by_side,
    small_button,
    titled,
)
from napari_osog.viewers import forget_warning, unwrapped
from napari_osog.words import plain
from osog.scene import MODALITY_TITLES, Scene, SceneError, instruments

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.live_controller import LiveController
    from napari_osog.panels.pick_list import PickRow
    from osog.io import Known
    from osog.recognition.levels import PictureLevels
    from osog.recognition.typical import TypicalBody
    from osog.scene.instruments import Instrument

_LISTED: dict[str, tuple[dict[str, Instrument], str]] = {
    "numerical_aperture": (instruments.objectives, "microscope.objective"),
    "wavelength_um": (instruments.lights, "microscope.light"),
}
"""Numbers that an instrument of a list states, the list, and its dotted name."""
_MEDIUM = "medium.name"
_NOTE_MS = 500


class OwnImage(QFrame):
    """A card for a micrograph that was opened while the panel is docked.

    First it asks for what the file did not say, with nothing else on the canvas; then it offers
    what can be done with micrograph and twin.

    Parameters
    ----------
    controller : LiveController

    Signals
    -------
    compare_pressed(), one_pressed(), all_pressed(), crowd_pressed()
        What is to be done with the micrograph and its twin.
    asked()
        The card has something to ask.
    """

    page = "tour.md#5-bring-your-own-micrograph"

    compare_pressed = Signal()
    one_pressed = Signal()
    all_pressed = Signal()
    crowd_pressed = Signal()
    asked = Signal()

    def __init__(self, controller: LiveController) -> None:
        super().__init__()
        self.setObjectName("osog_card")
        self.session = controller.session
        self.layers = controller.viewer_layers
        self.known: dict[str, Known] = {}
        self._named: dict[str, Any] = {}
        self._layer: Any = None
        self._colour: Any = None
        self._unanswered: GuessRequest | None = None
        self._seen: GuessAnswer | None = None
        self.title = note(style="osog_card_title")
        self.close_button = small_button("×", "Not now: leave the micrograph as it is")
        self.close_button.clicked.connect(self.leave)
        self.sources = note(selectable=True)
        self.problem = fault()
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 6, 6, 8)
        box.setSpacing(5)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        box.addLayout(head)
        box.addWidget(self.sources)
        box.addWidget(self._form())
        box.addWidget(self.problem)
        self.grey_button = push_button(
            "Use a grey copy", "Add a layer with the mean of its colours", self.use_grey
        )
        box.addWidget(self.grey_button)
        self.show_button = push_button(
            "Show its twin", "Render on its grid, beside it; what is left empty is assumed",
            self.show_twin,
        )  # fmt: skip
        box.addWidget(self.show_button)
        self.offers = side_by_side(
            push_button("Compare", "Micrograph left of a line, render right of it",
                        self.compare_pressed),
            push_button("Fit one particle", "Click on it in the micrograph", self.one_pressed),
            push_button("Find all", "Find and fit every particle like the twin's",
                        self.all_pressed),
            spacing=4,
        )  # fmt: skip
        box.addWidget(self.offers)
        self.crowd_button = push_button(
            "Calibrate to the crowd", "Bring sizes, densities and depths to what it looks like, "
            "where no particle can be fitted by itself", self.crowd_pressed,
        )  # fmt: skip
        box.addWidget(self.crowd_button)
        self.guesses = guess_worker(self)
        self.guesses.finished.connect(self._on_guess)
        self.hide()
        viewer = self.layers.registry.viewer
        if viewer is not None:
            listen(self, viewer.layers.events.inserted, self._on_inserted)
            listen(self, viewer.layers.events.removed, self._on_removed)
            QTimer.singleShot(0, weakly(self, OwnImage._look_around))

    def _form(self) -> QWidget:
        """Rows for what a file may not say; those that it says are hidden."""
        self.lines: dict[str, QLineEdit] = {}
        self.rows: dict[str, QWidget] = {}
        for name in ("pixel_size_um", "numerical_aperture", "wavelength_um"):
            optic, line = OPTICS[name], QLineEdit()
            title = optic.title[0].upper() + optic.title[1:]
            line.setAccessibleName(title)
            line.returnPressed.connect(self.show_twin)
            self.lines[name] = line
            self.rows[name] = titled(title, line, *([QLabel(optic.unit)] if optic.unit else []))
        self.modality = ChoiceRow(
            "microscope.modality",
            "Modality",
            [(kind, title.partition(" (")[0]) for kind, title in MODALITY_TITLES.items()],
            "How the microscope turned the sample into contrast.",
        )
        self.modality.combo.setPlaceholderText("Choose…")
        self.picks: dict[str, PickRow] = {
            "microscope.objective": objective_row("Its maker states NA and immersion."),
            "microscope.light": light_row("Lamp, laser or filter: states the wavelength."),
            _MEDIUM: material_row(_MEDIUM, "Medium", "What the sample lies in.", None, media=True),
        }
        for pick in self.picks.values():
            pick.edited.connect(self._pick)
            pick.combo.setItemText(pick.choices.index(None), "Unknown")
        self.why = note()
        self.modality.combo.activated.connect(self._on_overruled)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for row in (
            self.rows["pixel_size_um"], self.modality, self.why,
            self.picks["microscope.objective"], self.rows["numerical_aperture"],
            self.picks["microscope.light"], self.rows["wavelength_um"], self.picks[_MEDIUM],
        ):  # fmt: skip
            column.addWidget(row)
        self.form = holder
        return holder

    # --- which micrograph --------------------------------------------------------------------

    def _on_inserted(self, event: Any) -> None:
        """Ask about an image that was opened, once napari has laid it in place."""
        layer = unwrapped(event.value)
        if is_opened(layer) and self.session.asked is None:
            QTimer.singleShot(0, weakly(self, lambda card: card.ask(layer)))

    def _on_removed(self, event: Any) -> None:
        removed = unwrapped(event.value)
        if removed is self._colour:
            self._colour = None
        if removed is self._layer:
            self._layer = self._unanswered = self._seen = None
            self.hide()

    def _look_around(self) -> None:
        """Ask about the only image there is, when the panel comes to one."""
        registry = self.layers.registry
        opened = [layer for layer in map(unwrapped, registry.micrographs()) if is_opened(layer)]
        session = self.session
        if len(opened) != 1 or session.view.transform is not None:  # it has been matched before
            return
        if session.target is None or session.target is opened[0]:
            self.ask(opened[0])

    def ask(self, layer: Any) -> None:
        """Show a micrograph alone, and ask for what its file did not say."""
        viewer = self.layers.registry.viewer
        if viewer is None or not any(layer is unwrapped(other) for other in viewer.layers):
            return
        self._layer, self._colour = layer, None
        self.session.set_target(layer)
        self.session.asked = layer
        viewer.layers.selection.active = layer
        self._fill(layer)
        # The card asks for what this note complains of, which napari shows a little later.
        QTimer.singleShot(_NOTE_MS, weakly(self, lambda card: forget_warning(card.window())))
        self.asked.emit()

    def _fill(self, layer: Any) -> None:
        shape = layer.data.shape[-3:-1] if layer.rgb else layer.data.shape[-2:]
        self.title.setText(f"<b>{layer.name}</b> · {shape[0]} × {shape[1]} pixels")
        problem = ""
        try:
            self.known, others = known_optics(layer, self.session), facts(layer)
        except TargetError as error:
            self.known, others, problem = {}, [], str(error)
        try:
            plane = self.layers.compared.target_plane()
            self._guess_from(layer, lambda: plane)
        except TargetError as error:
            problem = str(error)
            if layer.rgb:
                self._guess_from(layer, lambda: colours_of(layer))
        words = [
            f"{OPTICS[name].title} {OPTICS[name].text(entry.value)} ({entry.source})"
            for name, entry in self.known.items()
        ]
        say(self.sources, "<br>".join([*words, *others]))
        for pick in self.picks.values():
            pick.set_value(None)
        self._named.clear()
        self.modality.set_value(self._stated_modality(layer))
        say(self.why, "")
        for name, line in self.lines.items():
            line.clear()
            self.rows[name].setVisible(name not in self.known)
        for name, (_, where) in _LISTED.items():
            self.picks[where].setVisible(name not in self.known)
        self.picks[_MEDIUM].setVisible("medium_index" not in self.known)
        self._tell_assumed()
        say(self.problem, problem)
        self.form.setVisible(not problem)
        self.grey_button.setVisible(bool(layer.rgb))
        self.show_button.setVisible(not problem)
        self.offers.hide()
        self.crowd_button.hide()
        self.close_button.show()
        self.show()

    def _guess_from(self, layer: Any, pixels: Callable[[], Any]) -> None:
        """Let the picture be looked at, for its modality unless the file states it."""
        self._unanswered = GuessRequest(layer, pixels, self._stated_modality(layer) is None)
        self.guesses.submit(self._unanswered)

    def _on_guess(self, answer: GuessAnswer) -> None:
        """Fill in the likeliest modality, and say why; what the user has chosen stays."""
        if answer.layer is not self._layer and self._unanswered is not None:
            self.guesses.submit(self._unanswered)  # it came while another was looked at
            return
        self._unanswered, self._seen = None, answer
        if answer.layer is not self._layer or self.form.isHidden() or not answer.guesses:
            return
        first = answer.guesses[0]
        if self.modality.combo.currentIndex() < 0:
            self.modality.set_value(first.kind)
            say(self.why, f"Guessed from the picture: {in_words(answer.guesses)}")

    def _on_overruled(self, _: int) -> None:
        say(self.why, "")

    @staticmethod
    def _stated_modality(layer: Any) -> str | None:
        own = layer.metadata.get("osog") if isinstance(layer.metadata, dict) else None
        return own.get("modality") if isinstance(own, dict) else None

    def _tell_assumed(self) -> None:
        """Say in each empty line what is used as long as nobody knows better."""
        for name, line in self.lines.items():
            optic = OPTICS[name]
            table, where = _LISTED.get(name, ({}, ""))
            item = table.get(self._named.get(where, ""))
            if item is not None:
                words = optic.text(item.fields.get(optic.parameter, optic.used(self._base)))
            elif name == "pixel_size_um":
                words = "needed"
            else:
                words = f"unknown: {optic.used(self._base) * optic.factor:.4g} is used"
            line.setPlaceholderText(words)
            line.setEnabled(item is None)

    @property
    def _base(self) -> Scene:
        """Scene whose numbers are used as long as nobody knows better."""
        return self.session.scene if self._keeps_sample else Scene()

    @property
    def _keeps_sample(self) -> bool:
        """Whether the user has chosen a sample already."""
        return self.session.history.can_undo

    def _pick(self, name: str, value: Any) -> None:
        self._named[name] = value
        self.picks[name].set_value(value)
        self._tell_assumed()

    def use_grey(self) -> None:
        """Add a grey copy of a colour image, and ask about that one."""
        viewer, layer = self.layers.registry.viewer, self._layer
        if viewer is None or layer is None:
            return
        try:
            data, options = grey_copy(layer)
        except TargetError as error:
            say(self.problem, str(error))
            return
        layer.visible = False
        self.ask(unwrapped(viewer.add_image(data, **options)))
        self._colour = layer

    # --- its twin ----------------------------------------------------------------------------

    def show_twin(self) -> None:
        """Render beside the micrograph; what cannot be used is said, and nothing changes."""
        session, layer = self.session, self._layer
        if layer is None:
            return
        before = session.scene
        try:
            found = self._typed()
            kind = self.modality.choices[self.modality.combo.currentIndex()]
            if self.modality.combo.currentIndex() < 0:
                raise ValueError("Choose the modality: how the microscope made the contrast.")
            named = {name: value for name, value in self._named.items() if value is not None}
            size = found.get("pixel_size_um") or self.known["pixel_size_um"].value
            session.stated_optics.setdefault(layer, {}).update(found)
            with session.dragging():  # one step for Undo
                try:
                    image = self.layers.compared.target_plane()
                    keep = self._keeps_sample
                    levels, body = self._measured(layer, image)
                    guess = camera_of(levels, kind, camera_gain(layer))
                    scene = begun(before, kind, image, size, named, keep_sample=keep,
                                  camera=guess, body=body)  # fmt: skip
                    session.tell_camera(guess)
                    session.assumed_optics.pop(layer, None)
                    session.set_scene(scene, preset="")
                    adopt(session, layer)
                except (TargetError, SceneError):
                    session.set_scene(before)
                    raise
        except SceneError as error:
            say(self.problem, plain(str(error)))
            return
        except ValueError as error:
            say(self.problem, str(error).splitlines()[0])
            return
        self._keep_listed(layer, named)
        if self._colour is not None:
            calibrate(self._colour, size)
        session.view.compare = "beside"
        session.asked = None
        forget_warning(self.window())
        self._offer()

    def _measured(self, layer: Any, image: Any) -> tuple[PictureLevels | None, TypicalBody | None]:
        """Grey levels and bodies of the micrograph: measured while the questions were read."""
        seen = self._seen
        if seen is not None and seen.layer is layer:
            return seen.levels, seen.body
        return picture_levels(image), typical_body(image)

    def _typed(self) -> dict[str, float]:
        found = {}
        for name, line in self.lines.items():
            text = line.text().strip()
            if text and line.isEnabled() and name not in self.known:
                found[name] = stated(text, OPTICS[name], self.session.scene)
        if "pixel_size_um" not in found and "pixel_size_um" not in self.known:
            raise ValueError("The pixel size is needed: how many µm a pixel is in the sample.")
        return found

    def _keep_listed(self, layer: Any, named: dict[str, Any]) -> None:
        """What a list stated is known of the micrograph, too."""
        kept = self.session.stated_optics.setdefault(layer, {})
        listed = [(name, where) for name, (_, where) in _LISTED.items()]
        for name, where in (*listed, ("medium_index", _MEDIUM)):
            if where in named:
                kept[name] = OPTICS[name].used(self.session.scene)
        self.session.events.target.emit(layer)  # panels tell its sources

    def _offer(self) -> None:
        """Offer what can be done with micrograph and twin."""
        for widget in (self.form, self.show_button, self.grey_button, self.sources):
            widget.hide()
        say(self.problem, "")
        self.offers.show()
        self.crowd_button.show()

    def leave(self) -> None:
        """Ask nothing; the render comes back, beside the micrograph."""
        if self.session.asked is not None:
            self.session.view.compare = "beside"
            self.session.asked = None
        self.hide()


__all__ = ["OwnImage"]
