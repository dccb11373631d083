"""The command ``info``."""

from __future__ import annotations

from osog.cli.console import emit, show, table
from osog.cli.options import Json


def info(as_json: Json = False) -> None:
    """Say which device OSOG computes on, why a GPU is not used, and the versions of its parts."""
    from osog.cli.machine import machine

    answer = machine()
    if as_json:
        emit(answer)
        return
    gpu = answer["gpu"]
    rows = [
        ("Device", f"{answer['device']} ({answer['device_name']})"),
        ("GPU", ", ".join(gpu["found"]) if gpu["used"] else "not used"),
    ]
    rows += [] if gpu["used"] else [("", gpu["reason"])]
    rows += [("", gpu["hint"])] if gpu["hint"] else []
    plural = "" if answer["threads"] == 1 else "s"
    rows += [
        ("Threads", f"{answer['threads']} thread{plural} on {answer['cores']} cores"),
        ("Waiting", f"GOMP_SPINCOUNT={answer['spin_count'] or 'not set'}"),
        ("System", answer["platform"]),
    ]
    rows += [(name, version or "not installed") for name, version in answer["versions"].items()]
    show(table(("", ""), rows))
