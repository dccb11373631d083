"""Making the next samples while the last ones are trained on: a double buffer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

_T = TypeVar("_T")
_END: Any = object()


def made_ahead(items: Iterator[_T], device: torch.device) -> Iterator[_T]:
    """Yield what an iterator yields, with the next item made in a thread meanwhile.

    Parameters
    ----------
    items : iterator
        Advanced in that thread alone, and closed at the end.
    device : torch.device
        On which it computes: on CUDA in a stream of its own, so that its kernels need not wait for
        those of the consumer. What it yields must be complete, as arrays of the host are.
    """
    side = torch.cuda.Stream(device) if device.type == "cuda" else None

    def following() -> Any:
        with nullcontext() if side is None else torch.cuda.stream(side):
            return next(items, _END)

    with ThreadPoolExecutor(1, "osog-stream") as pool:
        coming = pool.submit(following)
        try:
            while (item := coming.result()) is not _END:
                coming = pool.submit(following)
                yield item
        finally:
            # One that is being made is waited for, so that no thread outlives its iterator.
            if not coming.cancel() and not coming.done():
                coming.exception()
            close = getattr(items, "close", None)
            if close is not None:
                close()


__all__ = ["made_ahead"]
