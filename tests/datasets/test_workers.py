"""Datasets by several processes: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from helpers.plain_format import contents
from osog.datasets import DatasetError, export

pytest.importorskip("distributed")


def test_a_killed_worker_loses_nothing(scene, tmp_path, monkeypatch) -> None:
    """Workers are processes that know no format of a test, so this takes one of the package."""
    from distributed import LocalCluster

    begun = []
    start = LocalCluster.__init__

    def remembered(self, *args, **kwargs):
        start(self, *args, **kwargs)
        begun.append(self)

    monkeypatch.setattr(LocalCluster, "__init__", remembered)

    def kill() -> None:
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            if len(list((tmp_path / "a").glob("records/*.json"))) >= 2:
                nanny = next(iter(begun[0].workers.values()))
                os.kill(nanny.pid, signal.SIGKILL)
                killed.append(nanny.pid)
                return
            time.sleep(0.02)

    killed: list[int] = []
    killer = threading.Thread(target=kill)
    killer.start()
    options = {"seed": 4, "shard_size": 2}
    made = export(scene, tmp_path / "a", 24, ("yolo-obb",), workers=2, **options)
    killer.join()
    assert killed and made.complete and made.made == 12
    export(scene, tmp_path / "b", 24, ("yolo-obb",), **options)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_scheduler_that_is_not_there_is_said(scene, tmp_path, monkeypatch) -> None:
    """The package waits for twenty seconds, and a test that nobody answers need not."""
    import distributed

    waited = []

    class Hasty(distributed.Client):
        def __init__(self, *args, timeout, **kwargs):
            waited.append(timeout)
            super().__init__(*args, timeout="0.5s", **kwargs)

    monkeypatch.setattr(distributed, "Client", Hasty)
    with pytest.raises(DatasetError, match="does not answer"):
        export(scene, tmp_path / "a", 2, ("yolo-obb",), scheduler="tcp://127.0.0.1:1", shard_size=1)
    assert waited == ["20s"]
