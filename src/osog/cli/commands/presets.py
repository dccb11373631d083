"""The command ``presets``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from osog.cli.console import emit, show, table
from osog.cli.options import Json


def presets(
    name: Annotated[
        str | None, typer.Argument(help="Preset to print as YAML; all are listed if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the scenes that come with OSOG, or print one of them as YAML to start from.

    Example: osog presets beads-hologram > scene.yaml
    """
    from osog import presets as stored

    if name is None:
        titles = {known: stored.title(known) for known in stored.names()}
        if as_json:
            emit([{"name": known, "title": title} for known, title in titles.items()])
        else:
            show(table(("preset", "what it shows"), titles.items()))
        return
    scene = stored.load(name)
    if as_json:
        emit(
            {
                "name": name,
                "title": stored.title(name),
                "provenance": stored.provenance(name),
                "scene": scene.to_dict(),
            }
        )
    else:
        sys.stdout.write(stored.text(name))
