"""Bodies given by a level function, whose lines of sight are looked at point by point.

The pixel mean of a path is the integral along the line of the part of a small kernel about each
point that lies in the body. The kernel is an ellipsoid: across the line that with which all bodies
are drawn (`edges`), along the line as long as the points are apart, so that their sum is the
integral: its transfer is 0 at one cycle a point. No case must be told apart, whether a line crosses
the body, grazes it, or goes through a gap that is about to close.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from osog.derivatives import plain_numbers
from osog.geometry.edges import REACH, SPREAD, coverage_of
from osog.geometry.shape import Bodies, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

_MARGIN = 1.0
"""Points beyond the ends of a window, which the kernel along the line reaches."""


_KERNELS = 2.0
"""Half widths of the kernel by which bodies are enlarged, whose level may be curved within it."""


@dataclass(frozen=True)
class Level:
    """A level function about points, positive within the body.

    Attributes
    ----------
    value : Tensor
        In any unit that grows about evenly across the surface.
    slope_z : Tensor
        Its derivative along the line of sight, per µm.
    slope2 : Tensor
        Square of the length of its gradient.
    curvature : Tensor
        Its Laplacian.
    curvature_z : Tensor
        Its second derivative along the line of sight.
    """

    value: Tensor
    slope_z: Tensor
    slope2: Tensor
    curvature: Tensor
    curvature_z: Tensor

    def share(self, across: float | Tensor, along: float | Tensor) -> Tensor:
        """Part of the kernel that lies in the body; its cell has these sides in µm."""
        across2, along2 = across * across, along * along
        mean = self.value + (across2 * (self.curvature - self.curvature_z)) / 24
        mean = mean + along2 * self.curvature_z / 24
        steep2 = self.slope_z * self.slope_z
        half2 = (across2 * (self.slope2 - steep2).clamp_min(0) + along2 * steep2) / 4
        least = 1e-6 * across2 * across2
        return coverage_of(mean, (half2 + least).sqrt())


class LevelShape(Shape):
    """A body where a level function is positive, crossed by a line at most ``intervals`` times.

    Attributes
    ----------
    points : int
        Points on each piece of a line of sight.

    Notes
    -----
    The part of the kernel takes the surface as flat with a correction for its curvature, so bodies
    should be at least ``smooth_above_px`` pixels wide (thinner ones are sub-sampled, like all
    shapes), and hold their curvature over a few points of a line.
    """

    points: ClassVar[int] = 16

    @abstractmethod
    def windows(self, x: Tensor, y: Tensor, bodies: Bodies, margin_um: float) -> Tensor:
        """Ends of the windows that hold the pieces of lines of sight.

        Parameters
        ----------
        x, y : Tensor, shape (..., n, P, Q)
            µm from the positions.
        bodies : Bodies
            Without derivatives.
        margin_um : float
            By how much the body is enlarged.

        Returns
        -------
        Tensor, shape (2, K, ..., n, P, Q)
            Lower and upper z from the position; the upper end is not above the lower one where
            there is nothing. Windows of a line may touch, not overlap.
        """

    @abstractmethod
    def level(self, x: Tensor, y: Tensor, z: Tensor, bodies: Bodies) -> Level:
        """Level function at points about the positions, one body each.

        Parameters
        ----------
        x, y : Tensor, shape (A,)
        z : Tensor, shape (M, A)
        bodies : Bodies
            A of them.
        """

    def share(self, level: Level, across: Tensor | float, along: Tensor | float) -> Tensor:
        """Part of the kernel in the body at each point; more than one surface may limit it."""
        return level.share(across, along)

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Sum of the parts of the kernel along each piece of a line; see `Shape.path`."""
        py, px = pitch_um
        across = ((px * px + py * py) / 2) ** 0.5
        x, y = torch.broadcast_tensors(x, y)
        with torch.no_grad():
            plain = Bodies(plain_numbers(bodies.quaternion), plain_numbers(bodies.size))
            low, high = self.windows(
                plain_numbers(x), plain_numbers(y), plain, _KERNELS * across * REACH / 2
            ).unbind(0)
            lines = torch.nonzero((high > low).any(0).flatten())[:, 0]
            low, high = (t.flatten(1)[:, lines] for t in (low, high))
            step = ((high - low) / (self.points - 2 * _MARGIN)).clamp_min(1e-3 * across)
            start, end = low - _MARGIN * step, high + _MARGIN * step
            # Windows that touch share the border; those apart keep their margins.
            border = (high[:-1] + low[1:]) / 2
            end[:-1] = torch.minimum(end[:-1], border)
            start[1:] = torch.maximum(start[1:], border)
            step = (end - start).clamp_min(0) / self.points
            number = torch.arange(self.points, dtype=low.dtype, device=low.device) + 0.5
            z = start[None] + number[:, None, None] * step  # (M, K, A)
        of_body = _body_of(x, lines)
        one = Bodies(bodies.quaternion[of_body], bodies.size[of_body])
        at_x, at_y = x.flatten()[lines], y.flatten()[lines]
        pieces = self.intervals
        level = self.level(at_x, at_y, z.flatten(0, 1), one)
        inside = self.share(level, across, (SPREAD * step).repeat(self.points, 1))
        inside = inside.unflatten(0, (self.points, pieces))
        length = inside.sum(0)
        middle = (inside * z).sum(0) / (length + 1e-6)
        coverage = self.share(level, across, 0.0).unflatten(0, (self.points, pieces))
        coverage = _top(coverage).amax(0).clamp_max(1.0)
        shape = x.shape

        def spread(values: Tensor) -> Tensor:
            """Put (K, A) back on all lines, (..., n, K, P, Q)."""
            whole = values.new_zeros(len(values), x.numel()).index_copy(1, lines, values)
            return whole.unflatten(1, shape).movedim(0, -3)

        return spread(length * step / 2), spread(middle), spread(coverage[None]).squeeze(-3)

    def depth(self, level: Level) -> Tensor:
        """Level of a body that more than one surface may limit."""
        return level.value

    def deepest(self, bodies: Bodies, x: Tensor, y: Tensor, margin_um: float = 0.0) -> Tensor:
        """Largest level on lines of sight, (..., n, P, Q), without derivatives.

        Beyond ``margin_um`` from the body it is −∞.
        """
        with torch.no_grad():
            low, high = self.windows(x, y, bodies, margin_um).unbind(0)
            found = torch.full(x.shape, -torch.inf, dtype=x.dtype, device=x.device)
            lines = torch.nonzero((high > low).any(0).flatten())[:, 0]
            low, high = (t.flatten(1)[:, lines] for t in (low, high))
            number = (torch.arange(2 * self.points + 1, dtype=x.dtype, device=x.device)) / (
                2 * self.points
            )
            z = low + number[:, None, None] * (high - low)
            of_body = _body_of(x, lines)
            level = self.level(
                x.flatten()[lines], y.flatten()[lines], z.flatten(0, 1), bodies.taken(of_body)
            )
            depth = self.depth(level).unflatten(0, (len(number), self.intervals))
            top = depth.amax((0, 1))
            return found.flatten().index_copy(0, lines, top).view(x.shape)


