"""What to say of a render that needs much memory, before the machine runs out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.cautions import Caution
from osog.exit_wave.sampling.memory import (
    cure,
    gigabytes,
    machine_bytes,
    memory_need,
    purpose,
)
from osog.exit_wave.sampling.plan import plan_sampling
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_MUCH = 8e9
"""Bytes from which a caution names them; also from half of what the machine has."""
_DRAFT_SHARE = 1 / 40
"""Least share of the memory of a full render that its draft needs."""


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say how much memory a render needs where it is much; a draft tells it of the image at rest.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan
    """
    there = machine_bytes(batch.device)
    much = _MUCH if there is None else min(_MUCH, 0.5 * there)
    need = memory_need(scene, batch, plan)
    if plan.accuracy == "draft" and scene.numerics.accuracy != "draft":
        if need.total < _DRAFT_SHARE * much:
            return
        try:
            plan = plan_sampling(scene, batch)
        except SceneError as error:
            yield Caution(str(error))
            return
        need = memory_need(scene, batch, plan)
    if need.total < much:
        return
    remedy = {"numerics.accuracy": "auto"} if scene.numerics.accuracy == "fine" else {}
    yield Caution(
        f"This image needs about {gigabytes(need.total)} of memory, "
        f"{purpose(scene, batch, plan, need)}; {cure(scene, batch, plan, need, 0.5 * much)}.",
        remedy,
        "Use accuracy auto" if remedy else "",
    )


__all__ = ["cautions"]
