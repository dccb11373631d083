"""Ellipsoids with three semi-axes."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.geometry.edges import root_mean_product
from osog.geometry.hulls import around_ball
from osog.geometry.shape import Bodies, Column, Shape
from osog.scene.shapes import Ellipsoid, ShapeModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class EllipsoidGeometry(Shape):
    """Ellipsoids of the size (a, b, c), their semi-axes."""

    models = (Ellipsoid,)
    smooth_above_px = 2.5
    round_ends = True
    arithmetic = True

    def half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Semi-axes as they are."""
        a, b, c = numbers
        return a, b, c

    def volume(self, bodies: Bodies) -> Tensor:
        """4/3 π a b c."""
        a, b, c = bodies.size.unbind(-1)
        return 4 / 3 * pi * a * b * c

    def half_extents(self, bodies: Bodies) -> Tensor:
        """√(Σ (R_ij a_j)²) along axis i."""
        return ((bodies.rotation * bodies.size[:, None, :]) ** 2).sum(-1).sqrt()

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Stretched polyhedra around the ball, which reach up to 1 % farther."""
        unit = bodies.size.new_tensor(around_ball())
        return unit * bodies.size[:, None, :], bodies.size.new_zeros(len(bodies.size))

    def half_width(self, bodies: Bodies) -> Tensor:
        """Shortest semi-axis."""
        return bodies.size.amin(-1)

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Path through ellipsoids, from the Schur complement of the quadric; see `Shape.path`.

        Σ = R diag(a²) Rᵀ; the silhouette is rᵀ Σ⊥⁻¹ r = 1, the path 2 √(det Σ / det Σ⊥) √(1 − rᵀ
        Σ⊥⁻¹ r), and the chords' middles lie on the plane Σ_z⊥ Σ⊥⁻¹ r.
        """
        rotation, size = bodies.rotation, bodies.size
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
        return mean * wide(half_chord), middle, coverage

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Points of ellipses at equally spaced eccentric anomalies."""
        return ellipse_points(bodies.rotation[:, :2, :] * bodies.size[:, None, :], normals)

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Along the axes of the projected ellipse A Aᵀ."""
        half_axes = bodies.rotation[:, :2, :] * bodies.size[:, None, :]
        x, y = half_axes.double().unbind(-2)
        s_xx, s_xy, s_yy = (x * x).sum(-1), (x * y).sum(-1), (y * y).sum(-1)
        angle = 0.5 * torch.atan2(2 * s_xy, s_xx - s_yy)
        mean, spread = (s_xx + s_yy) / 2, torch.hypot((s_xx - s_yy) / 2, s_xy)
        long = mean + spread
        # det / λ₁ instead of mean − spread, which cancels for needles.
        area2 = (torch.linalg.cross(x, y) ** 2).sum(-1)
        half = torch.stack([long, area2 / long], dim=-1).sqrt()
        dtype = half_axes.dtype
        return torch.zeros_like(bodies.size[:, :2]), half.to(dtype), angle.to(dtype)

    def hydrodynamic_axes(self, bodies: Bodies) -> Tensor:
        """Ellipsoids stand for themselves."""
        return bodies.size


ELLIPSOID = EllipsoidGeometry()


def ellipse_points(half_axes: Tensor, normals: Tensor) -> Tensor:
    """Points (n, V, 2) of the ellipses A Aᵀ.

    Parameters
    ----------
    half_axes : Tensor, shape (n, 2, 3)
        A: the projected semi-axes.
    normals : Tensor, shape (V, 2)
        Cosine and sine of the eccentric anomalies.
    """
    x, y = half_axes.unbind(-2)
    l_xx = (x * x).sum(-1).sqrt()
    l_yx = (x * y).sum(-1) / l_xx
    # What y has across x; the difference of squares would cancel for needles.
    l_yy = (y - x * (l_yx / l_xx)[:, None]).norm(dim=-1)
    zero = torch.zeros_like(l_xx)
    lower = torch.stack([torch.stack([l_xx, zero], -1), torch.stack([l_yx, l_yy], -1)], -2)
    return normals @ lower.transpose(-1, -2)
