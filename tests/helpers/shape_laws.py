"""What every shape must obey, whoever wrote it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from osog.geometry import (
    SHAPES,
    Bodies,
    chords,
    half_extents,
    number_of,
    padded_planes,
    patch_grid,
)
from osog.geometry.hollow import HollowShape
from osog.labels import boxes, outlines
from osog.sample import sample
from osog.scene import Scene

if TYPE_CHECKING:
    from osog.geometry import Chord, Shape
    from osog.sample import ParticleBatch

TURNS = (
    *((0.0, 0.0, 0.0), (0.0, 90.0, 0.0), (90.0, 0.0, 0.0), (45.0, 0.0, 90.0)),
    *((33.0, 18.0, 25.0), (-70.0, 55.0, 80.0), (120.0, 84.0, 10.0)),
)
"""Azimuth, elevation, roll in degrees: along the axes, and oblique."""


def turned(body: dict[str, Any]) -> tuple[Shape, ParticleBatch, float]:
    """One body of a scene in every direction, its shape, and a pixel a thirtieth of its size."""
    particles = [
        {"x_um": 5.003 * k, "y_um": 0.007, "orientation_deg": t} for k, t in enumerate(TURNS)
    ]
    scene = Scene.parse({"populations": [{"shape": body, "particles": particles}]})
    batch = sample(scene, dtype=torch.float64)
    shape = SHAPES[number_of(scene.populations[0].shape)]
    assert bool((batch.shape_kind == SHAPES.index(shape)).all())
    return shape, batch, float(half_extents(batch, torch.arange(len(batch))).max()) / 30


def drawn(shape: Shape, batch: ParticleBatch, pitch: float, bodies: Bodies | None = None) -> Chord:
    """Chords of all bodies, on patches that hold them."""
    own = bodies or Bodies.of(batch, torch.arange(len(batch)), shape)
    _, _, x, y = patch_grid(batch.position, 72, 72, (pitch, pitch))
    return chords(
        shape, x, y, batch.position, own.quaternion, own.size, own.planes, own.plane_mask,
        (pitch, pitch),
    )  # fmt: skip


def lowest(chord: Chord) -> torch.Tensor:
    """World z (n, P, Q) of the surface on the condenser's side."""
    if chord.intervals == 1:
        return chord.entry
    entry = torch.where(chord.exit > chord.entry, chord.entry, torch.inf)
    return entry.unflatten(1, (chord.intervals, -1)).amin(1)


def volume_is_the_integral_of_the_path(body: dict[str, Any]) -> None:
    shape, batch, pitch = turned(body)
    bodies = Bodies.of(batch, torch.arange(len(batch)), shape)
    chord = drawn(shape, batch, pitch)
    found = chord.path.sum((1, 2)) * pitch**2
    torch.testing.assert_close(found, shape.volume(bodies), rtol=0.01, atol=0)


def size_derivatives_of_path_and_volume_agree(body: dict[str, Any]) -> None:
    shape, batch, pitch = turned(body)
    bodies = Bodies.of(batch, torch.arange(len(batch)), shape)
    size = bodies.size.clone().requires_grad_()
    chord = drawn(shape, batch, pitch, bodies.resized(size))
    path = chord.path.sum((1, 2)) * pitch**2
    # Growing all sizes by the same factor: volumes grow by three times as much.
    (by_path,) = torch.autograd.grad(path.sum(), size, retain_graph=True)
    (by_volume,) = torch.autograd.grad(shape.volume(bodies.resized(size)).sum(), size)
    assert bool(torch.isfinite(by_path).all())
    growth = (by_path * size).sum(-1).detach()
    torch.testing.assert_close(growth, (by_volume * size).sum(-1).detach(), rtol=0.05, atol=0)
    torch.testing.assert_close(growth, 3 * path.detach(), rtol=0.05, atol=0)


def moving_moves_the_path(body: dict[str, Any]) -> None:
    shape, batch, pitch = turned(body)
    bodies = Bodies.of(batch, torch.arange(len(batch)), shape)
    position = batch.position.clone().requires_grad_()
    _, _, x, y = patch_grid(batch.position, 72, 72, (pitch, pitch))
    chord = chords(
        shape, x, y, position, bodies.quaternion, bodies.size, bodies.planes, bodies.plane_mask,
        (pitch, pitch),
    )  # fmt: skip
    path = chord.path
    (slope,) = torch.autograd.grad((path * (x - batch.position[:, 0, None, None])).sum(), position)
    total = path.detach().sum((1, 2))
    torch.testing.assert_close(slope[:, 0], total, rtol=0.06, atol=0)
    assert bool((slope[:, 1].abs() < 0.05 * total).all())


