"""Zernike polynomials in Noll's order and normalisation, and the OSA/ANSI order."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

NAMED: dict[str, int] = {
    "defocus": 4,
    "astigmatism_45": 5,
    "astigmatism_0": 6,
    "coma_y": 7,
    "coma_x": 8,
    "trefoil_y": 9,
    "trefoil_x": 10,
    "spherical": 11,
}
"""Noll index of the aberrations that a scene names."""


@lru_cache(maxsize=256)
def noll(index: int) -> tuple[int, int]:
    """Return radial order n and azimuthal order m of a Noll index (m < 0 is a sine).

    Parameters
    ----------
    index : int
        1 = piston, 2 = tilt along x, 3 = tilt along y, 4 = defocus, …

    Raises
    ------
    ValueError
        If the index is below 1.

    Notes
    -----
    Noll, J. Opt. Soc. Am. 66, 207 (1976).
    """
    if index < 1:
        raise ValueError(f"Noll index = {index} must be at least 1.")
    n = 0
    left = index - 1
    while left > n:
        n += 1
        left -= n
    m = (n % 2) + 2 * ((left + ((n + 1) % 2)) // 2)
    return n, m if index % 2 == 0 else -m


def osa(index: int) -> tuple[int, int]:
    """Return radial order n and azimuthal order m of an OSA/ANSI index (m < 0 is a sine).

    Parameters
    ----------
    index : int
        j = (n(n + 2) + m)/2: 0 = piston, 1 = tilt along y, 2 = tilt along x, 4 = defocus, …

    Raises
    ------
    ValueError
        If the index is below 0.

    Notes
    -----
    Thibos et al., J. Refract. Surg. 18, S652 (2002); ANSI Z80.28. The normalisation is Noll's. The
    angle θ runs from +x towards +y, and +y points down the rows of an image; where y points up,
    the sine terms change sign.
    """
    if index < 0:
        raise ValueError(f"OSA index = {index} must be at least 0.")
    n = (math.isqrt(8 * index + 1) - 1) // 2
    return n, 2 * index - n * (n + 2)


@lru_cache(maxsize=256)
def noll_of_osa(index: int) -> int:
    """Noll index of the polynomial that an OSA/ANSI index names."""
    n, m = osa(index)
    first = n * (n + 1) // 2 + 1
    return next(j for j in range(first, first + n + 1) if noll(j) == (n, m))


def zernike(index: int, x: Tensor, y: Tensor) -> Tensor:
    """Zernike polynomial, orthonormal over the unit disc (mean square 1).

    Parameters
    ----------
    index : int
        Noll index, from 1.
    x, y : Tensor
        Pupil coordinates in units of the pupil's radius; they broadcast.

    Returns
    -------
    Tensor
        Values in the shape of ``x`` and ``y`` together. Beyond the disc the polynomial goes on.

    Notes
    -----
    Z = √(n+1) R_n^|m|(ρ) · {1, √2 cos mθ, √2 sin |m|θ} (Noll 1976). It is evaluated as
    Re or Im of (x + iy)^|m| times a polynomial in ρ², so it has derivatives at the centre too.
    """
    n, m = noll(index)
    order = abs(m)
    square = x * x + y * y
    radial = torch.zeros_like(square)
    for s in range((n - order) // 2 + 1):  # Horner's rule: highest power of ρ² first
        coefficient = (
            (-1) ** s
            * math.factorial(n - s)
            // (
                math.factorial(s)
                * math.factorial((n + order) // 2 - s)
                * math.factorial((n - order) // 2 - s)
            )
        )
        radial = radial * square + coefficient
    cosine, sine = torch.ones_like(square), torch.zeros_like(square)
    for _ in range(order):
        cosine, sine = cosine * x - sine * y, cosine * y + sine * x
    angular = sine if m < 0 else cosine
    return math.sqrt((n + 1) * (2 if order else 1)) * radial * angular
