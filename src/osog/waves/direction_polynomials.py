"""Polynomials in the direction of the light, and their fit to what a few directions show."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch

from osog.waves.condenser_points import source_points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


_SHARE = 0.63
"""Most polynomials per point."""


class Term(NamedTuple):
    """One polynomial ρ^m P_p(2t − 1) cos mφ (sin mφ where odd), t = (ρ² − h²)/(1 − h²).

    P_p is Legendre's; ρ is the radius in units of the aperture's, h the radius of its hole.
    """

    p: int
    m: int
    odd: bool


def terms(rings: tuple[int, ...], hole: float) -> tuple[Term, ...]:
    """Polynomials that points on rings can tell apart.

    For a disc all of degree 2p + m up to at most 2K − 1 for K rings; for an annulus as many along
    its width and around it as its rings and their points carry. At most 63 % as many as points, so
    that the fit amplifies no noise.

    Parameters
    ----------
    rings : tuple of int
        Points on each ring, as `ring_numbers` gives them.
    hole : float
        Radius of the dark middle as a share of the radius.
    """
    count = len(rings)
    found = []
    if hole == 0:
        degree = 2 * count - 1
        while degree > 0 and (degree + 1) * (degree + 2) / 2 > _SHARE * sum(rings):
            degree -= 1
        pairs = [(p, m) for p in range(count) for m in range(degree + 1) if 2 * p + m <= degree]
    else:
        around = min(rings) / 2
        pairs = [
            (p, m)
            for p in range(count)
            for m in range(min(rings))
            if p / count + m / around < 1 - 1e-9
        ]
    for p, m in pairs:
        found += [Term(p, m, False)] + ([Term(p, m, True)] if m else [])
    return tuple(found)


def radials(
    pairs: Iterable[tuple[int, int]], radius: Tensor, hole: Tensor | float
) -> dict[tuple[int, int], Tensor]:
    """ρ^m P_p(2t − 1), the parts of terms that depend on the radius, by (p, m).

    Parameters
    ----------
    pairs : iterable of (int, int)
    radius : Tensor
        ρ, 0 to 1.
    hole : 0-dim Tensor or float
    """
    wanted = tuple(pairs)
    square = radius * radius
    x = 2 * (square - hole * hole) / (1 - hole * hole) - 1
    legendre = [torch.zeros_like(x), torch.ones_like(x)]  # P_−1 is multiplied by 0
    for k in range(max(p for p, _ in wanted)):
        legendre.append(((2 * k + 1) * x * legendre[-1] - k * legendre[-2]) / (k + 1))
    power = {m: radius**m for m in {m for _, m in wanted}}
    return {(p, m): legendre[p + 1] * power[m] for p, m in wanted}


def evaluated(which: tuple[Term, ...], points: Tensor, hole: Tensor | float) -> Tensor:
    """Every polynomial at points of the unit disc.

    Parameters
    ----------
    which : tuple of Term
    points : Tensor, shape (S, 2)
        (x, y) in units of the aperture's radius.
    hole : 0-dim Tensor or float

    Returns
    -------
    Tensor, shape (S, B)
    """
    x, y = points[:, 0], points[:, 1]
    radius = torch.sqrt(x * x + y * y + 1e-30)
    unit = torch.complex(x / radius, y / radius)
    along = radials({(term.p, term.m) for term in which}, radius, hole)
    around = {m: unit**m for m in {term.m for term in which}}
    columns = [
        along[term.p, term.m] * (around[term.m].imag if term.odd else around[term.m].real)
        for term in which
    ]
    return torch.stack(columns, 1)


def fitted(which: tuple[Term, ...], rings: tuple[int, ...], hole: float, valid: Tensor) -> Tensor:
    """Coefficients of the polynomials as weighted sums of values on rings: least squares.

    Parameters
    ----------
    which : tuple of Term
    rings : tuple of int
    hole : float
    valid : bool Tensor, shape (M, N)
        Which of the N points count, for M cases.

    Returns
    -------
    Tensor, shape (M, B, N), float64

    Notes
    -----
    With all points this is the projection by the rule of the rings (hyperinterpolation: Sloan, J.
    Approx. Theory 83, 238 (1995)). Where points are missing, a small weight on high degrees keeps
    the coefficients of what is left bounded.
    """
    basis, weights = _on_rings(which, rings, hole)
    basis, weights = basis.to(valid.device), weights.to(valid.device)
    share = weights * valid.to(weights.dtype)
    normal = torch.einsum("mn,nb,nc->mbc", share, basis, basis)
    degree = torch.tensor([2 * t.p + t.m for t in which], dtype=weights.dtype)
    damping = torch.diag(1e-9 + 1e-6 * degree.to(valid.device) ** 2) * weights.sum()
    damping = damping * (~valid.all(1)).to(weights.dtype)[:, None, None]
    right = share[:, None, :] * basis.T
    solved: Tensor = torch.linalg.solve(normal + damping, right)
    return solved


@lru_cache(32)
def _on_rings(
    which: tuple[Term, ...], rings: tuple[int, ...], hole: float
) -> tuple[Tensor, Tensor]:
    """Polynomials (N, B) at the points of the rings, and the weights (N,) of the points."""
    with torch.inference_mode(False), torch.no_grad():
        one = torch.tensor(1.0, dtype=torch.float64)
        points, weights = source_points(one, one, rings, torch.tensor(hole, dtype=torch.float64))
        return evaluated(which, points, hole), weights


__all__ = ["Term", "evaluated", "fitted", "radials", "terms"]
