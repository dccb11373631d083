"""Oriented boxes around silhouettes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.geometry import Bodies, by_shape, volume_box
from osog.geometry.pieces import in_pieces, reach_of_pieces
from osog.geometry.rectangles import least_rectangle_of_support, support_directions

if TYPE_CHECKING:
    from osog.particles import ParticleBatch


@torch.no_grad()
def boxes(
    batch: ParticleBatch,
    pixel_size_um: float,
    shape: tuple[int, int] | None = None,
) -> Tensor:
    """Oriented bounding boxes of whole silhouettes, hidden parts included.

    Exact for every shape of the package. Rods and cylinders: along the projected long axis.
    Ellipsoids: along the axes of the projected ellipse. Boxes and polyhedra: the rectangle of least
    area, which has a side along an edge of the silhouette; see `Shape.box`. Parts of a volume: the
    rectangle of least area around the convex hull of their voxels, to half a degree; so for
    particles made of several bodies, around all of them.

    Parameters
    ----------
    batch : ParticleBatch
    pixel_size_um : float
    shape : tuple of int, optional
        (Y, X) of the frame: boxes that lie wholly outside it get zero width and height, so
        that row i still belongs to particle i.

    Returns
    -------
    Tensor, shape (N, 5)
        Centre x and y (pixel centres are integers), width ≥ height in px, and the angle of
        the width from +x towards +y in [−π/2, π/2) radians. Where both sides are equal the
        angle is the one nearest 0.
    """
    out = batch.position.new_zeros(len(batch), 5)
    for kind, i in by_shape(batch):
        centre, half, angle = kind.box(Bodies.of(batch, i, kind))
        centre = centre + batch.position[i, :2]
        out[i] = torch.cat([centre, 2 * half, angle[:, None]], dim=-1)
    for row in () if batch.voxels is None else batch.voxels.rows:
        centre, half, angle = volume_box(batch, row)
        out[row] = torch.cat([centre, 2 * half, angle[:, None]], dim=-1)[0]
    i = in_pieces(batch)
    if len(i):
        direction, around = support_directions(out)
        reach = reach_of_pieces(batch, direction)[i]
        centre, half, angle = least_rectangle_of_support(reach, direction, around)
        out[i] = torch.cat([centre, 2 * half, angle[:, None]], dim=-1)
    out[:, :4] /= pixel_size_um
    width, height, angle = out[:, 2].clone(), out[:, 3].clone(), out[:, 4]
    angle = torch.where(height > width, angle + math.pi / 2, angle)
    out[:, 2], out[:, 3] = torch.maximum(width, height), torch.minimum(width, height)
    square = (width - height).abs() < 1e-5 * out[:, 2]
    period = torch.where(square, angle.new_tensor(math.pi / 2), angle.new_tensor(math.pi))
    angle = torch.remainder(angle + period / 2, period) - period / 2
    # π/2 rounded to float32 lies outside of the interval.
    limit = angle.new_tensor(math.pi / 2 * (1 - 2**-23))
    angle = torch.where(angle > limit, angle - math.pi, angle)
    out[:, 4] = torch.maximum(angle, -limit)
    if shape is not None:
        cosine, sine = out[:, 4].cos().abs(), out[:, 4].sin().abs()
        reach_x = (cosine * out[:, 2] + sine * out[:, 3]) / 2
        reach_y = (sine * out[:, 2] + cosine * out[:, 3]) / 2
        rows, columns = shape
        seen = (out[:, 0] + reach_x > -0.5) & (out[:, 0] - reach_x < columns - 0.5)
        seen &= (out[:, 1] + reach_y > -0.5) & (out[:, 1] - reach_y < rows - 0.5)
        out[:, 2:4] *= seen[:, None]
    return out
