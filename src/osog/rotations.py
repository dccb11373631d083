"""How bodies are turned: unit quaternions, rotation matrices and angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def quaternion_product(first: Tensor, second: Tensor) -> Tensor:
    """Quaternion product (N, 4): turns by `second`, then by `first`."""
    w, x, y, z = first.unbind(-1)
    a, b, c, d = second.unbind(-1)
    return torch.stack(
        (
            w * a - x * b - y * c - z * d,
            w * b + x * a + y * d - z * c,
            w * c - x * d + y * a + z * b,
            w * d + x * c - y * b + z * a,
        ),
        dim=-1,
    )


def rotation_matrix(quaternion: Tensor) -> Tensor:
    """Rotation matrices of unit quaternions.

    Parameters
    ----------
    quaternion : Tensor, shape (..., 4)
        (w, x, y, z); normalised here, so any non-zero length is accepted.

    Returns
    -------
    Tensor, shape (..., 3, 3)
        R with ``world = R @ body``; its columns are the body axes seen from the world.
    """
    # Few operations on much: on a GPU, and for a few bodies, what counts is their number.
    unit = torch.stack((quaternion / quaternion.norm(dim=-1, keepdim=True)).unbind(-1))
    of = unit[:, None] * unit[None]
    less = -of
    w, x, y, z = range(4)
    first = torch.stack(
        (
            less[y, y], of[x, y], of[x, z],
            of[x, y], less[x, x], of[y, z],
            of[x, z], of[y, z], less[x, x],
        )
    )  # fmt: skip
    second = torch.stack(
        (
            less[z, z], less[w, z], of[w, y],
            of[w, z], less[z, z], less[w, x],
            less[w, y], of[w, x], less[y, y],
        )
    )  # fmt: skip
    turned = (2 * (first + second)).movedim(0, -1).unflatten(-1, (3, 3))
    matrix: Tensor = turned + torch.eye(3, dtype=quaternion.dtype, device=quaternion.device)
    return matrix


def rotation_written_out(quaternion: Tensor) -> Tensor:
    """`rotation_matrix` as plain arithmetic of single numbers, for those who read formulas."""
    w, x, y, z = (quaternion / quaternion.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def quaternion_from_angles(angles_deg: Tensor) -> Tensor:
    """Quaternion of (azimuth, elevation, roll) in degrees.

    The body's long axis (its own x axis) ends up at
    (cos el · cos az, cos el · sin az, sin el): azimuth from +x towards +y, elevation out of the
    image plane towards the objective, roll about the long axis.

    Parameters
    ----------
    angles_deg : Tensor, shape (..., 3)

    Returns
    -------
    Tensor, shape (..., 4)
        R = R_z(azimuth) · R_y(−elevation) · R_x(roll) as (w, x, y, z).
    """
    half = torch.deg2rad(angles_deg) / 2
    (ca, sa), (ce, se), (cr, sr) = ((torch.cos(h), torch.sin(h)) for h in half.unbind(-1))
    se = -se
    return torch.stack(
        (
            ca * ce * cr + sa * se * sr,
            ca * ce * sr - sa * se * cr,
            ca * se * cr + sa * ce * sr,
            sa * ce * cr - ca * se * sr,
        ),
        dim=-1,
    )


def angles_of_rotation(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Azimuth, elevation and roll in degrees of rotation matrices: `quaternion_from_angles` back.

    Parameters
    ----------
    rotation : ndarray, shape (n, 3, 3)

    Returns
    -------
    ndarray, shape (n, 3)
        Where the long axis points along z, roll is 0 and the azimuth does the whole turn.
    """
    axis, second, third = rotation[:, :, 0], rotation[:, :, 1], rotation[:, :, 2]
    flat = np.hypot(axis[:, 0], axis[:, 1])
    upright = flat < 1e-9
    azimuth = np.where(
        upright, np.arctan2(-second[:, 0], second[:, 1]), np.arctan2(axis[:, 1], axis[:, 0])
    )
    elevation = np.arctan2(axis[:, 2], flat)
    roll = np.where(upright, 0.0, np.arctan2(second[:, 2], third[:, 2]))
    result: NDArray[np.float64] = np.rad2deg(np.stack([azimuth, elevation, roll], 1))
    return result


__all__ = [
    "angles_of_rotation",
    "quaternion_from_angles",
    "quaternion_product",
    "rotation_matrix",
    "rotation_written_out",
]
