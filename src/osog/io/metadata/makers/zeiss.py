"""Zeiss: LSM of confocal microscopes, TIFFs of electron microscopes."""

from __future__ import annotations

from typing import Any

from osog.io.metadata.makers.objective import of_objective
from osog.io.metadata.numbers import micrometres, number, pixel_size, possible
from osog.io.metadata.ome import OmeImage
from osog.io.micrograph import Known, Optics

_SOURCE = "from LSM"
_METRES = 1e6
WIDEST_BAND_NM = 100.0
"""Detection bands up to this width have a middle that stands for them."""


def of_lsm(file: Any, series: Any) -> OmeImage:
    """Read an LSM's header: voxels in metres, tracks with their channels."""
    stated = file.lsm_metadata
    scan = stated.get("ScanInformation") or {}
    shared = pixel_size(
        _times(stated.get("VoxelSizeX")), _times(stated.get("VoxelSizeY")), _SOURCE
    ).otherwise(of_objective(scan.get("Objective"), _SOURCE))
    count = int(stated.get("DimensionChannels", 1))
    detected = [
        (track, channel)
        for track in scan.get("Tracks") or ()
        for channel in track.get("DetectionChannels") or ()
        if channel.get("Acquire", 0)
    ]
    if len(detected) != count:
        return OmeImage((shared,) * max(count, 1), _names(stated, count))
    optics = tuple(
        shared.otherwise(Optics(wavelength_um=_wavelength(track, channel)))
        for track, channel in detected
    )
    return OmeImage(optics, _names(stated, count))


def _times(metres: Any) -> float | None:
    size = number(metres)
    return None if size is None else size * _METRES


def _names(stated: dict[str, Any], count: int) -> tuple[str, ...]:
    colours = stated.get("ChannelColors") or {}
    names = tuple(str(n) for n in colours.get("ColorNames") or ())
    return names if len(names) == count else ("",) * max(count, 1)


def _wavelength(track: dict[str, Any], channel: dict[str, Any]) -> Known | None:
    band = middle_of_band(
        number(channel.get("SpiWavelengthStart")), number(channel.get("SpiWavelengthStop")), _SOURCE
    )
    if band is not None:
        return band
    lasers = [
        number(lamp.get("Wavelength"))
        for lamp in track.get("IlluminationChannels") or ()
        if lamp.get("Aquire", lamp.get("Acquire", 0))
    ]
    if len(lasers) != 1 or lasers[0] is None:
        return None
    return possible("wavelength_um", lasers[0] / 1e3, f"{_SOURCE}, excitation wavelength")


def middle_of_band(start_nm: float | None, stop_nm: float | None, source: str) -> Known | None:
    """Middle of a band of detected light, unless it is too wide to have one."""
    if start_nm is None or stop_nm is None or not 0 < stop_nm - start_nm <= WIDEST_BAND_NM:
        return None
    words = f"{source}, middle of the detected band {start_nm:.4g}–{stop_nm:.4g} nm"
    return possible("wavelength_um", (start_nm + stop_nm) / 2e3, words)


def of_sem(file: Any, series: Any) -> OmeImage:
    """Read the pixel size of an electron micrograph: of the image, not of the screen."""
    stated = file.sem_metadata
    for key in ("ap_image_pixel_size", "ap_pixel_size"):
        entry = stated.get(key)
        if entry is not None and len(entry) == 3:
            size, factor = number(entry[1]), micrometres(entry[2])
            if size is not None and factor is not None:
                return OmeImage((pixel_size(size * factor, None, "from Zeiss SEM"),))
    return OmeImage()


__all__ = ["WIDEST_BAND_NM", "middle_of_band", "of_lsm", "of_sem"]
