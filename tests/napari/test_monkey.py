"""Random hands on the real window: nothing raises, nothing of the user's is lost.

``make monkey`` plays the long game; OSOG_MONKEY_ACTIONS and OSOG_MONKEY_SEEDS say how long.
"""

from __future__ import annotations

import os
import time

import pytest

from .monkey import memory_mb, threads, watched
from .monkey_runs import WEIGHTS, Monkey

pytestmark = pytest.mark.viewer

ACTIONS = int(os.environ.get("OSOG_MONKEY_ACTIONS", "60"))
SEEDS = int(os.environ.get("OSOG_MONKEY_SEEDS", "1"))
WARM = 300
"""Actions after which everything has been loaded and kept once."""
MOST_MB = 150.0
MOST_CPU_S = 1.0 if ACTIONS > WARM else float("inf")
"""Processor time for which the event loop may be away. A short game tells nothing of it: what is
done for the first time is slow, and a busy machine makes it slower."""


@pytest.mark.timeout(0 if ACTIONS > 100 else 300)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_hands_find_nothing_that_raises_or_is_lost(
    make_napari_viewer, tmp_path, seed, monkeypatch, capsys
):
    at_first = threads()
    monkey = Monkey(make_napari_viewer(), seed, tmp_path, MOST_CPU_S)
    monkey.settle()
    with watched(monkey.complaints, monkeypatch):
        done = monkey.play(min(ACTIONS, WARM), WEIGHTS)
        memory = memory_mb()
        if ACTIONS > done and not monkey.complaints:
            done += monkey.play(ACTIONS - done, WEIGHTS)
        grown = memory_mb() - memory
        story = "\n".join([f"seed {seed}, after {done} actions:", *monkey.done, *monkey.complaints])
        with capsys.disabled():  # seen at once, not at the end of the last seed
            if monkey.complaints:
                print(f"\n{story}", flush=True)
            elif ACTIONS > 200:
                longest = "{:.2f} s of CPU in {}".format(*monkey.longest)
                words = f"{done} actions, {grown:+.0f} MB after warm-up; longest turn {longest}"
                print(f"\nseed {seed}: {words}", flush=True)
        assert not monkey.complaints, story
        assert grown < MOST_MB, f"{grown:.0f} MB more after {done} actions than after {WARM}"
        monkey.beat.stop()
        monkey.viewer.close()
        monkey.breathe(0.2)
    end = time.monotonic() + 20.0
    while set(threads()) - set(at_first) and time.monotonic() < end:
        monkey.breathe(0.05)
    assert set(threads()) - set(at_first) == set()
