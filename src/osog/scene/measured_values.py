"""Measured values in text: a CSV file, or a table that was copied from another program."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

from osog.scene.scene_folder import scene_folder

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class MeasuredColumn:
    """One column of a table.

    Attributes
    ----------
    head : str
        Its title, or its number from 0 where the table has no titles.
    values : tuple of float
    """

    head: str
    values: tuple[float, ...]

    @property
    def counts_rows(self) -> bool:
        """Whether it only numbers the rows, from 0 or from 1."""
        first = self.values[0]
        return (
            len(self.values) > 1
            and first in (0.0, 1.0)
            and self.values == tuple(first + k for k in range(len(self.values)))
        )


def read_column(file: str, column: str | int | None) -> list[float]:
    """Numbers of one column of a CSV file, with commas, semicolons or tabs between the columns.

    Raises
    ------
    ValueError
        If the file cannot be read, has no such column, or a cell is no number.
    """
    text = read_text(file)
    head, rows, first, mark = _cells(text)
    if not rows and not head:
        raise ValueError(f"file = '{file}' is empty.")
    if isinstance(column, str):
        if column not in head:
            raise ValueError(
                f"column = '{column}' is not in '{file}', which has {', '.join(head)}."
            )
        place = head.index(column)
    else:
        place = column or 0
        if not 0 <= place < len(head):
            raise ValueError(
                f"column = {place} must lie between 0 and {len(head) - 1} in '{file}'."
            )
    numbers = []
    for line, row in enumerate(rows, first):
        cell = row[place].strip() if place < len(row) else ""
        if cell == "":
            continue
        number = _number(cell, mark)
        if number is None:
            raise ValueError(f"'{cell}' in row {line} of '{file}' is not a number.")
        numbers.append(number)
    if not numbers:
        raise ValueError(f"file = '{file}' has no numbers in column {head[place] or place}.")
    return numbers


def read_text(file: str) -> str:
    """Text of a file, from the folder of the scene file where its path is relative.

    Raises
    ------
    ValueError
        If it cannot be read, or is no text.
    """
    path = Path(file)
    folder = scene_folder()
    if not path.is_absolute() and folder is not None:
        path = folder / path
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError:
        raise ValueError(f"file = '{file}' cannot be read ({path}).") from None
    except UnicodeDecodeError:
        raise ValueError(f"file = '{file}' is not a text file.") from None


def columns_in(text: str) -> list[MeasuredColumn]:
    """Every column of numbers in a text: numbers one below the other, or a table with its titles.

    Parameters
    ----------
    text : str
        One number a line, or columns with tabs, semicolons or commas between them, as
        spreadsheets and image analysis programs copy them. Decimal commas are understood where
        they cannot be taken for a separator.

    Returns
    -------
    list of MeasuredColumn
        At least one; empty cells are left out, and columns of words are too.

    Raises
    ------
    ValueError
        In one sentence, if there are no numbers, a cell among numbers is none, or commas can be
        read in two ways.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("There are no numbers in an empty text.")
    text = _with_points(text, lines)
    head, rows, first, mark = _cells(text)
    found = []
    for place, title in enumerate(head):
        cells = [
            (line, row[place].strip())
            for line, row in enumerate(rows, first)
            if place < len(row) and row[place].strip()
        ]
        numbers = [_number(cell, mark) for _, cell in cells]
        good = [number for number in numbers if number is not None]
        if not good or 2 * len(good) < len(numbers):
            continue  # a column of words, such as names of images
        for (line, cell), number in zip(cells, numbers, strict=True):
            if number is None:
                raise ValueError(f"'{cell}' in line {line} is not a number.")
        found.append(MeasuredColumn(title or str(place), tuple(good)))
    if not found:
        shown = lines[0] if len(lines[0]) <= 30 else f"{lines[0][:29]}…"
        raise ValueError(f"There are no numbers in '{shown}'; copy one number a line, or a table.")
    return found


def _with_points(text: str, lines: list[str]) -> str:
    """Text with decimal points, where each line is one number and commas can be nothing else."""
    titled = "," not in lines[0] and _number(lines[0], ";") is None
    body = lines[1:] if titled else lines
    commas = [line for line in body if _DECIMAL_COMMA.fullmatch(line)]
    if not commas or any(_number(line, ";") is None for line in body):
        return text
    if len(commas) == len(lines):
        raise ValueError(
            f"'{lines[0]}' can be one number or two; write decimal points, or put tabs between "
            "the columns."
        )
    return text.replace(",", ".")


def _cells(text: str) -> tuple[list[str], list[list[str]], int, str]:
    """Titles, rows, number of the first row in the table, and the mark between columns."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    mark = max(";\t,", key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=mark) if any(row)]
    if not rows:
        return [], [], 1, mark
    head = [cell.strip() for cell in rows[0]]
    headed = any(cell and _number(cell, mark) is None for cell in head)
    if not headed:
        head = [str(place) for place in range(len(head))]
    return head, rows[headed:], 1 + headed, mark


def _number(cell: str, mark: str) -> float | None:
    bare = cell.strip().replace("−", "-")
    try:
        value = float(bare.replace(",", ".") if mark != "," else bare)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in bare else None


__all__ = ["MeasuredColumn", "columns_in", "read_column", "read_text"]
