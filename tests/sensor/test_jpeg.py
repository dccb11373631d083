from __future__ import annotations

import torch

from osog.sensor.jpeg import jpeg


def noise(amplitude: float, seed: int) -> torch.Tensor:
    return amplitude * torch.randn(64, 64, generator=torch.Generator().manual_seed(seed))


def test_jpeg_blurs_colour_more_than_brightness() -> None:
    grey = (128 + noise(20.0, 0)).round().clamp(0, 255)
    same = grey.expand(3, 64, 64).contiguous()
    luma = (jpeg(same, 95) - same).std() / same.std()
    # Opposite changes of red and blue hardly change the brightness (0.299 R + 0.114 B).
    colour = torch.stack([128 + noise(20.0, 0), torch.full((64, 64), 128.0), 128 - noise(20.0, 0)])
    colour = colour.round().clamp(0, 255)
    red_minus_blue = colour[0] - colour[2]
    stored = jpeg(colour, 95)
    kept = (stored[0] - stored[2]).std() / red_minus_blue.std()
    assert float(luma) < 0.1
    assert float(kept) < 0.65, "2 × 2 means keep half of white noise"


def test_low_quality_loses_more_and_grey_stays_grey() -> None:
    picture = (100 + noise(10.0, 1)).round().clamp(60, 140)
    errors = [float((jpeg(picture, q) - picture).std()) for q in (10, 60, 98)]
    assert errors[0] > 1.1 * errors[1] > 4 * errors[2]
    assert jpeg(picture, 60).shape == picture.shape
    assert torch.equal(jpeg(picture, 60), jpeg(picture, 60).round())
    # Blocks of 8 × 8: the coarsest quality leaves steps at their borders.
    steps = jpeg((128 + noise(40.0, 1)).clamp(0, 255), 5).diff(dim=1).abs().mean(0)
    assert float(steps[7::8].mean()) > 2 * float(steps[3::8].mean())
