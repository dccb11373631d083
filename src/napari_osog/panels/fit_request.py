"""What a fit is asked to do: a copy of everything that it depends on, and its starting scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from osog.scene import Particle, Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


MOST_NUMBERS = 150
"""Free numbers that one fit takes: each costs an image per step. Beyond, particles are fitted one
by one."""
EACH = "particles[*]."
"""Stands for every particle in the name of a number that each one has."""


class Refusal(ValueError):
    """A fit that cannot be carried out; the message is one sentence for the user."""


@dataclass(frozen=True)
class FitRequest:
    """Everything that one fit depends on; a copy, so that nothing of it changes while it runs.

    Attributes
    ----------
    image : ndarray, shape (Y, X), float64
    scene : Scene
    seed : int
    free : tuple of str
        Dotted names; ``particles[*].x_um`` stands for that number of every particle.
    bounds : mapping of names to (low, high)
    start : str
        "sliders", "detect" or "points".
    points : tuple of (row, column)
        In pixels; for the start "points".
    population : str
        Name of the population that points belong to and that is looked for; "" is the first.
    region : (y0, y1, x0, x1) or None
    linear : str
        See `osog.fitting.fit`.
    optics : str
        "uncertain" or "exact".
    device : str
        "cpu" or "cuda".
    every : bool
        Whether every particle like those of the population is looked for and fitted by itself.
    """

    image: NDArray[np.float64]
    scene: Scene
    seed: int = 0
    free: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    start: str = "sliders"
    points: tuple[tuple[float, float], ...] = ()
    population: str = ""
    region: tuple[int, int, int, int] | None = None
    linear: str = "auto"
    optics: str = "uncertain"
    device: str = "cpu"
    every: bool = False


def visible_particles(scene: Scene) -> int | None:
    """Particles that a scene draws; None when chance decides their number."""
    total = 0
    for population in scene.populations:
        if not population.visible:
            continue
        if population.number is None:
            return None
        total += population.number
    return total


def prepared(request: FitRequest) -> tuple[Scene, str, tuple[str, ...]]:
    """Return the scene at whose numbers a fit begins, the start option, and notes for the user.

    Raises
    ------
    Refusal
        If there is nothing to start from.
    """
    from osog.sample import explicit

    raise_if_empty(request)
    if request.start == "points":
        return _from_points(request), "scene", _left_out(request)
    if request.start == "detect":
        if visible_particles(request.scene) == 1:
            return explicit(request.scene, request.seed), "detect", ()
        return _from_detection(request)
    scene = explicit(request.scene, request.seed)
    if not visible_particles(scene):
        raise Refusal(
            "The sample holds no particles; let them be detected, or add some in the viewer."
        )
    return scene, "scene", ()


def raise_if_empty(request: FitRequest) -> None:
    """Refuse to fit where there is no population that could be placed or looked for.

    Raises
    ------
    Refusal
    """
    if not any(population.visible for population in request.scene.populations):
        raise Refusal("The sample holds no particles; add a population in the Simulate panel.")


def population_looked_for(scene: Scene, name: str) -> int:
    """Number of the population that is looked for, or placed at points; -1 where none is visible.

    It is the named one, or the first.
    """
    visible = [k for k, p in enumerate(scene.populations) if p.visible]
    named = [k for k in visible if scene.populations[k].name == name]
    return next(iter(named or visible), -1)


def _chosen(request: FitRequest) -> int:
    return population_looked_for(request.scene, request.population)


def _left_out(request: FitRequest) -> tuple[str, ...]:
    chosen = request.scene.populations[_chosen(request)]
    others = [p.name for p in request.scene.populations if p.visible and p.name != chosen.name]
    if not others:
        return ()
    return (f"Only '{chosen.name}' was placed; left out: {', '.join(others)}.",)


def _with_particles(request: FitRequest, particles: tuple[Particle, ...]) -> Scene:
    """Return the scene with these particles alone, sizes shared unless each one's is free."""
    from osog.sample import explicit

    populations = []
    chosen = _chosen(request)
    for k, population in enumerate(request.scene.populations):
        if k != chosen:
            populations.append(population.model_copy(update={"visible": False}))
            continue
        shape, update = population.shape, {}
        for name in shape.size_fields():
            each = [getattr(p, name) for p in particles]
            if f"{EACH}{name}" in request.free:
                continue
            shared = getattr(shape, name)
            varied = f"populations.{population.name}.shape.{name}" in request.free
            lawful = not isinstance(shared, int | float | tuple)
            if (varied or lawful) and all(isinstance(v, int | float) for v in each):
                update[name] = median(each)
            particles = tuple(p.model_copy(update={name: None}) for p in particles)
        material = population.material
        found = [p.index for p in particles if p.index is not None]
        own = f"populations.{population.name}.material.index"
        if found and (own in request.free or not isinstance(material.index, int | float)):
            material = material.model_copy(update={"index": median(found), "name": None})
        particles = tuple(p.model_copy(update={"index": None}) for p in particles)
        populations.append(
            population.model_copy(
                update={
                    "shape": shape.model_copy(update=update),
                    "material": material,
                    "particles": particles,
                    "count": None,
                    "density_per_mm2": None,
                }
            )
        )
    scene = request.scene.model_copy(update={"populations": tuple(populations)})
    return explicit(Scene.parse(scene.model_dump()), request.seed)


