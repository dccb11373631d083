"""The program ``osog``: its commands, and what it says and returns when one fails."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osog.cli.commands import (
    bench,
    calibrate,
    compare,
    compile,
    dataset,
    detect,
    fit,
    guess,
    info,
    presets,
    render,
    schema,
    tables,
    track,
)
from osog.cli.console import emit, show
from osog.cli.errors import BAD_INPUT, FAILED, INTERRUPTED, CommandError, one_line
from osog.cli.streams import spelling_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="osog",
    help="Simulate optical micrographs of particles, and fit scenes to real ones.\n\n"
    "A SCENE is a YAML or JSON file that describes sample, microscope and camera, or the name of "
    "a preset: see 'osog presets' and 'osog schema'.",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    render.render,
    guess.guess,
    fit.fit,
    detect.detect,
    track.track,
    calibrate.calibrate,
    dataset.dataset,
    compare.compare,
    presets.presets,
    tables.materials,
    tables.instruments,
    info.info,
    compile.compile_loops,
    schema.schema,
    bench.bench,
)
"""In the order in which the help lists them."""
for _command in COMMANDS:
    app.command("compile" if _command is compile.compile_loops else None)(_command)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from osog import __version__

        show(f"osog {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        show(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when left out.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    with spelling_streams():
        code = _run(given)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, prog_name="osog", standalone_mode=False)
    except Exception as error:
        if os.environ.get("OSOG_DEBUG"):
            raise
        kind, text, code = _diagnosis(error)
        return _fail(kind, text, code, "--json" in arguments)
    except KeyboardInterrupt:
        return _fail("interrupted", "Interrupted.", INTERRUPTED, "--json" in arguments)
    return code if isinstance(code, int) else 0


def _diagnosis(error: Exception) -> tuple[str, str, int]:
    """Kind, sentence and exit code of an error."""
    words = getattr(error, "format_message", None)
    if words is not None:  # an option or argument that typer refused
        said = words()
        end = "" if said.endswith((".", "?", "!")) else "."
        return "usage", f"{said}{end} Try 'osog --help'.", BAD_INPUT
    if isinstance(error, typer.Abort):
        return "interrupted", "Interrupted.", INTERRUPTED
    if isinstance(error, CommandError | _input_errors()):
        return _KINDS.get(type(error).__name__, "input"), one_line(str(error)), BAD_INPUT
    if isinstance(error, OSError):
        where = f" '{error.filename}'" if error.filename is not None else ""
        return "file", f"The file{where} cannot be used: {error.strerror or error}.", BAD_INPUT
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        text = "There is not enough memory for this scene; use a smaller frame or accuracy draft."
        return "memory", text, FAILED
    text = one_line(f"OSOG failed: {type(error).__name__}: {error}")
    return "internal", f"{text} Set OSOG_DEBUG=1 to see where.", FAILED


_KINDS = {
    "SceneError": "scene",
    "FitError": "fit",
    "MicrographError": "image",
    "DatasetError": "dataset",
}


def _input_errors() -> Any:
    """Error types of those parts of the engine that were used."""
    from osog.scene import SceneError

    found: Any = SceneError
    for module, name in (
        ("osog.fitting.errors", "FitError"),
        ("osog.io", "MicrographError"),
        ("osog.datasets.errors", "DatasetError"),
    ):
        if module in sys.modules:
            found = found | getattr(sys.modules[module], name)
    return found


def _fail(kind: str, text: str, code: int, as_json: bool) -> int:
    sys.stderr.write(f"osog: {text}\n")
    if as_json:
        emit({"error": {"kind": kind, "message": text, "exit_code": code}})
    return code
