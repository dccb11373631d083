"""What is to know of the numbers of a scene: words, limits, and which can be varied.

Their dotted names are those of `osog.scene.paths`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from pydantic import BaseModel

from osog.scene.errors import SceneError
from osog.scene.law import Distribution
from osog.scene.model import FitRole, FitTraits
from osog.scene.paths import child, fields_of, get, resolved, split
from osog.scene.population import Particle, Population
from osog.scene.scene import Scene
from osog.scene.shapes import size_fields


@dataclass(frozen=True)
class Parameter:
    """What a panel or a fit needs to know of one continuous parameter.

    Attributes
    ----------
    name : str
        Dotted name.
    title, unit, help : str
        Words for people.
    value : float
        Value in the scene; the centre of a law.
    limits, slider : (float, float)
        Range of validity, and the range that a slider shows.
    step : float
        Step of a spin box.
    log : bool
        Whether the range spans decades.
    role : FitRole or None
        What the number means to a fit.
    fit : FitTraits
        What else a fit needs to know of it.
    """

    name: str
    title: str
    unit: str
    help: str
    value: float
    limits: tuple[float, float]
    slider: tuple[float, float]
    step: float
    log: bool
    role: FitRole | None
    fit: FitTraits


def replaced(scene: Scene, values: Mapping[str, Any]) -> Scene:
    """Return a new validated scene with the given fields changed: `Scene.updated`."""
    return scene.updated(values)


def continuous(scene: Scene) -> Iterator[Parameter]:
    """Every continuous parameter that shapes the noise-free image, in the order of the file.

    Laws and counts are not continuous parameters of one image and contribute none here.
    """
    yield from _walk("microscope", scene.microscope)
    if scene.microscope.cover_glass is not None:  # without one its index only bounds the NA
        yield describe(scene, "microscope.immersion_index")
    yield from _walk("medium", scene.medium)
    index = 0
    for population in scene.populations:
        base = f"populations.{population.name}"
        overrides = _overrides(population)
        for parameter in _walk(f"{base}.shape", population.shape):
            if parameter.name.rsplit(".", 1)[1].split("[")[0] not in overrides:
                yield parameter
        for parameter in _walk(f"{base}.material", population.material):
            if parameter.name.rsplit(".", 1)[1] not in overrides:
                yield parameter
        if population.surface is not None:
            yield from _walk(f"{base}.surface", population.surface)
        for k, inclusions in enumerate(population.inclusions):
            yield from _walk(f"{base}.inclusions[{k}]", inclusions)
        for i, particle in enumerate(population.particles or ()):
            if population.visible and index >= 0:
                yield from _particle_parameters(f"particles[{index + i}]", population, particle)
        if population.visible:
            if population.number is None:
                index = -1_000_000  # the number drawn is random: later ones have no fixed index
            index += population.number or 0
    if scene.camera is not None:
        by_photons = scene.camera.background_photons is not None
        idle = {"background_electrons" if by_photons else "quantum_efficiency"}
        if scene.camera.target_counts is not None:
            idle = {"background_electrons", "background_photons", "quantum_efficiency"}
        if scene.camera.channels == 1:
            idle |= {"white_balance", "colour_matrix"}
        for parameter in _walk("camera", scene.camera):
            if parameter.name.removeprefix("camera.").split("[")[0] not in idle:
                yield parameter
    if not scene.microscope.modality.measures_phase:  # a phase in radians has no light behind it
        yield from _walk("background", scene.background)


def describe(scene: Scene, name: str) -> Parameter:
    """Title, unit, value, limits of one parameter.

    Raises
    ------
    SceneError
        If the scene has no such continuous parameter.
    """
    steps = split(name)
    if steps[0] == "particles" and len(steps) >= 3:
        return _drawn_particle_parameter(scene, name, steps)
    value = get(scene, name)
    if isinstance(value, Distribution):
        value = value.centre
    if isinstance(value, tuple):
        raise SceneError(
            f"'{name}' is not a number that can be varied, but a list; name one of its entries, "
            f"such as {name}[0]."
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SceneError(f"'{name}' is not a number that can be varied.")
    full = resolved(scene, name)
    owner: Any = scene
    model: BaseModel = scene
    field = str(full[0])
    for step in full[:-1]:
        owner = child(owner, step, name)
        if isinstance(owner, BaseModel):
            model = owner
    names = [s for s in full if isinstance(s, str)]
    field = names[-1] if names[-1] in fields_of(model) else names[-2]
    if isinstance(model, Particle):
        # What a particle overrides is described where the shape and the material state it.
        population = scene.populations[int(full[1])]
        for stated in (population.shape, population.material):
            model = stated if field in type(stated).model_fields else model
    return _parameter(name, model, field, float(value), full[-1])


def _drawn_particle_parameter(scene: Scene, name: str, steps: list[str | int]) -> Parameter:
    try:
        path = resolved(scene, name)
    except SceneError:
        path = None
    if path is not None:
        population = scene.populations[int(path[1])]
        assert population.particles is not None
        particle = population.particles[int(path[3])]
        for parameter in _particle_parameters(f"particles[{steps[1]}]", population, particle, True):
            if parameter.name == name:
                return parameter
        raise SceneError(f"'{name}': a {population.shape.kind} has no such number.")
    # A particle that is drawn by chance: its words come from the models, its value from the law.
    population = _owner(scene, int(steps[1]), name)
    stand_in = Particle()
    for parameter in _particle_parameters(f"particles[{steps[1]}]", population, stand_in, True):
        if parameter.name == name:
            return parameter
    raise SceneError(f"'{name}': a {population.shape.kind} has no such number.")


def _owner(scene: Scene, index: int, name: str) -> Population:
    first = 0
    for population in scene.populations:
        if not population.visible:
            continue
        if population.number is None:
            return population
        first += population.number
        if index < first:
            return population
    raise SceneError(f"'{name}': the scene draws only {first} particles.")


def _overrides(population: Population) -> set[str]:
    """Fields that every explicit particle gives itself, so that the population's has no effect."""
    particles = population.particles
    if not particles:
        return set()
    fields = (*size_fields(), "index", "absorption_per_um", "emission_per_um", "birefringence")
    return {f for f in fields if all(getattr(p, f, None) is not None for p in particles)}