def _from_points(request: FitRequest) -> Scene:
    population = request.scene.populations[_chosen(request)]
    pixel = request.scene.grid.pixel_size_um
    depth = population.placement.z_um
    z = float(depth) if isinstance(depth, int | float) else float(depth.centre)
    angles = (population.particles or (Particle(),))[0].orientation_deg
    return _with_particles(
        request,
        tuple(
            Particle(x_um=c * pixel, y_um=r * pixel, z_um=z, orientation_deg=angles)
            for r, c in request.points
        ),
    )


def _from_detection(request: FitRequest) -> tuple[Scene, str, tuple[str, ...]]:
    from osog.detection import detect

    population = request.scene.populations[_chosen(request)]
    found = detect(
        request.image,
        request.scene,
        population=population.name,
        mask=np.isfinite(request.image),
        device=request.device,
    )
    if request.region is not None:
        found = tuple(p for p in found if _inside(p, request))
    if not found:
        raise Refusal(
            f"No particle like those of '{population.name}' was found; check its size and index, "
            "or click on the particles in a Points layer and start from there."
        )
    number = f"{len(found)} particle{'s' if len(found) > 1 else ''} found."
    return _with_particles(request, found), "scene", (number, *_left_out(request))


def in_region(request: FitRequest, scene: Scene) -> tuple[Particle, ...]:
    """Listed particles of the population that is looked for, those outside the region left out."""
    population = scene.populations[population_looked_for(scene, request.population)]
    return tuple(p for p in population.particles or () if _inside(p, request))


def _inside(particle: Particle, request: FitRequest) -> bool:
    if request.region is None:
        return True
    y0, y1, x0, x1 = request.region
    row = particle.y_um / request.scene.grid.pixel_size_um
    column = particle.x_um / request.scene.grid.pixel_size_um
    return y0 - 0.5 <= row < y1 - 0.5 and x0 - 0.5 <= column < x1 - 0.5


def expanded(
    request: FitRequest, scene: Scene
) -> tuple[tuple[str, ...], dict[str, tuple[float, float]]]:
    """Free names and bounds with every particle's own name in place of ``particles[*]``.

    Particles outside the region are held, and so are populations that are not drawn.

    Raises
    ------
    Refusal
        If nothing is free.
    """
    listed = [p for pop in scene.populations if pop.visible for p in pop.particles or ()]
    numbers = [k for k, particle in enumerate(listed) if _inside(particle, request)]
    left_out = tuple(f"populations.{p.name}." for p in scene.populations if not p.visible)
    shared = [name for name in request.free if not name.startswith((EACH, *left_out))]
    words = [name.removeprefix(EACH) for name in request.free if name.startswith(EACH)]
    names = [f"particles[{k}].{word}" for k in numbers for word in words] + shared
    bounds = {name: request.bounds[name] for name in shared if name in request.bounds}
    for word in words:
        if f"{EACH}{word}" in request.bounds:
            own = request.bounds[f"{EACH}{word}"]
            bounds |= {f"particles[{k}].{word}": own for k in numbers}
    if not names:
        raise Refusal("Nothing is free: tick at least one parameter in the table.")
    return tuple(names), bounds


__all__ = [
    "EACH",
    "MOST_NUMBERS",
    "FitRequest",
    "Refusal",
    "expanded",
    "in_region",
    "population_looked_for",
    "prepared",
    "raise_if_empty",
    "visible_particles",
]
