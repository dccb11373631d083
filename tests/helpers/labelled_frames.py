"""Labelled frames of objects that are known to the pixel."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

import osog
from osog.datasets.labelled_frame import LabelledFrame
from osog.datasets.objects import Mask, Objects

SHAPE = (24, 32)
PIXEL_UM = 0.25
NAMES = ("needle", "small block")


@cache
def rendered() -> tuple[osog.Scene, osog.rendering.Frame]:
    """A small real frame and its scene."""
    scene = osog.Scene.parse(
        {
            "grid": {"shape": list(SHAPE), "pixel_size_um": PIXEL_UM},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": 1.0},
                    "material": {"index": 1.4},
                    "count": 2,
                }
            ],
            "microscope": {"numerical_aperture": 0.3},
            "numerics": {"accuracy": "draft"},
        }
    )
    return scene, osog.render(scene, seed=1)


def rectangle(left: int, top: int, width: int, height: int) -> dict:
    """Object of whole pixels, upright: its first column and row, and how many of each."""
    edges = np.array([left, top, left + width, top + height]) - 0.5
    x0, y0, x1, y1 = edges
    box = [(x0 + x1) / 2, (y0 + y1) / 2, width, height, 0.0]
    if height > width:
        box[2:] = [height, width, -math.pi / 2]
    return {
        "box": box,
        "polygon": np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]),
        "mask": Mask(row=top, column=left, pixels=np.ones((height, width), dtype=bool)),
    }


def tilted(x: float, y: float, width: float, height: float, angle: float) -> dict:
    """Object with a box in any direction; the mask has the pixels whose centre is inside."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    along = (columns - x) * math.cos(angle) + (rows - y) * math.sin(angle)
    across = (rows - y) * math.cos(angle) - (columns - x) * math.sin(angle)
    inside = (abs(along) <= width / 2) & (abs(across) <= height / 2)
    c, s = math.cos(angle), math.sin(angle)
    ends = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    points = [
        (x + a * width / 2 * c - b * height / 2 * s, y + a * width / 2 * s + b * height / 2 * c)
        for a, b in ends
    ]
    return {
        "box": [x, y, width, height, angle],
        "polygon": np.array(points),
        "mask": Mask(row=0, column=0, pixels=inside),
    }


def labelled(
    objects: list[dict],
    *,
    index: int = 0,
    view: int = 0,
    image: np.ndarray | None = None,
    white: float = 255.0,
    states: list[str] | None = None,
    classes: list[int] | None = None,
) -> LabelledFrame:
    """A frame with some objects, the later ones above the earlier ones."""
    n = len(objects)
    scene, frame = rendered()
    instances = np.zeros(SHAPE, dtype=np.int32)
    for k, one in enumerate(objects):
        instances[one["mask"].in_frame(SHAPE)] = k + 1
    box = np.array([one["box"] for one in objects], dtype=float).reshape(-1, 5)
    ends = box[:, 2:3] / 2 * np.stack([np.cos(box[:, 4]), np.sin(box[:, 4])], -1)
    whole = [max(1, int(one["mask"].pixels.sum())) for one in objects]
    seen = [int((instances == k + 1).sum()) for k in range(n)]
    found = Objects(
        particles=tuple((k,) for k in range(n)),
        class_id=np.array(classes or [0] * n, dtype=np.int64),
        class_names=NAMES,
        group=np.full(n, -1, dtype=np.int64),
        state=tuple(states or ["counted"] * n),
        box=box,
        full_box=box,
        polygons=tuple(one["polygon"] for one in objects),
        masks=tuple(one["mask"] for one in objects),
        keypoints=np.stack([box[:, :2] - ends, box[:, :2] + ends, box[:, :2]], 1),
        visible_fraction=np.array(seen, dtype=float) / np.array(whole, dtype=float),
        share_in_frame=np.ones(n),
        defocus_um=np.linspace(-1, 1, n),
        defocus_depths=np.zeros(n),
        contrast=np.full(n, np.nan),
        signal_to_noise=np.full(n, 3.25),
        truth={"x_um": box[:, 0] * PIXEL_UM, "refractive_index": np.full(n, 1.4)},
    )
    if image is None:
        rng = np.random.default_rng(index)
        image = rng.integers(0, 256, SHAPE, dtype=np.uint8)
    return LabelledFrame(
        index=index, view=view, seed=1000 + index, scene=scene, image=image, white=white,
        frame=frame, objects=found, instances=instances,
    )  # fmt: skip
