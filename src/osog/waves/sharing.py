"""What frames of the same optics and grids have in common, made once for all of them.

Pupils, propagators and the tables of partial coherence depend on optics and grids alone. While one
frame after another is rendered with the same of both, they are kept from the first; the code that
makes them says so by `shared`, and nothing is kept outside of `sharing`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

_MOST_SAMPLES = 6e7
"""Numbers that are kept for one group of frames."""


class _Kept:
    """What one group of frames has in common, and how often each was asked for in this frame."""

    def __init__(self, most: float) -> None:
        self.most = most
        self.found: dict[tuple[str, int], Any] = {}
        self.asked: dict[str, int] = {}
        self.samples = 0.0


_group: ContextVar[_Kept | None] = ContextVar("osog_sharing", default=None)


@contextmanager
def sharing() -> Iterator[Callable[[], None]]:
    """Share between frames of the same optics and grids, one after another, inside the block.

    Yields
    ------
    callable
        To be called before each of the frames.
    """
    kept = _Kept(_MOST_SAMPLES)
    token = _group.set(kept)
    try:
        yield kept.asked.clear
    finally:
        _group.reset(token)


class Sharing:
    """What frames share that are made now and then, of optics that the caller knows to be the same.

    Parameters
    ----------
    most_samples : float
        Numbers that are kept.
    """

    def __init__(self, most_samples: float = _MOST_SAMPLES) -> None:
        self._kept = _Kept(most_samples)

    @contextmanager
    def frame(self) -> Iterator[None]:
        """One of the frames."""
        self._kept.asked.clear()
        token = _group.set(self._kept)
        try:
            yield
        finally:
            _group.reset(token)


def shared(name: str, make: Callable[[], _T]) -> _T:
    """Return what the frame before has made at the same place, or make it.

    Parameters
    ----------
    name : str
        Place in the code. A place that is passed several times in a frame is passed as often, with
        the same optics, in every frame of a group.
    make : callable
        Without arguments; must depend on optics and grids alone. It is called where nothing is
        shared, and where gradients are followed.
    """
    kept = _group.get()
    if kept is None or torch.is_grad_enabled():
        return make()
    key = (name, kept.asked.get(name, 0))
    kept.asked[name] = key[1] + 1
    if key in kept.found:
        result: _T = kept.found[key]
        return result
    made = make()
    kept.samples += _samples(made)
    if kept.samples <= kept.most:
        kept.found[key] = made
    return made


def _samples(made: Any) -> int:
    if isinstance(made, torch.Tensor):
        return made.numel() * (2 if made.is_complex() else 1)
    if isinstance(made, tuple | list):
        return sum(_samples(part) for part in made)
    return sum(_samples(part) for part in vars(made).values()) if hasattr(made, "__dict__") else 0


__all__ = ["Sharing", "shared", "sharing"]
