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
    """Compile what draws particles, once for this machine, so that all is fast at once.

    Loops for the CPU, and kernels for a GPU where there is one. Otherwise they are compiled in the
    background when they are first needed, and torch draws until they are ready, several times
    slower.
    """
    import torch
    from rich.progress import track

    from osog.exit_wave.compiled import choice

    if not choice.available():
        raise CommandError("Compiled loops need numba: python -m pip install numba")
    precisions = {"float32": torch.float32, "float64": torch.float64}
    on_gpu = torch.cuda.is_available() and choice.available("cuda")
    devices = ("cpu", "cuda") if on_gpu else ("cpu",)
    if not only_list:
        wanted = [
            (shape, dtype, device)
            for device in devices
            for dtype in precisions.values()
            for shape in choice.compilable()
            if not choice.compiled_shapes(dtype, device)[type(shape).__name__]
        ]
        for one in track(wanted, "Compiling", disable=as_json, transient=True):
            choice.compile_now(*one)

    def ready(device: str) -> dict[str, dict[str, bool]]:
        found = {name: choice.compiled_shapes(dtype, device) for name, dtype in precisions.items()}
        return {
            name.removesuffix("Geometry").lower(): {p: found[p][name] for p in precisions}
            for name in found["float32"]
        }

    answer = {
        "folder": str(choice.folder()),
        "shapes": ready("cpu"),
        "kernels": ready("cuda") if on_gpu else {},
    }
    if as_json:
        emit(answer)
        return
    for key, title in (("shapes", "Shape on the CPU"), ("kernels", "Shape on the GPU")):
        rows = [
            (name, *("ready" if which[p] else "not yet" for p in precisions))
            for name, which in answer[key].items()  # type: ignore[attr-defined]
        ]
        if rows:
            show(table((title, "Images", "Fits"), rows))
    show(f"Kept in {answer['folder']}")
