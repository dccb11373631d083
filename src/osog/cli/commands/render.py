"""The command ``render``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from osog.cli.console import emit, progress, show, warn
from osog.cli.options import Device, Json, SceneArgument, Seed, make_folder_of
from osog.cli.scenes import load_scene


class AccuracyName(StrEnum):
    """How finely light is propagated."""

    auto = "auto"
    draft = "draft"
    standard = "standard"
    fine = "fine"


def render(
    scene: SceneArgument,
    out: Annotated[
        Path,
        typer.Option(help="Image to write; .tif, .ome.tif, .png or .npy says the format."),
    ],
    seed: Seed = 0,
    device: Device = "auto",
    accuracy: Annotated[
        AccuracyName | None,
        typer.Option(help="How finely light is propagated; the scene's if not given."),
    ] = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels", help="Also write the instance mask (.instances.tif) and boxes (.boxes.csv)."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Render a micrograph of a scene and write it to a file.

    Behind a camera the file holds whole counts (8 or 16 bits), without one the irradiance relative
    to the background as float32. TIFF files carry pixel size and scene. A PNG of float values is
    stretched to 16 bits, and its black and white are stated. A stack or a time series is one TIFF.

    Example: osog render beads-hologram --out beads.tif --seed 1
    """
    from osog.cli.picture import (
        axes,
        checked_content,
        checked_target,
        picture,
        save_labels,
        save_picture,
        size_in_words,
    )
    from osog.rendering import Renderer
    from osog.sample import checked_seed

    checked_target(out)
    described = load_scene(scene).drawn(checked_seed(seed))
    checked_content(out, described)
    outputs = ("image", "instances", "boxes") if labels else ("image",)
    renderer, wish = Renderer(device), accuracy.value if accuracy else None
    foreseen = renderer.foreseen(described, seed, wish)
    for caution in foreseen:  # before the work, which may take long and much memory
        warn(caution.text)
    with progress(f"Rendering {scene} …"):
        frame = renderer.render(described, seed, wish, outputs=outputs)
    image = picture(frame)
    make_folder_of(out)
    written = save_picture(image, out, described, seed)
    files = save_labels(frame, out) if labels else None
    answer = {
        "out": str(out),
        "shape": list(image.shape),
        "axes": axes(described),
        "dtype": written["dtype"],
        "pixel_size_um": described.grid.pixel_size_um,
        "contrast": written["contrast"],
        "labels": files,
        "seed": seed,
        "particles": len(frame.particles),
        "device": frame.device,
        "milliseconds": frame.milliseconds,
        "explain": frame.explain,
        "warnings": [
            {"text": w.text, "remedy": w.remedy} for w in frame.warnings
        ],
    }  # fmt: skip
    for caution in frame.warnings:
        if caution not in foreseen:
            warn(caution.text)
    if as_json:
        emit(answer)
        return
    show(f"{out}  {size_in_words(image, described)}, {written['dtype']}")
    if written["contrast"]:
        low, high = written["contrast"]
        show(f"Contrast: black is {low:.6g}, white is {high:.6g}.")
    for path in (files or {}).values():
        show(path)
    show(frame.explain)
