"""Work done a second time for the gradient, where keeping its parts would fill the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils.checkpoint import checkpoint

from osog.derivatives import func_is_active

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_SAMPLES = 4e7
"""Samples of all source points together up to which the gradient keeps what it needs."""
KEPT_SPHERE_SAMPLES = 4e6
"""The same for exact spheres, of which each keeps several numbers per sample and source point."""


def recomputed(spare: bool, function: Callable[..., Any], *arguments: Any) -> Any:
    """Result of a function whose inner tensors are not kept for the gradient.

    Parameters
    ----------
    spare : bool
        Whether memory is to be spared; else, and without gradients, it is a plain call.
    function : callable
        Without randomness. It runs again in the backward pass.
    *arguments
        Of the function.
    """
    # What is computed again needs hooks, which `torch.func` does not have.
    if spare and torch.is_grad_enabled() and not func_is_active():
        return checkpoint(function, *arguments, use_reentrant=False, preserve_rng_state=False)
    return function(*arguments)


__all__ = ["KEPT_SAMPLES", "KEPT_SPHERE_SAMPLES", "recomputed"]
