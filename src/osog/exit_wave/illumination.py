"""Where the light comes from: the aperture of the condenser, and points that stand for it."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from osog.cautions import Caution
from osog.sample import Values
from osog.scene import PARTIALLY_COHERENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.exit_wave.plan import SamplingPlan
    from osog.sample import ParticleBatch
    from osog.scene import Scene


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
        """Return the aperture that the modality of a scene is lit through.

        Brightfield, DIC and polarised light see the condenser with its stop and its sideways
        shift; phase contrast the image of its ring, ring_radius ± ring_width/2 of the objective
        NA; darkfield its annulus; reflection the opening of its light, at most that of the
        objective, which it comes through; shadowgraphy a disc of half angle θ in the medium,
        which is NA n sin θ. Every other modality is lit by one plane wave along the axis.

        Parameters
        ----------
        values : Values
        """
        optics = "microscope"
        kind = values.scene.microscope.modality.kind
        zero = values.constant(0.0)
        if kind in PARTIALLY_COHERENT:
            outer = values.number(f"{optics}.condenser_numerical_aperture")
            off = values.number(f"{optics}.oblique_numerical_aperture")
            azimuth = torch.deg2rad(values.number(f"{optics}.oblique_azimuth_deg"))
            shift = off * torch.cos(azimuth), off * torch.sin(azimuth)
            return cls(outer, values.number(f"{optics}.condenser_stop"), shift)
        if kind == "phase_contrast":
            radius = values.number(f"{optics}.modality.ring_radius")
            half = 0.5 * values.number(f"{optics}.modality.ring_width")
            outer = values.number(f"{optics}.numerical_aperture") * (radius + half)
            return cls(outer, (radius - half) / (radius + half), (zero, zero))
        if kind == "darkfield":
            outer = values.number(f"{optics}.modality.outer_numerical_aperture")
            inner = values.number(f"{optics}.modality.inner_numerical_aperture")
            return cls(outer, inner / outer, (zero, zero))
        if kind == "shadowgraph":
            angle = 1e-3 * values.number(f"{optics}.modality.divergence_mrad")
            return cls(values.number("medium.index") * torch.sin(angle), zero, (zero, zero))
        if kind == "reflection":
            outer = values.number(f"{optics}.modality.illumination_numerical_aperture")
            widest = torch.minimum(
                values.number(f"{optics}.numerical_aperture"), 0.98 * values.number("medium.index")
            )
            outer = torch.minimum(outer, widest)
            return cls(outer, zero, (zero, zero))
        return cls(zero, zero, (zero, zero))


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


def ring_numbers(count: int, hole: float = 0.0) -> tuple[int, ...]:
    """Points on each ring, inner first, when about `count` are wanted; (1,) for one plane wave.

    Numbers are even, so that every point has its opposite, and grow with the radius. An annulus
    needs nearly as many rings as a disc: halos depend on where across its width light starts.

    Parameters
    ----------
    count : int
    hole : float
        Radius of the dark middle as a share of the radius.
    """
    if count <= 1 and hole == 0:
        return (1,)
    rings = max(1, round(sqrt(count / (3.5 if hole == 0 else 4.0))))
    nodes, _ = np.polynomial.legendre.leggauss(rings)
    radius = np.sqrt(hole**2 + (1 - hole**2) * (nodes + 1) / 2)
    numbers = np.maximum(4, 2 * np.round(count * radius / radius.sum() / 2))
    return tuple(int(number) for number in numbers)


def source_points(
    numerical_aperture: Tensor,
    wavelength_um: Tensor,
    count: int | tuple[int, ...],
    hole: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Points and weights that stand for a uniformly filled disc or annulus (Köhler illumination).

    Gauss–Legendre nodes in the squared radius times equally spaced angles, every other ring
    turned by half a step: of the layouts compared, the most accurate for a defocused object.

    Parameters
    ----------
    numerical_aperture, wavelength_um : Tensor, 0-dim
        NA of the outer edge, and vacuum wavelength. The points move with both, differentiably.
    count : int, or tuple of int
        About how many points, or the number on each ring as `ring_numbers` gives it. 1 and (1,)
        give the axial point alone.
    hole : Tensor, 0-dim, optional
        Radius of the dark middle as a share of the outer radius; differentiable.

    Returns
    -------
    frequencies : Tensor, shape (S, 2)
        (x, y) in cycles/µm, |f| ≤ NA/λ.
    weights : Tensor, shape (S,)
        They sum to 1.
    """
    like: dict[str, Any] = {"dtype": wavelength_um.dtype, "device": wavelength_um.device}
    if isinstance(count, int):
        count = ring_numbers(count, 0.0 if hole is None else float(hole.detach()))
    if count == (1,):
        return torch.zeros(1, 2, **like) * numerical_aperture, torch.ones(1, **like)
    nodes, shares = np.polynomial.legendre.leggauss(len(count))
    points, weights, squares = [], [], []
    for k, (node, part, number) in enumerate(zip(nodes, shares, count, strict=True)):
        angle = 2 * pi * (np.arange(number) + 0.5 * (k % 2)) / number
        points.append(np.stack([np.cos(angle), np.sin(angle)], 1))
        squares.append(np.full(number, (node + 1) / 2))
        weights.append(np.full(number, part / 2 / number))
    direction = torch.as_tensor(np.concatenate(points), **like)
    square = torch.as_tensor(np.concatenate(squares), **like)
    weight = torch.as_tensor(np.concatenate(weights), **like)
    if hole is not None:
        square = hole**2 + (1 - hole**2) * square
    radius = torch.sqrt(square) * (numerical_aperture / wavelength_um)
    return direction * radius[:, None], weight


def _filled(
    values: Values, aperture: Aperture, wavelength: Tensor, plan: SamplingPlan
) -> tuple[Tensor, Tensor]:
    """Points of a centred aperture; one that overfills the objective in two parts.

    Light inside the objective's aperture is seen directly, light outside by its scatter alone: no
    smooth rule covers both.
    """
    outer, hole = aperture.outer, aperture.hole
    if not plan.outer_rings:
        return source_points(outer, wavelength, plan.source_rings, hole)
    inner = torch.minimum(values.number("microscope.numerical_aperture"), outer)
    share = inner / outer
    seen = source_points(inner, wavelength, plan.source_rings, hole / share)
    unseen = source_points(outer, wavelength, plan.outer_rings, share)
    part = (share**2 - hole**2) / (1 - hole**2)
    return torch.cat((seen[0], unseen[0])), torch.cat((part * seen[1], (1 - part) * unseen[1]))


def illumination(values: Values, plan: SamplingPlan) -> tuple[Tensor, Tensor]:
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
        Transverse frequencies (x, y) of the incident plane waves in cycles/µm.
    weights : Tensor, shape (S,)
        Shares of the light; they sum to 1.
    """
    aperture = Aperture.of(values)
    wavelength = values.number("microscope.wavelength_um")
    points, weights = _filled(values, aperture, wavelength, plan)
    return points + torch.stack(aperture.shift) / wavelength, weights


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
