"""Images that are stretched about the centre of the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import grid_sample

from osog.optics.band import resampled
from osog.optics.field_dependence import acts, field_coordinates
from osog.optics.optical_image import OpticalImage

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave.plan import SamplingPlan
    from osog.sample import Values

_NAME = "microscope.field_aberrations.distortion_percent"
_REACH = 1.4
"""Square of the distance, in half diagonals, up to which the distortion grows; beyond it the
mapping of a barrel folds over."""
_ROUNDS = 6
_FINER = 2
"""Samples per fine sample before the cubic, which then is exact to a few parts in a thousand."""


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
    if not acts(values, "distortion_percent"):
        return optical
    strength = values.number(_NAME) / 100
    scale = _inverse(strength, plan, values)
    irradiance = rescaled(optical.irradiance, scale, plan)
    if values.scene.microscope.modality.kind != "phase":
        irradiance = irradiance.clamp(min=0.0)
    field = optical.field
    if field is not None:
        field = torch.complex(rescaled(field.real, scale, plan), rescaled(field.imag, scale, plan))
    return OpticalImage(irradiance, field)


def rescaled(image: Tensor, scale: Tensor, plan: SamplingPlan) -> Tensor:
    """Resample an image at r → scale(r) · r about the centre of the frame.

    Parameters
    ----------
    image : Tensor (Fy, Fx)
        Real, on the fine grid.
    scale : Tensor (Fy, Fx) or 0-dim
        Where each new sample comes from: below 1 magnifies. Differentiable.
    plan : SamplingPlan

    Returns
    -------
    Tensor (Fy, Fx)
        Cubic convolution (Keys 1981) on a grid twice as fine; the domain's border is repeated.
    """
    rows, columns = plan.fine_shape
    finer = resampled(image, (_FINER * rows, _FINER * columns))
    s = plan.oversampling
    where = []
    for axis, samples in ((1, columns), (0, rows)):
        centre = (plan.pad_px[axis] + (plan.frame_shape[axis] - 1) / 2) * s
        index = torch.arange(samples, dtype=image.dtype, device=image.device)
        away = (index - centre)[None, :] if axis else (index - centre)[:, None]
        position = _FINER * (centre + away * scale)
        where.append((2 * position / (_FINER * samples - 1) - 1).expand(rows, columns))
    grid = torch.stack(where, -1)[None]
    sampled: Tensor = grid_sample(
        finer[None, None], grid, mode="bicubic", padding_mode="border", align_corners=True
    )
    return sampled[0, 0]


def _inverse(strength: Tensor, plan: SamplingPlan, values: Values) -> Tensor:
    """q(r') = r/r' with r' = r (1 + D r²/R²): the root of q + D r'² q³ = 1 by Newton's rule."""
    x, y = field_coordinates(plan, values)
    bend = strength * (x.square() + y.square()).clamp(max=_REACH)
    ratio = torch.ones_like(bend)
    for _ in range(_ROUNDS):
        # The last round has the derivative of the root itself.
        ratio = ratio - (ratio + bend * ratio**3 - 1) / (1 + 3 * bend * ratio.square())
    return ratio
