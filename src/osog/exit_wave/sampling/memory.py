"""How much memory a render needs, from its plan; what does not fit is refused before it starts."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from osog.exit_wave.first_order import is_first_order
from osog.exit_wave.multislice import VOLUME_BYTES
from osog.exit_wave.sampling.grid_request import SceneFacts
from osog.scene import SceneError

if TYPE_CHECKING:
    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_IMAGES = 8
"""Arrays on the fine grid that an image is made with."""
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes of the largest arrays of one render, and of one part of them.

    Attributes
    ----------
    slabs : float
        Slabs of emitters, all of which are held at once, or of the window that is.
    lights : float
        Fields and spectra of the source points.
    images : float
        Images on the fine grid, one for each plane in focus, and the pictures of all frames.
    """

    slabs: float
    lights: float
    images: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.slabs + self.lights + self.images


def memory_need(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> MemoryNeed:
    """Estimate the memory of a render.

    Measured peaks above 1 GB lie within 20 % of it; small renders need some 0.3 GB more, and slabs
    that are empty for the most part down to half of it, since nothing is ever written there.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
        Its device and precision count, and whether it is differentiated.
    plan : SamplingPlan
    """
    number = batch.position.element_size()
    fine = plan.fine_shape[0] * plan.fine_shape[1]
    grid = plan.grid_shape[0] * plan.grid_shape[1]
    camera = scene.camera
    colours = 3 if camera is not None and camera.channels == 3 else 1
    planes = len(scene.microscope.focus_planes_um)
    pictures = scene.series.frames * planes * colours * scene.grid.shape[0] * scene.grid.shape[1]
    images = ((_IMAGES + planes * colours) * fine + 2 * pictures) * number
    volume = plan.slabs * grid * number
    if scene.microscope.emits:
        # Sums on CUDA run in integers of 64 bits, which become float64 on their way.
        wide = 20 if batch.device.type == "cuda" else 0
        held = volume * (1 + wide / number)
        return MemoryNeed(held * (3 if batch.position.requires_grad else 1), 0.0, images)
    height, width = plan.extent_um
    band = min((2 * plan.band) ** 2 * height * width, grid)
    fields = 2 if scene.microscope.modality.wave == "jones" else 1
    points = 1 if is_first_order(scene) else plan.lights
    exact = bool(plan.scattering) and all(model == "mie" for model in plan.scattering)
    # On the grid: propagation and its decay, real, and the field, complex. Over the band: the
    # complex spectrum and what corrects it, or what the amplitudes of a sphere are made of.
    each = 11 * band if exact else 5 * fields * band + (2 + 2 * fields) * grid
    slabs = 0.0 if exact else min(volume, VOLUME_BYTES)
    return MemoryNeed(slabs, points * each * number, images)


@lru_cache(maxsize=8)
def machine_bytes(device: torch.device) -> float | None:
    """Memory of a device in bytes; None where it cannot be told.

    Parameters
    ----------
    device : torch.device
        Of a CPU, what the machine or the container that runs on it has.
    """
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    found = [_installed(), *(_number_in(Path(name)) for name in _CGROUPS)]
    return min((number for number in found if number), default=None)


def refuse_too_large(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> None:
    """Refuse a render that cannot fit the memory, rather than let the system end the program.

    Raises
    ------
    SceneError
        In one sentence, with the memory that is needed and what needs less.
    """
    there = machine_bytes(batch.device)
    need = memory_need(scene, batch, plan)
    if there is not None and need.total > there:
        where = "this GPU" if batch.device.type == "cuda" else "this machine"
        raise SceneError(
            f"grid.shape = {scene.grid.shape}: the image needs about {gigabytes(need.total)} of "
            f"memory, {purpose(scene, batch, plan, need)}, and {where} has "
            f"{gigabytes(there)}; {cure(scene, batch, plan, need, 0.5 * there)}."
        )


def purpose(scene: Scene, batch: ParticleBatch, plan: SamplingPlan, need: MemoryNeed) -> str:
    """Name the largest part of the memory that is needed, and the numbers that make it large."""
    sides = " × ".join(str(n) for n in plan.grid_shape)
    if need.slabs >= max(need.lights, need.images):
        low, high, _ = SceneFacts(scene, batch).heights
        return (
            f"most of it for {plan.slabs} slabs of {sides} samples, {plan.slab_um:.2g} µm apart "
            f"from z = {low:.4g} to {high:.4g} µm"
        )
    if need.lights >= need.images:
        return f"most of it for {plan.lights} source points on {sides} samples"
    fine = " × ".join(str(n) for n in plan.fine_shape)
    return (
        f"most of it for images of {fine} samples, {plan.oversampling} across each pixel of "
        f"{scene.grid.pixel_size_um:g} µm"
    )


def cure(
    scene: Scene, batch: ParticleBatch, plan: SamplingPlan, need: MemoryNeed, fits: float
) -> str:
    """Say what needs no more than `fits` bytes, as far as numbers of the scene decide it."""
    share = fits / need.total
    side = max(scene.grid.shape)
    ways = [f"a frame of at most {max(int(side * share**0.5), 1)} pixels a side"]
    if scene.microscope.emits and need.slabs >= need.images:
        low, high, _ = SceneFacts(scene, batch).heights
        ways = [f"particles within {(high - low) * share:.3g} µm of depth", *ways]
        if scene.numerics.slab_um is not None:
            ways.append("numerics.slab_um left out")
    elif need.lights >= need.images and plan.lights > 1:
        ways.append(f"microscope.source_points = {max(int(plan.lights * share), 1)}")
    elif need.images > need.lights:
        ways.append("a smaller grid.pixel_size_um")
    if scene.numerics.accuracy == "fine":
        ways.append("numerics.accuracy = auto")
    fewer = ", or ".join([", ".join(ways[:-1]), ways[-1]]) if len(ways) > 1 else ways[0]
    return f"less is needed by {fewer}"


def gigabytes(number: float) -> str:
    """Write bytes as GB with two digits."""
    return f"{number / 1e9:.2g} GB" if number < 9.5e10 else f"{number / 1e9:.0f} GB"


def _installed() -> float | None:
    """Bytes that the machine has."""
    if sys.platform == "win32":
        return _installed_on_windows()
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        return None


def _installed_on_windows() -> float | None:
    import ctypes

    kilobytes = ctypes.c_ulonglong()
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  (it exists on Windows alone)
    found = kernel.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return 1024.0 * kilobytes.value if found else None


def _number_in(path: Path) -> float | None:
    """Limit that a container has been given; None without one."""
    try:
        return float(int(path.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return None


__all__ = [
    "MemoryNeed",
    "cure",
    "gigabytes",
    "machine_bytes",
    "memory_need",
    "purpose",
    "refuse_too_large",
]
