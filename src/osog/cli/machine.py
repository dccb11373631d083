"""What OSOG computes on, and why a GPU is not used."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from osog import __version__
from osog.rendering import choose_device

_PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "pydantic", "tifffile", "napari", "qtpy")
_WHERE = "the command for your system is on pytorch.org under 'Get started'"


def machine() -> dict[str, Any]:
    """Device, versions, threads, and the reason in words when no GPU is used.

    Returns
    -------
    dict
        ``device``, ``device_name``, ``gpu`` (``used``, ``reason``, ``hint``, ``found``),
        ``threads``, ``cores``, ``spin_count``, ``versions``, ``platform``.
    """
    device = choose_device("auto")
    return {
        "device": device.type,
        "device_name": _device_name(device),
        "gpu": gpu(),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "spin_count": os.environ.get("GOMP_SPINCOUNT", ""),
        "versions": {"osog": __version__, "python": platform.python_version(), **_versions()},
        "platform": platform.platform(),
    }


def gpu() -> dict[str, Any]:
    """Whether `auto` takes a GPU; if not, why, and what to do.

    Returns
    -------
    dict
        ``used`` (bool), ``reason`` (sentence), ``hint`` (sentence or empty), ``found`` (names of
        GPUs that torch can use).
    """
    if torch.cuda.is_available():
        found = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
        return {"used": True, "reason": "torch can use it.", "hint": "", "found": found}
    if torch.backends.mps.is_available():
        return {
            "used": False,
            "reason": "This Mac's GPU has no float64 numbers, which fits need, so 'auto' takes the "
            "CPU.",
            "hint": "Try --device mps for rendering.",
            "found": ["mps"],
        }
    reason, hint = _why_not()
    return {"used": False, "reason": reason, "hint": hint, "found": []}


def _why_not() -> tuple[str, str]:
    built_for = torch.version.cuda or getattr(torch.version, "hip", None)
    here = nvidia_driver()
    if sys.platform == "darwin":
        if platform.machine() != "arm64":
            return (
                "This Python is built for Intel processors, and torch reaches a Mac's GPU from "
                "arm64 only.",
                "On Apple silicon, install an arm64 Python and OSOG in it.",
            )
        return "torch finds no GPU on this Mac.", ""
    if built_for is None and here:
        return (
            f"There is an NVIDIA driver, but torch {torch.__version__} was built without GPU "
            "support.",
            f"Run 'pip install --force-reinstall torch --index-url URL' with the URL for CUDA; "
            f"{_WHERE}.",
        )
    if built_for is None:
        return (
            f"torch {torch.__version__} was built without GPU support, and no NVIDIA driver was "
            "found on this machine.",
            "If there is a GPU, install its driver, then run 'pip install --force-reinstall torch "
            f"--index-url URL' with the URL for your GPU; {_WHERE}.",
        )
    if not here and torch.version.cuda is not None:
        return (
            f"torch {torch.__version__} was built for CUDA {torch.version.cuda}, but no NVIDIA "
            "driver was found on this machine.",
            "If there is an NVIDIA GPU, install its driver and restart.",
        )
    return (
        f"torch {torch.__version__} was built for GPUs but cannot start one: {_fault()}",
        f"Update the driver, or install a torch that is built for an older one; {_WHERE}.",
    )


def nvidia_driver() -> bool:
    """Whether an NVIDIA driver is installed on this machine."""
    places = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1")
    return shutil.which("nvidia-smi") is not None or any(Path(p).exists() for p in places)


def _fault() -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        first = str(error).strip().splitlines()
        return first[0].rstrip(".") + "." if first else "no reason was given."
    return "torch sees no device."


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str | None]:
    out: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = None
    return out
