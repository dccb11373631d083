"""The command ``compile``."""

from __future__ import annotations

from typing import Annotated

import typer

from osog.cli.console import emit, show, table
from osog.cli.errors import CommandError
from osog.cli.options import Json


def compile_loops(
    only_list: Annotated[
        bool, typer.Option("--list", help="Say what is ready, and compile nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compile the loops that draw particles, once for this machine, so that all is fast at once.

    Otherwise they are compiled in the background when they are first needed, and torch draws until
    they are ready, several times slower.
    """
    import torch
    from rich.progress import track

    from osog.exit_wave.compiled import choice

    if not choice.available():
        raise CommandError("Compiled loops need numba: python -m pip install numba")
    precisions = {"float32": torch.float32, "float64": torch.float64}
    if not only_list:
        wanted = [
            (shape, dtype)
            for name, dtype in precisions.items()
            for shape in choice.compilable()
            if not choice.compiled_shapes(dtype)[type(shape).__name__]
        ]
        for shape, dtype in track(wanted, "Compiling", disable=as_json, transient=True):
            choice.compile_now(shape, dtype)
    ready = {name: choice.compiled_shapes(dtype) for name, dtype in precisions.items()}
    shapes = {
        name.removesuffix("Geometry").lower(): {p: ready[p][name] for p in precisions}
        for name in ready["float32"]
    }
    answer = {"folder": str(choice.folder()), "shapes": shapes}
    if as_json:
        emit(answer)
        return
    rows = [
        (name, *("ready" if which[p] else "not yet" for p in precisions))
        for name, which in shapes.items()
    ]
    show(table(("Shape", "Images", "Fits"), rows))
    show(f"Kept in {answer['folder']}")
