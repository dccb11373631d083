"""The sample of the Simulate panel: medium, populations, arrangement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QSizePolicy, QSpinBox, QToolButton, QWidget

from napari_osog.panels.inclusion_rows import inclusion_rows, new_inclusions, surface_rows
from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.number import NumberRow
from napari_osog.panels.pick_list import material_row
from napari_osog.panels.population_rows import (
    ALONE,
    OTHER,
    body_rows,
    cut_by_hand,
    field_of_parameter,
    named_axis,
    own_names,
    scattering_rows,
    turning_rows,
)
from napari_osog.panels.rows import model_rows
from napari_osog.panels.section import RowGroup, Section, row_part
from napari_osog.panels.widgets import (
    LABEL_WIDTH,
    combo_box,
    note,
    push_button,
    side_by_side,
    small_button,
    titled,
    wide,
)
from osog.scene import Material, Population, Scene, SceneError, Surface
from osog.scene.parameters import describe, get

if TYPE_CHECKING:
    from napari_osog.panels.edits import SceneEdits
    from napari_osog.session import Session


class SampleSection(Section):
    """Medium and populations; edits go to the session.

    Parameters
    ----------
    session : Session
    edits : SceneEdits

    Signals
    -------
    row_made(Row)
    failed(str)
        A sentence for the user.
    layer_wanted
        The selected layer is to be the sample.
    """

    row_made = Signal(object)
    failed = Signal(str)
    layer_wanted = Signal()

    def __init__(self, session: Session, edits: SceneEdits) -> None:
        super().__init__("Sample")
        self.session, self.edits = session, edits
        made = self.row_made.emit
        self.medium, self.rows = RowGroup(made), RowGroup(made)
        self.chooser = combo_box("Population")
        self.listed = note()
        self.again = push_button("Draw them at random again", "", self.draw_again)
        self.one, self.one_rows = row_part("Selected particle", made, open=True)
        self.more, self.more_rows = row_part("Turning, places, aggregates", made)
        self.surface, self.surface_rows = row_part("Surface", made)
        self.smooth = push_button("Smooth surface", "Take all of this away", self.smooth_surface)
        self.surface.add(self.smooth)
        self.inclusions, self.inclusion_rows = row_part("Inclusions", made)
        self.inclusions.add(
            push_button(
                "Add inclusions",
                "Granules, holes, cracks or satellites in or on every particle",
                self.add_inclusions,
            )
        )
        self.scattering, self.scattering_rows = row_part("Scattering and labels", made)
        self.motion, self.motion_rows = row_part("Motion", made)
        for widget in (
            self.medium,
            titled("Population", self.chooser, top=2),
            self._population_buttons(),
            push_button(
                "Use the selected layer",
                "Take the selected Labels layer, or an Image layer of index or emission, for the "
                "sample",
                self.layer_wanted.emit,
            ),
            self.rows,
            self.listed,
            self.again,
            self.one,
            self.more,
            self.surface,
            self.inclusions,
            self.scattering,
            self.motion,
            self._seed_line(),
        ):
            self.add(widget)
        self.one.hide()
        self.chooser.currentTextChanged.connect(self._choose)

    def _population_buttons(self) -> QWidget:
        self.buttons: dict[str, QToolButton] = {}
        for name, text, help, slot in (
            ("add", "Add", "Add a population", self.add_population),
            ("copy", "Copy", "Copy this population", self.copy_population),
            ("hide", "Hide", "Draw this population or leave it out", self.hide_population),
            ("remove", "Delete", "Remove this population", self.remove_population),
        ):
            self.buttons[name] = button = wide(small_button(text, help))
            button.clicked.connect(slot)
        self.buttons["hide"].setCheckable(True)
        return side_by_side(*self.buttons.values(), indent=LABEL_WIDTH + 6, spacing=3)

    def _seed_line(self) -> QWidget:
        session = self.session
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setKeyboardTracking(False)
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Same scene and seed, same particles and same noise")
        self.seed.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.seed.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        ignore_wheel(self.seed)
        self.seed.valueChanged.connect(session.reseed)
        self.draw = push_button(
            "New draw",
            "Draw particles and noise from the next seed",
            lambda: session.reseed(session.seed + 1),
        )
        return titled("Seed", self.draw, self.seed, top=2)

    # --- showing -----------------------------------------------------------------------------

    @property
    def population(self) -> Population | None:
        """The population that is edited, or None when there is none."""
        for population in self.session.scene.populations:
            if population.name == self.session.population:
                return population
        return None

    def _choose(self, name: str) -> None:
        if name and name != self.session.population:
            self.session.population = name
            self.sync(self.session.scene)

    def sync(self, scene: Scene) -> None:
        """Show the sample of a scene."""
        names = [population.name for population in scene.populations]
        if self.session.population not in names:
            self.session.population = names[0] if names else ""
        with QSignalBlocker(self.chooser):
            if [self.chooser.itemText(i) for i in range(self.chooser.count())] != names:
                self.chooser.clear()
                self.chooser.addItems(names)
            self.chooser.setCurrentText(self.session.population)
        with QSignalBlocker(self.seed):
            self.seed.setValue(self.session.seed)
        self._sync_medium(scene)
        population = self.population
        parts = (self.rows, self.more, self.surface, self.inclusions, self.scattering, self.motion)
        for widget in parts:
            widget.setVisible(population is not None)
        for name in ("copy", "hide", "remove"):
            self.buttons[name].setEnabled(population is not None)
        self.listed.hide()
        self.again.hide()
        self.sync_selected()
        if population is not None:
            self._sync_population(scene, population)

    def _sync_medium(self, scene: Scene) -> None:
        help = "A known liquid, by any part of its name, or any index below."
        self.medium.sync(
            "medium",
            lambda: [
                material_row("medium.name", "Medium", help, "", media=True),
                *model_rows(scene.medium, "medium", only=("index",)),
            ],
            lambda name: (scene.medium.name or "") if name == "medium.name" else get(scene, name),
        )

    def _sync_population(self, scene: Scene, population: Population) -> None:
        with QSignalBlocker(self.buttons["hide"]):
            self.buttons["hide"].setChecked(not population.visible)
            self.buttons["hide"].setText("Hide" if population.visible else "Show")
        base = f"populations.{population.name}"
        shape, modality = population.shape, scene.microscope.modality
        key = (population.name, shape.kind, cut_by_hand(shape), population.particles is not None,
               population.density_per_mm2 is not None, population.placement.law,
               population.placement.depth.law, population.orientation.law,
               population.aggregate and population.aggregate.kind,
               tuple(own.label for own in getattr(shape, "labels", ())))  # fmt: skip
        light = (modality.kind, named_axis(population.material.optic_axis))

        def value(name: str) -> Any:
            """Values of rows that are no plain numbers of the scene."""
            special = {
                f"{base}.shape": shape.kind,
                f"{base}.material.name": population.material.name or OTHER,
                f"{base}.material.optic_axis": named_axis(population.material.optic_axis),
                f"{base}.count": population.count or 0,
                f"{base}.aggregate": population.aggregate.kind if population.aggregate else ALONE,
            }
            if name in special:
                return special[name]
            if population.surface is None and name.startswith(f"{base}.surface."):
                return getattr(Surface(), name.rpartition(".")[2])
            return get(scene, name)

        self.rows.sync((key, light), lambda: body_rows(scene, population), value)
        self.more_rows.sync(key, lambda: turning_rows(scene, population), value)
        self.more.setVisible(population.particles is None)
        self.surface_rows.sync(
            (population.name, shape.kind), lambda: surface_rows(population), value
        )
        self.surface.setVisible(shape.faceted)
        self.smooth.setVisible(population.surface is not None)
        self.inclusion_rows.sync(
            (population.name, shape.kind, modality.emits, len(population.inclusions)),
            lambda: inclusion_rows(scene, population),
            value,
        )
        self.inclusions.setVisible(shape.holds_inclusions)
        self.scattering_rows.sync(
            (population.name, shape.kind, modality.kind),
            lambda: scattering_rows(scene, population),
            value,
        )
        self.motion_rows.sync(
            population.name, lambda: model_rows(population.motion, f"{base}.motion"), value
        )
        if population.particles is not None:
            number = len(population.particles)
            self.listed.setText(
                f"{number} {'particle is' if number == 1 else 'particles are'} placed one by one; "
                "drag, add or delete their points in the viewer."
            )
            self.listed.show()
            self.again.show()

    def sync_selected(self) -> None:
        """Show the own numbers of the particle whose point is selected."""
        number = self.session.selected
        try:
            scene = self.session.explicit_scene() if number is not None else self.session.scene
        except SceneError:  # its particles have no room; the live image says so
            self.one.hide()
            return
        total = sum(len(p.particles or ()) for p in scene.populations if p.visible)
        if number is None or number >= total:
            self.one.hide()
            return
        names = own_names(scene, number)
        fields = [field_of_parameter(describe(scene, name)) for name in names]
        self.one.title = f"Selected particle ({number + 1} of {total})"
        self.one_rows.sync(
            tuple(names),
            lambda: [NumberRow(field) for field in fields],
            lambda name: describe(scene, name).value,
        )
        self.one.show()

    # --- populations -------------------------------------------------------------------------

    def _try(self, populations: list[Population]) -> None:
        data = self.session.scene.model_dump()
        data["populations"] = [population.model_dump() for population in populations]
        try:
            self.session.set_scene(Scene.parse(data))
        except SceneError as error:
            self.failed.emit(str(error))

    def _free_name(self, stem: str) -> str:
        names = {population.name for population in self.session.scene.populations}
        stem = stem.rstrip("0123456789 ")
        return (
            next(f"{stem} {i}" for i in range(2, 10_000) if f"{stem} {i}" not in names)
            if stem in names
            else stem
        )

    def add_population(self) -> None:
        """Add a population of spheres."""
        name = self._free_name("particles")
        medium = self.session.scene.medium.index
        made = Population(name=name, count=20, material=Material(index=min(medium + 0.03, 4.0)))
        self.session.population = name
        self._try([*self.session.scene.populations, made])

    def copy_population(self) -> None:
        """Add a copy of the population that is edited."""
        population = self.population
        if population is None:
            return
        made = population.model_copy(update={"name": self._free_name(population.name)})
        self.session.population = made.name
        self._try([*self.session.scene.populations, made])

    def remove_population(self) -> None:
        """Remove the population that is edited; Undo brings it back."""
        name = self.session.population
        self._try([p for p in self.session.scene.populations if p.name != name])

    def hide_population(self) -> None:
        """Leave the population out of the image, or draw it again."""
        population = self.population
        if population is not None:
            self.edits.replace_population(population.name, {"visible": not population.visible})

    def smooth_surface(self) -> None:
        """Take away what the surfaces of the crystals have."""
        self.edits.replace_population(self.session.population, {"surface": None})

    def add_inclusions(self) -> None:
        """Add a group of granules to the bodies of the population that is edited."""
        population = self.population
        if population is not None:
            try:
                self.edits.add_inclusions(population, new_inclusions(population))
            except SceneError as error:
                self.failed.emit(str(error))

    def draw_again(self) -> None:
        """Forget where the particles were put by hand and draw as many at random."""
        population = self.population
        if population is not None and population.particles is not None:
            self.edits.replace_population(
                population.name,
                {"particles": None, "count": len(population.particles), "density_per_mm2": None},
            )


__all__ = ["SampleSection"]
