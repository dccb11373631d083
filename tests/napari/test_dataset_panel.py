"""The Dataset panel in a real window: a preview, a dataset, a stop, and labels as layers."""

from __future__ import annotations

import numpy as np
import pytest

from napari_osog.layers.dataset_labels import BOXES, MASKS, SAMPLES
from napari_osog.panels.dataset import DatasetPanel
from osog.datasets import read_manifest

pytestmark = pytest.mark.viewer


@pytest.fixture
def panel(opened):
    viewer, _, _, wait = opened
    made = DatasetPanel(viewer)
    viewer.window.add_dock_widget(made, name="Dataset")
    yield made, viewer, wait
    made.worker.stop()


def test_a_preview_shows_samples_with_their_labels(panel) -> None:
    made, viewer, wait = panel
    assert "beads" in made.introduction.text()
    assert not made.large_button.isVisibleTo(made)
    made.preview_button.click()
    assert not made.write_button.isEnabled() and made.stop_button.isEnabled()
    wait.until(lambda: not made.running)
    picture = made.sheet.pixmap().toImage()
    assert picture.width() > 100 and picture.height() > 100
    assert "9 samples" in made.status.text() and not made.fault.isVisibleTo(made)
    before = len(viewer.layers)
    made.large_button.click()
    made.large_button.click()  # renewed, not doubled
    assert len(viewer.layers) == before + 1
    grid, layer = made.session.scene.grid, viewer.layers[SAMPLES]
    assert layer.extent.world[0, 1] > grid.shape[1] * grid.pixel_size_um
    assert layer.data.shape[1] * layer.scale[1] >= 3 * grid.shape[1] * grid.pixel_size_um


def test_a_dataset_is_written_and_gone_on_with(panel, tmp_path, monkeypatch) -> None:
    made, viewer, wait = panel
    ticked = {name: tick.isChecked() for name, tick in made.formats.items()}
    for tick in made.formats.values():
        tick.setChecked(False)
    made.write_button.click()
    assert made.fault.text() == "Tick a format." and not made.running
    for name, tick in made.formats.items():
        tick.setChecked(ticked[name])
    made.folder.setText(str(tmp_path / "data"))
    made.count.setValue(3)
    made.write_button.click()
    wait.until(lambda: not made.running)
    assert "3 images are in" in made.status.text(), made.fault.text()
    recipe, manifest = read_manifest(tmp_path / "data")
    assert manifest["samples"] == 3 and recipe.formats == ("yolo-obb",)
    made.controller.session.change({"microscope.focus_um": 1.0})
    made.write_button.click()
    wait.until(lambda: not made.running)
    assert "begun with another scene" in made.fault.text()
    # A new panel names a folder that is not there.
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    (tmp_path / "osog-dataset").mkdir()
    second = DatasetPanel(viewer)
    assert second.folder.text() == str(tmp_path / "osog-dataset-2")
    second.worker.stop()


def test_stop_acts_at_once_and_keeps_what_is_whole(panel, tmp_path) -> None:
    made, _, wait = panel
    made.folder.setText(str(tmp_path / "data"))
    made.count.setValue(5000)
    made.write_button.click()
    wait.until(lambda: made._done.done > 0)
    made.stop_button.click()
    made.controller.session  # the panel stays in use while it stops
    wait.qtbot.waitUntil(lambda: not made.running, timeout=3000)
    assert made.status.text().startswith("Stopped at")
    assert not (tmp_path / "data" / "manifest.json").exists()


def test_labels_of_the_frame_become_layers(panel) -> None:
    made, viewer, wait = panel
    own = viewer.add_image(np.zeros((4, 4)), name="mine")
    for _ in range(2):  # a second time renews them
        made.frame_button.click()
        wait.until(lambda: not made.running)
    boxes, masks = viewer.layers[BOXES], viewer.layers[MASKS]
    particles = len(made.session.picture.population)
    assert 0 < len(boxes.data) <= particles
    assert list(boxes.features["object"]) == list(range(1, len(boxes.data) + 1))
    assert set(np.unique(masks.data)) <= set(range(len(boxes.data) + 1))
    assert own in viewer.layers and len([x for x in viewer.layers if BOXES in x.name]) == 1
    assert tuple(boxes.scale) == pytest.approx((0.2, 0.2))
