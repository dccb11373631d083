"""One sample through every kind of microscope: image, refocused image, gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog.cli.bench.gradients import Work, chosen_time, works
from osog.cli.bench.scenes import crowd
from osog.cli.bench.timing import Timing, interleaved, milliseconds, torch_threads
from osog.cli.console import table
from osog.rendering import choose_device
from osog.scene.modalities import MODALITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

SIDE, PARTICLES = 256, 100


@dataclass(frozen=True)
class ModalityCase:
    """One row of the modality bench.

    Attributes
    ----------
    modality : str
    particles : int
    slabs : int
    forward, focus_moved, backward : Timing
        A new image; the image after a move of focus alone; forward and backward, with gradients to
        radius and index of all particles and to the focus.
    ratio : float
        Backward over forward, in processor time on the CPU and in elapsed time on a GPU.
    """

    modality: str
    particles: int
    slabs: int
    forward: Timing
    focus_moved: Timing
    backward: Timing
    ratio: float


def modality_cases(
    *,
    repeats: int = 5,
    device: str = "cpu",
    threads: int = 1,
    said: Callable[[str], None] = lambda text: None,
) -> list[ModalityCase]:
    """Measure every modality on a frame of 256 × 256 pixels with 100 spheres.

    Parameters
    ----------
    repeats : int
        After one round to warm up; medians are returned.
    device : str
    threads : int
        Of torch, while it is measured.
    said : callable
        Takes a line of progress.

    Returns
    -------
    list of ModalityCase
    """
    chosen = choose_device(device)
    out = []
    with torch_threads(threads):
        for kind in MODALITIES:
            said(f"{kind} …")
            work = _work(kind, chosen)
            timings = interleaved(work.pieces, repeats, chosen)
            out.append(
                ModalityCase(
                    modality=kind,
                    particles=work.particles,
                    slabs=work.plan.slabs,
                    ratio=chosen_time(timings["backward"], chosen)
                    / chosen_time(timings["forward"], chosen),
                    **timings,
                )
            )
    return out


def modality_table(cases: list[ModalityCase]) -> Table:
    """Lay out the modality bench for people."""
    titles = ("slabs", "image ms", "focus moved ms", "with gradient ms", "ratio")
    rows = [
        (
            c.modality, str(c.slabs), milliseconds(c.forward),
            milliseconds(c.focus_moved), milliseconds(c.backward),
            f"{c.ratio:.2f}",
        )
        for c in cases
    ]  # fmt: skip
    columns: list[str | tuple[str, str]] = ["modality", *((t, "right") for t in titles)]
    title = f"{PARTICLES} spheres on {SIDE} × {SIDE} pixels, NA 0.8; wall (processor) ms"
    return table(columns, rows, title)


def _work(kind: str, device: torch.device) -> Work:
    scene = crowd({"kind": "sphere", "radius_um": 1.0}, PARTICLES, SIDE).updated(
        {"microscope.modality": {"kind": kind}}
    )
    if scene.microscope.emits:
        scene = scene.updated({"populations.bodies.material.emission_per_um": 1.0})
    size = {"populations.bodies.shape.radius_um": 1.0}
    return works(scene, size, device)


__all__ = ["ModalityCase", "modality_cases", "modality_table"]
