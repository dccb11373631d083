"""Scattering amplitudes of spheres in any direction: Lorenz-Mie theory, exact or from a table."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from osog.exit_wave.lorenz_mie.coefficients import coefficients
from osog.exit_wave.lorenz_mie.recursions import angular, angular_at_steps

_STEP = 0.1
"""Spacing of the nodes of an amplitude table in units of 1/order: 3e-7 of the amplitude."""


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
    pi_n, tau_n = angular(cosine.double(), a.shape[1])
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
    pi_n, tau_n, pi_slope, tau_slope = angular_at_steps(step, count, a.shape[1], a.device)
    values = _sums(a, b, pi_n, tau_n)
    slopes = _sums(a, b, pi_slope, tau_slope)
    s1, s2 = (torch.stack((v, -s)) for v, s in zip(values, slopes, strict=True))
    return AmplitudeTable(2 * torch.sin(angle / 2) ** 2, step, s1, s2)


def _sums(a: Tensor, b: Tensor, pi_n: Tensor, tau_n: Tensor) -> tuple[Tensor, Tensor]:
    order = torch.arange(1, a.shape[1] + 1, device=a.device, dtype=torch.float64)
    factor = (2 * order + 1) / (order * (order + 1))
    a, b = a * factor, b * factor
    pi_n, tau_n = pi_n.to(a.dtype), tau_n.to(a.dtype)
    return a @ pi_n + b @ tau_n, a @ tau_n + b @ pi_n


__all__ = ["AmplitudeTable", "Place", "amplitude_table", "amplitudes"]
