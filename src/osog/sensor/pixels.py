"""From the fine grid to camera pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.sensor.motion import motion_transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan


def pixels(
    fine: Tensor,
    plan: SamplingPlan,
    integrate: bool,
    path: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Sample an image on the fine grid at the camera's pixels.

    Parameters
    ----------
    fine : Tensor (..., Fy, Fx)
        Image over the whole periodic domain; sample j lies at (j/s − pad) pixels. With
        ``plan.frame_only`` it is of the frame's pixels, shape (..., Ny, Nx), and stays as it is.
    plan : SamplingPlan
        Grids of the render.
    integrate : bool
        True gives the mean over the square of each pixel (sensitive area 100 %), False the value
        at its centre.
    path : (Tensor, Tensor), optional
        Displacement (y, x) in pixels during the exposure; acts where the pixels integrate.

    Returns
    -------
    Tensor (..., Ny, Nx)
        The frame without the padding.

    Raises
    ------
    ValueError
        If ``fine`` is not of the shape that the plan gives, or the pixels should integrate what is
        known at their centres only.

    Notes
    -----
    The mean over a pixel is sinc(f_x p) sinc(f_y p) in the spectrum, and that over a path d is
    sinc(f · d). Both act on the irradiance and before the pixels sample it, so a camera that is too
    coarse aliases as a real one does. The domain is periodic, but its padding beyond the frame
    grows with the path, so that nothing wraps into the frame.
    """
    if tuple(fine.shape[-2:]) != tuple(plan.image_shape):
        raise ValueError(f"image of shape {tuple(fine.shape)} must be {tuple(plan.image_shape)}.")
    if plan.frame_only:
        if integrate:
            raise ValueError("an image of the pixel centres alone cannot be integrated.")
        return fine
    s = plan.oversampling
    (top, left), (height, width) = plan.pad_px, plan.frame_shape
    if not integrate:
        rows, columns = plan.pixel_centres
        return fine[..., rows, columns]
    like = {"dtype": fine.dtype, "device": fine.device}
    fy = torch.fft.fftfreq(plan.fine_shape[0], 1 / s, **like)
    fx = torch.fft.rfftfreq(plan.fine_shape[1], 1 / s, **like)
    spectrum = torch.fft.rfft2(fine, norm="forward")
    spectrum = spectrum * torch.sinc(fy)[:, None] * torch.sinc(fx)
    if path is not None:
        spectrum = spectrum * motion_transfer(path, fy, fx)
    # Sampling every s-th row is folding the spectrum s times: s times less to transform back.
    spectrum = spectrum.unflatten(-2, (s, plan.domain_px[0])).sum(-3)
    rows_done = torch.fft.ifft(spectrum, dim=-2, norm="forward")[..., top : top + height, :]
    mean: Tensor = torch.fft.irfft(rows_done, n=plan.fine_shape[1], dim=-1, norm="forward")
    return mean[..., left * s : (left + width - 1) * s + 1 : s]


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the camera misses detail that the objective passes."""
    optics, pixel = scene.microscope, scene.grid.pixel_size_um
    nyquist = optics.wavelength_um / (4 * optics.numerical_aperture)
    if pixel > nyquist * 1.0001:
        seen = "does in such a camera" if scene.camera is not None else "would on a real one"
        nanometres = optics.wavelength_um * 1000
        yield Caution(
            f"Pixels of {pixel:.3g} µm undersample NA {optics.numerical_aperture:g} at "
            f"{nanometres:.0f} nm (Nyquist {nyquist:.3g} µm); fine detail aliases as it "
            f"{seen}.",
            {"grid.pixel_size_um": round(nyquist * 0.999, 4)},
            "Use pixels at Nyquist",
        )
