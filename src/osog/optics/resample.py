"""An image read at other places: distortion, and magnification that depends on the colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.optics.band import resampled

if TYPE_CHECKING:
    from torch import Tensor

    from osog.waves.sampling_plan import SamplingPlan

_OVERSAMPLING = 2
"""The image is interpolated to this many samples per sample first, which is exact."""


def read_at(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Read a periodic image between its samples.

    Parameters
    ----------
    image : Tensor (Fy, Fx)
    rows, columns : Tensor
        Places in samples, which broadcast to the shape of the result; they may lie outside and then
        wrap around. Two axes of shapes (N, 1) and (1, M) are the fastest.

    Returns
    -------
    Tensor
        Differentiable in the image and in the places. Exactly the samples at whole places.

    Notes
    -----
    Cubic convolution (Keys 1981) on a grid of half the pitch, which Fourier interpolation gives.
    """
    fine = resampled(image, (image.shape[-2] * _OVERSAMPLING, image.shape[-1] * _OVERSAMPLING))
    row_index, row_weight = _taps(rows * _OVERSAMPLING, fine.shape[-2])
    column_index, column_weight = _taps(columns * _OVERSAMPLING, fine.shape[-1])
    if rows.ndim == 2 and rows.shape[1] == 1 and columns.ndim == 2 and columns.shape[0] == 1:
        lines = sum(
            w * fine.index_select(0, i.flatten())
            for i, w in zip(row_index, row_weight, strict=True)
        )
        assert not isinstance(lines, int)
        out = sum(
            w * lines.index_select(1, i.flatten())
            for i, w in zip(column_index, column_weight, strict=True)
        )
        assert not isinstance(out, int)
        return out
    flat, width = fine.flatten(), fine.shape[-1]
    total: Tensor | None = None
    for i, v in zip(row_index, row_weight, strict=True):
        for j, w in zip(column_index, column_weight, strict=True):
            part = (v * w) * flat[i * width + j]
            total = part if total is None else total + part
    assert total is not None
    return total


def magnified(image: Tensor, plan: SamplingPlan, factor: Tensor) -> Tensor:
    """Enlarge an image about the middle of the frame.

    Parameters
    ----------
    image : Tensor (Fy, Fx)
        On the fine grid of `plan`.
    plan : SamplingPlan
    factor : Tensor, 0-dim
        Above 1 moves everything away from the middle; differentiable.

    Returns
    -------
    Tensor (Fy, Fx)
        The irradiance of a point stays what it was.
    """
    places = []
    for length, pad, size in zip(plan.fine_shape, plan.pad_px, plan.frame_shape, strict=True):
        middle = (pad + (size - 1) / 2) * plan.oversampling
        here = torch.arange(length, dtype=image.dtype, device=image.device)
        places.append(middle + (here - middle) / factor.to(image))
    return read_at(image, places[0][:, None], places[1][None, :])


def _taps(places: Tensor, period: int) -> tuple[list[Tensor], list[Tensor]]:
    """Indices and weights of the four samples around each place."""
    below = torch.floor(places.detach())
    t = places - below
    weights = [
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    ]
    first = below.to(torch.int64) - 1
    return [(first + k) % period for k in range(4)], weights
