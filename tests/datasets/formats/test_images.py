"""OME-TIFF, OME-Zarr and WebDataset, each read by its own reader."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import ome_types
import pytest
import tifffile
import zarr
from ome_zarr_models.v05 import Image, ImageLabel, Labels
from pycocotools import mask as coco_mask

from helpers.labelled_frames import PIXEL_UM, SHAPE

STATES = ("counted", "difficult")
SHOWN = (*STATES, "ignored")


def _instances(frame, states):
    kept = [k + 1 for k, state in enumerate(frame.objects.state) if state in states]
    return np.where(np.isin(frame.instances, kept), frame.instances, 0)


@pytest.mark.parametrize("name", ["ome-tiff", "stardist"])
def test_tiffs_keep_counts_pixel_size_and_instances(name, write, frames) -> None:
    folder = write(name)
    for frame, split in frames:
        if name == "ome-tiff":
            image, masks = (folder / split / f"{frame.stem}{end}.tif" for end in ("", "_masks"))
        else:
            image, masks = (folder / split / k / f"{frame.stem}.tif" for k in ("images", "masks"))
        with tifffile.TiffFile(image) as file:
            assert file.is_ome
            back = file.asarray()
        assert back.dtype == frame.image.dtype
        assert (back == frame.image).all()
        pixels = ome_types.from_tiff(image).images[0].pixels
        assert pixels.physical_size_x == pixels.physical_size_y == PIXEL_UM
        assert pixels.physical_size_x_unit.value == "µm"
        labels = tifffile.imread(masks)
        assert labels.dtype == np.uint16
        assert (labels == _instances(frame, STATES)).all()


def test_micrographs_of_this_package_open_the_tiffs(write) -> None:
    from osog.io import read_micrograph

    folder = write("ome-tiff")
    found = read_micrograph(folder / "train" / "0000001.tif")
    assert found.pixel_size_um.value == pytest.approx(PIXEL_UM)


def test_ome_zarr_is_valid_and_holds_the_truth(write, frames) -> None:
    folder = write("ome-zarr")
    for frame, split in frames:
        place = folder / split / f"{frame.stem}.ome.zarr"
        group = zarr.open_group(place, mode="r")
        image = Image.from_zarr(group)
        assert image.labels is not None
        Labels.from_zarr(group["labels"])
        label = ImageLabel.from_zarr(group["labels/instances"])
        back = group["0"][...]
        assert back.dtype == frame.image.dtype
        assert ((np.moveaxis(back, 0, -1) if back.ndim == 3 else back) == frame.image).all()
        (scales,) = image.attributes.ome.multiscales
        (level,) = scales.datasets
        assert level.coordinateTransformations[0].scale[-2:] == [PIXEL_UM, PIXEL_UM]
        assert [axis.unit for axis in scales.axes[-2:]] == ["micrometer"] * 2
        assert (group["labels/instances/0"][...] == _instances(frame, SHOWN)).all()
        described = label.attributes.ome.image_label
        kept = [k for k, state in enumerate(frame.objects.state) if state in SHOWN]
        raw = group["labels/instances"].attrs["ome"]["image-label"].get("properties", [])
        assert len(described.properties or ()) == len(raw) == len(kept)
        assert [one.label_value for one in described.colors] == [k + 1 for k in kept or [-1]]
        for row, k in zip(raw, kept, strict=True):
            assert row["label-value"] == k + 1
            assert row["state"] == frame.objects.state[k]
            assert row["x_um"] == pytest.approx(frame.objects.truth["x_um"][k])
            assert row["contrast"] is None  # not a number has no place in JSON


def test_webdataset_gives_every_sample_with_its_objects(write, frames) -> None:
    import webdataset

    folder = write("webdataset")
    for split in ("train", "val"):
        shards = [str(folder / name) for name in (folder / f"{split}.txt").read_text().split()]
        read = webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8")
        wanted = [frame for frame, its in frames if its == split]
        for sample, frame in zip(read, wanted, strict=True):
            assert sample["__key__"] == frame.stem
            picture = frame.picture
            shown = picture if picture.ndim == 3 else np.stack([picture] * 3, -1)
            assert (sample["png"] == shown).all()
            assert (sample["masks.npz"]["instances"] == _instances(frame, SHOWN)).all()
            said = sample["json"]
            assert said["seed"] == frame.seed and said["pixel_size_um"] == PIXEL_UM
            kept = [k for k, state in enumerate(frame.objects.state) if state in SHOWN]
            assert [one["object"] - 1 for one in said["objects"]] == kept
            for one, k in zip(said["objects"], kept, strict=True):
                mask = frame.objects.masks[k].in_frame(SHAPE)
                assert (coco_mask.decode(one["mask"]).astype(bool) == mask).all()
                assert one["corners"] == pytest.approx(frame.objects.corners[k], abs=1e-3)


def test_members_of_a_tar_stand_together_and_carry_no_time(write) -> None:
    folder = write("webdataset")
    tars = sorted(folder.rglob("*.tar"))
    assert [t.relative_to(folder).as_posix() for t in tars] == [
        "train/shard-000000.tar", "train/shard-000001.tar", "val/shard-000001.tar",
        "val/shard-000002.tar",
    ]  # fmt: skip
    with tarfile.open(tars[0]) as tar:
        members = tar.getmembers()
        assert {member.mtime for member in members} == {0}
        stems = [member.name.partition(".")[0] for member in members]
        assert stems == ["0000000"] * 3 + ["0000001"] * 3
        record = json.load(io.BytesIO(tar.extractfile(members[0]).read()))
        assert record["index"] == 0
    assert tars[0].read_bytes()[257:263] == b"ustar\0"
