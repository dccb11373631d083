"""The micrograph in a layer: its pixels, its grid, and what is known of its optics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.plane_geometry import TargetError, plane_shape, transform_of, world_scale
from osog.io.arrays import real_array
from osog.io.errors import MicrographError
from osog.io.micrograph import Known, Optics
from osog.scene.parameters import get

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_osog.session import Session
    from osog.scene import Scene


@dataclass(frozen=True)
class Optic:
    """A number of the microscope that a file can know.

    Attributes
    ----------
    parameter : str
        Dotted name of what it sets in the scene.
    title, unit : str
    factor : float
        Shown = value × factor.
    asked : bool
        Whether the user is told when it is unknown.
    """

    parameter: str
    title: str
    unit: str = ""
    factor: float = 1.0
    asked: bool = True

    def text(self, value: float) -> str:
        """Value with its unit."""
        return f"{value * self.factor:.5g} {self.unit}".strip()

    def used(self, scene: Scene) -> float:
        """Value in a scene; the centre of a law."""
        value = get(scene, self.parameter)
        return float(getattr(value, "centre", value))


OPTICS = {
    "pixel_size_um": Optic("grid.pixel_size_um", "pixel size", "µm"),
    "numerical_aperture": Optic("microscope.numerical_aperture", "NA"),
    "wavelength_um": Optic("microscope.wavelength_um", "wavelength", "nm", 1000.0),
    "medium_index": Optic("medium.index", "medium index"),
    "immersion_index": Optic("microscope.immersion_index", "immersion index", asked=False),
}
"""What a file can know, by its name in `osog.io.Optics`."""
FACTS = {
    "magnification": ("magnification", "×"),
    "exposure_s": ("exposure", "s"),
    "gain_electrons_per_count": ("camera gain", "e⁻/count"),
}
"""What a file can know that sets nothing in the scene: title and unit."""
BY_HAND = "entered by hand"
"""Source of a number that the user stated."""
SLIDERS = "from the sliders"
"""Source of a number that the user has set in the scene, beside the micrograph."""


def plane(layer: Any, point: tuple[float, ...] | None = None) -> NDArray[np.float64]:
    """Return the two-dimensional grey image that a layer shows, NaN where a mask hides it.

    Parameters
    ----------
    layer : napari Image layer
    point : tuple of float, optional
        Position of the viewer's sliders in world coordinates, to choose a plane of a stack.

    Returns
    -------
    ndarray, shape (Y, X)

    Raises
    ------
    TargetError
        If the layer has colour channels, no real or finite value, one constant value, or too few
        pixels.
    """
    name = layer.name
    if getattr(layer, "rgb", False):
        raise TargetError(
            f"'{name}' is a colour image; split it first (right-click the layer, Split RGB) and "
            "choose one channel."
        )
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    if data.ndim < 2:
        raise TargetError(f"'{name}' has {data.ndim} dimension, and an image needs 2.")
    if data.ndim > 2:
        step = [0] * data.ndim
        if point is not None:
            full = np.zeros(data.ndim)
            take = min(len(point), data.ndim)
            full[-take:] = point[-take:]
            step = [round(v) for v in np.atleast_1d(layer.world_to_data(full))]
        data = data[
            tuple(
                int(np.clip(i, 0, n - 1)) for i, n in zip(step[:-2], data.shape[:-2], strict=True)
            )
        ]
    if str(data.dtype).startswith("complex"):
        raise TargetError(f"'{name}' holds complex numbers; show its phase or modulus instead.")
    try:
        image = real_array(data).astype(np.float64)
    except MicrographError as error:
        raise TargetError(f"'{name}': {error}") from None
    if min(image.shape) < 8:
        raise TargetError(
            f"'{name}' is only {image.shape[0]} × {image.shape[1]} pixels; "
            "at least 8 × 8 are needed."
        )
    good = np.isfinite(image)
    if not good.any():
        raise TargetError(f"'{name}' holds no numbers, only NaN or infinity.")
    if np.ptp(image[good]) == 0:
        raise TargetError(f"'{name}' is {image[good][0]:g} everywhere, so it shows nothing.")
    return image


def optics(layer: Any) -> dict[str, Known]:
    """What is known of a micrograph's optics; a name that is missing is unknown.

    The pixel size is that of the layer's scale in a unit of length before all else. Then come
    what the layer's metadata state, and its file; see `osog.io.calibration`.

    Returns
    -------
    dict of str to Known
        Keys of `OPTICS`.

    Raises
    ------
    TargetError
        If the layer is tilted in the viewer's world.
    """
    return {name: known for name, known in _read(layer).known().items() if name in OPTICS}


def facts(layer: Any) -> list[str]:
    """What else a micrograph's file states, one sentence each: nothing in the scene follows it."""
    read = _read(layer)
    return [
        f"{title} {known.value:.5g} {unit} ({known.source})"
        for name, (title, unit) in FACTS.items()
        if (known := getattr(read, name)) is not None
    ]


