"""Transfer of what the engine draws on its grid, from the formula of its kernel."""

from __future__ import annotations

from math import pi

import torch
from scipy.special import spherical_jn
from torch import Tensor

CELL = 1.201
"""Side in samples of the square of the kernel's variance."""


def drawing_transfer(fy: Tensor, fx: Tensor) -> Tensor:
    """Of frequencies (By,), (Bx,) in cycles a sample: the kernel, and the filter against it."""
    q = pi * (7 / 3) ** 0.5 * CELL * torch.hypot(fy[:, None], fx).clamp_min(1e-3).double()
    kernel = 15 * torch.from_numpy(spherical_jn(2, q.numpy())) / q**2
    steep = torch.sin(pi * fy[:, None]) ** 2 + torch.sin(pi * fx) ** 2
    return kernel * (1 + CELL**2 / 6 * steep)
