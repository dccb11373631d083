"""Moving many small arrays to a device at once: a copy costs as much as the start of a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor

_ALIGNED = 64
"""Numbers from which the next array begins at a whole multiple: kernels read whole words."""


def moved_together(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Move plain numbers to a device, all of one type in one copy.

    Parameters
    ----------
    tensors : sequence of Tensor
        On one device; without history.
    device : torch.device

    Returns
    -------
    list of Tensor
        The same where they lie there already, else contiguous parts of a common array.
    """
    if all(t.device == device for t in tensors):
        return list(tensors)
    return _moved(tensors, device)


def _moved(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    found: dict[int, Tensor] = {}
    for kind in {t.dtype for t in tensors}:
        mine = [k for k, t in enumerate(tensors) if t.dtype == kind]
        sizes = [-(-tensors[k].numel() // _ALIGNED) * _ALIGNED for k in mine]
        packed = tensors[mine[0]].new_zeros(sum(sizes))
        for k, part in zip(mine, packed.split(sizes), strict=True):
            part[: tensors[k].numel()] = tensors[k].reshape(-1)
        for k, part in zip(mine, packed.to(device).split(sizes), strict=True):
            found[k] = part[: tensors[k].numel()].view(tensors[k].shape)
    return [found[k] for k in range(len(tensors))]


__all__ = ["moved_together"]
