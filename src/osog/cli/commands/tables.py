"""The commands ``materials`` and ``instruments``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from osog.cli.console import emit, show, table
from osog.cli.errors import CommandError
from osog.cli.options import Json

if TYPE_CHECKING:
    from osog.scene.instruments import Instrument
    from osog.scene.materials import Substance

_DEFAULT_UM = 0.55


def materials(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Materials, such as calcite or 'glycerol 60 %'; all if not given."),
    ] = None,
    wavelength_um: Annotated[
        float, typer.Option("--wavelength-um", help="Vacuum wavelength of the values.")
    ] = _DEFAULT_UM,
    as_json: Json = False,
) -> None:
    """List the known materials with index, birefringence and absorption, each with its source.

    Example: osog materials calcite 'water 37 °C' --wavelength-um 0.4047
    """
    from osog.scene import materials as known

    if not 0.1 <= wavelength_um <= 10.0:
        raise CommandError(f"--wavelength-um = {wavelength_um:g} must lie between 0.1 and 10 µm.")
    try:
        rows = [known.find(name) for name in names or known.names()]
    except ValueError as error:
        raise CommandError(str(error)) from None
    answers = [material_row(row, wavelength_um) for row in rows]
    if as_json:
        emit(answers)
        return
    columns = (
        "material", ("n", "right"), ("n_e − n_o", "right"), ("absorption 1/µm", "right"),
        ("range µm", "right"), "source",
    )  # fmt: skip
    show(
        table(
            columns,
            [
                (
                    row["name"],
                    f"{row['index']:.5f}" + ("" if row["covered"] else " *"),
                    f"{row['birefringence']:+.5f}" if row["birefringence"] else "",
                    f"{row['absorption_per_um']:.4g}" if row["absorption_per_um"] else "",
                    "–".join(f"{end:g}" for end in dict.fromkeys(row["range_um"])),
                    row["source"] + (f" ({row['note']})" if row["note"] else ""),
                )
                for row in answers
            ],
            f"At {wavelength_um:g} µm; * outside the range of the source",
        )
    )


def material_row(row: Substance, wavelength_um: float) -> dict[str, Any]:
    """One material as JSON has it."""
    return {
        "name": row.name,
        "family": row.family,
        "wavelength_um": wavelength_um,
        "index": float(row.index(wavelength_um)),
        "birefringence": float(row.birefringence(wavelength_um)),
        "absorption_per_um": float(row.absorption_per_um(wavelength_um)),
        "range_um": list(row.range_um),
        "covered": row.covers(wavelength_um),
        "error": row.error or None,
        "also": list(row.also),
        "source": row.source,
        "note": row.note,
    }


def instruments(
    kind: Annotated[
        str | None,
        typer.Argument(help="objective, condenser, light or camera; all if not given."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the objectives, condensers, lights and cameras that a scene can name, with sources.

    Example: osog instruments camera
    """
    from osog.scene.instruments import TABLES

    tables: dict[str, dict[str, Instrument]] = {str(k): v for k, v in TABLES.items()}
    wanted = kind.lower().removesuffix("s") if kind is not None else None
    if wanted is not None and wanted not in tables:
        raise CommandError(f"'{kind}' is not one of {', '.join(tables)}.")
    chosen = {k: v for k, v in tables.items() if wanted in (None, k)}
    if as_json:
        emit([instrument_row(item) for rows in chosen.values() for item in rows.values()])
        return
    for name, rows in chosen.items():
        show(
            table(
                (name, "sets", "and has", "source"),
                [
                    (
                        item.name,
                        _words(item.fields),
                        _words(item.facts) + (f"; {item.note}" if item.note else ""),
                        item.source,
                    )
                    for item in rows.values()
                ],
            ),
            "",
        )


def instrument_row(item: Instrument) -> dict[str, Any]:
    """One instrument as JSON has it."""
    return {
        "name": item.name,
        "kind": item.kind,
        "fields": item.fields,
        "facts": item.facts,
        "source": item.source,
        "note": item.note,
    }


def _words(values: dict[str, Any]) -> str:
    """Names and values in short: what a scene calls microscope.light is light here."""
    parts = []
    for name, value in values.items():
        if value is None:
            continue
        shown = " ".join(str(v) for v in value.values()) if isinstance(value, dict) else value
        shown = f"{shown:g}" if isinstance(shown, float) else shown
        parts.append(f"{name.rsplit('.', 1)[-1]} {shown}")
    return ", ".join(parts)
