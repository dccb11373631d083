"""Lamps, lasers and filters: the wavelength and the spectrum of the light."""

from typing import Any

from osog.scene.instruments.item import Instrument

_NIST = "NIST Atomic Spectra Database"
_THORLABS = "Thorlabs, mounted LEDs, specification sheets"
_FILTER = "by its designation: centre/width of the pass band in nm"


def _light(name: str, um: float, spectrum: dict[str, Any], source: str, note: str) -> Instrument:
    return Instrument(
        name=name,
        kind="light",
        fields={"microscope.wavelength_um": um, "microscope.spectrum": spectrum},
        source=source,
        note=note,
    )


def _line(name: str, um: float, source: str = _NIST, note: str = "line") -> Instrument:
    return _light(name, um, {"kind": "monochromatic"}, source, note)


def _band(name: str, nm: float, width: float, source: str, note: str) -> Instrument:
    return _light(name, nm / 1000, {"kind": "led", "bandwidth_nm": float(width)}, source, note)


_HALOGEN = {"kind": "halogen", "temperature_k": 3200.0}
_ALL = (
    _light("halogen 3200 K", 0.55, _HALOGEN, "Osram 64625 HLX (12 V, 100 W)", "photo setting"),
    _light(
        "halogen 3200 K + daylight filter", 0.55, {"kind": "halogen", "temperature_k": 5500.0},
        "blue filter LBD to about 5500 K, as on microscope stands", "looks white",
    ),
    _light("white LED", 0.55, {"kind": "white_led", "blue_share": 0.3},
           "Schubert, Light-Emitting Diodes (2006)", "InGaN and YAG:Ce"),
    _line("mercury i 365.0", 0.365015), _line("mercury h 404.7", 0.404656),
    _line("mercury g 435.8", 0.435833), _line("mercury e 546.1", 0.546074),
    _line("mercury 577.0", 0.576960), _line("sodium D 589.3", 0.589300),
    _line("laser He-Ne 632.8", 0.632816, note="laser"),
    _line("laser Ar 488.0", 0.487986, note="laser"),
    _line("laser Ar 514.5", 0.514532, note="laser"),
    _line("laser Nd:YAG 532", 0.532100, "second harmonic of the 1.0642 µm line", "laser"),
    _line("laser diode 405", 0.405, "nominal wavelength", "laser"),
    _line("laser diode 640", 0.640, "nominal wavelength", "laser"),
    _band("Thorlabs M405L4", 405, 12.5, _THORLABS, "LED"),
    _band("Thorlabs M455L4", 455, 18, _THORLABS, "LED"),
    _band("Thorlabs M530L4", 530, 35, _THORLABS, "LED"),
    _band("Thorlabs M625L4", 625, 17, _THORLABS, "LED"),
    _band("Thorlabs M660L4", 660, 20, _THORLABS, "LED"),
    _band("filter 447/60", 447, 60, _FILTER, "Semrock FF02-447/60"),
    _band("filter 460/50", 460, 50, _FILTER, "Chroma ET460/50m"),
    _band("filter 520/35", 520, 35, _FILTER, "Semrock FF01-520/35"),
    _band("filter 525/50", 525, 50, _FILTER, "Chroma ET525/50m"),
    _band("filter 550/10", 550, 10, _FILTER, "Thorlabs FB550-10"),
    _band("filter 593/40", 593, 40, _FILTER, "Semrock FF01-593/40"),
    _band("filter 605/70", 605, 70, _FILTER, "Chroma ET605/70m"),
    _band("filter 632/10", 632, 10, _FILTER, "interference filter"),
)  # fmt: skip
LIGHTS: dict[str, Instrument] = {item.name: item for item in _ALL}
"""Lamps, lasers, LEDs and filters by name; a pass band is taken as a Gaussian of the same width."""
