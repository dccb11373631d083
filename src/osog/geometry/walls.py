"""Means over the kernel of paths that may jump at the silhouette, for boxes and polyhedra.

The mean is the part of the kernel that the silhouette holds times the path at the mean depth of
that part; a plain point sample would have no gradient at a vertical wall. Where two edges of the
silhouette or two faces meet, the smaller of both is itself a mean over the kernel, so that the
picture has no kink there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from osog.geometry.edges import (
    REACH,
    coverage_of,
    covered_depth,
    smaller_side,
    smooth_abs,
    smooth_sign,
)

SHORT = 0.05
"""Length of a silhouette's edge, as a part of the pixel, below which its direction passes no
gradient; 1 would leave 1 % of the gradient out, and 15 % for boxes that lie almost flat."""
VERTICAL = 1e-6
"""A face whose normal has a smaller z component gates the silhouette only."""
_BEND = 0.3
"""Depth in reaches of the kernel within which its part near the silhouette becomes the whole."""
_STEEP = 30.0
"""Steepest flank, in half heights of the body per reach of the kernel."""


HEAD = 7
"""Numbers of a row of `Walls.table` before the edges."""


@dataclass(frozen=True)
class Walls:
    """What lines of sight through n convex bodies need to know of them.

    Attributes
    ----------
    edges : Tensor, shape (n, E, 3)
        Edges of the silhouettes: outward unit normal (x, y) and distance from the position, µm.
    up, down : (Tensor, Tensor), shapes (n, F) and (n, F, 2)
        See `wall_mean`.
    highest : Tensor, shape (n,)
        Half of the heights, detached.
    counts : Tensor, shape (n, 3), int64
        How many edges and faces up and down each body has; the further rows are padding that
        nothing reaches.
    """

    edges: Tensor
    up: tuple[Tensor, Tensor]
    down: tuple[Tensor, Tensor]
    highest: Tensor
    counts: Tensor

    @property
    def table(self) -> Tensor:
        """One row for each body.

        Its counts, the places E and F there are for edges, faces up and faces down, the height,
        and then three numbers of each edge, each face up and each face down.
        """
        places = (self.edges.shape[1], self.up[0].shape[1], self.down[0].shape[1])
        wide = self.edges.new_tensor([places]).expand(len(self.edges), 3)
        head = [self.counts.to(self.edges), wide]
        faces = [torch.cat([h[..., None], fall], -1).flatten(1) for h, fall in (self.up, self.down)]
        return torch.cat([*head, self.highest[:, None], self.edges.flatten(1), *faces], 1)


class Planes:
    """The least of several linear functions, as a mean over the kernel.

    Parameters
    ----------
    reach_um : float
        Half width of the kernel.
    """

    def __init__(self, reach_um: float | Tensor) -> None:
        self._reach = reach_um
        self._value: Tensor | None = None
        self._slope: tuple[Tensor, Tensor] | None = None

    def add(self, value: Tensor, slope_x: Tensor, slope_y: Tensor) -> None:
        """Put another function beside those so far, by its value here and its slopes."""
        if self._value is None or self._slope is None:
            self._value, self._slope = value, (slope_x, slope_y)
            return
        found = lesser((self._value, *self._slope), (value, slope_x, slope_y), self._reach)
        self._value, self._slope = found[0], found[1:]

    def least(self) -> tuple[Tensor, Tensor, Tensor]:
        """Value and slopes (x, y) of the least."""
        assert self._value is not None and self._slope is not None
        return self._value, *self._slope


def lesser(
    one: tuple[Tensor, Tensor, Tensor],
    other: tuple[Tensor, Tensor, Tensor],
    kernel_um: float | Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Value and slopes (x, y) of the lesser of two linear functions, as a mean over the kernel."""
    value, slope_x, slope_y = other
    turn = (slope_x - one[1]) ** 2 + (slope_y - one[2]) ** 2
    reach = torch.sqrt(turn + 1e-12) * kernel_um
    ahead = value - one[0]
    share = smooth_sign(ahead, reach) * 0.5 + 0.5
    least = (value + one[0] - smooth_abs(ahead, reach)) / 2
    return least, torch.lerp(slope_x, one[1], share), torch.lerp(slope_y, one[2], share)


