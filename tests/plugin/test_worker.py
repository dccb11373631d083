"""The hand-over between threads, by itself: what every worker keeps to."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest

from napari_osog.worker import Worker


@pytest.fixture
def worker(qapp):
    made: list[Worker] = []

    def make(job, **options):
        made.append(Worker(job, "osog-test", **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "osog-test"]


def until_stopped(request, turn):
    """A job that goes on until it is asked to end."""
    while not turn.stopping:
        time.sleep(0.002)
    return request


def test_a_job_that_is_cancelled_hands_over_what_it_has(qtbot, worker):
    at_work = worker(until_stopped, lasting=False)
    with qtbot.waitSignal(at_work.finished, timeout=5000) as ended:
        at_work.submit("first")
        qtbot.waitUntil(lambda: at_work.running)
        at_work.cancel()
        assert at_work.cancelled
    assert ended.args == ["first"] and not at_work.busy
    qtbot.waitUntil(lambda: not threads(), timeout=5000)


def test_cancelling_before_the_thread_has_begun_is_not_lost(qtbot, worker):
    at_work = worker(until_stopped, lasting=False)
    with qtbot.waitSignal(at_work.finished, timeout=5000):
        at_work.submit("first")
        at_work.cancel()


def test_a_cancelled_job_leaves_the_next_one_alone(qtbot, worker):
    heard = []

    def job(request, turn):
        if request == "slow":
            until_stopped(request, turn)
        return request, turn.stopping

    at_work = worker(job, max_rate=1000)
    at_work.finished.connect(heard.append)
    at_work.submit("slow")
    qtbot.wait(30)
    at_work.cancel()
    qtbot.waitUntil(lambda: heard == [("slow", True)], timeout=5000)
    at_work.submit("next")
    qtbot.waitUntil(lambda: heard[1:] == [("next", False)], timeout=5000)


def test_a_job_that_breaks_is_logged_and_the_next_one_goes_on(qtbot, worker, caplog):
    def job(request, turn):
        return 1 / request

    at_work = worker(job, max_rate=1000)
    at_work.submit(0)
    qtbot.waitUntil(lambda: not at_work.busy, timeout=5000)
    assert "A job failed" in caplog.text
    with qtbot.waitSignal(at_work.finished, timeout=5000) as ended:
        at_work.submit(4)
    assert ended.args == [0.25]


def test_words_on_the_way_come_seldom_and_the_newest_wins(qtbot, worker):
    def job(request, turn):
        for k in range(100):
            if turn.due:
                turn.tell(k)
            time.sleep(0.004)
        return "done"

    at_work, heard = worker(job), []
    at_work.told.connect(lambda word: heard.append((word, threading.current_thread())))
    with qtbot.waitSignal(at_work.finished, timeout=10000):
        at_work.submit("go")
    words = [word for word, _ in heard]
    assert 2 <= len(words) <= 8 and words == sorted(words)
    assert {thread for _, thread in heard} == {threading.main_thread()}


def test_a_worker_that_is_forgotten_ends_its_thread(qtbot):
    at_work = Worker(until_stopped, "osog-test")
    at_work.submit("first")
    qtbot.waitUntil(lambda: bool(threads()))
    gone = weakref.ref(at_work)
    del at_work
    gc.collect()
    assert gone() is None, "the thread does not hold it"
    qtbot.waitUntil(lambda: not threads(), timeout=5000)
