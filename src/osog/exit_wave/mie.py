"""Exact scattering of light by spheres and coated spheres: Lorenz-Mie theory.

Everything is computed in double precision and is differentiable by autograd in size, index and
core. Time factor exp(−iωt): absorption is a positive imaginary part of the index.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi

import torch
from torch import Tensor

_STEP = 0.1
"""Spacing of the nodes of an amplitude table in units of 1/order: 3e-7 of the amplitude."""


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
    psi, xi = _riccati_bessel(x.to(torch.complex128), needed, count)
    if core is None:
        inside = inside_b = _logarithmic_derivative(m * x, count)[:, 1:]
    else:
        inside, inside_b = _coated(x, m, core[0].double(), core[1].to(torch.complex128), count)

    def ratio(factor: Tensor) -> Tensor:
        value = (factor * psi[:, 1:] - psi[:, :-1]) / (factor * xi[:, 1:] - xi[:, :-1])
        return torch.where(order <= needed[:, None], value, 0.0)

    return ratio(inside / m[:, None] + over_x), ratio(inside_b * m[:, None] + over_x)


def amplitudes(
    size_parameter: Tensor,
    relative_index: Tensor,
    cosine: Tensor,
    core: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Scattering amplitudes S1 (across the scattering plane) and S2 (within it).

    Parameters
    ----------
    size_parameter, relative_index, core
        As for `coefficients`.
    cosine : Tensor, shape (C,)
        Cosines of the scattering angle, −1 … 1; −1 is straight back.

    Returns
    -------
    S1, S2 : complex128 Tensor, shape (N, C)
        Bohren & Huffman (1983), eq. 4.74: the scattered far field is S e^{ikr}/(−ikr) times the
        incident one.
    """
    a, b = coefficients(size_parameter, relative_index, core)
    pi_n, tau_n = _angular(cosine.double(), a.shape[1])
    return _sums(a, b, pi_n, tau_n)


@dataclass(frozen=True)
class AmplitudeTable:
    """Amplitudes of several spheres at nodes of 1 − cos γ, for fast interpolation.

    The nodes are evenly spaced in the angle, and the cubic Hermite interpolation runs in
    u = 1 − cos γ, in which an amplitude is a polynomial: no root spoils a derivative at u = 0.

    Attributes
    ----------
    nodes : Tensor, shape (T,)
        u at the nodes.
    step : float
        Their spacing in the angle.
    s1, s2 : complex Tensor, shape (2, N, T)
        Amplitudes, and their derivatives in u.
    """

    nodes: Tensor
    step: float
    s1: Tensor
    s2: Tensor

    @property
    def scalar(self) -> Tensor:
        """(S1 + S2)/2 and its derivative: what a scalar microscope sees, shape (2, N, T)."""
        return (self.s1 + self.s2) / 2

    def locate(self, u: Tensor) -> Place:
        """Intervals and weights of a set of u = 1 − cos γ, whatever their shape."""
        with torch.no_grad():
            angle = torch.acos((1 - u).clamp(-1.0, 1.0).double())
            left = (angle / self.step).long().clamp(0, len(self.nodes) - 2)
        nodes = self.nodes.to(u.dtype)
        start, width = nodes[left], (nodes[1:] - nodes[:-1])[left]
        t = (u - start) / width
        rest = 1 - t
        return Place(
            left,
            torch.stack(
                (
                    (1 + 2 * t) * rest * rest,
                    t * t * (3 - 2 * t),
                    t * rest * rest * width,
                    -t * t * rest * width,
                )
            ),
        )


@dataclass(frozen=True)
class Place:
    """Where values of u lie in a table: interval number and Hermite weights (4, …)."""

    left: Tensor
    weights: Tensor

    def of(self, table: Tensor) -> Tensor:
        """Interpolate one sphere's row (2, T) of a table; the result has the shape of u."""
        row, place = table.to(self.weights.dtype.to_complex()), self.left.reshape(-1)
        corners = (row[0, :-1], row[0, 1:], row[1, :-1], row[1, 1:])
        # Four gathers of whole rows take a ninth of the time of one that packs what belongs to an
        # interval, whose short sums run slowly.
        parts = [
            weight * corner.index_select(0, place).view_as(weight)
            for weight, corner in zip(self.weights, corners, strict=True)
        ]
        total: Tensor = parts[0] + parts[1] + parts[2] + parts[3]
        return total


def amplitude_table(
    size_parameter: Tensor,
    relative_index: Tensor,
    largest_u: float,
    core: tuple[Tensor, Tensor] | None = None,
) -> AmplitudeTable:
    """Tabulate S1 and S2 for scattering angles from straight ahead to 1 − cos γ = `largest_u`.

    Parameters
    ----------
    size_parameter, relative_index, core
        As for `coefficients`; the table is differentiable in them.
    largest_u : float
        0 … 2.

    Returns
    -------
    AmplitudeTable
    """
    a, b = coefficients(size_parameter, relative_index, core)
    end = float(torch.acos(torch.tensor(1 - min(largest_u, 2.0), dtype=torch.float64)))
    count = ceil(max(end, 1e-3) * max(a.shape[1], 4) / _STEP) + 1
    step = max(end, 1e-3) / (count - 1)
    angle = torch.arange(count, dtype=torch.float64, device=a.device) * step
    cosine = torch.cos(angle)
    pi_n, tau_n, pi_slope, tau_slope = _angular_slopes(cosine, a.shape[1])
    values = _sums(a, b, pi_n, tau_n)
    slopes = _sums(a, b, pi_slope, tau_slope)
    s1, s2 = (torch.stack((v, -s)) for v, s in zip(values, slopes, strict=True))
    return AmplitudeTable(2 * torch.sin(angle / 2) ** 2, step, s1, s2)


