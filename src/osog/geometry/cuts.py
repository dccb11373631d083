"""Bodies cut off by planes: caps, and the pieces of bodies that run into one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.geometry.edges import REACH, coverage_of, smooth_clamp
from osog.geometry.walls import kernel_reach

if TYPE_CHECKING:
    from torch import Tensor

    from osog.geometry.shape import Bodies


def cut(
    x: Tensor,
    y: Tensor,
    bodies: Bodies,
    pitch_um: tuple[float, float],
    path: tuple[Tensor, Tensor | None, Tensor],
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Cut paths through bodies off where their half-spaces end.

    A half-space n · r ≤ d meets a line of sight in a half-line, so that what is left of a chord is
    a clamp of where the plane crosses it; its mean over the kernel is taken for a chord that does
    not change within the kernel. Both sides of one plane add up to the whole body.

    Parameters
    ----------
    x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
        µm from the positions.
    bodies : Bodies
        With planes in µm in the frame of the body.
    pitch_um : tuple of float
        (y, x) sides of the cell of the kernel's variance.
    path : tuple
        Half path, middle and coverage of the whole bodies; see `Shape.path`.

    Returns
    -------
    tuple
        The same of what is left.
    """
    half_path, middle, coverage = path
    planes, mask = bodies.faces
    normals = planes[..., :3] @ bodies.rotation.transpose(-1, -2)
    reach = kernel_reach(pitch_um)
    for k in range(planes.shape[1]):
        n_x, n_y, n_z = (normals[:, k, axis, None, None] for axis in range(3))
        room = planes[:, k, 3, None, None] - n_x * x - n_y * y
        height = torch.zeros_like(half_path) if middle is None else middle
        steep = n_z.abs()
        # Across the kernel the plane rises by this much; a hair of it where the plane lies flat.
        across = torch.sqrt(n_x * n_x + n_y * n_y + 1e-12) * reach
        half = steep * half_path
        share = smooth_clamp(room - n_z * height, half, across)
        share = torch.where(mask[:, k, None, None], share, torch.ones_like(share))
        # An upright plane takes from the side and moves no middle.
        lean = n_z * half_path * torch.rsqrt(half * half + across * across)
        left = half_path * (1 + share) / 2
        middle = height - lean * (half_path - left)
        seen = coverage_of(room - n_z * height + half, across / REACH)
        coverage = coverage * torch.where(mask[:, k, None, None], seen, torch.ones_like(seen))
        half_path = left
    return half_path, middle, coverage


def cut_outline(bodies: Bodies, normals: Tensor) -> Tensor:
    """Points of silhouettes of ellipsoids that planes cut off.

    Parameters
    ----------
    bodies : Bodies
        Of ellipsoids with semi-axes ``size``, spheres among them.
    normals : Tensor, shape (V, 2)
        Unit vectors (x, y) in the image plane.

    Returns
    -------
    Tensor, shape (n, V, 2)
        (x, y) from the positions of the points that lie farthest along each direction; exact where
        the planes do not meet within the body.
    """
    planes, mask = bodies.faces
    size, rotation = bodies.size, bodies.rotation
    # In the frame where the ellipsoid is the unit ball.
    toward = (normals @ rotation[:, :2, :]) * size[:, None, :]
    point = toward / toward.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    for k in range(planes.shape[1]):
        scaled = planes[:, k, :3] * size
        length = scaled.norm(dim=-1, keepdim=True)
        axis = (scaled / length.clamp_min(1e-12))[:, None, :]
        offset = (planes[:, k, 3:] / length.clamp_min(1e-12))[:, None, :].clamp(-1.0, 1.0)
        along = (point * axis).sum(-1, keepdim=True)
        across = point - along * axis
        rim = torch.sqrt(1 - offset * offset) / across.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        out = (along > offset) & mask[:, k, None, None]
        point = torch.where(out, offset * axis + rim * across, point)
    found: Tensor = (point * size[:, None, :]) @ rotation[:, :2, :].transpose(-1, -2)
    return found
