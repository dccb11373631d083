"""The command ``track``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osog.cli.console import emit, progress, show, warn
from osog.cli.errors import INTERRUPTED, CommandError
from osog.cli.options import Json, SceneArgument
from osog.cli.scenes import load_scene


def track(
    images: Annotated[
        str,
        typer.Argument(
            metavar="IMAGES", help="A micrograph, a stack, a folder, or a pattern: 'run/*.tif'."
        ),
    ],
    scene: SceneArgument,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the results; made if needed.")
    ],
    free: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD,FIELD,…",
            help="Fields of a particle to fit, such as x_um,y_um,radius_um; all that the image "
            "shows if not given.",
        ),
    ] = None,
    population: Annotated[
        str | None,
        typer.Option(help="Population to look for, by name; the first visible one if not given."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Largest number of particles.")] = 1000,
    rounds: Annotated[
        int,
        typer.Option(min=0, max=10, help="How often data − model are searched for missed ones."),
    ] = 1,
    reach: Annotated[
        float | None,
        typer.Option(metavar="UM", help="How far a particle may move between frames, in µm."),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds between frames; the scene's if not given."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit every particle of a micrograph, or of every frame of a series.

    Particles are found by templates, fitted in their patches and looked for again in data − model.
    Writes particles.csv (a row for each particle and frame, as trackpy links them), scene.yaml,
    model.tif and residual.tif of the last frame, and for a series diffusion.csv to DIR.

    Example: osog track beads.tif beads-hologram --out run
    """
    from osog.cli import fitting, tracking

    if out.exists() and not out.is_dir():
        raise CommandError(f"--out {out} is a file; give a folder.")
    fields = None if free is None else tuple(n.strip() for n in free.split(",") if n.strip())
    described = tracking.on_grid_of_series(images, load_scene(scene))
    with progress("Searching …") as say, fitting.interruptible() as interrupted:
        found = tracking.follow(
            images,
            described,
            fields,
            population=population,
            most=most,
            rounds=rounds,
            reach_um=reach,
            callback=tracking.watcher(say, interrupted),
        )
    seconds = described.series.interval_s if interval is None else interval
    spread = tracking.spread(found, seconds, described)
    files = tracking.write(found, spread, out, described.grid.pixel_size_um)
    for text in found.failures:
        warn(text)
    if as_json:
        answer = {"images": images, "frames": len(found.scenes), "particles": list(found.rows)}
        emit({**answer, "diffusion": spread, "failures": list(found.failures), "files": files})
    else:
        show(*tracking.told(found, spread), f"Results in {out}")
    if interrupted():
        raise typer.Exit(INTERRUPTED)
