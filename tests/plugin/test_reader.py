"""Scene files, samples, the command line and the preferences."""

from __future__ import annotations

import numpy as np
import pytest

from napari_osog.__main__ import main
from napari_osog._settings import setting
from napari_osog.panels.header import carried_scene
from napari_osog.reader import get_reader
from napari_osog.samples import cell_twin, crystals_dic
from osog.scene import Grid, SceneError
from osog.scene.parameters import replaced

from .conftest import a_scene


def test_a_scene_file_opens_as_its_render_and_can_be_edited_again(tmp_path):
    from napari.layers import Image

    path = tmp_path / "mine.osog.yaml"
    a_scene().save(path)
    reader = get_reader(str(path))
    ((data, options, kind),) = reader(str(path))
    assert kind == "image" and data.dtype == np.float32 and data.shape == (32, 40)
    layer = Image(data, **options)
    assert layer.name == "mine" and layer.scale.tolist() == [0.5, 0.5]
    scene, seed = carried_scene(layer)
    assert scene == a_scene() and seed == 0


@pytest.mark.parametrize(
    ("changes", "shape", "axes", "scale", "first"),
    [
        ({"microscope.focus_um": [-1.0, 0.0, 1.0]}, (3, 32, 40), "zyx", 1.0, -1.0),
        ({"series.frames": 2, "series.interval_s": 0.2}, (2, 32, 40), "tyx", 0.2, 0.0),
        ({"camera.colour": "rgb"}, (32, 40, 3), "yx", 0.5, 0.0),
        (
            {"microscope.focus_um": [2.0, 4.0], "series.frames": 3, "camera.colour": "bayer"},
            (3, 2, 32, 40, 3), "tzyx", 0.1, 0.0,
        ),
    ],
)  # fmt: skip
def test_stacks_series_and_colours_open_with_their_axes(
    tmp_path, changes, shape, axes, scale, first
):
    from napari.layers import Image

    path = tmp_path / "more.osog.yaml"
    scene = replaced(a_scene(), changes)
    scene.save(path)
    ((data, options, _),) = get_reader(str(path))(str(path))
    layer = Image(data, **options)
    assert layer.data.shape == shape and tuple(layer.axis_labels) == tuple(axes)
    assert layer.scale.tolist()[-2:] == [0.5, 0.5] and layer.scale[0] == scale
    assert layer.translate[0] == first
    names = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
    assert [str(u) for u in layer.units] == [names[a] for a in axes]
    colour = shape[-1] == 3
    assert layer.rgb == colour
    assert data.max() <= 1 if colour else data.max() > 1, "napari takes colours from 0 to 1"
    assert carried_scene(layer) == (scene, 0)


def test_other_files_are_left_to_other_readers():
    assert get_reader("image.tif") is None
    assert get_reader("settings.yaml") is None
    assert get_reader(["a.osog.yaml", "b.tif"]) is None
    assert get_reader([]) is None


def test_a_corrupt_scene_file_is_named_in_one_sentence(tmp_path):
    path = tmp_path / "broken.osog.yaml"
    path.write_text("microscope: {numerical_aperture: 7}")
    with pytest.raises(SceneError, match=r"broken\.osog\.yaml: microscope: numerical_aperture = 7"):
        get_reader(str(path))(str(path))


def test_the_rendered_sample_is_calibrated(monkeypatch):
    from osog import presets

    small = presets.load("lysozyme-dic").model_copy(
        update={"grid": Grid(shape=(64, 64), pixel_size_um=0.3)}
    )
    monkeypatch.setattr(presets, "load", lambda name: small)
    ((data, options, kind),) = crystals_dic()
    assert kind == "image" and options["scale"] == (0.3, 0.3) and data.shape == (64, 64)


def test_the_twin_lies_where_the_cell_lies():
    body = cell_twin().populations[0].particles[0]
    assert (body.x_um, body.y_um) == pytest.approx((429 * 0.107, 375 * 0.107))


def test_a_file_that_is_not_there_is_said_and_no_window_opens(capsys):
    assert main(["nowhere.tif"]) == 2
    assert capsys.readouterr().err == "There is no file nowhere.tif.\n"


def test_preferences_have_defaults_without_napari_knowing_the_plugin(monkeypatch):
    import napari.settings

    def unknown(name):
        raise KeyError(name)

    monkeypatch.setattr(napari.settings, "get_plugin_settings", unknown)
    assert (setting("device"), setting("max_fps"), setting("preview")) == ("auto", 30, True)
