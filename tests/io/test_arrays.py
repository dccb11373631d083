"""Images come in many forms; every one gives its numbers and what it hides, or one sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from osog.io import MicrographError, read_micrograph, write_image
from osog.io.arrays import holds_grey_levels, pixels_of

NUMBERS = np.arange(30, dtype=np.float64).reshape(5, 6)


class _Lazy:
    """Array that computes itself when asked, as those of dask do."""

    def __init__(self, array):
        self._array = array

    def compute(self):
        return self._array


class _Labelled:
    """Array with names for its axes, as those of xarray have."""

    dims = ("y", "x")
    values = NUMBERS


@pytest.mark.parametrize(
    "image",
    [
        NUMBERS.tolist(),
        NUMBERS.astype(">f4"),
        NUMBERS.astype(np.float16),
        NUMBERS[::-1].copy()[::-1],
        np.asfortranarray(NUMBERS),
        memoryview(NUMBERS),
        np.matrix(NUMBERS),
        torch.tensor(NUMBERS, requires_grad=True),
        torch.tensor(NUMBERS).bfloat16(),
        torch.tensor(NUMBERS).half(),
        torch.tensor(NUMBERS.T.copy()).T,
        torch.tensor(NUMBERS).to_sparse(),
        _Lazy(NUMBERS),
        _Labelled(),
    ],
    ids=lambda image: type(image).__name__ + str(getattr(image, "dtype", "")),
)
def test_forms_of_an_image_give_its_numbers(image):
    found = pixels_of(image)
    assert found.counted is None
    assert np.array_equal(np.asarray(found.values, dtype=np.float64), NUMBERS)


def test_dask_arrays_keep_their_mask():
    array = pytest.importorskip("dask.array").from_array(np.ma.masked_greater(NUMBERS, 20))
    assert np.array_equal(pixels_of(array).counted, NUMBERS <= 20)


@pytest.mark.parametrize("kind", ["array", "rows", "lazy"])
def test_masks_are_kept(kind):
    masked = np.ma.masked_greater(NUMBERS, 20)
    forms = {"array": masked, "rows": list(masked), "lazy": _Lazy(masked)}
    found = pixels_of(forms[kind])
    assert np.array_equal(found.counted, NUMBERS <= 20)
    assert np.isnan(found.shown()[NUMBERS > 20]).all()


def test_an_empty_mask_hides_nothing():
    assert pixels_of(np.ma.array(NUMBERS)).counted is None


@pytest.mark.parametrize(
    "image",
    [
        NUMBERS + 1j,
        torch.tensor(NUMBERS) + 1j,
        [[1, 2], [3]],
        np.array([["a", "b"]]),
        NUMBERS.astype("datetime64[s]"),
        None,
        torch.empty(3, 3, device="meta"),
    ],
    ids=["complex", "complex tensor", "ragged", "letters", "dates", "nothing", "empty tensor"],
)
def test_what_holds_no_real_numbers_is_refused_in_a_sentence(image):
    with pytest.raises(MicrographError, match="image"):
        pixels_of(image)


def test_a_hidden_pixel_is_written_as_no_number(tmp_path):
    write_image(tmp_path / "a.tif", np.ma.masked_greater(NUMBERS.astype(np.uint8), 20))
    back = read_micrograph(tmp_path / "a.tif").image
    assert np.array_equal(np.isnan(back), NUMBERS > 20)


LEVELS = np.random.default_rng(1).integers(0, 256, (40, 40))
RADIANS = np.random.default_rng(2).normal(0, 1, (40, 40))


@pytest.mark.parametrize(
    "image",
    [
        LEVELS.astype(np.uint8),
        LEVELS.astype(np.float64),
        LEVELS.astype(np.float32) - 128,
        np.where(LEVELS > 200, np.nan, LEVELS),
        (LEVELS / 255).astype(np.float32),
        (LEVELS * 256 / 65535).astype(np.float32).astype(np.float64),
        (LEVELS + LEVELS[::-1] + LEVELS.T) / 3,
    ],
    ids=["bytes", "floats", "shifted", "gaps", "share of white", "share of 16 bits", "mean"],
)
def test_grey_levels_are_seen(image):
    assert holds_grey_levels(image)


@pytest.mark.parametrize(
    "image",
    [
        RADIANS,
        RADIANS.astype(np.float32),
        400 * RADIANS,
        1e7 * RADIANS,
        1e-3 * RADIANS,
        np.zeros((9, 9)),
        np.full((9, 9), np.nan),
        (LEVELS > 100).astype(float),
        LEVELS * (2 * np.pi / 256),
    ],
)
def test_measured_numbers_are_no_grey_levels(image):
    assert not holds_grey_levels(image)
