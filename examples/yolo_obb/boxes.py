"""Oriented boxes: overlaps, and how well found ones agree with drawn ones. Needs NumPy only.

A box is (centre x, centre y, width, height, angle): pixels, and radians from +x towards +y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RECALLS = np.linspace(0.0, 1.0, 101)
"""Recalls at which the precision is averaged, as COCO does."""


def corners_of(boxes: Array) -> Array:
    """Corners (n, 4, 2) of boxes (n, 5), in order around each."""
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 5)
    cosine, sine = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    along = np.stack([cosine, sine], 1) * boxes[:, 2:3] / 2
    across = np.stack([-sine, cosine], 1) * boxes[:, 3:4] / 2
    steps = [-along - across, along - across, along + across, -along + across]
    result: Array = boxes[:, None, :2] + np.stack(steps, 1)
    return result


def boxes_of(corners: Array) -> Array:
    """Boxes (n, 5) of the corners (n, 4, 2) of rectangles; the width is the longer side."""
    corners = np.asarray(corners, dtype=np.float64).reshape(-1, 4, 2)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    one, other = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    long = np.where((one >= other)[:, None], first, second)
    angle = (np.arctan2(long[:, 1], long[:, 0]) + np.pi / 2) % np.pi - np.pi / 2
    sides = np.stack([np.maximum(one, other), np.minimum(one, other)], 1)
    return np.concatenate([corners.mean(1), sides, angle[:, None]], 1)


def clipped(polygon: Array, clip: Array) -> Array:
    """Part (k, 2) of a convex polygon inside another one (Sutherland & Hodgman 1974)."""
    turn = _signed_area(clip)
    edges = clip if turn >= 0 else clip[::-1]
    out = np.asarray(polygon, dtype=np.float64)
    for start, stop in zip(edges, np.roll(edges, -1, axis=0), strict=True):
        if len(out) == 0:
            break
        edge = stop - start
        side = edge[0] * (out[:, 1] - start[1]) - edge[1] * (out[:, 0] - start[0])
        kept = []
        for k in range(len(out)):
            before = k - 1
            if (side[k] >= 0) != (side[before] >= 0):
                share = side[before] / (side[before] - side[k])
                kept.append(out[before] + share * (out[k] - out[before]))
            if side[k] >= 0:
                kept.append(out[k])
        out = np.array(kept).reshape(-1, 2)
    return out


def area(polygon: Array) -> float:
    """Area of a polygon (k, 2)."""
    return abs(_signed_area(polygon))


def polygon_iou(first: Array, second: Array) -> Array:
    """Intersection over union (n, m) of two sets of boxes (n, 5) and (m, 5)."""
    out = np.zeros((len(first), len(second)))
    one, other = corners_of(first), corners_of(second)
    reach = np.hypot(first[:, 2], first[:, 3])[:, None] + np.hypot(second[:, 2], second[:, 3])
    apart = np.linalg.norm(first[:, None, :2] - second[None, :, :2], axis=-1)
    for i, j in zip(*np.nonzero(2 * apart < reach), strict=True):
        common = area(clipped(one[i], other[j]))
        union = first[i, 2] * first[i, 3] + second[j, 2] * second[j, 3] - common
        out[i, j] = common / union if union > 0 else 0.0
    return out


def prob_iou(first: Array, second: Array) -> Array:
    """Likeness (n, m) of boxes as Gaussians, 1 − their Hellinger distance (arXiv:2106.06072).

    It is kinder to thin boxes than the overlap of polygons; it is what Ultralytics reports.
    """
    a1, b1, c1 = (v[:, None] for v in _covariance(first))
    a2, b2, c2 = (v[None, :] for v in _covariance(second))
    x = first[:, None, 0] - second[None, :, 0]
    y = first[:, None, 1] - second[None, :, 1]
    a, b, c = a1 + a2, b1 + b2, c1 + c2
    whole = a * b - c**2
    far = 0.25 * (a * y**2 + b * x**2 - 2 * c * x * y) / whole
    parts = np.sqrt(np.clip((a1 * b1 - c1**2) * (a2 * b2 - c2**2), 1e-18, None))
    unlike = 0.5 * np.log(whole / (4 * parts))
    distance = np.clip(far + unlike, 0.0, 100.0)
    result: Array = 1 - np.sqrt(1 - np.exp(-distance))
    return result


OVERLAPS = {"polygon": polygon_iou, "probiou": prob_iou}


def sifted(boxes: Array, overlap: float) -> NDArray[np.int64]:
    """Numbers of the boxes that are no repetition of an earlier, more confident one.

    Parameters
    ----------
    boxes : ndarray (n, 5)
        By falling confidence.
    overlap : float
        ProbIoU beyond which a box repeats another.
    """
    left, kept = np.arange(len(boxes)), []
    while len(left):
        kept.append(left[0])
        alike = prob_iou(boxes[left[:1]], boxes[left[1:]])[0] if len(left) > 1 else np.zeros(0)
        left = left[1:][alike < overlap]
    return np.array(kept, dtype=np.int64)


def agreed(boxes: Array, sure: Array, views: int, overlap: float) -> tuple[Array, Array]:
    """Average what several views of one picture say of each object.

    Boxes that repeat a more confident one join it; their middle, sides and angle are averaged by
    confidence, and the confidence is that of all views, 0 where one said nothing (after weighted
    boxes fusion, Solovyev, Wang and Gabruseva 2021). Thin boxes gain most: a pixel of width is a
    large part of their overlap.

    Parameters
    ----------
    boxes : ndarray (n, 5)
        Of all views together, at the place they have in the picture.
    sure : ndarray (n,)
        Confidences.
    views : int
        Number of views.
    overlap : float
        ProbIoU beyond which two boxes are of one object.

    Returns
    -------
    boxes : ndarray (m, 5)
        By falling confidence.
    sure : ndarray (m,)
    """
    order = np.argsort(-sure, kind="stable")
    boxes, sure = np.asarray(boxes, dtype=np.float64).reshape(-1, 5)[order], sure[order]
    left, shown, trust = np.arange(len(boxes)), [], []
    while len(left):
        alike = prob_iou(boxes[left[:1]], boxes[left])[0] >= overlap
        alike[0] = True
        near, weight = boxes[left[alike]], sure[left[alike]]
        # The same rectangle has four descriptions: the one turned least from the first is taken.
        quarters = np.round((near[:, 4] - near[0, 4]) / (np.pi / 2)).astype(int)
        sides = np.where((quarters % 2 == 1)[:, None], near[:, [3, 2]], near[:, [2, 3]])
        turned = (near[:, 4] - quarters * np.pi / 2)[:, None]
        each = np.concatenate([near[:, :2], np.log(np.maximum(sides, 1e-6)), turned], 1)
        mean = (each * weight[:, None]).sum(0) / max(float(weight.sum()), 1e-12)
        shown.append([*mean[:2], *np.exp(mean[2:4]), mean[4]])
        trust.append(min(float(weight.sum()) / views, float(weight.max())))
        left = left[~alike]
    order = np.argsort(-np.array(trust), kind="stable")
    return np.array(shown).reshape(-1, 5)[order], np.array(trust)[order]


@dataclass(frozen=True)
class Scores:
    """How well found boxes agree with drawn ones.

    Attributes
    ----------
    average_precision : float
        Mean of the precision at 101 recalls, each the best at that recall or a higher one.
    precision, recall : float
        Of the boxes with at least the confidence asked for; NaN where there are none.
    found, drawn : int
        Boxes of at least that confidence, and boxes in truth.
    """

    average_precision: float
    precision: float
    recall: float
    found: int
    drawn: int


def matched(overlap: Array, confidence: Array, least: float) -> NDArray[np.bool_]:
    """Say which of the found boxes (n,) are right.

    Parameters
    ----------
    overlap : ndarray (n, m)
        Of found and drawn boxes of one picture.
    confidence : ndarray (n,)
    least : float
        Overlap that makes a match.

    Returns
    -------
    ndarray of bool (n,)
        The most confident takes the drawn box that it overlaps most; each is taken once.
    """
    right = np.zeros(len(confidence), dtype=bool)
    free = np.ones(overlap.shape[1], dtype=bool)
    for k in np.argsort(-confidence, kind="stable"):
        row = np.where(free, overlap[k], -1.0)
        if len(row) and row.max() >= least:
            free[row.argmax()] = False
            right[k] = True
    return right


def scores(
    found: list[Array],
    confidence: list[Array],
    drawn: list[Array],
    measure: str = "polygon",
    least: float = 0.5,
    threshold: float = 0.25,
) -> Scores:
    """Score the boxes found in several pictures together.

    Parameters
    ----------
    found, drawn : list of ndarray (n, 5), (m, 5)
        One of each for every picture.
    confidence : list of ndarray (n,)
    measure : {"polygon", "probiou"}
    least : float
        Overlap that makes a match.
    threshold : float
        Confidence for precision and recall.
    """
    each = [
        matched(OVERLAPS[measure](f, d), c, least)
        for f, c, d in zip(found, confidence, drawn, strict=True)
    ]
    right = np.concatenate([*each, np.zeros(0, dtype=bool)])
    sure = np.concatenate([*confidence, np.zeros(0)])
    number = sum(len(d) for d in drawn)
    order = np.argsort(-sure, kind="stable")
    hits = np.cumsum(right[order])
    recall = hits / max(number, 1)
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(recall, RECALLS - 1e-12)
    curve = np.append(best, 0.0)[np.minimum(place, len(best))]
    kept = sure >= threshold
    good, shown = int(right[kept].sum()), int(kept.sum())
    return Scores(
        average_precision=float(curve.mean()) if number else float("nan"),
        precision=good / shown if shown else float("nan"),
        recall=good / number if number else float("nan"),
        found=shown,
        drawn=number,
    )


def _signed_area(polygon: Array) -> float:
    x, y = np.asarray(polygon, dtype=np.float64).T if len(polygon) else (np.zeros(0), np.zeros(0))
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def _covariance(boxes: Array) -> tuple[Array, Array, Array]:
    """Second moments (xx, yy, xy) of uniform boxes."""
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 5)
    w, h = boxes[:, 2] ** 2 / 12, boxes[:, 3] ** 2 / 12
    cosine, sine = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    return w * cosine**2 + h * sine**2, w * sine**2 + h * cosine**2, (w - h) * cosine * sine
