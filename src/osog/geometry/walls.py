"""Pixel means of paths that may jump at the silhouette, for boxes and polyhedra.

The pixel mean is the covered fraction of the pixel times the path at the mean covered depth
behind the silhouette; a plain point sample would have no gradient at a vertical wall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.geometry.edges import HAIR, step_mean

if TYPE_CHECKING:
    from collections.abc import Callable


_GAUSS = 0.5 / 3**0.5
"""Nodes of the two-point Gauss rule on the interval of length 1."""
SHORT = 0.05
"""Length of a silhouette's edge, as a part of the pixel, below which its direction passes no
gradient; 1 would leave 1 % of the gradient out, and 15 % for boxes that lie almost flat."""
VERTICAL = 1e-6
"""A face whose normal has a smaller z component gates the silhouette only."""


def wall_mean(
    x: Tensor,
    y: Tensor,
    line_x: Tensor,
    line_y: Tensor,
    depth: Tensor,
    surfaces: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    pitch_um: tuple[float, float],
) -> tuple[Tensor, Tensor, Tensor]:
    """Half path, middle and coverage from two Gauss points in the covered part of each pixel.

    The points lie along the normal of the silhouette. One point at the mean depth would read
    too much on steep flanks, since the path is concave. For random boxes of 2 × 1.2 × 0.8 µm the
    error behind a pupil of NA 0.8 is 0.075 % (worst 0.4 %).

    Parameters
    ----------
    x, y : Tensor
        µm from the positions.
    line_x, line_y : Tensor
        Outward normal of the nearest edge of the silhouette.
    depth : Tensor
        Distance in µm behind that edge, negative outside.
    surfaces : callable
        Heights of the upper surface above and of the lower surface below the position.
    pitch_um : tuple of float
        (y, x).
    """
    py, px = pitch_um
    side_x, side_y = line_x.abs() * px, line_y.abs() * py
    wide = torch.maximum(side_x, side_y)
    narrow = torch.maximum(torch.minimum(side_x, side_y), HAIR * wide)
    coverage = step_mean(depth, wide, narrow)
    if px == py:
        half_width: Tensor | float = px / 2
    else:
        half_width = (side_x * side_x + side_y * side_y).sqrt() / 2
    # The covered part of the pixel reaches from `near` to `far` behind the edge; where a mere
    # corner of the pixel is covered, its mean depth counts.
    near = (depth - half_width).clamp_min(0)
    far = torch.maximum(depth + half_width, (depth + (wide + narrow) / 2) * (2 / 3))
    # Depth grows against the outward normal.
    centre = depth - (near + far) / 2
    spread = far - near
    path: Tensor | float = 0.0
    moment: Tensor | float = 0.0
    for node in (-_GAUSS, _GAUSS):
        shift = centre + node * spread
        upper, lower = surfaces(x + shift * line_x, y + shift * line_y)
        part = (upper + lower).clamp_min(0)
        path, moment = path + part, moment + part * (upper - lower)
    assert isinstance(path, Tensor)
    # Beyond the silhouette the surfaces of a point have no meaning, so faint pixels lean
    # towards the particle's own z.
    return path * (coverage / 4), moment / (2 * path + 2e-4 * min(pitch_um)), coverage
