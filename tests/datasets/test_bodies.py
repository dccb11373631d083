"""Labels of every kind of body in every kind of image: one object each, against its points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.bodies import FINE, PIECED, SIMPLE, UNIONS, fine_silhouette
from osog import Scene
from osog.datasets import FrameSource
from osog.datasets.polygons import area
from osog.scene import MODALITY_TITLES

SHAPE, PIXEL = (72, 120), 0.25
CHOSEN = (
    *("lysozyme", "grain", "broken", "tapered", "striated", "chain", "tetrad"),
    *("bacilli", "cell", "droplet", "joined", "granules", "satellites"),
)
BODIES = SIMPLE | {name: PIECED[name] for name in CHOSEN}
MODALITIES = list(MODALITY_TITLES)


def _scene(body: dict[str, Any], modality: str) -> Scene:
    particles = [
        {"x_um": 8.1, "y_um": 8.2, "z_um": 0.3, "orientation_deg": [25, 20, 35]},
        {"x_um": 20.7, "y_um": 9.4, "z_um": -0.4, "orientation_deg": [-50, 10, 70]},
    ]
    population = {
        "name": "p",
        "material": {"index": 1.37, "emission_per_um": 1.0},
        "particles": particles,
        "body_seed": 5,
        **body,
    }
    return Scene.parse(
        {
            "grid": {"shape": SHAPE, "pixel_size_um": PIXEL},
            "medium": {"index": 1.33},
            "populations": [population],
            "microscope": {"numerical_aperture": 0.5, "modality": {"kind": modality}},
            "numerics": {"accuracy": "draft"},
        }
    )


def _agrees(frame: Any, which: int, union: bool) -> None:
    """Compare rows, instances, mask and box with the silhouette of points of one of two."""
    objects, batch = frame.objects, frame.frame.particles
    assert np.isfinite(np.asarray(frame.image, np.float64)).all()
    assert objects.particles == ((0,), (1,))
    assert set(np.unique(frame.instances)) == {0, 1, 2}
    assert all(len(column) == 2 for column in objects.columns().values())
    for k in range(2):
        found = objects.masks[k].in_frame(SHAPE)
        assert ((frame.instances == k + 1) == found).all()  # the two stand apart
    fine = fine_silhouette(batch, which, SHAPE, PIXEL, union=union)
    share = fine.reshape(SHAPE[0], FINE, SHAPE[1], FINE).mean((1, 3))
    wanted, found = share > 0.5, objects.masks[which].in_frame(SHAPE)
    overlap = (wanted & found).sum() / (wanted | found).sum()
    assert overlap > 0.98, f"masks overlap by {overlap:.3f}"
    rows, columns = np.nonzero(fine)
    points = (np.stack([columns, rows], 1) + 0.5) / FINE - 0.5
    x, y, width, height, angle = objects.full_box[which]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    local = (points - (x, y)) @ turn
    half = np.array([width, height]) / 2
    assert np.abs(local.max(0) - half).max() < 0.5
    assert np.abs(local.min(0) + half).max() < 0.5


@pytest.mark.parametrize("number", range(len(BODIES)), ids=list(BODIES))
def test_every_body_is_one_object_with_the_mask_and_the_box_of_its_points(number: int) -> None:
    name = list(BODIES)[number]
    modality = MODALITIES[number % len(MODALITIES)]
    frame = FrameSource(_scene(BODIES[name], modality), 1, device="cpu")[0]
    _agrees(frame, number % 2, name in UNIONS)


def test_labels_do_not_hang_on_the_kind_of_image() -> None:
    body = {**PIECED["chain"], "inclusions": [{"number": 3, "radius_um": 0.2}]}
    first = None
    for modality in MODALITIES:
        objects = FrameSource(_scene(body, modality), 1, device="cpu")[0].objects
        first = objects if first is None else first
        assert objects.particles == ((0,), (1,))
        assert (objects.full_box == first.full_box).all()
        for mine, other in zip(objects.masks, first.masks, strict=True):
            assert (mine.pixels == other.pixels).all()


@pytest.mark.parametrize("name", ["chain", "tetrad", "joined"])
def test_outlines_of_joined_pieces_follow_their_notches(name: str) -> None:
    objects = FrameSource(_scene(PIECED[name], "brightfield"), 1, device="cpu")[0].objects
    for k, polygon in enumerate(objects.polygons):
        pixels = int(objects.masks[k].pixels.sum())
        assert area(polygon) == pytest.approx(pixels, rel=0.05)
