"""Micro-Manager: settings with each page, or in the file metadata.txt beside the images."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osog.io.metadata.makers.objective import of_objective
from osog.io.metadata.numbers import number, pixel_size, possible
from osog.io.metadata.ome import OmeImage
from osog.io.micrograph import Known, Optics

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCE = "from Micro-Manager"
_TAG = 51123
_LENS = re.compile(r"(objective|nosepiece|turret|revolver).*-Label$", re.I)
# Electrons in a count: as the adapters of Hamamatsu and of PVCAM name it.
_GAINS = ("CONVERSION FACTOR COEFF", "Actual Gain e/ADU")
_MOST_BYTES = 200_000_000


def of_micromanager(file: Any, series: Any) -> OmeImage | None:
    """Read the settings of the first plane of each channel."""
    first = _settings(series, 0) or _beside(Path(file.filehandle.path), file)
    if first is None:
        return None
    stated = file.micromanager_metadata if file.is_micromanager else None
    summary = (stated or {}).get("Summary") or {}
    count = dict(zip(series.get_axes(False), series.get_shape(False), strict=False)).get("C", 1)
    if count < 2:
        return OmeImage((_of_settings(first, summary),))
    each = [_settings(series, at) for at in _first_of_channels(series, count)]
    optics = tuple(Optics() if s is None else _of_settings(s, summary) for s in each)
    names = [str(n) for n in summary.get("ChNames") or ()]
    return OmeImage(optics, tuple(names) if len(names) == count else ("",) * count)


def _first_of_channels(series: Any, count: int) -> list[int]:
    """Numbers of the pages at which the channels start."""
    axes, shape = series.get_axes(False), series.get_shape(False)
    step = 1
    for axis, size in zip(reversed(axes), reversed(shape), strict=False):
        if axis == "C":
            break
        if axis not in "YXS":
            step *= size
    return [c * step for c in range(count)]


def _settings(series: Any, number_of_page: int) -> Mapping[str, Any] | None:
    """Settings in the tag of a page."""
    page = series[number_of_page] if number_of_page < len(series) else None
    if page is None:
        return None
    tag = page.aspage().tags.get(_TAG)
    value = None if tag is None else tag.value
    if isinstance(value, str | bytes):
        value = json.loads(value)
    return value if isinstance(value, dict) else None


def _beside(path: Path, file: Any) -> Mapping[str, Any] | None:
    """Settings of an image that was saved alone; one text in its folder describes them all."""
    notes = path.parent / "metadata.txt"
    if len(file.pages) != 1 or not notes.is_file() or notes.stat().st_size > _MOST_BYTES:
        return None
    stated = json.loads(notes.read_text("utf-8", errors="replace"))
    for key, entry in stated.items():
        if isinstance(entry, dict) and (
            str(entry.get("FileName", "")).rsplit("/", 1)[-1] == path.name
            or key.rsplit("/", 1)[-1] == path.name
        ):
            return entry
    return None


def _of_settings(settings: Mapping[str, Any], summary: Mapping[str, Any]) -> Optics:
    """Numbers of one plane.

    The core multiplies its pixel size with the binning of the camera; 0 says that none is set.
    """
    stated = {k: v.get("PropVal") if isinstance(v, dict) else v for k, v in settings.items()}
    size = number(stated.get("PixelSizeUm"))
    if size is None:
        size = number(summary.get("PixelSize_um"))
    exposure = number(stated.get("Exposure-ms"))
    lenses = {str(v) for k, v in stated.items() if _LENS.search(k)}
    lens = of_objective(lenses.pop(), _SOURCE) if len(lenses) == 1 else Optics()
    return (
        pixel_size(size, None, _SOURCE)
        .otherwise(lens)
        .otherwise(
            Optics(
                exposure_s=possible(
                    "exposure_s", None if exposure is None else exposure / 1e3, _SOURCE
                ),
                gain_electrons_per_count=_gain(stated),
            )
        )
    )


def _gain(stated: Mapping[str, Any]) -> Known | None:
    """Electrons in a count, of the camera that took the plane or of the only one."""
    found = {
        key: number(value)
        for key, value in stated.items()
        for name in _GAINS
        if key.endswith(f"-{name}")
    }
    camera = stated.get("Camera") or stated.get("Core-Camera")
    own = [v for k, v in found.items() if camera and k.startswith(f"{camera}-")]
    chosen = own or list(found.values())
    if len(chosen) != 1:
        return None
    return possible("gain_electrons_per_count", chosen[0], _SOURCE)


__all__ = ["of_micromanager"]
