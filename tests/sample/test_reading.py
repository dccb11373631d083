"""What is read of a scene is recorded, whoever else records at the same time."""

from __future__ import annotations

import pytest
import torch

from osog.sample import Values
from osog.scene import Scene

SCENE = Scene.parse({"microscope": {"modality": {"kind": "dic"}, "numerical_aperture": 0.5}})


@pytest.fixture
def values() -> Values:
    return Values(SCENE, {"microscope.focus_um": torch.tensor(1.0)})


def test_an_outer_record_goes_on_after_an_inner_one(values: Values) -> None:
    with values.recorded() as outer:
        with values.recorded() as inner:
            assert float(values.medium.index) > 1
        assert float(values.microscope.numerical_aperture) == 0.5
    assert outer.has(("medium", "index")) and inner.has(("medium", "index"))
    assert outer.has(("microscope", "numerical_aperture"))
    assert not inner.has(("microscope", "numerical_aperture"))


def test_what_is_worked_out_late_depends_on_what_it_was_made_from(values: Values) -> None:
    late = values.replaced({"medium": {"index": lambda: 2 * values.microscope.focus_plane_um}})
    assert float(late.medium.index) == 2.0
    with values.recorded() as reading:
        assert float(late.medium.index) == 2.0
        assert float(late.microscope.numerical_aperture) == 0.5
    assert reading.has(("microscope", "focus_um"))
    assert reading.has(("microscope", "numerical_aperture"))
    assert not reading.has(("medium", "index"))


def test_classes_and_switches_are_facts(values: Values) -> None:
    with values.recorded() as reading:
        assert values.microscope.modality.wave == "scalar"
        assert values.camera is None
    assert reading.holds_for(SCENE)
    for change in ({"modality": {"kind": "polarized"}}, {"modality": {"kind": "confocal"}}):
        assert not reading.holds_for(Scene.parse({"microscope": change}))
    assert not reading.holds_for(SCENE.updated({"camera": {}}))
