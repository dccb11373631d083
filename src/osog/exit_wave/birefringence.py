"""Refractive indices that light meets in uniaxial bodies.

A uniaxial body has the ordinary index n_o, and n_e = n_o + b for light polarised along the optic
axis a. Light that travels along the unit vector s in the body sees n_o and

    n(θ) = [cos²θ / n_o² + sin²θ / n_e²]^(−½),  cos θ = a·s,

with the slow or fast direction along the part of `a` that is transverse to `s` (Born & Wolf,
Principles of Optics, §15.3). Everything here is written in the transverse components (a_x, a_y) of
the axis in a frame that is carried along with the light, so that it stays smooth where the axis
points along the light: n(θ) − n_o = h (a_x² + a_y²), and with azimuth ψ of the axis
(n(θ) − n_o) cos 2ψ = h (a_x² − a_y²), (n(θ) − n_o) sin 2ψ = 2 h a_x a_y.
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.derivatives import followed
from osog.geometry import half_extents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_STRONG_RETARDANCE = 1.0
"""Retardance in rad from which one wave is more than 12 % wrong for the mean of two."""


def is_birefringent(batch: ParticleBatch) -> bool:
    """Whether any body is birefringent, or its birefringence is being differentiated."""
    return followed(batch.birefringence) or bool((batch.birefringence != 0).any())


def index_split(
    batch: ParticleBatch, medium_index: Tensor, direction: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean index and birefringence that light of one direction meets in each body.

    Parameters
    ----------
    batch : ParticleBatch
        N particles.
    medium_index : Tensor, 0-dim
    direction : Tensor, shape (2,)
        Transverse part (x, y) of the unit vector along which the light travels in the medium.

    Returns
    -------
    mean, cosine, sine : Tensor, shape (N,)
        ½(n_o + n(θ)) minus the index of the medium; (n(θ) − n_o) cos 2ψ and (n(θ) − n_o) sin 2ψ,
        each to be multiplied by the path along a ray in the medium. ψ counts from x towards y in
        the frame of x and y turned by the smallest rotation that takes z to the ray: a condenser
        free of aberrations turns the polarisation in the same way, plane by plane through its axis
        (Richards & Wolf 1959), so that a field keeps its components in this frame.

    Notes
    -----
    The light is taken to be refracted into the body by a horizontal face, s n_m = s' n_o, and the
    steeper path in the body shortens the birefringent part by cos θ_m / cos θ_o. The retardance of
    a plate is then that of the exact refraction formula (Born & Wolf §15.3.3) to 0.4 % of k0 b d up
    to 30° in the medium for quartz in water, and to 4 % for calcite. For a body whose faces lean,
    the error is that of a ray direction wrong by up to the refraction at the face.
    """
    b, ordinary = batch.birefringence, medium_index + batch.delta_index
    outside = torch.sqrt(1 - (direction * direction).sum())
    sx, sy = (component * (medium_index / ordinary) for component in direction)
    # The floor is reached by total reflection only, where no light enters the body.
    inside = torch.sqrt((1 - sx * sx - sy * sy).clamp(min=0.01))
    ax, ay, az = batch.optic_axis.unbind(1)
    tilt = az + (sx * ax + sy * ay) / (1 + inside)
    ax, ay = ax - sx * tilt, ay - sy * tilt
    # n_o²/n_e² − 1 without the cancellation of small b.
    m = -b * (2 * ordinary + b) / (ordinary + b).square()
    root = torch.sqrt(1 + (ax * ax + ay * ay) * m)
    h = -ordinary * m / (root * (1 + root)) * (outside / inside)
    cosine, sine = h * (ax * ax - ay * ay), 2 * h * ax * ay
    return batch.delta_index + 0.5 * h * (ax * ax + ay * ay), cosine, sine


def mean_delta_index(
    batch: ParticleBatch, medium_index: Tensor, direction: Tensor | None = None
) -> Tensor:
    """Index ½(n_o + n(θ)) minus that of the medium (N,): what unpolarised light meets.

    Parameters
    ----------
    batch : ParticleBatch
    medium_index : Tensor, 0-dim
    direction : Tensor, shape (2,), optional
        Transverse part of the light's direction; along z when omitted.

    Notes
    -----
    Unpolarised light is two waves that meet n_o and n(θ). One scalar wave with the mean index has
    their common phase, and an irradiance that is right to Γ²/8, Γ the retardance of the body: use
    the polarised modality where Γ exceeds about half a radian.
    """
    if not is_birefringent(batch):
        return batch.delta_index
    if direction is None:
        direction = torch.zeros(2, dtype=batch.dtype, device=batch.device)
    return index_split(batch, medium_index, direction)[0]


def largest_retardance(scene: Scene, batch: ParticleBatch) -> tuple[str, float]:
    """Population with the strongest crystal of a batch, and its retardance in radians.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
        Of one particle at least.
    """
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        path = 2 * half_extents(batch, every)[:, 2]
        retardance = 2 * pi / scene.microscope.wavelength_um * batch.birefringence.abs() * path
        number = int(batch.population[retardance.argmax()])
        return scene.populations[number].name, float(retardance.max())


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when light without polars meets strong crystals."""
    if len(batch) == 0 or scene.microscope.modality.wave != "scalar":
        return
    name, largest = largest_retardance(scene, batch)
    if largest > _STRONG_RETARDANCE:
        yield Caution(
            f"'{name}' is a strong crystal (retardance up to {largest:.1f} rad): without "
            "polars it is drawn with the mean of both indices, not as two waves."
        )
