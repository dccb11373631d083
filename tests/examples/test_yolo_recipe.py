"""The detector's recipe, but for the detector: scores, windows, tiles and scenes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from PIL import Image

import osog
from osog.datasets import FrameSource, LabelSettings

RECIPE = Path(__file__).parents[2] / "examples" / "yolo_obb"
SCENES = sorted(path.stem for path in (RECIPE / "scenes").glob("*.yaml"))


@pytest.fixture(scope="module", autouse=True)
def beside_each_other():
    sys.path.insert(0, str(RECIPE))
    yield
    sys.path.remove(str(RECIPE))
    for name in ("boxes", "detector", "pictures", "recipe", "streaming"):
        sys.modules.pop(name, None)


def covered(box: np.ndarray, side: int = 400, fine: int = 4) -> np.ndarray:
    """Fine pixels inside a box, by its definition."""
    y, x = np.mgrid[: side * fine, : side * fine] / fine
    x, y = x - box[0], y - box[1]
    along = x * np.cos(box[4]) + y * np.sin(box[4])
    across = y * np.cos(box[4]) - x * np.sin(box[4])
    return (np.abs(along) <= box[2] / 2) & (np.abs(across) <= box[3] / 2)


def test_overlap_of_boxes_is_that_of_their_pixels() -> None:
    import boxes

    rng = np.random.default_rng(3)
    low, high = np.array([[30, 30, 8, 8, -2], [60, 60, 40, 40, 2]])
    first = rng.uniform(low, high, (6, 5))
    second = first + rng.normal(0, 4, first.shape) * [1, 1, 1, 1, 0.05]
    second[:, 2:4] = np.abs(second[:, 2:4]) + 2
    found = boxes.polygon_iou(first, second)
    assert found.shape == (6, 6)
    for i in range(6):
        one, other = covered(first[i], 100), covered(second[i], 100)
        assert found[i, i] == pytest.approx((one & other).sum() / (one | other).sum(), abs=0.02)
    assert np.allclose(np.diag(boxes.polygon_iou(first, first)), 1)
    assert boxes.polygon_iou(first, first + np.array([500, 0, 0, 0, 0])).max() == 0


def test_likeness_of_gaussians_is_one_less_their_hellinger_distance() -> None:
    import boxes

    one = np.array([[50.0, 48.0, 30.0, 9.0, 0.4]])
    other = np.array([[54.0, 47.0, 24.0, 12.0, 0.7]])
    y, x = np.mgrid[0:100:0.25, 0:100:0.25]

    def density(box: np.ndarray) -> np.ndarray:
        c, s = np.cos(box[4]), np.sin(box[4])
        turn = np.array([[c, -s], [s, c]])
        inverse = turn @ np.diag(12 / box[2:4] ** 2) @ turn.T
        d = np.stack([x - box[0], y - box[1]], -1)
        p = np.exp(-0.5 * np.einsum("...i,ij,...j", d, inverse, d))
        return p / p.sum()

    hellinger = np.sqrt(1 - np.sqrt(density(one[0]) * density(other[0])).sum())
    assert boxes.prob_iou(one, other)[0, 0] == pytest.approx(1 - hellinger, abs=1e-3)
    assert boxes.prob_iou(one, one)[0, 0] == pytest.approx(1, abs=1e-3)


def test_average_precision_of_a_case_done_by_hand() -> None:
    import boxes

    drawn = np.array([[20.0 * k, 10.0, 10.0, 4.0, 0.0] for k in range(1, 5)])
    # By falling confidence: right, a second one on the same object, right, nowhere; two missed.
    found = np.array([drawn[0], drawn[0] + [0.1, 0, 0, 0, 0], drawn[1], [300.0, 300, 10, 4, 0]])
    sure = np.array([0.9, 0.8, 0.7, 0.1])
    one = boxes.scores([found], [sure], [drawn], "polygon", 0.5, threshold=0.5)
    # Precision 1 up to recall 1/4, 2/3 up to 1/2: 26 and 25 of the 101 recalls.
    assert one.average_precision == pytest.approx((26 + 25 * 2 / 3) / 101)
    assert one.precision == pytest.approx(2 / 3) and one.recall == 0.5
    assert (one.found, one.drawn) == (3, 4)
    # Order within a picture does not count, and pictures are ranked together.
    mixed = boxes.scores([found[::-1], found[:0]], [sure[::-1], sure[:0]], [drawn, drawn[:0]])
    assert mixed.average_precision == pytest.approx(one.average_precision)
    assert boxes.scores([drawn], [np.ones(4)], [drawn]).average_precision == 1
    nothing = boxes.scores([drawn[:0]], [sure[:0]], [drawn])
    assert nothing.average_precision == 0 and nothing.recall == 0


def test_what_is_said_twice_is_dropped() -> None:
    import boxes

    one, other = [50.0, 50, 40, 8, 0.2], [50.0, 50, 40, 8, 1.6]
    said = np.array([one, [51, 50, 41, 8, 0.22], other, [300, 50, 40, 8, 0.2]])
    assert boxes.sifted(said, 0.5).tolist() == [0, 2, 3]
    assert boxes.sifted(said[:0], 0.5).tolist() == []


def test_views_agree_on_the_mean_of_what_they_say() -> None:
    import boxes

    # Three of four views see the first object, one describes it with its sides exchanged.
    said = np.array(
        [[50, 50, 40, 8, 0.2], [52, 50, 44, 8, 0.2 + np.pi], [51, 50, 9, 42, 0.2 - np.pi / 2],
         [300, 50, 40, 8, 1.0]]
    )  # fmt: skip
    mean, sure = boxes.agreed(said, np.array([0.8, 0.4, 0.4, 0.6]), 4, 0.5)
    assert len(mean) == 2
    assert mean[0, :2] == pytest.approx([50.75, 50])
    assert mean[0, 2:4] == pytest.approx([40**0.5 * (44 * 42) ** 0.25, 8**0.75 * 9**0.25])
    assert mean[0, 4] == pytest.approx(0.2)
    assert sure == pytest.approx([0.4, 0.15]), "a view that says nothing counts as 0"
    assert len(boxes.agreed(said[:0], np.zeros(0), 4, 0.5)[0]) == 0


def test_what_a_turned_view_shows_is_brought_back() -> None:
    import boxes
    import detector
    import pictures

    box = np.array([50.0, 30.0, 40.0, 12.0, 0.4])
    mask = covered(box, 120, 1)[:80]
    drawn = pictures.least_rectangle(mask)
    for number in range(8):
        view = np.rot90(mask[:, ::-1] if number >= 4 else mask, number % 4)
        back = detector._turned_back(pictures.least_rectangle(view)[None], number, view.shape)
        assert boxes.polygon_iou(back, drawn[None])[0, 0] > 0.98, number


def test_a_window_keeps_boxes_on_their_objects() -> None:
    import pictures

    box = np.array([[120.0, 100.0, 90.0, 24.0, 0.5]])
    picture = np.full((200, 240), pictures.EMPTY, np.uint8)
    picture[covered(box[0], 240, 1)[:200]] = 255
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(12):
        shown, held = pictures.window(picture, box, 160, rng, scales=(0.6, 1.2))
        assert shown.shape == (160, 160) and shown.dtype == np.uint8
        if not len(held):
            continue
        seen += 1
        bright = shown > np.median(shown) + 0.5 * (float(shown.max()) - np.median(shown))
        inside = covered(held[0], 160, 1)
        # The box is the object's, cut at the window, to the pixel that its rim is blurred by.
        assert (bright & inside).sum() > 0.9 * bright.sum()
        assert bright[inside].mean() > 0.8
        grown = held[0] + np.array([0, 0, 4, 4, 0])
        assert (bright & ~covered(grown, 160, 1)).sum() <= 3
    assert seen >= 6


def test_labels_are_read_from_lines_and_from_masks(tmp_path: Path) -> None:
    import boxes
    import pictures

    drawn = np.array([[60.0, 50.0, 40.0, 10.0, 0.3], [30.0, 80.0, 20.0, 12.0, -1.2]])
    lines = [
        "0 " + " ".join(f"{v:.6f}" for v in ((corners + 0.5) / [128, 100]).ravel())
        for corners in boxes.corners_of(drawn)
    ]
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n")
    assert np.allclose(pictures.read_labels(tmp_path / "a.txt", (100, 128)), drawn, atol=1e-3)
    masks = np.stack([covered(box, 128, 1)[:100] for box in drawn])
    tifffile.imwrite(tmp_path / "stack.tif", masks.astype(np.uint8))
    tifffile.imwrite(tmp_path / "labels.tif", (masks * [[[3]], [[7]]]).max(0).astype(np.uint16))
    for name in ("stack.tif", "labels.tif"):
        read = pictures.read_labels(tmp_path / name, (100, 128))
        assert np.diag(boxes.polygon_iou(drawn, read)).min() > 0.85, name


def test_levels_of_the_camera_do_not_matter() -> None:
    import pictures

    picture = np.random.default_rng(0).normal(0.5, 0.02, (64, 64))
    picture[20:30, 20:60] -= 0.2
    plain = pictures.normalised(picture).astype(int)
    for other in (picture * 60000, 200 * picture + 30, np.stack([picture] * 3, -1)):
        assert np.abs(pictures.normalised(other) - plain).max() <= 1
    assert plain[25, 40] < pictures.EMPTY - 50, "dark stays dark"


def test_scenes_and_labels_belong_together() -> None:
    import recipe

    assert {path.stem for path in (RECIPE / "labels").glob("*.yaml")} == set(SCENES)
    for name, size in recipe.SIZES.items():
        assert set(size.frames) <= set(SCENES), name
    assert set(recipe.SIZES["cpu"].frames) == set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_of_the_recipe_gives_labelled_frames(name: str) -> None:
    import recipe

    scene = osog.Scene.load(recipe.scene_of(name)).updated({"grid.shape": [128, 128]})
    settings = LabelSettings.model_validate(yaml.safe_load(recipe.labels_of(name).read_text()))
    frame = FrameSource(scene, 1, labels=settings, device="cpu")[0]
    assert frame.picture.std() > 2
    assert frame.objects.class_names == ("particle",)
    assert len(frame.objects.in_state("counted"))


def test_windows_are_cut_from_the_files_of_a_dataset(tmp_path: Path) -> None:
    import recipe

    for split, number in (("train", 2), ("val", 1)):
        for k in range(number):
            for kind in ("images", "labels"):
                (tmp_path / "frames" / "a" / kind / split).mkdir(parents=True, exist_ok=True)
            place = tmp_path / "frames" / "a"
            pixels = np.full((80, 80), 100, np.uint8)
            pixels[30:40, 20:60] = 200
            Image.fromarray(pixels).save(place / "images" / split / f"{k}.png")
            line = "0 " + " ".join(f"{v / 80:.6f}" for v in (20, 30, 60, 30, 60, 40, 20, 40))
            (place / "labels" / split / f"{k}.txt").write_text(line + "\n")
    assert len(recipe.frames(tmp_path, "train")) == 2
    pictures, boxes = next(recipe.windows(tmp_path, 64, 4))
    assert pictures.shape == (4, 64, 64) and len(boxes) == 4
    assert all(each.shape[1] == 5 for each in boxes) and sum(map(len, boxes))


def test_shards_make_the_mixture_together_and_stop_in_time(tmp_path: Path, monkeypatch) -> None:
    import recipe

    def small(name: str):
        scene, labels = described(name)
        few = {f"populations.{each}.count": 2 for each in ("bacteria", "dividing")}
        return scene.updated({"grid.shape": [96, 96], **few}), labels

    described = recipe.described
    monkeypatch.setattr(recipe, "described", small)
    monkeypatch.setattr(recipe, "SHARD", 1)
    monkeypatch.setattr(recipe, "ROUNDS", 2)
    size = recipe.Size({"bacteria_brightfield": 3}, 48, 2, 1)
    for k in (0, 1):
        recipe.generate(tmp_path / "shards", size, 1, "cpu", shard=(k, 2), minutes=5)
        stems = [p.stem for p, _ in recipe.frames(tmp_path / "shards", "train")]
        assert len(stems) + len(recipe.frames(tmp_path / "shards", "val")) == (2, 3)[k]
    assert len(set(stems)) == len(stems)
    recipe.generate(tmp_path / "late", size, 1, "cpu", minutes=0)
    assert recipe.frames(tmp_path / "late", "train") == []
    for word in ("2/2", "a/3", "1"):
        with pytest.raises(SystemExit, match="--shard"):
            recipe._shard(word)
    assert recipe._shard("1/3") == (1, 3)


def _one_image(folder: Path, split: str, name: str, value: int) -> None:
    place = folder / "frames" / "a"
    for kind in ("images", "labels"):
        (place / kind / split).mkdir(parents=True, exist_ok=True)
    pixels = np.full((80, 80), 100, np.uint8)
    pixels[30:40, 20:60] = value
    line = "0 " + " ".join(f"{v / 80:.6f}" for v in (20, 30, 60, 30, 60, 40, 20, 40))
    (place / "labels" / split / f"{name}.txt").write_text(line + "\n")
    Image.fromarray(pixels).save(place / "images" / split / f"{name}.png")


def test_images_that_are_made_meanwhile_are_used(tmp_path: Path, monkeypatch) -> None:
    import recipe

    asked = []

    def another(seconds: float) -> None:
        asked.append(seconds)
        _one_image(tmp_path, "train", "first", 200)

    monkeypatch.setattr(recipe.time, "sleep", another)
    opened = []
    read = recipe.read_picture
    monkeypatch.setattr(recipe, "read_picture", lambda p: opened.append(p.stem) or read(p))
    grows = recipe.windows(tmp_path, 48, 2, grows=True)
    next(grows)
    assert len(asked) == 1, "it waited for the first"
    _one_image(tmp_path, "train", "second", 20)
    for _ in range(70):
        next(grows)
    assert opened == ["first", "second"]
    still = recipe.windows(tmp_path / "none", 48, 2)
    with pytest.raises(SystemExit, match="no images to train on"):
        next(still)


def test_a_sheet_shows_true_and_found_boxes_of_images_kept_back(tmp_path, monkeypatch) -> None:
    import detector
    import recipe

    with pytest.raises(SystemExit, match="kept from training"):
        monkeypatch.setattr(detector, "load", lambda *_: None)
        recipe.sheet(tmp_path / "w.pt", tmp_path, tmp_path / "sheet.png", 0.25, "cpu")
    for k in range(5):
        _one_image(tmp_path, "val", str(k), 200)
    said = np.array([[40.0, 60.0, 30.0, 8.0, 0.0], [40.0, 12.0, 30.0, 8.0, 0.0]])
    monkeypatch.setattr(detector, "found", lambda *_, **__: (said, np.array([0.9, 0.1])))
    recipe.sheet(tmp_path / "w.pt", tmp_path, tmp_path / "sheet.png", 0.25, "cpu")
    page = np.asarray(Image.open(tmp_path / "sheet.png")).astype(int)
    assert page.shape == (160, 320, 3), "four across"
    first = page[:80, :80]
    blue, amber = first[..., 2] - first[..., 0] > 100, first[..., 0] - first[..., 2] > 100
    assert blue[25:45].any() and not blue[50:].any()
    assert amber[50:70].any() and not amber[:50].any(), "what is less sure is left out"
    assert (page[80:, 80:] == 255).all()


def test_streamed_images_are_those_of_files(tmp_path) -> None:
    import pictures
    import recipe
    import streaming

    scene, labels = recipe.described("bacteria_brightfield")
    scene = scene.model_copy(update={"grid": scene.grid.model_copy(update={"shape": (96, 96)})})
    frames = streaming.Frames({"bacteria": (scene, labels)}, {"bacteria": 3}, 5)
    osog.datasets.export(scene, tmp_path, 3, ["yolo-obb"], 5, labels=labels, split=(1.0,))
    written = sorted((tmp_path / "images" / "train").glob("*.png"))
    assert sorted(frames._order) == [("bacteria", k) for k in range(3)]
    seen = 0
    for number, (_, index) in enumerate(frames._order):
        grey, boxes = frames[number]
        assert np.array_equal(grey, pictures.read_picture(written[index]))
        text = tmp_path / "labels" / "train" / f"{written[index].stem}.txt"
        far = boxes[:, 2:4].max(1) / 2 + 1
        inside = (boxes[:, :2].min(1) > far) & (boxes[:, :2].max(1) < 95 - far)
        drawn = pictures.read_labels(text, grey.shape)
        for box in boxes[inside]:  # files cut boxes at the frame
            assert np.abs(drawn[:, :4] - box[:4]).max(1).min() < 1e-3
        seen += int(inside.sum())
    assert seen > 0
    batches = streaming.streamed(frames, 48, 2, steps=4, seed=1)
    for _ in range(6):  # the pool goes on where the images are at an end
        shown, held = next(batches)
        assert shown.shape == (2, 48, 48) and len(held) == 2 and held[0].shape[1] == 5
