"""Diffusion coefficients of trajectories, and the sizes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting import FitError
from osog.sample.motion import BOLTZMANN_J_PER_K

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from osog.tracking.table import ParticleTable

    Array = NDArray[np.float64]

# Displacements from which the covariance of neighbouring ones is estimated at all.
_FEWEST = 5


@dataclass(frozen=True)
class Diffusion:
    """How one particle, or all together, diffuse.

    Attributes
    ----------
    particle : int or None
        Its number; None for all together.
    displacements : int
        How many displacements between neighbouring frames were used, along x and y together.
    coefficient_um2_per_s, coefficient_sigma : float
        Diffusion coefficient in the plane, and its standard deviation. Noise may make it negative.
    radius_um, radius_sigma : float
        Hydrodynamic radius by Stokes and Einstein; NaN where the coefficient is not positive.
    localisation_um : float
        Standard deviation of a position, as the trajectory itself tells it; 0 where it tells none.
    """

    particle: int | None
    displacements: int
    coefficient_um2_per_s: float
    coefficient_sigma: float
    radius_um: float
    radius_sigma: float
    localisation_um: float


def diffusion(
    table: ParticleTable | Iterable[Mapping[str, Any]],
    interval_s: float,
    *,
    temperature_k: float = 293.0,
    viscosity_mpa_s: float = 1.0,
) -> list[Diffusion]:
    """Diffusion coefficient and hydrodynamic radius of every particle, and of all together.

    The covariance of neighbouring displacements is taken off, so that errors of the positions do
    not pass for motion: D = ⟨Δx²⟩ / 2Δt + ⟨Δxₙ Δxₙ₊₁⟩ / Δt along x and y, whose variance is known
    for free diffusion in exposures much shorter than Δt (Vestergaard, Blainey & Flyvbjerg, Phys.
    Rev. E 89, 022726, 2014). Each particle's mean displacement counts as flow and is subtracted.
    Stokes and Einstein: R = k T / (6 π η D), for spheres far from walls and from each other.

    Parameters
    ----------
    table : ParticleTable or rows
        With ``particle``, ``frame``, ``x_um`` and ``y_um``.
    interval_s : float
        Between two frames, above 0.
    temperature_k, viscosity_mpa_s : float
        Of the liquid, above 0.

    Returns
    -------
    list of Diffusion
        One for each particle with at least 5 displacements, in the order of their numbers; then
        that of all of them together, taken to be alike. Empty where there is none.

    Raises
    ------
    FitError
        For numbers that are not above 0.
    """
    for name, value in (
        ("interval_s", interval_s), ("temperature_k", temperature_k),
        ("viscosity_mpa_s", viscosity_mpa_s),
    ):  # fmt: skip
        if not (np.isfinite(value) and value > 0):
            raise FitError(f"{name} = {value} must be a number above 0.")
    rows: Any = getattr(table, "rows", table)
    paths: dict[int, dict[int, tuple[float, float]]] = {}
    for row in rows:
        path = paths.setdefault(int(row["particle"]), {})
        path[int(row["frame"])] = (float(row["x_um"]), float(row["y_um"]))
    factor = BOLTZMANN_J_PER_K * temperature_k / (6 * pi * viscosity_mpa_s * 1e-3) * 1e18
    out, sums = [], []
    for particle in sorted(paths):
        moments = _moments(paths[particle])
        if moments is not None:
            sums.append(moments)
            out.append(_estimate(particle, moments, interval_s, factor))
    if sums:
        out.append(_estimate(None, np.sum(sums, axis=0), interval_s, factor))
    return out


def _moments(path: Mapping[int, tuple[float, float]]) -> Array | None:
    """Sums over x and y: displacements, their squares; neighbouring pairs, their products."""
    steps = {
        k: np.subtract(path[k + 1], path[k]) for k in sorted(path) if k + 1 in path
    }  # fmt: skip
    n = len(steps)
    if n < _FEWEST:
        return None
    drift = np.mean(list(steps.values()), axis=0)
    # A mean taken from the same n displacements takes 1/n of their variance along.
    free = {k: (step - drift) * sqrt(n / (n - 1)) for k, step in steps.items()}
    pairs = [free[k] * free[k + 1] for k in free if k + 1 in free]
    squares = float(np.sum([step**2 for step in free.values()]))
    return np.array([2.0 * n, squares, 2.0 * len(pairs), float(np.sum(pairs))])


def _estimate(particle: int | None, moments: Array, interval: float, factor: float) -> Diffusion:
    n, squares, m, products = moments.tolist()
    mean, covariance = squares / n, products / m if m else 0.0
    found = mean / (2 * interval) + covariance / interval
    # ε = σ²/(D Δt) with the variance σ² of a position, −⟨Δxₙ Δxₙ₊₁⟩ without motion blur.
    variance = max(0.0, -covariance)
    error = variance / (found * interval) if found > 0 else 0.0
    relative = (6 + 4 * error + 2 * error**2) / n + 4 * (1 + error) ** 2 / n**2
    sigma = abs(found) * sqrt(relative)
    radius = factor / found if found > 0 else nan
    return Diffusion(
        particle=particle,
        displacements=int(n),
        coefficient_um2_per_s=found,
        coefficient_sigma=sigma,
        radius_um=radius,
        radius_sigma=radius * sigma / found if found > 0 else nan,
        localisation_um=sqrt(variance),
    )
