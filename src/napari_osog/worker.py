"""The hand-over between threads: requests go to a worker, its results come back to the GUI."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from qtpy.QtCore import QObject, QTimer, Signal

from napari_osog.lifetimes import when_gone

_log = logging.getLogger(__name__)
_TELL_S = 0.1
"""Seconds between two words of a job on its progress, at least."""
_END_S = 20.0
"""Seconds that the interpreter waits for a thread at its end."""


class Turn(Protocol):
    """What a job sees of the world outside while it works on one request."""

    @property
    def stopping(self) -> bool:
        """Whether the job is asked to end."""

    @property
    def waiting(self) -> Any:
        """The request that waits for this one to end, or None."""

    @property
    def due(self) -> bool:
        """Whether it is time to tell of the progress again."""

    def tell(self, word: Any) -> None:
        """Hand a word on the progress to the GUI; a newer one replaces it."""


Job = Callable[[Any, Turn], Any]
"""(request, turn) → result, or None when there is nothing to hand back."""


class _Desk:
    """What the GUI and one thread share; a `Turn` for the job."""

    def __init__(self, job: Job, paused: bool) -> None:
        self.job = job
        self.condition = threading.Condition()
        self.paused = paused
        self.request: Any = None
        self.in_flight = False
        self.cancelled = False
        self.closed = False
        self.ended = threading.Event()
        self.quit: Callable[[], bool] = lambda: False
        self.announce: Callable[[], None] = lambda: None
        self._word: Any = None
        self._announced = False
        self._told_at = float("-inf")

    @property
    def stopping(self) -> bool:
        return self.closed or self.cancelled or self.quit()

    @property
    def waiting(self) -> Any:
        return None if self.paused else self.request

    @property
    def due(self) -> bool:
        return time.monotonic() - self._told_at >= _TELL_S

    def tell(self, word: Any) -> None:
        self._told_at = time.monotonic()
        with self.condition:
            self._word = word
            already, self._announced = self._announced, True
        if not already and not self.stopping:
            self.announce()  # one at a time: the GUI is never flooded

    def heard(self) -> Any:
        """On the GUI thread: the newest word, or None."""
        with self.condition:
            word, self._word, self._announced = self._word, None, False
        return word

    def put(self, request: Any) -> None:
        with self.condition:
            self.request = request
            self.condition.notify()

    def take(self) -> Any:
        """On the worker's thread: wait for a request; None when the thread is to end."""
        with self.condition:
            while not self.closed and (self.request is None or self.in_flight or self.paused):
                self.condition.wait()
            if self.closed:
                return None
            request, self.request = self.request, None
            self.in_flight, self.cancelled = True, False
            return request

    def pause(self, paused: bool) -> None:
        with self.condition:
            self.paused = paused
            self.condition.notify()

    def allow_next(self) -> None:
        with self.condition:
            self.in_flight = False
            self.condition.notify()

    def close(self) -> None:
        """The thread ends as soon as it can, and hands nothing over any more."""
        with self.condition:
            self.closed, self.request = True, None
            self.condition.notify()


_RUNNING: set[_Desk] = set()


