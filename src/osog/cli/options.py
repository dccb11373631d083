"""Arguments and options that several commands share, and what they all do with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SceneArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENE", help="Scene file (YAML or JSON), folder of a fit, or the name of a preset."
    ),
]
ImageArgument = Annotated[
    Path, typer.Argument(metavar="IMAGE", help="Micrograph: TIFF, OME-TIFF, PNG or .npy.")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout; errors are JSON, too.")
]
Seed = Annotated[
    int,
    typer.Option(
        min=0, max=2**32 - 1, help="Draws particles and noise; the same seed, the same image."
    ),
]
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps; auto takes CUDA when it is there.")
]
Channel = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER|mean",
        help="Channel of a colour or multi-channel image, from 0, or the mean of all.",
    ),
]
Page = Annotated[
    int, typer.Option(min=0, help="Plane of a stack, from 0; with --channel, of that channel.")
]


def make_folder_of(path: Path) -> None:
    """Make the folder that a file is to be written to, as every command does."""
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
