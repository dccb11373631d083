"""Materials by name, with a temperature or a composition behind it where the table has a law."""

import re
from collections.abc import Callable
from functools import cache

from osog.scene.materials.biological import (
    BIOLOGICAL,
    ORGANIC,
    deoxyhaemoglobin,
    haemoglobin,
    protein,
)
from osog.scene.materials.liquids import LIQUIDS, glycerol_in_water, sucrose_in_water, water
from osog.scene.materials.metals import METAL_ROWS
from osog.scene.materials.solids import CRYSTALS, GLASSES, POLYMERS
from osog.scene.materials.substance import Substance

MATERIALS: dict[str, Substance] = {
    row.name: row
    for row in (
        *LIQUIDS, *GLASSES, *POLYMERS, *CRYSTALS, *ORGANIC, *BIOLOGICAL, *METAL_ROWS
    )
}  # fmt: skip
"""Every row of the table by its name."""
SERIES: dict[str, tuple[str, tuple[float, float], Callable[[float], Substance]]] = {
    "water": ("°C", (0.0, 100.0), water),
    "glycerol": ("%", (0.0, 100.0), glycerol_in_water),
    "sucrose": ("%", (0.0, 80.0), sucrose_in_water),
    "haemoglobin": ("g/l", (0.0, 500.0), haemoglobin),
    "deoxyhaemoglobin": ("g/l", (0.0, 500.0), deoxyhaemoglobin),
    "protein": ("g/l", (0.0, 1400.0), protein),
}
"""Names that take a number: its unit, its range, and the row for it."""
_ALSO = {other: row.name for row in MATERIALS.values() for other in row.also}
_SPELLINGS = {"hemoglobin": "haemoglobin", "deoxyhemoglobin": "deoxyhaemoglobin"}
_WITH_NUMBER = re.compile(r"([a-z ]+?) +([0-9]+(?:\.[0-9]+)?) *(°c|c|%|g/l)")


@cache
def find(name: str) -> Substance:
    """Row of the table for a name.

    Parameters
    ----------
    name : str
        Upper or lower case, such as ``polystyrene``, ``NaCl``, ``water 37 °C``, ``glycerol 60 %``
        (by mass) or ``haemoglobin 330 g/l``.

    Raises
    ------
    ValueError
        If it is not known, or its number lies outside the range of the law.
    """
    plain = " ".join(name.lower().split())
    row = MATERIALS.get(_ALSO.get(plain, plain))
    if row is not None:
        return row
    match = _WITH_NUMBER.fullmatch(plain)
    if match is not None:
        series = SERIES.get(_SPELLINGS.get(match[1], match[1]))
        if series is not None and series[0].lower().strip("°") == match[3].strip("°"):
            unit, (low, high), make = series
            number = float(match[2])
            if not low <= number <= high:
                raise ValueError(f"'{name}' must lie between {low:g} and {high:g} {unit}.")
            return make(number)
    raise ValueError(
        f"'{name}' is not known; known names are {', '.join(MATERIALS)}, and with a number "
        f"{', '.join(f'{series} 20 {unit}' for series, (unit, _, _) in SERIES.items())}."
    )


def known(name: str | None) -> Substance | None:
    """Row of the table for a name, or None where there is none."""
    if name is None:
        return None
    try:
        return find(name)
    except ValueError:
        return None


def checked(name: str | None, field: str) -> str | None:
    """Return a name in lower case, or refuse it.

    Raises
    ------
    ValueError
        If it is no name of the table, in a sentence that begins with the field.
    """
    if name is None:
        return None
    try:
        find(name)
    except ValueError as error:
        raise ValueError(f"{field} = {error}") from None
    return " ".join(name.lower().split())


def names() -> tuple[str, ...]:
    """Names of the table, in its order."""
    return tuple(MATERIALS)


def index(name: str, wavelength_um: float) -> float:
    """Refractive index of a material; of the ordinary ray if it is birefringent.

    Parameters
    ----------
    name : str
        As `find` takes it.
    wavelength_um : float
        In vacuum.
    """
    return float(find(name).index(wavelength_um))


def birefringence(name: str, wavelength_um: float) -> float:
    """n_e − n_o of a material. The parameters are those of `index`."""
    return float(find(name).birefringence(wavelength_um))


def absorption_per_um(name: str, wavelength_um: float) -> float:
    """Intensity lost per µm of path. The parameters are those of `index`."""
    return float(find(name).absorption_per_um(wavelength_um))
