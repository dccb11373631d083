"""Widgets listen to signals that outlive them, and to signals that do not."""

from __future__ import annotations

import gc
import weakref

import pytest
from napari.utils.events import EventEmitter
from psygnal import Signal
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget

from napari_osog.lifetimes import listen


class Listener(QWidget):
    def __init__(self):
        super().__init__()
        self.heard = []

    def hear(self, event=None):
        self.heard.append(event)


class Source:
    told = Signal(int)


@pytest.fixture
def listener(qapp):
    return Listener()


def test_a_signal_that_goes_before_the_widget_leaves_nothing_behind(listener):
    emitter = EventEmitter(type_name="name")
    gone = weakref.ref(emitter)
    listen(listener, emitter, listener.hear)
    emitter()
    assert len(listener.heard) == 1
    del emitter
    listener.heard.clear()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("make", [lambda: EventEmitter(type_name="name"), lambda: Source().told])
def test_listening_again_to_the_same_signal_keeps_nothing_more(listener, make):
    signal = make()
    listen(listener, signal, listener.hear)
    signal.disconnect(listener.hear)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(50):
        listen(listener, signal, listener.hear)
        signal.disconnect(listener.hear)
    gc.collect()
    assert len(gc.get_objects()) - before < 50


@pytest.mark.parametrize(
    ("signal", "tell"),
    [
        (EventEmitter(type_name="name"), lambda signal: signal()),
        (Source().told, lambda signal: signal.emit(1)),
    ],
)
def test_a_widget_that_qt_has_deleted_hears_nothing(qapp, listener, signal, tell):
    listen(listener, signal, listener.hear)
    listener.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    tell(signal)
    assert listener.heard == []
