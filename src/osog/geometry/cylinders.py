"""Chords of rods (spherocylinders) and of flat-ended cylinders.

Both are cut by planes parallel to the axis and to the line of sight. In such a plane the
straight part is a rectangle of half lengths h and m(q) = √(ρ² − q²), whose path seen obliquely
is the convolution of two boxes; the pixel is a third box. That stays exact from side-on to
end-on, where the path jumps at the silhouette.
"""

from __future__ import annotations

import torch
from torch import Tensor

from osog.geometry.edges import box_overlap, root_mean

_HAIR = 0.03
"""Least softening of a wall, as a part of the pixel: a wall exactly on the border of two pixels
would otherwise have a gradient in both or in none of them, as rounding decides."""

_STEEP = 6.0
"""Rods whose straight part spans fewer pixels in the image get the pixel mean of their ends."""


class _Strip:
    """In-plane coordinates along (p) and across (q) the projected axis, and the strip |q| ≤ ρ."""

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        axis: Tensor,
        half: Tensor,
        radius: Tensor,
        pitch_um: tuple[float, float],
    ) -> None:
        py, px = pitch_um
        ux, uy, c = axis.unbind(-1)
        # An axis along the line of sight has no direction in the image; a shift of the axis
        # that is too small to see gives it one and keeps the derivative.
        eps = 1e-4 if axis.dtype == torch.float32 else 1e-6
        ux = torch.where(
            ux * ux + uy * uy < eps * eps, ux + torch.copysign(ux.new_full((), eps), ux), ux
        )
        s = (ux * ux + uy * uy).sqrt()
        self.s, self.c = s[:, None, None], c[:, None, None]
        self.along_x, self.along_y = (ux / s)[:, None, None], (uy / s)[:, None, None]
        self.half, self.radius = half[:, None, None], radius[:, None, None]
        self.p = self.along_x * x + self.along_y * y
        self.q = self.along_x * y - self.along_y * x
        # The pixel seen along p is two boxes, one after another; across q, the widths that count
        # are those of equal variance.
        sides = (px * self.along_x.abs(), py * self.along_y.abs())
        self.wide_p = torch.maximum(*sides)
        self.narrow_p = torch.minimum(*sides)
        self.width_p = (sides[0] ** 2 + sides[1] ** 2).sqrt()
        self.width_q = ((px * self.along_y) ** 2 + (py * self.along_x) ** 2).sqrt()
        self.shear = self.along_x * self.along_y * (py * py - px * px) if px != py else None
        self.curvature = (px * px + py * py) / 12
        self.pitch = min(px, py)
        self.speck = 1e-3 * px * py
        self.q2 = self.q * self.q
        self.depth = self.radius * self.radius - self.q2
        self.range_q = self.q.abs() * self.width_q
        self.coverage, self.m = root_mean(
            self.depth - self.width_q * self.width_q / 12, self.range_q + self.speck
        )
        self.cm = self.c * self.m
        self.reach = self.half * self.s

    def straight_path(self) -> Tensor:
        """Pixel-mean path through the straight part alone, as if its ends were flat."""
        lying, standing = 2 * self.reach, 2 * self.cm.abs()
        # The window of one is smeared by the other, by the pixel's narrow side, and, since
        # m depends on q, by the range of q over the pixel.
        oblique = self.c * torch.minimum(self.range_q / self.m, self.m)
        blur = (_HAIR * self.wide_p) ** 2 + self.narrow_p * self.narrow_p
        blur = torch.addcmul(blur, oblique, oblique)
        short = torch.minimum(lying, standing)
        blur = torch.addcmul(blur, short, short).sqrt()
        spline = box_overlap(self.p, torch.maximum(lying, standing), blur, self.wide_p)
        return spline * (self.coverage * self.m) * (4 * self.half)

    def covered(self) -> tuple[Tensor, Tensor]:
        """Middle and length along p of the part of the pixel that the straight part covers."""
        edge = self.reach + self.cm.abs()
        reach = self.width_p / 2
        near, far = torch.maximum(self.p - reach, -edge), torch.minimum(self.p + reach, edge)
        inside = torch.maximum(torch.minimum((near + far) / 2, edge), -edge)
        return inside, (far - near).clamp_min(0)

    def ball(self, offset: Tensor) -> tuple[Tensor, Tensor]:
        """Covered fraction and pixel-mean half chord of a ball at ``offset`` along p."""
        along2 = offset * offset
        e = self.depth - along2
        if self.shear is None:
            square = self.q2 + along2 + (self.speck / self.pitch) ** 2
            half_range = square.sqrt() * self.pitch
        else:
            square = (offset * self.width_p) ** 2 + self.range_q * self.range_q
            square = square + 2 * self.shear * offset * self.q
            half_range = (square.clamp_min(0) + self.speck**2).sqrt()
        coverage, mean = root_mean(e - self.curvature, half_range)
        return coverage, coverage * mean


