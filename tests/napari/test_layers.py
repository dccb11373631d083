"""Colour, stacks, series and fields in a real viewer: layers are made once, and none is lost."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from osog import Renderer, Scene, render
from osog.scene.parameters import replaced

from .conftest import small_scene

pytestmark = pytest.mark.viewer


def test_colour_and_grey_take_turns_without_losing_contrast_or_other_layers(opened):
    viewer, panel, _, wait = opened
    viewer_layers = panel.controller.viewer_layers
    mine = viewer.add_image(np.random.default_rng(0).random((20, 20)), name="mine", visible=False)
    grey = viewer_layers.registry.layer("image")
    viewer.layers.selection.active = grey
    grey.contrast_limits = (3.0, 77.0)
    grey.gamma = 1.5
    panel.session.change({"camera.colour": "rgb"})
    wait.settled()
    colour = viewer_layers.registry.layer("image")
    assert colour is not grey and colour.rgb and colour.data.shape == (64, 80, 3)
    assert colour.data.dtype == np.float32 and 0 <= colour.data.min() <= colour.data.max() <= 1
    assert colour.name == "OSOG colour" and colour.visible and not grey.visible
    assert colour.scale.tolist() == [0.2, 0.2]
    assert viewer.layers.selection.active == colour, "what was chosen stays chosen"
    assert viewer_layers.compared.render_plane().shape == (64, 80), "comparisons are grey"
    array = colour.data
    panel.session.change({"microscope.focus_um": 3.0})
    wait.settled()
    assert colour.data is array, "one layer, reused"
    panel.show_section.shown["irradiance"].click()
    wait.until(lambda: panel.session.picture.request.shown == "irradiance")
    assert viewer_layers.registry.layer("image") is colour and colour.data.max() > 0.5, (
        "light before the camera"
    )
    panel.show_section.shown["image"].click()
    panel.session.change({"camera.colour": "monochrome"})
    wait.settled()
    assert viewer_layers.registry.layer("image") is grey and grey.visible and not colour.visible
    assert grey.contrast_limits == [3.0, 77.0] and grey.gamma == 1.5
    panel.session.change({"camera.colour": "bayer"})
    wait.settled()
    assert viewer_layers.registry.layer("image") is colour and colour.visible
    assert mine in viewer.layers and not mine.visible
    assert [layer.name for layer in viewer.layers].count("OSOG colour") == 1
    assert [layer.name for layer in viewer_layers.registry.micrographs()] == ["mine"], (
        "ours are no micrographs"
    )
    # A stack in colour is a layer of its own.
    panel.controller.render_sequence(
        replaced(panel.session.scene, {"microscope.focus_um": [0, 1.5]})
    )
    wait.until(lambda: viewer_layers.registry.layer("sequence colour") is not None)
    layer = viewer_layers.registry.layer("sequence colour")
    assert layer.rgb and layer.data.shape == (2, 64, 80, 3)
    assert layer.scale.tolist() == [1.5, 0.2, 0.2] and layer.data.max() <= 1
    assert viewer_layers.registry.layer("sequence") is None


def test_the_slider_of_the_viewer_walks_through_stacks_and_series(opened):
    viewer, panel, _, wait = opened
    viewer_layers, section = panel.controller.viewer_layers, panel.sequence
    section.planes.show_planes((-2.0, 0.0, 2.0, 4.0))
    section.stack_button.click()
    assert "4 planes" in section.status.text() and not section.stack_button.isEnabled()
    wait.until(lambda: viewer_layers.registry.layer("sequence") is not None)
    layer = viewer_layers.registry.layer("sequence")
    assert layer.data.shape == (4, 64, 80) and section.stack_button.isEnabled()
    assert layer.scale.tolist() == [2.0, 0.2, 0.2] and layer.translate.tolist() == [-2.0, 0.0, 0.0]
    assert tuple(layer.axis_labels) == ("z", "y", "x")
    assert [str(u) for u in layer.units] == ["micrometer"] * 3
    assert tuple(viewer.dims.axis_labels) == ("z", "y", "x")
    assert viewer.dims.nsteps[0] == 4 and viewer.dims.current_step[0] == 2
    assert viewer.dims.point[0] == 2.0
    assert len(np.unique(layer.data.reshape(4, -1), axis=0)) == 4
    assert layer.metadata["osog"]["scene"]["microscope"]["focus_um"] == [-2.0, 0.0, 2.0, 4.0]
    assert layer.visible and viewer_layers.registry.layer("image").visible
    section.stack_button.click()
    panel.session.change({"microscope.focus_um": 1.0})
    wait.settled()
    assert not layer.visible, "the hand wants to see the live image"
    wait.until(section.stack_button.isEnabled)
    assert not layer.visible, "a stack that comes late does not cover it"
    panel.session.change({"grid.shape": (56, 80)})  # the view is fitted to the plane
    wait.settled()
    assert (
        viewer_layers.registry.layer("image").data.shape == (56, 80) and panel.session.status == ""
    )
    panel.session.undo()
    viewer.add_image(np.zeros((5, 6, 9, 9)), name="mine")  # more axes than any of ours
    panel.session.change({"grid.shape": (48, 80)})
    wait.settled()
    viewer.layers.remove("mine")
    panel.session.undo()
    wait.settled()
    panel.session.change(
        {"series.frames": 3, "populations.beads.motion.flow_um_per_s": (8.0, 0.0, 0.0)}
    )
    section.series_button.click()
    wait.until(lambda: layer.visible)
    assert viewer_layers.registry.layer("sequence") is layer and layer.data.shape == (3, 64, 80)
    assert tuple(layer.axis_labels) == ("t", "y", "x") and str(layer.units[0]) == "second"
    assert layer.scale[0] == pytest.approx(0.1) and viewer.dims.current_step[0] == 0
    assert np.abs(layer.data[2] - layer.data[0]).mean() > 3 * np.sqrt(layer.data.mean()) / 50


def test_phase_and_amplitude_are_layers_on_demand(opened):
    _, panel, _, wait = opened
    viewer_layers = panel.controller.viewer_layers
    panel.show_section.shown["irradiance"].click()
    panel.show_section.layers["phase"].setChecked(True)
    panel.show_section.layers["amplitude"].setChecked(True)
    wait.until(lambda: viewer_layers.registry.layer("amplitude") is not None)
    phase, amplitude = (
        viewer_layers.registry.layer("phase"),
        viewer_layers.registry.layer("amplitude"),
    )
    assert phase.name == "OSOG phase" and np.abs(phase.data).max() <= np.pi + 1e-6
    # An inline hologram is the squared modulus of the field behind it.
    np.testing.assert_allclose(
        amplitude.data**2, viewer_layers.registry.layer("image").data, rtol=1e-3, atol=1e-3
    )
    before = amplitude.data.copy()
    panel.session.change({"microscope.focus_um": 4.0})
    wait.settled()
    assert viewer_layers.registry.layer("amplitude") is amplitude and not np.array_equal(
        amplitude.data, before
    )
    panel.session.change({"microscope.modality": {"kind": "fluorescence"}})
    wait.settled()
    assert not phase.visible and not amplitude.visible
    panel.session.undo()
    wait.settled()
    assert phase.visible and amplitude.visible
    panel.show_section.layers["phase"].setChecked(False)
    assert not phase.visible and amplitude.visible


def test_a_new_layer_takes_its_place_without_moving_others(opened):
    viewer, panel, _, wait = opened
    panel.session.view.update(particles=True)
    wait.settled()
    moved = []
    viewer.layers.events.moved.connect(lambda event: moved.append(event.value))
    panel.session.view.update(masks=True, phase=True)
    registry = panel.controller.viewer_layers.registry
    wait.until(lambda: registry.layer("masks") is not None and registry.layer("phase") is not None)
    names = [layer.name for layer in viewer.layers]
    assert names == ["OSOG", "OSOG phase", "OSOG masks", "OSOG particles"]
    assert not moved


def test_a_scene_file_is_rendered_while_the_window_goes_on(opened, tmp_path, monkeypatch):
    viewer, _, _, wait = opened
    path, go, threads = tmp_path / "dropped.osog.yaml", threading.Event(), []
    scene = replaced(small_scene(), {"series.frames": 2, "series.interval_s": 0.5})
    scene.save(path)
    whole = Renderer.render

    def held(*args, **options):
        threads.append(threading.current_thread())
        go.wait(60)
        return whole(*args, **options)

    monkeypatch.setattr(Renderer, "render", held)
    (layer,) = viewer.open(path, plugin="napari-osog")
    assert layer.data.shape == (2, 64, 80) and not layer.data.any(), "nothing was waited for"
    go.set()
    wait.until(lambda: layer.data.any())
    assert np.array_equal(layer.data, render(scene, seed=0).image.numpy())
    low, high = layer.contrast_limits
    assert 1 < low < layer.data.mean() < high, "the limits are those of the image"
    assert layer.metadata["osog"]["explain"] and layer.scale[0] == 0.5
    assert threads[0] is not threading.main_thread()
    wait.until(lambda: "osog-open" not in {each.name for each in threading.enumerate()})


def test_a_scene_file_that_cannot_be_rendered_leaves_no_black_layer(opened, tmp_path):
    viewer, _, _, wait = opened
    crowd = small_scene().to_dict()
    crowd["populations"][0] |= {"count": 3000, "placement": {"law": "non_overlapping", "z_um": 0}}
    Scene.model_validate(crowd).save(tmp_path / "crowd.osog.yaml")
    before = len(notification_manager.records)
    viewer.open(tmp_path / "crowd.osog.yaml", plugin="napari-osog")
    wait.until(lambda: len(notification_manager.records) > before)
    (told,) = list(notification_manager.records)[before:]
    assert "crowd" in told.message and "do not fit without overlap" in told.message
    wait.until(lambda: "crowd" not in viewer.layers)
