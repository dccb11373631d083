"""Whatever a file holds: its picture, numbers that it states, or one sentence; nothing else.

A short run belongs to the suite. ``OSOG_FUZZ=20000`` tries as many inputs in all, new ones each
time (`make fuzz`).
"""

from __future__ import annotations

import io
import os
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers.random_files import Written, entries, is_close, ome_texts, pictures, tiffs
from osog.io import Micrograph, MicrographError, read_micrograph

_LONG = int(os.environ.get("OSOG_FUZZ", "0"))
_LONGEST_S = 20.0
_RANGES = {
    "pixel_size_um": (1e-5, 1e3),
    "numerical_aperture": (5e-3, 2.0),
    "wavelength_um": (0.1, 30.0),
    "immersion_index": (0.99, 2.5),
    "medium_index": (0.9, 4.0),
    "magnification": (1e-2, 1e4),
}


def fuzzed(share: float, few: int) -> Any:
    """Settings of a test that takes a share of the long run."""
    return settings(
        max_examples=max(1, int(_LONG * share)) if _LONG else few,
        derandomize=not _LONG,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def _nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Any:
    yield
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def outcome(path: Path, **choice: Any) -> Micrograph | None:
    """Read; a picture is grey and its numbers possible, a refusal one short sentence."""
    start = time.monotonic()
    try:
        found = read_micrograph(path, **choice)
    except MicrographError as error:
        words = str(error)
        assert path.name in words and "\n" not in words and len(words) < 400, words
        found = None
    assert time.monotonic() - start < _LONGEST_S
    if found is not None:
        assert found.image.ndim == 2 and found.image.dtype == np.float64 and found.image.size
        for name, known in found.known().items():
            low, high = _RANGES[name]
            assert low <= known.value <= high and known.source, (name, known)
            assert name not in found.doubts
    return found


def size_is_what_was_written(found: Micrograph, written: Written) -> None:
    """The pixel size is unknown, or both sides have it; pixels that are not square have none."""
    size, sides = found.pixel_size_um, written.sides_um
    if size is not None:
        assert sides is not None and all(is_close(size.value, side) for side in sides)
    elif sides is not None and is_close(*sides):
        low, high = _RANGES["pixel_size_um"]
        # Programs that write centimetres turn whole dots per inch into them.
        dots = 25400 / sides[0]
        whole = written.notes["unit"] == "cm" and abs(dots - round(dots)) < 2e-4 * dots
        printed = sides[0] >= 20 or written.notes["unit"] == "inch" or whole
        assert printed or not low < sides[0] < high, (sides, written.notes)
    elif sides is not None and all(1e-3 < side < 10 for side in sides):
        printed = written.notes["unit"] == "inch"
        assert printed or "square" in found.doubts["pixel_size_um"]


@fuzzed(0.25, 60)
@given(data=st.data())
def test_pixels_and_sizes_of_any_tiff_come_back(data: st.DataObject, folder: Path) -> None:
    path = folder / "any.tif"
    written: Written = data.draw(tiffs(path))
    for page in {0, len(written.planes) - 1, len(written.planes) // 2}:
        found = outcome(path, page=page)
        plane = written.planes[page]
        if found is not None:
            grey = plane if plane.ndim == 2 else plane[..., 0]
            size_is_what_was_written(found, written)
            assert written.samples == 1 or np.all(plane[..., :3] == plane[..., :1])
            np.testing.assert_array_equal(found.image, grey.astype(np.float64))
        else:
            assert written.samples > 1, written.notes
        if written.samples > 1:
            last = min(written.samples, 3 if written.notes["colour"] else written.samples) - 1
            found = outcome(path, page=page, channel=last)
            assert found is not None
            np.testing.assert_array_equal(found.image, plane[..., last].astype(np.float64))
            size_is_what_was_written(found, written)
    assert outcome(path, page=len(written.planes)) is None


@fuzzed(0.1, 60)
@given(data=st.data())
def test_pixels_of_any_picture_come_back(data: st.DataObject, folder: Path) -> None:
    path, array, colours = data.draw(pictures(folder))
    found = outcome(path)
    alike = bool(np.all(array[..., :colours] == array[..., :1]))
    assert (found is None) == (not alike)
    if found is not None:
        np.testing.assert_array_equal(found.image, array[..., 0].astype(np.float64))
    last = outcome(path, channel=colours - 1)
    assert last is not None and last.known() == {}
    np.testing.assert_array_equal(last.image, array[..., colours - 1].astype(np.float64))


@fuzzed(0.25, 60)
@given(data=st.data())
def test_ome_numbers_are_those_that_are_stated(data: st.DataObject, folder: Path) -> None:
    path = folder / "stated.ome.tif"
    channels = data.draw(st.integers(1, 3))
    said = data.draw(ome_texts(5, 6, channels))
    stack = np.arange(channels * 30, dtype=np.uint16).reshape(channels, 5, 6)
    tifffile.imwrite(
        path, stack, description=said.text.encode(), metadata=None, photometric="minisblack"
    )
    for channel in range(channels):
        for choice in ({"page": channel}, {"channel": channel}):
            found = outcome(path, **choice)
            assert found is not None
            np.testing.assert_array_equal(found.image, stack[channel])
            expected = {**said.numbers, "wavelength_um": said.waves[channel]}
            for name, value in expected.items():
                known = getattr(found, name)
                assert (known is None) == (value is None), (name, known, value)
                assert value is None or is_close(known.value, value)


def _valid_files() -> dict[str, bytes]:
    """One small file of each kind, by suffix and a word."""
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 255, (14, 17)).astype(np.uint8)
    colour = rng.integers(0, 255, (14, 17, 3)).astype(np.uint8)
    made: dict[str, bytes] = {}
    for suffix in ("png", "jpg", "bmp"):
        for word, array in (("grey", grey), ("colour", colour)):
            buffer = io.BytesIO()
            Image.fromarray(array).save(buffer, {"jpg": "JPEG"}.get(suffix, suffix.upper()))
            made[f"{word}.{suffix}"] = buffer.getvalue()
    buffer = io.BytesIO()
    np.save(buffer, grey)
    made["array.npy"] = buffer.getvalue()
    for word, options in {
        "plain": {},
        "lzw": {"compression": "lzw", "predictor": True},
        "tiled": {"tile": (16, 16), "compression": "zlib"},
        "planar": {"planarconfig": "separate", "photometric": "rgb"},
        "imagej": {"imagej": True, "resolution": (10, 10), "metadata": {"unit": "um"}},
        "ome": {
            "ome": True,
            "metadata": {"PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1, "Channel": {"Name": ["a"]}},
            "resolution": (1e5, 1e5),
            "resolutionunit": "CENTIMETER",
        },
    }.items():
        buffer = io.BytesIO()
        pixels = np.moveaxis(colour, -1, 0).copy() if word == "planar" else grey
        tifffile.imwrite(buffer, pixels, **options)
        made[f"{word}.tif"] = buffer.getvalue()
    return made


_FILES = _valid_files()


def _whole(folder: Path, name: str) -> Micrograph | None:
    path = folder / f"whole-{name}"
    path.write_bytes(_FILES[name])
    return outcome(path, channel=0)


@fuzzed(0.15, 60)
@given(name=st.sampled_from(sorted(_FILES)), share=st.floats(0.0, 1.0, exclude_max=True))
def test_a_file_that_is_cut_short_gives_its_picture_or_a_sentence(
    name: str, share: float, folder: Path
) -> None:
    whole = _whole(folder, name)
    assert whole is not None
    path = folder / f"cut-{name}"
    path.write_bytes(_FILES[name][: int(share * len(_FILES[name]))])
    found = outcome(path, channel=0)
    if found is not None:
        np.testing.assert_array_equal(found.image, whole.image)
        for key, known in found.known().items():
            assert is_close(known.value, whole.known()[key].value)


@fuzzed(0.1, 60)
@given(
    name=st.sampled_from(sorted(_FILES)),
    changes=st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(0, 255)), max_size=8),
)
def test_damaged_bytes_give_a_picture_or_a_sentence(
    name: str, changes: list[tuple[float, int]], folder: Path
) -> None:
    damaged = bytearray(_FILES[name])
    for share, byte in changes:
        damaged[int(share * (len(damaged) - 1))] = byte
    path = folder / f"damaged-{name}"
    path.write_bytes(damaged)
    outcome(path, channel=0)
    outcome(path, page=1)


