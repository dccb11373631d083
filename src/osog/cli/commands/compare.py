"""The command ``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osog.cli.console import emit, note, progress, shorter, show, table
from osog.cli.errors import CommandError
from osog.cli.options import Device, ImageArgument, Json, SceneArgument, make_folder_of
from osog.cli.scenes import load_scene


def compare(
    image: ImageArgument,
    scene: SceneArgument,
    renders: Annotated[
        int, typer.Option(min=1, max=100, help="Renders to average, of seeds 0, 1, …")
    ] = 3,
    relief: Annotated[
        float | None,
        typer.Option(
            metavar="DEGREES",
            help="Direction of the relief, from +x towards +y; the scene's shear if not given.",
        ),
    ] = None,
    line_width_um: Annotated[
        float, typer.Option(min=0.01, help="Width of the lines that are looked for.")
    ] = 1.5,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write a sheet with both side by side (.png)."),
    ] = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Tell by statistics how like a micrograph the renders of a scene are.

    Nothing is fitted and no particle must be where one of the micrograph is: spectrum, histogram,
    noise, cover, and polarity, width and relief of lines are compared. The micrograph is measured
    in tiles of the scene's size; the distances of its own tiles from their mean are the yardstick.

    Example: osog compare needles.png protein-needles-dic --out sheet.png
    """
    from osog.cli.comparing import both, colours, rendered
    from osog.statistics import distances

    if out is not None and out.suffix.lower() != ".png":
        raise CommandError(f"'{out.name}' must end with .png.")
    described = load_scene(scene)
    picture, pixel_size_um, words = colours(image, described)
    with progress(f"Rendering {scene} …"):
        frames = rendered(described, renders, device)
    real, mine, yardstick, band = both(
        picture, pixel_size_um, frames, described, relief, line_width_um
    )
    found = distances(mine, real, band)
    numbers, other = real.numbers(), mine.numbers()
    rows = [
        [
            name,
            shorter(numbers[name]) if name in numbers else "",
            shorter(other[name]) if name in other else "",
            shorter(found[name]) if name in found else "",
            shorter(yardstick[name]) if name in found else "",
        ]
        for name in dict.fromkeys((*found, *numbers))
    ]
    if out is not None:
        from osog.cli.sheet import save_sheet

        lines = [f"{'':20}{'image':>12}{'scene':>12}{'distance':>12}{'own tiles':>12}"]
        lines += [f"{row[0]:20}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows]
        make_folder_of(out)
        save_sheet(out, (picture, frames[0]), (real, mine), (image.name, scene), lines)
    if words is not None and not as_json:
        note(words)
    if as_json:
        emit(
            {
                "image": str(image),
                "statistics": numbers,
                "scene_statistics": other,
                "distances": found,
                "own_distances": yardstick,
                "band_per_um": list(band),
                "out": str(out) if out is not None else None,
            }
        )
        return
    columns: list[str | tuple[str, str]] = ["statistic"]
    columns += [(name, "right") for name in ("image", "scene", "distance", "own tiles")]
    show(table(columns, rows))
    if out is not None:
        show(str(out))
