"""Where the light comes from: the aperture of the condenser, and points that stand for it."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, cast

import torch

from osog.cautions import Caution
from osog.sample import Values
from osog.waves.condenser_points import source_points
from osog.waves.evanescence import STEEPEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch
    from osog.scene import Darkfield, PhaseContrast, Reflection, Scene, Shadowgraph
    from osog.waves.sampling_plan import SamplingPlan


@dataclass(frozen=True)
class Aperture:
    """A disc, or an annulus, of uniform light in the plane of the condenser's aperture.

    Attributes
    ----------
    outer : Tensor, 0-dim
        NA of the outer edge about the centre; 0 for one plane wave.
    hole : Tensor, 0-dim
        Radius of the dark middle as a share of `outer`.
    shift : (Tensor, Tensor)
        NA (x, y) by which the centre lies off the axis; light travels towards it.
    """

    outer: Tensor
    hole: Tensor
    shift: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, values: Values) -> Aperture:
        """Return the aperture that the modality of a scene is lit through, by its trait `light`.

        Parameters
        ----------
        values : Values
        """
        return _LIGHTS[values.scene.microscope.modality.light](values)


def _axial(values: Values) -> Aperture:
    """One plane wave along the axis."""
    zero = values.constant(0.0)
    return Aperture(zero, zero, (zero, zero))


def _condenser(values: Values) -> Aperture:
    """The condenser with its stop and its sideways shift."""
    optics = values.microscope
    off, azimuth = optics.oblique_numerical_aperture, torch.deg2rad(optics.oblique_azimuth_deg)
    shift = off * torch.cos(azimuth), off * torch.sin(azimuth)
    return Aperture(optics.condenser_numerical_aperture, optics.condenser_stop, shift)


def _ring(values: Values) -> Aperture:
    """The image of a phase ring: ring_radius ± ring_width/2 of the objective's NA."""
    zero = values.constant(0.0)
    modality = cast("PhaseContrast[Tensor]", values.microscope.modality)
    radius, half = modality.ring_radius, 0.5 * modality.ring_width
    outer = values.microscope.numerical_aperture * (radius + half)
    return Aperture(outer, (radius - half) / (radius + half), (zero, zero))


def _annulus(values: Values) -> Aperture:
    """An annulus outside the objective's aperture."""
    zero = values.constant(0.0)
    modality = cast("Darkfield[Tensor]", values.microscope.modality)
    outer = modality.outer_numerical_aperture
    return Aperture(outer, modality.inner_numerical_aperture / outer, (zero, zero))


def _backlight(values: Values) -> Aperture:
    """A disc of half angle θ in the medium, which is NA n sin θ."""
    zero = values.constant(0.0)
    modality = cast("Shadowgraph[Tensor]", values.microscope.modality)
    angle = 1e-3 * modality.divergence_mrad
    return Aperture(values.medium.index * torch.sin(angle), zero, (zero, zero))


def _objective(values: Values) -> Aperture:
    """The opening of light that comes through the objective, at most that of the objective."""
    zero = values.constant(0.0)
    modality = cast("Reflection[Tensor]", values.microscope.modality)
    widest = torch.minimum(values.microscope.numerical_aperture, STEEPEST * values.medium.index)
    outer = torch.minimum(modality.illumination_numerical_aperture, widest)
    return Aperture(outer, zero, (zero, zero))


_LIGHTS: dict[str, Callable[[Values], Aperture]] = {
    "axial": _axial,
    "condenser": _condenser,
    "ring": _ring,
    "annulus": _annulus,
    "backlight": _backlight,
    "objective": _objective,
}
"""By the trait `light` of a modality, which then has the fields that its function reads."""


@dataclass(frozen=True)
class Cone:
    """Plain numbers of an `Aperture`, for choosing grids and for telling two lights apart.

    Attributes
    ----------
    outer, hole, shift_x, shift_y : float
        As in `Aperture`.
    """

    outer: float
    hole: float
    shift_x: float
    shift_y: float

    @classmethod
    def of(cls, scene: Scene) -> Cone:
        """Return the cone of light of a scene."""
        aperture = Aperture.of(Values(scene, dtype=torch.float64))
        shift_x, shift_y = (float(shift) for shift in aperture.shift)
        return cls(float(aperture.outer), float(aperture.hole), shift_x, shift_y)

    @property
    def reach(self) -> float:
        """Largest NA at which light reaches the sample."""
        return self.outer + hypot(self.shift_x, self.shift_y)


