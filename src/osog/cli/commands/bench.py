"""The command ``bench``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from osog.cli.console import emit, progress, show
from osog.cli.options import Device, Json


class Bench(StrEnum):
    """What can be measured."""

    render = "render"
    live = "live"


def bench(
    kind: Annotated[
        Bench | None,
        typer.Argument(
            help="render: crowded frames against a bare multislice. live: what dragging a slider "
            "costs. Both if not given."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats; the median is shown.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    device: Device = "cpu",
    shapes: Annotated[
        bool, typer.Option("--shapes", help="render: also measure 1,000 bodies of every shape.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure how fast this machine renders.

    Times are medians. The ratios compare with a bare multislice of 30 slices (FFT, product, inverse
    FFT, product) of the same 1024 × 1024 frame, measured in turns with the frame itself.
    """
    from osog.cli import bench as measured

    answer: dict[str, Any] = {"threads": threads, "device": device}
    with progress("Measuring …") as say:
        if kind is not Bench.live:
            cases = [("sphere", 1000), ("sphere", 40000)]
            cases += (
                [(name, 1000) for name in measured.SHAPES if name != "sphere"] if shapes else []
            )
            answer["render"] = measured.render_cases(
                cases, repeats=repeats, device=device, threads=threads, said=say
            )
        if kind is not Bench.render:
            from osog import presets as stored

            answer["live"] = measured.live_cases(
                list(stored.names()), repeats=repeats, device=device, threads=threads, said=say
            )
    if as_json:
        rows = {
            k: [measured.as_dict(c) for c in answer[k]] for k in ("render", "live") if k in answer
        }
        emit({**answer, **rows})
        return
    if "render" in answer:
        show(measured.render_table(answer["render"]))
    if "live" in answer:
        show(measured.live_table(answer["live"]))
