"""The sample of the Simulate panel: medium, populations, arrangement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QWidget,
)

from napari_osog.panels.field import Field, field_of, singular
from napari_osog.panels.inputs import SPIN_WIDTH, ignore_wheel
from napari_osog.panels.number import NumberRow, RangeRow
from napari_osog.panels.row import LABEL_WIDTH, ChoiceRow, Row
from napari_osog.panels.rows import model_rows
from napari_osog.panels.section import RowGroup, Section
from osog.scene import HABITS, INDICES, Material, Placement, Population, SceneError
from osog.scene.material import ABBE_NUMBERS
from osog.scene.parameters import describe, get
from osog.scene.shapes import size_fields

if TYPE_CHECKING:
    from napari_osog.session import Session
    from osog.scene import Scene
    from osog.scene.parameters import Parameter

_SHAPES = {
    "sphere": "Sphere",
    "coated_sphere": "Coated sphere",
    "ellipsoid": "Ellipsoid",
    "rod": "Rod (round ends)",
    "cylinder": "Cylinder",
    "box": "Box, needle, plate",
    "polyhedron": "Polyhedron (crystal)",
}
_LIQUIDS = ("water", "pbs", "ethanol", "cytoplasm", "glycerol", "immersion oil", "air")
_OWN = "its own index"
_AXES = (
    ((1.0, 0.0, 0.0), "Along the long axis"),
    ((0.0, 1.0, 0.0), "Along the second axis"),
    ((0.0, 0.0, 1.0), "Along the third axis"),
    (None, "Another direction"),
)
"""Directions of an optic axis in the body."""
_SPHERES = ("sphere", "coated_sphere")


class SampleSection(Section):
    """Medium and populations; edits go to the session.

    Signals
    -------
    row_made(Row)
    failed(str)
        A sentence for the person.
    """

    row_made = Signal(object)
    failed = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__("Sample")
        self.session = session
        self._remembered: dict[tuple[str, str], Any] = {}
        self.medium = RowGroup(self.row_made.emit)
        self.add(self.medium)
        line = QHBoxLayout()
        line.setContentsMargins(0, 2, 0, 0)
        line.setSpacing(6)
        label = QLabel("Population")
        label.setFixedWidth(LABEL_WIDTH)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Population")
        self.chooser.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.chooser.setMinimumContentsLength(6)
        ignore_wheel(self.chooser)
        line.addWidget(label)
        line.addWidget(self.chooser, 1)
        holder = QWidget()
        holder.setLayout(line)
        self.add(holder)
        line = QHBoxLayout()
        line.setContentsMargins(LABEL_WIDTH + 6, 0, 0, 0)
        line.setSpacing(3)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, help, slot in (
            ("add", "Add", "Add a population", self.add_population),
            ("copy", "Copy", "Copy this population", self.copy_population),
            ("hide", "Hide", "Draw this population or leave it out", self.hide_population),
            ("remove", "Delete", "Remove this population", self.remove_population),
        ):
            button = QToolButton()
            button.setObjectName("osog_small")
            button.setText(text)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setToolTip(help)
            button.setAccessibleName(help)
            button.clicked.connect(slot)
            self.buttons[name] = button
            line.addWidget(button)
        self.buttons["hide"].setCheckable(True)
        holder = QWidget()
        holder.setLayout(line)
        self.add(holder)
        self.rows = RowGroup(self.row_made.emit)
        self.add(self.rows)
        self.listed = QLabel()
        self.listed.setObjectName("osog_note")
        self.listed.setWordWrap(True)
        self.again = QPushButton("Draw them at random again")
        self.again.clicked.connect(self.draw_again)
        self.add(self.listed)
        self.add(self.again)
        self.one = Section("Selected particle", minor=True)
        self.one_rows = RowGroup(self.row_made.emit)
        self.one.add(self.one_rows)
        self.add(self.one)
        self.one.hide()
        self.more = Section("Turning and clusters", open=False, minor=True)
        self.more_rows = RowGroup(self.row_made.emit)
        self.more.add(self.more_rows)
        self.add(self.more)
        self.parts: dict[str, tuple[Section, RowGroup]] = {}
        for name, title in (("scattering", "Scattering and labels"), ("motion", "Motion")):
            part = Section(title, open=False, minor=True)
            group = RowGroup(self.row_made.emit)
            part.add(group)
            self.add(part)
            self.parts[name] = part, group
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setKeyboardTracking(False)
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Same scene and seed, same particles and same noise")
        self.seed.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.seed.setFixedWidth(SPIN_WIDTH)
        ignore_wheel(self.seed)
        self.seed.valueChanged.connect(session.reseed)
        self.draw = QPushButton("New draw")
        self.draw.setToolTip("Draw particles and noise from the next seed")
        self.draw.clicked.connect(lambda: session.reseed(session.seed + 1))
        last = QHBoxLayout()
        last.setContentsMargins(0, 2, 0, 0)
        last.setSpacing(6)
        arrangement = QLabel("Seed")
        arrangement.setFixedWidth(LABEL_WIDTH)
        last.addWidget(arrangement)
        last.addWidget(self.draw, 1)
        last.addWidget(self.seed)
        end = QWidget()
        end.setLayout(last)
        self.add(end)
        self.chooser.currentTextChanged.connect(self._choose)

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
        self.medium.sync(
            "medium",
            lambda: [
                ChoiceRow(
                    "medium.name",
                    "Medium",
                    [(n, _words(n)) for n in _LIQUIDS] + [("", "Other")],
                    "A known liquid, or any index below.",
                ),
                *model_rows(scene.medium, "medium", only=("index",)),
            ],
            lambda name: (scene.medium.name or "") if name == "medium.name" else get(scene, name),
        )
        population = self.population
        for widget in (self.rows, self.more, *(part for part, _ in self.parts.values())):
            widget.setVisible(population is not None)
        for name in ("copy", "hide", "remove"):
            self.buttons[name].setEnabled(population is not None)
        self.listed.hide()
        self.again.hide()
        self.sync_selected()
        if population is None:
            return
        with QSignalBlocker(self.buttons["hide"]):
            self.buttons["hide"].setChecked(not population.visible)
            self.buttons["hide"].setText("Hide" if population.visible else "Show")
        base = f"populations.{population.name}"
        shape = population.shape
        habit = (
            getattr(shape, "habit", None) if getattr(shape, "half_spaces", None) is None else "own"
        )
        key = (population.name, shape.kind, habit == "own", population.particles is not None,
               population.density_per_mm2 is not None, population.placement.law,
               population.orientation.law)  # fmt: skip
        optics = scene.microscope
        axis = population.material.optic_axis
        light = (optics.modality.kind, _known_axis(axis))
        self.rows.sync((key, light), lambda: self._rows(population, base), self._value)
        self.more_rows.sync(key, lambda: self._more_rows(population, base), self._value)
        self.more.setVisible(bool(self.more_rows.rows))
        self.parts["scattering"][1].sync(
            (population.name, shape.kind, optics.modality.kind),
            lambda: self._scattering_rows(population, base),
            self._value,
        )
        self.parts["motion"][1].sync(
            population.name, lambda: model_rows(population.motion, f"{base}.motion"), self._value
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
        scene = self.session.explicit_scene() if number is not None else self.session.scene
        total = sum(len(p.particles or ()) for p in scene.populations if p.visible)
        if number is None or number >= total:
            self.one.hide()
            return
        names = _own_names(scene, number)
        fields = {name: _field_of_parameter(describe(scene, name)) for name in names}
        self.one.button.setText(f"Selected particle ({number + 1} of {total})")
        self.one_rows.sync(
            tuple(names),
            lambda: [NumberRow(field) for field in fields.values()],
            lambda name: describe(scene, name).value,
        )
        self.one.show()

    def _value(self, name: str) -> Any:
        scene = self.session.scene
        if name.endswith(".shape"):
            return self.population.shape.kind  # type: ignore[union-attr]
        if name.endswith(".material.name"):
            return self.population.material.name or _OWN  # type: ignore[union-attr]
        if name.endswith(".material.optic_axis"):
            return _known_axis(self.population.material.optic_axis)  # type: ignore[union-attr]
        if name.endswith(".count"):
            return self.population.count or 0  # type: ignore[union-attr]
        return get(scene, name)

    def _rows(self, population: Population, base: str) -> list[Row]:
        shape, material = population.shape, population.material
        rows: list[Row] = [
            ChoiceRow(f"{base}.shape", "Shape", _SHAPES.items(), "Body of every particle.")
        ]
        skip = ()
        if shape.kind == "polyhedron":
            if shape.half_spaces is None:
                words = [(h, h.replace("_", " ").capitalize()) for h in HABITS]
                rows.append(ChoiceRow(f"{base}.shape.habit", "Habit", words, "Named crystal form."))
                skip = ("habit",)
            else:
                skip = ("habit", "size_um")
        rows += model_rows(shape, f"{base}.shape", skip=skip)
        names = [(n, _words(n)) for n in INDICES if n not in ("air", "water", "pbs")]
        rows.append(
            ChoiceRow(
                f"{base}.material.name",
                "Material",
                [*names, (_OWN, "Other")],
                "A known material, or any index below.",
            )
        )
        optics = self.session.scene.microscope
        polarized = optics.modality.kind == "polarized"
        only = ["index", "absorption_per_um"]
        if optics.emits:
            only = ["emission_per_um", "index"]
        elif polarized:
            only.append("birefringence")
        rows += model_rows(material, f"{base}.material", only=only)
        if polarized:
            name, field = f"{base}.material.optic_axis", Material.model_fields["optic_axis"]
            help = field.description or ""
            rows.append(ChoiceRow(name, field.title or "Optic axis", _AXES, help))
            if _known_axis(material.optic_axis) is None:
                rows += [
                    NumberRow(field_of(Material, "optic_axis", f"{name}[{k}]", k)) for k in range(3)
                ]
        if population.particles is None:
            if population.density_per_mm2 is None:
                rows.append(
                    NumberRow(
                        Field(
                            f"{base}.count",
                            "Count",
                            help="Number of particles in the frame.",
                            limits=(0, 1_000_000),
                            slider=(1, 5000),
                            log=True,
                            integer=True,
                            default=20,
                            step=1,
                        ),
                        fittable=False,
                    )
                )
            else:
                rows.append(
                    NumberRow(
                        Field(
                            f"{base}.density_per_mm2",
                            "Density",
                            "1/mm²",
                            Population.model_fields["density_per_mm2"].description or "",
                            limits=(0, 1e9),
                            slider=(1, 1e6),
                            log=True,
                            default=1000,
                            step=1,
                        ),
                        fittable=False,
                    )
                )
            rows.append(RangeRow(field_of(Placement, "z_um", f"{base}.placement.z_um")))
            rows += (
                model_rows(population.orientation, f"{base}.orientation", only=("law",))
                if shape.kind != "sphere"
                else []
            )
            rows += model_rows(population.placement, f"{base}.placement", only=("law",))
        return rows

    def _more_rows(self, population: Population, base: str) -> list[Row]:
        if population.particles is not None:
            return []
        rows: list[Row] = []
        if population.shape.kind != "sphere":
            law = population.orientation.law
            only = {
                "isotropic": (),
                "planar": ("spread_deg",),
                "aligned": ("azimuth_deg", "elevation_deg", "roll_deg", "spread_deg"),
            }[law]
            rows += model_rows(population.orientation, f"{base}.orientation", only=only)
        only = ["margin_um"]
        if population.placement.law == "clustered":
            only += ["cluster_size", "cluster_radius_um"]
        rows += model_rows(population.placement, f"{base}.placement", only=only)
        return rows

    def _scattering_rows(self, population: Population, base: str) -> list[Row]:
        rows: list[Row] = []
        optics = self.session.scene.microscope
        if not optics.emits and optics.modality.kind != "polarized":
            made = model_rows(population, base, only=("scattering",))
            if population.shape.kind not in _SPHERES:
                for row in made:
                    row.remove("mie")  # type: ignore[attr-defined]
            rows += made
        return rows + model_rows(population, base, only=("labelled",))

    # --- editing -----------------------------------------------------------------------------

    def takes(self, name: str, value: Any) -> bool:
        """Carry out edits that are more than one number; returns whether it was one.

        Raises
        ------
        SceneError
            If the result is not valid.
        """
        if name.startswith("particles["):
            self.session.change_particle(name, value)
            return True
        if name == "medium.name":
            if value:
                self.session.change(
                    {
                        "medium.index": INDICES[value],
                        "medium.name": value,
                        "medium.abbe_number": ABBE_NUMBERS.get(value),
                    }
                )
            return True
        population = self.population
        if population is None:
            return False
        base = f"populations.{population.name}"
        if name == f"{base}.shape":
            self._remembered[population.name, population.shape.kind] = population.shape
            known = self._remembered.get((population.name, value))
            shape = known.model_dump() if known is not None else {"kind": value}
            update: dict[str, Any] = {"shape": shape}
            if population.scattering == "mie" and value not in _SPHERES:
                update["scattering"] = "auto"
            if population.particles is not None:
                update["particles"] = [
                    {k: v for k, v in p.model_dump().items()
                     if k not in size_fields()}
                    for p in population.particles
                ]  # fmt: skip
            self._replace(population.name, update)
            return True
        if name == f"{base}.material.optic_axis":
            # A direction of one's own starts where the axis is, a little off the body's axes.
            axis = value or (0.8, 0.6, 0.0)
            self.session.change({name: axis})
            return True
        if name == f"{base}.material.name":
            if value != _OWN:
                self.session.change(
                    {
                        f"{base}.material.index": INDICES[value],
                        f"{base}.material.name": value,
                        f"{base}.material.abbe_number": ABBE_NUMBERS.get(value),
                    }
                )
            return True
        return False

    def _replace(self, name: str, update: dict[str, Any]) -> None:
        from osog.scene import Scene

        data = self.session.scene.model_dump()
        for population in data["populations"]:
            if population["name"] == name:
                population.update(update)
        self.session.set_scene(Scene.parse(data))

    def _try(self, populations: list[Population]) -> None:
        from osog.scene import Scene

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
            self._replace(population.name, {"visible": not population.visible})

    def draw_again(self) -> None:
        """Forget where the particles were put by hand and draw as many at random."""
        population = self.population
        if population is not None and population.particles is not None:
            self._replace(
                population.name,
                {"particles": None, "count": len(population.particles), "density_per_mm2": None},
            )


def _words(material: str) -> str:
    return material.upper() if material in ("pbs", "pmma") else material.capitalize()


def _own_names(scene: Scene, number: int) -> list[str]:
    """Dotted names of everything that one listed particle can have for itself."""
    base, first = f"particles[{number}]", 0
    for population in scene.populations:
        listed = len(population.particles or ()) if population.visible else 0
        if first <= number < first + listed:
            break
        first += listed
    names = [f"{base}.{axis}_um" for axis in "xyz"]
    if population.shape.kind != "sphere":
        names += [f"{base}.orientation_deg[{k}]" for k in range(3)]
    for field in ("radius_um", "core_radius_um", "length_um"):
        if hasattr(population.shape, field):
            names.append(f"{base}.{field}")
    for field in ("semi_axes_um", "size_um"):
        if hasattr(population.shape, field) and not getattr(population.shape, "half_spaces", None):
            names += [f"{base}.{field}[{k}]" for k in range(3)]
    return [*names, f"{base}.index"]


def _known_axis(axis: tuple[float, float, float]) -> tuple[float, float, float] | None:
    """One of the body's own axes, or None for a direction between them."""
    return axis if any(axis == known for known, _ in _AXES) else None


def _field_of_parameter(parameter: Parameter) -> Field:
    return Field(
        parameter.name,
        singular(parameter.title),
        parameter.unit,
        parameter.help,
        parameter.limits,
        parameter.slider,
        parameter.step,
        parameter.log and parameter.slider[0] > 0,
        parameter.value,
    )


__all__ = ["SampleSection"]
