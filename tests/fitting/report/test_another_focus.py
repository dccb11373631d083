"""A picture that the report asks for determines what it says."""

from __future__ import annotations

import re

import pytest

import osog
from osog.scene.parameters import replaced

NAMES = ("particles[0].radius_um", "particles[0].index")


@pytest.fixture
def in_focus(sphere_scene):
    return replaced(sphere_scene(), {NAMES[0]: 0.25, NAMES[1]: 1.36, "microscope.focus_um": 0.3})


def fitted(scene):
    counts = osog.render(scene, seed=4).image.numpy()
    return osog.fit(counts, scene, NAMES, start="scene", optics="exact")


def suggestion(result):
    return next((w for w in result.warnings if w.startswith("A picture with the focus")), "")


def test_another_focus_is_named_with_the_deviations_that_it_gives(in_focus):
    result = fitted(in_focus)
    assert set(NAMES) <= set(result.undetermined)
    words = re.fullmatch(
        r"A picture with the focus ([0-9.]+) µm (higher|lower) would determine "
        r"particles\[0\]\.radius_um to ± ([0-9.e-]+) µm, particles\[0\]\.index to ± ([0-9.e-]+), "
        r"([0-9.e+]+) times better than this one\.",
        suggestion(result),
    )
    assert words, result.warnings
    step = float(words[1]) * (1 if words[2] == "higher" else -1)
    there = fitted(replaced(in_focus, {"microscope.focus_um": 0.3 + step}))
    # Foretold at the numbers that this picture gives, which hardly determines them.
    for name, told in zip(NAMES, words.groups()[2:4], strict=True):
        assert 1 / 2.5 < there.sigma[name] / float(told) < 2.5, name
        assert there.sigma[name] < result.sigma[name] / 1.5
    assert not suggestion(there) or float(words[5]) > 1.5


def test_nothing_is_suggested_where_everything_is_determined(in_focus):
    plain = replaced(in_focus, {NAMES[0]: 0.6, NAMES[1]: 1.42, "microscope.focus_um": 2.0})
    result = fitted(plain)
    assert not result.undetermined
    assert not suggestion(result)
