"""Pieces of all populations as the parts of one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.geometry import SHAPES
from osog.particles import OUTER, Parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from osog.sample.bodies import Bodies


def joined_parts(
    bodies: Sequence[Bodies], numbers: Mapping[str, Tensor], medium_index: Tensor
) -> Parts | None:
    """Join the pieces of all populations; None when there are none.

    Parameters
    ----------
    bodies : sequence of Bodies
        Of each population.
    numbers : mapping of field to Tensor (N,)
        ``index``, ``absorption_per_um``, ``emission_per_um`` and ``birefringence`` of the
        particles, which pieces have that state none of their own.
    medium_index : Tensor, 0-dim
    """
    kept = [(body.first, each) for body in bodies for each in body.pieces if len(each.host)]
    if not kept:
        return None
    columns: dict[str, list[Tensor]] = {}

    def put(**rows: Tensor) -> None:
        for name, value in rows.items():
            columns.setdefault(name, []).append(value)

    for first, each in kept:
        host = each.host + first
        count, like = len(host), each.position
        long: dict[str, Any] = {"dtype": torch.int64, "device": host.device}
        none = torch.zeros(count, dtype=like.dtype, device=like.device)

        def own(name: str, given: Tensor | None, host: Tensor = host) -> Tensor:
            return numbers[name][host] if given is None else given

        index = own("index", each.index)
        outer = each.role == OUTER and each.index is None
        turn = each.quaternion
        if turn is None:
            turn = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=like.dtype, device=like.device)
            turn = turn.expand(count, 4)
        put(
            host=host,
            role=torch.full((count,), each.role, **long),
            position=like,
            quaternion=turn,
            size=each.size,
            delta_index=none if each.hollow else index - medium_index,
            absorption_per_um=none
            if each.hollow
            else own("absorption_per_um", each.absorption_per_um),
            emission_per_um=none if each.hollow else own("emission_per_um", each.emission_per_um),
            birefringence=numbers["birefringence"][host] if outer else none,
            shape_kind=torch.full((count,), SHAPES.index(each.shape), **long),
            planes=like.new_zeros(0, 4) if each.planes is None else each.planes,
            counts=torch.zeros(count, **long) if each.counts is None else each.counts,
        )
    whole = {name: torch.cat(rows) for name, rows in columns.items()}
    counts = whole.pop("counts")
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    device = medium_index.device
    replaced = torch.cat(
        [torch.full((len(body.size),), body.replaced, device=device) for body in bodies]
    )
    return Parts(**whole, plane_start=starts, replaced=replaced)
