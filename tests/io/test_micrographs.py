"""Micrographs are read with the source of every number, and bad files give one sentence."""

from __future__ import annotations

from types import SimpleNamespace

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from ome_types import OME, model

from osog.io import Known, MicrographError, optics_of, read_micrograph, write_image

_RNG = np.random.default_rng(0)
_IMAGE = _RNG.integers(0, 4000, (24, 31)).astype(np.uint16)


def _ome_tiff(path, size=65.0, unit="nm"):
    ome = OME(
        images=[
            model.Image(
                id="Image:0",
                pixels=model.Pixels(
                    id="Pixels:0", dimension_order="XYZCT", type="uint16",
                    size_x=31, size_y=24, size_z=1, size_c=1, size_t=1,
                    physical_size_x=size, physical_size_x_unit=unit,
                    physical_size_y=size, physical_size_y_unit=unit,
                    channels=[
                        model.Channel(
                            id="Channel:0", emission_wavelength=520, emission_wavelength_unit="nm"
                        )
                    ],
                    tiff_data_blocks=[model.TiffData(plane_count=1)],
                ),
                objective_settings=model.ObjectiveSettings(
                    id="Objective:0", refractive_index=1.515
                ),
            )
        ],
        instruments=[
            model.Instrument(
                id="Instrument:0",
                objectives=[
                    model.Objective(
                        id="Objective:0", lens_na=1.4, immersion="Oil", nominal_magnification=63
                    )
                ],
            )
        ],
    )  # fmt: skip
    tifffile.imwrite(path, _IMAGE, description=ome.to_xml().encode(), metadata=None)
    return ome


def test_ome_tiff_gives_every_number_with_its_source(tmp_path):
    _ome_tiff(tmp_path / "a.ome.tif")
    found = read_micrograph(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(found.image, _IMAGE)
    assert found.image.dtype == np.float64
    assert found.name == "a.ome.tif"
    assert found.pixel_size_um == Known(pytest.approx(0.065), "from OME-XML")
    assert found.numerical_aperture == Known(1.4, "from OME-XML")
    assert found.immersion_index == Known(1.515, "from OME-XML")
    assert found.wavelength_um == Known(pytest.approx(0.52), "from OME-XML, emission wavelength")
    assert found.magnification == Known(63.0, "from OME-XML")
    assert found.medium_index is None


def test_imagej_resolution_counts_in_its_own_unit(tmp_path):
    tifffile.imwrite(
        tmp_path / "ij.tif", _IMAGE, imagej=True, resolution=(1 / 0.108, 1 / 0.108),
        metadata={"unit": "um"},
    )  # fmt: skip
    size = read_micrograph(tmp_path / "ij.tif").pixel_size_um
    assert size is not None
    assert size.value == pytest.approx(0.108, rel=1e-5)
    assert "ImageJ" in size.source


def test_imagej_without_a_unit_is_no_calibration(tmp_path):
    tifffile.imwrite(tmp_path / "ij.tif", _IMAGE, imagej=True, resolution=(2.0, 2.0))
    assert read_micrograph(tmp_path / "ij.tif").pixel_size_um is None


def test_print_resolution_is_no_calibration(tmp_path):
    tifffile.imwrite(tmp_path / "p.tif", _IMAGE, resolution=(300, 300), resolutionunit="INCH")
    assert read_micrograph(tmp_path / "p.tif").known() == {}


def test_plain_files_know_nothing(tmp_path):
    iio.imwrite(tmp_path / "a.png", (_IMAGE % 256).astype(np.uint8))
    np.save(tmp_path / "a.npy", _IMAGE)
    for name in ("a.png", "a.npy"):
        assert read_micrograph(tmp_path / name).known() == {}
        assert read_micrograph(tmp_path / name).image.shape == _IMAGE.shape


def test_colour_asks_for_a_channel(tmp_path):
    colour = _RNG.integers(0, 255, (12, 15, 3)).astype(np.uint8)
    iio.imwrite(tmp_path / "c.png", colour)
    with pytest.raises(MicrographError, match=r"colour image .* channel = 0, 1 or 2"):
        read_micrograph(tmp_path / "c.png")
    np.testing.assert_array_equal(
        read_micrograph(tmp_path / "c.png", channel=1).image, colour[..., 1]
    )
    np.testing.assert_allclose(
        read_micrograph(tmp_path / "c.png", channel="mean").image, colour.mean(-1)
    )
    with pytest.raises(MicrographError, match="must be 0, 1, 2 or 'mean'"):
        read_micrograph(tmp_path / "c.png", channel=7)


def test_grey_stored_as_colour_is_grey(tmp_path):
    grey = _RNG.integers(0, 255, (12, 15, 1)).astype(np.uint8)
    iio.imwrite(tmp_path / "c.png", np.repeat(grey, 3, axis=2))
    np.testing.assert_array_equal(read_micrograph(tmp_path / "c.png").image, grey[..., 0])


def test_stack_gives_the_page_that_is_asked_for(tmp_path):
    stack = _RNG.integers(0, 255, (5, 12, 16)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "s.tif", stack)
    np.testing.assert_array_equal(read_micrograph(tmp_path / "s.tif", page=2).image, stack[2])
    with pytest.raises(MicrographError, match="page = 9 must lie between 0 and 4"):
        read_micrograph(tmp_path / "s.tif", page=9)


@pytest.mark.parametrize("keep", [0, 7, 300])
def test_damaged_tiff_gives_one_sentence(tmp_path, keep):
    _ome_tiff(tmp_path / "a.tif")
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "b.tif").write_bytes(whole[:keep])
    with pytest.raises(MicrographError) as caught:
        read_micrograph(tmp_path / "b.tif")
    assert "b.tif" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(MicrographError, match="no such file"):
        read_micrograph(tmp_path / "nothing.tif")
    (tmp_path / "a.docx").write_text("words")
    with pytest.raises(MicrographError, match=r"'\.docx' is not a kind of image"):
        read_micrograph(tmp_path / "a.docx")
    np.save(tmp_path / "complex.npy", np.ones((4, 4), complex))
    with pytest.raises(MicrographError, match="complex128"):
        read_micrograph(tmp_path / "complex.npy")


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_written_images_come_back(tmp_path, dtype):
    path = write_image(tmp_path / "out.ome.tif", _IMAGE, pixel_size_um=0.12, dtype=dtype)
    back = read_micrograph(path)
    np.testing.assert_array_equal(back.image, _IMAGE)
    assert tifffile.imread(path).dtype == dtype
    assert back.pixel_size_um == Known(pytest.approx(0.12), "from OME-XML")
    assert [p.name for p in tmp_path.iterdir()] == ["out.ome.tif"]


