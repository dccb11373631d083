"""Undo, drags, particles by hand, and what happens to the session when its viewer goes."""

from __future__ import annotations

import gc

import pytest

from napari_osog.session import Session
from napari_osog.viewers import shared
from osog.sample import sample
from osog.scene import Scene, SceneError

from .conftest import a_scene


def test_each_change_is_one_undo_step_and_redo_takes_it_again():
    session = Session(a_scene())
    session.change({"microscope.focus_um": 1.0})
    session.change({"microscope.focus_um": 2.0})
    session.undo()
    assert session.scene.microscope.focus_um == 1.0
    session.undo()
    assert session.scene.microscope.focus_um == 0.0
    assert not session.history.can_undo
    session.redo()
    session.redo()
    assert session.scene.microscope.focus_um == 2.0
    assert not session.history.can_redo


def test_undo_does_not_go_behind_the_beginning():
    session = Session(a_scene())
    with session.beginning():
        session.change({"microscope.focus_um": 1.0})
    assert not session.history.can_undo
    session.change({"microscope.focus_um": 2.0})
    session.undo()
    assert session.scene.microscope.focus_um == 1.0 and not session.history.can_undo


def test_a_drag_is_one_undo_step():
    session = Session(a_scene())
    with session.dragging():
        for k in range(50):
            session.change({"microscope.focus_um": k / 10})
    session.undo()
    assert session.scene.microscope.focus_um == 0.0
    assert not session.history.can_undo


def test_a_drag_that_returns_to_its_start_is_no_step():
    session = Session(a_scene())
    with session.dragging():
        session.change({"microscope.focus_um": 3.0})
        session.change({"microscope.focus_um": 0.0})
    assert not session.history.can_undo


def test_a_new_change_forgets_what_could_be_redone():
    session = Session(a_scene())
    session.change({"microscope.focus_um": 1.0})
    session.undo()
    session.change({"microscope.focus_um": 5.0})
    assert not session.history.can_redo


def test_an_invalid_change_says_why_and_changes_nothing():
    session = Session(a_scene())
    before, heard = session.scene, []
    session.scene_changed.connect(heard.append)
    with pytest.raises(SceneError, match="immersion"):
        session.change({"microscope.numerical_aperture": 1.2})
    assert session.scene is before and not session.history.can_undo and not heard


def test_undo_brings_back_seed_and_preset_too():
    session = Session(a_scene(), seed=1)
    session.set_scene(a_scene(camera=None), seed=7, preset="other")
    session.undo()
    assert (session.seed, session.preset) == (1, "")


def test_a_negative_seed_is_refused_in_words():
    with pytest.raises(SceneError, match="seed = -1"):
        Session(a_scene()).reseed(-1)


def test_moving_a_drawn_particle_moves_that_one_alone():
    session = Session(a_scene(), seed=4)
    before = sample(session.scene, 4).position
    session.move_particles({2: (3.25, 7.5)})
    after = sample(session.scene, 4).position
    assert after[2, :2].tolist() == [3.25, 7.5]
    assert after[2, 2] == before[2, 2]
    assert (after[[0, 1, 3, 4]] == before[[0, 1, 3, 4]]).all()


def test_removing_and_adding_particles():
    session = Session(a_scene(), seed=4)
    before = sample(session.scene, 4).position
    session.remove_particles({0, 3})
    assert (sample(session.scene, 4).position == before[[1, 2, 4]]).all()
    session.add_particles("beads", [(1.0, 2.0)])
    assert sample(session.scene, 4).position[-1, :2].tolist() == [1.0, 2.0]
    with pytest.raises(SceneError, match="'rods' is not a population; there is beads"):
        session.add_particles("rods", [(0.0, 0.0)])


def test_freeing_a_parameter_is_heard():
    session, heard = Session(a_scene()), []
    session.events.free.connect(heard.append)
    session.set_free("microscope.focus_um", True)
    session.set_free("microscope.focus_um", True)
    session.set_free("microscope.focus_um", False)
    assert heard == [frozenset({"microscope.focus_um"}), frozenset()]


def test_who_hears_of_one_change_of_the_view_finds_all_done_and_equal_ones_are_not_told():
    view, heard, wipes = Session(a_scene()).view, [], []

    class Ear:
        def any(self):
            heard.append((view.compare, view.wipe))

        def wipe(self, value):
            wipes.append(value)

    ear = Ear()
    view.events.connect(ear.any)
    view.events.wipe.connect(ear.wipe)
    view.update(compare="wipe", wipe=0.25)
    view.update(compare="wipe", wipe=0.25)
    assert heard == 2 * [("wipe", 0.25)] and wipes == [0.25]
    view.tiles = 4
    assert len(heard) == 3
    with pytest.raises(TypeError, match="zoom"):
        view.update(zoom=2)


class _Viewer:
    pass


class _Proxy:
    def __init__(self, wrapped):
        self.__wrapped__ = wrapped


def test_a_viewer_and_every_proxy_of_it_share_one_object_that_goes_with_the_viewer():
    from napari_osog import viewers as module

    viewer = _Viewer()
    first = shared(viewer, object)
    assert shared(_Proxy(viewer), object) is first
    assert shared(_Viewer(), object) is not first
    key = id(viewer)
    assert key in module._SHARED
    del viewer
    gc.collect()
    assert key not in module._SHARED


def test_a_number_that_is_moved_keeps_its_law():
    scene = Scene.parse(
        {
            "microscope": {"focus_um": {"law": "uniform", "low": -1.0, "high": 1.0}},
            "populations": [{"shape": {"kind": "sphere", "radius_um": 1.0}, "count": 2}],
        }
    )
    session = Session(scene)
    session.change({"microscope.focus_um": 3.0})
    assert session.scene.microscope.focus_um == 3.0
    assert session.scene.law("microscope.focus_um").support == (2.0, 4.0)
    session.undo()
    assert session.scene == scene
    session.change({"microscope.numerical_aperture": 0.4})
    assert session.scene.law("microscope.focus_um").support == (-1.0, 1.0)
