"""A micrograph that the user opens: whether it is one, and a scene to begin its twin with."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Any

from napari_osog.micrographs import optics
from osog.recognition.levels import picture_levels
from osog.recognition.typical import typical_body
from osog.scene import Camera, Scene
from osog.scene.modalities import MODALITIES
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from osog.recognition.levels import CameraGuess, PictureLevels
    from osog.recognition.typical import TypicalBody

_NAME = "particle"
_SHARE = 0.04
"""Radius of the first sphere, as a share of the shorter side of the frame."""
_LEAST_PX, _MOST_UM = 3.0, 2.0
_CONTRAST = 0.05
"""Index of the first sphere above that of its medium: between cells and plastics."""
_BIREFRINGENCE = 0.01
_OPEN = 0.6
"""Condenser's share of the objective's NA, where nobody knows better."""
_POINTS = 12
"""Directions of light that stand for the condenser, so that the twin comes at once."""
_OWN_EXPOSURE = {
    name: Camera.model_fields[name].default
    for name in ("model", "background_photons", "target_counts", "dark_electrons", "em_gain")
}
"""What else would set the level of a kept camera."""
_DEFOCUS = 2.0
"""Defocus in radii where transparent particles show by it alone."""
_BIG = 0.3
"""Largest radius that a picture gives, as a share of the shorter side of the frame."""
_RIM = 0.75
"""Radius over that of the fringes around it, which count to a body out of focus."""
_SEEN = 0.4
"""Contrast in brightfield of a sphere 0.05 above its medium, 2 radii out of focus: rendered with
radii of 0.7 and 2 µm at NA 0.5 it is 0.46 and 0.66, and -0.33 and -0.20 on the other side."""
_CHANGES = (0.3, 3.0)
"""Factors of that index difference that contrast in brightfield may ask for; less of it than the
smallest gives is less defocus."""
_NEAREST = 0.1
"""Least share of that defocus."""
_PHASE_CONTRASTS = (5e-4, 0.3)
"""Index differences that a measured phase may ask for."""


def is_opened(layer: Any) -> bool:
    """Whether a layer is an image from a file of the user's, and no render or sample of ours."""
    from napari.layers import Image

    if not isinstance(layer, Image) or getattr(layer.source, "path", None) is None:
        return False
    return not (isinstance(layer.metadata, dict) and "osog" in layer.metadata)


def grey_copy(layer: Any) -> tuple[NDArray[np.floating], dict[str, Any]]:
    """Mean of the colours of a layer, and how to show it where the layer lies."""
    known = {n: {"value": k.value, "source": k.source} for n, k in optics(layer).items()}
    options = {
        "name": f"{layer.name} grey",
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "units": layer.units,
        "metadata": {"osog": {"optics": known}},
    }
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    return data[..., :3].mean(axis=-1), options


def begun(
    before: Scene,
    kind: str,
    image: NDArray[np.floating],
    pixel_size_um: float,
    named: Mapping[str, Any],
    *,
    keep_sample: bool,
    camera: CameraGuess | None = None,
    body: TypicalBody | None = None,
) -> Scene:
    """Scene to begin the twin of a micrograph with, on its frame.

    Parameters
    ----------
    before : Scene
    kind : str
        Of the modality.
    image : ndarray, shape (Y, X)
    pixel_size_um : float
    named : mapping
        What the user has chosen from lists, by dotted name: ``microscope.objective``.
    keep_sample : bool
        Whether the sample stays, moved to the middle of the frame; else it is one sphere there.
    camera : CameraGuess, optional
        What gives level and noise of the micrograph; without one there is no camera, unless the
        scene that is kept has one. See `camera_of`.
    body : TypicalBody, optional
        What stands out of the micrograph: the sphere is as large, and stands out about as much.

    Raises
    ------
    SceneError
        If these make no valid scene.
    """
    if keep_sample:
        return replaced(_kept(before, kind, image.shape, pixel_size_um, camera), named)
    modality = MODALITIES[kind]
    radius = _radius_um(kind, image.shape, pixel_size_um, body)
    y, x = (0.5 * (n - 1) * pixel_size_um for n in image.shape)
    contrast, focus = _contrast_and_focus(kind, radius, body)
    material = {"birefringence": _BIREFRINGENCE} if modality.wave == "jones" else {}
    scene = Scene.parse(
        {
            "grid": {"shape": list(image.shape), "pixel_size_um": pixel_size_um},
            "populations": [
                {
                    "name": _NAME,
                    "shape": {"kind": "sphere", "radius_um": radius},
                    "material": material,
                    "particles": [{"x_um": x, "y_um": y, "z_um": 0.0}],
                }
            ],
            "microscope": {
                "modality": {"kind": kind},
                "focus_um": focus,
            },
            "camera": None if camera is None else dict(camera.values),
        }
    )
    scene = replaced(scene, named)
    if modality.backdrop == "phase" and body is not None:  # its chord through the middle
        turns = body.contrast / (2.0 * pi) * scene.microscope.wavelength_um / (2.0 * radius)
        low, high = _PHASE_CONTRASTS
        contrast = min(max(abs(turns), low), high) * (-1.0 if turns < 0.0 else 1.0)
    values = {f"populations.{_NAME}.material.index": round(scene.medium.index + contrast, 4)}
    if modality.condenser and scene.microscope.condenser is None:
        steepest = min(scene.microscope.numerical_aperture, scene.medium.index)
        values["microscope.condenser_numerical_aperture"] = round(_OPEN * steepest, 3)
        values["microscope.source_points"] = _POINTS
    return replaced(scene, values)