def wall_mean(
    x: Tensor,
    y: Tensor,
    silhouette: Planes,
    up: tuple[Tensor, Tensor],
    down: tuple[Tensor, Tensor],
    highest: Tensor,
    pitch_um: tuple[float, float],
) -> tuple[Tensor, Tensor, Tensor]:
    """Half path, middle and coverage.

    Parameters
    ----------
    x, y : Tensor
        µm from the positions.
    silhouette : Planes
        Depths in µm behind the edges of the silhouette, negative outside.
    up, down : (Tensor, Tensor), shapes (n, F) and (n, F, 2)
        Heights in µm above the positions of the faces that look up, or below them of those that
        look down, and by how much they fall along x and y.
    highest : Tensor, shape (n, 1, 1)
        Half of the body's height.
    pitch_um : tuple of float
        (y, x) sides of the cell of the kernel's variance.
    """
    reach = kernel_reach(pitch_um)
    x, y, own, coverage = covered_part(x, y, silhouette.least(), reach)
    upper, lower = (_envelope(x, y, *faces, own, highest, reach) for faces in (up, down))
    path, middle = between(upper, lower, coverage, smaller_side(pitch_um))
    return path, middle, coverage


def covered_part(
    x: Tensor, y: Tensor, silhouette: tuple[Tensor, Tensor, Tensor], reach: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Middle (x, y) of the part of the kernel that the silhouette holds, its reach and share."""
    depth, slope_x, slope_y = silhouette
    half_side = depth.new_full((), reach / REACH)
    coverage = coverage_of(depth, half_side)
    inside = covered_depth(depth, half_side)
    # To the middle of the covered part of the kernel; depth grows along its slope.
    x, y = x + (inside - depth) * slope_x, y + (inside - depth) * slope_y
    # About that middle the kernel reaches no farther than to the silhouette.
    share = inside / reach
    share = (share + 1 - smooth_abs(share - 1, share.new_full((), _BEND))) / 2
    return x, y, share.clamp_min(1e-3) * reach, coverage


def between(
    upper: Tensor, lower: Tensor, coverage: Tensor, least_um: float
) -> tuple[Tensor, Tensor]:
    """Half path and middle between two surfaces, by heights above and below the position."""
    path = (upper + lower).clamp_min(0) * coverage / 2
    # Beyond the silhouette the surfaces of a point have no meaning, so faint pixels lean
    # towards the particle's own z.
    middle = (upper - lower) / 2 * (path / (path + 1e-4 * least_um))
    return path, middle


def kernel_reach(pitch_um: tuple[float, float]) -> float:
    """Half width of the kernel in µm for the cell of its variance."""
    py, px = pitch_um
    # The pitches differ by what fits a whole number of samples into the domain.
    reach: float = REACH / 2 * ((py * py + px * px) / 2) ** 0.5
    return reach


def _envelope(
    x: Tensor,
    y: Tensor,
    height: Tensor,
    fall: Tensor,
    reach: Tensor,
    highest: Tensor,
    kernel: float,
) -> Tensor:
    """Least height over faces."""
    surface = Planes(reach)
    for f in range(height.shape[1]):
        falls = fall[:, f, 0, None, None], fall[:, f, 1, None, None]
        surface.add(*flank(x, y, height[:, f, None, None], falls, highest, kernel))
    return surface.least()[0]


def flank(
    x: Tensor,
    y: Tensor,
    height: Tensor,
    fall: tuple[Tensor, Tensor],
    highest: Tensor,
    kernel: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Height of one face at a place, and its slopes (x, y)."""
    # Within a kernel a flank as steep as this is a wall, and numbers stay finite.
    steep = _STEEP * highest / kernel
    fall_x, fall_y = fall
    part = steep * torch.rsqrt(fall_x * fall_x + fall_y * fall_y + steep * steep)
    value = height - fall_x * x - fall_y * y
    return torch.lerp(highest, value, part), -part * fall_x, -part * fall_y
