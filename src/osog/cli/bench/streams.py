"""Labelled frames as a training loop takes them, one after another."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osog.cli.bench.scenes import labelled_rods
from osog.cli.bench.timing import Timing, settled, torch_threads
from osog.cli.console import table
from osog.datasets import stream
from osog.rendering import choose_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table


@dataclass(frozen=True)
class StreamCase:
    """One row of the stream bench.

    Attributes
    ----------
    frame : str
    particles : float
        Mean number in a frame.
    each : Timing
        Of one frame, the mean of all.
    per_second : float
        Frames in a second of elapsed time.
    """

    frame: str
    particles: float
    each: Timing
    per_second: float


def stream_cases(
    *,
    frames: int = 16,
    device: str = "cpu",
    threads: int = 1,
    side: int = 256,
    said: Callable[[str], None] = lambda text: None,
) -> list[StreamCase]:
    """Measure labelled frames: images with the boxes, outlines and classes of all objects.

    Parameters
    ----------
    frames : int
        After eight to warm up; a multiple of eight measures whole bundles.
    device : str
    threads : int
        Of torch, while it is measured.
    side : int
        Pixels of a side.
    said : callable
        Takes a line of progress.

    Returns
    -------
    list of StreamCase
        At the accuracies standard and draft.
    """
    chosen = choose_device(device)
    out = []
    with torch_threads(threads):
        for accuracy in ("standard", "draft"):
            said(f"{accuracy} …")
            # Eight at a time share their optics; the first eight pay for what is made once.
            made = iter(stream(labelled_rods(side), accuracy=accuracy, device=device))
            for _ in range(8):
                next(made)
            settled(chosen)
            wall, cpu, objects = time.perf_counter(), time.process_time(), 0
            for _ in range(frames):
                objects += len(next(made)["boxes"])
            settled(chosen)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            each = Timing(1000 * wall / frames, 1000 * cpu / frames, frames)
            name = f"{side} × {side}, 50 rods, DIC, {accuracy}"
            out.append(StreamCase(name, objects / frames, each, frames / wall))
    return out


def stream_table(cases: list[StreamCase]) -> Table:
    """Lay out the stream bench for people."""
    titles = ("objects", "frame ms", "processor ms", "frames a second")
    rows = [
        (
            c.frame, f"{c.particles:.1f}", f"{c.each.wall_ms:.0f}", f"{c.each.cpu_ms:.0f}",
            f"{c.per_second:.1f}",
        )
        for c in cases
    ]  # fmt: skip
    columns: list[str | tuple[str, str]] = ["frame", *((t, "right") for t in titles)]
    return table(columns, rows, "Labelled frames of a stream in one process")


__all__ = ["StreamCase", "stream_cases", "stream_table"]
