"""Layers that cannot be a target say why; what is known of the optics is shown with its source."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_osog.micrographs import TargetError, optics, pixel_size, plane, transform_of
from napari_osog.samples import cell

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


def test_pixels_that_are_not_square_are_refused():
    with pytest.raises(TargetError, match="only square pixels"):
        transform_of(Image(PICTURE, scale=(0.2, 0.3)))


def test_the_pixel_size_is_known_only_where_units_are_a_length():
    assert pixel_size(Image(PICTURE, scale=(0.2, 0.2))) is None
    assert pixel_size(Image(PICTURE, scale=(200, 200), units=("nm", "nm"))).value == pytest.approx(
        0.2
    )


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
