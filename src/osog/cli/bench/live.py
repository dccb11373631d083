"""What a person who drags sliders waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog import presets
from osog.cli.bench.timing import Timing, interleaved, milliseconds, torch_threads
from osog.cli.console import table
from osog.rendering import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table


@dataclass(frozen=True)
class LiveCase:
    """One row of the live bench: a preset as the panel renders it.

    Attributes
    ----------
    preset : str
    shape : (int, int)
    particles : int
    first, dragged, focus_moved : Timing
        A new sample at the scene's accuracy, at the accuracy of a drag (``draft``), and the image
        again after a change of focus only.
    """

    preset: str
    shape: tuple[int, int]
    particles: int
    first: Timing
    dragged: Timing
    focus_moved: Timing


def live_cases(
    names: list[str],
    *,
    repeats: int = 5,
    device: str = "auto",
    threads: int = 1,
    said: Callable[[str], None] = lambda text: None,
) -> list[LiveCase]:
    """Measure what a person who drags sliders waits for.

    Parameters
    ----------
    names : list of str
        Presets.
    repeats, device, threads, said
        As in `render_cases`.

    Returns
    -------
    list of LiveCase
    """
    out = []
    with torch_threads(threads), torch.inference_mode():
        for name in names:
            said(f"{name} …")
            out.append(_live_case(name, repeats, device))
    return out


def live_table(cases: list[LiveCase]) -> Table:
    """Lay out the live bench for people."""
    titles = ("frame", "particles", "new sample ms", "while dragged ms", "focus moved ms")
    rows = [
        (
            case.preset, f"{case.shape[0]} × {case.shape[1]}", f"{case.particles:,}",
            milliseconds(case.first), milliseconds(case.dragged), milliseconds(case.focus_moved),
        )
        for case in cases
    ]  # fmt: skip
    columns: list[str | tuple[str, str]] = ["preset", *((t, "right") for t in titles)]
    return table(columns, rows, "Presets as the Simulate panel renders them; wall (processor) ms")


def _live_case(name: str, repeats: int, device: str) -> LiveCase:
    scene = presets.load(name)
    renderer = Renderer(device)
    seed, focus = [0], [scene.microscope.focus_planes_um[0]]

    def first() -> None:
        seed[0] += 1
        renderer.render(scene, seed[0])

    def dragged() -> None:
        seed[0] += 1
        renderer.render(scene, seed[0], accuracy="draft")

    still = Renderer(device)

    def refocus() -> None:
        # Small steps to and fro, so that the grids stay as they are.
        focus[0] = scene.microscope.focus_planes_um[0] + (
            0.001 if focus[0] <= scene.microscope.focus_planes_um[0] else 0
        )
        optics = scene.microscope.model_copy(update={"focus_um": focus[0]})
        still.render(scene.model_copy(update={"microscope": optics}))

    work = {"first": first, "dragged": dragged, "focus_moved": refocus}
    timings = interleaved(work, repeats, renderer.device)
    return LiveCase(
        preset=name,
        shape=scene.grid.shape,
        particles=len(still.render(scene).particles),
        first=timings["first"],
        dragged=timings["dragged"],
        focus_moved=timings["focus_moved"],
    )


__all__ = ["LiveCase", "live_cases", "live_table"]
