"""Layers that cannot be a target say why; what is known of the optics is shown with its source."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image
from napari.layers._source import layer_source

from napari_osog.micrographs import adopt, doubts, known_optics, optics, plane
from napari_osog.plane_geometry import TargetError, transform_of
from napari_osog.samples import cell
from napari_osog.session import Session
from osog.io import write_image

PICTURE = np.random.default_rng(1).normal(size=(20, 24))


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (np.full((20, 20), np.nan), {"contrast_limits": (0, 1)}, "holds no numbers"),
        (np.zeros((20, 20, 3), np.uint8), {"rgb": True}, "is a colour image"),
        (np.ones((1, 1)), {}, "only 1 × 1 pixels"),
        (np.ones((20, 20)), {}, "is 1 everywhere"),
    ],
)
def test_a_layer_that_cannot_be_used_says_why_in_one_sentence(data, options, words):
    with np.errstate(all="ignore"):
        layer = Image(data, name="mine", **options)
    with pytest.raises(TargetError, match=words) as caught:
        plane(layer)
    assert "'mine'" in str(caught.value) and "\n" not in str(caught.value)


def test_a_stack_gives_the_plane_that_is_shown():
    stack = np.stack([PICTURE, 2 * PICTURE, 3 * PICTURE])
    layer = Image(stack, scale=(5, 1, 1))
    assert np.allclose(plane(layer, (10.0, 0.0, 0.0)), 3 * PICTURE)
    assert np.allclose(plane(layer), PICTURE)


def test_some_pixels_that_are_no_numbers_are_allowed():
    image = PICTURE.copy()
    image[0, 0] = np.inf
    assert not np.isfinite(plane(Image(image, contrast_limits=(0, 1)))[0, 0])


def test_placement_copies_scale_translation_rotation_and_units():
    layer = Image(PICTURE, scale=(0.2, 0.2), translate=(3, -4), rotate=30, units=("um", "um"))
    copied = transform_of(layer)
    assert copied.shape == (20, 24) and copied.scale == (0.2, 0.2)
    assert copied.translate == (3, -4) and copied.units == ("micrometer", "micrometer")
    assert np.allclose(copied.rotate, layer.rotate)


@pytest.mark.parametrize(
    "options",
    [
        {"scale": (0.2, 0.2), "rotate": 30, "translate": (1, 2)},
        {"scale": (0.1, 0.1), "affine": [[0, 2, 5], [-2, 0, 7], [0, 0, 1]]},
        {"affine": [[0.2, 0, 3], [0, 0.2, 4], [0, 0, 1]]},
        {"scale": (0.2, -0.2), "rotate": 12},
        {"affine": [[0, 0.2, 0], [0.2, 0, 0], [0, 0, 1]]},
        {"scale": (0.1, 0.2), "affine": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]},
    ],
    ids=["rotated", "scale and affine", "affine", "mirrored", "transposed", "undone"],
)
def test_the_whole_transform_of_a_layer_is_copied(options):
    layer = Image(PICTURE, units=("um", "um"), **options)
    copied = transform_of(layer)
    ours = Image(
        PICTURE,
        scale=copied.scale,
        translate=copied.translate,
        rotate=np.array(copied.rotate),
        units=copied.units,
    )
    for point in ((0, 0), (7, 0), (0, 11), (5, 3)):
        assert np.allclose(ours.data_to_world(point), layer.data_to_world(point))
    assert optics(layer)["pixel_size_um"].value == pytest.approx(0.2)


def test_axes_in_two_units_of_length_are_one_plane():
    layer = Image(PICTURE, scale=(200, 0.2), translate=(5000, 3), units=("nm", "um"))
    copied = transform_of(layer)
    assert copied.scale == pytest.approx((0.2, 0.2)) and copied.units[0] == copied.units[1]
    assert copied.translate == pytest.approx((5, 3))


STACK = np.stack([PICTURE, PICTURE, PICTURE])


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (PICTURE, {"scale": (0.2, 0.3)}, "pixels of 0.2 × 0.3; only square pixels"),
        (PICTURE, {"affine": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]}, "pixels of 2 × 1; only square"),
        (PICTURE, {"shear": [0.5]}, "pixels of 1 × 1.118|sheared"),
        (
            PICTURE,
            {"affine": [[1, 0.6, 0], [0, 0.8, 0], [0, 0, 1]]},
            "sheared, so that its rows and columns meet at 53.1°",
        ),
        (STACK, {"rotate": (0, 20, 0)}, "tilted"),
        (STACK, {"shear": (0, 0.5, 0)}, "shifted against each other|tilted"),
    ],
)
def test_a_transform_that_a_render_cannot_follow_is_refused_in_a_sentence(data, options, words):
    with pytest.raises(TargetError, match=words) as caught:
        transform_of(Image(data, name="mine", **options))
    assert "'mine'" in str(caught.value) and "\n" not in str(caught.value)


def _layer(tmp_path, data=PICTURE, **options):
    """Layer of a file of 20 × 24 pixels of 0.108 µm."""
    write_image(tmp_path / "a.tif", PICTURE, pixel_size_um=0.108)
    with layer_source(path=str(tmp_path / "a.tif")):
        return Image(data, **options)


@pytest.mark.parametrize(
    ("data", "options", "size", "source"),
    [
        (PICTURE, {}, 0.108, "OME-XML"),
        (PICTURE, {"scale": (0.065, 0.065), "units": "um"}, 0.065, "the layer's scale"),
        (PICTURE, {"scale": (65, 65), "units": "nm"}, 0.065, "the layer's scale"),
        (PICTURE, {"scale": (0.108, 0.108), "units": "um"}, 0.108, "OME-XML"),
        (PICTURE, {"scale": (0.108, 0.108)}, 0.108, "OME-XML"),
        (PICTURE, {"rotate": 45}, 0.108, "OME-XML"),
        (PICTURE[::2, ::2], {"scale": (2, 2)}, 0.216, "OME-XML, × 2 by the layer's scale"),
        (PICTURE[::3, ::3], {"scale": (3, 3)}, 0.324, "OME-XML, × 3"),
        (PICTURE[::2, ::2], {"scale": (0.216, 0.216)}, 0.216, "OME-XML, × 2"),
        (PICTURE[::2, ::2], {"scale": (0.216, 0.216), "units": "um"}, 0.216, "the layer's scale"),
        (np.kron(PICTURE, np.ones((2, 2))), {"scale": (0.5, 0.5)}, 0.054, "OME-XML, × 0.5"),
        (np.stack([PICTURE, PICTURE]), {"scale": (5, 1, 1)}, 0.108, "OME-XML"),
    ],
)
def test_the_pixel_size_of_the_layer_counts_before_its_file(tmp_path, data, options, size, source):
    known = optics(_layer(tmp_path, data, **options))["pixel_size_um"]
    assert known.value == pytest.approx(size) and source in known.source


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (PICTURE, {"scale": (0.065, 0.065)}, "scale of 0.065 has no unit of length and is not"),
        (PICTURE, {"scale": (2, 2)}, "scale of 2 has no unit"),
        (PICTURE[::2, ::2], {}, "has 10 × 12 pixels and its file 20 × 24"),
        (PICTURE[:15], {}, "has 15 × 24 pixels and its file 20 × 24"),
        (PICTURE[::2, ::2], {"scale": (3, 3)}, "which its scale of 3 does not explain"),
        (PICTURE, {"scale": (0.1, 0.2), "units": "um"}, "only square pixels"),
    ],
)
def test_a_pixel_size_on_which_layer_and_file_disagree_is_unknown(tmp_path, data, options, words):
    layer = _layer(tmp_path, data, **options)
    assert "pixel_size_um" not in known_optics(layer, Session())
    assert words in doubts(layer)["pixel_size_um"]


def test_a_scale_without_a_unit_is_no_pixel_size():
    layer = Image(PICTURE, scale=(0.2, 0.2))
    assert "pixel_size_um" not in optics(layer)
    assert "has no unit of length" in doubts(layer)["pixel_size_um"]
    assert doubts(Image(PICTURE)) == {}


def test_a_corrected_scale_counts_before_what_the_layer_once_stated():
    data, options, _ = cell()[0]
    layer = Image(data, **options | {"scale": (0.2, 0.2)})
    assert optics(layer)["pixel_size_um"].value == pytest.approx(0.2)


def test_the_scene_takes_the_corrected_scale(tmp_path):
    session = Session()
    layer = _layer(tmp_path, scale=(0.065, 0.065), units=("um", "um"))
    adopt(session, layer)
    assert session.scene.grid.pixel_size_um == pytest.approx(0.065)
    assert session.view.transform.scale == pytest.approx((0.065, 0.065))


def test_the_sample_micrograph_states_what_is_known_and_from_where():
    data, options, kind = cell()[0]
    assert kind == "image" and data.dtype == np.float32
    known = optics(Image(data, **options))
    assert known["wavelength_um"].value == 0.633 and "DryMass" in known["wavelength_um"].source
    assert known["medium_index"].value == 1.335
    assert known["pixel_size_um"].value == pytest.approx(0.107)
    assert "numerical_aperture" not in known


def test_a_file_states_its_optics_and_a_damaged_one_states_nothing(tmp_path):
    import tifffile

    path = tmp_path / "stated.ome.tif"
    tifffile.imwrite(
        path,
        PICTURE.astype(np.float32),
        metadata={"axes": "YX", "PhysicalSizeX": 65.0, "PhysicalSizeXUnit": "nm",
                  "PhysicalSizeY": 65.0, "PhysicalSizeYUnit": "nm"},
    )  # fmt: skip
    layer = Image(PICTURE)
    layer._source = layer.source.model_copy(update={"path": str(path)})
    known = optics(layer)
    assert known["pixel_size_um"].value == pytest.approx(0.065)
    assert "OME-XML" in known["pixel_size_um"].source
    path.write_bytes(path.read_bytes()[:200])
    assert optics(layer) == {}


def test_what_a_mask_hides_is_no_number():
    hidden = PICTURE > np.median(PICTURE)
    shown = plane(Image(np.ma.array(PICTURE, mask=hidden), contrast_limits=(0, 1)))
    assert np.array_equal(np.isnan(shown), hidden)
