"""A slow, obvious exit wave in float64: one particle at a time, autograd all the way."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from osog.geometry import SHAPES, chords, padded_planes
from osog.sample import ParticleBatch, Values
from osog.waves import SamplingPlan


def phase_slabs(batch: ParticleBatch, plan: SamplingPlan, coefficient: Tensor) -> Tensor:
    """Coefficient × length in every slab (K, Gy, Gx), each particle drawn on the whole grid."""
    (py, px), (cy, cx) = plan.pitch_um, plan.corner_um
    y = (torch.arange(plan.grid_shape[0], dtype=batch.dtype) * py + cy)[None, :, None]
    x = (torch.arange(plan.grid_shape[1], dtype=batch.dtype) * px + cx)[None, None, :]
    slabs = [torch.zeros(plan.grid_shape, dtype=batch.dtype) for _ in range(plan.slabs)]
    for i in range(len(batch)):
        kind = SHAPES[int(batch.shape_kind[i])]
        planes = mask = None
        if kind.has_planes:
            planes, mask = padded_planes(batch, torch.tensor([i]))
        one = slice(i, i + 1)
        chord = chords(
            kind,
            x,
            y,
            batch.position[one],
            batch.quaternion[one],
            batch.size[one],
            planes,
            mask,
            plan.pitch_um,
            wall_samples=2 if plan.accuracy == "fine" else 1,
        )
        for j, z in enumerate(plan.slab_planes_um):
            # Integral of the hat by its definition: u − ½ u|u| between the clamped ends.
            ends = [((t - z) / plan.slab_um).clamp(-1, 1) for t in (chord.entry, chord.exit)]
            low, high = (u - 0.5 * u * u.abs() for u in ends)
            slabs[j] = slabs[j] + coefficient[i] * plan.slab_um * (high - low)[0]
    return sharpened(torch.stack(slabs))


def sharpened(slabs: Tensor) -> Tensor:
    """Add what a sample has more than its neighbours, as far as the kernel took it."""
    share = 1.201**2 / 24
    cross = torch.tensor([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], dtype=slabs.dtype) * share
    cross[1, 1] += 1
    return torch.nn.functional.conv2d(slabs[:, None], cross[None, None], padding=1)[:, 0]


def spectrum(
    batch: ParticleBatch, values: Values, plan: SamplingPlan, source: tuple[float, float]
) -> Tensor:
    """Fourier-series coefficients of U − 1 at the last plane, before any correction."""
    wavelength, index = values.number("microscope.wavelength_um"), values.number("medium.index")
    k0, k = 2 * pi / wavelength, 2 * pi * index / wavelength
    (rows, columns), (height, width) = plan.grid_shape, plan.extent_um
    fy = torch.fft.fftfreq(rows, height / rows, dtype=batch.dtype)[:, None]
    fx = torch.fft.fftfreq(columns, width / columns, dtype=batch.dtype)
    sx, sy = source
    squared = k**2 - (2 * pi) ** 2 * ((fx + sx) ** 2 + (fy + sy) ** 2)
    share = ((fx + sx) ** 2 + (fy + sy) ** 2) * (wavelength / index) ** 2
    ramp = ((share - 0.98**2) / (0.995**2 - 0.98**2)).clamp(0, 1)
    kz = torch.sqrt(torch.where(share < 0.995**2, squared, (1 - 0.995**2) * k.detach() ** 2))
    kz_source = torch.sqrt(k**2 - (2 * pi) ** 2 * torch.as_tensor(sx**2 + sy**2, dtype=batch.dtype))
    step = torch.exp(1j * (kz - kz_source) * plan.slab_um - 40 * ramp**2 * (3 - 2 * ramp))
    stretch = k / kz_source
    phase = phase_slabs(batch, plan, k0 * batch.delta_index)
    loss = phase_slabs(batch, plan, 0.5 * batch.absorption_per_um)
    field = torch.ones(plan.grid_shape, dtype=torch.complex128)
    for j in range(plan.slabs):
        field = field * torch.exp(stretch * (1j * phase[j] - loss[j]))
        if j < plan.slabs - 1:
            field = torch.fft.ifft2(torch.fft.fft2(field) * step)
    return torch.fft.fft2(field - 1, norm="forward")
