"""The XML of Zeiss's CZI: lengths in metres, wavelengths in nm, times in ns."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring

from osog.io.metadata.makers.objective import immersion, of_objective
from osog.io.metadata.makers.zeiss import middle_of_band
from osog.io.metadata.numbers import number, pixel_size, possible
from osog.io.metadata.ome import OmeImage, has_dtd, immersed
from osog.io.micrograph import Known, Optics

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = "from CZI"


def of_czi_xml(text: str, count: int) -> OmeImage:
    """Read the optics of each channel.

    Parameters
    ----------
    text : str
        XML of the whole file.
    count : int
        Channels that the file holds. Where the XML describes another number of them, nothing
        says which is which.
    """
    if has_dtd(text):
        return OmeImage()
    root = fromstring(text)
    shared = _pixel(root).otherwise(_lens(root))
    channels = root.findall(".//Information/Image/Dimensions/Channels/Channel")
    if len(channels) != count:
        found = [shared.otherwise(_of_channel(c)) for c in channels] or [shared]
        return OmeImage((immersed(Optics.common(found)),) * max(count, 1), ("",) * max(count, 1))
    return OmeImage(
        tuple(immersed(shared.otherwise(_of_channel(c))) for c in channels),
        tuple(c.get("Name") or "" for c in channels),
    )


def _pixel(root: Element) -> Optics:
    """Size of a pixel of the image: it contains zoom and binning."""
    sides: dict[str, float] = {}
    for distance in root.iterfind(".//Scaling/Items/Distance"):
        value = number(distance.findtext("Value"))
        if value is not None:
            sides[str(distance.get("Id")).upper()] = value * 1e6
    return pixel_size(sides.get("X"), sides.get("Y"), _SOURCE)


def _lens(root: Element) -> Optics:
    settings = root.find(".//Information/Image/ObjectiveSettings")
    reference = None if settings is None else settings.find("ObjectiveRef")
    wanted = None if reference is None else reference.get("Id")
    objectives = root.findall(".//Information/Instrument/Objectives/Objective")
    named = [o for o in objectives if wanted is not None and o.get("Id") == wanted]
    chosen = named or (objectives if len(objectives) == 1 else [])
    index = None
    if settings is not None:
        index = possible("immersion_index", number(settings.findtext("RefractiveIndex")), _SOURCE)
    if len(chosen) != 1:
        return Optics(immersion_index=index)
    lens = chosen[0]
    if index is None:
        index = immersion(lens.findtext("Immersion"), _SOURCE)
    return Optics(
        numerical_aperture=possible("numerical_aperture", number(lens.findtext("LensNA")), _SOURCE),
        magnification=possible(
            "magnification", number(lens.findtext("NominalMagnification")), _SOURCE
        ),
        immersion_index=index,
    ).otherwise(of_objective(lens.get("Name"), _SOURCE))


def _of_channel(channel: Element) -> Optics:
    exposure = number(channel.findtext("ExposureTime"))
    return Optics(
        wavelength_um=next(_wavelengths(channel), None),
        exposure_s=possible("exposure_s", None if exposure is None else exposure / 1e9, _SOURCE),
    )


def _wavelengths(channel: Element) -> Iterator[Known]:
    """Emission, the detected band, the illumination: what stands first counts."""
    emission = number(channel.findtext("EmissionWavelength"))
    if emission is not None:
        found = possible("wavelength_um", emission / 1e3, f"{_SOURCE}, emission wavelength")
        if found is not None:
            yield found
    ranges = [r.text or "" for r in channel.iterfind("DetectionWavelength/Ranges")]
    for start, dash, stop in (r.partition("-") for r in ranges if len(ranges) == 1):
        band = middle_of_band(number(start), number(stop), _SOURCE) if dash else None
        if band is not None:
            yield band
    excitation = number(channel.findtext("ExcitationWavelength"))
    if excitation is not None:
        found = possible("wavelength_um", excitation / 1e3, f"{_SOURCE}, excitation wavelength")
        if found is not None:
            yield found


__all__ = ["of_czi_xml"]
