"""Pictures as PNG: counts stay counts, other numbers are stretched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from osog.io import MicrographError, write_image, write_png


def test_counts_of_an_8_bit_camera_stay_as_they_are(tmp_path):
    image = torch.tensor([[0.0, 17.0], [200.0, 254.0]])
    read = np.asarray(Image.open(write_png(tmp_path / "a.png", image)))
    assert np.array_equal(read, image.numpy())


def test_other_numbers_fill_the_range_or_the_one_that_is_asked_for(tmp_path):
    image = np.array([[-1.0, 1.0], [3.0, 0.0]])
    read = np.asarray(Image.open(write_png(tmp_path / "a.png", image)))
    assert np.array_equal(read, [[0, 128], [255, 64]])
    read = np.asarray(Image.open(write_png(tmp_path / "b.png", image, low=0.0, high=2.0)))
    assert np.array_equal(read, [[0, 128], [255, 0]])


def test_colours_keep_their_channels(tmp_path):
    image = np.arange(24.0).reshape(2, 4, 3)
    picture = Image.open(write_png(tmp_path / "a.png", image))
    assert picture.mode == "RGB" and np.array_equal(np.asarray(picture), image)


@pytest.mark.parametrize(
    ("name", "image", "words"),
    [
        ("a.jpg", np.ones((2, 2)), "'a.jpg' must end with .png"),
        ("a.png", np.ones((2, 2, 2)), r"shape \(2, 2, 2\); it must be \(Y, X\) or"),
        ("a.png", np.full((2, 2), np.nan), "not finite"),
    ],
)
def test_what_is_no_picture_is_refused_and_leaves_no_file(tmp_path, name, image, words):
    with pytest.raises(MicrographError, match=words):
        write_png(tmp_path / name, image)
    assert not list(tmp_path.iterdir())


def test_complex_fields_and_wrong_names_are_refused(tmp_path):
    for write in (write_png, write_image):
        with pytest.raises(MicrographError, match="must hold real numbers"):
            write(tmp_path / "a.png", np.ones((2, 2), complex))
    with pytest.raises(MicrographError, match=r"must end with .tif"):
        write_image(tmp_path / "a.png", np.ones((2, 2)))
    with pytest.raises(MicrographError, match="pixel_size_um = 1e-09 must lie between"):
        write_image(tmp_path / "a.tif", np.ones((2, 2)), pixel_size_um=1e-9)