def _particle_parameters(
    base: str, population: Population, particle: Particle, everything: bool = False
) -> Iterator[Parameter]:
    for field in ("x_um", "y_um", "z_um"):
        yield _parameter(f"{base}.{field}", particle, field, getattr(particle, field), field)
    if not population.shape.isotropic or _has_an_axis(population, particle):
        for k in range(3):
            name = f"{base}.orientation_deg[{k}]"
            yield _parameter(name, particle, "orientation_deg", particle.orientation_deg[k], k)
    for model in (population.shape, population.material):
        for field in type(model).model_fields:
            if field not in type(particle).model_fields and field not in size_fields():
                continue
            own = getattr(particle, field, None)
            if own is None and not everything:
                continue
            value = own if own is not None else getattr(model, field)
            for suffix, number, key in _numbers(value, field):
                yield _parameter(f"{base}.{field}{suffix}", model, field, number, key)


def _has_an_axis(population: Population, particle: Particle) -> bool:
    """Whether a body of any shape looks different when it is turned: by an axis or inclusions."""
    if population.inclusions:
        return True
    own = particle.birefringence
    return (population.material.birefringence if own is None else own) != 0


def _numbers(value: Any, field: str) -> Iterator[tuple[str, float, str | int]]:
    if isinstance(value, tuple):
        for k, item in enumerate(value):
            for _, number, _ in _numbers(item, field):
                yield f"[{k}]", number, k
    elif isinstance(value, Distribution):
        yield "", value.centre, field
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield "", float(value), field


_COLOURS = ("red", "green", "blue")
_AXES = {
    "orientation_deg": ("Azimuth", "Elevation", "Roll"),
    "white_balance": _COLOURS,
    "colour_matrix": tuple(f"{out} of {into}" for out in _COLOURS for into in _COLOURS),
}


def _parameter(name: str, model: BaseModel, field: str, value: float, key: str | int) -> Parameter:
    info = type(model).model_fields[field]
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    limits: Any = extra.get("limits", (-1e12, 1e12))
    slider: Any = extra.get("slider", limits)
    title = info.title or field
    if isinstance(key, int):
        axes = _AXES.get(field, ("a", "b", "c"))
        if field in ("zernike", "osa"):
            title = f"Zernike {key} ({'Noll' if field == 'zernike' else 'OSA'})"
            limits, slider = (-5.0, 5.0), (-0.5, 0.5)
        elif field == "orientation_deg":
            title = axes[key]
        else:
            title = f"{title} {axes[key]}"
    # Pydantic leaves what `parameter` has put there untyped.
    traits = FitTraits(**cast("Mapping[str, Any]", extra.get("fit", {})))
    return Parameter(
        name=name,
        title=title,
        unit=str(extra.get("unit", "")),
        help=info.description or "",
        value=value,
        limits=(float(limits[0]), float(limits[1])),
        slider=(float(slider[0]), float(slider[1])),
        step=float(extra.get("step", (slider[1] - slider[0]) / 100)),
        log=bool(extra.get("log", False)),
        role=traits.role[int(key)] if isinstance(traits.role, tuple) else traits.role,
        fit=traits,
    )


def _walk(base: str, model: BaseModel) -> Iterator[Parameter]:
    for field, info in type(model).model_fields.items():
        value = getattr(model, field)
        if isinstance(value, BaseModel):
            if not isinstance(value, Distribution):
                yield from _walk(f"{base}.{field}", value)
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        if not extra.get("shapes_image", True) or isinstance(value, bool | str) or value is None:
            continue
        if isinstance(value, int | float):
            yield _parameter(f"{base}.{field}", model, field, float(value), field)
        elif isinstance(value, tuple) and all(isinstance(v, int | float) for v in value):
            for k, item in enumerate(value):
                yield _parameter(f"{base}.{field}[{k}]", model, field, float(item), k)
        elif field in ("zernike", "osa"):
            for k, item in value.items():
                yield _parameter(f"{base}.{field}[{k}]", model, field, float(item), k)
        elif field == "labels":
            for k, item in enumerate(value):
                for inner in _walk(f"{base}.{field}[{k}]", item):
                    if not inner.name.endswith(".label"):
                        title = f"{item.name or f'Label {item.label}'}: {inner.title.lower()}"
                        yield replace(inner, title=title)


__all__ = ["Parameter", "continuous", "describe", "get", "replaced", "split"]
