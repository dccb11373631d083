"""Every format is read back by a reader of its own, with pixels where they belong."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from PIL import Image

from helpers.plain_format import contents
from osog import Scene
from osog.datasets import FORMATS, FrameSource, LabelledFrame, Mask, Objects, export
from osog.datasets.formats.base import DatasetFacts
from osog.datasets.formats.run_length import counts_of, encoded, mask_of

SHAPE = (12, 20)
STATES = ("counted", "difficult", "ignored", "none")


def rectangle(row: int, column: int, height: int, width: int) -> dict:
    """An upright object that fills whole pixels, in the frame's own coordinates."""
    box = [column + (width - 1) / 2, row + (height - 1) / 2, width, height, 0.0]
    low, high = np.array([column, row]) - 0.5, np.array([column + width, row + height]) - 0.5
    polygon = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    mask = Mask(row=row, column=column, pixels=np.ones((height, width), dtype=bool))
    return {"box": box, "polygon": polygon, "mask": mask}


@pytest.fixture(scope="module")
def frame() -> LabelledFrame:
    """A rendered frame whose objects are 3 × 2 pixels each, one in every state."""
    scene = Scene.parse(
        {
            "grid": {"shape": list(SHAPE), "pixel_size_um": 0.25},
            "populations": [{"name": "a b", "particles": [{"x_um": 1.0, "y_um": 1.0}]}],
            "numerics": {"accuracy": "draft"},
            "camera": {},
        }
    )
    rendered = FrameSource(scene, 0, device="cpu")[0]
    parts = [rectangle(2, 3, 2, 3), rectangle(3, 5, 2, 3), rectangle(8, 1, 2, 3),
             rectangle(8, 10, 2, 3)]  # fmt: skip
    n = len(parts)
    box = np.array([p["box"] for p in parts])
    instances = np.zeros(SHAPE, dtype=np.int32)
    for k, part in enumerate(parts):
        instances[part["mask"].in_frame(SHAPE)] = k + 1
    ones = np.ones(n)
    objects = Objects(
        particles=tuple((k,) for k in range(n)), class_id=np.array([0, 1, 0, 0]),
        class_names=("a b", "c"), group=-np.ones(n, dtype=np.int64), state=STATES, box=box,
        full_box=box, polygons=tuple(p["polygon"] for p in parts),
        masks=tuple(p["mask"] for p in parts), keypoints=np.zeros((n, 3, 2)),
        visible_fraction=ones, share_in_frame=ones, defocus_um=ones, defocus_depths=ones,
        contrast=np.full(n, np.nan), signal_to_noise=ones,
        truth={"refractive_index": 1.5 * ones},
    )  # fmt: skip
    return replace(rendered, objects=objects, instances=instances)


def write(name: str, folder: Path, *frames: tuple[LabelledFrame, str]) -> Path:
    folder.mkdir()
    writer = FORMATS[name].begin(folder, 0)
    for one, split in frames:
        writer.add(one, split)
    files = writer.close()
    splits = {split: 1 for _, split in frames}
    facts = DatasetFacts(
        name="d", class_names=("a b", "c"), splits=splits, shards=1, pixel_size_um=0.25
    )
    finished = FORMATS[name].finish(folder, facts)
    assert sorted(contents(folder)) == sorted(
        p.relative_to(folder).as_posix() for p in (*files, *finished)
    )
    return folder


def test_every_format_gives_the_same_bytes_twice(frame, tmp_path) -> None:
    for name in FORMATS:
        first = write(name, tmp_path / f"{name}-1", (frame, "train"))
        again = write(name, tmp_path / f"{name}-2", (frame, "train"))
        assert contents(first) == contents(again), name


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "colour"])
def test_every_format_takes_every_image(frame, tmp_path, kind) -> None:
    image = frame.image
    if kind == "colour":
        image = np.stack([image] * 3, -1)
    elif kind == "uint16":
        image = image.astype(np.uint16) * 16
    elif kind == "float32":
        image = image.astype(np.float32) / 128
    white = {"uint16": 4095.0, "float32": 2.0}.get(kind, 255.0)
    for name in FORMATS:
        write(name, tmp_path / name, (replace(frame, image=image, white=white), "val"))


