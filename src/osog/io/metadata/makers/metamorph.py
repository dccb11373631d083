"""MetaMorph's stacks (STK), and TIFFs of MetaXpress (MetaSeries)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from osog.io.metadata.makers.objective import of_objective
from osog.io.metadata.numbers import micrometres, number, pixel_size, possible
from osog.io.metadata.ome import OmeImage
from osog.io.micrograph import Known, Optics

_STK, _META = "from MetaMorph", "from MetaSeries"
_EXPOSURE = re.compile(r"Exposure(?: Time)?\s*[:=]?\s*(\d+(?:[.,]\d+)?)\s*(s|ms|msec|sec|us|µs)\b")
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "µs": 1e-6}


def of_stk(file: Any, series: Any) -> OmeImage:
    """Read a stack's tags; a calibration counts only where it is switched on."""
    stated = file.stk_metadata
    optics = Optics()
    if stated.get("SpatialCalibration"):
        optics = _calibrated(
            stated.get("XCalibration"),
            stated.get("YCalibration"),
            stated.get("CalibrationUnits"),
            _STK,
        )
    properties = {
        str(p.get("name")): p.get("value") for p in _list(stated.get("PlaneProperty"))
    } | {str(p.get("name")): p.get("value") for p in _list(stated.get("ImageProperty"))}
    waves = {
        float(w) for w in np.atleast_1d(np.asarray(stated.get("Wavelengths", ()), dtype=float))
    }
    return OmeImage(
        (
            optics.otherwise(_of_properties(properties, _STK)).otherwise(
                Optics(
                    wavelength_um=_only_wave(waves, _STK),
                    exposure_s=_exposure(stated.get("PlaneDescriptions") or (), _STK),
                )
            ),
        )
    )


def of_metaseries(file: Any, series: Any) -> OmeImage:
    """Read the XML of MetaXpress."""
    stated = file.metaseries_metadata
    plane = stated.get("PlaneInfo") or {}
    optics = Optics()
    if plane.get("spatial-calibration-state"):
        optics = _calibrated(
            plane.get("spatial-calibration-x"),
            plane.get("spatial-calibration-y"),
            plane.get("spatial-calibration-units"),
            _META,
        )
    wave = number(plane.get("wavelength"))
    return OmeImage(
        (
            optics.otherwise(_of_properties(plane, _META)).otherwise(
                Optics(
                    wavelength_um=_only_wave({wave} if wave is not None else set(), _META),
                    exposure_s=_exposure(_texts(stated, plane), _META),
                )
            ),
        )
    )


def _texts(stated: dict[str, Any], plane: dict[str, Any]) -> list[str]:
    words = stated.get("Description") or plane.get("Description") or ""
    return [f"Exposure: {plane.get('Exposure Time', '')}", str(words)]


def _list(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value]
    return [v for v in value or () if isinstance(v, dict)]


def _calibrated(across: Any, down: Any, unit: Any, source: str) -> Optics:
    factor = micrometres(unit)
    if factor is None:
        return Optics()
    sides = [v * factor if (v := number(side)) is not None else None for side in (across, down)]
    return pixel_size(sides[0], sides[1], source)


def _of_properties(properties: dict[str, Any], source: str) -> Optics:
    """Numbers of the magnification setting that MetaMorph was told."""
    aperture = possible("numerical_aperture", number(properties.get("_MagNA_")), source)
    index = possible("immersion_index", number(properties.get("_MagRI_")), source)
    name = properties.get("_MagSetting_")
    return Optics(numerical_aperture=aperture, immersion_index=index).otherwise(
        of_objective(name, source)
    )


def _only_wave(waves_nm: set[float], source: str) -> Known | None:
    """Wavelength on which all planes agree."""
    if len(waves_nm) != 1:
        return None
    return possible("wavelength_um", waves_nm.pop() / 1e3, source)


def _exposure(texts: Any, source: str) -> Known | None:
    found = {
        round((number(m[1]) or 0.0) * _SECONDS[m[2]], 9)
        for text in texts
        for m in _EXPOSURE.finditer(str(text))
    }
    return possible("exposure_s", found.pop(), source) if len(found) == 1 else None


__all__ = ["of_metaseries", "of_stk"]
