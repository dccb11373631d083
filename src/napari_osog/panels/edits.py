"""Edits that are more than one number: another modality, shape, material; done as one step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_osog.panels.population_rows import ALONE, OTHER
from osog.scene import IMMERSIONS, Camera, Scene, SceneError
from osog.scene.modalities import MODALITIES
from osog.scene.shapes import SHAPES, size_fields

if TYPE_CHECKING:
    from napari_osog.session import Session
    from osog.scene import Population

_STEEPEST = 0.95
"""NA of light that has been made to enter the medium, as a share of the medium's index."""


class SceneEdits:
    """Carries out what rows ask for, and remembers the numbers of what was left.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._modalities: dict[str, Any] = {}
        self._spectra: dict[str, Any] = {}
        self._shapes: dict[tuple[str, str], Any] = {}
        self._surfaces: dict[str, Any] = {}
        self._inclusions: dict[str, Any] = {}

    def carry_out(self, name: str, value: Any) -> None:
        """Carry out an edit of one row.

        Parameters
        ----------
        name : str
            Dotted name of the row.
        value : Any
            What belongs into the scene.

        Raises
        ------
        SceneError
            If the result is not valid; nothing is changed then.
        """
        session = self.session
        if name == "microscope.modality":
            session.set_scene(modality_change(session.scene, value, self._modalities))
        elif name == "microscope.spectrum":
            session.set_scene(spectrum_change(session.scene, value, self._spectra))
        elif name == "microscope.immersion_index" and value not in IMMERSIONS.values():
            return  # the line of an index of its own says so, and changes nothing
        elif name == "camera.colour" and value == "monochrome":
            plain = Camera()  # which has no colours to balance
            fields = ("white_balance", "colour_matrix")
            neutral = {f"camera.{field}": getattr(plain, field) for field in fields}
            session.change({name: value, **neutral})
        elif name.startswith("particles["):
            session.change_particle(name, value)
        elif name == "medium.name":
            if value:
                session.change({name: value})
        elif name.startswith("populations.") and self._of_population(name, value):
            return
        else:
            session.change({name: value})

    def draw_from(self, name: str, law: Any) -> None:
        """Let a number be drawn from a law; a number takes the law away.

        Raises
        ------
        SceneError
            If the result is not valid; nothing is changed then.
        """
        for population in self.session.scene.populations:
            base = f"populations.{population.name}.surface."
            if name.startswith(base) and population.surface is None:
                update = {"surface": {name.removeprefix(base): law}}
                self.replace_population(population.name, update)
                return
        self.session.set_scene(self.session.scene.with_law(name, law))

    def add_inclusions(self, population: Population, content: dict[str, Any]) -> None:
        """Add a group of inclusions to the bodies of a population.

        Raises
        ------
        SceneError
            If the result is not valid; nothing is changed then.
        """
        kept = [group.model_dump() for group in population.inclusions]
        update: dict[str, Any] = {"inclusions": [*kept, content]}
        if population.scattering == "mie":
            update["scattering"] = "auto"
        self.replace_population(population.name, update)

    def _of_population(self, name: str, value: Any) -> bool:
        """Carry out an edit of a population that is no plain number; returns whether it is one."""
        for population in self.session.scene.populations:
            base = f"populations.{population.name}"
            if name == f"{base}.shape":
                self._reshape(population, value)
                return True
            if name == f"{base}.aggregate":
                self.session.change({name: None if value == ALONE else {"kind": value}})
                return True
            if name == f"{base}.material.optic_axis":
                # A direction of one's own starts where the axis is, a little off the body's axes.
                self.session.change({name: value or (0.8, 0.6, 0.0)})
                return True
            if name.startswith(f"{base}.surface.") and population.surface is None:
                field = name.removeprefix(f"{base}.surface.")
                self.replace_population(population.name, {"surface": {field: value}})
                return True
            if name.startswith(f"{base}.inclusions[") and name.endswith("]"):  # takes it away
                kept = [
                    group.model_dump()
                    for k, group in enumerate(population.inclusions)
                    if name != f"{base}.inclusions[{k}]"
                ]
                self.replace_population(population.name, {"inclusions": kept})
                return True
            if name == f"{base}.material.name":
                if value != OTHER:
                    self.session.change({name: value})
                return True
        return False

    def _reshape(self, population: Population, kind: str) -> None:
        """Give a population another shape; its particles stay where they were put."""
        self._shapes[population.name, population.shape.kind] = population.shape
        known = self._shapes.get((population.name, kind))
        shape = known.model_dump() if known is not None else {"kind": kind}
        update: dict[str, Any] = {"shape": shape}
        if population.scattering == "mie" and not SHAPES[kind].exact_theory:
            update["scattering"] = "auto"
        if population.surface is not None:
            self._surfaces[population.name] = population.surface.model_dump()
        if population.inclusions:
            self._inclusions[population.name] = [g.model_dump() for g in population.inclusions]
        faceted, holds = SHAPES[kind].faceted, SHAPES[kind].holds_inclusions
        update["surface"] = self._surfaces.get(population.name) if faceted else None
        update["inclusions"] = self._inclusions.get(population.name, []) if holds else []
        if not population.inclusions and population.shape.holds_inclusions:
            update["inclusions"] = []
        if population.surface is None and population.shape.faceted:
            update["surface"] = None
        if population.particles is not None:
            update["particles"] = [
                {k: v for k, v in p.model_dump().items() if k not in size_fields()}
                for p in population.particles
            ]
        self.replace_population(population.name, update)

    def replace_population(self, name: str, update: dict[str, Any]) -> None:
        """Change fields of one population.

        Raises
        ------
        SceneError
            If the result is not valid.
        """
        data = self.session.scene.model_dump()
        for population in data["populations"]:
            if population["name"] == name:
                population.update(update)
        self.session.set_scene(Scene.parse(data))


def modality_change(scene: Scene, kind: str, remembered: dict[str, Any]) -> Scene:
    """Return the scene with another modality, its numbers as they were when it was last used.

    What the new modality cannot have is taken away, and comes back with the next one that can: a
    broad spectrum in quantitative phase, a vectorial pupil where the light has one polarisation.
    Light from the condenser that is too steep to enter the medium is made less steep, since its
    rows are hidden where the medium could be changed.

    Parameters
    ----------
    scene : Scene
    kind : str
        One of ``MODALITY_TITLES``.
    remembered : dict
        Modality kind → its last numbers, and what was taken away by dotted name; updated here.

    Raises
    ------
    SceneError
        If the new modality does not go with the rest of the scene.
    """
    before, new = scene.microscope.modality, MODALITIES[kind]
    if isinstance(before, new):
        return scene
    data = scene.model_dump()
    optics = data["microscope"]
    remembered[before.kind] = optics["modality"]
    optics["modality"] = remembered.get(kind, {"kind": kind})
    back = []
    if new.backdrop == "phase":
        remembered["microscope.spectrum"] = optics["spectrum"]
        optics["spectrum"] = {"kind": "monochromatic"}
    elif before.measures_phase:
        optics["spectrum"] = remembered.get("microscope.spectrum", optics["spectrum"])
        back.append("microscope.spectrum")
    if not new.vectorial:
        if before.vectorial:
            remembered["microscope.pupil.vectorial"] = optics["pupil"]["vectorial"]
        optics["pupil"]["vectorial"] = False
    elif not before.vectorial:
        optics["pupil"]["vectorial"] = remembered.get("microscope.pupil.vectorial", False)
        back.append("microscope.pupil.vectorial")
    if new.condenser:
        names = "condenser_numerical_aperture", "oblique_numerical_aperture"
        steepest = sum(optics[name] for name in names)
        if steepest >= scene.medium.index:
            share = _STEEPEST * scene.medium.index / steepest
            optics.update({name: math.floor(1e3 * share * optics[name]) / 1e3 for name in names})
    try:
        changed = Scene.parse(data)
    except SceneError:  # its numbers were those of another medium or objective
        optics["modality"] = {"kind": kind}
        changed = Scene.parse(data)
    for name in back:
        remembered.pop(name, None)
    return changed


def spectrum_change(scene: Scene, kind: str, remembered: dict[str, Any]) -> Scene:
    """Return the scene with another spectrum, its numbers as they were when it was last used.

    Parameters
    ----------
    scene : Scene
    kind : str
        One of ``SPECTRUM_TITLES``.
    remembered : dict
        Spectrum kind → its last numbers; updated here.
    """
    data = scene.model_dump()
    remembered[scene.microscope.spectrum.kind] = data["microscope"]["spectrum"]
    data["microscope"]["spectrum"] = remembered.get(kind, {"kind": kind})
    return Scene.parse(data)


__all__ = ["SceneEdits", "modality_change", "spectrum_change"]
