"""How the time of an image grows with the number of particles."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.cli.bench.crowds import FRAME
from osog.cli.bench.gradients import chosen_time, new_image
from osog.cli.bench.scenes import crowd
from osog.cli.bench.timing import Timing, interleaved, milliseconds, peak_mib, reset_peak
from osog.cli.bench.timing import torch_threads as threads_of_torch
from osog.cli.console import table
from osog.cli.errors import CommandError
from osog.rendering import choose_device
from osog.sample import sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.table import Table

BODIES = {
    "sphere": {"kind": "sphere", "radius_um": 1.0},
    "thin rod": {"kind": "rod", "length_um": 2.25, "radius_um": 0.3},
}
COUNTS = (100, 1_000, 10_000, 100_000)
APERTURE = 0.4


@dataclass(frozen=True)
class GrowthCase:
    """One number of particles.

    Attributes
    ----------
    shape : str
    particles : int
        Really drawn.
    image : Timing
        Sample, exit wave, optics and camera of a new image in float32.
    us_a_particle : float
        Processor time on a CPU, elapsed time on a GPU.
    slope : float or None
        Of log time against log number since the row before: 1 where each particle costs the same,
        0 where their number does not count; None in the first row of a shape.
    peak_mib : float or None
        Largest memory while this row was measured.
    """

    shape: str
    particles: int
    image: Timing
    us_a_particle: float
    slope: float | None
    peak_mib: float | None


def growth_cases(
    *,
    counts: tuple[int, ...] = COUNTS,
    side: int = FRAME,
    repeats: int = 3,
    device: str = "cpu",
    threads: int = 1,
    said: Callable[[str], None] = lambda text: None,
) -> list[GrowthCase]:
    """Measure images of more and more particles.

    Parameters
    ----------
    counts : tuple of int
        Ascending.
    side : int
        Pixels of 0.1 µm a side.
    repeats, device, threads, said
        As for `crowds.render_cases`.

    Returns
    -------
    list of GrowthCase
    """
    chosen = choose_device(device)
    out: list[GrowthCase] = []
    with threads_of_torch(threads):
        for shape in BODIES:
            before: tuple[int, float] | None = None
            for count in counts:
                said(f"{count:,} × {shape} …")
                timing, drawn, peak = _measured(shape, count, side, repeats, chosen)
                now = drawn, chosen_time(timing, chosen)
                out.append(
                    GrowthCase(
                        shape, drawn, timing, 1000 * now[1] / drawn,
                        None if before is None else _slope(before, now), peak,
                    )
                )  # fmt: skip
                before = now
    return out


def _measured(
    shape: str, count: int, side: int, repeats: int, device: torch.device
) -> tuple[Timing, int, float | None]:
    scene = crowd(BODIES[shape], count, side, APERTURE)
    seeds = itertools.count(1)

    def image() -> None:
        new_image(scene, next(seeds), device)

    reset_peak(device)
    timing = interleaved({"image": image}, repeats, device)["image"]
    return timing, len(sample(scene, 1)), peak_mib(device)


def _slope(before: tuple[int, float], now: tuple[int, float]) -> float:
    return float(np.log(now[1] / before[1]) / np.log(now[0] / before[0]))


def growth_table(cases: list[GrowthCase]) -> Table:
    """Lay out the growth for people."""
    titles = ("particles", "image ms", "µs a particle", "slope", "memory MiB")
    rows = [
        (
            c.shape, f"{c.particles:,}", milliseconds(c.image), f"{c.us_a_particle:.3g}",
            "–" if c.slope is None else f"{c.slope:.2f}",
            "–" if c.peak_mib is None else f"{c.peak_mib:.0f}",
        )
        for c in cases
    ]  # fmt: skip
    title = (
        f"Images of pixels of 0.1 µm, NA {APERTURE}, z ± 10 µm, float32; wall (processor) ms; "
        "slope of log time against log number since the row above"
    )
    return table(["shape", *((t, "right") for t in titles)], rows, title)


def plot_growth(cases: list[GrowthCase], file: Path) -> None:
    """Draw time against number, both logarithmic.

    Parameters
    ----------
    cases : list of GrowthCase
    file : Path
        Its ending tells the format: png, svg, pdf.

    Raises
    ------
    CommandError
        If Matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise CommandError("--plot needs Matplotlib: pip install matplotlib.") from None
    figure = Figure((5.2, 3.8), layout="constrained")
    axes = figure.subplots()
    for shape in BODIES:
        mine = [c for c in cases if c.shape == shape]
        number = [c.particles for c in mine]
        spent = [c.us_a_particle * c.particles / 1000 for c in mine]
        last = mine[-1].slope
        said = shape if last is None else f"{shape}, slope {last:.2f} at the end"
        axes.loglog(number, spent, marker="o", label=said)
    axes.set(xlabel="particles", ylabel="time of an image, ms")
    axes.grid(visible=True, which="major", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    try:
        figure.savefig(file, dpi=160)
    except (OSError, ValueError) as error:
        raise CommandError(f"--plot {file}: {error}.") from None


__all__ = ["COUNTS", "GrowthCase", "growth_cases", "growth_table", "plot_growth"]
