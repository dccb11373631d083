"""Labels of every body, in every kind of image: one object each, against its points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from helpers.bodies import FINE, PIECED, SIMPLE, UNIONS, fine_silhouette
from osog import Scene
from osog.datasets import FrameSource
from osog.datasets.polygons import area
from osog.rotations import rotation_matrix
from osog.scene import MODALITY_TITLES, VoxelArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHAPE, PIXEL = (72, 120), 0.25
CELL = (VoxelArray.of("cell").data > 0).astype(np.uint8)
VOXELS = {
    "volume": {"shape": {"kind": "volume", "array": CELL, "voxel_um": [0.25, 0.15, 0.15]}},
    "mesh": {"shape": {"kind": "mesh", "unit_um": 2.0, "resolution": 96}},
}
BODIES = SIMPLE | PIECED
PAIRS = [tuple(list(BODIES)[k : k + 2]) for k in range(0, len(BODIES), 2)]
MODALITIES = list(MODALITY_TITLES)


def _scene(bodies: tuple[dict[str, Any], ...], modality: str) -> Scene:
    particles = [
        {"x_um": 8.1, "y_um": 8.2, "z_um": 0.3, "orientation_deg": [25, 20, 35]},
        {"x_um": 20.7, "y_um": 9.4, "z_um": -0.4, "orientation_deg": [-50, 10, 70]},
    ]
    populations = [
        {
            "name": f"p{k}",
            "material": {"index": 1.37, "emission_per_um": 1.0},
            "particles": [particle],
            "body_seed": 5,
            **bodies[min(k, len(bodies) - 1)],
        }
        for k, particle in enumerate(particles)
    ]
    return Scene.parse(
        {
            "grid": {"shape": SHAPE, "pixel_size_um": PIXEL},
            "medium": {"index": 1.33},
            "populations": populations,
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
    _compare(objects, which, fine_silhouette(batch, which, SHAPE, PIXEL, union=union))


def _compare(objects: Any, which: int, fine: NDArray[np.bool_]) -> None:
    """Compare a mask and a box with a silhouette of 8 × 8 points to a pixel."""
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


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=["-".join(pair) for pair in PAIRS])
def test_every_body_is_one_object_with_the_mask_and_the_box_of_its_points(number: int) -> None:
    names = PAIRS[number]
    modality = MODALITIES[number % len(MODALITIES)]
    scene = _scene(tuple(BODIES[name] for name in names), modality)
    frame = FrameSource(scene, 1, device="cpu")[0]
    for which, name in enumerate(names):
        _agrees(frame, which, name in UNIONS)


def test_labels_do_not_hang_on_the_kind_of_image() -> None:
    body = {**PIECED["chain"], "inclusions": [{"number": 3, "radius_um": 0.2}]}
    first = None
    for modality in MODALITIES:
        objects = FrameSource(_scene((body,), modality), 1, device="cpu")[0].objects
        first = objects if first is None else first
        assert objects.particles == ((0,), (1,))
        assert (objects.full_box == first.full_box).all()
        for mine, other in zip(objects.masks, first.masks, strict=True):
            assert (mine.pixels == other.pixels).all()


@pytest.mark.parametrize("name", ["chain", "tetrad", "joined"])
def test_outlines_of_joined_pieces_follow_their_notches(name: str) -> None:
    objects = FrameSource(_scene((PIECED[name],), "brightfield"), 1, device="cpu")[0].objects
    for k, polygon in enumerate(objects.polygons):
        pixels = int(objects.masks[k].pixels.sum())
        assert area(polygon) == pytest.approx(pixels, rel=0.05)


@pytest.mark.parametrize("modality", ["dic", "fluorescence"])
def test_bodies_of_voxels_have_the_masks_and_boxes_of_their_points(modality: str) -> None:
    """A cell of labels by its array, an octahedron by its faces."""
    frame = FrameSource(_scene(tuple(VOXELS.values()), modality), 1, device="cpu")[0]
    objects = frame.objects
    cell, size = CELL > 0, np.array([0.15, 0.15, 0.25])

    def in_cell(local: Any) -> Any:
        place = np.floor(local / size + np.array(cell.shape[::-1]) / 2).astype(int)
        held = ((place >= 0) & (place < cell.shape[::-1])).all(1)
        x, y, z = np.where(held[:, None], place, 0).T
        return held & cell[z, y, x]

    def in_octahedron(local: Any) -> Any:
        return np.abs(local).sum(1) <= 4

    batch = frame.frame.particles
    assert objects.particles == ((0,), (1,))
    for which, held in enumerate((in_cell, in_octahedron)):
        turn = rotation_matrix(batch.quaternion[which : which + 1])[0].double().numpy()
        place = batch.position[which].double().numpy()
        x, y = (((np.arange(FINE * n) + 0.5) / FINE - 0.5) * PIXEL for n in SHAPE[::-1])
        grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
        near = np.flatnonzero(np.hypot(*(grid - place[:2]).T) < 7.5)
        fine = np.zeros(len(grid), bool)
        for z in np.linspace(-6, 6, 61):
            left = near[~fine[near]]
            points = np.column_stack([grid[left] - place[:2], np.full(len(left), z)])
            fine[left] = held(points @ turn)
        _compare(objects, which, fine.reshape(SHAPE[0] * FINE, -1))
