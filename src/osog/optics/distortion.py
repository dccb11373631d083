"""Images that are stretched about the centre of the frame."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.optics.field_dependence import acts, field_coordinates
from osog.optics.optical_image import OpticalImage
from osog.optics.resample import read_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_REACH = 1.4
"""Square of the distance, in half diagonals, up to which the distortion grows; beyond it the
mapping of a barrel folds over."""
_ROUNDS = 6


def distorted(optical: OpticalImage, values: Values, plan: SamplingPlan) -> OpticalImage:
    """Stretch an image as a lens with distortion does.

    A point at the distance r from the centre of the frame is imaged at r (1 + D r²/R²), R the half
    diagonal: D > 0 is pincushion, D < 0 barrel. The irradiance itself stays, as after a flat-field
    correction; without one it would fall by the stretched area.

    Parameters
    ----------
    optical : OpticalImage
    values : Values
    plan : SamplingPlan

    Returns
    -------
    OpticalImage
        The same object without distortion. Labels are not distorted.

    Notes
    -----
    Third-order (Seidel) distortion, Born & Wolf §5.3.
    """
    if not is_distorted(values):
        return optical
    x, y = field_coordinates(plan, values)
    scale = _inverse(values.microscope.field_aberrations.distortion_percent / 100, x, y)
    half_diagonal = hypot(*plan.frame_shape) / 2 * plan.oversampling
    middle = [
        (pad + (n - 1) / 2) * plan.oversampling
        for pad, n in zip(plan.pad_px, plan.frame_shape, strict=True)
    ]
    rows, columns = middle[0] + half_diagonal * y * scale, middle[1] + half_diagonal * x * scale
    irradiance = read_at(optical.irradiance, rows, columns)
    if not values.scene.microscope.modality.measures_phase:
        irradiance = irradiance.clamp(min=0.0)
    field = optical.field
    if field is not None:
        field = torch.complex(
            read_at(field.real, rows, columns), read_at(field.imag, rows, columns)
        )
    return OpticalImage(irradiance, field)


def is_distorted(values: Values) -> bool:
    """Whether the lens distorts, or its distortion is in the caller's hands."""
    return acts(values, "distortion_percent")


def _inverse(strength: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """q(r') = r/r' with r' = r (1 + D r²/R²): the root of q + D r'² q³ = 1 by Newton's rule."""
    bend = strength * (x.square() + y.square()).clamp(max=_REACH)
    ratio = torch.ones_like(bend)
    for _ in range(_ROUNDS):
        # The last round has the derivative of the root itself.
        ratio = ratio - (ratio + bend * ratio**3 - 1) / (1 + 3 * bend * ratio.square())
    return ratio


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say what distortion does not reach."""
    if scene.microscope.field_aberrations.distortion_percent != 0:
        yield Caution("Distortion moves the picture, but not the labels, which are of the object.")