class Worker(QObject):
    """Works off requests on a thread of its own; the newest wins, and nothing queues.

    `submit` overwrites the request that waits, so that a drag never starves: the thread takes the
    newest one whenever the result before it has been taken in. Results and words on the progress
    arrive on the thread of this object, in order.

    Parameters
    ----------
    job : callable
        ``job(request, turn)`` → result, on the worker's thread; see `Turn`. It answers errors in
        its result: one that it raises is logged, and nothing is handed over.
    name : str
        Name of the thread.
    max_rate : float
        Results a second that are taken in at most.
    lasting : bool
        Whether the thread waits for the next request; else it ends with its job.
    listed_as : str
        Words for napari's list of activities and for the question at its closing; "" for a thread
        that nobody needs to know of.
    cleanup : callable, optional
        Called when the thread was stopped.
    synchronous : bool, optional
        Work inside `submit`; by default when the environment variable OSOG_SYNC is 1 and the
        thread lasts.
    parent : QObject, optional

    Signals
    -------
    finished(result)
    told(word)
        What a job tells on its way, at most about ten times a second.
    """

    finished = Signal(object)
    told = Signal(object)
    _handed_over = Signal(object, object)
    _announced = Signal(object)

    def __init__(
        self,
        job: Job,
        name: str,
        *,
        max_rate: float = 30.0,
        lasting: bool = True,
        listed_as: str = "",
        cleanup: Callable[[], None] | None = None,
        synchronous: bool | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._job, self._name = job, name
        self.max_rate = max_rate
        self._lasting, self._listed_as = lasting, listed_as
        self._cleanup = cleanup
        if synchronous is None:
            synchronous = lasting and os.environ.get("OSOG_SYNC") == "1"
        self._synchronous = synchronous
        self._paused = False
        self._desk: _Desk | None = None
        self._taken_at = 0.0
        # Emitted on the worker's thread, so that Qt queues them for the thread of this object.
        self._handed_over.connect(self._take_in)
        self._announced.connect(self._hear)
        desks: list[_Desk] = []
        self._desks = desks  # outlives this object, and does not hold it
        when_gone(self, lambda: _close(desks))

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._desk is not None and not self._desk.ended.is_set()

    @property
    def busy(self) -> bool:
        """Whether a request waits or its result is on its way."""
        desk = self._desk
        if desk is None:
            return False
        with desk.condition:
            return desk.request is not None or desk.in_flight

    @property
    def cancelled(self) -> bool:
        """Whether the job that runs was asked to end."""
        return self._desk is not None and self._desk.stopping

    def submit(self, request: Any) -> None:
        """Ask for a result; a request that still waits is forgotten."""
        if self._synchronous:
            result = self._job(request, _Desk(self._job, paused=False))
            if result is not None:
                self.finished.emit(result)
            return
        if self._desk is None or not self.running:
            self._start(request)
        else:
            self._desk.put(request)

    def pause(self) -> None:
        """Begin no other job until `resume`; the newest request is kept."""
        self._paused = True
        if self._desk is not None:
            self._desk.pause(True)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False
        if self._desk is not None:
            self._desk.pause(False)

    def cancel(self) -> None:
        """Ask the job that runs to end with what it has; `finished` follows."""
        if self._desk is not None:
            self._desk.cancelled = True

    def stop(self) -> None:
        """Drop what waits, end the job that runs and the thread. May be called twice.

        A later `submit` starts a new thread.
        """
        desk, self._desk = self._desk, None
        self._desks.clear()
        if desk is not None:
            desk.close()
            if threading.current_thread().name != self._name:
                desk.ended.wait()
        if self._cleanup is not None:
            self._cleanup()

    def _start(self, request: Any) -> None:
        desk = _Desk(self._job, self._paused)
        desk.put(request)
        owner = weakref.ref(self)

        def announce() -> None:
            worker = owner()
            if worker is not None:
                with suppress(RuntimeError):  # Qt has deleted it
                    worker._announced.emit(desk)

        desk.announce = announce
        self._desk = desk
        self._desks[:] = [desk]
        _RUNNING.add(desk)
        if self._listed_as:
            from napari.qt.threading import create_worker

            task = create_worker(
                _work, desk, owner, self._name, self._lasting,
                _start_thread=False, _progress={"desc": self._listed_as},
            )  # fmt: skip
            desk.quit = lambda: bool(task.abort_requested)
            task.start()
        else:
            arguments = desk, owner, self._name, self._lasting
            threading.Thread(target=_work, args=arguments, daemon=True).start()

    def _hear(self, desk: _Desk) -> None:
        word = desk.heard()
        if word is not None and desk is self._desk:
            self.told.emit(word)

    def _take_in(self, desk: _Desk, result: Any) -> None:
        """On the GUI thread: hand the result on, then allow the next one, not too soon."""
        if desk is not self._desk or desk.closed:
            return  # it was finished before a stop
        if not self._lasting:
            self._desk = None
            self._desks.clear()
            self.finished.emit(result)
            return
        try:
            self.finished.emit(result)
        finally:
            now = time.monotonic()
            wait = 1.0 / self.max_rate - (now - self._taken_at)
            self._taken_at = now + max(wait, 0.0)
            if wait > 0.001:
                QTimer.singleShot(int(wait * 1000), desk.allow_next)
            else:
                desk.allow_next()


def _close(desks: list[_Desk]) -> None:
    for desk in desks:
        desk.close()


def _work(desk: _Desk, owner: weakref.ref[Worker], name: str, lasting: bool) -> None:
    """Run by the worker's thread, which holds neither the worker nor a panel."""
    thread = threading.current_thread()
    before, thread.name = thread.name, name
    try:
        while (request := desk.take()) is not None:
            result = None
            try:
                result = desk.job(request, desk)
            except Exception:
                _log.exception("A job failed")
            if desk.closed:
                return
            if result is None:
                desk.allow_next()
            else:
                worker = owner()
                if worker is None:
                    return
                with suppress(RuntimeError):  # Qt has deleted it
                    worker._handed_over.emit(desk, result)
                del worker
            if not lasting:
                return
    finally:
        thread.name = before
        desk.ended.set()
        _RUNNING.discard(desk)


@atexit.register
def _stop_all() -> None:
    """No thread may compute while the interpreter goes away."""
    for desk in list(_RUNNING):
        desk.close()
        desk.ended.wait(_END_S)


__all__ = ["Turn", "Worker"]
