"""Jones vectors and matrices of polarising elements.

Components are (x, y), with the time factor exp(−iωt); angles go from +x towards +y. Jones, J. Opt.
Soc. Am. 31, 488 (1941).
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def retarder(retardance: Tensor, azimuth: Tensor) -> Tensor:
    """Jones matrix (2, 2) of a plate whose slow axis has an azimuth from +x towards +y.

    Parameters
    ----------
    retardance, azimuth : Tensor, 0-dim
        In radians.

    Returns
    -------
    complex Tensor, shape (2, 2)
        R(ψ) diag(e^{iΓ/2}, e^{−iΓ/2}) R(−ψ): the slow component gets the larger phase.
    """
    cosine, sine = torch.cos(retardance / 2), torch.sin(retardance / 2)
    along, across = sine * torch.cos(2 * azimuth), sine * torch.sin(2 * azimuth)
    diagonal = torch.complex(cosine, along)
    off = torch.complex(torch.zeros_like(across), across)
    return torch.stack([torch.stack([diagonal, off]), torch.stack([off, diagonal.conj()])])


def linear(azimuth: Tensor) -> Tensor:
    """Real unit vector (2,) of linear polarisation, as a complex tensor; azimuth in radians."""
    vector = torch.stack([torch.cos(azimuth), torch.sin(azimuth)])
    return torch.complex(vector, torch.zeros_like(vector))


def quarter_wave_plate(polarizer_deg: Tensor, turned_deg: float) -> Tensor:
    """Jones matrix (2, 2) of an achromatic quarter-wave plate beside a polariser.

    Parameters
    ----------
    polarizer_deg : Tensor, 0-dim
        Azimuth of the polariser.
    turned_deg : float
        Azimuth of the slow axis from there.
    """
    azimuth = torch.deg2rad(polarizer_deg + turned_deg)
    return retarder(torch.full_like(azimuth, pi / 2), azimuth)


def polarizer_state(polarizer_deg: Tensor, circular: bool) -> Tensor:
    """Polarisation (2,) of the light behind a polariser, with unit norm.

    Linear along the polariser, or right-handed circular behind a quarter-wave plate whose slow axis
    lies 45° before the polariser: seen against the light, the field turns from +y towards +x (Born
    & Wolf §1.4.2; with exp(−iωt) that is (1, −i)/√2 times a phase).

    Parameters
    ----------
    polarizer_deg : Tensor, 0-dim
        Azimuth of the polariser.
    circular : bool
        Whether there is such a plate.
    """
    state = linear(torch.deg2rad(polarizer_deg))
    return quarter_wave_plate(polarizer_deg, -45.0) @ state if circular else state


__all__ = ["linear", "polarizer_state", "quarter_wave_plate", "retarder"]
