"""Chords of spheres and ellipsoids."""

from __future__ import annotations

import torch
from torch import Tensor

from osog.geometry.edges import root_mean_product


def sphere(
    x: Tensor, y: Tensor, radius: Tensor, pitch_um: tuple[float, float]
) -> tuple[Tensor, None, Tensor]:
    """Path through spheres: 2 √(R² − r²), as pixel mean.

    Parameters
    ----------
    x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
        µm from the centres.
    radius : Tensor, shape (n, 1, 1)
        µm.
    pitch_um : tuple of float
        (y, x).

    Returns
    -------
    half_path : Tensor, shape (..., n, P, Q)
        Half of the pixel-mean path in µm.
    middle : None
        The chords' middles lie at the centres' own z.
    coverage : Tensor
        Same shape as the path.
    """
    py, px = pitch_um
    # The factor 2/3 of the mean is put into the small tensors: √(4/9 e) = 2/3 √e.
    y2, x2 = y * y * (4 / 9), x * x * (4 / 9)
    # Mean of −r² over the pixel beyond its centre value: −p²/24 per second derivative.
    e = ((radius * radius - (px * px + py * py) / 12) * (4 / 9) - x2) - y2
    speck = (1e-3 * px * py) ** 2
    scale = 4 / 9
    half_range = (torch.add(x2 * (scale * px * px), speck) + y2 * (scale * py * py)).sqrt()
    coverage, half_path = root_mean_product(e, half_range)
    return half_path, None, coverage


def ellipsoid(
    x: Tensor, y: Tensor, rotation: Tensor, size: Tensor, pitch_um: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Path through ellipsoids, from the Schur complement of the quadric.

    Σ = R diag(a²) Rᵀ; the silhouette is rᵀ Σ⊥⁻¹ r = 1, the path 2 √(det Σ / det Σ⊥) √(1 − rᵀ
    Σ⊥⁻¹ r), and the chords' middles lie on the plane Σ_z⊥ Σ⊥⁻¹ r.

    Parameters
    ----------
    x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
        µm from the centres.
    rotation : Tensor, shape (n, 3, 3)
    size : Tensor, shape (n, 3)
        Semi-axes in µm.
    pitch_um : tuple of float
        (y, x).

    Returns
    -------
    half_path, middle, coverage : Tensor, shape (..., n, P, Q)
        Half of the pixel-mean path and z of the chord's middle from the centre in µm; covered
        fraction.
    """
    py, px = pitch_um
    a2 = size * size
    rx, ry, rz = rotation.unbind(-2)
    s_xx, s_xy, s_yy = (a2 * rx * rx).sum(-1), (a2 * rx * ry).sum(-1), (a2 * ry * ry).sum(-1)
    s_xz, s_yz, s_zz = (a2 * rx * rz).sum(-1), (a2 * ry * rz).sum(-1), (a2 * rz * rz).sum(-1)
    # det Σ⊥ by Cauchy–Binet: a sum of squares, where the difference would cancel for needles.
    others = torch.stack(
        [size[:, 1] * size[:, 2], size[:, 2] * size[:, 0], size[:, 0] * size[:, 1]]
    )
    det = ((others * rz.transpose(0, 1)) ** 2).sum(0)
    half_chord = size.prod(-1) / det.sqrt()

    def wide(value: Tensor) -> Tensor:
        return value[:, None, None]

    m_xx, m_xy, m_yy = wide(s_yy / det), wide(-s_xy / det), wide(s_xx / det)
    slope_x, slope_y = s_xz * s_yy - s_yz * s_xy, s_yz * s_xx - s_xz * s_xy
    steep_x, steep_y = wide(slope_x / det), wide(slope_y / det)
    g_x, g_y = m_xx * x + m_xy * y, m_xy * x + m_yy * y
    e = (1 - (px * px * m_xx + py * py * m_yy) / 12) - (g_x * x + g_y * y)
    speck = (px * py * 1e-3) ** 2 * wide(1 / det)
    half_range = ((px * g_x) ** 2 + (py * g_y) ** 2 + speck).sqrt()
    coverage, mean = root_mean_product(e, half_range)
    reach = wide(s_zz.sqrt())
    middle = torch.maximum(torch.minimum(steep_x * x + steep_y * y, reach), -reach)
    return mean * (wide(half_chord) * (2 / 3)), middle, coverage
