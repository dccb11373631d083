"""Polarisation through an objective of high NA, averaged over unpolarised light."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from osog.waves.evanescence import LEAST_COSINE, root_with_floor

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values


class _Rotation(NamedTuple):
    """First two rows of the rotation that an aplanatic lens makes of a ray: k̂ → optic axis.

    (xx, xy, −x), (xy, yy, −y) with k̂ = (x, y, cosine).
    """

    xx: Tensor
    yy: Tensor
    xy: Tensor
    x: Tensor
    y: Tensor
    cosine: Tensor


def is_vectorial(values: Values) -> bool:
    """Whether the scene follows the polarisation through the lens."""
    return values.scene.microscope.pupil.vectorial


def dipole_weights(fx: Tensor, fy: Tensor, wavelength_um: Tensor, medium_index: Tensor) -> Tensor:
    """Pupil fields of an emitter whose dipole points anywhere, as weights of the scalar pupil.

    Both polarisations behind the lens of dipoles along x, y and z; the irradiances of all five
    distinct fields add up. By reciprocity they are also the fields that unpolarised light makes
    in the focus, so that they serve for the excitation of freely turning molecules too.

    Parameters
    ----------
    fx, fy : Tensor
        Frequencies in cycles/µm; they broadcast.
    wavelength_um, medium_index : 0-dim Tensor

    Returns
    -------
    Tensor (5, …)
        1 − x²/(1+c), 1 − y²/(1+c), √2 xy/(1+c), x, y with k̂ = (x, y, c).

    Notes
    -----
    Richards & Wolf, Proc. R. Soc. A 253, 358 (1959): their I0, I1 and I2 are the Hankel transforms
    of these. The spread has their full form with the pupil apodised as ``aplanatic``.
    """
    lens = _rotation(fx, fy, wavelength_um, medium_index)
    shape = lens.xx.shape
    return torch.stack(
        [lens.xx, lens.yy, 2**0.5 * lens.xy, lens.x.expand(shape), lens.y.expand(shape)]
    )


def scattered_weights(
    fx: Tensor,
    fy: Tensor,
    source: tuple[Tensor, Tensor],
    wavelength_um: Tensor,
    medium_index: Tensor,
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Polarised fields that a scatterer sends through the lens, relative to the scalar one.

    Parameters
    ----------
    fx, fy : Tensor
        Absolute frequencies of the scattered light in cycles/µm; they broadcast.
    source : (0-dim Tensor, 0-dim Tensor)
        Frequency (x, y) of the incident wave, which the condenser turns in the same way.
    wavelength_um, medium_index : 0-dim Tensor

    Returns
    -------
    ((Tensor, Tensor), (Tensor, Tensor))
        For light polarised along x, the fields along (x, y); then for light along y.

    Notes
    -----
    The induced dipole is parallel to the incident field, as in Born's approximation (S2 = S1 cos γ;
    Bohren & Huffman §6.1). The scalar field holds (S1 + S2)/2 ∝ (1 + cos γ)/2, which is divided
    out. For light along the axis the weights are 1 ∓ t cos 2φ and −t sin 2φ, t = tan²(θ/2).
    """
    there = _rotation(fx, fy, wavelength_um, medium_index)
    here = _rotation(source[0], source[1], wavelength_um, medium_index)
    angle = there.x * here.x + there.y * here.y + there.cosine * here.cosine
    scalar = (1 + angle) / 2
    xx = there.xx * here.xx + there.xy * here.xy + there.x * here.x
    yy = there.yy * here.yy + there.xy * here.xy + there.y * here.y
    xy = there.xx * here.xy + there.xy * here.yy + there.x * here.y
    yx = there.xy * here.xx + there.yy * here.xy + there.y * here.x
    return (xx / scalar, yx / scalar), (xy / scalar, yy / scalar)


def _rotation(fx: Tensor, fy: Tensor, wavelength_um: Tensor, medium_index: Tensor) -> _Rotation:
    x, y = fx * (wavelength_um / medium_index), fy * (wavelength_um / medium_index)
    cosine = root_with_floor(1 - x * x - y * y, LEAST_COSINE**2)
    share = 1 / (1 + cosine)
    return _Rotation(1 - x * x * share, 1 - y * y * share, -x * y * share, x, y, cosine)
