"""The microscope of the Simulate panel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal

from napari_osog.panels.pick_list import condenser_row, light_row, objective_row
from napari_osog.panels.pupil_thumbnail import PupilSection
from napari_osog.panels.row import CheckRow, ChoiceRow
from napari_osog.panels.rows import model_rows
from napari_osog.panels.section import RowGroup, Section, row_part
from osog.scene import IMMERSIONS, MODALITY_TITLES, SPECTRUM_TITLES, CoverGlass
from osog.scene.parameters import get

if TYPE_CHECKING:
    from napari_osog.panels.row import Row
    from osog.scene import Scene

_CUSTOM = -1.0
_STOP = ("condenser_stop", "oblique_numerical_aperture", "oblique_azimuth_deg")


class MicroscopeSection(Section):
    """Modality, lens, light; only the rows that act in the modality.

    Signals
    -------
    row_made(Row)
        A row was built and wants to be connected.
    glass_switched(bool)
        The cover glass was put in or taken away.

    Attributes
    ----------
    last_glass : CoverGlass
        The one that was used last, for putting it in again.
    """

    row_made = Signal(object)
    glass_switched = Signal(bool)

    def __init__(self) -> None:
        super().__init__("Microscope")
        self.lens = RowGroup(self.row_made.emit)
        self.add(self.lens)
        self.last_glass = CoverGlass()
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
            part, self.groups[name] = row_part(title, self.row_made.emit)
            if name == "glass":
                self.glass = CheckRow(
                    "microscope.cover_glass",
                    "In the light path",
                    "Aberrations of a cover glass and a medium that the objective is not made for.",
                )
                self.glass.edited.connect(lambda _, on: self.glass_switched.emit(bool(on)))
                part.body.insertWidget(0, self.glass)
            self.parts[name] = part
            self.add(part)
        self.plot = PupilSection()
        self.add(self.plot)

    def sync(self, scene: Scene) -> None:
        """Show the microscope of a scene."""
        microscope = scene.microscope
        modality, spectrum = microscope.modality, microscope.spectrum

        def value(name: str) -> Any:
            if name == "microscope.immersion_index":
                index = microscope.immersion_index
                return index if index in IMMERSIONS.values() else _CUSTOM
            if name == "microscope.modality":
                return modality.kind
            if name == "microscope.spectrum":
                return spectrum.kind
            if name == "microscope.focus_um":
                return middle_plane(scene)
            return get(scene, name)

        known = microscope.immersion_index in IMMERSIONS.values()
        own_index = microscope.immersion_index if not known else 0
        self.lens.sync(
            (modality.kind, spectrum.kind, own_index), lambda: self._lens_rows(scene), value
        )

        stop = _STOP if modality.condenser else ()
        preview = ("partial_coherence",) if modality.weak_object else ()
        self.groups["condenser"].sync(
            (stop, preview),
            lambda: [
                *model_rows(microscope, "microscope", only=stop),
                *model_rows(scene.numerics, "numerics", only=preview),
            ],
            value,
        )
        self.parts["condenser"].setVisible(bool(stop or preview))
        for name, base in (
            ("aberrations", "microscope.aberrations"),
            ("field", "microscope.field_aberrations"),
            ("chromatic", "microscope.chromatic"),
        ):
            model = get(scene, base)
            self.groups[name].sync(base, partial(model_rows, model, base), value)
        self.parts["chromatic"].setVisible(not spectrum.monochromatic)
        glass = microscope.cover_glass
        self.glass.set_value(glass is not None)
        self.groups["glass"].setVisible(glass is not None)
        if glass is not None:
            self.last_glass = glass
            self.groups["glass"].sync(
                "glass", lambda: model_rows(glass, "microscope.cover_glass"), value
            )
        skip = () if modality.vectorial else ("vectorial",)
        self.groups["pupil"].sync(
            skip, lambda: model_rows(microscope.pupil, "microscope.pupil", skip=skip), value
        )
        self.plot.show_scene(scene)

    def _lens_rows(self, scene: Scene) -> list[Row]:
        microscope = scene.microscope
        modality = microscope.modality
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
        rows.append(objective_row(fields["objective"].description or ""))
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
        if modality.condenser:
            rows.append(condenser_row(fields["condenser"].description or ""))
            rows += model_rows(microscope, "microscope", only=("condenser_numerical_aperture",))
        rows += model_rows(microscope.modality, "microscope.modality")
        rows.append(light_row(fields["light"].description or ""))
        rows += model_rows(microscope, "microscope", only=("wavelength_um",))
        if not modality.measures_phase:  # that is done at one wavelength
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


__all__ = ["MicroscopeSection", "middle_plane"]
