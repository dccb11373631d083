"""What rods and flat-ended cylinders share: a straight part of round cross-section about an axis.

Both are cut by planes parallel to the axis and to the line of sight. In such a plane the
straight part is a rectangle of half lengths h and m(q) = √(ρ² − q²), whose path seen obliquely
is the convolution of two boxes; the pixel is a third box. That stays exact from side-on to
end-on, where the path jumps at the silhouette.
"""

from __future__ import annotations

import torch
from torch import Tensor

from osog.geometry.edges import HAIR, box_overlap, root_mean


class Strip:
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
        blur = (HAIR * self.wide_p) ** 2 + self.narrow_p * self.narrow_p
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


def box_along_axis(axis: Tensor, length: Tensor, radius: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes along the projected axes of bodies of revolution, as in `Shape.box`.

    Parameters
    ----------
    axis : Tensor, shape (n, 3)
        Unit vectors.
    length, radius : Tensor, shape (n,)
        Half sides along and across the projected axis.
    """
    lying = axis[:, :2].norm(dim=-1)
    angle = torch.where(lying > 1e-6, torch.atan2(axis[:, 1], axis[:, 0]), 0.0)
    return torch.zeros_like(axis[:, :2]), torch.stack([length, radius], dim=-1), angle
