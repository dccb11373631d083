"""The next samples are made while the last ones are used."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import torch

from osog.datasets.ahead import made_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

CPU = torch.device("cpu")


def test_the_next_item_is_made_while_the_last_one_is_used() -> None:
    begun = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for k in range(3):
            begun[k].set()
            yield k
        begun[3].set()

    seen = []
    for k in made_ahead(items(), CPU):
        assert begun[k + 1].wait(5)  # without being asked for
        seen.append((k, threading.active_count() > 1))
    assert seen == [(0, True), (1, True), (2, True)]


def test_who_stops_early_leaves_no_thread_and_closes_what_was_made() -> None:
    closed = threading.Event()
    threads = set(threading.enumerate())

    def items() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.set()

    made = made_ahead(items(), CPU)
    assert next(made) == 0
    made.close()  # type: ignore[attr-defined]
    assert closed.is_set() and set(threading.enumerate()) == threads


def test_what_goes_wrong_is_told_where_it_is_asked_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no light")

    made = made_ahead(items(), CPU)
    assert next(made) == 1
    with pytest.raises(ValueError, match="no light"):
        next(made)
