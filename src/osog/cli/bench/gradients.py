"""What gradients cost beside the image, for every shape."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import torch

from osog.cli.bench.scenes import crowd
from osog.cli.bench.timing import Timing, interleaved, milliseconds, torch_threads
from osog.cli.console import table
from osog.exit_wave import plan_sampling
from osog.rendering import ForwardModel, choose_device
from osog.sample import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.table import Table

    from osog.scene import Scene
    from osog.waves import SamplingPlan

SIDE, PARTICLES = 512, 200
SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 1.0},
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.2, 0.9, 0.9]},
    "rod": {"kind": "rod", "length_um": 3.0, "radius_um": 0.5},
    "cylinder": {"kind": "cylinder", "length_um": 2.0, "radius_um": 0.8},
    "box": {"kind": "box", "size_um": [2.4, 1.4, 1.2]},
    "polyhedron": {
        "kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [2.4, 1.5, 1.5],
    },
}  # fmt: skip
"""Bodies of about 2 µm."""


@dataclass(frozen=True)
class Work:
    """Pieces of work on one scene, to be timed in turns.

    Attributes
    ----------
    pieces : dict
        ``forward``: an image of a new sample. ``backward``: that and its gradients to a size and
        the index of all particles and to the focus. ``focus_moved``: an image after a move of
        focus alone.
    particles : int
        Really drawn.
    plan : SamplingPlan
    """

    pieces: dict[str, Callable[[], None]]
    particles: int
    plan: SamplingPlan


def new_image(scene: Scene, seed: int, device: torch.device) -> None:
    """Make an image of a sample that was not drawn before, as another seed gives it.

    A draw that was made before would be taken over.

    Parameters
    ----------
    scene : Scene
    seed : int
    device : torch.device
    """
    with torch.no_grad():
        ForwardModel(scene, seed, torch.float32, device).image({})


def works(scene: Scene, size: Mapping[str, float], device: torch.device) -> Work:
    """Prepare an image of a population called ``bodies``, in float32.

    Parameters
    ----------
    scene : Scene
    size : mapping of str to float
        Name of one size of the bodies, and its value.
    device : torch.device
    """
    numbers = {**size, "populations.bodies.material.index": 1.36, "microscope.focus_um": 1.0}

    seeds = count(1)

    def forward() -> None:
        new_image(scene, next(seeds), device)

    def backward() -> None:
        values = {
            name: torch.tensor(number, requires_grad=True, device=device)
            for name, number in numbers.items()
        }
        model = ForwardModel(scene, next(seeds), torch.float32, device, values=values)
        image = model.image(values)
        image.square().mean().backward()

    still = ForwardModel(scene, 0, torch.float32, device)
    focus = [0.0]

    def refocus() -> None:
        focus[0] += 0.01
        with torch.no_grad():
            still.image({"microscope.focus_um": focus[0]})

    with torch.no_grad():
        batch = sample(scene, 0)
        plan = plan_sampling(scene, batch)
    pieces = {"forward": forward, "backward": backward, "focus_moved": refocus}
    return Work(pieces, len(batch), plan)


def size_of(shape: str) -> dict[str, float]:
    """Name of one size of a shape of `SHAPES` as a parameter of ``bodies``, and its value."""
    field = next(name for name in SHAPES[shape] if name.endswith("_um"))
    value = SHAPES[shape][field]
    if isinstance(value, list):
        return {f"populations.bodies.shape.{field}[0]": float(value[0])}
    return {f"populations.bodies.shape.{field}": float(value)}


@dataclass(frozen=True)
class GradientCase:
    """One row of the gradient bench.

    Attributes
    ----------
    shape : str
    particles : int
    slabs : int
    forward, backward : Timing
        An image, and an image with gradients; see `Work`.
    ratio : float
        Backward over forward, in processor time on the CPU and in elapsed time on a GPU.
    """

    shape: str
    particles: int
    slabs: int
    forward: Timing
    backward: Timing
    ratio: float


def gradient_cases(
    *,
    repeats: int = 5,
    device: str = "cpu",
    threads: int = 1,
    said: Callable[[str], None] = lambda text: None,
) -> list[GradientCase]:
    """Measure 200 bodies of every shape on 512 × 512 pixels, without and with gradients.

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
    list of GradientCase
    """
    chosen = choose_device(device)
    out = []
    with torch_threads(threads):
        for shape, fields in SHAPES.items():
            said(f"{shape} …")
            work = works(crowd(fields, PARTICLES, SIDE), size_of(shape), chosen)
            pieces = {name: work.pieces[name] for name in ("forward", "backward")}
            timings = interleaved(pieces, repeats, chosen)
            ratio = chosen_time(timings["backward"], chosen) / chosen_time(
                timings["forward"], chosen
            )
            out.append(
                GradientCase(
                    shape=shape,
                    particles=work.particles,
                    slabs=work.plan.slabs,
                    ratio=ratio,
                    **timings,
                )
            )
    return out


def chosen_time(timing: Timing, device: torch.device) -> float:
    """Processor time on the CPU, elapsed time on a GPU, in ms."""
    return timing.cpu_ms if device.type == "cpu" else timing.wall_ms


def gradient_table(cases: list[GradientCase]) -> Table:
    """Lay out the gradient bench for people."""
    titles = ("particles", "slabs", "image ms", "with gradients ms", "ratio")
    rows = [
        (
            c.shape, str(c.particles), str(c.slabs), milliseconds(c.forward),
            milliseconds(c.backward), f"{c.ratio:.2f}",
        )
        for c in cases
    ]  # fmt: skip
    columns: list[str | tuple[str, str]] = ["shape", *((t, "right") for t in titles)]
    title = f"{PARTICLES} bodies on {SIDE} × {SIDE} pixels, NA 0.8; wall (processor) ms"
    return table(columns, rows, title)


__all__ = [
    "SHAPES",
    "GradientCase",
    "Work",
    "chosen_time",
    "gradient_cases",
    "gradient_table",
    "new_image",
    "size_of",
    "works",
]
