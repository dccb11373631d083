"""A detector of crystals and cells that has seen generated images only.

``generate`` writes labelled images of every scene in ``scenes/``, ``train`` trains YOLO11n-OBB on
random windows of them, or with ``--stream`` on images that are rendered meanwhile and never
written, ``evaluate`` scores it on your own labelled tiles, ``draw`` draws what it finds, ``sheet``
what it finds on generated images that it has not seen. ``all`` does the first two. See README.md
beside this file.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from boxes import OVERLAPS, corners_of, scores
from numpy.typing import NDArray
from pictures import read_labels, read_picture, resized, window
from PIL import Image, ImageDraw
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

if TYPE_CHECKING:
    from collections.abc import Iterator

    import osog

Array = NDArray[np.float64]
HERE = Path(__file__).parent
SEED = 1
SHARD = 4
"""Images that one process makes in a row."""
ROUNDS = 100
"""Parts that a dataset with a limit of time is made in, each a mixture of all scenes."""


@dataclass(frozen=True)
class Size:
    """Settings for a machine.

    Attributes
    ----------
    frames : dict of str to int
        Images of each scene.
    side : int
        Of the windows that the network sees, pixels.
    batch, steps : int
    """

    frames: dict[str, int]
    side: int
    batch: int
    steps: int


STAGES = ("all", "generate", "train", "evaluate", "draw", "sheet")
SIZES = {
    # Under 40 minutes on two idle cores: images by two processes, then 3,000 steps.
    "cpu": Size(
        {"needles_dic": 240, "thick_blocks": 120, "blocks_brightfield": 80, "dark_needles": 100,
         "bacteria_brightfield": 50}, 192, 8, 3000,
    ),
    "gpu": Size(
        {"needles_dic": 9000, "thick_blocks": 2500, "blocks_brightfield": 1500,
         "dark_needles": 1500, "bacteria_brightfield": 1000}, 256, 64, 20000,
        ),
    # For a test that everything runs.
    "tiny": Size({"needles_dic": 3, "bacteria_brightfield": 2}, 96, 2, 3),
}  # fmt: skip


def scene_of(name: str) -> Path:
    """File of a scene."""
    return HERE / "scenes" / f"{name}.yaml"


def labels_of(name: str) -> Path:
    """File of the labels of a scene."""
    return HERE / "labels" / f"{name}.yaml"


def described(name: str) -> tuple[osog.Scene, osog.datasets.LabelSettings]:
    """Read a scene and the settings of its labels."""
    import osog

    scene = osog.Scene.load(scene_of(name))
    words = yaml.safe_load(labels_of(name).read_text(encoding="utf-8"))
    return scene, osog.datasets.LabelSettings.model_validate(words)


def generate(
    folder: Path,
    size: Size,
    workers: int,
    device: str,
    shard: tuple[int, int] | None = None,
    minutes: float | None = None,
) -> None:
    """Write the images; a run that was stopped goes on.

    Parameters
    ----------
    folder : Path
    size : Size
    workers : int
        Processes; more than one takes the extra ``distributed``.
    device : str
    shard : (int, int), optional
        (k, K): every K-th shard from the k-th on. K such runs at once make the images together.
    minutes : float, optional
        Wall time after which no other image is begun. Scenes then take turns, so that the mixture
        is that of the size however many images come.
    """
    import osog

    begun = time.monotonic()

    def late() -> bool:
        return minutes is not None and time.monotonic() - begun > 60 * minutes

    rounds = 1 if minutes is None else ROUNDS
    made: Counter[str] = Counter()
    try:
        for turn in range(1, rounds + 1):
            for name, count in size.frames.items():
                scene, settings = described(name)
                upto = min(count, SHARD * math.ceil(count * turn / rounds / SHARD))  # whole shards
                dataset = osog.datasets.export(
                    scene, folder / "frames" / name, upto,
                    ["yolo-obb"], SEED, labels=settings, split=(0.95, 0.05), workers=workers,
                    device=device, shard=shard, shard_size=SHARD, stop=late,
                )  # fmt: skip
                made[name] += dataset.made * SHARD
    except osog.datasets.Cancelled:
        print("the time is over", flush=True)
    words = ", ".join(f"{name} {number}" for name, number in made.items())
    print(f"images in whole shards: {words}; {time.monotonic() - begun:.0f} s", flush=True)


def frames(folder: Path, split: str) -> list[tuple[Path, Path]]:
    """Pictures and labels that are there."""
    found = []
    for picture in sorted((folder / "frames").glob(f"*/images/{split}/*.png")):
        labels = picture.parents[2] / "labels" / split / f"{picture.stem}.txt"
        if labels.exists():
            found.append((picture, labels))
    return found


def windows(
    folder: Path, side: int, batch: int, seed: int = 0, grows: bool = False
) -> Iterator[tuple[NDArray[np.uint8], list[Array]]]:
    """Batches of random windows, without end.

    Parameters
    ----------
    folder : Path
    side, batch : int
    seed : int
    grows : bool
        Look for new images now and then, where they are still being made.
    """
    rng = np.random.default_rng(seed)
    kept: dict[Path, tuple[NDArray[np.uint8], Array]] = {}
    listed: list[tuple[Path, Path]] = []
    step = 0
    while True:
        if not listed or (grows and step % 50 == 0):
            listed = frames(folder, "train")
            while not listed and grows:
                time.sleep(1)
                listed = frames(folder, "train")
            if not listed:
                raise SystemExit(f"{folder / 'frames'} holds no images to train on.")
            scenes = sorted({picture.parents[2].name for picture, _ in listed})
            by_scene = [[f for f in listed if f[0].parents[2].name == name] for name in scenes]
            share = np.sqrt([len(each) for each in by_scene])  # small sets count for more
        pictures, boxes = [], []
        for _ in range(batch):
            each = by_scene[rng.choice(len(by_scene), p=share / share.sum())]
            picture, labels = each[rng.integers(len(each))]
            if picture not in kept:
                grey = read_picture(picture)
                kept[picture] = grey, read_labels(labels, grey.shape)
            shown, held = window(*kept[picture], side, rng)
            pictures.append(shown)
            boxes.append(held)
        step += 1
        yield np.stack(pictures), boxes


class Ahead(IterableDataset[Any]):
    """Batches of `windows` from several processes, each with its own order.

    Parameters
    ----------
    folder : Path
    side, batch, seed : int
    grows : bool
    """

    def __init__(self, folder: Path, side: int, batch: int, seed: int, grows: bool) -> None:
        self._of = folder, side, batch, seed, grows

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], list[Array]]]:
        folder, side, batch, seed, grows = self._of
        worker = get_worker_info()
        return windows(folder, side, batch, seed + (worker.id if worker else 0), grows)


def cut_ahead(
    folder: Path, side: int, batch: int, seed: int, grows: bool, workers: int
) -> Iterator[tuple[NDArray[np.uint8], list[Array]]]:
    """Batches of random windows that `workers` processes cut while the network trains."""
    ahead = Ahead(folder, side, batch, seed, grows)
    return iter(
        DataLoader(
            ahead, batch_size=None, num_workers=workers, collate_fn=_as_it_is, prefetch_factor=4
        )
    )


def _as_it_is(batch: Any) -> Any:
    return batch


def evaluate(
    weights: Path,
    tiles: list[tuple[Path, Path, float]],
    threshold: float,
    aspect: float,
    device: str,
) -> None:
    """Print how the detector does on tiles with labels, each alone and all together."""
    from detector import found, load

    network = load(weights, device)
    rows: list[tuple[str, Array, Array, Array]] = []
    for picture, labels, scale in tiles:
        grey = read_picture(picture)
        drawn = read_labels(labels, grey.shape)
        boxes, sure = found(network, resized(grey, scale), device=device)
        boxes[:, :4] = _scaled(boxes[:, :4], 1 / scale)
        long = slender(boxes, aspect)
        rows.append((picture.name, boxes[long], sure[long], drawn))
    print(f"precision and recall at confidence {threshold:g}; boxes in truth, boxes shown")
    groups = [[row] for row in rows] + ([rows] if len(rows) > 1 else [])
    for group in groups:
        print(group[0][0] if len(group) == 1 else "all tiles")
        for measure in OVERLAPS:
            for least in (0.3, 0.5):
                one = scores(
                    [r[1] for r in group], [r[2] for r in group], [r[3] for r in group],
                    measure, least, threshold,
                )  # fmt: skip
                print(
                    f"  {measure:8} IoU {least:.1f}: AP {one.average_precision:.2f}, precision "
                    f"{one.precision:.2f}, recall {one.recall:.2f}; {one.drawn}, {one.found}"
                )


def draw(
    weights: Path,
    picture: Path,
    out: Path,
    threshold: float,
    scale: float,
    aspect: float,
    device: str,
) -> None:
    """Write a picture with the boxes that are found."""
    from detector import found, load

    grey = read_picture(picture)
    boxes, sure = found(load(weights, device), resized(grey, scale), device=device)
    boxes[:, :4] = _scaled(boxes[:, :4], 1 / scale)
    kept = boxes[(sure >= threshold) & slender(boxes, aspect)]
    Image.fromarray(with_boxes(grey, kept)).save(out)
    print(f"{out}: {len(kept)} boxes")


def sheet(
    weights: Path, folder: Path, out: Path, threshold: float, device: str, number: int = 12
) -> None:
    """Write generated images that were kept from training: true boxes blue, found ones amber."""
    from detector import found, load

    network = load(weights, device)
    kept = frames(folder, "val")
    scenes = sorted({picture.parents[2].name for picture, _ in kept})
    by_scene = [[f for f in kept if f[0].parents[2].name == name] for name in scenes]
    turns = [each[k] for k in range(number) for each in by_scene if k < len(each)]
    shown = []
    for picture, labels in turns[:number]:
        grey = read_picture(picture)
        boxes, sure = found(network, grey, device=device)
        true = with_boxes(grey, read_labels(labels, grey.shape), (60, 130, 255))
        shown.append(with_boxes(true, boxes[sure >= threshold]))
    if not shown:
        raise SystemExit(f"{folder / 'frames'} holds no images that were kept from training.")
    rows, columns = (max(each.shape[k] for each in shown) for k in (0, 1))
    across = min(4, len(shown))
    page = np.full((-(-len(shown) // across) * rows, across * columns, 3), 255, np.uint8)
    for k, each in enumerate(shown):
        top, left = k // across * rows, k % across * columns
        page[top : top + each.shape[0], left : left + each.shape[1]] = each
    Image.fromarray(page).save(out)
    print(f"{out}: {len(shown)} images")


def slender(boxes: Array, aspect: float) -> NDArray[np.bool_]:
    """Tell which boxes (n, 5) are at least so many times as long as wide."""
    sides = np.sort(boxes[:, 2:4], axis=1)
    return sides[:, 1] >= aspect * sides[:, 0]


def with_boxes(
    grey: NDArray[np.uint8], boxes: Array, colour: tuple[int, int, int] = (255, 176, 0)
) -> NDArray[np.uint8]:
    """Draw boxes over a grey or colour picture."""
    image = Image.fromarray(grey).convert("RGB")
    pen = ImageDraw.Draw(image)
    for corners in corners_of(boxes):
        outline = [(float(x), float(y)) for x, y in corners]
        pen.line([*outline, outline[0]], fill=colour, width=1)
    return np.asarray(image)


def _scaled(numbers: Array, factor: float) -> Array:
    """Centre and sides at another pixel size; pixel centres are whole numbers."""
    out = numbers * factor
    out[:, :2] += 0.5 * (factor - 1)
    return out


def _shard(word: str) -> tuple[int, int]:
    first, _, last = word.partition("/")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last)):
        raise SystemExit(f"--shard = {word} must be k/K with k from 0 to K − 1.")
    return int(first), int(last)


def _tile(words: list[str]) -> tuple[Path, Path, float]:
    if not 2 <= len(words) <= 3:
        raise SystemExit("--tile takes IMAGE LABELS [SCALE].")
    return Path(words[0]), Path(words[1]), float(words[2]) if len(words) == 3 else 1.0


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("folder", type=Path, help="of images and weights")
    parser.add_argument("--size", choices=tuple(SIZES), default="cpu")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that make images, or cut windows"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--weights", type=Path, help="to begin with; from scratch if left out")
    parser.add_argument("--steps", type=int, help="instead of those of the size")
    parser.add_argument("--batch", type=int, help="instead of that of the size")
    parser.add_argument("--minutes", type=float, help="of each of generate and train, at most")
    parser.add_argument("--shard", metavar="k/K", help="for generate: every K-th part")
    parser.add_argument("--stream", action="store_true", help="train without files of images")
    parser.add_argument("--grows", action="store_true", help="images are still being made")
    parser.add_argument("--threads", type=int, help="of torch")
    parser.add_argument(
        "--tile", nargs="+", action="append", default=[], metavar="IMAGE LABELS [SCALE]"
    )
    parser.add_argument("--threshold", type=float, default=0.25, help="confidence")
    parser.add_argument(
        "--aspect", type=float, default=1.0, help="least length of a box over its width"
    )
    parser.add_argument("--picture", type=Path, help="for draw")
    parser.add_argument("--scale", type=float, default=1.0, help="of the picture, for draw")
    given = parser.parse_args(arguments)
    size, weights = SIZES[given.size], given.folder / "detector.pt"
    if given.threads:
        import torch

        torch.set_num_threads(given.threads)
    if given.stage == "generate" or (given.stage == "all" and not given.stream):
        shard = _shard(given.shard) if given.shard else None
        generate(given.folder, size, given.workers, given.device, shard, given.minutes)
    if given.stage in ("all", "train"):
        import torch
        from detector import train

        torch.manual_seed(SEED)
        begun, steps = time.monotonic(), given.steps or size.steps
        batch = given.batch or size.batch
        if given.stream:
            from streaming import Frames, streamed

            # A GPU renders in the process that trains; processors beside it.
            beside = given.workers if given.device == "cpu" and given.workers > 1 else 0
            scenes = {name: described(name) for name in size.frames}
            made = Frames(scenes, size.frames, SEED, given.device)
            batches = streamed(made, size.side, batch, steps, beside, SEED)
        elif given.workers > 1:
            batches = cut_ahead(given.folder, size.side, batch, SEED, given.grows, given.workers)
        else:
            batches = windows(given.folder, size.side, batch, SEED, given.grows)
        train(
            batches, steps, weights, weights=given.weights, device=given.device,
            minutes=given.minutes, every=1 if given.size == "tiny" else 50,
        )  # fmt: skip
        print(f"{weights}: {time.monotonic() - begun:.0f} s")
    if given.stage == "evaluate" or (given.stage == "all" and given.tile):
        if not given.tile:
            raise SystemExit("evaluate needs one or more --tile IMAGE LABELS [SCALE].")
        evaluate(
            weights, [_tile(t) for t in given.tile], given.threshold, given.aspect, given.device
        )
    if given.stage == "sheet":
        out = given.folder / "sheet.png"
        sheet(weights, given.folder, out, given.threshold, given.device)
    if given.stage == "draw":
        if given.picture is None:
            raise SystemExit("draw needs --picture FILE.")
        out = given.folder / f"{given.picture.stem}-found.png"
        draw(weights, given.picture, out, given.threshold, given.scale, given.aspect, given.device)


if __name__ == "__main__":
    main()
