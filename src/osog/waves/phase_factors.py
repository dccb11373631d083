"""Complex numbers of unit modulus from their phases, and means of them."""

from __future__ import annotations

from math import factorial, pi
from typing import Any

import torch
from torch import Tensor

from osog.derivatives import gradient_with_graph, needs_plain_operations

_SERIES_BELOW = 0.01
"""Squared angle (rad²) up to which the power series is exact in double precision."""
_TERMS = 5


def phasor(phase: Tensor) -> Tensor:
    """exp(i phase) as cosine and sine, up to ten times faster than the complex exponential.

    Parameters
    ----------
    phase : Tensor, shape (…)
        In radians.

    Returns
    -------
    complex Tensor, shape (…)
    """
    if phase.is_cuda:
        # There one operation costs as much as another, whatever it computes.
        return torch.polar(phase.new_ones(()).expand_as(phase), phase)
    return torch.complex(torch.cos(phase), torch.sin(phase))


def phase_factor(frequency: Tensor, position: Tensor) -> Tensor:
    """exp(−2πi f r): what a shift by each position does to a spectrum along one axis.

    Parameters
    ----------
    frequency : Tensor, shape (B,)
        In cycles/µm.
    position : Tensor, shape (n,)
        In µm. Hundreds of turns across a domain cost three digits in single precision, so it
        should be double; the result is.

    Returns
    -------
    complex Tensor, shape (n, B)
    """
    return phasor(-2 * pi * position[:, None] * frequency.double())


def sinc(x: Tensor) -> Tensor:
    """sin(πx)/(πx), differentiable to any order at 0 too, where ``torch.sinc`` gives NaN.

    Parameters
    ----------
    x : Tensor, shape (…)

    Returns
    -------
    Tensor, shape (…)
    """
    if needs_plain_operations(x):
        return _smooth_sinc(x)
    value: Tensor = _Sinc.apply(x)  # type: ignore[no-untyped-call]
    return value


class _Sinc(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sinc(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor | None:
        (x,) = ctx.saved_tensors
        if torch.is_grad_enabled() or needs_plain_operations(*grad_outputs):
            return gradient_with_graph(_smooth_sinc, (x,), (True,), grad_outputs)[0]
        with torch.enable_grad():
            own = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(torch.sinc(own), own, grad_outputs)
        along: Tensor = slope
        return along


def _smooth_sinc(x: Tensor) -> Tensor:
    return cosine_and_sinc((pi * x) ** 2)[1]


def cosine_and_sinc(squared: Tensor) -> tuple[Tensor, Tensor]:
    """Cos r and sin r / r as functions of r², whose derivatives are finite at 0.

    Parameters
    ----------
    squared : Tensor, shape (…)
        r² ≥ 0 in rad².

    Returns
    -------
    cosine, sinc : Tensor, shape (…)
    """
    small = squared < _SERIES_BELOW
    near = torch.where(small, -squared, 0.0)
    cosine, ratio = torch.zeros_like(near), torch.zeros_like(near)
    for n in reversed(range(_TERMS)):
        cosine = cosine * near + 1 / factorial(2 * n)
        ratio = ratio * near + 1 / factorial(2 * n + 1)
    angle = torch.sqrt(torch.where(small, 1.0, squared))
    return (
        torch.where(small, cosine, torch.cos(angle)),
        torch.where(small, ratio, torch.sin(angle) / angle),
    )


__all__ = ["cosine_and_sinc", "phase_factor", "phasor", "sinc"]
