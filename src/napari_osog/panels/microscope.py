"""The microscope and the camera of the Simulate panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QLabel, QSpinBox

from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.row import CheckRow, ChoiceRow, Row
from napari_osog.panels.rows import model_rows
from napari_osog.panels.section import RowGroup, Section
from osog.scene import IMMERSIONS, MODALITY_TITLES, PARTIALLY_COHERENT, Camera
from osog.scene.parameters import get

if TYPE_CHECKING:
    from osog.scene import Scene

_CUSTOM = -1.0


class MicroscopeSection(Section):
    """Modality, lens, light; only the rows that act in the modality.

    Signals
    -------
    row_made(Row)
        A row was built and wants to be connected.
    """

    row_made = Signal(object)

    def __init__(self) -> None:
        super().__init__("Microscope")
        self.lens = RowGroup(self.row_made.emit)
        self.add(self.lens)
        self.aberrations = Section("Aberrations", open=False, minor=True)
        self.waves = RowGroup(self.row_made.emit)
        self.aberrations.add(self.waves)
        self.add(self.aberrations)

    def sync(self, scene: Scene) -> None:
        """Show the microscope of a scene."""
        kind = scene.microscope.modality.kind

        def value(name: str) -> Any:
            if name == "microscope.immersion_index":
                index = scene.microscope.immersion_index
                return index if index in IMMERSIONS.values() else _CUSTOM
            if name == "microscope.modality":
                return kind
            return get(scene, name)

        known = scene.microscope.immersion_index in IMMERSIONS.values()
        self.lens.sync(
            (kind, known, scene.microscope.immersion_index if not known else 0),
            lambda: self._lens_rows(scene),
            value,
        )
        self.waves.sync(
            "aberrations",
            lambda: model_rows(scene.microscope.aberrations, "microscope.aberrations"),
            lambda name: get(scene, name),
        )

    def _lens_rows(self, scene: Scene) -> list[Row]:
        microscope = scene.microscope
        kind = microscope.modality.kind
        rows: list[Row] = [
            ChoiceRow(
                "microscope.modality",
                "Modality",
                MODALITY_TITLES.items(),
                "How the microscope turns the sample into contrast.",
            )
        ]
        rows += model_rows(microscope, "microscope", only=("focus_um", "numerical_aperture"))
        immersions = [(n, f"{name.capitalize()} ({n:g})") for name, n in IMMERSIONS.items()]
        if microscope.immersion_index not in IMMERSIONS.values():
            immersions.append((_CUSTOM, f"n = {microscope.immersion_index:g}"))
        rows.append(
            ChoiceRow(
                "microscope.immersion_index",
                "Immersion",
                immersions,
                type(microscope).model_fields["immersion_index"].description or "",
            )
        )
        only = ["wavelength_um"]
        if kind in PARTIALLY_COHERENT:
            only.insert(0, "condenser_numerical_aperture")
        rows += model_rows(microscope, "microscope", only=only)
        rows += model_rows(microscope.modality, "microscope.modality")
        return rows


def modality_change(scene: Scene, kind: str, remembered: dict[str, Any]) -> Scene:
    """Return the scene with another modality, its numbers as they were when it was last used.

    Parameters
    ----------
    scene : Scene
    kind : str
        One of ``MODALITY_TITLES``.
    remembered : dict
        Modality kind → its last numbers; updated here.
    """
    from osog.scene import Scene as Description

    data = scene.model_dump()
    remembered[scene.microscope.modality.kind] = data["microscope"]["modality"]
    data["microscope"]["modality"] = remembered.get(kind, {"kind": kind})
    return Description.parse(data)


class FrameRow(Row):
    """Rows and columns of the frame."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "Frame", "Rows and columns of the image, in camera pixels.")
        self.boxes = (QSpinBox(), QSpinBox())
        for box, word in zip(self.boxes, ("rows", "columns"), strict=True):
            box.setRange(1, 8192)
            box.setSingleStep(64)
            box.setKeyboardTracking(False)
            box.setMinimumWidth(50)
            box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
            box.setAlignment(Qt.AlignmentFlag.AlignRight)
            box.setAccessibleName(f"Frame: {word}")
            ignore_wheel(box)
            box.valueChanged.connect(self._changed)
        times = QLabel("×")
        times.setFixedWidth(24)
        times.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.boxes[1].setSuffix(" px")
        self._line.addWidget(self.boxes[0], 1)
        self._line.addWidget(times)
        self._line.addWidget(self.boxes[1], 1)

    def set_value(self, value: tuple[int, int]) -> None:
        """Show a shape (rows, columns)."""
        for box, number in zip(self.boxes, value, strict=True):
            with QSignalBlocker(box):
                box.setValue(number)
        self.set_fault("")

    def _changed(self) -> None:
        self.edited.emit(self.name, tuple(box.value() for box in self.boxes))


class CameraSection(Section):
    """Frame, and the camera when there is one.

    Signals
    -------
    row_made(Row)
    switched(bool)
        The camera was switched on or off.
    """

    row_made = Signal(object)
    switched = Signal(bool)

    def __init__(self) -> None:
        super().__init__("Camera", open=False)
        self.frame = RowGroup(self.row_made.emit)
        self.add(self.frame)
        self.on = CheckRow(
            "camera", "Camera", "Expose a camera; without it the image is irradiance."
        )
        self.on.edited.connect(lambda _, on: self.switched.emit(bool(on)))
        self.add(self.on)
        self.numbers = RowGroup(self.row_made.emit)
        self.add(self.numbers)
        self._last = Camera()

    def sync(self, scene: Scene) -> None:
        """Show the frame and the camera of a scene."""
        self.frame.sync(
            "frame",
            lambda: [
                FrameRow("grid.shape"),
                *model_rows(scene.grid, "grid", only=("pixel_size_um",)),
            ],
            lambda name: get(scene, name),
        )
        self.on.set_value(scene.camera is not None)
        self.numbers.setVisible(scene.camera is not None)
        if scene.camera is not None:
            self._last = scene.camera
            camera = scene.camera
            self.numbers.sync(
                "camera", lambda: model_rows(camera, "camera"), lambda name: get(scene, name)
            )

    @property
    def last(self) -> Camera:
        """The camera that was used last, for switching it on again."""
        return self._last


__all__ = ["CameraSection", "MicroscopeSection", "modality_change"]