_TAGS = (
    *(254, 256, 257, 258, 259, 262, 270, 273, 274, 277, 278, 279, 282, 283, 284, 296, 297, 305),
    *(317, 320, 322, 323, 324, 325, 330, 338, 339, 530, 33628, 34412, 42113, 50839, 51123),
)
_PARTS = ((0, "<H"), (2, "<H"), (4, "<I"), (8, "<I"))  # tag, type, count, value


@fuzzed(0.15, 60)
@given(
    name=st.sampled_from(sorted(n for n in _FILES if n.endswith(".tif"))),
    changes=st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from(_TAGS) | st.none(),
            st.integers(0, 18) | st.none(),
            st.sampled_from([0, 1, 2, 3, 4, 5, 255, 2**16, 2**31, 2**32 - 1]) | st.none(),
            st.sampled_from([0, 1, 2, 3, 5, 7, 8, 12, 16, 255, 2**15, 2**16, 2**31, 2**32 - 1])
            | st.integers(0, 2**32 - 1)
            | st.none(),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_random_tags_give_a_picture_or_a_sentence(
    name: str, changes: list[tuple[int, int | None, int | None, int | None, int | None]],
    folder: Path,
) -> None:  # fmt: skip
    patched = bytearray(_FILES[name])
    found = entries(_FILES[name])
    for which, *values in changes:
        at = found[which % len(found)][0]
        for offset, layout, value in zip(
            (0, 2, 4, 8), ("<H", "<H", "<I", "<I"), values, strict=True
        ):
            if value is not None:
                struct.pack_into(layout, patched, at + offset, value)
    path = folder / f"patched-{name}"
    path.write_bytes(patched)
    outcome(path)
    outcome(path, channel=0, page=1)
