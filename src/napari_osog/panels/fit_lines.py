"""The lines of the table of parameters: what may be free, and within which range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_osog.panels.numbers import number
from osog.scene.parameters import Parameter, continuous, describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_osog.micrographs import Optic
    from osog.io import Known
    from osog.scene import ModalityModel, Population, Scene

_EACH = "particles[*]."
_OPTICS_SHOWN = ("focus_um", "numerical_aperture", "wavelength_um")


@dataclass(frozen=True)
class ParameterLine:
    """One line of the table.

    Attributes
    ----------
    name : str
        Dotted name; ``particles[*].x_um`` is that number of every particle; "" is a heading.
    title, unit, help : str
    value : float or None
        In the unit of the scene; None where every particle has its own.
    limits : (float, float)
        What the scene allows.
    factor : float
        Shown = value × factor.
    common : bool
        Whether it is listed unless all are asked for.
    free : bool
    bounds : (float, float) or None
        The user's own range.
    default : (float, float)
        The range that holds otherwise.
    source : str
        Where the value was read.
    """

    name: str
    title: str
    unit: str = ""
    help: str = ""
    value: float | None = None
    limits: tuple[float, float] = (-1e12, 1e12)
    factor: float = 1.0
    common: bool = True
    free: bool = False
    bounds: tuple[float, float] | None = None
    default: tuple[float, float] = (-1e12, 1e12)
    source: str = ""

    @property
    def words(self) -> str:
        """Title, with its unit where that is short."""
        return f"{self.title} ({self.unit})" if 0 < len(self.unit) <= 4 else self.title

    def shown(self, value: float, digits: int = 5) -> str:
        """Text of a value, without its unit."""
        return number(value * self.factor, digits)


def line_of(parameter: Parameter, **changes: Any) -> ParameterLine:
    """Line of a parameter of the scene."""
    factor, unit = (1000.0, "nm") if parameter.name.endswith("wavelength_um") else (1.0, None)
    made = ParameterLine(
        name=parameter.name,
        title=parameter.title,
        unit=parameter.unit if unit is None else unit,
        help=parameter.help,
        value=parameter.value,
        limits=parameter.limits,
        factor=factor,
    )
    return replace(made, **changes)


def lines_for(scene: Scene, single: bool) -> list[ParameterLine]:
    """Lines for a scene, with headings.

    Parameters
    ----------
    scene : Scene
        With explicit particles where they are few.
    single : bool
        Whether exactly one particle is fitted; otherwise the particles share their lines.
    """
    modality = scene.microscope.modality
    known = [p for p in continuous(scene) if not _is_idle(p.name, scene)]
    body = [p for p in known if p.name.startswith("populations.")]
    several = sum(population.visible for population in scene.populations) > 1
    lines: list[ParameterLine] = []
    if single:
        own = [p for p in known if p.name.startswith("particles[0].")]
        lines += _section(
            "Particle", [line_of(p, common=_is_common(p.name, modality)) for p in own]
        )
    else:
        lines += _section("Every particle", _each(scene))
    for population in scene.populations:
        if not population.visible:
            continue
        base = f"populations.{population.name}."
        mine = [
            line_of(p, common=_is_common(p.name, modality)) for p in body if p.name.startswith(base)
        ]
        lines += _section(population.name if several else "Body", mine)
    optics = [p for p in known if p.name.startswith(("microscope.", "medium."))]
    optics.sort(key=lambda p: p.name.startswith("medium."))
    named = [
        line_of(p, title="Medium index" if p.name == "medium.index" else p.title,
                 common=_is_common(p.name, modality))
        for p in optics
    ]  # fmt: skip
    lines += _section("Microscope", named)
    if not modality.measures_phase:
        for title in ("Camera", "Background"):
            start = f"{title.lower()}."
            mine = [line_of(p, common=False) for p in known if p.name.startswith(start)]
            lines += _section(title, mine)
    return lines


def _section(title: str, lines: list[ParameterLine]) -> list[ParameterLine]:
    if not lines:
        return []
    return [ParameterLine("", title, common=any(line.common for line in lines)), *lines]


def _each(scene: Scene) -> list[ParameterLine]:
    """Numbers that every particle has for itself."""
    # The number of particles is None where chance decides it.
    population = next((p for p in scene.populations if p.visible and p.number != 0), None)
    if population is None:
        return []
    shape = population.shape
    sizes = [
        field
        for field, place in shape.columns()
        if place is None and getattr(shape, field) is not None
    ]
    words = ["x_um", "y_um", "z_um"]
    if not population.shape.isotropic:
        words += [f"orientation_deg[{k}]" for k in range(3)]
    lines = []
    for word in (*words, *sizes):
        parameter = describe(scene, f"particles[0].{word}")
        title, common = parameter.title, True
        if word in sizes:
            title, common = f"Own {title.lower()}", _is_drawn(population, word)
        lines.append(
            line_of(parameter, name=f"{_EACH}{word}", title=title, value=None, common=common)
        )
    return lines


def _is_drawn(population: Population, word: str) -> bool:
    """Whether a size is drawn for each particle from a distribution."""
    return not isinstance(getattr(population.shape, word), int | float)


def _is_idle(name: str, scene: Scene) -> bool:
    """Whether a number does nothing in this modality and light."""
    optics, last = scene.microscope, name.rsplit(".", 1)[-1]
    if last.startswith(("condenser_", "oblique_")):
        return not optics.modality.condenser
    if last == "abbe_number" or ".chromatic." in name:
        return optics.spectrum.monochromatic
    return last == "emission_per_um" and not optics.modality.emits


def _is_common(name: str, modality: ModalityModel) -> bool:
    last = name.rsplit(".", 1)[-1]
    if ".aberrations." in name or last in ("absorption_per_um", "abbe_number"):
        return False
    if last == "emission_per_um":
        return modality.emits
    if last == "index" and ".material." in name:
        return not modality.emits
    if last == "birefringence":
        return modality.wave == "jones"
    if last == "orientation_deg[2]" or last.startswith("optic_axis"):
        return False
    if name.startswith("microscope.") and not name.startswith("microscope.modality."):
        return last in _OPTICS_SHOWN or (
            last == "condenser_numerical_aperture" and modality.condenser
        )
    return True


def suggested(scene: Scene, single: bool) -> set[str]:
    """Names that a first fit frees: where the particles are, and what they are."""
    modality = scene.microscope.modality
    names = set()
    for line in lines_for(scene, single):
        last = line.name.rsplit(".", 1)[-1]
        if line.name.startswith("particles["):
            if last in ("x_um", "y_um") or (last == "z_um" and not modality.measures_phase):
                names.add(line.name)
            elif last in ("orientation_deg[0]", "orientation_deg[1]"):
                names.add(line.name)
            elif last == "radius_um" and line.common:
                names.add(line.name)
        elif ".shape." in line.name and last != "core_index":
            names.add(line.name)
        elif line.name.endswith(".material.index") and not modality.emits:
            names.add(line.name)
    return names


def default_bounds(scene: Scene, name: str, fallback: tuple[float, float]) -> tuple[float, float]:
    """Range in which the fit keeps a parameter when the user gives none."""
    from osog.fitting import FitError
    from osog.fitting.problem.parameters import free_parameters

    try:
        found = free_parameters(scene, (name,))
    except FitError:
        return fallback
    return float(found.low[0]), float(found.high[0])


def sources(
    known: Mapping[str, Known], scene: Scene, optics: Mapping[str, Optic]
) -> dict[str, str]:
    """Words for where the numbers of the scene were read, by dotted name.

    Parameters
    ----------
    known : mapping
        As from `napari_osog.micrographs.known_optics`.
    scene : Scene
    optics : mapping
        Keys of `known` → what they set.
    """
    found = {}
    for key, entry in known.items():
        if key not in optics:
            continue
        name = optics[key].parameter
        used = optics[key].used(scene)
        if abs(used - entry.value) <= 1e-6 * max(abs(used), 1e-12):
            found[name] = str(entry.source)
        else:
            found[name] = f"not the {number(entry.value)} of {entry.source}"
    return found


__all__ = [
    "ParameterLine",
    "default_bounds",
    "line_of",
    "lines_for",
    "sources",
    "suggested",
]
