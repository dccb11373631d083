"""The command ``schema``."""

from __future__ import annotations

from typing import Annotated

import typer

from osog.cli.console import emit


def schema(
    as_json: Annotated[bool, typer.Option("--json", help="Print it on one line.")] = False,
) -> None:
    """Print the JSON schema of the scene file, for editors and validators."""
    from osog.scene import Scene

    emit(Scene.model_json_schema(), indent=None if as_json else 1)