def test_yolo_counts_from_the_corner_of_the_first_pixel(frame, tmp_path) -> None:
    folder = write("yolo-obb", tmp_path / "d", (frame, "train"))
    lines = (folder / "labels/train/0000000.txt").read_text().splitlines()
    assert len(lines) == 2  # counted and difficult
    numbers = np.array([float(v) for v in lines[0].split()])
    assert numbers[0] == 0 and lines[1].startswith("1 ")
    corners = numbers[1:].reshape(4, 2) * [SHAPE[1], SHAPE[0]]
    # Columns 3 to 5 and rows 2 and 3: from corner 3 to 6, and 2 to 4.
    assert {(round(x, 4), round(y, 4)) for x, y in corners} == {(3, 2), (6, 2), (6, 4), (3, 4)}
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert data["names"] == {0: "a b", 1: "c"} and data["train"] == data["val"] == "images/train"
    picture = np.asarray(Image.open(folder / "images/train/0000000.png"))
    assert (picture == frame.picture).all()


def yolo_rows_by_its_own_rules(text: str) -> np.ndarray:
    """What the loader of Ultralytics does with a label file: refuse, or take every row once."""
    rows = [[float(v) for v in line.split()] for line in text.splitlines()]
    assert all(len(row) >= 7 and len(row) % 2 == 1 for row in rows)
    values = np.array([v for row in rows for v in row[1:]])
    assert (values <= 1.01).all() and (values >= -0.01).all()
    assert len({tuple(row) for row in rows}) == len(rows)
    return np.array([row[:9] for row in rows])


def test_yolo_files_of_a_crowded_frame_are_taken_whole(scene, tmp_path) -> None:
    export(scene, tmp_path / "d", 6, ("yolo-obb", "yolo-seg"), 3, shard_size=6)
    for name in ("yolo-obb", "yolo-seg"):
        texts = [p.read_text() for p in sorted((tmp_path / "d" / name).rglob("labels/**/*.txt"))]
        assert len(texts) == 6 and sum(len(yolo_rows_by_its_own_rules(t)) for t in texts) > 20


def test_ultralytics_takes_the_files(scene, tmp_path) -> None:
    check = pytest.importorskip("ultralytics.data.utils", reason="ultralytics is not installed")
    export(scene, tmp_path / "d", 4, ("yolo-obb",), 3, shard_size=4)
    for image in (tmp_path / "d" / "images").rglob("*.png"):
        label = Path(str(image).replace("images", "labels")).with_suffix(".txt")
        found = check.verify_image_label((str(image), str(label), "", False, 2, 0, 0, False))
        assert found[-1] == "" and found[-2] == 0