@pytest.mark.parametrize("axes", ["ZYX", "TYX", "TZYX", "YXC", "TZYXC"])
def test_stacks_series_and_colours_keep_their_axes(tmp_path, axes):
    sizes = {"T": 2, "Z": 5, "Y": 24, "X": 31, "C": 3}
    image = _RNG.integers(0, 255, [sizes[a] for a in axes]).astype(np.uint8)
    path = write_image(tmp_path / "out.ome.tif", image, pixel_size_um=0.12, axes=axes)
    with tifffile.TiffFile(path) as file:
        assert file.is_ome and len(file.series) == 1
        assert file.series[0].axes == axes.replace("C", "S")
        np.testing.assert_array_equal(file.series[0].asarray(), image)


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_image(tmp_path / "out.tif", _IMAGE)
    before = path.read_bytes()
    monkeypatch.setattr(tifffile, "imwrite", _broken)
    with pytest.raises(OSError, match="disk full"):
        write_image(path, _IMAGE + 1)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.tif"]


def _broken(*args, **kwargs):
    raise OSError("disk full")


def test_write_says_what_it_cannot_take(tmp_path):
    with pytest.raises(MicrographError, match=r"must be \(Y, X\)"):
        write_image(tmp_path / "a.tif", np.zeros((2, 3, 4)))
    with pytest.raises(MicrographError, match=r"must be \(Z, Y, X, 3\)"):
        write_image(tmp_path / "a.tif", np.zeros((2, 3, 4, 2)), axes="ZYXC")
    with pytest.raises(MicrographError, match="axes = 'CYX' must be one of YX, ZYX"):
        write_image(tmp_path / "a.tif", np.zeros((3, 3, 4)), axes="CYX")
    with pytest.raises(MicrographError, match="dtype = 'float16'"):
        write_image(tmp_path / "a.tif", _IMAGE, dtype="float16")
    with pytest.raises(MicrographError, match="pixel_size_um = -1"):
        write_image(tmp_path / "a.tif", _IMAGE, pixel_size_um=-1)


def test_layer_scale_comes_before_metadata_and_these_before_the_file(tmp_path):
    ome = _ome_tiff(tmp_path / "a.tif")
    write_image(tmp_path / "b.tif", _IMAGE, pixel_size_um=0.5)
    both = optics_of({"ome_metadata": ome}, tmp_path / "b.tif", (1, 1), ("pixel", "pixel"))
    assert both.pixel_size_um == Known(pytest.approx(0.065), "from OME-XML")
    scaled = optics_of({"ome_metadata": ome}, tmp_path / "b.tif", (0.2, 0.2), ("um", "um"))
    assert scaled.pixel_size_um == Known(0.2, "from the layer's scale in µm")
    assert scaled.numerical_aperture == Known(1.4, "from OME-XML")
    text = optics_of({"raw_image_metadata": ome.to_xml()})
    assert text.numerical_aperture == Known(1.4, "from OME-XML")


def test_layer_scale_counts_only_in_a_unit_of_length():
    micron = optics_of({}, None, (1.0, 0.2, 0.2), ("pixel", "micrometer", "micrometer"))
    assert micron.pixel_size_um == Known(0.2, "from the layer's scale in µm")
    nanometre = optics_of({}, None, (65.0, 65.0), SimpleNamespace(value="nanometer"))
    assert nanometre.pixel_size_um is not None
    assert nanometre.pixel_size_um.value == pytest.approx(0.065)
    assert optics_of({}, None, (0.2, 0.2), "pixel").pixel_size_um is None
    assert optics_of({}, None, (0.2, 0.2), None).known() == {}


def test_own_scene_travels_with_the_image():
    scene = {"grid": {"pixel_size_um": 0.1}, "microscope": {"numerical_aperture": 0.8}}
    found = optics_of({"osog": {"scene": scene}})
    assert found.numerical_aperture == Known(0.8, "from the simulated scene")
    assert found.wavelength_um is None


def test_unreadable_text_and_path_state_nothing(tmp_path):
    (tmp_path / "x.tif").write_bytes(b"II*\x00nonsense")
    assert optics_of({"ome_metadata": "<OME broken"}, tmp_path / "x.tif").known() == {}
