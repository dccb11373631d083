"""The command ``bench``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from osog.cli.console import emit, progress, show
from osog.cli.errors import CommandError
from osog.cli.options import Device, Json


class Bench(StrEnum):
    """What can be measured."""

    render = "render"
    grad = "grad"
    growth = "growth"
    modalities = "modalities"
    live = "live"
    stream = "stream"
    ops = "ops"
    fit = "fit"


def bench(
    kind: Annotated[
        Bench | None,
        typer.Argument(
            help="render: crowded frames against a bare multislice. growth: time against the "
            "number of particles. grad: what gradients cost, by shape. modalities: one sample in "
            "every kind of microscope. live: what dragging a slider costs. stream: labelled "
            "frames as a training loop takes them. ops: operations of one image, and how often "
            "the host waits for a GPU. fit: blind fits of one particle, whether they find the "
            "optimum and what they cost. All but fit and growth, which take minutes, if not given."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats; the median is shown.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    device: Device = "cpu",
    shapes: Annotated[
        bool, typer.Option("--shapes", help="render: also measure 1,000 bodies of every shape.")
    ] = False,
    seeds: Annotated[
        str, typer.Option(metavar="FIRST-LAST", help="fit: one problem for each seed.")
    ] = "200-209",
    exam: Annotated[
        list[str] | None,
        typer.Option(
            help="fit: only this exam, such as dic-rod, or a modality or shape; may be repeated."
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="fit: noise-free targets of every modality and shape."),
    ] = False,
    nuisance: Annotated[
        bool,
        typer.Option("--nuisance", help="fit: optics known within their tolerances only."),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="growth: draw it, as png, svg or pdf."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure how fast this machine renders, and how well and fast it fits.

    Times are medians. The ratios compare with a bare multislice of 30 slices (FFT, product, inverse
    FFT, product) of the same 1024 × 1024 frame, measured in turns with the frame itself.
    """
    from dataclasses import asdict

    from osog.cli.bench import (
        crowds,
        fits,
        gradients,
        growth,
        live,
        modalities,
        operations,
        streams,
    )

    wanted = {kind} if kind is not None else set(Bench) - {Bench.fit, Bench.growth}
    if plot is not None and Bench.growth not in wanted:
        raise CommandError("--plot is of 'osog bench growth' alone.")
    options: dict[str, Any] = {"device": device, "threads": threads}
    found: dict[str, list[Any]] = {}
    with progress("Measuring …") as say:
        if Bench.render in wanted:
            cases = [("sphere", 1000), ("sphere", 40000)]
            cases += [(name, 1000) for name in crowds.SHAPES if name != "sphere"] if shapes else []
            found["render"] = crowds.render_cases(cases, repeats=repeats, said=say, **options)
        if Bench.growth in wanted:
            found["growth"] = growth.growth_cases(repeats=repeats, said=say, **options)
        if Bench.grad in wanted:
            found["grad"] = gradients.gradient_cases(repeats=repeats, said=say, **options)
        if Bench.modalities in wanted:
            found["modalities"] = modalities.modality_cases(repeats=repeats, said=say, **options)
        if Bench.live in wanted:
            from osog import presets as stored

            names = list(stored.names())
            found["live"] = live.live_cases(names, repeats=repeats, said=say, **options)
        if Bench.stream in wanted:
            found["stream"] = streams.stream_cases(frames=8 * repeats, said=say, **options)
        if Bench.ops in wanted:
            found["ops"] = crowds.operations_cases(said=say, **options)
        if Bench.fit in wanted:
            chosen = fits.named_exams(exam or (), exact=exact, nuisance=nuisance)
            found["fit"] = fits.fit_cases(chosen, _numbers(seeds), threads=threads, said=say)
    if plot is not None:
        growth.plot_growth(found["growth"], plot)
    if as_json:
        emit(
            {
                "threads": threads,
                "device": device,
                **{name: [asdict(case) for case in cases] for name, cases in found.items()},
            }
        )
        return
    tables = {
        "render": crowds.render_table,
        "growth": growth.growth_table,
        "grad": gradients.gradient_table,
        "modalities": modalities.modality_table,
        "live": live.live_table,
        "stream": streams.stream_table,
        "ops": operations.operations_table,
        "fit": fits.fit_table,
    }
    for name, rows in found.items():
        show(tables[name](rows))  # type: ignore[operator]


def _numbers(text: str) -> range:
    """Seeds from FIRST-LAST, or a single one."""
    first, _, last = text.partition("-")
    if first.isdigit() and (last.isdigit() or not last):
        numbers = range(int(first), int(last or first) + 1)
        if numbers and "-" not in last:
            return numbers
    raise CommandError(f"--seeds {text} must be FIRST-LAST, such as 200-209.")
