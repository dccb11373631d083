"""How long pieces of work take, and what memory."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Timing:
    """Medians of several repeats.

    Attributes
    ----------
    wall_ms, cpu_ms : float
        Elapsed time, and processor time of this process with all its threads.
    repeats : int
    """

    wall_ms: float
    cpu_ms: float
    repeats: int


def milliseconds(timing: Timing | None) -> str:
    """Write wall and processor time."""
    return "–" if timing is None else f"{timing.wall_ms:.0f} ({timing.cpu_ms:.0f})"


def interleaved(
    work: dict[str, Callable[[], Any]], repeats: int, device: torch.device
) -> dict[str, Timing]:
    """Time several pieces of work in turns, so that a slow minute hits all of them alike."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for turn in range(repeats + 1):
        for name, piece in work.items():
            settled(device)
            wall, cpu = time.perf_counter(), time.process_time()
            piece()
            settled(device)
            if turn > 0:  # the first round fills caches and plans transforms
                passed = (time.perf_counter() - wall, time.process_time() - cpu)
                seen[name].append(passed)
    return {
        name: Timing(
            wall_ms=1000 * median(wall for wall, _ in pairs),
            cpu_ms=1000 * median(cpu for _, cpu in pairs),
            repeats=repeats,
        )
        for name, pairs in seen.items()
    }


def settled(device: torch.device) -> None:
    """Wait until a GPU has done what was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def reset_peak(device: torch.device) -> None:
    """Begin to watch memory."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_mib(device: torch.device) -> float | None:
    """Return the largest memory since `reset_peak` in MiB; None where the system does not tell."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 2**20
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Give torch so many threads within a block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


__all__ = [
    "Timing",
    "interleaved",
    "milliseconds",
    "peak_mib",
    "reset_peak",
    "settled",
    "torch_threads",
]
