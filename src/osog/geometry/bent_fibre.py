"""Fibres: tubes along a circular arc, with round or flat ends, straight ones included."""

from __future__ import annotations

from math import cos, pi
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.geometry.edges import coverage_of
from osog.geometry.level_sets import Level, LevelShape
from osog.geometry.rectangles import least_rectangle_of_support, support_directions
from osog.geometry.shape import THINNEST, Bodies, Column
from osog.geometry.silhouette_polygons import around_discs, followed_rim
from osog.scene.bent_and_hollow import BentCylinder, BentRod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.scene.shapes import ShapeModel

_PLACES = 129
"""Places along the arc among which the farthest is looked for."""
_CHUNK = 64
"""Bodies whose boxes are looked for at once."""


class BentFibre(LevelShape):
    """Tubes about an arc in the body's x-y plane that is bent towards +y.

    The size is (half of the length, radius, radius, bend in radians, radius at the ends). The
    position is the mean of the arc, whose middle runs along x.

    Parameters
    ----------
    model : type
        Class of the scene whose bodies these are; where its ends are round, half balls close the
        tube, and the length is that from tip to tip.
    """

    size_columns = 5
    intervals = 2
    work = 40
    points = 20

    def __init__(self, model: type[BentRod] | type[BentCylinder]) -> None:
        self.models = (model,)  # type: ignore[misc]
        self.round_tips = model.round_tips
        self.round_ends = model.round_tips  # type: ignore[misc]

    def __repr__(self) -> str:
        """Name for messages."""
        return self.models[0].model_fields["kind"].default  # type: ignore[no-any-return]

    def half_lengths(self, model: ShapeModel, numbers: Sequence[Column]) -> tuple[Column, ...]:
        """Half of the length, the radius twice, the bend in radians, the radius at the ends."""
        length, radius, bend, taper = numbers
        return length / 2, radius, radius, bend * (pi / 180), radius * (1 - taper)

    def outer_half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half of the length, and the radius with what the arc leaves its mean by."""
        length, radius, bend, _ = numbers
        # The farthest of an arc of length l and bend B from its mean, across: at most |B| l / 8
        # in all, and never more than l / 2.
        aside = abs(bend) * (pi / 180) / 8 * length
        aside = aside - (aside - length / 2) * (aside > length / 2)
        return length / 2, radius + aside, radius

    def volume(self, bodies: Bodies) -> Tensor:
        """π ∫ r² ds (Pappus), and two half balls."""
        half, _, radius, tip = _arc(bodies, self.round_tips)
        mean = radius**2 + (2 / 3) * radius * (tip - radius) + (tip - radius) ** 2 / 5
        volume = 2 * pi * half * mean
        return volume + 4 / 3 * pi * tip**3 if self.round_tips else volume

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Farthest place of the arc along x, y and z, and the tube about it."""
        axes = torch.eye(3, dtype=bodies.size.dtype, device=bodies.size.device)
        both = torch.cat([axes, -axes])
        total: Tensor = self._support(bodies, both).unflatten(1, (2, 3)).amax(1)
        return total

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Rings about the arc, swept by the ball of round tips."""
        places, tangents, radii = self._stations(bodies)
        ball = radii.amin(1) if self.round_tips else torch.zeros_like(radii[:, 0])
        # Any two directions across the tangent: the arc's plane is the body's x-y plane.
        across = bodies.rotation[:, None, :, 2].expand_as(tangents)
        aside = torch.cross(across, tangents, dim=-1)
        corners = 16
        turn = torch.arange(corners, dtype=radii.dtype, device=radii.device) * (2 * pi / corners)
        wide = (radii - ball[:, None])[..., None, None] / cos(pi / corners)
        ring = turn.cos()[:, None] * aside[:, :, None] + turn.sin()[:, None] * across[:, :, None]
        points = (places[:, :, None] + wide * ring).flatten(1, 2)
        return points @ bodies.rotation, ball

    def half_width(self, bodies: Bodies) -> Tensor:
        """Mean of the radii in the middle and at the ends."""
        return (bodies.size[:, 1] + bodies.size[:, 4]) / 2

    def windows(self, x: Tensor, y: Tensor, bodies: Bodies, margin_um: float) -> Tensor:
        """Where lines are between the circles that hold the tube, and between its flat sides."""
        rotation = bodies.rotation
        half, kappa, radius, tip = (t[:, None, None] for t in _arc(bodies, self.round_tips))
        radius = torch.maximum(radius, tip) + margin_um
        shift = _mean_height(half, kappa)
        px, py, pz = (
            rotation[:, 0, k, None, None] * x + rotation[:, 1, k, None, None] * y for k in range(3)
        )
        py = py + shift
        dx, dy, dz = (rotation[:, 2, k, None, None] for k in range(3))
        # Between the flat sides |Z| ≤ r, and within a ball about the arc's mean.
        flat = torch.where(dz.abs() < 1e-9, torch.full_like(dz, 1e-9), dz)
        low, high = -pz / flat - radius / flat.abs(), -pz / flat + radius / flat.abs()
        # Within the box of the arc: |X| and Y.
        turn = (kappa * half).abs()
        reach_x = torch.where(
            turn < pi / 2, half * torch.sinc(turn / pi), half / turn.clamp_min(1e-3)
        )
        sag = half * torch.sin(turn / 2) * torch.sinc(turn / 2 / pi)
        bottom = torch.where(kappa < 0, -sag, torch.zeros_like(sag))
        ends = radius
        for p, d, first, last in (
            (px, dx, -reach_x - ends, reach_x + ends),
            (py, dy, bottom - ends, bottom + sag + ends),
        ):
            safe = torch.where(d.abs() < 1e-9, torch.full_like(d, 1e-9), d)
            one, other = (first - p) / safe, (last - p) / safe
            low = torch.maximum(low, torch.minimum(one, other))
            high = torch.minimum(high, torch.maximum(one, other))
        high = torch.maximum(high, low)
        # Between both circles about the arc's centre: |κ (X² + Y²)/2 − Y| ≤ r, and κ r²/2 more,
        # as a quadratic in z; on the inner side is a hole.
        sign = torch.where(kappa < 0, -1.0, 1.0)
        kappa = kappa.abs()
        py, dy = py * sign, dy * sign
        a = kappa * (dx * dx + dy * dy) / 2
        b = kappa * (px * dx + py * dy) / 2 - dy / 2
        c = kappa * (px * px + py * py) / 2 - py
        nearest = torch.minimum(torch.maximum(-b / a.clamp_min(1e-12), low), high)
        outer = _roots(a, b, c - radius - kappa * radius * radius / 2)
        bore = torch.minimum(radius, 0.999 / kappa.clamp_min(1e-12))
        inner = _roots(a, b, c + bore - kappa * bore * bore / 2)
        low, high = torch.maximum(low, outer[0]), torch.minimum(high, outer[1])
        hole = inner[1] > inner[0]
        first_end = torch.where(hole, inner[0], nearest)
        second_start = torch.where(hole, inner[1], nearest)
        first_end = torch.minimum(torch.maximum(first_end, low), torch.maximum(high, low))
        second_start = torch.maximum(torch.minimum(second_start, high), first_end)
        return torch.stack([torch.stack([low, second_start]), torch.stack([first_end, high])])

    def level(self, x: Tensor, y: Tensor, z: Tensor, bodies: Bodies) -> Level:
        """r² − D² for the distance D from the arc; beyond round ends from their balls' middles."""
        frame = _Frame(x, y, z, bodies, self.round_tips)
        radius = frame.radius
        if self.round_tips:
            return frame.tube(radius).beyond(frame)
        return frame.tube(radius).with_end(frame)

    def depth(self, level: Level) -> Tensor:
        """Level of the tube, cut by its flat ends."""
        if isinstance(level, _TubeLevel) and level.end is not None:
            return torch.minimum(level.value, level.end)
        return level.value

    def share(self, level: Level, across: Tensor | float, along: Tensor | float) -> Tensor:
        """Flat ends cut the tube by a plane of their own."""
        inside = level.share(across, along)
        if isinstance(level, _TubeLevel) and level.end is not None:
            across2, along2 = across * across, along * along
            steep2 = level.end_slope_z * level.end_slope_z
            half2 = (across2 * (1 - steep2).clamp_min(0) + along2 * steep2) / 4
            inside = inside * coverage_of(level.end, (half2 + 1e-6 * across2).sqrt())
        return inside

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Around the discs, or the rings and flat ends, that the tube projects to."""
        places, tangents, radii = self._stations(bodies)
        polygons, entangled = around_discs(
            places[..., :2], tangents, radii, len(normals), round_tips=self.round_tips
        )
        for i in torch.nonzero(entangled).tolist():
            polygons[i] = followed_rim(self, bodies.taken(torch.tensor(i)), len(normals))[0]
        return polygons

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Least rectangle around the projected tube."""
        direction, angle = support_directions(bodies.size)
        flat = torch.nn.functional.pad(direction, (0, 1))
        count = len(bodies.size)
        parts = [
            least_rectangle_of_support(self._support(some, flat), direction, angle)
            for some in (
                bodies.taken(i)
                for i in torch.arange(count, device=bodies.size.device).split(_CHUNK)
            )
        ]
        centre, half, turn = (torch.cat(part) for part in zip(*parts, strict=True))
        return centre, half, turn

    def thickened(self, bodies: Bodies, pitch_um: float) -> tuple[Bodies, Tensor]:
        """Lengths widened, the bend as it is."""
        wide = bodies.size.clamp_min(THINNEST * pitch_um)
        wide = torch.cat([wide[:, :3], bodies.size[:, 3:4], wide[:, 4:]], 1)
        new = bodies.resized(wide)
        return new, self.volume(bodies) / self.volume(new)

    def hydrodynamic_axes(self, bodies: Bodies) -> Tensor:
        """Ellipsoid of the same volume and of the box's ratios, as the arc's chord and sag give."""
        half, kappa, radius, _ = _arc(bodies, self.round_tips)
        turn = (kappa * half).abs()
        tip = self.round_tips * bodies.size[:, 4]
        sag = half * torch.sin(turn / 2) * torch.sinc(turn / 2 / pi)
        long = half * torch.sinc((turn / pi).clamp_max(0.5)) + tip
        axes = torch.stack([long, radius + sag / 2, radius], -1)
        ratio = self.volume(bodies) / (4 / 3 * pi * axes.prod(-1))
        return axes * (ratio ** (1 / 3))[:, None]

    def _stations(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Places and tangents (n, S, 3) along the arc from the position, and radii (n, S)."""
        half, kappa, radius, tip = _arc(bodies, self.round_tips)
        share = torch.linspace(-1, 1, _PLACES, dtype=half.dtype, device=half.device)
        s = half[:, None] * share
        turn = kappa[:, None] * s
        up = s * torch.sin(turn / 2) * torch.sinc(turn / 2 / pi)
        up = up - _mean_height(half, kappa)[:, None]
        body = torch.stack([s * torch.sinc(turn / pi), up, torch.zeros_like(s)], -1)
        tangent = torch.stack([turn.cos(), turn.sin(), torch.zeros_like(s)], -1)
        turned = bodies.rotation.transpose(-1, -2)
        radii = radius[:, None] + (tip - radius)[:, None] * share**2
        return body @ turned, tangent @ turned, radii

    def _support(self, bodies: Bodies, directions: Tensor) -> Tensor:
        """How far (n, V) bodies reach from their positions along unit vectors (V, 3)."""
        places, tangents, radii = self._stations(bodies)
        half, kappa, _, _ = _arc(bodies, self.round_tips)
        reach = places @ directions.T
        # Between two places the arc may bulge by so much.
        bulge = (2 * half / (_PLACES - 1)) ** 2 * kappa.abs() / 8
        if self.round_tips:
            return (reach + radii[..., None]).amax(1) + bulge[:, None]
        across = 1 - (tangents @ directions.T) ** 2
        return (reach + radii[..., None] * across.clamp_min(0).sqrt()).amax(1) + bulge[:, None]


class _TubeLevel(Level):
    """Level of a tube, and the depth behind its flat end where it has one."""

    end: Tensor | None = None
    end_slope_z: Tensor

    def beyond(self, frame: _Frame) -> Level:
        """Take the ball beyond the end of the arc."""
        away2 = frame.away_x**2 + frame.away_y**2 + frame.z**2
        outside = frame.outside

        def pick(ball: Tensor, tube: Tensor) -> Tensor:
            return torch.where(outside, ball, tube)

        slope_z = -2 * (
            frame.away_x * frame.d[0] + frame.away_y * frame.d[1] + frame.z * frame.d[2]
        )
        return Level(
            pick(frame.tip**2 - away2, self.value),
            pick(slope_z, self.slope_z),
            pick(4 * away2, self.slope2),
            # What corrects for the curvature turns from one to the other without a step.
            torch.lerp(self.curvature, torch.full_like(away2, -6.0), frame.beyond),
            torch.lerp(self.curvature_z, torch.full_like(away2, -2.0), frame.beyond),
        )

    def with_end(self, frame: _Frame) -> Level:
        """Add the depth behind the end plane."""
        self.end = (frame.half - frame.s.abs()) * frame.stretch
        self.end_slope_z = frame.tangent_z
        return self


class _Frame:
    """Coordinates of points about the arc: along it, normal to it in its plane, and across."""

    def __init__(self, x: Tensor, y: Tensor, z: Tensor, bodies: Bodies, round_tips: bool) -> None:
        rotation = bodies.rotation
        self.half, self.kappa, self.middle, self.tip = _arc(bodies, round_tips)
        kappa = self.kappa
        self.d = d = rotation[:, 2].unbind(-1)
        p = [x * rotation[:, 0, k] + y * rotation[:, 1, k] + z * d[k] for k in range(3)]
        px, self.z = p[0], p[2]
        py = p[1] + _mean_height(self.half, kappa)
        # κ |w| for the vector w from the centre of the arc; 1 on the arc.
        level = kappa * (px * px + py * py) / 2 - py
        self.stretch = stretch = (1 + 2 * kappa * level).clamp_min(1e-6).sqrt()
        self.normal = 2 * level / (1 + stretch)
        cosine, sine = (1 - kappa * py) / stretch, kappa * px / stretch
        self.s = _arc_length(px, py, kappa)
        # Tangent and normal (away from the centre for κ > 0) at the foot of the point.
        self.tangent_z = cosine * d[0] + sine * d[1]
        self.normal_z = sine * d[0] - cosine * d[1]
        self.outside = self.s.abs() > self.half
        share = (self.s / self.half.clamp_min(1e-9)).clamp(-1.0, 1.0)
        self.radius = self.middle + (self.tip - self.middle) * share * share
        past = (self.s.abs() - self.half) / self.tip
        self.beyond = _step(past)
        slope = 2 * (self.tip - self.middle) * share / self.half.clamp_min(1e-9)
        self.radius_slope = slope * (1 - _step(past + 0.5))
        end = torch.where(self.s < 0, -self.half, self.half)
        turn = kappa * end
        self.away_x = px - end * torch.sinc(turn / pi)
        self.away_y = py - end * torch.sin(turn / 2) * torch.sinc(turn / 2 / pi)

    def tube(self, radius: Tensor) -> _TubeLevel:
        """r² − n² − Z²."""
        # r depends on the place along the arc, whose slope is t / stretch.
        grows = 2 * radius * self.radius_slope / self.stretch
        bend = self.normal * self.kappa / self.stretch
        n, z = self.normal, self.z
        tangent2 = self.tangent_z * self.tangent_z
        return _TubeLevel(
            value=radius * radius - n * n - z * z,
            slope_z=grows * self.tangent_z - 2 * (n * self.normal_z + z * self.d[2]),
            slope2=4 * (n * n + z * z) + grows * grows,
            curvature=-4 - 2 * bend,
            curvature_z=-2 * (1 - tangent2) - 2 * bend * tangent2,
        )


def _arc(bodies: Bodies, round_tips: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Half length and curvature of the arc, and the radii in its middle and at its ends, (n,)."""
    length, radius, _, bend, tip = bodies.size.unbind(-1)
    half = length - tip if round_tips else length
    half = half.clamp_min(1e-9)
    # A ball has no arc to bend.
    kappa = bend / (2 * half.clamp_min(1e-3 * radius.detach()))
    return half, kappa, radius, tip


def _mean_height(half: Tensor, kappa: Tensor) -> Tensor:
    """Mean of the arc's y: (1 − sinc θ)/κ with θ = κ h."""
    turn = kappa * half
    small = turn.abs() < 0.3
    near = turn * (1 / 6 - turn**2 * (1 / 120 - turn**2 * (1 / 5040 - turn**2 / 362880)))
    safe = torch.where(small, torch.ones_like(turn), turn)
    return half * torch.where(small, near, (1 - safe.sin() / safe) / safe)


def _arc_length(px: Tensor, py: Tensor, kappa: Tensor) -> Tensor:
    """Place along the arc: atan2(κ X, 1 − κ Y)/κ, X where it is straight."""
    rise, run = kappa * px, 1 - kappa * py
    small = (rise.abs() < 0.03 * run) & (kappa.abs() * px.abs() < 0.03)
    t = torch.where(small, rise / torch.where(small, run, torch.ones_like(run)), 0.0)
    t2 = t * t
    near = (1 - t2 * (1 / 3 - t2 * (1 / 5 - t2 / 7))) * px
    near = near / torch.where(small, run, torch.ones_like(run))
    far_kappa = torch.where(small, torch.ones_like(rise), kappa.expand_as(rise))
    rise = torch.where(small, torch.ones_like(rise), rise)
    return torch.where(small, near, torch.atan2(rise, run) / far_kappa)


def _step(x: Tensor) -> Tensor:
    """Smooth step from 0 to 1 between −½ and ½."""
    t = (x + 0.5).clamp(0.0, 1.0)
    return t * t * (3 - 2 * t)


def _roots(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Where a z² + 2 b z + c ≤ 0, a ≥ 0: lower and upper end, equal where nowhere."""
    root = b * b - a * c
    width = (root.clamp_min(0) + 1e-12).sqrt()
    far = torch.where(b < 0, width - b, -width - b)
    far = torch.where(far.abs() < 1e-12, torch.full_like(far, 1e-12), far)
    one = c / far
    large = 1e9
    other = torch.where(a > 1e-9, far / a.clamp_min(1e-9), torch.copysign(c.new_tensor(large), far))
    low, high = torch.minimum(one, other), torch.maximum(one, other)
    # Straight across: everywhere, or nowhere.
    level = (a <= 1e-9) & (b.abs() < 1e-9)
    low = torch.where(level, torch.where(c <= 0, -large, 0.0), low)
    high = torch.where(level, torch.where(c <= 0, large, 0.0), high)
    found = (root > 0) | level
    return torch.where(found, low, 0.0), torch.where(found, high, 0.0)


BENT_ROD = BentFibre(BentRod)
BENT_CYLINDER = BentFibre(BentCylinder)
