"""What a named instrument fills in: fields that a scene does not state, and the pixel size."""

from typing import Any

from osog.scene.instruments.cameras import CAMERAS
from osog.scene.instruments.condensers import CONDENSERS, opened
from osog.scene.instruments.item import Instrument, Kind
from osog.scene.instruments.lights import LIGHTS
from osog.scene.instruments.objectives import OBJECTIVES

TABLES: dict[Kind, dict[str, Instrument]] = {
    "objective": OBJECTIVES,
    "condenser": CONDENSERS,
    "light": LIGHTS,
    "camera": CAMERAS,
}
PLACES: dict[Kind, tuple[str, str]] = {
    "objective": ("microscope", "objective"),
    "condenser": ("microscope", "condenser"),
    "light": ("microscope", "light"),
    "camera": ("camera", "model"),
}
"""Block and field of the scene that hold the name of each kind."""
PIXEL_SIZE = "grid.pixel_size_um"


def find(kind: Kind, name: str) -> Instrument:
    """Row of a table by its name, in any case.

    Raises
    ------
    ValueError
        If it is not in the table.
    """
    plain = " ".join(name.lower().split())
    for known, item in TABLES[kind].items():
        if known.lower() == plain:
            return item
    block, field = PLACES[kind]
    raise ValueError(
        f"{block}.{field} = '{name}' is not in the table of {kind}s; see 'osog instruments' for "
        f"its {len(TABLES[kind])} names, such as '{next(iter(TABLES[kind]))}'."
    )


def pixel_size_um(
    objective: Instrument,
    camera: Instrument,
    *,
    tube_lens_mm: float | None = None,
    relay: float = 1.0,
    binning: int = 1,
) -> float:
    """Width of a camera pixel at the sample.

    Parameters
    ----------
    objective, camera : Instrument
    tube_lens_mm : float, optional
        Focal length in use; the one that the objective's magnification holds for when left out.
    relay : float
        Magnification between tube lens and camera, such as 0.63 of a C-mount adapter.
    binning : int
        Pixels that are joined along each side.

    Returns
    -------
    float
        Pixel × binning / (magnification × tube lens / design tube lens × relay), in µm.
    """
    design = objective.facts["tube_lens_mm"]
    magnification = objective.facts["magnification"] * (tube_lens_mm or design) / design * relay
    return round(camera.facts["pixel_um"] * binning / magnification, 6)


def values_of(kind: Kind, name: str, numerical_aperture: float = 0.0) -> dict[str, Any]:
    """Dotted names and values that an instrument sets.

    Parameters
    ----------
    kind : str
    name : str
    numerical_aperture : float
        Of the objective; the iris of a condenser follows it.
    """
    item = find(kind, name)
    if kind == "condenser":
        return dict(opened(item, numerical_aperture))
    return dict(item.fields)


def filled(data: Any) -> Any:
    """Content of a scene with what its named instruments set and it does not state itself.

    Parameters
    ----------
    data : mapping
        As a scene file has it. Names stand in ``microscope.objective``, ``microscope.condenser``,
        ``microscope.light`` and ``camera.model``; a name alone may stand for the camera.

    Returns
    -------
    mapping
        Stated numbers win. With objective and camera the pixel size at the sample is known too.

    Raises
    ------
    ValueError
        If a name is not in its table.
    """
    if not isinstance(data, dict):
        return data
    if isinstance(data.get("camera"), str):
        data = {**data, "camera": {"model": data["camera"]}}
    named: dict[Kind, Instrument] = {}
    for kind, (block, field) in PLACES.items():
        content = data.get(block)
        name = content.get(field) if isinstance(content, dict) else getattr(content, field, None)
        if isinstance(name, str):
            named[kind] = find(kind, name)
    if not named:
        return data
    data = {key: dict(value) if isinstance(value, dict) else value for key, value in data.items()}
    for kind, item in named.items():
        block, field = PLACES[kind]
        if not isinstance(data[block], dict):
            continue  # a block that is ready states all of its fields
        data[block][field] = item.name
        aperture = data[block].get("numerical_aperture", 0.5)
        aperture = float(aperture) if isinstance(aperture, int | float) else 0.5
        for dotted, value in values_of(kind, item.name, aperture).items():
            data[block].setdefault(dotted.split(".")[1], value)
    grid = data.setdefault("grid", {})
    if "objective" in named and "camera" in named and isinstance(grid, dict):
        grid.setdefault("pixel_size_um", pixel_size_um(named["objective"], named["camera"]))
    return data
