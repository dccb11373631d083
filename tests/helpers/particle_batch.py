"""Batches of particles built by hand, without scenes."""

from __future__ import annotations

import torch

from osog.geometry import POLYHEDRON, SHAPES
from osog.sample import ParticleBatch, quaternion_from_angles
from osog.scene import half_spaces


def particle_batch(
    rows: list[dict[str, object]], dtype: torch.dtype = torch.float64, delta_index: float = 0.03
) -> ParticleBatch:
    """Particles from rows with kind, position, angles, size, and habit or planes of polyhedra."""
    count = len(rows)
    planes, start = [torch.zeros(0, 4, dtype=torch.float64)], [0]
    for row in rows:
        if row["kind"] is POLYHEDRON:
            faces = row.get("planes")
            if faces is None:
                faces = half_spaces(str(row.get("habit", "octahedron")))
            planes.append(torch.as_tensor(faces, dtype=torch.float64))
            start.append(start[-1] + len(planes[-1]))
        else:
            start.append(start[-1])

    def column(name: str, default: object) -> torch.Tensor:
        values = [row.get(name, default) for row in rows]
        return torch.tensor(values, dtype=torch.float64).reshape(-1, 3)

    batch = ParticleBatch(
        position=column("position", (0.0, 0.0, 0.0)),
        quaternion=quaternion_from_angles(column("angles", (0.0, 0.0, 0.0))),
        size=column("size", (1.0, 1.0, 1.0)),
        delta_index=torch.full((count,), delta_index, dtype=torch.float64),
        absorption_per_um=torch.zeros(count, dtype=torch.float64),
        emission_per_um=torch.zeros(count, dtype=torch.float64),
        birefringence=torch.zeros(count, dtype=torch.float64),
        optic_axis=torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64).repeat(count, 1),
        core_radius=torch.zeros(count, dtype=torch.float64),
        core_index_step=torch.zeros(count, dtype=torch.float64),
        core_absorption_step=torch.zeros(count, dtype=torch.float64),
        shape_kind=torch.tensor([SHAPES.index(row["kind"]) for row in rows]),
        population=torch.zeros(count, dtype=torch.int64),
        group=torch.full((count,), -1),
        planes=torch.cat(planes),
        plane_start=torch.tensor(start),
    )
    return batch.to(dtype)
