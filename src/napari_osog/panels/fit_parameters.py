"""What may vary in a fit, within which bounds, and what is known of it beforehand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QCheckBox

from napari_osog import engine
from napari_osog.micrographs import OPTICS, SLIDERS, chosen
from napari_osog.panels.fit_lines import (
    ParameterLine,
    default_bounds,
    lines_for,
    sources,
    suggested,
)
from napari_osog.panels.fit_request import Refusal, population_looked_for, visible_particles
from napari_osog.panels.fit_table import ParameterTable
from napari_osog.panels.section import Section
from napari_osog.panels.widgets import busy_sign, combo_box, side_by_side, titled
from napari_osog.pictures import single_frame
from osog.scene import SceneError
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from napari_osog.session import Session
    from osog.io import Known
    from osog.scene import Scene

_GREYS = (("known", "Radians"), ("unknown", "Unknown scale"))
_EACH = "particles[*]."
_OPTICS_ROWS = ("numerical_aperture", "wavelength_um", "medium_index")


class FitParameters(Section):
    """Table of the parameters, and what goes with it.

    Parameters
    ----------
    session : Session

    Signals
    -------
    said(str)
        A sentence for the user; "" takes it away.

    Attributes
    ----------
    start : str
        Where the fit starts: "sliders", "detect" or "points".
    known : dict
        What the micrograph's file knows of its optics.
    bounds : dict of str to (float, float)
        Ranges that the user gave.
    waiting : bool
        Whether the table waits for the engine; `sync` fills it once that is loaded.
    """

    page = "howto/fit-my-micrograph.md#in-napari"

    said = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__("Parameters")
        self.session = session
        self.start = "sliders"
        self.known: dict[str, Known] = {}
        self.bounds: dict[str, tuple[float, float]] = {}
        self._structure: Any = None
        self._chosen_free = False
        self._quiet = False
        self.waiting = False
        self.table = ParameterTable()
        self.table.lines.freed.connect(self._on_freed)
        self.table.lines.edited.connect(self._on_edited)
        self.table.lines.bounded.connect(self._on_bounded)
        self.table.lines.refused.connect(self.said)
        self.add(self.table)
        self.loading = self.add(busy_sign("The engine is being loaded"))
        self.everything = QCheckBox("All parameters")
        self.everything.setToolTip("Also list aberrations, camera and what is seldom fitted")
        self.everything.toggled.connect(self.table.lines.show_everything)
        self.tolerant = QCheckBox("Optics within tolerance")
        self.tolerant.setChecked(True)
        self.tolerant.setToolTip(
            "NA, astigmatism and spherical aberration vary within what makers' figures are worth; "
            "with them fixed, the errors of the other numbers come out too small"
        )
        self.add(side_by_side(self.everything, self.tolerant))
        self.greys = combo_box("Grey levels", "Radians, or a phase times an unknown factor")
        for value, words in _GREYS:
            self.greys.addItem(words, value)
        self.greys_line = self.add(titled("Grey levels", self.greys))

    @property
    def single(self) -> bool:
        """Whether one particle is fitted, with a line for each of its numbers."""
        return self.start != "points" and visible_particles(self.session.scene) == 1

    def scene(self) -> Scene:
        """Scene of the session as one picture, its only particle listed."""
        scene = single_frame(self.session.scene)
        if not self.single or not _draws(scene):
            return scene
        from osog.sample import explicit

        try:
            return explicit(scene, self.session.seed)
        except SceneError:  # it has no room; the live image says so
            return scene

    def _fitted(self) -> Scene:
        """Scene of those populations that are fitted: only one is looked for, or placed at points.

        The others have no lines, so that none of their numbers can be free.
        """
        own = self.scene()
        if self.start == "sliders" or self.single:
            return own
        looked_for = population_looked_for(own, self.session.population)
        populations = tuple(
            p if k == looked_for else p.model_copy(update={"visible": False})
            for k, p in enumerate(own.populations)
        )
        return own.model_copy(update={"populations": populations})

    def sync(self) -> None:
        """Follow the sliders; a sample or a modality of another kind brings another choice."""
        self.waiting = self._needs_engine()
        self.table.setVisible(not self.waiting)
        self.loading.setVisible(self.waiting)
        if self.waiting:
            return
        own = self._fitted()
        shapes = tuple((p.name, p.shape.kind) for p in own.populations if p.visible)
        structure = (self.single, shapes, own.microscope.modality.kind)
        if structure != self._structure:
            self._structure = structure
            self._translate(own)
        self._show_table(own)
        self.greys_line.setVisible(own.microscope.modality.measures_phase)

    def _needs_engine(self) -> bool:
        """Whether the only particle is still to be drawn, by an engine that is being loaded."""
        return self.single and not engine.is_loaded() and _draws(self.session.scene)

    def show_known(self, known: dict[str, Known], scaled: bool | None) -> None:
        """Take over what is known of a micrograph, and whether its phase is in radians."""
        self.known = known
        if scaled is not None:
            with QSignalBlocker(self.greys):
                self.greys.setCurrentIndex(0 if scaled else 1)

    @property
    def linear(self) -> str:
        """How grey levels of render and micrograph are related, in the words of the fit."""
        unknown = self.greys.currentData() == "unknown"
        phase = self.session.scene.microscope.modality.measures_phase
        return "gain+offset+slopes" if phase and unknown else "auto"

    @property
    def optics(self) -> str:
        """Whether the optics are uncertain within the makers' tolerances."""
        return "uncertain" if self.tolerant.isChecked() else "exact"

    def lock(self, locked: bool) -> None:
        """Let nothing be changed while a fit runs."""
        self.table.lock(locked)
        self.greys_line.setEnabled(not locked)
        self.tolerant.setEnabled(not locked)

    def free_lines(self) -> list[ParameterLine]:
        """Lines of the free parameters.

        Raises
        ------
        Refusal
            If there is none, or a value lies outside its range.
        """
        if self.waiting:
            raise Refusal("The engine is still being loaded: press Run again in a moment.")
        lines = [line for line in self.table.lines.all if line.name and line.free]
        if not lines:
            raise Refusal("Nothing is free: tick at least one parameter in the table.")
        for line in lines:
            if line.bounds is not None and line.value is not None:
                low, high = line.bounds
                if not low <= line.value <= high:
                    raise Refusal(
                        f"{line.title}: the value {line.shown(line.value)} lies outside its range "
                        f"from {line.shown(low)} to {line.shown(high)} {line.unit}".rstrip()
                        + "."
                    )
        return lines

    def restore(
        self,
        free: set[str],
        bounds: dict[str, tuple[float, float]],
        optics: str,
        linear: str,
    ) -> None:
        """Put the setting of a saved run in place."""
        self._chosen_free = True
        self.bounds = dict(bounds)
        self.free_alone(free)
        self.tolerant.setChecked(optics == "uncertain")
        self.greys.setCurrentIndex(1 if "gain" in linear else 0)
        self._show_table(self._fitted())

    def _translate(self, scene: Scene) -> None:
        """Carry the free names over to the lines that there are now."""
        names = {line.name for line in lines_for(scene, self.single) if line.name}
        words = {_last(name) for name in self.session.free if name.startswith("particles[")}
        free = {
            name
            for name in names
            if name in self.session.free or (name.startswith("particles[") and _last(name) in words)
        }
        if not free or not self._chosen_free:
            free = suggested(scene, self.single)
        self.bounds = {name: pair for name, pair in self.bounds.items() if name in names}
        self.free_alone(free)

    def free_alone(self, free: set[str]) -> None:
        """Free these parameters and no others."""
        self._quiet = True
        try:
            self.session.free = frozenset(free)
        finally:
            self._quiet = False

    def _show_table(self, scene: Scene) -> None:
        if self.waiting:
            return
        read = {}
        if self.session.target is not None:
            moved = chosen(self.session, self.session.target)
            read = {
                OPTICS[key].parameter: SLIDERS if key in moved else "unknown"
                for key in _OPTICS_ROWS
            }
            read |= sources(self.known, scene, OPTICS)
        lines = []
        for line in lines_for(scene, self.single):
            if line.name:
                line = self._completed(line, scene, read)
            lines.append(line)
        self.table.lines.show(lines)

    def _completed(self, line: ParameterLine, scene: Scene, read: dict[str, str]) -> ParameterLine:
        free = line.name in self.session.free
        default = line.default
        if free:
            name = line.name.replace("[*]", "[0]")
            known = not line.name.startswith(_EACH)
            default = default_bounds(scene, name, line.limits) if known else line.limits
        return replace(
            line,
            free=free,
            bounds=self.bounds.get(line.name),
            default=default,
            source=read.get(line.name, ""),
        )

    def _on_freed(self, name: str, free: bool) -> None:
        self._chosen_free = True
        self.said.emit("")
        self.session.set_free(name, free)

    def follow_free(self, _: Any = None) -> None:
        """Show what was freed elsewhere."""
        if not self._quiet:
            self._chosen_free = True
            self._show_table(self._fitted())

    def _on_edited(self, name: str, value: float) -> None:
        try:
            self.session.set_scene(replaced(self.scene(), {name: value}))
        except SceneError as error:
            self.said.emit(str(error).splitlines()[0])
            return
        self.said.emit("")

    def _on_bounded(self, name: str, bounds: tuple[float, float] | None) -> None:
        if bounds is None:
            self.bounds.pop(name, None)
        else:
            self.bounds[name] = bounds
        self.said.emit("")
        self._show_table(self._fitted())


def _draws(scene: Scene) -> bool:
    """Whether numbers of the particles that are shown are still to be drawn."""
    shown = [population for population in scene.populations if population.visible]
    return bool(scene.laws_by_name()) or any(
        population.particles is None or population.random_bodies for population in shown
    )


def _last(name: str) -> str:
    return name.partition("].")[2]


__all__ = ["FitParameters"]