def rod(
    x: Tensor, y: Tensor, rotation: Tensor, size: Tensor, pitch_um: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Path through spherocylinders: balls of radius ρ along the axis, |a| ≤ h.

    The upper surface belongs to the ball at a₊ = clamp((p + c m)/s, ±h), the lower one to a₋
    with −m. The path is the axial part c (a₊ − a₋), whose pixel mean is c² times that of the
    flat-ended straight part, plus the half chords of both balls.

    Parameters
    ----------
    x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
        µm from the centres.
    rotation : Tensor, shape (n, 3, 3)
    size : Tensor, shape (n, 3)
        (half of the tip-to-tip length, radius, radius) in µm.
    pitch_um : tuple of float
        (y, x).

    Returns
    -------
    half_path, middle, coverage : Tensor, shape (..., n, P, Q)
        As in `quadrics.ellipsoid`.
    """
    radius = size[:, 1]
    strip = _Strip(x, y, rotation[:, :, 0], (size[:, 0] - radius).clamp_min(0), radius, pitch_um)
    unclamped = strip.s * (strip.coverage * strip.m)
    halves, fractions, feet = [], [], []
    for wish in (strip.p + strip.cm, strip.p - strip.cm):
        foot = wish.clamp(-strip.reach, strip.reach)
        fraction, half_chord = strip.ball(strip.p - foot)
        feet.append(foot)
        fractions.append(fraction)
        halves.append(torch.where(wish.abs() > strip.reach, half_chord, unclamped))
    # Far from end-on the axial part is a ramp over many pixels and a point of it is its mean.
    axial = (feet[0] - feet[1]) * strip.coverage * (strip.c / strip.s)
    both = feet[0] + feet[1]
    steep = 2 * strip.reach.detach() < _STEEP * strip.pitch
    if bool(steep.any()):
        axial = torch.where(steep, strip.straight_path() * (strip.c * strip.c), axial)
        # Where the pixel is only partly covered, the balls of the covered part.
        p, _ = strip.covered()
        covered = (p + strip.cm).clamp(-strip.reach, strip.reach)
        covered = covered + (p - strip.cm).clamp(-strip.reach, strip.reach)
        both = torch.where(steep, covered, both)
    half_path = (axial + (halves[0] + halves[1])) / 2
    middle = both * (strip.c / (2 * strip.s)) + (halves[0] - halves[1]) / 2
    coverage = torch.where(
        strip.p.abs() > strip.reach, torch.maximum(fractions[0], fractions[1]), strip.coverage
    )
    return half_path, middle, coverage


def cylinder(
    x: Tensor, y: Tensor, rotation: Tensor, size: Tensor, pitch_um: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Path through flat-ended cylinders.

    Parameters
    ----------
    x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
        µm from the centres.
    rotation : Tensor, shape (n, 3, 3)
    size : Tensor, shape (n, 3)
        (half length, radius, radius) in µm.
    pitch_um : tuple of float
        (y, x).

    Returns
    -------
    half_path, middle, coverage : Tensor, shape (..., n, P, Q)
        As in `quadrics.ellipsoid`.
    """
    strip = _Strip(x, y, rotation[:, :, 0], size[:, 0], size[:, 1], pitch_um)
    half_path = strip.straight_path() / 2
    p, length = strip.covered()
    coverage = strip.coverage * (length / strip.width_p).clamp_max(1)

    # Corner-safe middle: both the axial and the radial coordinate of the end points are clamped.
    tiny = 1e-6
    c = torch.where(
        strip.c.abs() < tiny, torch.copysign(strip.c.new_full((), tiny), strip.c), strip.c
    )
    tip = strip.half * strip.s * c.sign()
    middle = torch.zeros_like(p)
    for sign in (1.0, -1.0):
        axial = ((p + sign * strip.cm) / strip.s).clamp(-strip.half, strip.half)
        radial = ((sign * tip - p) / c).clamp(-strip.m, strip.m)
        middle = middle + (axial * strip.c + radial * strip.s) / 2
    return half_path, middle, coverage
