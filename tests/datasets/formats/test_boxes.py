"""YOLO and DOTA: lines of text, read by the rules of their readers."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
import yaml
from PIL import Image
from skimage.draw import polygon2mask

from helpers.labelled_frames import NAMES, SHAPE, labelled, rectangle, tilted
from osog.datasets.objects import corners_of

SIZE = np.array(SHAPE[::-1])


def _lines(path):
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


def _read_as_ultralytics(image, label, classes):
    """Rows of class and points, or the reason for which the reader would drop the image."""
    with Image.open(image) as opened:
        opened.load()
        assert min(opened.size) > 9
        assert opened.mode in ("L", "RGB")
    rows = _lines(label)
    assert not any(len(row) == 5 for row in rows), "mixed with upright boxes"
    assert all(len(row) > 6 and len(row) % 2 == 1 for row in rows)
    points = [np.array(row[1:], dtype=np.float32).reshape(-1, 2) for row in rows]
    for one in points:
        assert one.min() >= 0 and one.max() <= 1.01
    kinds = [int(row[0]) for row in rows]
    assert all(0 <= kind < classes for kind in kinds)
    assert len({tuple(row) for row in rows}) == len(rows)
    return list(zip(kinds, points, strict=True))


@pytest.mark.parametrize("name", ["yolo-obb", "yolo-seg"])
def test_a_rectangle_of_whole_pixels_is_where_its_pixels_are(name, write) -> None:
    folder = write(name, [(labelled([rectangle(4, 7, 3, 2)]), "train")])
    (row,) = _lines(folder / "labels" / "train" / "0000000.txt")
    corners = np.array(row[1:], dtype=float).reshape(4, 2) * SIZE
    # Columns 4 to 6 and rows 7 and 8, from edge to edge.
    assert sorted(corners.round(4).tolist()) == [[4, 7], [4, 9], [7, 7], [7, 9]]
    assert row[0] == "0"
    assert all(len(value.partition(".")[2]) == 6 for value in row[1:])


@pytest.mark.parametrize("name", ["yolo-obb", "yolo-seg"])
def test_every_yolo_file_keeps_the_rules_of_its_reader(name, write, frames) -> None:
    folder = write(name)
    data = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    assert data == {"train": "images/train", "val": "images/val", "names": dict(enumerate(NAMES))}
    for frame, split in frames:
        image = folder / data[split] / f"{frame.stem}.png"
        label = folder / "labels" / split / f"{frame.stem}.txt"
        rows = _read_as_ultralytics(image, label, len(NAMES))
        kept = frame.objects.in_state("counted", "difficult")
        assert [kind for kind, _ in rows] == kept.class_id.tolist()
        with Image.open(image) as opened:
            assert (np.asarray(opened) == frame.picture).all()
        for (_, points), mask in zip(rows, kept.masks, strict=True):
            # y, x from the corner of the first pixel back to the centre.
            drawn = polygon2mask(SHAPE, (points * SIZE - 0.5)[:, ::-1])
            expected = mask.in_frame(SHAPE)
            assert (drawn ^ expected).sum() <= 0.1 * expected.sum() + 1


def test_boxes_across_the_border_are_clipped_and_those_outside_left_out(write) -> None:
    across = tilted(0, 12, 12, 4, 0.3)
    outside = tilted(-20, 12, 12, 4, 0.3)
    for name in ("yolo-obb", "yolo-seg"):
        folder = write(name, [(labelled([across, outside]), "train")])
        rows = _lines(folder / "labels" / "train" / "0000000.txt")
        assert len(rows) == 1
        assert min(map(float, rows[0][1:])) == 0


def test_a_split_that_is_not_there_is_said_and_made_up_for(write) -> None:
    frame = labelled([rectangle(4, 7, 3, 2)])
    folder = write("yolo-obb", [(frame, "test")])
    text = (folder / "data.yaml").read_text(encoding="utf-8")
    assert "No image was set apart as 'train'" in text and "as 'val'" in text
    data = yaml.safe_load(text)
    assert data["train"] == data["val"] == data["test"] == "images/test"


def test_ultralytics_itself_reads_the_files(write, frames, monkeypatch, tmp_path) -> None:
    """Its own check of an image with its labels, and the boxes that it fits again."""
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "config"))
    pytest.importorskip("ultralytics", reason="Ultralytics (AGPL) is not part of the environment")
    reader = importlib.import_module("ultralytics.data.utils")
    shapes = importlib.import_module("ultralytics.utils.ops")
    for name in ("yolo-obb", "yolo-seg"):
        folder = write(name)
        data = reader.check_det_dataset(str(folder / "data.yaml"), autodownload=False)
        assert data["train"] == str((folder / "images" / "train").resolve())
        assert data["names"] == dict(enumerate(NAMES))
        for frame, split in frames:
            image = folder / "images" / split / f"{frame.stem}.png"
            (label,) = reader.img2label_paths([str(image)])
            answer = reader.verify_image_label((str(image), label, "", False, 2, 0, 0, False))
            _, rows, shape, segments, _, missing, _, empty, corrupt, said = answer
            kept = frame.objects.in_state("counted", "difficult")
            assert (missing, empty, corrupt, said) == (0, int(len(kept) == 0), 0, "")
            assert tuple(shape) == SHAPE
            assert rows[:, 0].astype(int).tolist() == kept.class_id.tolist()
            if name == "yolo-seg":
                continue
            for points, box in zip(segments, kept.box, strict=True):
                fitted = np.asarray(shapes.xyxyxyxy2xywhr((points * SIZE).reshape(1, 8)))[0]
                again = corners_of(fitted[None].astype(float))[0] - 0.5
                wanted = corners_of(box[None])[0]
                far = np.abs(again[:, None] - wanted[None]).max(-1).min(1)
                assert far.max() < 0.01


def test_dota_lines_have_corners_clockwise_the_class_and_difficult(write, frames) -> None:
    folder = write("dota")
    for frame, split in frames:
        kept = frame.objects.in_state("counted", "difficult")
        rows = _lines(folder / split / "labelTxt" / f"{frame.stem}.txt")
        assert len(rows) == len(kept)
        with Image.open(folder / split / "images" / f"{frame.stem}.png") as opened:
            assert (np.asarray(opened) == frame.picture).all()
        for row, state, kind, box in zip(rows, kept.state, kept.class_id, kept.box, strict=True):
            assert len(row) == 10
            assert row[8] == ("needle", "small_block")[kind]
            assert row[9] == ("1" if state == "difficult" else "0")
            x, y = (np.array(row[:8], dtype=float).reshape(4, 2)).T
            turn = np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))
            assert turn / 2 == pytest.approx(box[2] * box[3], rel=0.01)  # y points down
    (row,) = _lines(folder / "train" / "labelTxt" / "0000000.txt")
    assert sorted(np.array(row[:8], dtype=float).reshape(4, 2).tolist()) == [
        [4, 7], [4, 9], [7, 7], [7, 9],
    ]  # fmt: skip
    assert math.isclose(float(row[0]), 4)