def half_extents_hold_the_body(body: dict[str, Any]) -> None:
    shape, batch, pitch = turned(body)
    index = torch.arange(len(batch))
    half = half_extents(batch, index)
    points = outlines(batch, 720).flip(-1) - batch.position[:, None, :2]
    reach = points.abs().amax(1)
    assert bool((reach <= half[:, :2] * (1 + 1e-5)).all())
    torch.testing.assert_close(reach, half[:, :2], rtol=0.01, atol=0)
    chord = drawn(shape, batch, pitch)
    place = batch.position[:, 2, None, None]
    high = torch.maximum(chord.top - place, place - lowest(chord))
    high = torch.where(chord.coverage > 0.999, high, 0.0)
    assert bool((high.amax((1, 2)) <= half[:, 2] * 1.0001).all())
    assert bool((high.amax((1, 2)) >= half[:, 2] * 0.8).all())
    width = shape.half_width(Bodies.of(batch, index, shape))
    assert bool((width <= reach.amin(-1) * 1.001).all())


def outline_is_the_rim_of_the_pixels(body: dict[str, Any]) -> None:
    shape, batch, pitch = turned(body)
    y, x = outlines(batch, 360).unbind(-1)
    area = (x * y.roll(-1, -1) - y * x.roll(-1, -1)).sum(-1) / 2
    covered = drawn(shape, batch, pitch).coverage.sum((1, 2)) * pitch**2
    torch.testing.assert_close(area, covered, rtol=0.02, atol=0)


def box_holds_the_outline_and_touches_it(body: dict[str, Any]) -> None:
    _, batch, pitch = turned(body)
    found = boxes(batch, pitch)
    points = outlines(batch, 720).flip(-1) / pitch - found[:, None, :2]
    cosine, sine = found[:, 4].cos(), found[:, 4].sin()
    turn = torch.stack([cosine, -sine, sine, cosine], -1).view(-1, 2, 2)
    own = points @ turn
    assert bool((found[:, 2] >= found[:, 3]).all())
    torch.testing.assert_close(own.amax(1), found[:, 2:4] / 2, rtol=0.01, atol=0.05)
    torch.testing.assert_close(own.amin(1), -found[:, 2:4] / 2, rtol=0.01, atol=0.05)


def numbers_map_alike_in_numpy_and_torch(body: dict[str, Any]) -> None:
    model = Scene.parse({"populations": [{"shape": body}]}).populations[0].shape
    shape = SHAPES[number_of(model)]
    columns = [np.array([0.9 + 0.1 * k, 1.3 + 0.2 * k]) for k in range(len(model.columns()))]
    plain = shape.half_lengths(model, columns)
    tensors = shape.half_lengths(model, [torch.from_numpy(c) for c in columns])
    outer = shape.outer_half_lengths(model, columns)
    assert len(plain) == shape.size_columns
    assert len(outer) == 3
    for one, other in zip(plain, tensors, strict=True):
        np.testing.assert_array_equal(one, other.numpy())
    for wide in outer:
        assert wide.shape == (2,)


def flow_sees_a_body_of_its_size(body: dict[str, Any]) -> None:
    shape, batch, _ = turned(body)
    bodies = Bodies.of(batch, torch.arange(len(batch)), shape)
    axes = shape.hydrodynamic_axes(bodies)
    # What fills a hollow moves along.
    whole = shape.solid.volume(shape.outside(bodies)) if isinstance(shape, HollowShape) else None
    ratio = 4 / 3 * math.pi * axes.prod(-1) / (shape.volume(bodies) if whole is None else whole)
    assert bool(((ratio > 0.7) & (ratio < 1.5)).all())


def planes_belong_to_shapes_that_have_them(body: dict[str, Any]) -> None:
    shape, batch, _ = turned(body)
    planes, _ = padded_planes(batch, torch.arange(len(batch)))
    assert (planes.shape[1] > 0) == shape.has_planes


LAWS = (
    volume_is_the_integral_of_the_path,
    size_derivatives_of_path_and_volume_agree,
    moving_moves_the_path,
    half_extents_hold_the_body,
    outline_is_the_rim_of_the_pixels,
    box_holds_the_outline_and_touches_it,
    numbers_map_alike_in_numpy_and_torch,
    flow_sees_a_body_of_its_size,
    planes_belong_to_shapes_that_have_them,
)
