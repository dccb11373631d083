"""Whatever searches or fits can be stopped within a second, whenever it is asked to."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
import scipy.stats  # what is imported once keeps nobody waiting later  # noqa: F401

import osog
from helpers.beads import scene_of
from osog.cancellation import Cancelled, cancellable
from osog.fitting.starts.template_matching import KEPT

BEADS = ((1.9, 2.1, 0.3, 0.45, 1.44), (5.4, 2.4, -0.8, 0.55, 1.42), (3.5, 5.5, 0.0, 0.5, 1.46))
FREE = ("x_um", "y_um", "z_um", "radius_um")
MOST_CPU_S = 1.0
"""Of the thread that works, so that others on the machine do not count."""


class Stop:
    """A wish to stop that comes at its n-th asking; measures how long the work goes unasked."""

    def __init__(self, after):
        self.after, self.asked, self.longest = after, 0, 0.0
        self._last = time.thread_time()

    def __call__(self):
        self.asked += 1
        now = time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now
        return self.asked >= self.after

    def end(self):
        """What the work still did after it was asked to stop is a wait, too."""
        self.longest = max(self.longest, time.thread_time() - self._last)


@pytest.fixture(scope="module")
def image():
    return osog.render(scene_of(*BEADS), device="cpu", seed=4).image.numpy()


def lone(image):
    """A condenser of twelve directions, as the twin of a micrograph of one's own has it."""
    condenser = {
        "microscope.condenser_numerical_aperture": 0.3, "microscope.source_points": 12
    }  # fmt: skip
    free = [f"particles[0].{name}" for name in FREE]
    scene = scene_of(BEADS[0]).updated(condenser)
    return osog.fit(image, scene, free, start="detect", region=(0, 48, 0, 48))


def crowd(image):
    scene = scene_of(*BEADS).to_dict()
    scene["populations"][0] |= {"particles": None, "count": 3}
    free = {"populations.beads.count": (1.0, 9.0)}
    return osog.calibrate(image, osog.Scene.parse(scene), free, pilot=16, steps=1, renders=2)


WORK = {
    "detect": (lambda image: osog.detect(image, scene_of()), 600),
    "fit": (lone, 3000),
    "fit_many": (lambda image: osog.fit_many(image, scene_of()), 3500),
    "calibrate": (crowd, 250),
}
"""What is done, and the asking at which it is to stop."""


@pytest.mark.parametrize("name", WORK)
def test_what_works_asks_often_and_ends_at_once(name, image):
    work, after = WORK[name]
    KEPT.clear()  # with templates that are there already there is less to stop
    stop, made = Stop(after), None
    with cancellable(stop), suppress(Cancelled):
        made = work(image)
    stop.end()
    assert stop.asked >= after, "it was at work when it was stopped"
    assert stop.longest < MOST_CPU_S
    if name == "fit_many":
        assert 0 < len(made) < 3 or not all(row["converged"] for row in made.rows)
    elif name != "detect":
        assert made.stopped
