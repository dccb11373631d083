"""Crowded frames, as ratios to a bare multislice in the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog.cli.bench.gradients import SHAPES, chosen_time, size_of, works
from osog.cli.bench.operations import OperationsCase, counted
from osog.cli.bench.scenes import crowd
from osog.cli.bench.timing import (
    Timing,
    interleaved,
    milliseconds,
    peak_mib,
    reset_peak,
    torch_threads,
)
from osog.cli.console import table
from osog.rendering import choose_device
from osog.sample import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from osog.scene import Scene

FRAME = 1024
PIXEL_UM = 0.1
APERTURE = 0.8
BARE_SLICES = 30


@dataclass(frozen=True)
class RenderCase:
    """One row of the render bench.

    Attributes
    ----------
    shape : str
    particles : int
        Really drawn.
    coverage : float
        Summed area of discs of the bodies' mean half size over the frame's area.
    grid : (int, int)
        Field grid of the slab engine.
    slabs : int
    bare : Timing
        The bare multislice, its repeats interleaved with the others'.
    forward : Timing
        Sample, exit wave, optics and camera of one noise-free image in float32.
    backward : Timing or None
        Forward and backward, with gradients to the size and index of every particle and to the
        focus.
    focus_moved : Timing
        The image again after a change of focus only.
    peak_mib : float or None
        Largest memory of the process while this row was measured, where the system tells.
    ratio : float
        Forward over bare, in processor time on the CPU and in elapsed time on a GPU.
    ratio_backward : float or None
    """

    shape: str
    particles: int
    coverage: float
    grid: tuple[int, int]
    slabs: int
    bare: Timing
    forward: Timing
    backward: Timing | None
    focus_moved: Timing
    peak_mib: float | None
    ratio: float
    ratio_backward: float | None


def bench_scene(shape: str, count: int) -> Scene:
    """Describe the frame of the render bench, at the accuracy standard."""
    scene = crowd(SHAPES[shape], count, FRAME, APERTURE)
    return scene.model_copy(
        update={"numerics": scene.numerics.model_copy(update={"accuracy": "standard"})}
    )


def render_cases(
    cases: list[tuple[str, int]],
    *,
    repeats: int = 5,
    device: str = "cpu",
    threads: int = 1,
    gradients: bool = True,
    said: Callable[[str], None] = lambda text: None,
) -> list[RenderCase]:
    """Measure frames of many particles against a bare multislice of the same frame.

    Parameters
    ----------
    cases : list of (str, int)
        A key of `SHAPES` and the number of particles.
    repeats : int
        After one round to warm up; medians are returned.
    device : str
    threads : int
        Of torch, while it is measured.
    gradients : bool
        Also measure forward and backward.
    said : callable
        Takes a line of progress.

    Returns
    -------
    list of RenderCase
    """
    chosen = choose_device(device)
    with torch_threads(threads):
        return [
            _render_case(shape, count, repeats, chosen, gradients, said) for shape, count in cases
        ]


def operations_cases(
    *,
    device: str = "cpu",
    threads: int = 1,
    said: Callable[[str], None] = lambda text: None,
) -> list[OperationsCase]:
    """Count the operations of an image of 1,000 bodies, forward, and forward and backward.

    Parameters
    ----------
    device, threads, said
        As in `render_cases`.
    """
    chosen = choose_device(device)
    out = []
    with torch_threads(threads):
        for shape in ("sphere", "rod", "polyhedron"):
            said(f"{shape} …")
            pieces = works(bench_scene(shape, 1000), size_of(shape), chosen).pieces
            work = {"forward": pieces["forward"], "forward and backward": pieces["backward"]}
            for name, piece in work.items():
                out.append(counted(f"1,000 × {shape}, {name}", 1000, chosen.type, piece))
    return out


def bare_multislice(
    slices: int = BARE_SLICES, size: int | None = None, device: torch.device | str = "cpu"
) -> Callable[[], torch.Tensor]:
    """Prepare the least that any multislice does: transform, product, transform back, product.

    Parameters
    ----------
    slices : int
    size : int, optional
        Samples of a side; those of the benched frame when left out.
    device : torch.device

    Returns
    -------
    callable
        Sends one plane wave through; complex64. Transmissions and propagator are made beforehand.
    """
    size = size or FRAME
    generator = torch.Generator().manual_seed(0)
    phase = (0.1 * torch.rand(size, size, generator=generator)).to(device)
    transmission = torch.complex(phase.cos(), phase.sin())
    step = PIXEL_UM
    f = torch.fft.fftfreq(size, step).to(device)
    turn = -torch.pi * 0.55 / 1.33 * (20.0 / slices) * (f[:, None] ** 2 + f[None, :] ** 2)
    propagator = torch.complex(turn.cos(), turn.sin())

    def run() -> torch.Tensor:
        field = torch.ones_like(transmission)
        for _ in range(slices):
            field = field * transmission
            field = torch.fft.ifft2(torch.fft.fft2(field) * propagator)
        return field

    return run


def render_table(cases: list[RenderCase]) -> Table:
    """Lay out the render bench for people."""
    titles = (
        "particles", "coverage", "grid", "slabs", "bare ms", "forward ms", "ratio",
        "fwd + bwd ms", "ratio", "focus moved ms", "memory MiB",
    )  # fmt: skip
    rows = [
        (
            case.shape, f"{case.particles:,}", f"{case.coverage:.2f}",
            f"{case.grid[0]} × {case.grid[1]}", case.slabs, milliseconds(case.bare),
            milliseconds(case.forward),
            f"{case.ratio:.2f}", milliseconds(case.backward),
            "–" if case.ratio_backward is None else f"{case.ratio_backward:.2f}",
            milliseconds(case.focus_moved),
            "–" if case.peak_mib is None else f"{case.peak_mib:.0f}",
        )
        for case in cases
    ]  # fmt: skip
    title = (
        f"Frames of {FRAME} × {FRAME} pixels of {PIXEL_UM} µm, NA {APERTURE}, z ± 10 µm, float32; "
        f"bare: {BARE_SLICES} slices of torch multislice; wall (processor) ms"
    )
    return table(["shape", *((t, "right") for t in titles)], rows, title)


def _render_case(
    shape: str,
    count: int,
    repeats: int,
    device: torch.device,
    gradients: bool,
    said: Callable[[str], None],
) -> RenderCase:
    said(f"{count} × {shape} …")
    scene = bench_scene(shape, count)
    bare = bare_multislice(device=device)
    work = works(scene, size_of(shape), device)
    pieces = {"bare": torch.no_grad()(bare), **work.pieces}
    if not gradients:
        del pieces["backward"]
    reset_peak(device)
    timings = interleaved(pieces, repeats, device)
    peak = peak_mib(device)
    reference = chosen_time(timings["bare"], device)
    both = timings.get("backward")
    return RenderCase(
        shape=shape,
        particles=work.particles,
        coverage=_coverage(shape, work.particles),
        grid=work.plan.grid_shape,
        slabs=work.plan.slabs,
        bare=timings["bare"],
        forward=timings["forward"],
        backward=both,
        focus_moved=timings["focus_moved"],
        peak_mib=peak,
        ratio=chosen_time(timings["forward"], device) / reference,
        ratio_backward=chosen_time(both, device) / reference if both is not None else None,
    )


def _coverage(shape: str, count: int) -> float:
    """Summed area of discs with the geometric mean of the half sizes, over the frame's area."""
    scene = bench_scene(shape, 1)
    half = sample(scene, 0).size[0, :3]
    if shape == "polyhedron":
        half = half / 2
    radius = float(half.prod()) ** (1 / 3)
    return float(count * torch.pi * radius**2 / (FRAME * PIXEL_UM) ** 2)


__all__ = [
    "SHAPES",
    "RenderCase",
    "bare_multislice",
    "bench_scene",
    "operations_cases",
    "render_cases",
    "render_table",
]
