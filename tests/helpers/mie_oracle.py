"""Exact field of a sphere by miepython, as an oracle that is not our code."""

from __future__ import annotations

import miepython
import numpy as np
from numpy.typing import NDArray


def scattered_spectrum(
    fx: NDArray[np.float64],
    fy: NDArray[np.float64],
    radius_um: float,
    delta_index: float,
    wavelength_um: float,
    medium_index: float,
) -> NDArray[np.complex128]:
    """Continuous spectrum of the co-polarised scattered field in the plane of the centre.

    Ê(f) = −2π/(k k_z) · (S1 + S2)/2 (Weyl; Bohren & Huffman 1983). miepython's time factor is
    exp(+iωt) and its "bohren" normalisation doubles the amplitude: S = conj(S_mp)/2 here.
    """
    k = 2 * np.pi * medium_index / wavelength_um
    transverse = 2 * np.pi * np.hypot(fx, fy[:, None] if fy.ndim == 1 else fy)
    kz = np.sqrt(np.maximum(k**2 - transverse**2, 1e-9))
    cosine = kz / k
    unique, inverse = np.unique(np.round(cosine, 12), return_inverse=True)
    index = (medium_index + delta_index) / medium_index
    s1, s2 = miepython.S1_S2(index, k * radius_um, unique, norm="bohren")
    amplitude = np.conj(s1 + s2) / 4
    result: NDArray[np.complex128] = -2 * np.pi / (k * kz) * amplitude[inverse].reshape(kz.shape)
    return result
