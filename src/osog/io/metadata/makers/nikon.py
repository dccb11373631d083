"""The numbers of Nikon's ND2, as the package nd2 hands them over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.io.metadata.makers.objective import of_objective
from osog.io.metadata.numbers import number, pixel_size, possible
from osog.io.metadata.ome import OmeImage, immersed
from osog.io.micrograph import Known, Optics

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = "from ND2"


def of_nd2(file: Any) -> OmeImage:
    """Read the optics of each channel, number by number.

    Parameters
    ----------
    file : nd2.ND2File
    """
    channels = file.metadata.channels or ()
    exposures = _exposures(file)
    optics = []
    for channel in channels:
        # Colours of a colour camera have wavelengths that are the package's, not the file's.
        wave = None if file.is_rgb else _wave(channel.channel)
        own = exposures.get(channel.channel.index)
        if own is None and len(exposures) == 1:  # one for all that a scanner detects at once
            own = next(iter(exposures.values()))
        optics.append(
            immersed(
                _pixel(channel.volume)
                .otherwise(_lens(channel.microscope))
                .otherwise(Optics(wavelength_um=wave, exposure_s=own))
            )
        )
    names = tuple(str(channel.channel.name or "") for channel in channels)
    return OmeImage(tuple(optics), names) if optics else OmeImage()


def _pixel(volume: Any) -> Optics:
    """Size of a pixel; the package says 1 µm where the file has none."""
    if not all(volume.axesCalibrated[:2]) or any(
        axis != "distance" for axis in volume.axesInterpretation[:2]
    ):
        return Optics()
    sides = [number(side) for side in volume.axesCalibration[:2]]
    if 1.0 in sides:
        doubt = "The file states pixels of 1 µm, which also stands for pixels of unknown size."
        return Optics(doubts={"pixel_size_um": doubt})
    return pixel_size(sides[0], sides[1], _SOURCE)


def _lens(microscope: Any) -> Optics:
    found: dict[str, Any] = {
        name: possible(name, number(getattr(microscope, key)), _SOURCE)
        for name, key in (
            ("numerical_aperture", "objectiveNumericalAperture"),
            ("magnification", "objectiveMagnification"),
            ("immersion_index", "immersionRefractiveIndex"),
        )
    }
    named = of_objective(microscope.objectiveName, _SOURCE)
    return Optics(**found).otherwise(named)


def _wave(channel: Any) -> Known | None:
    for key, words in (
        ("emissionLambdaNm", "emission wavelength"),
        ("excitationLambdaNm", "excitation wavelength"),
    ):
        nm = number(getattr(channel, key))
        found = possible("wavelength_um", None if nm is None else nm / 1e3, f"{_SOURCE}, {words}")
        if found is not None:
            return found
    return None


def _exposures(file: Any) -> dict[int, Known]:
    """Exposure of each setting of the camera; the file has milliseconds."""
    found: dict[int, Known] = {}
    try:
        block = "ImageMetadataSeqLV|0" if file.version >= (3, 0) else "ImageMetadataSeq|0"
        stated = file.unstructured_metadata(include={block}, strip_prefix=False)
        for settings in _named(stated, "sSampleSetting"):
            for key, setting in settings.items():
                value = number(setting.get("dExposureTime"))
                known = possible("exposure_s", None if value is None else value / 1e3, _SOURCE)
                if known is not None and key[:1] == "a":
                    found[int(key[1:])] = known
    except Exception:  # an odd setting costs no other number
        return {}
    return found


def _named(tree: Any, name: str) -> Iterator[dict[str, Any]]:
    """All branches of a name."""
    if isinstance(tree, dict):
        for key, branch in tree.items():
            if key == name and isinstance(branch, dict):
                yield branch
            else:
                yield from _named(branch, name)


__all__ = ["of_nd2"]