def test_coco_is_read_by_pycocotools(frame, tmp_path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    folder = write("coco", tmp_path / "d", (frame, "train"))
    found = coco.COCO(str(folder / "annotations/train.json"))
    assert [c["name"] for c in found.loadCats(found.getCatIds())] == ["a b", "c"]
    (image,) = found.loadImgs(found.getImgIds())
    assert (folder / "images" / image["file_name"]).is_file()
    objects = found.loadAnns(found.getAnnIds(imgIds=[image["id"]], iscrowd=None))
    assert [o["iscrowd"] for o in objects] == [0, 0, 1]
    assert [o["difficult"] for o in objects] == [False, True, False]
    for one, mask in zip(objects, frame.objects.masks, strict=False):
        assert (found.annToMask(one).astype(bool) == mask.in_frame(SHAPE)).all()
    assert objects[0]["bbox"] == [3, 2, 3, 2] and objects[0]["area"] == 6
    assert objects[0]["obb"] == [4.5, 3.0, 3.0, 2.0, 0.0]


def test_run_lengths_of_any_mask_come_back() -> None:
    code = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    for k in range(40):
        shape = tuple(rng.integers(1, 70, 2))
        mask = rng.random(shape) < rng.choice([0.0, 0.02, 0.5, 1.0])
        text = encoded(counts_of(mask))
        assert (mask_of(text, shape) == mask).all(), k
        theirs = code.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode("ascii")
        assert text == theirs


def test_dota_marks_difficult_objects(frame, tmp_path) -> None:
    folder = write("dota", tmp_path / "d", (frame, "test"))
    rows = (folder / "test/labelTxt/0000000.txt").read_text().splitlines()
    assert rows[1] == "gsd:0.25"
    first, second, third = (row.split() for row in rows[2:])
    assert first[8:] == ["a-b", "0"] and second[8:] == ["c", "1"] and third[9] == "1"
    x, y = np.array(first[:8], float)[0::2], np.array(first[:8], float)[1::2]
    turn = (np.roll(x, -1) - x) * (np.roll(y, -2) - y) - (np.roll(y, -1) - y) * (np.roll(x, -2) - x)
    assert (turn > 0).all()  # clockwise as a picture is looked at
    assert (x.min(), x.max(), y.min(), y.max()) == (3, 6, 2, 4)


@pytest.mark.parametrize("name", ["ome-tiff", "stardist"])
def test_tiff_pairs_have_the_same_pixels(frame, tmp_path, name) -> None:
    folder = write(name, tmp_path / "d", (frame, "train"))
    image, masks = (
        ("train/0000000.ome.tif", "train/0000000_masks.tif") if name == "ome-tiff"
        else ("train/images/0000000.tif", "train/masks/0000000.tif")
    )  # fmt: skip
    assert (tifffile.imread(folder / image) == frame.image).all()
    labels = tifffile.imread(folder / masks)
    assert labels.dtype == np.uint16 and set(np.unique(labels)) == {0, 1, 2}
    assert (labels == 1).sum() == (frame.instances == 1).sum()
    from osog.io import read_micrograph

    assert read_micrograph(folder / image).pixel_size_um.value == pytest.approx(0.25)
    if name == "ome-tiff":
        from ome_types import from_tiff

        pixels = from_tiff(folder / image).images[0].pixels
        assert pixels.physical_size_x == pytest.approx(0.25) and pixels.size_x == SHAPE[1]


def test_ome_zarr_follows_its_models(frame, tmp_path) -> None:
    models = pytest.importorskip("ome_zarr_models.v05")
    zarr = pytest.importorskip("zarr")
    for colour in (False, True):
        image = np.stack([frame.image] * 3, -1) if colour else frame.image
        one = replace(frame, image=image)
        folder = write("ome-zarr", tmp_path / f"{colour}", (one, "train"))
        group = zarr.open_group(folder / "train/0000000.zarr", mode="r")
        found = models.Image.from_zarr(group)
        scales = found.attributes.ome.multiscales[0].datasets[0].coordinateTransformations[0]
        assert scales.scale[-2:] == [0.25, 0.25]
        stored = np.moveaxis(group["0"][:], 0, -1) if colour else group["0"][:]
        assert (stored == image).all()
        labels = models.ImageLabel.from_zarr(group["labels/objects"])
        rows = labels.attributes.ome.image_label.properties
        assert rows is not None and len(rows) == 2
        assert (group["labels/objects/0"][:] == 1).sum() == (frame.instances == 1).sum()


def test_webdataset_reads_its_shards(frame, tmp_path) -> None:
    web = pytest.importorskip("webdataset")
    second = replace(frame, index=1)
    folder = write("webdataset", tmp_path / "d", (frame, "train"), (second, "train"))
    url = (folder / "train/shard-000000.tar").as_posix()
    found = list(web.WebDataset(url, shardshuffle=False).decode("rgb8"))
    assert [s["__key__"] for s in found] == ["0000000", "0000001"]
    assert found[1]["json"]["index"] == 1 and len(found[0]["json"]["objects"]) == 3
    assert (found[0]["png"][..., 0] == frame.picture).all()
    assert {"png", "masks.png", "json"} <= set(found[0])


def test_the_table_has_a_row_for_every_object(frame, tmp_path) -> None:
    folder = write("table", tmp_path / "d", (frame, "train"))
    with (folder / "objects.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["state"] for row in rows] == list(STATES)
    assert rows[0]["class"] == "a b" and float(rows[0]["refractive_index"]) == 1.5
    assert rows[0]["contrast"] == "" and math.isclose(float(rows[0]["x_px"]), 4.0)


def test_the_manifest_lists_what_is_written(scene, tmp_path) -> None:
    made = export(scene, tmp_path / "d", 5, tuple(n for n in FORMATS if n != "plain"), 1,
                  shard_size=2)  # fmt: skip
    assert made.complete
    listed = {f["path"] for r in made.records for f in r["files"]}
    there = set(contents(tmp_path / "d"))
    assert listed <= there
    extra = {p for p in there - listed if not p.startswith("records/")}
    assert extra == {
        "recipe.json", "manifest.json", "yolo-obb/data.yaml", "yolo-seg/data.yaml",
        "table/objects.csv", *(f"coco/annotations/{s}.json" for s in ("train", "val", "test")
                               if (tmp_path / f"d/coco/annotations/{s}.json").exists()),
    }  # fmt: skip
    json.loads((tmp_path / "d/coco/annotations/train.json").read_text())