@dataclass(frozen=True)
class SeenLight:
    """The part of the light that the objective sees directly, as a disc or annulus.

    Where a centred condenser overfills the objective this is the light inside the objective's
    aperture; light outside is seen by its scatter alone, and no smooth rule covers both. Elsewhere
    it is all of the light.

    Attributes
    ----------
    centre : Tensor, shape (2,)
        Frequency (x, y) of its middle in cycles/µm.
    radius : Tensor, 0-dim
        Of the outer edge in cycles/µm.
    hole : Tensor, 0-dim
        Radius of the dark middle as a share of `radius`.
    share : Tensor, 0-dim
        Of all the light.
    """

    centre: Tensor
    radius: Tensor
    hole: Tensor
    share: Tensor

    @classmethod
    def of(cls, values: Values, plan: SamplingPlan, wavelength_um: Tensor) -> SeenLight:
        """Return the light of a scene that is seen directly.

        Parameters
        ----------
        values : Values
        plan : SamplingPlan
            Says whether the light is in two parts.
        wavelength_um : Tensor, 0-dim
        """
        aperture = Aperture.of(values)
        centre = torch.stack(aperture.shift) / wavelength_um
        outer, hole = aperture.outer, aperture.hole
        if not plan.outer_rings:
            return cls(centre, outer / wavelength_um, hole, torch.ones_like(outer))
        # The edge of the pupil is soft: a little direct light passes beyond the aperture.
        rim = plan.edge_steps * max(plan.frequency_step) * wavelength_um
        inner = torch.minimum(values.microscope.numerical_aperture + rim, outer)
        edge = inner / outer
        share = (edge**2 - hole**2) / (1 - hole**2)
        return cls(centre, inner / wavelength_um, hole / edge, share)

    def points(self, rings: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Points that stand for it.

        Parameters
        ----------
        rings : tuple of int
            Points on each ring; (1,) for the middle alone.

        Returns
        -------
        frequencies : Tensor, shape (S, 2)
            Transverse frequencies (x, y) of the incident plane waves in cycles/µm.
        weights : Tensor, shape (S,)
            They sum to `share`.
        """
        points, weights = source_points(self.radius, torch.ones_like(self.radius), rings, self.hole)
        return points + self.centre, self.share * weights


def light_points(values: Values, plan: SamplingPlan) -> tuple[Tensor, Tensor]:
    """Points of light that the sample of a scene is seen in.

    Parameters
    ----------
    values : Values
        Everything under ``microscope`` that describes the light, the index of the medium and the
        wavelength are read from it, differentiably.
    plan : SamplingPlan
        Fixes how many points there are.

    Returns
    -------
    frequencies : Tensor, shape (S, 2)
        Transverse frequencies (x, y) of the incident plane waves in cycles/µm; those of light that
        is seen directly come first.
    weights : Tensor, shape (S,)
        Shares of the light; they sum to 1.
    """
    wavelength = values.microscope.wavelength_um
    seen = SeenLight.of(values, plan, wavelength)
    points, weights = seen.points(plan.source_rings)
    if not plan.outer_rings:
        return points, weights
    outer = Aperture.of(values).outer
    edge = seen.radius * wavelength / outer
    unseen = source_points(outer, wavelength, plan.outer_rings, edge)
    return (
        torch.cat((points, unseen[0] + seen.centre)),
        torch.cat((weights, (1 - seen.share) * unseen[1])),
    )


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when no direct light arrives although it is the unit of irradiance."""
    if scene.microscope.modality.light == "annulus":
        return  # whose place is outside the aperture
    aperture, cone = scene.microscope.numerical_aperture, Cone.of(scene)
    shift = hypot(cone.shift_x, cone.shift_y)
    if max(shift - cone.outer, cone.hole * cone.outer - shift) > aperture:
        yield Caution(
            f"All the light falls in from outside the objective's NA {aperture:g}: the image is a "
            "darkfield, and its values are relative to the incident light.",
            {"microscope.oblique_numerical_aperture": 0.0, "microscope.condenser_stop": 0.0},
            "Centre the light",
        )


__all__ = ["Aperture", "Cone", "SeenLight", "cautions", "light_points"]
