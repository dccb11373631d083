"""Coefficients of the waves that spheres and coated spheres scatter: Lorenz-Mie theory.

Everything is computed in double precision and is differentiable by autograd in size, index and
core; where no derivatives are followed, by NumPy, since there are few numbers and many orders.
Time factor exp(−iωt): absorption is a positive imaginary part of the index.
"""

from __future__ import annotations

from math import ceil, pi

import numpy as np
import torch
from torch import Tensor

from osog.derivatives import array, followed, needs_plain_operations
from osog.exit_wave.lorenz_mie.recursions import (
    Numbers,
    constant,
    functions_of,
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
    given = (x, m) if core is None else (x, m, core[0].double(), core[1].to(torch.complex128))
    if needs_plain_operations(*given) or (torch.is_grad_enabled() and followed(*given)):
        return _coefficients(*given)
    a, b = _coefficients(*map(array, given))
    return torch.from_numpy(a).to(x.device), torch.from_numpy(b).to(x.device)


def _coefficients(x: Numbers, m: Numbers, *core: Numbers) -> tuple[Numbers, Numbers]:
    """`coefficients` of float64 sizes and complex indices, of tensors or of arrays."""
    xp = functions_of(x)
    needed = _orders(x)
    count = max(needed.tolist(), default=1)
    order = _order_numbers(count, x)
    over_x = order / x[:, None]
    psi, xi = riccati_bessel(x + 0j, needed, count)
    if core:
        inside, inside_b = _coated(x, m, *core, count=count)
    else:
        inside = inside_b = logarithmic_derivative(m * x, count)[:, 1:]

    def ratio(factor: Numbers) -> Numbers:
        value = (factor * psi[:, 1:] - psi[:, :-1]) / (factor * xi[:, 1:] - xi[:, :-1])
        within: Numbers = xp.where(order <= needed[:, None], value, 0.0)
        return within

    return ratio(inside / m[:, None] + over_x), ratio(inside_b * m[:, None] + over_x)


def complex_index(index: Tensor, absorption_per_um: Tensor, wavelength_um: Tensor) -> Tensor:
    """Index n + iκ of a body that absorbs μ (of intensity) per µm: κ = μ λ/(4π)."""
    real, imaginary = torch.broadcast_tensors(
        index.double(), (absorption_per_um * wavelength_um / (4 * pi)).double()
    )
    return torch.complex(real, imaginary)


def _coated(
    x: Numbers, shell: Numbers, core_x: Numbers, core: Numbers, *, count: int
) -> tuple[Numbers, Numbers]:
    """Logarithmic derivatives H^a and H^b at the outer surface of a coated sphere (Yang 2003).

    With T = m₂ D(m₁x_c) ξ(y₁) − m₁ ξ'(y₁), P the same with ψ, y₁ = m₂x_c and y₂ = m₂x:
    H = [D(y₂) − q ξ'(y₂)] / [1 − q ξ(y₂)], q = P/(T ψ(y₂)), here multiplied by ψ(y₂).
    """
    tiny, xp = 1e-3, functions_of(x)
    # A core far below the wavelength scatters nothing that double precision could show.
    floor = xp.clip(core_x, tiny, None)
    y1, y2 = shell * floor, shell * x
    inner, outer = _orders(y1, core * floor), _orders(y2, x)
    order = _order_numbers(count, x)
    # q holds ψ(y₁)/ξ(y₁), and is compared with ψ(y₂)/ξ(y₂): light through the shell and back.
    faded = xp.exp(2 * (growth_exponent(y1) - growth_exponent(y2)))[:, None]
    psi1, xi1 = riccati_bessel(y1, inner, count)
    psi2, xi2 = riccati_bessel(y2, outer, count)
    inside = logarithmic_derivative(core * floor, count)[:, 1:]
    at_shell = logarithmic_derivative(y2, count)[:, 1:]

    def slope(u: Numbers, y: Numbers) -> Numbers:
        rise: Numbers = u[:, :-1] - order / y[:, None] * u[:, 1:]
        return rise

    flat_psi1, flat_xi1, flat_xi2 = slope(psi1, y1), slope(xi1, y1), slope(xi2, y2)
    acts = (order <= inner[:, None]) & (constant(core_x) > tiny)[:, None]
    usable = order <= outer[:, None]

    def joined(m1: Numbers, m2: Numbers) -> Numbers:
        t = m2 * inside * xi1[:, 1:] - m1 * flat_xi1
        p = m2 * inside * psi1[:, 1:] - m1 * flat_psi1
        q = xp.where(acts, p / xp.where(acts, t, 1.0), 0.0) * faded
        top = at_shell * psi2[:, 1:] - q * flat_xi2
        bottom = psi2[:, 1:] - q * xi2[:, 1:]
        joint: Numbers = xp.where(usable, top / xp.where(usable, bottom, 1.0), at_shell)
        return joint

    m1, m2 = core[:, None], shell[:, None]
    return joined(m1, m2), joined(m2, m1)


def _order_numbers(count: int, like: Numbers) -> Numbers:
    """Return 1 … count, of the kind and on the device of other numbers."""
    if isinstance(like, Tensor):
        return torch.arange(1, count + 1, device=like.device)
    return np.arange(1, count + 1)


def _orders(*arguments: Numbers) -> Numbers:
    """Orders that the largest of several arguments needs, shape (N,)."""
    sizes = zip(*(abs(constant(a)).tolist() for a in arguments), strict=True)
    found = [highest_order(max(several)) for several in sizes]
    first = arguments[0]
    if isinstance(first, Tensor):
        return torch.tensor(found, device=first.device)
    return np.array(found, dtype=np.int64)


__all__ = ["coefficients", "complex_index", "highest_order"]
