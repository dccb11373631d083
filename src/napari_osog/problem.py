"""The report of a problem: versions, the last error and the scene as one text."""

from __future__ import annotations

import logging
import platform
from typing import TYPE_CHECKING

from napari_osog import engine
from osog._version import __version__

if TYPE_CHECKING:
    from napari_osog.session import Session


class _LastError(logging.Handler):
    """Remembers the newest error with its traceback, and leaves it to others to be shown."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.format(record)
        if not logging.getLogger().handlers and logging.lastResort is not None:
            logging.lastResort.handle(record)  # as Python does where nobody else listens


_LAST = _LastError()


def listen_for_errors() -> None:
    """Remember errors from now on; calling it again changes nothing."""
    logging.getLogger("napari_osog").addHandler(_LAST)


def report(session: Session) -> str:
    """Text for a report of a problem, in Markdown.

    Parameters
    ----------
    session : Session
        Whose scene, newest picture and status are told.
    """
    picture = session.picture
    parts = [
        "**What I did, what I expected, what happened instead:**\n\n",
        f"**Versions:** {_versions()}",
        f"**Picture:** {picture.explain if picture is not None else 'none yet'}",
        f"**Message in the panel:** {session.status or 'none'}",
        f"**Last error:**\n\n```\n{_last_error() or 'none'}\n```",
        f"**Scene, seed {session.seed}:**\n\n```yaml\n{session.scene.to_yaml().strip()}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _versions() -> str:
    known = {"osog": __version__, "python": platform.python_version()}
    system = platform.platform()
    if engine.is_loaded():
        from osog.cli.machine import machine

        found = machine()
        known |= {name: version or "not installed" for name, version in found["versions"].items()}
        system += f", {found['device']}"
    return ", ".join([*(f"{name} {version}" for name, version in known.items()), system])


def _last_error() -> str:
    """What was logged last, and what napari showed last as an error."""
    from napari.utils.notifications import NotificationSeverity, notification_manager

    shown = [
        str(each.message)
        for each in notification_manager.records
        if each.severity == NotificationSeverity.ERROR
    ]
    return "\n".join([*filter(None, [_LAST.text]), *shown[-1:]])


__all__ = ["listen_for_errors", "report"]
