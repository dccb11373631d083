"""Condensers: the range of their numerical aperture."""

from osog.scene.instruments.item import Instrument

_IX, _BX = "Olympus, IX73/IX83 brochure", "Olympus, BX3 system brochure"
_TI = "Nikon, Ti2 brochure"

_ROWS = (
    # name, smallest NA, largest NA, working distance in mm, type, source
    ("Evident IX2-LWUCD", 0.0, 0.55, 27.0, "universal, long distance", _IX),
    ("Evident IX-ULWCD", 0.0, 0.30, 73.0, "ultra-long distance", _IX),
    ("Evident U-UCD8A-2 dry top", 0.0, 0.90, 1.5, "universal", _BX),
    ("Evident U-UCD8A-2 oil top", 0.0, 1.40, 0.63, "universal, oil", _BX),
    ("Evident U-DCD dry", 0.80, 0.92, 4.8, "darkfield", _BX),
    ("Evident U-DCW oil", 1.20, 1.40, 0.8, "darkfield, oil", _BX),
    ("Nikon TI2 LWD", 0.0, 0.52, 30.0, "long distance", _TI),
    ("Nikon TI2 ELWD", 0.0, 0.30, 75.0, "extra-long distance", _TI),
    ("Nikon HNA oil", 0.0, 1.40, 2.0, "high NA, oil", _TI),
    ("Zeiss LD 0.55", 0.0, 0.55, 26.0, "long distance", "Zeiss Axio Observer brochure"),
    ("Zeiss 0.9 achromatic-aplanatic", 0.0, 0.90, 1.2, "dry", "Zeiss Axio Imager brochure"),
)  # fmt: skip
IRIS_SHARE = 0.8
"""Share of the objective's NA to which the iris of a condenser is opened when one is chosen."""


def _condenser(
    name: str, low: float, high: float, mm: float, words: str, source: str
) -> Instrument:
    return Instrument(
        name=name,
        kind="condenser",
        fields={},
        facts={"smallest_na": low, "largest_na": high, "working_distance_mm": mm},
        source=source,
        note=words,
    )


CONDENSERS: dict[str, Instrument] = {item.name: item for item in (_condenser(*r) for r in _ROWS)}
"""Condensers by name; the iris is set by the objective."""


def opened(condenser: Instrument, numerical_aperture: float) -> dict[str, float]:
    """Fields of the scene for a condenser under an objective.

    Parameters
    ----------
    condenser : Instrument
    numerical_aperture : float
        Of the objective.

    Returns
    -------
    dict
        Condenser NA: `IRIS_SHARE` of the objective's, within the range of the condenser; and the
        stop of a darkfield condenser, as a share of that NA.
    """
    low, high = condenser.facts["smallest_na"], condenser.facts["largest_na"]
    if low > 0:
        return {
            "microscope.condenser_numerical_aperture": high,
            "microscope.condenser_stop": round(low / high, 4),
        }
    iris = min(high, IRIS_SHARE * numerical_aperture)
    return {"microscope.condenser_numerical_aperture": round(iris, 4)}
