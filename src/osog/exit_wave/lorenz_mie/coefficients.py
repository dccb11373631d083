"""Coefficients of the waves that spheres and coated spheres scatter: Lorenz-Mie theory.

Everything is computed in double precision and is differentiable by autograd in size, index and
core. Time factor exp(−iωt): absorption is a positive imaginary part of the index.
"""

from __future__ import annotations

from math import ceil, pi

import torch
from torch import Tensor

from osog.exit_wave.lorenz_mie.recursions import (
    growth_exponent,
    logarithmic_derivative,
    riccati_bessel,
)


def highest_order(size_parameter: float) -> int:
    """Order at which the series may end: ⌈x + 4.05 x^⅓ + 2⌉ (Wiscombe 1980)."""
    return ceil(size_parameter + 4.05 * float(size_parameter ** (1 / 3)) + 2)


def coefficients(
    size_parameter: Tensor, relative_index: Tensor, core: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Coefficients a_n and b_n of the scattered waves.

    Parameters
    ----------
    size_parameter : Tensor, shape (N,)
        x = 2π n_m R/λ of the whole sphere, above 0.
    relative_index : Tensor, shape (N,), real or complex
        Index of the sphere (of the shell, when there is a core) over that of the medium.
    core : (Tensor, Tensor), optional
        Size parameter and relative index of a concentric core, each of shape (N,); the size
        parameter may be 0 and must not exceed that of the sphere.

    Returns
    -------
    a, b : complex128 Tensor, shape (N, n)
        Orders 1 … n; those beyond what a sphere of this size needs are 0.

    Notes
    -----
    Bohren & Huffman (1983), chapter 4, with logarithmic derivatives by downward recursion; coated
    spheres in the form of Yang (2003), arranged so that no zero of a Riccati-Bessel function is
    divided by. Absolute accuracy about 1e-14 for x up to 150 and indices up to 2, absorbing or not.
    """
    x = size_parameter.double()
    m = relative_index.to(torch.complex128)
    largest = [highest_order(value) for value in x.detach().tolist()]
    count = max(largest, default=1)
    needed = torch.tensor(largest, device=x.device)
    order = torch.arange(1, count + 1, device=x.device)
    over_x = order / x[:, None]
    psi, xi = riccati_bessel(x.to(torch.complex128), needed, count)
    if core is None:
        inside = inside_b = logarithmic_derivative(m * x, count)[:, 1:]
    else:
        inside, inside_b = _coated(x, m, core[0].double(), core[1].to(torch.complex128), count)

    def ratio(factor: Tensor) -> Tensor:
        value = (factor * psi[:, 1:] - psi[:, :-1]) / (factor * xi[:, 1:] - xi[:, :-1])
        return torch.where(order <= needed[:, None], value, 0.0)

    return ratio(inside / m[:, None] + over_x), ratio(inside_b * m[:, None] + over_x)


def complex_index(index: Tensor, absorption_per_um: Tensor, wavelength_um: Tensor) -> Tensor:
    """Index n + iκ of a body that absorbs μ (of intensity) per µm: κ = μ λ/(4π)."""
    real, imaginary = torch.broadcast_tensors(
        index.double(), (absorption_per_um * wavelength_um / (4 * pi)).double()
    )
    return torch.complex(real, imaginary)


def _coated(
    x: Tensor, shell: Tensor, core_x: Tensor, core: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Logarithmic derivatives H^a and H^b at the outer surface of a coated sphere (Yang 2003).

    With T = m₂ D(m₁x_c) ξ(y₁) − m₁ ξ'(y₁), P the same with ψ, y₁ = m₂x_c and y₂ = m₂x:
    H = [D(y₂) − q ξ'(y₂)] / [1 − q ξ(y₂)], q = P/(T ψ(y₂)), here multiplied by ψ(y₂).
    """
    tiny = 1e-3
    # A core far below the wavelength scatters nothing that double precision could show.
    floor = core_x.clamp(min=tiny)
    y1, y2 = shell * floor, shell * x
    inner = _orders(y1, core * floor)
    outer = _orders(y2, x.to(y2.dtype))
    order = torch.arange(1, count + 1, device=x.device)
    # q holds ψ(y₁)/ξ(y₁), and is compared with ψ(y₂)/ξ(y₂): light through the shell and back.
    faded = torch.exp(2 * (growth_exponent(y1) - growth_exponent(y2)))[:, None]
    psi1, xi1 = riccati_bessel(y1, inner, count)
    psi2, xi2 = riccati_bessel(y2, outer, count)
    inside = logarithmic_derivative(core * floor, count)[:, 1:]
    at_shell = logarithmic_derivative(y2, count)[:, 1:]

    def slope(u: Tensor, y: Tensor) -> Tensor:
        return u[:, :-1] - order / y[:, None] * u[:, 1:]

    flat_psi1, flat_xi1, flat_xi2 = slope(psi1, y1), slope(xi1, y1), slope(xi2, y2)
    acts = (order <= inner[:, None]) & (core_x.detach() > tiny)[:, None]
    usable = order <= outer[:, None]

    def joined(m1: Tensor, m2: Tensor) -> Tensor:
        t = m2 * inside * xi1[:, 1:] - m1 * flat_xi1
        p = m2 * inside * psi1[:, 1:] - m1 * flat_psi1
        q = torch.where(acts, p / torch.where(acts, t, 1.0), 0.0) * faded
        top = at_shell * psi2[:, 1:] - q * flat_xi2
        bottom = psi2[:, 1:] - q * xi2[:, 1:]
        return torch.where(usable, top / torch.where(usable, bottom, 1.0), at_shell)

    m1, m2 = core[:, None], shell[:, None]
    return joined(m1, m2), joined(m2, m1)


def _orders(*arguments: Tensor) -> Tensor:
    """Orders that the largest of several arguments needs, shape (N,)."""
    largest = torch.stack([a.detach().abs() for a in arguments]).amax(0)
    return torch.tensor([highest_order(v) for v in largest.tolist()], device=largest.device)


__all__ = ["coefficients", "complex_index", "highest_order"]
