"""The camera of the Simulate panel, and what lies on every picture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QSpinBox

from napari_osog.panels.inputs import ignore_wheel
from napari_osog.panels.pick_list import camera_row
from napari_osog.panels.row import CheckRow, Row
from napari_osog.panels.rows import model_rows
from napari_osog.panels.section import RowGroup, Section, row_part
from napari_osog.panels.titles import Title
from osog.scene import Background, Camera
from osog.scene.parameters import get

if TYPE_CHECKING:
    from osog.scene import Scene

CAMERA_GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "basic": ("", ("background_electrons", "bit_depth", "colour", "noise")),
    "levels": (
        "Grey levels",
        ("full_well_electrons", "gain_electrons_per_count", "offset_counts", "em_gain"),
    ),
    "noise": (
        "Noise",
        ("read_noise_electrons", "dark_electrons", "row_noise_electrons"),
    ),
    "pixels": (
        "Pixel faults",
        (
            "response_nonuniformity",
            "dark_nonuniformity_electrons",
            "read_noise_spread",
            "hot_pixels_per_million",
        ),
    ),
    "processing": (
        "Motion and processing",
        (
            "motion_blur_px",
            "motion_azimuth_deg",
            "white_balance",
            "gamma",
            "sharpening",
            "sharpening_radius_px",
            "jpeg_quality",
        ),
    ),
}
"""Rows of the camera: those that are always seen, and those in folded parts with a title."""
_IN_PHOTONS = ("background_photons", "quantum_efficiency")
"""Rows in the place of the exposure, while it is given in photons."""
_BACKGROUND_GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "light": ("", ("gradient_x", "gradient_y", "vignette")),
    "haze": ("Haze", ("haze", "structured_haze", "haze_scale_um")),
    "dust": ("Dust", ("dust_count", "dust_radius_px", "dust_darkness")),
}


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
        times = Title("×", 3)
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

    Attributes
    ----------
    last : Camera
        The one that was used last, for switching it on again.
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
        self.groups = _folded(self, CAMERA_GROUPS)
        self.last = Camera()

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
        camera = scene.camera
        self.on.set_value(camera is not None)
        for group, part in self.groups.values():
            (part or group).setVisible(camera is not None)
        if camera is None:
            return
        self.last = camera
        photons = camera.background_photons is not None
        for name, (group, _) in self.groups.items():
            fields = CAMERA_GROUPS[name][1]
            if photons and "background_electrons" in fields:
                rest = tuple(field for field in fields if field != "background_electrons")
                fields = _IN_PHOTONS + rest
            if camera.channels == 1:
                fields = tuple(field for field in fields if field != "white_balance")
            group.sync(fields, partial(_rows, camera, name, fields), lambda name: get(scene, name))


class BackgroundSection(Section):
    """Uneven light, haze and dust.

    Signals
    -------
    row_made(Row)
    """

    row_made = Signal(object)

    def __init__(self) -> None:
        super().__init__("Background", open=False)
        self.setToolTip(Background.__doc__ or "")
        self.groups = _folded(self, _BACKGROUND_GROUPS)

    def sync(self, scene: Scene) -> None:
        """Show the background of a scene; a phase in radians has none."""
        self.setVisible(not scene.microscope.modality.measures_phase)
        for name, (group, _) in self.groups.items():
            fields = _BACKGROUND_GROUPS[name][1]
            group.sync(
                "background",
                partial(model_rows, scene.background, "background", only=fields),
                lambda name: get(scene, name),
            )


def _rows(camera: Camera, group: str, fields: tuple[str, ...]) -> list[Row]:
    """Rows of one group; the first one begins with the model."""
    rows = model_rows(camera, "camera", only=fields, always=_IN_PHOTONS)
    if group != "basic":
        return rows
    return [camera_row(type(camera).model_fields["model"].description or ""), *rows]


def _folded(
    section: CameraSection | BackgroundSection, groups: dict[str, tuple[str, tuple[str, ...]]]
) -> dict[str, tuple[RowGroup, Section | None]]:
    """Add groups of rows to a section; those with a title lie in a part that is folded."""
    made: dict[str, tuple[RowGroup, Section | None]] = {}
    for name, (title, _) in groups.items():
        if title:
            part, group = row_part(title, section.row_made.emit)
            section.add(part)
            made[name] = group, part
        else:
            group = RowGroup(section.row_made.emit)
            section.add(group)
            made[name] = group, None
    return made


__all__ = ["CAMERA_GROUPS", "BackgroundSection", "CameraSection"]
