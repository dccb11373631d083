"""Cutting a band out of a grid in FFT order."""

from __future__ import annotations

import pytest
import torch

from osog.waves.plane_waves import in_band, within_band


@pytest.mark.parametrize("size", [(8, 9), (9, 8), (12, 15)])
@pytest.mark.parametrize("share", [0.0, 0.4, 0.8, 2.0])
def test_blocks_are_what_an_index_gathers(size: tuple[int, int], share: float) -> None:
    rows, columns = (within_band(torch.fft.fftfreq(n), share / 2) for n in size)
    values = torch.randn(3, *size)
    assert torch.equal(in_band(values, rows, columns), values[:, rows[:, None], columns])
