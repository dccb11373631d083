"""COCO, read by pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from helpers.labelled_frames import SHAPE, labelled, rectangle
from osog.datasets.formats import rle
from osog.datasets.objects import Mask


def _read(path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


@given(
    pixels=arrays.arrays(bool, st.tuples(st.integers(0, 9), st.integers(0, 9))),
    offset=st.tuples(st.integers(0, 3), st.integers(0, 70)),
)
def test_run_lengths_are_those_of_pycocotools(pixels, offset) -> None:
    shape = (12, 80)
    mask = Mask(row=offset[0], column=offset[1], pixels=pixels)
    whole = mask.in_frame(shape)
    packed = rle.packed(mask, shape)
    assert (coco_mask.decode(packed).astype(bool) == whole).all()
    theirs = coco_mask.encode(np.asfortranarray(whole.astype(np.uint8)))
    assert packed["counts"] == theirs["counts"].decode()


@pytest.mark.parametrize("name", ["coco", "coco-polygons"])
def test_every_object_comes_back(name, write, frames) -> None:
    folder = write(name)
    for split in ("train", "val"):
        coco = _read(folder / "annotations" / f"{split}.json")
        wanted = [frame for frame, its in frames if its == split]
        assert sorted(coco.imgs) == list(range(1, len(wanted) + 1))
        assert [coco.cats[k]["name"] for k in (1, 2)] == ["needle", "small block"]
        for number, frame in enumerate(wanted, 1):
            image = coco.imgs[number]
            assert (image["height"], image["width"]) == SHAPE
            with Image.open(folder / "images" / split / image["file_name"]) as opened:
                assert (np.asarray(opened) == frame.picture).all()
            found = coco.imgToAnns[number]
            kept = [k for k, s in enumerate(frame.objects.state) if s != "none"]
            assert [one["object"] - 1 for one in found] == kept
            for one in found:
                k = one["object"] - 1
                mask = frame.objects.masks[k].in_frame(SHAPE)
                back = coco.annToMask(one).astype(bool)
                # Run lengths hold a mask as it is, and a polygon to the pixels on its line.
                slack = 0 if name == "coco" else 0.1 * mask.sum()
                assert (back ^ mask).sum() <= slack
                assert one["area"] == mask.sum()
                whole = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
                assert one["bbox"] == coco_mask.toBbox(whole).tolist()
                state = frame.objects.state[k]
                assert one["iscrowd"] == (state == "ignored")
                assert one["difficult"] == (state == "difficult")
                assert one["category_id"] == frame.objects.class_id[k] + 1
                x, y, width, height, angle = frame.objects.box[k]
                assert one["obb"] == pytest.approx(
                    [x + 0.5, y + 0.5, width, height, math.degrees(angle)], abs=1e-3
                )


@pytest.mark.parametrize("name", ["coco", "coco-polygons"])
def test_a_rectangle_of_whole_pixels_is_where_its_pixels_are(name, write) -> None:
    folder = write(name, [(labelled([rectangle(4, 7, 3, 2)]), "test")])
    coco = _read(folder / "annotations" / "test.json")
    (found,) = coco.anns.values()
    assert found["bbox"] == [4, 7, 3, 2]
    assert found["obb"] == [5.5, 8, 3, 2, 0]
    assert found["keypoints"] == [4, 8, 2, 7, 8, 2, 5.5, 8, 2]
    expected = np.zeros(SHAPE, dtype=bool)
    expected[7:9, 4:7] = True
    assert (coco.annToMask(found).astype(bool) == expected).all()
    if name == "coco-polygons":
        assert found["segmentation"] == [[4, 7, 7, 7, 7, 9, 4, 9]]


def test_a_covered_point_is_marked_and_one_outside_is_not_there(write) -> None:
    frame = labelled([rectangle(2, 4, 9, 3), rectangle(9, 2, 3, 7), rectangle(29, 10, 3, 2)])
    frame.objects.keypoints[2, 1] = [40, 10.5]
    folder = write("coco", [(frame, "train")])
    below, _, edge = json.loads((folder / "annotations" / "train.json").read_text())["annotations"]
    assert below["keypoints"][2::3] == [2, 1, 2]
    assert edge["keypoints"][3:6] == [0, 0, 0] and edge["num_keypoints"] == 2


def test_a_longer_dataset_begins_with_the_ids_of_a_shorter_one(write, frames, tmp_path) -> None:
    whole = json.loads((write("coco") / "annotations" / "train.json").read_text())
    (tmp_path / "coco").rename(tmp_path / "long")
    part = json.loads((write("coco", frames[:3]) / "annotations" / "train.json").read_text())
    assert whole["images"][: len(part["images"])] == part["images"]
    assert whole["annotations"][: len(part["annotations"])] == part["annotations"]
    assert min(one["id"] for one in part["annotations"]) == 1
