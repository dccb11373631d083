"""Particles as tensors: the Structure-of-Arrays that every stage reads, and turned bodies."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from osog.derivatives import plain_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.voxels import Voxels


@dataclass(frozen=True, kw_only=True)
class ParticleBatch:
    """N particles as tensors of one device and one floating type.

    Attributes
    ----------
    position : Tensor, shape (N, 3)
        Centre (x, y, z) in µm; x = column × pixel size, y = row × pixel size, z along the light.
    quaternion : Tensor, shape (N, 4)
        Unit quaternion (w, x, y, z) that turns body coordinates into world coordinates.
    size : Tensor, shape (N, S)
        Half lengths in µm along the body's axes, the long axis first, then what some shapes need
        besides, 0 where a shape needs less; a shape's file in ``geometry/`` says what they are.
        Polyhedra: the factors that scale their half-spaces.
    delta_index : Tensor, shape (N,)
        Index of the particle minus that of the medium.
    absorption_per_um : Tensor, shape (N,)
        Intensity absorption coefficient μ: the field falls by exp(−½ μ · path).
    emission_per_um : Tensor, shape (N,)
        Fluorescence brightness per µm of path.
    birefringence : Tensor, shape (N,)
        Extraordinary minus ordinary index of a uniaxial body; `delta_index` is of the ordinary one.
    optic_axis : Tensor, shape (N, 3)
        Unit vector of the optic axis in the world.
    core_radius : Tensor, shape (N,)
        Radius in µm of a sphere's concentric core; 0 without one.
    core_index_step : Tensor, shape (N,)
        Index of the core minus that of the shell.
    core_absorption_step : Tensor, shape (N,)
        Absorption coefficient of the core minus that of the shell.
    shape_kind : Tensor, shape (N,), int64
        Number of the particle's shape in ``geometry.SHAPES``.
    population : Tensor, shape (N,), int64
        Position of the particle's population in ``scene.populations``.
    group : Tensor, shape (N,), int64
        Number of the aggregate that the particle belongs to; −1 alone.
    planes : Tensor, shape (F, 4)
        Half-spaces (n_x, n_y, n_z, d) of all polyhedra one after another, body frame:
        inside where n · (x / size) ≤ d. Normals have length 1.
    plane_start : Tensor, shape (N + 1,), int64
        Particle i owns ``planes[plane_start[i] : plane_start[i + 1]]``.
    voxels : Voxels or None
        Which particles are parts of a volume of voxels; None where none is.
    """

    position: Tensor
    quaternion: Tensor
    size: Tensor
    delta_index: Tensor
    absorption_per_um: Tensor
    emission_per_um: Tensor
    birefringence: Tensor
    optic_axis: Tensor
    core_radius: Tensor
    core_index_step: Tensor
    core_absorption_step: Tensor
    shape_kind: Tensor
    population: Tensor
    group: Tensor
    planes: Tensor
    plane_start: Tensor
    voxels: Voxels | None = None

    def __len__(self) -> int:
        """Count the particles."""
        return int(self.position.shape[0])

    @property
    def device(self) -> torch.device:
        """Device of every tensor of the batch."""
        return self.position.device

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of every real tensor of the batch."""
        return self.position.dtype

    def detach(self) -> ParticleBatch:
        """Return the same numbers without their gradient history."""
        return self._map(plain_numbers)

    def moved(
        self,
        position: Tensor,
        quaternion: Tensor,
        size: Tensor,
        planes: Tensor,
        *weights: Tensor | None,
    ) -> ParticleBatch:
        """Return the same particles in other places, of other sizes and other weights of voxels."""
        voxels = None if self.voxels is None else self.voxels.moved(weights)
        return replace(
            self, position=position, quaternion=quaternion, size=size, planes=planes, voxels=voxels
        )

    @property
    def weights(self) -> tuple[Tensor | None, ...]:
        """Weights of the voxels of every array; empty without volumes."""
        return () if self.voxels is None else self.voxels.weights

    def to(self, *args: Any, **kwargs: Any) -> ParticleBatch:
        """Move or convert: floating tensors follow every argument, integer ones the device only."""
        moved = self.position.to(*args, **kwargs)
        found = self._map(
            lambda t: (
                t.to(moved.device, moved.dtype) if t.is_floating_point() else t.to(moved.device)
            )
        )
        if found.voxels is None:
            return found
        return replace(found, voxels=found.voxels.on(moved.device))

    def taken(self, numbers: Tensor) -> ParticleBatch:
        """Return some of the particles.

        Parameters
        ----------
        numbers : Tensor, shape (M,), int64
            Which ones, in the order that is wanted.
        """
        start, end = self.plane_start[numbers], self.plane_start[numbers + 1]
        counts = end - start
        stops = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        # Row of each plane: its place within the particle, after the particle's first.
        rows = torch.arange(int(stops[-1]), device=self.device)
        rows = rows + torch.repeat_interleave(start - stops[:-1], counts)
        whole = {f.name: getattr(self, f.name) for f in fields(self)}
        own = ("planes", "plane_start", "voxels")
        one_each = {n: t[numbers] for n, t in whole.items() if n not in own}
        voxels = None if self.voxels is None else self.voxels.taken(numbers)
        return ParticleBatch(**one_each, planes=self.planes[rows], plane_start=stops, voxels=voxels)

    def _map(self, function: Any) -> ParticleBatch:
        tensors = {n: t for n, t in self.__dict__.items() if isinstance(t, Tensor)}
        voxels = None if self.voxels is None else self.voxels.mapped(function)
        return replace(self, **{n: function(t) for n, t in tensors.items()}, voxels=voxels)


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
