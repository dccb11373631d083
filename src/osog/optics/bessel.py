"""Bessel functions of discs, differentiable to any order."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
import torch
from scipy.special import jv
from torch import Tensor

_SERIES_BELOW = 2.0
"""Argument up to which the power series is used, finite at 0."""
_TERMS = 13


def jinc(x: Tensor) -> Tensor:
    """2 J₁(x)/x, 1 at x = 0: the Fourier transform of a disc of unit area.

    Parameters
    ----------
    x : Tensor, shape (…)

    Returns
    -------
    Tensor, shape (…)
        Differentiable to any order, in reverse and in forward mode.
    """
    value: Tensor = _BesselRatio.apply(x, 1)  # type: ignore[no-untyped-call]
    return 2 * value


class _BesselRatio(torch.autograd.Function):
    """Λ_n(x) = J_n(x)/xⁿ, whose derivative is −x Λ_{n+1}(x) (DLMF 10.6.6).

    The values are SciPy's: those of torch jump by 4e-7 at 5, also in double precision.
    """

    @staticmethod
    def forward(x: Tensor, order: int) -> Tensor:
        at = x.detach().to("cpu", torch.float64).numpy()
        large = np.abs(at) > _SERIES_BELOW
        safe = np.where(large, at, _SERIES_BELOW)
        quarter = np.where(large, 0.0, at * at / -4)
        near = np.zeros_like(at)
        for k in reversed(range(_TERMS)):
            near = near * quarter + 1 / (factorial(k) * factorial(k + order) * 2.0**order)
        return torch.as_tensor(np.where(large, jv(order, safe) / safe**order, near)).to(x)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], x: Tensor, order: int) -> tuple[Tensor, Any]:
        return _BesselRatio.apply(x, order), in_dims[0]  # type: ignore[no-untyped-call]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, ctx.order = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        slope: Tensor = _BesselRatio.apply(x, ctx.order + 1)  # type: ignore[no-untyped-call]
        return -grad_outputs[0] * x * slope, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        (x,) = ctx.saved_tensors
        slope: Tensor = _BesselRatio.apply(x, ctx.order + 1)  # type: ignore[no-untyped-call]
        along: Tensor = -tangent * x * slope
        return along


__all__ = ["jinc"]
