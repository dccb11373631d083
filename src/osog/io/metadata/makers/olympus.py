"""The settings of Olympus's OIF and OIB: text in sections, for the scan and for each plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.io.metadata.makers.objective import of_objective
from osog.io.metadata.numbers import micrometres, number, pixel_size, possible
from osog.io.metadata.ome import OmeImage, immersed
from osog.io.micrograph import Known, Optics

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCE = "from OIF"


def of_oif(
    main: Mapping[str, Mapping[str, Any]],
    plane: Mapping[str, Mapping[str, Any]],
    count: int,
    *,
    spectral: bool = False,
) -> OmeImage:
    """Read the optics of each channel.

    Parameters
    ----------
    main : mapping
        Sections of the file's own settings.
    plane : mapping
        Sections of the settings of its first plane, which know the lens.
    count : int
        Channels that the file holds.
    spectral : bool
        Whether the detected band moves from plane to plane; the wavelength is then unknown.
    """
    lens = plane.get("Acquisition Parameters Common", {})
    shared = (
        _pixel(plane.get("Image Parameters", {}))
        .otherwise(_pixel(main.get("Reference Image Parameter", {})))
        .otherwise(
            Optics(
                numerical_aperture=possible(
                    "numerical_aperture", number(lens.get("ObjectiveLens NAValue")), _SOURCE
                ),
                magnification=possible("magnification", number(lens.get("Magnification")), _SOURCE),
            )
        )
        .otherwise(of_objective(lens.get("ObjectiveLens Name"), _SOURCE))
    )
    channels = [main.get(f"Channel {k + 1} Parameters", {}) for k in range(max(count, 1))]
    waves = [None if spectral else _wave(c) for c in channels]
    return OmeImage(
        tuple(immersed(shared.otherwise(Optics(wavelength_um=w))) for w in waves),
        tuple(_name(c) for c in channels),
    )


def _pixel(section: Mapping[str, Any]) -> Optics:
    sides = []
    for axis in ("Width", "Height"):
        size, factor = (
            number(section.get(f"{axis}ConvertValue")),
            micrometres(section.get(f"{axis}Unit")),
        )
        sides.append(None if size is None or factor is None else size * factor)
    if None in sides:  # a line that was scanned again and again has no rows in space
        return Optics()
    return pixel_size(sides[0], sides[1], _SOURCE)


def _wave(channel: Mapping[str, Any]) -> Known | None:
    through = str(channel.get("LightType", "")).casefold().startswith("trans")
    for key, words in (
        ("EmissionWavelength", "emission wavelength"),
        ("ExcitationWavelength", "excitation wavelength"),
    ):
        if through and key == "EmissionWavelength":
            continue  # light that passes keeps its wavelength
        nm = number(channel.get(key))
        found = possible("wavelength_um", None if nm is None else nm / 1e3, f"{_SOURCE}, {words}")
        if found is not None:
            return found
    return None


def _name(channel: Mapping[str, Any]) -> str:
    dye = str(channel.get("DyeName", "")).strip()
    return dye if dye and dye != "None" else str(channel.get("CH Name", "")).strip()


__all__ = ["of_oif"]
