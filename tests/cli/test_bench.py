"""What the benches time is what they say."""

from __future__ import annotations

import pytest
import torch

from osog.cli.bench import growth
from osog.cli.bench.gradients import works
from osog.cli.bench.scenes import crowd
from osog.sample import draw

CPU = torch.device("cpu")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds of the samples that are drawn, and not taken over from the images before."""
    seeds: list[int] = []
    plain = draw.draw_groups

    def noted(scene: object, seed: int) -> list[draw.Drawn]:
        seeds.append(seed)
        return plain(scene, seed)  # type: ignore[arg-type]

    monkeypatch.setattr(draw, "draw_groups", noted)
    return seeds


def test_every_image_and_every_gradient_draws_one_sample_of_its_own(drawn: list[int]) -> None:
    size = {"populations.bodies.shape.radius_um": 1.0}
    pieces = works(crowd(growth.BODIES["sphere"], 2, 32), size, CPU).pieces
    drawn.clear()
    for name in ("forward", "backward") * 2:
        pieces[name]()
    assert drawn == [1, 2, 3, 4]


def test_growth_is_timed_on_new_samples(drawn: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "BODIES", {"sphere": growth.BODIES["sphere"]})
    growth.growth_cases(counts=(2,), side=32, repeats=2)
    assert drawn[:3] == [1, 2, 3]
