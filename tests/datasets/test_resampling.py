"""Frames at another pixel size and cropped: labels stay on what they label."""

from __future__ import annotations

import numpy as np
import pytest

import osog
from osog.datasets import DatasetError, FrameSource, LabelSettings, export, read_manifest

SCENE = osog.Scene.parse(
    {
        "grid": {"shape": [120, 160], "pixel_size_um": 0.2},
        "medium": {"index": 1.33},
        "populations": [
            {
                "name": "rods",
                "shape": {"kind": "rod", "length_um": 6.0, "radius_um": 0.8},
                "material": {"index": 1.4},
                "count": 9,
                "orientation": {"law": "planar"},
            }
        ],
        "microscope": {"numerical_aperture": 0.5},
        "camera": {"background_electrons": 6000},
        "numerics": {"accuracy": "draft"},
    }
)


def frame(**settings):
    return FrameSource(SCENE, 4, labels=LabelSettings(**settings), device="cpu")[0]


def test_larger_pixels_hold_the_mean_of_the_light() -> None:
    plain, coarse = frame(), frame(pixel_size_um=0.4)
    assert coarse.shape == (60, 80) and coarse.image.shape == (60, 80)
    assert coarse.image.dtype == plain.image.dtype and coarse.pixel_size_um == 0.4
    mean = plain.image.reshape(60, 2, 80, 2).mean((1, 3))
    assert np.abs(coarse.image - mean).max() <= 0.51
    # In 0.3 µm pixels 1.5 old ones make a new one; the light of the whole stays.
    odd = frame(pixel_size_um=0.3)
    assert odd.shape == (80, 106)
    assert odd.image.mean() == pytest.approx(plain.image[:, :159].mean(), rel=2e-3)


def test_boxes_outlines_and_places_follow() -> None:
    plain, coarse = frame(), frame(pixel_size_um=0.3)
    assert len(coarse.objects) == len(plain.objects) > 5
    one, other = plain.objects, coarse.objects
    assert np.allclose(other.full_box[:, 2:4] * 0.3, one.full_box[:, 2:4] * 0.2)
    # Distances from the outer corner of the first pixel are the same in µm.
    assert np.allclose((other.full_box[:, :2] + 0.5) * 0.3, (one.full_box[:, :2] + 0.5) * 0.2)
    assert np.allclose((other.keypoints + 0.5) * 0.3, (one.keypoints + 0.5) * 0.2)
    for k in range(len(other)):
        mask = other.masks[k].in_frame(coarse.shape)
        box = other.box[k]
        y, x = np.nonzero(mask)
        along = (x - box[0]) * np.cos(box[4]) + (y - box[1]) * np.sin(box[4])
        across = (y - box[1]) * np.cos(box[4]) - (x - box[0]) * np.sin(box[4])
        assert np.abs(along).max() <= box[2] / 2 + 0.85 and np.ptp(along) >= box[2] - 2
        assert np.abs(across).max() <= box[3] / 2 + 0.85 and np.ptp(across) >= box[3] - 2
        # The true place is where the pixels of a whole object are.
        if other.share_in_frame[k] > 0.999:
            assert other.truth["x_um"][k] == pytest.approx(x.mean() * 0.3, abs=0.15)
            assert other.truth["y_um"][k] == pytest.approx(y.mean() * 0.3, abs=0.15)
    assert set(np.unique(coarse.instances)) <= set(range(len(other) + 1))


def test_a_crop_is_the_middle_of_the_frame_to_the_bit() -> None:
    plain, middle = frame(), frame(crop=(64, 80), least_share_in_frame=0.0)
    assert np.array_equal(middle.image, plain.image[28:92, 40:120])
    assert middle.pixel_size_um == 0.2
    objects = middle.objects
    assert 0 < len(objects) < len(plain.objects)
    of = [plain.objects.particles.index(p) for p in objects.particles]
    for k, before in enumerate(of):
        whole = plain.objects.masks[before].in_frame(plain.shape)
        assert np.array_equal(objects.masks[k].in_frame((64, 80)), whole[28:92, 40:120])
        part = whole[28:92, 40:120].sum() / whole.sum() * plain.objects.share_in_frame[before]
        assert objects.share_in_frame[k] == pytest.approx(part)
        assert np.array_equal(
            middle.instances == k + 1, plain.instances[28:92, 40:120] == before + 1
        )
    # Cut at the new frame: the corner of a box that stands aslant may still lie outside.
    assert (objects.box[:, :2] > 0).all() and (objects.box[:, :2] < [80, 64]).all()
    assert (objects.box[:, 2] < objects.full_box[:, 2] - 1).sum() >= 2
    assert len(frame(crop=(64, 80), least_share_in_frame=0.9).objects) < len(objects)


def test_rules_are_asked_again_in_the_new_pixels() -> None:
    rule = [{"state": "ignored", "when": {"length_px": [None, 25]}}]
    assert "counted" in frame(rules=rule).objects.state
    assert set(frame(rules=rule, pixel_size_um=0.4).objects.state) == {"ignored"}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"crop = \[200, 80\] is larger .* 120 by 160 px"):
        frame(crop=(200, 80))
    with pytest.raises(DatasetError, match=r"pixel_size_um = 0\.02 is more than 8 times smaller"):
        frame(pixel_size_um=0.02)


def test_a_dataset_of_many_pixel_sizes_comes_out_alike(tmp_path) -> None:
    scene = SCENE.updated({"grid.pixel_size_um": {"law": "uniform", "low": 0.15, "high": 0.25}})
    settings = LabelSettings(pixel_size_um=0.3, crop=(48, 64))
    export(scene, tmp_path / "a", 3, ["coco"], 1, labels=settings, split=(1,), shard_size=3)
    recipe, manifest = read_manifest(tmp_path / "a")
    assert {recipe.source()[k].image.shape for k in range(3)} == {(48, 64)}
    assert manifest["stated_error_percent"] > 0
