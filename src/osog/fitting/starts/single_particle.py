"""The only particle of a scene, and the free names that move it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osog.fitting.starts.extents import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.fitting.problem.parameters import FreeParameters
    from osog.scene import Population, Scene
    from osog.scene.model import FitRole

_ROLES: tuple[FitRole, ...] = (
    "x",
    "y",
    "z",
    "focus",
    "radius",
    "length",
    "index",
    "azimuth",
    "elevation",
)


@dataclass(frozen=True)
class SingleParticle:
    """The only particle of a scene, and the free names that move it.

    Attributes
    ----------
    population : Population
    names : dict
        ``x``, ``y``, ``z``, ``focus``, ``radius``, ``length``, ``index``, ``azimuth``,
        ``elevation`` → free name.
    values : dict
        The same keys (all of them that the shape has) → value in the scene.
    """

    population: Population
    names: dict[str, str]
    values: dict[str, float]

    @property
    def defocus_um(self) -> float:
        """Focus − z in µm."""
        return self.defocus_at({})

    def defocus_at(self, found: Mapping[str, float]) -> float:
        """Focus − z in µm where free names have other values; those left out stay."""
        focus, z = (found.get(self.names.get(key, ""), self.values[key]) for key in ("focus", "z"))
        return focus - z


def single_particle(scene: Scene, free: FreeParameters) -> SingleParticle | None:
    """Find the only particle of a scene and the free names that move it; None for others.

    Parameters
    ----------
    scene : Scene
        With explicit particles.
    free : FreeParameters
    """
    visible = [p for p in scene.populations if p.visible and p.particles]
    if len(visible) != 1 or len(visible[0].particles or ()) != 1:
        return None
    population = visible[0]
    names = {
        str(role): name for name, role in zip(free.names, free.roles, strict=True) if role in _ROLES
    }
    particle = (population.particles or ())[0]
    values = {
        "x": particle.x_um,
        "y": particle.y_um,
        "z": particle.z_um,
        "focus": scene.microscope.focus_planes_um[0],
        "azimuth": particle.orientation_deg[0],
        "elevation": particle.orientation_deg[1],
        "index": _own(particle.index, population.material.index),
    }
    if hasattr(population.shape, "radius_um"):
        values["radius"] = _own(particle.radius_um, population.shape.radius_um)
    if hasattr(population.shape, "length_um"):
        values["length"] = _own(particle.length_um, population.shape.length_um)
    for key, name in names.items():
        values[key] = float(free.start[free.names.index(name)])
    return SingleParticle(population, names, values)


def _own(own: float | None, shared: object) -> float:
    return float(own) if own is not None else number(shared)
