"""What the optics pass to the sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OpticalImage:
    """Light at the image plane, on the fine grid of a sampling plan.

    Attributes
    ----------
    irradiance : Tensor (Fy, Fx)
        Never negative. Relative to the empty background where that is bright, to the incident
        light where it is dark, and in units of 1 µm of emission 1 in fluorescence. In the
        modality ``phase`` it holds the unwrapped phase in radians instead.
    field : complex Tensor (Fy, Fx) or None
        Field relative to the incident wave, for coherent light only.
    """

    irradiance: Tensor
    field: Tensor | None = None
