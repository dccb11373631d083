"""The command ``calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osog.cli.console import emit, note, progress, shorter, show, table
from osog.cli.errors import INTERRUPTED, CommandError
from osog.cli.options import Device, ImageArgument, Json, SceneArgument, make_folder_of
from osog.cli.scenes import load_scene


def calibrate(
    image: ImageArgument,
    scene: SceneArgument,
    free: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=LOW:HIGH",
            help="A number to find and its range, such as populations.rods.count=5:80; repeat it.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Scene with the numbers found (.yaml, .json).")
    ],
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write micrograph and render side by side (.png)."),
    ] = None,
    pilot: Annotated[
        int, typer.Option(min=16, max=10_000, help="Pictures all over the ranges.")
    ] = 128,
    steps: Annotated[int, typer.Option(min=1, max=50, help="Steps after the pilot.")] = 6,
    renders: Annotated[
        int, typer.Option(min=2, max=1000, help="Pictures of each place in a step.")
    ] = 6,
    accuracy: Annotated[
        str, typer.Option(help="Of the pictures: draft, standard, fine or auto.")
    ] = "standard",
    seed: Annotated[int, typer.Option(min=0, help="Draws the pictures.")] = 0,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Find the numbers of a scene whose renders have the statistics of a crowded micrograph.

    No particle is fitted. Densities, sizes, depths and optics move until spectrum, histogram and
    slopes of renders are those of the micrograph; it is measured in tiles of the scene's size.
    Of a law name a parameter: populations.rods.shape.length_um.median=2:12.

    Example: osog calibrate needles.png protein-needles-dic --free populations.needles.count=2:40
    --free microscope.modality.bias_retardance_deg=40:140 --out mine.yaml --sheet mine.png
    """
    from osog.cli import calibrating, fitting

    if out.suffix.lower() not in {".yaml", ".yml", ".json"}:
        raise CommandError(f"'{out.name}' must end with .yaml or .json.")
    if sheet is not None and sheet.suffix.lower() != ".png":
        raise CommandError(f"'{sheet.name}' must end with .png.")
    ranges = calibrating.ranges(free)
    described = load_scene(scene)
    picture, described, words = calibrating.on_its_pixels(image, described)
    if words is not None and not as_json:
        note(words)
    with progress("Rendering …") as say, fitting.interruptible() as interrupted:
        found = calibrating.found(
            picture, described, ranges, calibrating.watcher(say, interrupted),
            pilot=pilot, steps=steps, renders=renders, accuracy=accuracy, seed=seed, device=device,
        )  # fmt: skip
    make_folder_of(out)
    found.scene.save(out)
    if sheet is not None:
        make_folder_of(sheet)
        calibrating.save_sheet_of(sheet, image.name, picture, found, device)
    if as_json:
        answer = found.to_dict()
        emit({"image": str(image), **answer, "out": str(out), "sheet": str(sheet or "") or None})
    else:
        rows = [[n, shorter(v), shorter(found.sigma[n])] for n, v in found.values.items()]
        show(table(["number", ("found", "right"), ("σ", "right")], rows))
        show(*calibrating.told(found), str(out))
    if found.stopped:
        raise typer.Exit(INTERRUPTED)
