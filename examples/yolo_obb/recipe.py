"""A detector of crystals and cells that has seen generated images only.

``generate`` writes labelled images of every scene in ``scenes/``, ``train`` trains YOLO11n-OBB on
random windows of them, or with ``--stream`` on images that are rendered meanwhile and never
written, ``evaluate`` scores it on your own labelled tiles, ``draw`` draws what it finds. ``all``
does the first two. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from boxes import OVERLAPS, corners_of, scores
from numpy.typing import NDArray
from pictures import read_labels, read_picture, resized, window
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterator

    import osog

Array = NDArray[np.float64]
HERE = Path(__file__).parent
SEED = 1


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


SIZES = {
    # Under 40 minutes on two idle cores: images by two processes, then 3,000 steps.
    "cpu": Size(
        {"needles_dic": 240, "thick_blocks": 120, "blocks_brightfield": 80, "dark_needles": 100,
         "bacteria_brightfield": 50}, 192, 8, 3000,
    ),
    "gpu": Size(
        {"needles_dic": 6000, "thick_blocks": 4000, "blocks_brightfield": 2000,
         "dark_needles": 3000, "bacteria_brightfield": 1500}, 320, 64, 20000,
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


def generate(folder: Path, size: Size, workers: int, device: str) -> None:
    """Write the images; a run that was stopped goes on."""
    import osog

    for name, count in size.frames.items():
        scene, settings = described(name)
        begun = time.monotonic()
        osog.datasets.export(
            scene, folder / "frames" / name, count, ["yolo-obb"], SEED, labels=settings,
            split=(0.95, 0.05), workers=workers, device=device, shard_size=20,
        )  # fmt: skip
        print(f"{name}: {count} images, {time.monotonic() - begun:.0f} s", flush=True)


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


def _tile(words: list[str]) -> tuple[Path, Path, float]:
    if not 2 <= len(words) <= 3:
        raise SystemExit("--tile takes IMAGE LABELS [SCALE].")
    return Path(words[0]), Path(words[1]), float(words[2]) if len(words) == 3 else 1.0


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("stage", choices=("all", "generate", "train", "evaluate", "draw"))
    parser.add_argument("folder", type=Path, help="of images and weights")
    parser.add_argument("--size", choices=tuple(SIZES), default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that make images")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--weights", type=Path, help="to begin with; from scratch if left out")
    parser.add_argument("--steps", type=int, help="instead of those of the size")
    parser.add_argument("--minutes", type=float, help="of training, at most")
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
        generate(given.folder, size, given.workers, given.device)
    if given.stage in ("all", "train"):
        import torch
        from detector import train

        torch.manual_seed(SEED)
        begun, steps = time.monotonic(), given.steps or size.steps
        if given.stream:
            from streaming import Frames, streamed

            # A GPU renders in the process that trains; processors beside it.
            beside = given.workers if given.device == "cpu" and given.workers > 1 else 0
            scenes = {name: described(name) for name in size.frames}
            made = Frames(scenes, size.frames, SEED, given.device)
            batches = streamed(made, size.side, size.batch, steps, beside, SEED)
        else:
            batches = windows(given.folder, size.side, size.batch, SEED, given.grows)
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
    if given.stage == "draw":
        if given.picture is None:
            raise SystemExit("draw needs --picture FILE.")
        out = given.folder / f"{given.picture.stem}-found.png"
        draw(weights, given.picture, out, given.threshold, given.scale, given.aspect, given.device)


if __name__ == "__main__":
    main()
