"""The live loop: newest wins, nothing queues, nothing starves, nothing is left running."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest
import torch

from napari_osog.pictures import Failure, Request, picture_worker
from osog.scene import SceneError
from osog.scene.parameters import replaced

from .conftest import FakeRenderer, a_scene


def focused(focus: float) -> Request:
    return Request(replaced(a_scene(), {"microscope.focus_um": focus}))


@pytest.fixture
def live(qapp, renderer):
    made = picture_worker(lambda device: renderer, max_rate=1000, synchronous=False)
    yield made
    made.stop()


def test_the_newest_request_wins_and_a_drag_never_starves(qtbot, live, renderer):
    renderer.seconds = 0.02
    seen = []
    live.finished.connect(lambda picture: seen.append(picture.request.scene.microscope.focus_um))
    for k in range(1, 41):  # a drag: forty steps of 5 ms each
        live.submit(focused(k / 10))
        qtbot.wait(5)
    during = len(seen)
    qtbot.waitUntil(lambda: seen and seen[-1] == 4.0, timeout=5000)
    assert during >= 3, "frames appear during the drag"
    assert len(renderer.calls) < 40, "steps that were overtaken are not rendered"
    assert seen == sorted(seen), "frames arrive in order"
    qtbot.wait(60)
    assert seen.count(4.0) == 1 and not live.busy, "nothing is left in a queue"


def test_only_one_picture_is_on_its_way_to_a_busy_gui(live, renderer):
    live.submit(focused(1.0))
    deadline = time.monotonic() + 5
    while not renderer.calls and time.monotonic() < deadline:
        time.sleep(0.01)
    for k in range(20):  # the GUI thread is busy: it takes no events
        live.submit(focused(float(k)))
        time.sleep(0.005)
    assert len(renderer.calls) == 1


def test_it_renders_on_one_thread_of_its_own_without_gradients(qtbot, live, renderer):
    for k in range(3):
        with qtbot.waitSignal(live.finished, timeout=5000):
            live.submit(focused(float(k)))
    assert renderer.threads == {"osog-render"}
    assert renderer.grad_modes == {False}
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SceneError("radius_um = -1 must lie between 0 and 1."), "radius_um = -1"),
        (RuntimeError("CUDA out of memory. Tried"), "Not enough memory"),
        (ZeroDivisionError("division by zero"), "The last image is kept"),
    ],
)
def test_errors_travel_inside_the_picture(qtbot, live, renderer, error, words):
    renderer.fails = error
    with qtbot.waitSignal(live.finished, timeout=5000) as caught:
        live.submit(focused(0.0))
    failed = caught.args[0]
    assert isinstance(failed, Failure) and words in failed.error
    renderer.fails = None
    with qtbot.waitSignal(live.finished, timeout=5000) as caught:
        live.submit(focused(1.0))
    assert caught.args[0].image[1, 1] == 1.0


def test_a_paused_renderer_does_no_work_and_keeps_the_newest(qtbot, live, renderer):
    live.pause()
    for k in range(5):
        live.submit(focused(float(k)))
    qtbot.wait(60)
    assert renderer.calls == []
    with qtbot.waitSignal(live.finished, timeout=5000):
        live.resume()
    assert [call[0].microscope.focus_um for call in renderer.calls] == [4.0]


def test_stop_ends_the_render_that_runs_and_can_be_repeated(live, renderer):
    renderer.seconds = 30.0
    live.submit(focused(1.0))
    time.sleep(0.05)
    start = time.monotonic()
    live.stop()
    live.stop()
    assert time.monotonic() - start < 5.0
    assert not [t for t in threading.enumerate() if t.name == "osog-render"]


def test_a_slow_full_image_is_left_when_a_preview_is_asked_for(qtbot, live, renderer):
    renderer.seconds = 30.0
    live.submit(focused(1.0))
    qtbot.waitUntil(lambda: len(renderer.calls) == 1, timeout=5000)
    renderer.seconds = 0.0
    with qtbot.waitSignal(live.finished, timeout=5000) as caught:
        live.submit(dataclasses.replace(focused(2.0), preview=True))
    assert caught.args[0].request.scene.microscope.focus_um == 2.0


def test_a_slow_full_image_is_left_for_another_scene_at_rest(qtbot, live, renderer):
    renderer.seconds = 30.0
    live.submit(focused(1.0))
    qtbot.waitUntil(lambda: len(renderer.calls) == 1, timeout=5000)
    live.submit(focused(2.0))
    qtbot.waitUntil(lambda: len(renderer.calls) == 2, timeout=2000)
    renderer.seconds = 0.0
    with qtbot.waitSignal(live.finished, timeout=5000) as caught:
        live.submit(dataclasses.replace(focused(3.0), drag=1))
    assert caught.args[0].request.scene.microscope.focus_um == 3.0


@pytest.mark.parametrize("drag", [0, 1])
def test_slow_full_images_come_however_fast_others_are_asked_for(qtbot, live, renderer, drag):
    """Neither keys that repeat at rest nor a drag without previews starves."""
    renderer.seconds = 0.4
    seen = []
    live.finished.connect(seen.append)
    begun = time.monotonic()
    while not seen and time.monotonic() < begun + 5:
        live.submit(dataclasses.replace(focused(time.monotonic() - begun), drag=drag))
        qtbot.wait(20)
    assert seen, "no picture came"
    left = 0 if drag else 3
    assert len(renderer.calls) in (left + 1, left + 2)
    live.stop()


def test_it_starts_again_after_a_stop_and_forgets_what_was_finished_before(qtbot, live, renderer):
    live.submit(focused(1.0))
    time.sleep(0.2)  # the picture is finished, and waits for the GUI thread
    assert renderer.calls
    live.stop()
    with qtbot.waitSignal(live.finished, timeout=5000) as caught:
        live.submit(focused(2.0))
    assert caught.args[0].request.scene.microscope.focus_um == 2.0


def test_synchronous_mode_renders_inside_submit(qapp, monkeypatch):
    monkeypatch.setenv("OSOG_SYNC", "1")
    renderer, seen = FakeRenderer(), []
    live = picture_worker(lambda device: renderer)
    live.finished.connect(seen.append)
    live.submit(focused(2.5))
    assert seen[0].image[1, 1] == 2.5 and not live.running


def test_masks_are_not_made_again_while_only_the_optics_move(qtbot, live, renderer):
    wanted = []
    plain = renderer.render
    renderer.render = lambda *a, outputs=(), **k: (wanted.append(list(outputs)), plain(*a, **k))[1]
    for k in range(2):
        request = focused(float(k))
        with qtbot.waitSignal(live.finished, timeout=5000) as caught:
            live.submit(Request(request.scene, masks=True, outlines=True))
        assert caught.args[0].instances.shape == (32, 40)
        assert len(caught.args[0].outlines) == 5
    assert wanted == [["image", "instances"], ["image"]]
