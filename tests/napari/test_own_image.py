"""A micrograph of the user's own: opened, asked about, and its twin beside it."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.layers import Image

import osog
from napari_osog.micrographs import calibrate
from napari_osog.own_image import (
    begun,
    camera_of,
    grey_copy,
    is_opened,
    picture_levels,
    typical_body,
)
from osog.scene import MODALITY_TITLES, Brightfield, Scene

MICROMETRES = ["micrometer", "micrometer"]


def units(layer):
    return [str(unit) for unit in layer.units]


def noise(*shape):
    return np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)


@pytest.mark.parametrize("kind", MODALITY_TITLES)
def test_a_twin_begins_with_one_sphere_in_the_middle_or_with_the_sample_there_is(kind):
    image = noise(60, 80)
    named, camera = {"medium.name": "glycerol"}, camera_of(picture_levels(image), kind)
    scene = begun(Scene(), kind, image, 0.2, named, keep_sample=False, camera=camera)
    (population,) = scene.populations
    (particle,) = population.particles
    assert scene.microscope.modality.kind == kind and scene.grid.shape == (60, 80)
    assert (particle.x_um, particle.y_um) == pytest.approx((39.5 * 0.2, 29.5 * 0.2))
    assert population.material.index > scene.medium.index > 1.46
    assert (scene.camera is None) == scene.microscope.modality.measures_phase
    if scene.microscope.modality.condenser:
        assert scene.microscope.condenser_numerical_aperture > 0, "no coherent light at rest"
    kept = begun(scene, kind, noise(100, 40), 0.2, {}, keep_sample=True)
    (particle,) = kept.populations[0].particles
    assert (particle.x_um, particle.y_um) == pytest.approx((39.5 * 0.2 - 4.0, 29.5 * 0.2 + 4.0))


def test_a_twin_has_the_level_and_the_noise_of_its_micrograph():
    grey = 900 + 30 * np.random.default_rng(2).standard_normal((90, 70))
    image = np.round(grey).astype(np.uint16)
    camera = camera_of(picture_levels(image), "brightfield")
    asked_of = Scene(camera={"model": "Hamamatsu ORCA-Flash4.0 V3", "target_counts": 300.0})
    asked_of = asked_of.model_copy(
        update={"microscope": asked_of.microscope.model_copy(update={"modality": Brightfield()})}
    )
    for before, keep in ((Scene(), False), (asked_of, True)):
        scene = begun(before, "brightfield", image, 0.1, {}, keep_sample=keep, camera=camera)
        twin = osog.render(scene.updated({"microscope.source_points": 1}), seed=1).image.numpy()
        corner = twin[:20, :20]
        assert corner.mean() == pytest.approx(900, rel=0.02)
        assert corner.std() == pytest.approx(30, rel=0.15)
        assert scene.camera.bit_depth == 10
    assert camera_of(picture_levels(image - 950.5), "brightfield") is None, "no grey levels"
    assert camera_of(picture_levels(image), "phase") is None


SPHERES = [
    ("brightfield", 0.05, 3.0), ("brightfield", 0.05, -3.0), ("brightfield", 0.02, 0.5),
    ("phase", 0.01, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "contrast", "focus"), SPHERES)
def test_the_first_sphere_stands_out_as_much_as_those_of_the_micrograph(kind, contrast, focus):
    def picture(scene):
        if scene.microscope.modality.condenser:
            scene = scene.updated({"microscope.source_points": 4})
        image = osog.render(scene, seed=0).image.numpy()
        return image, typical_body(image)

    blank = np.ones((120, 120), np.float32)
    camera = None
    if kind != "phase":
        camera = camera_of(picture_levels(np.round(100 + 2 * noise(120, 120) / 255)), kind)
    real = begun(Scene(), kind, blank, 0.15, {}, keep_sample=False, camera=camera)
    index = real.medium.index + contrast
    name = "populations.particle"
    real = real.updated(
        {f"{name}.material.index": index, f"{name}.shape.radius_um": 1.2,
         "microscope.focus_um": focus, f"{name}.particles[0].x_um": 6.0}
    )  # fmt: skip
    image, body = picture(real)
    assert body is not None
    begins = begun(Scene(), kind, image, 0.15, {}, keep_sample=False, camera=camera, body=body)
    radius = begins.populations[0].shape.radius_um
    assert 0.5 < radius / 1.2 < 2.0
    twin = picture(begins)[1]
    assert twin is not None
    assert 0.4 < twin.strongest / body.strongest < 2.5
    assert np.sign(twin.contrast) == np.sign(body.contrast)


def test_a_layer_gets_its_micrometres_once():
    layer = Image(np.zeros((3, 8, 9)), scale=(5, 2, 2), translate=(0, 4, 6))
    calibrate(layer, 0.1)
    assert layer.scale.tolist() == [5, 0.1, 0.1]
    assert layer.translate.tolist() == pytest.approx([0, 0.2, 0.3])
    assert units(layer) == ["pixel", *MICROMETRES]
    calibrate(layer, 0.7)
    assert layer.scale.tolist() == [5, 0.1, 0.1], "a length is a length"


def test_renders_samples_and_arrays_are_not_asked_about():
    assert not is_opened(Image(noise(8, 9)))
    assert not is_opened(Image(noise(8, 9), metadata={"osog": {}}))


def test_a_grey_copy_lies_where_the_colours_lie():
    colours = noise(8, 9, 3)
    data, options = grey_copy(Image(colours, rgb=True, name="a", scale=(2, 2), translate=(1, 3)))
    assert np.allclose(data, colours.mean(axis=-1))
    grey = Image(data, **options)
    assert grey.name == "a grey" and grey.scale.tolist() == [2, 2]
    assert grey.translate.tolist() == [1, 3]


@pytest.mark.viewer
def test_a_file_is_shown_alone_asked_about_and_gets_its_twin(opened, tmp_path):
    viewer, panel, _, wait = opened
    session, card = panel.session, panel.own_image
    session.history.clear()  # as in a new window
    registry = panel.controller.viewer_layers.registry
    image = noise(48, 64)
    tifffile.imwrite(tmp_path / "mine.tif", image)
    (mine,) = viewer.open(tmp_path / "mine.tif")
    wait.until(lambda: session.asked is not None)
    assert not card.isHidden() and not registry.layer("image").visible
    assert session.target is registry.session.asked and mine.visible
    card.show_button.click()
    assert "pixel size is needed" in card.problem.text()
    card.lines["pixel_size_um"].setText("0,25")
    card.show_button.click()
    assert card.problem.text().startswith("Choose the modality")
    card.modality.choose("hologram")
    card.lines["numerical_aperture"].setText("70")
    before = session.scene
    card.show_button.click()
    assert "NA must lie between" in card.problem.text() and session.scene is before
    card.lines["numerical_aperture"].clear()
    card.picks["microscope.objective"].choose("Evident UPLXAPO20X")
    card.show_button.click()
    picture = wait.settled()
    assert session.asked is None and registry.layer("image").visible
    assert picture.image.shape == (48, 64) and session.view.compare == "beside"
    assert session.scene.microscope.modality.kind == "hologram"
    assert session.scene.microscope.numerical_aperture == 0.8
    assert "NA 0.8 (entered by hand)" in panel.compare.sources.text()
    assert "wavelength unknown: using 550 nm" in panel.compare.sources.text()
    assert mine.scale.tolist() == [0.25, 0.25] and units(mine) == MICROMETRES
    assert units(registry.layer("image")) == MICROMETRES
    assert registry.layer("image").contrast_limits == mine.contrast_limits
    exposure = panel.row("camera.background_electrons")
    assert exposure.source.startswith("from the picture: level ")
    assert "camera from the picture: level " in panel.compare.sources.text()
    panel.row("camera.bit_depth").spin.setValue(12)
    assert exposure.source and not panel.row("camera.bit_depth").source, "a number of one's own"
    session.undo()
    assert np.array_equal(mine.data, image) and mine.metadata == {}
    session.undo()
    assert session.scene is before and not session.history.can_undo, "one step"
    session.redo()
    panel.own_image.compare_pressed.emit()
    assert session.view.compare == "wipe"
    (other,) = viewer.open(tmp_path / "mine.tif")
    wait.until(lambda: session.asked is not None)
    viewer.layers.remove(other.name)
    assert session.asked is None and card.isHidden(), "nobody is asked about what is gone"
