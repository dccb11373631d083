"""The XML of one image in Leica's LIF: lengths in metres, wavelengths in nm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.io.metadata.makers.objective import immersion, of_objective
from osog.io.metadata.makers.zeiss import middle_of_band
from osog.io.metadata.numbers import micrometres, number, pixel_size, possible
from osog.io.metadata.ome import OmeImage, immersed
from osog.io.micrograph import Known, Optics

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SOURCE = "from LIF"
_SETTINGS = ("ATLConfocalSettingDefinition", "ATLCameraSettingDefinition")
_SPECTRA = ("5", "9")
_SIDES = {"1": "X", "2": "Y"}


def of_lif_element(element: Element) -> OmeImage:
    """Read the optics of each channel of an image.

    Parameters
    ----------
    element : Element
        ``Element`` of the image; what it says once counts, and settings that contradict each
        other, such as those of several sequences, do not.
    """
    description = element.find("./Data/Image/ImageDescription")
    count = 0 if description is None else len(description.findall("./Channels/ChannelDescription"))
    settings = [s for tag in _SETTINGS for s in element.iterfind(f"./Data/Image/Attachment/{tag}")]
    # Sequential scans repeat the lens in each of their steps.
    steps = [s for tag in _SETTINGS for s in element.iterfind(f".//{tag}") if s not in settings]
    shared = _pixel(element).otherwise(Optics.common([_lens(s) for s in settings or steps]))
    each = _cameras(element, count)
    if not each and not _is_spectral(element):
        each = _bands(settings, count)
    if not each:
        return OmeImage((immersed(shared),) * max(count, 1), ("",) * max(count, 1))
    return OmeImage(
        tuple(immersed(shared.otherwise(optics)) for _, optics in each),
        tuple(name for name, _ in each),
    )


def _pixel(element: Element) -> Optics:
    """Size of a pixel: the length of an axis runs from its first pixel's middle to its last."""
    sides: dict[str, float] = {}
    for axis in element.iterfind("./Data/Image/ImageDescription/Dimensions/DimensionDescription"):
        name = _SIDES.get(axis.get("DimID", ""))
        length, steps = number(axis.get("Length")), number(axis.get("NumberOfElements"))
        factor = micrometres(axis.get("Unit", "m"))
        if name and length is not None and steps is not None and steps > 1 and factor is not None:
            sides[name] = abs(length) * factor / (steps - 1)
    return pixel_size(sides.get("X"), sides.get("Y"), _SOURCE)


def _is_spectral(element: Element) -> bool:
    """Whether the detected band moves from plane to plane."""
    return any(
        axis.get("DimID") in _SPECTRA and axis.get("NumberOfElements") not in ("0", "1")
        for axis in element.iterfind(
            "./Data/Image/ImageDescription/Dimensions/DimensionDescription"
        )
    )


def _lens(settings: Element) -> Optics:
    found: dict[str, Any] = {
        name: possible(name, number(settings.get(key)), _SOURCE)
        for name, key in (
            ("numerical_aperture", "NumericalAperture"),
            ("magnification", "Magnification"),
            ("immersion_index", "RefractionIndex"),
        )
    }
    if found["immersion_index"] is None:
        found["immersion_index"] = immersion(settings.get("Immersion"), _SOURCE)
    return Optics(**found).otherwise(of_objective(settings.get("ObjectiveName"), _SOURCE))


def _cameras(element: Element, count: int) -> list[tuple[str, Optics]]:
    """Channels of a camera, if as many are described as there are."""
    infos = element.findall(
        ".//ATLCameraSettingDefinition/WideFieldChannelConfigurator/WideFieldChannelInfo"
    )
    if len(infos) != count:
        return []
    return [
        (
            info.get("UserDefName") or info.get("FluoCubeName") or "",
            Optics(
                wavelength_um=_wave(info.get("EmissionWavelength")),
                exposure_s=possible("exposure_s", number(info.get("ExposureTime")), _SOURCE),
            ),
        )
        for info in infos
    ]


def _wave(nm: Any) -> Known | None:
    value = number(nm)
    if value is None:
        return None
    return possible("wavelength_um", value / 1e3, f"{_SOURCE}, emission wavelength")


def _bands(settings: list[Element], count: int) -> list[tuple[str, Optics]]:
    """Channels of a confocal scan: the bands of its active detectors, in their order."""
    if len(settings) != 1:
        return []
    active = [
        detector
        for detector in settings[0].iterfind("./DetectorList/Detector")
        if detector.get("IsActive") == "1"
    ]
    bands = {b.get("Channel"): b for b in settings[0].iterfind("./Spectro/MultiBand")}
    if len(active) != count or any(d.get("Channel") not in bands for d in active):
        return []
    found = []
    for detector in active:
        band = bands[detector.get("Channel")]
        middle = middle_of_band(
            number(band.get("LeftWorld")), number(band.get("RightWorld")), _SOURCE
        )
        name = band.get("DyeName") or band.get("ChannelName") or ""
        found.append((name, Optics(wavelength_um=middle)))
    return found


__all__ = ["of_lif_element"]
