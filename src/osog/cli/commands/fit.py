"""The command ``fit``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from osog.cli.console import emit, progress, warn
from osog.cli.errors import INTERRUPTED, CommandError
from osog.cli.options import Channel, ImageArgument, Json, Page, SceneArgument, Seed
from osog.cli.scenes import load_scene


class Start(StrEnum):
    """Where a fit begins."""

    auto = "auto"
    scene = "scene"
    detect = "detect"


class OpticsOption(StrEnum):
    """Whether the stated optics may vary within their tolerance."""

    uncertain = "uncertain"
    exact = "exact"


def fit(
    image: ImageArgument,
    scene: SceneArgument,
    free: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME,…",
            help="Numbers to fit, by dotted name: particles[0].radius_um,microscope.focus_um.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the results; made if needed.")
    ],
    start: Annotated[
        Start,
        typer.Option(
            help="scene: begin at the scene's numbers. detect: search the image first. auto: both."
        ),
    ] = Start.auto,
    bound: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=LOW,HIGH", help="Range of a free number; may be repeated."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="Y0,Y1,X0,X1", help="Fit only these rows and columns, in pixels."),
    ] = None,
    channel: Channel = None,
    page: Page = 0,
    linear: Annotated[
        str,
        typer.Option(
            help="Brightness solved along: auto, none, or gain, offset, slopes, quadratic joined "
            "by '+'. A phase image of unknown grey scale needs gain+offset+slopes."
        ),
    ] = "auto",
    optics: Annotated[
        OpticsOption,
        typer.Option(
            help="uncertain: NA and aberrations vary within their tolerance. exact: as stated."
        ),
    ] = OpticsOption.uncertain,
    seed: Seed = 0,
    max_iterations: Annotated[int, typer.Option(min=1, help="Most iterations of the search.")] = 40,
    as_json: Json = False,
) -> None:
    """Fit numbers of a scene to a micrograph, and say how well each is known.

    Prints every free number as value ± one standard deviation, what the image does not determine,
    and warnings. Writes report.html (for a lab book), fit.json, fit.csv, the fitted scene.yaml,
    model.tif and residual.tif to DIR. Ctrl-C stops the search and keeps the best so far.

    Example: osog fit bead.tif scene.yaml --free particles[0].x_um,particles[0].y_um --out run
    """
    from osog.cli import fitting
    from osog.fitting import fit as fit_image

    if out.exists() and not out.is_dir():
        raise CommandError(f"--out {out} is a file; give a folder.")
    described = load_scene(scene)
    names = tuple(name.strip() for name in free.split(",") if name.strip())
    if not names:
        raise CommandError("--free names no parameter, such as microscope.focus_um.")
    bounds = dict(fitting.parsed_bound(text) for text in bound or ())
    area = fitting.parsed_region(region)
    micrograph, notes = fitting.opened(image, described, channel, page)
    described = fitting.on_grid_of(micrograph, described, notes)
    with progress("Fitting …") as say, fitting.interruptible() as interrupted:
        result = fit_image(
            micrograph.image,
            described,
            names,
            bounds or None,
            callback=fitting.watcher(say, interrupted),
            seed=seed,
            start=start.value,
            linear=linear,
            optics=optics.value,
            region=area,
            max_iterations=max_iterations,
        )
    files = fitting.write_fit(result, out, described.grid.pixel_size_um, image.name)
    fitting.say_all(notes)
    for text in result.warnings:
        warn(text)
    if as_json:
        answer = result.to_dict()
        answer.pop("history")
        emit({"image": str(image), "notes": [text for _, text in notes], **answer, "files": files})
    else:
        fitting.show_fit(result, files)
    if interrupted():
        raise typer.Exit(INTERRUPTED)
