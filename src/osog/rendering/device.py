"""Where to compute."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from osog.scene import SceneError


def default_device_set_aside() -> AbstractContextManager[object]:
    """Leave out of account what `torch.set_default_device` says, for a while.

    Where the engine states no device it means the CPU. Entered only where the default is another,
    since every call of torch costs more inside.
    """
    if torch.get_default_device().type == "cpu":
        return nullcontext()
    return torch.device("cpu")


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """Device to compute on: ``auto`` takes CUDA when torch sees one, else the CPU.

    Raises
    ------
    SceneError
        If the wanted device is not there.
    """
    name = str(device)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(name)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError):
        known = ["auto", "cpu"]
        known += ["cuda"] if torch.cuda.is_available() else []
        known += ["mps"] if torch.backends.mps.is_available() else []
        raise SceneError(
            f"device = '{name}' is not available here; choose {', '.join(known)}."
        ) from None
    return chosen
