"""The command ``detect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osog.cli.console import emit, progress, shorter, show, table
from osog.cli.options import Channel, ImageArgument, Json, Page, SceneArgument, make_folder_of
from osog.cli.scenes import load_scene


def detect(
    image: ImageArgument,
    scene: SceneArgument,
    population: Annotated[
        str | None,
        typer.Option(help="Population to look for, by name; the first visible one if not given."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Largest number of particles.")] = 1000,
    channel: Channel = None,
    page: Page = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the scene with the particles found."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the particles of a micrograph, clearest first.

    Templates of the scene's population are matched at several depths and sizes; the numbers are a
    start for 'osog fit', not measurements.

    Example: osog detect beads.tif beads-hologram --out start.yaml
    """
    from osog.cli import fitting
    from osog.detection import detect as find

    described = load_scene(scene)
    micrograph, notes = fitting.opened(image, described, channel, page)
    described = fitting.on_grid_of(micrograph, described, notes)
    with progress(f"Searching {image} …"):
        found = find(micrograph.image, described, population=population, most=most)
    fitting.say_all(notes)
    listed = [particle.model_dump(exclude_unset=True, exclude_none=True) for particle in found]
    if out is not None:
        make_folder_of(out)
        fitting.listing(described, population, found).save(out)
    if as_json:
        emit(
            {
                "image": str(image),
                "notes": [text for _, text in notes],
                "particles": listed,
                "out": str(out) if out is not None else None,
            }
        )
        return
    if not listed:
        show("No particle found.")
        return
    fields = [name for name in listed[0] if name != "orientation_deg"]
    turned = any("orientation_deg" in row for row in listed)
    columns: list[str | tuple[str, str]] = [("particle", "right")]
    columns += [(name, "right") for name in fields] + ([("azimuth_deg", "right")] if turned else [])
    rows = [
        [k, *(shorter(row[name]) for name in fields)]
        + ([shorter(row.get("orientation_deg", (0.0,))[0])] if turned else [])
        for k, row in enumerate(listed)
    ]
    show(table(columns, rows))
    if out is not None:
        show(str(out))
