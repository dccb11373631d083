"""What rods and flat-ended cylinders share: a straight part of round cross-section about an axis.

Both are cut by planes parallel to the axis and to the line of sight. In such a plane the
straight part is a rectangle of half lengths h and m(q) = √(ρ² − q²), whose path seen obliquely
is the convolution of two boxes; the pixel is a third box. That stays exact from side-on to
end-on, where the path jumps at the silhouette.
"""

from __future__ import annotations

import torch
from torch import Tensor

from osog.geometry.edges import (
    REACH,
    covered_depth,
    root_mean,
    smaller_side,
    smooth_clamp,
    smooth_sign,
)


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
        # The widths that count are those of equal variance.
        self.width_p = ((px * self.along_x) ** 2 + (py * self.along_y) ** 2).sqrt()
        self.width_q = ((px * self.along_y) ** 2 + (py * self.along_x) ** 2).sqrt()
        self.shear = self.along_x * self.along_y * (py * py - px * px) if px != py else None
        self.curvature = (px * px + py * py) / 12
        self.pitch = smaller_side(pitch_um)
        self.speck = 1e-3 * px * py
        self.q2 = self.q * self.q
        self.depth = self.radius * self.radius - self.q2
        self.range_q = self.q.abs() * self.width_q
        self.coverage, self.m = root_mean(
            self.depth - self.width_q * self.width_q / 12, self.range_q + self.speck
        )
        self.cm = self.c * self.m
        self.reach = self.half * self.s
        # Half width of the kernel along p: that of the pixel, and how far the place c·m moves
        # while q goes over the pixel.
        turn = self.range_q * (REACH / 2 / (self.m + 1e-3 * self.pitch))
        turn = turn * self.m * torch.rsqrt(turn * turn + self.m * self.m + self.speck)
        kernel = self.width_p * (REACH / 2)
        self.kernel_p = (kernel * kernel + (self.c * turn) ** 2).sqrt()

    def straight_path(self) -> Tensor:
        """Mean path through the straight part alone, as if its ends were flat."""
        lying, standing = self.reach.expand_as(self.cm), self.cm.abs()
        short, long = torch.minimum(lying, standing), torch.maximum(lying, standing)
        ahead, behind = (
            smooth_clamp(self.p + side * long, short, self.kernel_p) for side in (1.0, -1.0)
        )
        spline = (ahead - behind) / (4 * long + 4e-3 * self.pitch)
        return spline * (self.coverage * self.m) * (4 * self.half)

    def covered(self) -> tuple[Tensor, Tensor, Tensor]:
        """Middle along p of what the straight part covers of the kernel, its reach, and its share.

        About that middle the kernel reaches no farther than to the silhouette.
        """
        edge = self.reach + self.cm.abs()
        half = self.kernel_p / REACH
        before, behind = edge - self.p, edge + self.p
        ahead, back = covered_depth(before, half), covered_depth(behind, half)
        inside = self.p - (ahead - before) + (back - behind)
        part = (smooth_sign(before, self.kernel_p) + 1) / 2 - 1
        part = part + (smooth_sign(behind, self.kernel_p) + 1) / 2
        own = torch.minimum(torch.minimum(ahead, back), self.kernel_p).clamp_min(1e-3 * self.pitch)
        return torch.maximum(torch.minimum(inside, edge), -edge), own, part.clamp_min(0)

    def along(self, place: Tensor, kernel: Tensor) -> Tensor:
        """Mean of a place along p, held to the straight part, over its half length."""
        return smooth_clamp(place, self.reach.expand_as(place), kernel)

    def within(self, place: Tensor) -> Tensor:
        """Part of the kernel about a place along p that lies on the straight part."""
        ahead = smooth_sign(place + self.reach, self.kernel_p)
        return (ahead - smooth_sign(place - self.reach, self.kernel_p)) / 2

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