def camera_gain(layer: Any) -> float | None:
    """Electrons per grey level, where a micrograph's file states them."""
    known = _read(layer).gain_electrons_per_count
    return None if known is None else float(known.value)


def doubts(layer: Any) -> dict[str, str]:
    """Why numbers that the layer or its file states are unknown all the same, one sentence each.

    Returns
    -------
    dict of str to str
        Keys of `OPTICS`.

    Raises
    ------
    TargetError
        If the layer is tilted in the viewer's world.
    """
    return {name: words for name, words in _read(layer).doubts.items() if name in OPTICS}


def _read(layer: Any) -> Optics:
    from osog.io.calibration import calibrated
    from osog.io.resolve import frame_of, optics_of

    metadata = layer.metadata if isinstance(layer.metadata, dict) else {}
    own = metadata.get("osog")
    stated = own.get("optics") if isinstance(own, dict) else None
    found: dict[str, Any] = {}
    if isinstance(stated, dict):
        for name, entry in stated.items():
            if name in OPTICS and isinstance(entry, dict) and "value" in entry:
                found[name] = Known(float(entry["value"]), str(entry.get("source", "the layer")))
    path = getattr(getattr(layer, "source", None), "path", None)
    scale, units = world_scale(layer)
    said = Optics(**found).otherwise(optics_of(metadata, path, name=layer.name))
    frame = None if path is None else frame_of(path)
    return calibrated(said, scale, units, plane_shape(layer), frame)


def known_optics(layer: Any, session: Session) -> dict[str, Known]:
    """What is known of a micrograph's optics, what the user stated before all else."""
    stated = session.stated_optics.get(layer, {})
    return optics(layer) | {name: Known(value, BY_HAND) for name, value in stated.items()}


def chosen(session: Session, layer: Any) -> set[str]:
    """Names of the optics that the user has set in the scene since a micrograph was looked at.

    Parameters
    ----------
    session : Session
    layer : napari Image layer

    Returns
    -------
    set of str
        Keys of `OPTICS`; whatever the micrograph does not say of them is no longer assumed.
    """
    now = {name: optic.used(session.scene) for name, optic in OPTICS.items()}
    then = session.assumed_optics.setdefault(layer, now)
    return {name for name, value in now.items() if value != then[name]}


def calibrate(layer: Any, pixel_size_um: float) -> None:
    """Give a layer its µm, unless it has a unit of length; only scale, place and units change.

    Parameters
    ----------
    layer : napari Image layer
    pixel_size_um : float
        Of its rows and columns.
    """
    (_, width), units = world_scale(layer)
    if units == ("um", "um"):
        return
    factor = pixel_size_um / width
    scale, translate = list(layer.scale), list(layer.translate)
    for axis in (-2, -1):
        scale[axis] *= factor
        translate[axis] *= factor
    layer.units = (*layer.units[:-2], "um", "um")
    layer.scale, layer.translate = scale, translate


def adopt(session: Session, layer: Any) -> dict[str, Known]:
    """Render on the micrograph's grid: shape, pixel size, offset, rotation, units, known optics.

    A layer whose pixel size is known gets its scale in µm, so that both share one scale bar;
    nothing else of it changes.

    Returns
    -------
    dict of str to Known
        What is known of its optics; see `known_optics`.

    Raises
    ------
    TargetError
        If there is no micrograph, or its pixels are not square, sheared or tilted.
    SceneError
        If what its file says makes no valid scene.
    """
    from osog.scene import IMMERSIONS

    if layer is None:
        raise TargetError("Choose a micrograph first.")
    known = known_optics(layer, session)
    if "pixel_size_um" in known:
        calibrate(layer, known["pixel_size_um"].value)
    copied = transform_of(layer)
    values: dict[str, Any] = {"grid.shape": copied.shape}
    for name, entry in known.items():
        values[OPTICS[name].parameter] = entry.value
    aperture = values.get("microscope.numerical_aperture")
    if aperture is not None and "microscope.immersion_index" not in values:
        if aperture >= session.scene.microscope.immersion_index:
            fitting = [n for n in IMMERSIONS.values() if n > aperture]
            values["microscope.immersion_index"] = min(fitting, default=1.6)
    session.change(values)
    session.view.update(transform=copied)
    return known


__all__ = [
    "BY_HAND",
    "FACTS",
    "OPTICS",
    "SLIDERS",
    "Optic",
    "TargetError",
    "adopt",
    "calibrate",
    "camera_gain",
    "chosen",
    "doubts",
    "facts",
    "known_optics",
    "optics",
    "plane",
]