def _body_of(x: Tensor, lines: Tensor) -> Tensor:
    """Number of the body that each line belongs to, for lines of (..., n, P, Q)."""
    n, rows, columns = x.shape[-3:]
    return torch.div(lines, rows * columns, rounding_mode="floor") % n


def _top(values: Tensor) -> Tensor:
    """Largest of (M, ...) along the line: the top of the parabola through it and its neighbours."""
    place = values.argmax(0, keepdim=True).clamp(1, len(values) - 2)
    below, at, above = (values.gather(0, place + k)[0] for k in (-1, 0, 1))
    bend = 2 * at - below - above
    lift = (above - below) ** 2 / (8 * bend.clamp_min(1e-12))
    found = torch.where((at >= below) & (at >= above) & (bend > 1e-9), at + lift, at)
    return torch.maximum(found, torch.maximum(below, above))


def star_radii(
    inside: Callable[[Tensor, Tensor], Tensor], directions: Tensor, farthest: Tensor, steps: int
) -> Tensor:
    """Distances (n, V) at which rays from the middle leave star-shaped silhouettes, by halving.

    Parameters
    ----------
    inside : callable
        Tells for x, y, shape (n, 1, V), whether these places lie in the silhouettes.
    directions : Tensor, shape (V, 2)
    farthest : Tensor, shape (n,)
        Distances that lie outside.
    steps : int
        Halvings.
    """
    low = torch.zeros(len(farthest), len(directions), dtype=farthest.dtype, device=farthest.device)
    high = farthest[:, None].expand_as(low)
    for _ in range(steps):
        middle = (low + high) / 2
        x, y = (middle * directions[:, k] for k in range(2))
        within = inside(x[:, None], y[:, None])[:, 0]
        low, high = torch.where(within, middle, low), torch.where(within, high, middle)
    return (low + high) / 2


__all__ = ["Level", "LevelShape", "star_radii"]
