"""What the rules of sampling are asked: a scene, its particles, an accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import asin, ceil, tan
from typing import TYPE_CHECKING

import torch

from osog.exit_wave.coated_spheres import with_cores
from osog.exit_wave.illumination import Cone
from osog.exit_wave.sampling.cover_glass import cover_glass_um
from osog.exit_wave.sampling.irradiance_band import irradiance_band
from osog.exit_wave.sampling.steps import step_up
from osog.geometry import half_extents
from osog.waves.evanescence import STEEPEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from osog.exit_wave.sampling.accuracy import Accuracy
    from osog.sample import ParticleBatch
    from osog.scene import Scene


_ROUND = ("defocus", "spherical")
"""Aberrations that are the same in every direction."""
_PAIRS = 500
"""Particles of which all pairs are looked at."""


@dataclass(frozen=True)
class SceneFacts:
    """Plain numbers of a scene and its particles that rules of sampling read.

    Attributes
    ----------
    scene : Scene
    batch : ParticleBatch
    """

    scene: Scene
    batch: ParticleBatch

    @cached_property
    def cone(self) -> Cone:
        """Cone of light that the sample is lit with."""
        return Cone.of(self.scene)

    @cached_property
    def index(self) -> float:
        """Index of the medium."""
        return self.scene.medium.index

    @cached_property
    def aperture(self) -> float:
        """NA of the objective."""
        return self.scene.microscope.numerical_aperture

    @cached_property
    def acting(self) -> float:
        """NA of light that can travel in the medium."""
        return min(self.aperture, STEEPEST * self.index)

    @cached_property
    def steepest(self) -> float:
        """NA of the steepest light.

        Light from outside the objective's aperture runs steeper than what the objective takes in.
        """
        return min(max(self.acting, self.cone.reach), STEEPEST * self.index)

    @cached_property
    def shortest_um(self) -> float:
        """Shortest wavelength, which wants the finest grid."""
        return self.scene.microscope.wavelengths_um[0]

    @cached_property
    def longest_um(self) -> float:
        """Longest wavelength, which wants the widest margin."""
        return self.scene.microscope.wavelengths_um[1]

    @cached_property
    def resolving_um(self) -> float:
        """Wavelength of a widefield microscope that resolves as much as this one."""
        return self.scene.microscope.modality.resolving_wavelength_um(self.shortest_um)

    @cached_property
    def heights(self) -> tuple[float, float, float]:
        """Lowest and highest point of the particles, and the smallest half height, in µm."""
        batch = self.batch
        if len(batch) == 0:
            return 0.0, 0.0, 1.0
        with torch.no_grad():
            batch = with_cores(batch)
            every = torch.arange(len(batch), device=batch.device)
            half = half_extents(batch, every)[:, 2]
            z = batch.position[:, 2]
            numbers = torch.stack([(z - half).min(), (z + half).max(), half.min()]).tolist()
        return numbers[0], numbers[1], numbers[2]

    @cached_property
    def defocus_um(self) -> float:
        """Largest distance of a point of the particles from a plane in focus, of any colour."""
        if len(self.batch) == 0:
            return 0.0
        optics, (low, high, _) = self.scene.microscope, self.heights
        planes = optics.focus_planes_um
        between = self.longest_um - self.shortest_um
        colour = abs(optics.chromatic.axial_um_per_100nm) * 10 * between
        return max(high - min(planes), max(planes) - low) + colour

    @cached_property
    def half_depth_um(self) -> float:
        """Half of the height over which particles lie, their bodies included."""
        low, high, _ = self.heights
        return (high - low) / 2 if len(self.batch) else 0.0

    def phase_range(self, distance_um: float) -> float:
        """Φ = 2 NA NA_c z / (n λ): turns of defocused light over the opening of the condenser.

        Parameters
        ----------
        distance_um : float
            z, from the plane in focus.
        """
        cone = self.cone
        outer = min(cone.outer, self.acting) if cone.hole == 0 else cone.outer
        return 2 * outer * self.acting * distance_um / (self.index * self.shortest_um)

    @cached_property
    def interpolates(self) -> bool:
        """Whether exit waves of other directions of light may be interpolated.

        Light that comes back from a mirror turns fast with its direction, wherever it is.
        """
        return not self.scene.microscope.epi

    @cached_property
    def round(self) -> bool:
        """Whether light and lens look the same from every direction, so far as the scene says."""
        optics, cone = self.scene.microscope, self.cone
        field, wavefront = optics.field_aberrations, optics.aberrations
        bent = [value for name, value in wavefront if name not in _ROUND]
        shifted = [cone.shift_x, cone.shift_y, field.coma, field.astigmatism, field.vignetting]
        return not any(bent) and not any(shifted) and field.curvature_um == 0

    @cached_property
    def lonely(self) -> bool:
        """Whether the defocused light of no particle reaches that of another."""
        count = len(self.batch)
        if count < 2:
            return True
        if count > _PAIRS:
            return False
        with torch.no_grad():
            places = self.batch.position[:, :2].double()
            gaps = torch.cdist(places, places) + torch.eye(count, device=places.device) * 1e9
            return bool(gaps.min() > 2 * self.defocus_um * self.tangent)

    @cached_property
    def tangent(self) -> float:
        """Of the half angle of the cone of light that the objective takes in."""
        return tan(asin(min(self.acting / self.index, STEEPEST)))

    @cached_property
    def spread_um(self) -> float:
        """How far the defocused cone of light spreads: |z| tan α, and the errors of a cover glass.

        |z| counts in steps of a factor 1.25, and from 0.25 µm.
        """
        spread = step_up(max(self.defocus_um, 0.25), 1.25) * tan(asin(self.steepest / self.index))
        planes = self.scene.microscope.focus_planes_um
        ends = (min(planes), max(planes))
        return spread + max(cover_glass_um(self.scene, self.acting, z) for z in ends)

    @cached_property
    def oversampling(self) -> int:
        """Samples per camera pixel of the grid that holds the irradiance."""
        pixel = self.scene.grid.pixel_size_um
        band = irradiance_band(
            self.scene.microscope.modality, self.acting, self.shortest_um, self.resolving_um
        )
        return max(1, ceil(pixel * band * 2 - 1e-9))

    @cached_property
    def below_mirror_um(self) -> float:
        """Largest distance of a particle from a mirror that reflects beside it; 0 without one."""
        mirror, (low, high, _) = self.scene.microscope.modality.mirror_um, self.heights
        return 0.0 if mirror is None else max(abs(mirror - low), abs(mirror - high))

    def all_exact(self, models: Sequence[str]) -> bool:
        """Whether every particle is an exact sphere, so that nothing goes through slabs."""
        present = self.batch.populations
        return bool(models) and bool(present) and all(models[i] == "mie" for i in present)


@dataclass(frozen=True)
class GridRequest:
    """One plan that is asked for.

    Attributes
    ----------
    facts : SceneFacts
    accuracy : Accuracy
    models : tuple of str
        Scattering model of each population; empty before they are chosen.
    resolve : bool
        Whether bodies of one or two samples may ask for a finer grid.
    hurried : bool
        Whether a draft is asked for of a scene that does not state this accuracy, as while a slider
        moves: what the scene states of its directions of light then gives way.
    """

    facts: SceneFacts
    accuracy: Accuracy
    models: tuple[str, ...] = ()
    resolve: bool = True
    hurried: bool = False

    @cached_property
    def exact(self) -> bool:
        """Whether nothing goes through slabs."""
        return self.facts.all_exact(self.models)

    @property
    def sharp(self) -> bool:
        """Whether the edge of the pupil is to act as a hard one, as in the exact theory.

        In coherent light alone: an average over source points hides what an edge does.
        """
        return self.exact and self.facts.cone.reach == 0


def followed(rules: Sequence[Callable[[GridRequest, float], float]], request: GridRequest) -> float:
    """Number that a table of rules arrives at.

    Parameters
    ----------
    rules : sequence of callables
        Each takes the request and what the rules before it have left, from 0 at the start, and
        returns what it makes of that.
    request : GridRequest
    """
    number = 0.0
    for rule in rules:
        number = rule(request, number)
    return number


__all__ = ["GridRequest", "SceneFacts", "followed"]
