"""The command ``dataset``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osog.cli.commands.render import AccuracyName
from osog.cli.console import counting, emit, note, show, table
from osog.cli.errors import CommandError
from osog.cli.options import Json, SceneArgument
from osog.cli.scenes import load_scene

if TYPE_CHECKING:
    from osog.datasets import LabelledFrame, LabelSettings
    from osog.scene import Scene


def dataset(
    scene: SceneArgument,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Number of samples.")] = 100,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the dataset; a run that stopped goes on."),
    ] = None,
    formats: Annotated[
        str,
        typer.Option("--format", metavar="NAME,NAME,…", help="--formats lists them."),
    ] = "yolo-obb",
    seed: Annotated[
        int, typer.Option(min=0, help="Of the dataset; each image has its own, by its number.")
    ] = 0,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file: boxes, classes, and which objects count."),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="A,B,C", help="Shares of training, validation and test.")
    ] = "0.8,0.1,0.1",
    views: Annotated[
        int,
        typer.Option(
            min=1, help="Pictures of each sample, with other numbers of microscope and camera."
        ),
    ] = 1,
    accuracy: Annotated[
        AccuracyName | None,
        typer.Option(help="How finely light is propagated; the scene's if not given."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps or auto.")] = "cpu",
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="dask scheduler whose workers see the same folder."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="k/K", help="Make every K-th shard only, from the k-th, from 0."),
    ] = None,
    shard_size: Annotated[int, typer.Option(min=1, help="Samples in a shard.")] = 100,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a contact sheet of the first samples, nothing else.",
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="With --sheet: also write FILE-beside.png, statistics of both side by side.",
        ),
    ] = None,
    pixel_size_um: Annotated[
        float | None,
        typer.Option(min=0.001, help="Of the image of --beside, where its file states none."),
    ] = None,
    line_width_um: Annotated[
        float, typer.Option(min=0.01, help="With --beside: width of lines that are looked for.")
    ] = 1.5,
    list_formats: Annotated[
        bool, typer.Option("--formats", help="List the formats, and do nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write labelled images for training, or go on with a folder that was begun.

    Every image depends on scene, seed and its number alone. A run that was killed goes on where it
    stopped, and ends with the same bytes.

    Example: osog dataset needles-dic -n 1000 --out needles --format yolo-obb,coco --seed 1
    """
    from osog.datasets import FORMATS, export

    if list_formats:
        rows = [(name, kind.title, kind.needs or "") for name, kind in FORMATS.items()]
        emit([list(row) for row in rows]) if as_json else show(
            table(["format", "what it is", "needs the extra"], rows)
        )
        return
    described = load_scene(scene)
    settings = _settings(labels)
    chosen = accuracy.value if accuracy is not None else None
    if beside is not None and sheet is None:
        raise CommandError("--beside IMAGE needs --sheet FILE.")
    if sheet is not None:
        frames = _frames(described, seed, settings, views, chosen, device, min(count, 9))
        _sheets(sheet, frames, described, beside, pixel_size_um, line_width_um, as_json)
        return
    if out is None:
        raise CommandError("--out DIR is needed: the folder of the dataset.")
    with counting("samples") as progress:
        made = export(
            described, out, count, [f for f in formats.split(",") if f], seed,
            labels=settings, split=_shares(split), views=views, accuracy=chosen, device=device,
            workers=workers, scheduler=scheduler, shard=_part(shard), shard_size=shard_size,
            progress=progress, said=note,
        )  # fmt: skip
    answer = {
        "out": str(made.folder),
        "samples": made.count,
        "shards_made": made.made,
        "shards_kept": made.kept,
        "complete": made.complete,
        "formats": list(made.recipe.formats),
        "recipe_sha256": made.recipe.key,
    }
    if as_json:
        emit(answer)
        return
    if made.kept:
        note(f"{made.kept} of {made.kept + made.made} shards were there already.")
    show(f"{made.folder}  {made.count} samples, {', '.join(made.recipe.formats)}")
    if not made.complete:
        note("Other shards are still missing; the run that finds all of them finishes the dataset.")


def _settings(path: Path | None) -> LabelSettings | None:
    """Read a file of label settings."""
    if path is None:
        return None
    import yaml
    from pydantic import ValidationError

    from osog.datasets import LabelSettings

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        return LabelSettings.model_validate(data or {})
    except yaml.YAMLError:
        raise CommandError(f"'{path}' is no YAML.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        raise CommandError(f"{path.name}: {where + ': ' if where else ''}{words}.") from None


def _shares(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise CommandError(f"split = '{text}' must be shares such as 0.8,0.1,0.1.") from None


def _part(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, _, all_ = text.partition("/")
    if not (first.isdecimal() and all_.isdecimal()):
        raise CommandError(f"shard = '{text}' must be k/K, such as 0/8.")
    return int(first), int(all_)


def _frames(
    scene: Scene,
    seed: int,
    settings: LabelSettings | None,
    views: int,
    accuracy: str | None,
    device: str,
    count: int,
) -> list[LabelledFrame]:
    """Make the first frames."""
    from osog.datasets import FrameSource

    source = FrameSource(
        scene, seed, labels=settings, views=views, accuracy=accuracy, device=device
    )
    return [frame for k in range(count) for frame in source.pictures(k)]


def _sheets(
    path: Path,
    frames: list[LabelledFrame],
    scene: Scene,
    image: Path | None,
    pixel_size_um: float | None,
    line_width_um: float,
    as_json: bool,
) -> None:
    """Write the contact sheet, and the one of statistics where there is an image."""
    from osog.datasets.sheet import write_sheet

    answer: dict[str, Any] = {"sheet": str(path), "frames": len(frames)}
    found = None
    if image is not None:  # read before anything is written
        from osog.cli.comparing import beside_sheet

        second = path.with_name(f"{path.stem}-beside.png")
        found, words = beside_sheet(second, frames, scene, image, pixel_size_um, line_width_um)
        answer |= {"beside": str(second), **found}
        if words is not None and not as_json:
            note(words)
    write_sheet(path, frames)
    if as_json:
        emit(answer)
        return
    show(str(path))
    if found is not None:
        show(answer["beside"])
