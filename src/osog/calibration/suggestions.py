"""Which numbers of a scene a calibration may move, and within what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osog.calibration.unknowns import Unknowns
from osog.fitting import FitError
from osog.scene import SceneError
from osog.scene.paths import get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.scene import Scene

_WIDE, _NARROW = 4.0, 3.0
"""Factors on counts and depths, and on sizes, either way."""
_CLEAR = 1.5
"""Factor by which bodies that keep clear of each other may be more, so that they find room."""
_LETTERS = "abc"


@dataclass(frozen=True)
class Suggestion:
    """A number that a calibration may move.

    Attributes
    ----------
    name : str
        Dotted name.
    title : str
        What it is, in words, with its unit.
    value : float
        In the scene.
    low, high : float
        Range about it.
    chosen : bool
        Whether it is among those to begin with.
    """

    name: str
    title: str
    value: float
    low: float
    high: float
    chosen: bool


def suggested(scene: Scene) -> list[Suggestion]:
    """Numbers that the statistics of a crowd show, each with a range about its value.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    list of Suggestion
        Populations first, then optics, background and camera. Counts, sizes, index and depth are
        chosen; optics are for those who know that they are not as stated.
    """
    found = []
    for name, title, low, high, chosen in (*_of_populations(scene), *_of_the_rest(scene)):
        try:
            value = float(get(scene, name))
            Unknowns.of(scene, {name: (low, high)})
        except (SceneError, FitError, TypeError, ValueError):
            continue  # not a number of this scene, or its range ends inside
        found.append(Suggestion(name, title, value, low, high, chosen))
    return found


_Line = tuple[str, str, float, float, bool]


def _of_populations(scene: Scene) -> Iterator[_Line]:
    laws = scene.laws_by_name()
    for population in scene.populations:
        if not population.visible:
            continue
        base = f"populations.{population.name}"
        words = population.name
        count = population.count
        if isinstance(count, int) and count > 0:
            most = _CLEAR if population.placement.keeps_clear else _WIDE
            low, high = max(1.0, count // _WIDE), max(8.0, most * count)
            yield f"{base}.count", f"{words}: number in the frame", low, high, True
        for name, law in laws.items():
            field = name.removeprefix(f"{base}.shape.")
            if field == name:
                continue
            if law.law == "lognormal":
                middle = float(get(scene, f"{name}.median"))
                title = f"{words}: {_size_title(population.shape, field)}"
                yield f"{name}.median", title, middle / _NARROW, middle * _NARROW, True
                yield f"{name}.sigma", f"{title}, spread of ln", 0.05, 1.0, False
            elif law.law == "normal":
                middle = float(get(scene, f"{name}.mean"))
                title = f"{words}: {_size_title(population.shape, field)}"
                yield f"{name}.mean", title, middle / _NARROW, middle * _NARROW, True
        for field in type(population.shape).model_fields:
            value = getattr(population.shape, field)
            name = f"{base}.shape.{field}"
            if isinstance(value, float) and field.endswith("_um") and name not in laws:
                title = f"{words}: {_size_title(population.shape, field)}"
                yield name, title, value / _NARROW, value * _NARROW, True
        index = population.material.index
        rise = float(index) - float(scene.medium.index) if isinstance(index, float) else 0.0
        if rise:
            ends = sorted(float(scene.medium.index) + rise * f for f in (1 / _WIDE, _WIDE))
            yield f"{base}.material.index", f"{words}: index", ends[0], ends[1], True
        depth = laws.get(f"{base}.placement.z_um")
        if depth is not None and depth.law == "normal":
            spread = float(get(scene, f"{base}.placement.z_um.std"))
            title = f"{words}: spread of depth, µm"
            yield f"{base}.placement.z_um.std", title, spread / _WIDE, spread * _WIDE, True


def _of_the_rest(scene: Scene) -> Iterator[_Line]:
    optics = scene.microscope
    modality: Any = optics.modality
    aperture = float(optics.numerical_aperture)
    yield "microscope.numerical_aperture", "NA", aperture / 2, aperture * 1.5, False
    if modality.condenser and optics.condenser_in_use > 0:
        used = float(optics.condenser_in_use)
        ends = used / _NARROW, min(_NARROW * used, 0.98 * aperture)
        yield "microscope.condenser_numerical_aperture", "Condenser NA", *ends, False
    if modality.directional:
        name = "microscope.modality"
        yield f"{name}.bias_retardance_deg", "Bias retardance, °", 20.0, 160.0, False
        shear = float(modality.shear_um)
        yield f"{name}.shear_um", "Shear, µm", shear / _NARROW, shear * _NARROW, False
    yield "background.haze", "Haze", 0.0, 0.5, False
    if scene.camera is not None:
        light = float(scene.camera.background_electrons)
        title = "Electrons of the empty field"
        yield "camera.background_electrons", title, light / _WIDE, light * _WIDE, False


def _size_title(shape: Any, field: str) -> str:
    """Title of a size, such as ``semi_axes_um[1]``, with its unit."""
    found = re.fullmatch(r"(\w+?)(?:\[(\d)\])?", field)
    assert found is not None
    info = type(shape).model_fields.get(found[1])
    words = (info.title if info is not None else None) or found[1]
    letter = f" {_LETTERS[int(found[2])]}" if found[2] else ""
    return f"{words.lower()}{letter}, µm"
