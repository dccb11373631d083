"""How many points of a pixel a body is drawn with, which depends on how thin it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.geometry.edges import SPREAD

if TYPE_CHECKING:
    from torch import Tensor

    from osog.geometry.shape import Bodies, Shape

_LEVELS = (1.0, 0.45)
"""Particles thinner than ``Shape.smooth_above_px`` pixels (half width) get 2 sub-samples a side,
those thinner than these 4 and 8.

Error of the path behind a pupil of NA 0.8, λ 0.55 µm, pitch 0.17 µm: rods 0.4 % at 2 pixels with
one sample, 0.25 % at 1 pixel with 2 × 2; spheres, which curve twice, 0.46 % at 2.5 pixels."""
_OVERLAP = 0.12
"""Share of each limit over which the next coarser sub-sampling takes over, so that a body that
grows does not jump by the difference of the two (0.3 % of its path)."""
FINEST, SPECK = 8, 7
"""Sub-samples a side of the thinnest particles, and of boxes whose shape does not show."""


def sub_sampling(shape: Shape, bodies: Bodies, pitch_um: float) -> tuple[Tensor, Tensor] | None:
    """Sub-samples a side (n,) and the share (n,) of half as many; None where all need one."""
    half_width = shape.half_width(bodies) / pitch_um
    first, size = shape.smooth_above_px, bodies.size
    if not half_width.numel() or float(half_width.detach().amin()) >= first * (1 + _OVERLAP):
        return None
    limits = torch.tensor((first, *_LEVELS), dtype=size.dtype, device=size.device)
    above = (half_width[:, None] / limits - 1) / _OVERLAP
    count = (above.detach() < 1).sum(1)
    samples = 2**count
    nearest = above.gather(1, (count - 1).clamp_min(0)[:, None])[:, 0].clamp(0.0, 1.0)
    share = nearest**2 * (3 - 2 * nearest)
    speck = shape.specks(bodies, pitch_um)
    if speck is not None:
        samples, share = samples.masked_fill(speck, SPECK), share.masked_fill(speck, 0.0)
    return samples, share


def sub_samples(shape: Shape, bodies: Bodies, pitch_um: float) -> int:
    """Most sub-samples a side of a pixel that any of the bodies is drawn with.

    Parameters
    ----------
    shape : Shape
    bodies : Bodies
    pitch_um : float
        The smaller side of a pixel.
    """
    levels = sub_sampling(shape, bodies, pitch_um)
    return 1 if levels is None else int(levels[0].max())


@dataclass(frozen=True)
class DrawnLevels:
    """How n bodies of one shape are drawn: fine, and as far as they need it less, coarser.

    Attributes
    ----------
    samples : Tensor, shape (n,), int64
        Sub-samples a side of every pixel.
    share : Tensor, shape (n,)
        Share of half as many.
    fine : Tensor, shape (n, S)
        Sizes with which they are drawn at the finer level, wide enough to hit a sub-sample.
    factor : Tensor, shape (n,)
        By which they are fainter there.
    speck : Tensor or None, shape (n,), bool
        Bodies that are drawn as simpler ones instead; None for none.
    """

    samples: Tensor
    share: Tensor
    fine: Tensor
    factor: Tensor
    speck: Tensor | None = None


def drawn_levels(shape: Shape, bodies: Bodies, pitch_um: float, base: int) -> DrawnLevels:
    """Return how bodies are drawn, differentiable in them.

    Parameters
    ----------
    shape : Shape
    bodies : Bodies
    pitch_um : float
        The smaller side of a pixel.
    base : int
        Sub-samples a side that all of them get at least.
    """
    size = bodies.size
    one = torch.ones_like(size[:, 0])
    levels = sub_sampling(shape, bodies, pitch_um)
    if levels is None:
        samples = torch.full(one.shape, base, dtype=torch.int64, device=size.device)
        return DrawnLevels(samples, torch.zeros_like(one), size, one)
    samples, share = levels[0].clamp_min(base), levels[1]
    share = torch.where(samples > base, share, 0.0)
    speck, finest = samples == SPECK, samples == FINEST
    factor = one
    if bool(finest.any()):
        wide, fainter = shape.thickened(bodies, pitch_um)
        size = torch.where(finest[:, None], wide.size, size)
        factor = torch.where(finest, fainter, one)
    return DrawnLevels(samples, share, size, factor, speck if bool(speck.any()) else None)


@lru_cache(maxsize=16)
def sampling_window(samples: int) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """Places and weights along one side of the sub-samples of a pixel, and their cell, in pixels.

    A row of sub-samples as wide as the pixel keeps volumes wherever a body is; a shorter one after
    it makes up the variance of the kernel. Two a side leave that to their own kernel.
    """
    row = np.ones(samples)
    missing = samples**2 * SPREAD**2 - (samples**2 - 1)
    if samples == 2:
        return (-0.25, 0.25), (0.5, 0.5), missing**0.5 / samples
    variance = (missing - SPREAD**2) / 12
    reach = 1
    while 2 * sum(k * k for k in range(1, reach + 1)) / (2 * reach + 1) < variance:
        reach += 1
    inner = 2 * sum(k * k for k in range(1, reach))
    outer = (variance * (2 * reach - 1) - inner) / (2 * (reach * reach - variance))
    row = np.convolve(row, [outer, *[1.0] * (2 * reach - 1), outer])
    places = (np.arange(len(row)) - (len(row) - 1) / 2) / samples
    return tuple(places.tolist()), tuple((row / row.sum()).tolist()), SPREAD / samples


__all__ = [
    "FINEST",
    "SPECK",
    "DrawnLevels",
    "drawn_levels",
    "sampling_window",
    "sub_samples",
    "sub_sampling",
]
