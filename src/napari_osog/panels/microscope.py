"""The microscope of the Simulate panel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal

from napari_osog.panels.pupil_plot import PupilSection
from napari_osog.panels.row import CheckRow, ChoiceRow
from napari_osog.panels.rows import model_rows
from napari_osog.panels.section import RowGroup, Section
from osog.scene import (
    IMMERSIONS,
    MODALITY_TITLES,
    PARTIALLY_COHERENT,
    SPECTRUM_TITLES,
    CoverGlass,
    SceneError,
)
from osog.scene.modalities import VECTORIAL
from osog.scene.parameters import get

if TYPE_CHECKING:
    from napari_osog.panels.row import Row
    from osog.scene import Scene

_CUSTOM = -1.0
_STEEPEST = 0.95
"""NA of light that has been made to enter the medium, as a share of the medium's index."""


class MicroscopeSection(Section):
    """Modality, lens, light; only the rows that act in the modality.

    Signals
    -------
    row_made(Row)
        A row was built and wants to be connected.
    glass_switched(bool)
        The cover glass was put in or taken away.
    """

    row_made = Signal(object)
    glass_switched = Signal(bool)

    def __init__(self) -> None:
        super().__init__("Microscope")
        self.lens = RowGroup(self.row_made.emit)
        self.add(self.lens)
        self._last_glass = CoverGlass()
        self.parts: dict[str, Section] = {}
        self.groups: dict[str, RowGroup] = {}
        for name, title in (
            ("condenser", "Condenser"),
            ("aberrations", "Aberrations"),
            ("field", "Across the field"),
            ("chromatic", "Chromatic aberration"),
            ("glass", "Cover glass"),
            ("pupil", "Pupil"),
        ):
            part = Section(title, open=False, minor=True)
            if name == "glass":
                self.glass = CheckRow(
                    "microscope.cover_glass",
                    "In the light path",
                    "Aberrations of a cover glass and a medium that the objective is not made for.",
                )
                self.glass.edited.connect(lambda _, on: self.glass_switched.emit(bool(on)))
                part.add(self.glass)
            self.groups[name] = RowGroup(self.row_made.emit)
            part.add(self.groups[name])
            self.parts[name] = part
            self.add(part)
        self.plot = PupilSection()
        self.add(self.plot)

    @property
    def last_glass(self) -> CoverGlass:
        """The cover glass that was used last, for putting it in again."""
        return self._last_glass

    def sync(self, scene: Scene) -> None:
        """Show the microscope of a scene."""
        microscope = scene.microscope
        kind = microscope.modality.kind

        def value(name: str) -> Any:
            if name == "microscope.immersion_index":
                index = microscope.immersion_index
                return index if index in IMMERSIONS.values() else _CUSTOM
            if name == "microscope.modality":
                return kind
            if name == "microscope.spectrum":
                return microscope.spectrum.kind
            if name == "microscope.focus_um":
                return middle_plane(scene)
            return get(scene, name)

        known = microscope.immersion_index in IMMERSIONS.values()
        lamp = microscope.spectrum.kind
        own_index = microscope.immersion_index if not known else 0
        self.lens.sync((kind, lamp, own_index), lambda: self._lens_rows(scene), value)

        stop = ("condenser_stop", "oblique_numerical_aperture", "oblique_azimuth_deg")
        stop = stop if kind in PARTIALLY_COHERENT else ()
        sum_ = ("partial_coherence",) if microscope.modality.weak_object else ()
        self.groups["condenser"].sync(
            (stop, sum_),
            lambda: [
                *model_rows(microscope, "microscope", only=stop),
                *model_rows(scene.numerics, "numerics", only=sum_),
            ],
            value,
        )
        self.parts["condenser"].setVisible(bool(stop or sum_))
        for name, base in (
            ("aberrations", "microscope.aberrations"),
            ("field", "microscope.field_aberrations"),
            ("chromatic", "microscope.chromatic"),
        ):
            model = get(scene, base)
            self.groups[name].sync(base, lambda m=model, b=base: model_rows(m, b), value)
        self.parts["chromatic"].setVisible(lamp != "monochromatic")
        glass = microscope.cover_glass
        self.glass.set_value(glass is not None)
        self.groups["glass"].setVisible(glass is not None)
        if glass is not None:
            self._last_glass = glass
            self.groups["glass"].sync(
                "glass", lambda: model_rows(glass, "microscope.cover_glass"), value
            )
        skip = () if kind in VECTORIAL else ("vectorial",)
        self.groups["pupil"].sync(
            skip, lambda: model_rows(microscope.pupil, "microscope.pupil", skip=skip), value
        )
        self.plot.show_scene(scene)

    def _lens_rows(self, scene: Scene) -> list[Row]:
        microscope = scene.microscope
        kind = microscope.modality.kind
        fields = type(microscope).model_fields
        rows: list[Row] = [
            ChoiceRow(
                "microscope.modality",
                "Modality",
                [
                    (kind, title.removesuffix(" (Zernike)"))
                    for kind, title in MODALITY_TITLES.items()
                ],
                "How the microscope turns the sample into contrast.",
            )
        ]
        one_plane = microscope.model_copy(update={"focus_um": middle_plane(scene)})
        rows += model_rows(one_plane, "microscope", only=("focus_um", "numerical_aperture"))
        immersions = [(n, f"{name.capitalize()} ({n:g})") for name, n in IMMERSIONS.items()]
        if microscope.immersion_index not in IMMERSIONS.values():
            immersions.append((_CUSTOM, f"n = {microscope.immersion_index:g}"))
        rows.append(
            ChoiceRow(
                "microscope.immersion_index",
                "Immersion",
                immersions,
                fields["immersion_index"].description or "",
            )
        )
        if kind in PARTIALLY_COHERENT:
            rows += model_rows(microscope, "microscope", only=("condenser_numerical_aperture",))
        rows += model_rows(microscope.modality, "microscope.modality")
        rows += model_rows(microscope, "microscope", only=("wavelength_um",))
        if kind != "phase":  # measured at one wavelength
            rows.append(
                ChoiceRow(
                    "microscope.spectrum",
                    "Spectrum",
                    SPECTRUM_TITLES.items(),
                    "Colours of the light; broad ones blur fringes, and colour cameras show them.",
                )
            )
            rows += model_rows(microscope.spectrum, "microscope.spectrum")
        return rows


