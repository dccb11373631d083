"""Results on stdout for people or machines, everything else on stderr."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from osog.cli.streams import has_all_letters, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_PIPED_WIDTH = 120


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, soft_wrap=True)


def show(*parts: Any) -> None:
    """Print text or rich tables on stdout."""
    console = _console()
    for part in parts:
        console.print(part)


def emit(answer: Any, *, indent: int | None = 1) -> None:
    """Print one JSON value on stdout; numbers that are not finite become null."""
    # JSON is UTF-8; where stdout is not, only ASCII reads the same.
    bare = not has_all_letters(sys.stdout.encoding)
    text = json.dumps(plain(answer), indent=indent, ensure_ascii=bare, allow_nan=False)
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Say something beside the result, on stderr."""
    _console(stderr=True).print(text, style="dim")


def warn(text: str) -> None:
    """Print a warning on stderr."""
    console = _console(stderr=True)
    console.print(Text.assemble(("Warning: ", "yellow"), text))


def table(
    columns: Iterable[str | tuple[str, str]], rows: Iterable[Sequence[Any]], title: str = ""
) -> Table:
    """Lay rows out under titles.

    Parameters
    ----------
    columns : iterable of str or (str, str)
        Titles, with ``"right"`` for columns of numbers.
    rows : iterable of sequences
        Cells; converted by `str`.
    title : str
        Above the table, left out when empty.
    """
    out = Table(
        title=_written(title) or None,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in columns:
        name, justify = (column, "left") if isinstance(column, str) else column
        out.add_column(_written(name), justify=justify, overflow="fold", header_style="bold")  # type: ignore[arg-type]
    for row in rows:
        out.add_row(
            *(cell if isinstance(cell, Text) else Text(_written(str(cell))) for cell in row)
        )
    return out


def _written(text: str) -> str:
    """Text as stdout can write it, so that the columns of a table stay below each other."""
    return spelled(text, sys.stdout.encoding)


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """Keep one line of progress on stderr while the block runs.

    Parameters
    ----------
    first : str
        What the line says at the beginning.

    Yields
    ------
    callable
        Replaces the line. Where stderr is no terminal, nothing is written.
    """
    console = _console(stderr=True)
    if not console.is_terminal:
        yield lambda text: None
        return
    # The usual spinner is drawn in Braille.
    spinner = "dots" if has_all_letters(console.encoding) else "line"
    with console.status(Text(first), spinner=spinner) as status:
        yield lambda text: status.update(Text(text))


@contextmanager
def counting(noun: str) -> Iterator[Callable[[int, int], None]]:
    """Keep a bar of progress on stderr, with rate and time left, while the block runs.

    Parameters
    ----------
    noun : str
        What is counted, in the plural.

    Yields
    ------
    callable
        Takes how many are done, and how many there are. Where stderr is no terminal, nothing is
        written.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = _console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (
        BarColumn(),
        TextColumn(f"{{task.completed:.0f}} of {{task.total:.0f}} {noun}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None, rate="")

        def say(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:.2g} per second" if speed else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield say


def plain(value: Any) -> Any:
    """Turn a result into what JSON can say."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def shorter(value: float, digits: int = 4) -> str:
    """Write a number with a few significant digits, and a dash for what is not finite."""
    return f"{value:.{digits}g}" if math.isfinite(value) else "–"