def _radius_um(
    kind: str, shape: tuple[int, ...], pixel_size_um: float, body: TypicalBody | None
) -> float:
    """Radius of the first sphere: that of the bodies of the picture; of rings none is read."""
    modality = MODALITIES[kind]
    least, side = _LEAST_PX * pixel_size_um, min(shape) * pixel_size_um
    radius = min(_SHARE * side, _MOST_UM)
    if body is not None and (modality.condenser or not modality.contrast_by_defocus):
        rim = _RIM if modality.contrast_by_defocus else 1.0
        radius = min(rim * body.radius_px * pixel_size_um, _BIG * side)
    return _short(max(radius, least))


def _contrast_and_focus(
    kind: str, radius_um: float, body: TypicalBody | None
) -> tuple[float, float]:
    """Index of the first sphere above its medium, and the focus at which it shows."""
    modality = MODALITIES[kind]
    if not modality.contrast_by_defocus:
        return _CONTRAST, 0.0
    focus = _short(_DEFOCUS * radius_um)
    if body is None:
        return _CONTRAST, 0.0 if modality.condenser else focus
    if not modality.condenser:
        return _CONTRAST, focus
    share = abs(body.contrast) / _SEEN
    change = min(max(share, _CHANGES[0]), _CHANGES[1])
    focus = _short(focus * min(max(share / change, _NEAREST), 1.0))
    return _CONTRAST * change, -focus if body.contrast < 0.0 else focus


def _short(value: float) -> float:
    """Three figures: a start is no more exact."""
    return float(f"{value:.3g}")


def camera_of(
    levels: PictureLevels | None, kind: str, gain_electrons_per_count: float | None = None
) -> CameraGuess | None:
    """Camera that gives a twin the level and the noise of its micrograph.

    Parameters
    ----------
    levels : PictureLevels or None
        None for measured values, which no camera has counted.
    kind : str
        Of the modality.
    gain_electrons_per_count : float, optional
        What the file states.
    """
    backdrop = MODALITIES[kind].backdrop
    if levels is None or backdrop == "phase":
        return None
    return levels.camera(
        bright=backdrop == "bright", gain_electrons_per_count=gain_electrons_per_count
    )


def _kept(
    before: Scene,
    kind: str,
    shape: tuple[int, ...],
    pixel_size_um: float,
    camera: CameraGuess | None,
) -> Scene:
    """Scene of another modality and frame, its listed particles moved to the frame's middle."""
    from napari_osog.panels.edits import modality_change

    scene = modality_change(before, kind, {})
    moved = [
        0.5 * (n * pixel_size_um - extent)
        for n, extent in zip(shape, before.grid.extent_um, strict=True)
    ]
    populations = tuple(
        population.model_copy(
            update={
                "particles": tuple(
                    p.model_copy(update={"x_um": p.x_um + moved[1], "y_um": p.y_um + moved[0]})
                    for p in population.particles
                )
            }
        )
        if population.particles is not None
        else population
        for population in scene.populations
    )
    grid = scene.grid.model_copy(update={"shape": tuple(shape), "pixel_size_um": pixel_size_um})
    data = scene.model_copy(update={"populations": populations, "grid": grid}).model_dump()
    if camera is not None and data["camera"] is not None:
        data["camera"] |= _OWN_EXPOSURE | dict(camera.values)
    return Scene.parse(data)


__all__ = ["begun", "camera_of", "grey_copy", "is_opened", "picture_levels", "typical_body"]
