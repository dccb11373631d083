"""What the voxels of volumes are worth, and what they do not show."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from osog.cautions import Caution
from osog.derivatives import outside_func
from osog.scene.volumes import VoxelShape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.voxels import VoxelGrid
    from osog.waves.sampling_plan import SamplingPlan

_REFERENCE_WAVELENGTH_UM = 0.55
_STAIRS = 1.5
"""Faces of voxels over the surface of a ball that they are stacked to."""
_COARSE_PERCENT = 10.0
_STEP_AT_BORDER = 0.002
"""Index difference to the medium at the border of an array that makes a visible box."""


def voxel_error_percent(
    side_um: float, radius_um: float, aperture: float, wavelength_um: float, stairs: bool
) -> float:
    """Error of the scattered field that comes from drawing a smooth body as voxels.

    Parameters
    ----------
    side_um : float
        Side of a voxel.
    radius_um : float
        Three times the volume of the body over its surface: its radius if it is a ball.
    aperture : float
        Objective NA.
    wavelength_um : float
        In vacuum.
    stairs : bool
        Whether voxels are full or empty, rather than filled in part.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil (relative L2).

    Notes
    -----
    67 v^1.85 R^-0.75 (NA 0.55 µm/λ)^1.1, 1.3 times that with stairs: a fit to 54 balls of 0.8 to
    3 µm in voxels of 0.08 to 0.3 µm at NA 0.4 to 1.2, upright and turned, against the same balls as
    exact shapes; good to a factor of 1.5 from 6 voxels across.
    """
    share = 67 * side_um**1.85 * radius_um**-0.75
    share *= (aperture * _REFERENCE_WAVELENGTH_UM / wavelength_um) ** 1.1
    return float(min(100.0, share * (1.3 if stairs else 1.0)))


def volumes_error(scene: Scene, batch: ParticleBatch) -> tuple[float, float] | None:
    """Largest side of a voxel in µm and largest error in percent; None without volumes."""
    voxels = batch.voxels
    if voxels is None:
        return None
    optics = scene.microscope
    found = [(0.0, 0.0)]
    for parts in voxels.bodies():
        lead = int(parts[0])
        grid = voxels.grids[int(voxels.grid[lead])]
        planes, rows, columns = grid.shape
        sides = [
            2 * half / count
            for half, count in zip(
                batch.size[lead, :3].tolist(), (columns, rows, planes), strict=True
            )
        ]
        mean = float(np.prod(sides)) ** (1 / 3)
        error = voxel_error_percent(
            float(np.mean(np.square(sides))) ** 0.5,
            max(_radius_in_voxels(grid), 0.5) * mean,
            optics.numerical_aperture,
            optics.wavelengths_um[0],
            grid.ranks is not None,
        )
        found.append((max(sides), error))
    return max(side for side, _ in found), max(error for _, error in found)


@lru_cache(maxsize=8)
def _radius_in_voxels(grid: VoxelGrid) -> float:
    """Three times the volume of what is present over its surface."""
    with outside_func():
        mask = grid.mask.cpu().numpy()
    faces = 0
    for axis in range(3):
        ahead = np.diff(mask.astype(np.int16 if mask.dtype == np.uint8 else mask.dtype), axis=axis)
        faces += int(np.count_nonzero(ahead))
        faces += int(np.count_nonzero(mask.take(0, axis)) + np.count_nonzero(mask.take(-1, axis)))
    return 3 * int(np.count_nonzero(mask)) / max(faces / _STAIRS, 1)


def voxel_words(scene: Scene, batch: ParticleBatch) -> str | None:
    """Voxels and what they are worth, for the line under an image; None without volumes."""
    found = volumes_error(scene, batch)
    if found is None:
        return None
    side, error = found
    return f"voxels {side:.3g} µm, error ~{error:.{1 if error < 10 else 0}f} %"


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when voxels are coarse, show nothing here, or end in a step of the index."""
    found = volumes_error(scene, batch)
    if found is None:
        return
    if found[1] > _COARSE_PERCENT and plan.accuracy != "draft":
        yield Caution(
            f"Voxels of {found[0]:.3g} µm are coarse for this microscope: the light of a smooth "
            f"body is about {found[1]:.0f} % off."
        )
    emits = scene.microscope.emits
    shown = set(batch.population.tolist())
    for number, population in enumerate(scene.populations):
        shape = population.shape
        if number not in shown or not isinstance(shape, VoxelShape):
            continue
        if emits and shape.contents == "index":
            yield Caution(f"'{population.name}' holds indices, which emit no light.")
        if not emits and shape.contents == "emission":
            yield Caution(f"'{population.name}' holds emission, which scatters no light.")
        if not emits and shape.contents == "index":
            data = shape.grid.data
            ends = [data[[0, -1]], data[:, [0, -1]], data[:, :, [0, -1]]]
            border = float(np.median(np.concatenate([end.reshape(-1) for end in ends])))
            if abs(border - scene.medium.index) > _STEP_AT_BORDER:
                yield Caution(
                    f"'{population.name}' has the index {border:.4g} at the border of its array, "
                    f"where the medium begins with {scene.medium.index:.4g}: the box shows.",
                    {"medium.index": round(border, 4)},
                    "Take it for the medium",
                )


__all__ = ["cautions", "volumes_error", "voxel_error_percent", "voxel_words"]