def middle_plane(scene: Scene) -> float:
    """Plane in focus; of a stack the middle one, which the live image shows."""
    planes = scene.microscope.focus_planes_um
    return planes[len(planes) // 2]


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
    from osog.scene import Scene as SceneModel

    before = scene.microscope.modality.kind
    if kind == before:
        return scene
    data = scene.model_dump()
    optics = data["microscope"]
    remembered[before] = optics["modality"]
    optics["modality"] = remembered.get(kind, {"kind": kind})
    back = []
    if kind == "phase":
        remembered["microscope.spectrum"] = optics["spectrum"]
        optics["spectrum"] = {"kind": "monochromatic"}
    elif before == "phase":
        optics["spectrum"] = remembered.get("microscope.spectrum", optics["spectrum"])
        back.append("microscope.spectrum")
    if kind not in VECTORIAL:
        if before in VECTORIAL:
            remembered["microscope.pupil.vectorial"] = optics["pupil"]["vectorial"]
        optics["pupil"]["vectorial"] = False
    elif before not in VECTORIAL:
        optics["pupil"]["vectorial"] = remembered.get("microscope.pupil.vectorial", False)
        back.append("microscope.pupil.vectorial")
    if kind in PARTIALLY_COHERENT:
        names = "condenser_numerical_aperture", "oblique_numerical_aperture"
        steepest = sum(optics[name] for name in names)
        if steepest >= scene.medium.index:
            share = _STEEPEST * scene.medium.index / steepest
            optics.update({name: math.floor(1e3 * share * optics[name]) / 1e3 for name in names})
    try:
        changed = SceneModel.parse(data)
    except SceneError:  # its numbers were those of another medium or objective
        optics["modality"] = {"kind": kind}
        changed = SceneModel.parse(data)
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
    from osog.scene import Scene as SceneModel

    data = scene.model_dump()
    remembered[scene.microscope.spectrum.kind] = data["microscope"]["spectrum"]
    data["microscope"]["spectrum"] = remembered.get(kind, {"kind": kind})
    return SceneModel.parse(data)


__all__ = ["MicroscopeSection", "middle_plane", "modality_change", "spectrum_change"]
