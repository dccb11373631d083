"""Work done twice gives the gradient of work done once."""

from __future__ import annotations

import torch

from osog.waves.recomputation import recomputed


def test_the_gradient_is_the_same_and_the_work_is_done_again() -> None:
    calls = []

    def work(x: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return (x.sin() * x).sum()

    x = torch.linspace(0, 3, 7, dtype=torch.float64, requires_grad=True)
    slopes = []
    for spare, runs in ((False, 1), (True, 2)):
        calls.clear()
        slopes.append(torch.autograd.grad(recomputed(spare, work, x), x)[0])
        assert len(calls) == runs
    assert torch.equal(*slopes)
    calls.clear()
    with torch.no_grad():
        recomputed(True, work, x)
    assert len(calls) == 1