def complex_index(index: Tensor, absorption_per_um: Tensor, wavelength_um: Tensor) -> Tensor:
    """Index n + iκ of a body that absorbs μ (of intensity) per µm: κ = μ λ/(4π)."""
    real, imaginary = torch.broadcast_tensors(
        index.double(), (absorption_per_um * wavelength_um / (4 * pi)).double()
    )
    return torch.complex(real, imaginary)


def _sums(a: Tensor, b: Tensor, pi_n: Tensor, tau_n: Tensor) -> tuple[Tensor, Tensor]:
    order = torch.arange(1, a.shape[1] + 1, device=a.device, dtype=torch.float64)
    factor = (2 * order + 1) / (order * (order + 1))
    a, b = a * factor, b * factor
    pi_n, tau_n = pi_n.to(a.dtype), tau_n.to(a.dtype)
    return a @ pi_n + b @ tau_n, a @ tau_n + b @ pi_n


def _angular(cosine: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """π_n and τ_n, each (count, C), by upward recursion."""
    pi_n, tau_n, _, _ = _angular_slopes(cosine, count)
    return pi_n, tau_n


def _angular_slopes(cosine: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """π_n, τ_n and their derivatives in the cosine, each (count, C)."""
    before, now = torch.zeros_like(cosine), torch.ones_like(cosine)
    slope_before, slope = torch.zeros_like(cosine), torch.zeros_like(cosine)
    rows: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    for n in range(1, count + 1):
        if n > 1:
            following = ((2 * n - 1) * cosine * now - n * before) / (n - 1)
            steeper = ((2 * n - 1) * (now + cosine * slope) - n * slope_before) / (n - 1)
            before, now, slope_before, slope = now, following, slope, steeper
        tau = n * cosine * now - (n + 1) * before
        tau_slope = n * (now + cosine * slope) - (n + 1) * slope_before
        rows.append((now, tau, slope, tau_slope))
    first, second, third, fourth = (torch.stack(column) for column in zip(*rows, strict=True))
    return first, second, third, fourth


def _logarithmic_derivative(y: Tensor, count: int) -> Tensor:
    """ψ_n'(y)/ψ_n(y) for n = 0 … count, shape (N, count + 1), by downward recursion.

    It starts max(n, |y|) + 16 + 8 |y|^⅓ orders up, from where 14 digits are reached.
    """
    largest = float(y.detach().abs().max())
    start = ceil(max(count, largest) + 16 + 8 * largest ** (1 / 3))
    inverse = 1 / y
    value = torch.zeros_like(y)
    kept: list[Tensor] = []
    for n in range(start, 0, -1):
        if n <= count:
            kept.append(value)
        over = n * inverse
        value = over - 1 / (value + over)
    kept.append(value)
    return torch.stack(kept[::-1], 1)


def _riccati_bessel(y: Tensor, needed: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """ψ_n(y) and ξ_n(y) = ψ_n − iχ_n for n = 0 … count, each (N, count + 1).

    ψ comes times e^−s and ξ times e^s, s = `_shift`(y), for else they leave the range of numbers.
    ψ runs upward to n = |y| and from there by the stable ratio 1/(D_n + n/y), which serves from the
    start where absorption makes ψ fall with n; ξ runs upward. Both stand still beyond the order
    needed, before ξ overflows.
    """
    inverse = 1 / y
    d = _logarithmic_derivative(y, count)
    edge = y.detach().abs()
    shift = _shift(y)
    turn = torch.exp(1j * y + shift)
    # Where it is shifted, e^iy is next to e^−iy too small for cancellation.
    shifted, plain = shift > 0, torch.where(shift > 0, 0.0, y)
    back, ahead = torch.exp(-1j * y - shift), turn * torch.exp(-2 * shift)
    sine = torch.where(shifted, (ahead - back) / 2j, torch.sin(plain))
    cosine = torch.where(shifted, (ahead + back) / 2, torch.cos(plain))
    psi = [sine, sine * inverse - cosine]
    xi = [-1j * turn, -1j * turn * inverse - turn]
    # Below |y| ≈ 1 even the first order belongs to the ratio.
    small = edge < 1
    first_ratio = psi[0] / torch.where(small, d[:, 1] + inverse, 1.0)
    psi[1] = torch.where(small, first_ratio, psi[1])
    for n in range(2, count + 1):
        going = n <= needed
        upward = (n <= edge) & ~shifted
        ratio = psi[-1] / torch.where(upward, 1.0, d[:, n] + n * inverse)
        climbed = torch.where(upward, (2 * n - 1) * inverse * psi[-1] - psi[-2], ratio)
        grown = (2 * n - 1) * inverse * xi[-1] - xi[-2]
        psi.append(torch.where(going, climbed, psi[-1]))
        xi.append(torch.where(going, grown, xi[-1]))
    return torch.stack(psi, 1), torch.stack(xi, 1)


def _shift(y: Tensor) -> Tensor:
    """Exponent by which ψ(y) grows and ξ(y) falls; 0 where it is small."""
    growth = y.detach().imag
    return torch.where(growth > 1, growth, 0.0)


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
    faded = torch.exp(2 * (_shift(y1) - _shift(y2)))[:, None]
    psi1, xi1 = _riccati_bessel(y1, inner, count)
    psi2, xi2 = _riccati_bessel(y2, outer, count)
    inside = _logarithmic_derivative(core * floor, count)[:, 1:]
    at_shell = _logarithmic_derivative(y2, count)[:, 1:]

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
