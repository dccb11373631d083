"""Undo and redo: whole scenes, so that nothing can be half taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.scene import Scene

_MOST = 200


@dataclass(frozen=True)
class Moment:
    """A scene as it was, with its seed and the preset that it came from."""

    scene: Scene
    seed: int
    preset: str


class History:
    """Moments that can be returned to."""

    def __init__(self) -> None:
        self._past: list[Moment] = []
        self._future: list[Moment] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back and can be taken again."""
        return bool(self._future)

    def remember(self, moment: Moment) -> None:
        """Keep a moment that was left; what could be redone is forgotten."""
        self._past.append(moment)
        del self._past[:-_MOST]
        self._future.clear()

    def clear(self) -> None:
        """Forget all of them."""
        self._past.clear()
        self._future.clear()

    def undo(self, present: Moment) -> Moment | None:
        """Step back; None where there is nothing to return to."""
        return _step(self._past, self._future, present)

    def redo(self, present: Moment) -> Moment | None:
        """Step forward again; None where nothing was taken back."""
        return _step(self._future, self._past, present)


def _step(source: list[Moment], target: list[Moment], present: Moment) -> Moment | None:
    if not source:
        return None
    target.append(present)
    return source.pop()


__all__ = ["History", "Moment"]
