"""Crystals, grains, worn surfaces, and bodies that are made of several."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull

import osog
from helpers.bodies import PIECED as BODIES
from helpers.bodies import SIMPLE, column, inside
from osog.geometry import POLYHEDRON, SHAPES, gbuffer, padded_planes
from osog.geometry import vertices as corners_of
from osog.labels import boxes, outlines
from osog.particles import CUT, ParticleBatch, assembled
from osog.rendering.forward_model import forward
from osog.rotations import rotation_matrix
from osog.sample import Values, dispersed, explicit, moving, sample
from osog.sample.dispersion import medium_index
from osog.scene import HABITS, Scene, SceneError
from osog.scene.habits import UnitCell, true_planes

DOUBLE = torch.float64
PARTICLE = "populations.p.particles[0]"
PIXEL, COARSE = 0.15, 0.2


def scene_of(body: dict[str, Any], angles: tuple[float, ...] = (25, 20, 35), **more: Any) -> Scene:
    population = {
        "name": "p",
        "material": {"index": 1.37, "absorption_per_um": 0.01, "emission_per_um": 1.0},
        "particles": [{"x_um": 7.1, "y_um": 7.0, "z_um": 0.3, "orientation_deg": list(angles)}],
        **body,
    }
    return Scene.parse(
        {
            "grid": {"shape": [96, 96], "pixel_size_um": PIXEL},
            "medium": {"index": 1.33},
            "populations": [population],
            "microscope": {"numerical_aperture": 0.5},
            **more,
        }
    )


def rasterised(batch: ParticleBatch, whole: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Fine silhouette (8 to a pixel), its points in px, and the volume of the only particle."""
    from osog.geometry import half_extents

    fine = 8
    body = assembled(batch)
    reach = half_extents(batch, torch.arange(1))[0].numpy()
    middle = batch.position[0].numpy()
    low = np.floor((middle - reach) / COARSE) - 1
    count = np.ceil(2 * reach / COARSE).astype(int) + 3
    x, y = ((low[k] - 0.5 + (np.arange(fine * count[k]) + 0.5) / fine) * COARSE for k in range(2))
    z = middle[2] + (2 * (np.arange(40) + 0.5) / 40 - 1) * reach[2]
    grid = np.stack(np.meshgrid(x, y, z), -1).reshape(-1, 3)
    members = body.membership
    rows = range(len(body))
    hollow = [] if members is None else torch.nonzero(members.thickness < 0).flatten().tolist()
    if members is not None:
        rows = torch.nonzero(members.outer).flatten().tolist()
    if all(int(body.shape_kind[row]) == SHAPES.index(POLYHEDRON) for row in [*rows, *hollow]):
        (host,) = rows
        left = column(body, host, x, y) - sum(column(body, row, x, y) for row in hollow)
        mask, volume = left > 1e-6, left.sum() * (COARSE / fine) ** 2
    else:
        found = np.zeros(len(grid), bool)
        for row in rows:
            found |= inside(body, row, grid, whole)
        for row in hollow:
            found[found] &= ~inside(body, row, grid[found], False)
        outer = found.reshape(len(y), len(x), len(z))
        mask = outer.any(-1)
        volume = outer.sum() * (COARSE / fine) ** 2 * (z[1] - z[0])
    frame = np.zeros((72 * fine, 72 * fine), bool)
    r, c = np.nonzero(mask)
    r, c = r + int(low[1]) * fine, c + int(low[0]) * fine
    frame[r, c] = True
    points = np.stack([(c + 0.5) / fine - 0.5, (r + 0.5) / fine - 0.5], 1)
    return frame, points, float(volume)


@pytest.mark.parametrize("name", sorted(set(BODIES) - {"octahedron", "rhombic_dodecahedron"}))
def test_labels_of_every_body_are_those_of_its_points(name: str) -> None:
    scene = scene_of(BODIES[name])
    batch = sample(scene, 3, dtype=DOUBLE)
    assert len(batch) == 1
    unions = ("chain", "cluster", "tetrad", "bacilli", "joined")
    frame, points, volume = rasterised(batch, name in unions)
    buffer = gbuffer(batch, (72, 72), COARSE)

    assert float(buffer.path.sum()) * COARSE**2 == pytest.approx(volume, rel=0.02)

    share = frame.reshape(72, 8, 72, 8).mean((1, 3))
    wanted, found = share > 0.5, (buffer.instances == 1).numpy()
    assert set(np.unique(buffer.instances.numpy())) == {0, 1}
    assert (wanted & found).sum() / (wanted | found).sum() > 0.98

    (x, y, width, height, angle), *none = boxes(batch, COARSE).tolist()
    assert not none
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    local = (points - (x, y)) @ turn
    half = np.array([width, height]) / 2
    assert np.abs(local.max(0) - half).max() < 0.5
    assert np.abs(local.min(0) + half).max() < 0.5
    hull = ConvexHull(outlines(batch, 128)[0].numpy() / COARSE)
    assert hull.volume == pytest.approx(ConvexHull(points).volume, rel=0.02)


@pytest.mark.parametrize("habit", sorted(HABITS))
def test_volumes_are_those_of_the_corners(habit: str) -> None:
    batch = sample(scene_of(BODIES[habit]), dtype=DOUBLE)
    corner, _ = corners_of(*padded_planes(batch, torch.arange(1)))
    exact = ConvexHull(corner[0].numpy() * batch.size[0].numpy()).volume
    volume = float(POLYHEDRON.volume(osog.geometry.Bodies.of(batch, torch.arange(1), POLYHEDRON)))
    assert volume == pytest.approx(exact, rel=1e-9)
    drawn = float(gbuffer(batch, (96, 96), PIXEL).path.sum()) * PIXEL**2
    assert drawn == pytest.approx(exact, rel=0.01)


def test_lysozyme_has_the_angles_of_its_cell_whatever_its_size() -> None:
    # Tetragonal, c/a = 37.9/79.1: (101) leans by atan(c/a) from the long axis.
    lean = np.arctan2(37.9, 79.1)
    for size in ([9, 6, 6], [4, 8, 7]):
        body = {"shape": {"kind": "polyhedron", "habit": "lysozyme", "size_um": size}}
        planes = sample(scene_of(body), dtype=DOUBLE).planes.numpy()
        sides, tips = planes[np.abs(planes[:, 0]) < 1e-9], planes[np.abs(planes[:, 0]) > 0.1]
        assert len(sides) == 4 and len(tips) == 8
        assert np.abs(tips[:, 0]) == pytest.approx(np.cos(lean))
        angles = np.degrees(np.arccos(np.abs(sides[:, :3] @ tips[:, :3].T)).min(0))
        assert angles == pytest.approx(np.full(8, np.degrees(np.arccos(np.sin(lean) / 2**0.5))))
        # From tip to tip and between opposite sides.
        assert tips[:, 3] / np.abs(tips[:, 0]) == pytest.approx(np.full(8, size[0] / 2))
        assert sorted(sides[:, 3]) == pytest.approx(sorted([size[1] / 2] * 2 + [size[2] / 2] * 2))


def test_angles_between_the_faces_of_other_crystals() -> None:
    def angles(habit: str) -> list[float]:
        normals = np.asarray(true_planes(habit))[:, :3]
        cosines = np.clip(normals @ normals.T, -1, 1)[np.triu_indices(len(normals), 1)]
        return sorted(set(np.round(np.degrees(np.arccos(cosines)), 1)))

    assert angles("calcite") == pytest.approx([74.9, 105.1, 180.0])  # 74°55′ and 105°05′
    assert 38.2 in angles("quartz")  # (10-10) ∧ (10-11): 38°13′
    assert 54.7 in angles("cube_cut")  # (100) ∧ (111)
    monoclinic = UnitCell(10.863, 8.704, 7.762, beta_deg=102.94)
    a, c = monoclinic.normals([(1, 0, 0), (0, 0, 1)])
    assert np.degrees(np.arccos(a @ c)) == pytest.approx(180 - 102.94)


def test_grains_differ_and_fill_their_size() -> None:
    law = {"law": "uniform", "low": 8, "high": 20}
    body = {"kind": "random_polyhedron", "size_um": [5, 4, 3], "faces": law, "roughness": 0.6}
    scene = scene_of({"shape": body, "particles": None, "count": 30})
    batch = sample(scene, 1, dtype=DOUBLE)
    counts = batch.plane_start.diff()
    assert int(counts.min()) >= 4 and int(counts.max()) <= 20 and len(counts.unique()) > 4
    corner, mask = corners_of(*padded_planes(batch, torch.arange(30)))
    for far in (corner.amax(1), -corner.amin(1)):
        torch.testing.assert_close(far, torch.full_like(far, 0.5), atol=1e-6, rtol=0)
    assert bool(mask.any(1).all())
    again = sample(scene, 1, dtype=DOUBLE)
    assert torch.equal(batch.planes, again.planes)
    assert not torch.equal(batch.planes[:6], sample(scene, 2, dtype=DOUBLE).planes[:6])


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 25, 0), (0, 90, 0)])
@pytest.mark.parametrize("spacing", [1.0, 0.7, 0.4])
def test_balls_that_meet_count_what_they_share_once(
    angles: tuple[float, ...], spacing: float
) -> None:
    radius = 1.8
    shape = {"kind": "cocci", "radius_um": radius, "cells": 2, "spacing": spacing}
    batch = sample(scene_of({"shape": shape}, angles), dtype=DOUBLE)
    gap = 2 * radius * spacing
    lens = pi * (2 * radius - gap) ** 2 * (gap**2 + 4 * gap * radius) / (12 * gap)
    volume = float(gbuffer(batch, (96, 96), PIXEL).path.sum()) * PIXEL**2
    assert volume == pytest.approx(8 / 3 * pi * radius**3 - lens, rel=0.004)


@pytest.mark.parametrize("degrees", [20, 60, 90, 130, 180])
@pytest.mark.parametrize("angles", [(0, 0, 0), (10, 0, 40), (0, 0, 90)])
def test_droplets_have_the_volume_of_their_cap(degrees: float, angles: tuple[float, ...]) -> None:
    radius = 4.0
    shape = {"kind": "droplet", "radius_um": radius, "contact_angle_deg": degrees}
    batch = sample(scene_of({"shape": shape}, angles), dtype=DOUBLE)
    cosine = np.cos(np.deg2rad(degrees))
    exact = pi * radius**3 / 3 * (2 + cosine) * (1 - cosine) ** 2
    volume = float(gbuffer(batch, (96, 96), PIXEL).path.sum()) * PIXEL**2
    assert volume == pytest.approx(exact, rel=0.01, abs=0.06)


def test_inclusions_add_the_step_to_their_surroundings() -> None:
    body = {
        "shape": {"kind": "sphere", "radius_um": 4.0},
        "inclusions": [
            {"number": 1, "place": "centre", "radius_um": 1.5, "index": 1.40},
            {"number": 1, "place": "centre", "radius_um": 0.6},
        ],
    }
    scene = scene_of(body)
    frame = osog.render(scene, outputs=("opd",))
    centre = float(frame.opd[47, 47])
    wanted = 0.04 * 8.0 + (1.40 - 1.37) * 3.0 - 0.04 * 1.2
    assert centre == pytest.approx(wanted, rel=0.003)
    phase = scene.updated({"microscope.modality": {"kind": "phase"}})
    plain = osog.render(phase).image.double()
    bare = osog.render(phase.updated({"populations.p.inclusions": ()})).image.double()
    # Far outside the inclusions they change nothing.
    assert float((plain - bare)[47, 72].abs()) < 0.02 < float((plain - bare)[47, 47].abs())


def test_holes_take_all_light_of_their_body_away() -> None:
    shape = {"kind": "box", "size_um": [8, 8, 4]}
    for modality in ("fluorescence", "brightfield"):
        scene = scene_of({"shape": shape}, (0, 0, 0), medium={"index": 1.37})
        scene = scene.updated({"microscope.modality": {"kind": modality}})
        hole = {"number": 1, "place": "centre", "radius_um": 1.9}
        holed = scene.updated({"populations.p.inclusions": [hole]})
        empty = scene.updated({"populations.p.visible": False})
        full, less, none = (osog.render(s).image.double() for s in (scene, holed, empty))
        taken, whole = (full - less)[47, 47], (full - none)[47, 47]
        assert float(taken / whole) == pytest.approx(3.8 / 4, abs=0.15)


def test_parts_disperse_as_their_particle_does() -> None:
    body = {
        "shape": {"kind": "cocci", "radius_um": 1.0, "cells": 2},
        "material": {"index": 1.37, "abbe_number": 40.0},
        "inclusions": [
            {"number": 2, "radius_um": 0.2},
            {"number": 2, "radius_um": 0.2, "index": 1.4},
        ],
    }
    values = Values(scene_of(body, medium={"index": 1.33, "abbe_number": 55.0}), dtype=DOUBLE)
    batch = sample(values.scene, 1, values)
    blue = dispersed(batch, values, torch.tensor(0.45, dtype=DOUBLE))
    assert blue.parts is not None and batch.parts is not None
    step = blue.parts.delta_index - batch.parts.delta_index
    pieces, holes, granules = step[:2], step[2:4], step[4:]
    assert torch.equal(holes, torch.zeros(2, dtype=DOUBLE))
    torch.testing.assert_close(pieces, (blue.delta_index - batch.delta_index).expand(2))
    # By its refractivity, and less what the medium rises.
    medium = medium_index(values, torch.tensor(0.45, dtype=DOUBLE)) - 1.33
    torch.testing.assert_close(granules + medium, (pieces + medium) * (0.40 / 0.37))


def test_pieces_turn_and_move_with_their_particle() -> None:
    shape = {"kind": "bacilli", "length_um": 4.0, "radius_um": 0.8, "cells": 3}
    motion = {"diffusion_um2_per_s": 0.5, "rotational_diffusion_per_s": 1.0}
    scene = scene_of({"shape": shape, "motion": motion}, series={"frames": 3, "interval_s": 1.0})
    first, *later = moving(sample(scene, 1, dtype=DOUBLE), scene, 1)
    for batch in later:
        body = assembled(batch)
        assert not torch.equal(batch.quaternion, first.quaternion)
        axis = rotation_matrix(batch.quaternion)[0, :, 0]
        offset = body.position[1:] - batch.position
        torch.testing.assert_close(offset.mean(0), torch.zeros(3, dtype=DOUBLE))
        torch.testing.assert_close(
            torch.linalg.cross(offset, axis.expand(3, 3)), torch.zeros(3, 3, dtype=DOUBLE)
        )


def test_inclusions_lie_within_the_true_shape() -> None:
    for name in ("cracked", "granules", "cell", "chain", "frayed"):
        body = {k: v for k, v in BODIES[name].items() if k != "inclusions"}
        more = {"number": 40, "radius_um": 0.1, "index": 1.5}
        batch = sample(scene_of({**body, "inclusions": [more]}), 2, dtype=DOUBLE)
        whole = assembled(batch)
        members = whole.membership
        assert members is not None
        tiny = torch.nonzero(whole.size[:, 0] == 0.1).flatten()
        assert len(tiny) == 40
        way = torch.randn(60, 3, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
        shell = 0.1 * way / way.norm(dim=1, keepdim=True)
        outer = torch.nonzero(members.outer).flatten().tolist()
        for row in tiny.tolist():
            points = (whole.position[row] + shell).numpy()
            held = [inside(whole, other, points, False).all() for other in outer]
            assert any(held)


def test_listing_the_particles_keeps_every_body() -> None:
    for name in ("grain", "broken", "cluster", "cell", "satellites"):
        scene = scene_of({**BODIES[name], "particles": None, "count": 3})
        listed = explicit(scene, 5)
        one, other = (assembled(sample(s, k, dtype=DOUBLE)) for s, k in ((scene, 5), (listed, 8)))
        assert torch.equal(one.planes, other.planes)
        assert torch.equal(one.position, other.position)
        assert Scene.parse(listed.to_dict()) == listed


VARIED: dict[str, dict[str, float]] = {
    "lysozyme": {"shape.size_um[0]": 9, "shape.size_um[1]": 5},
    "grain": {"shape.size_um[1]": 6},
    "broken": {"shape.size_um[0]": 9, "surface.bevel_um": 0.2, "surface.broken_um": 0.8},
    "tapered": {"surface.taper": 0.6, "shape.size_um[0]": 10},
    "striated": {"surface.striation_depth_um": 0.4, "shape.size_um[1]": 6},
    "pitted": {"surface.pit_radius_um": 0.6, "surface.pit_depth_um": 0.6, "shape.size_um[2]": 3},
    "stepped": {"surface.step_height_um": 0.3, "shape.size_um[2]": 3},
    "frayed": {"surface.frayed_um": 2.5, "shape.size_um[0]": 10},
    "chain": {"shape.radius_um": 1.0, "shape.spacing": 0.8, "shape.bend_deg": 10},
    "cluster": {"shape.radius_um": 1.2, "shape.spacing": 0.9},
    "bacilli": {"shape.length_um": 4, "shape.radius_um": 0.9, "shape.constriction": 0.5},
    "cell": {
        "shape.radius_um": 5,
        "shape.height_um": 3,
        "shape.width": 0.8,
        "shape.nucleus": 0.45,
        "shape.nucleus_index": 1.39,
        "shape.granule_radius_um": 0.3,
        "shape.granule_index": 1.42,
    },
    "droplet": {"shape.radius_um": 3.5, "shape.contact_angle_deg": 75},
    "joined": {"shape.radius_um": 2.5, "shape.second_radius_um": 1.8, "shape.spacing": 0.8},
    "granules": {
        "shape.semi_axes_um[0]": 4,
        "inclusions[0].radius_um": 0.4,
        "inclusions[0].index": 1.45,
        "inclusions[0].aspect": 1.0,
        "inclusions[0].absorption_per_um": 0.0,
    },
    "cracked": {"inclusions[0].radius_um": 0.5, "shape.size_um[0]": 9},
    "satellites": {"shape.radius_um": 2.5, "inclusions[0].radius_um": 0.6},
}


@pytest.mark.parametrize("name", sorted(VARIED))
def test_derivatives_in_every_number_are_those_of_differences(name: str) -> None:
    """Each number of the body by itself; pose and index, which all bodies share, in one way."""
    scene = scene_of(BODIES[name], grid={"shape": [36, 36], "pixel_size_um": 0.4})
    names = {f"populations.p.{key}": float(v) for key, v in VARIED[name].items()}
    pose = {
        "particles[0].x_um": 7.1,
        "particles[0].orientation_deg[0]": 25.0,
        "particles[0].orientation_deg[1]": 20.0,
        "populations.p.material.index": 1.37,
    }
    plain = {**names, **pose}
    values = {key: torch.tensor(v, dtype=DOUBLE, requires_grad=True) for key, v in plain.items()}
    image = forward(scene, values, seed=3)
    weight = torch.randn(image.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    weight = torch.nn.functional.avg_pool2d(weight[None, None], 5, 1, 2)[0, 0]
    (image * weight).sum().backward()
    assert not [key for key, value in values.items() if value.grad is None]
    ways = [{key: 1e-4 * max(1.0, abs(plain[key]))} for key in names]
    ways.append(dict(zip(pose, (1e-4, 2e-3, -2e-3, 2e-5), strict=True)))
    for way in ways:
        expected = sum(float(values[key].grad) * step for key, step in way.items())
        with torch.no_grad():
            above, below = (
                forward(scene, plain | {key: plain[key] + side * way[key] for key in way}, seed=3)
                for side in (1, -1)
            )
        difference = float(((above - below) * weight).sum()) / 2
        size = max(way.values())
        assert expected == pytest.approx(difference, rel=1e-3, abs=1e-5 * size), tuple(way)


HOLLOW = ("red_cell", "bent_rod", "bent_cylinder", "vesicle", "tube")
REST = [name for name in (*BODIES, *HOLLOW) if name not in VARIED]


@pytest.mark.parametrize("name", REST)
def test_the_derivative_along_a_direction_in_all_numbers_is_that_of_differences(name: str) -> None:
    """One difference for all numbers of a body, its pose and its material together."""
    scene = scene_of((BODIES | SIMPLE)[name], grid={"shape": [36, 36], "pixel_size_um": 0.4})
    base, shape = "populations.p.shape", scene.populations[0].shape
    keys = [
        f"{base}.{field}" + ("" if place is None else f"[{place}]")
        for field, place in shape.columns()
        if getattr(shape, field) is not None
    ]
    pose = ("x_um", "z_um") if shape.isotropic else ("x_um", "z_um", "orientation_deg[1]")
    keys += [f"particles[0].{field}" for field in pose]
    keys.append("populations.p.material.index")
    start = {key: float(scene.get(key.replace("particles[0]", PARTICLE))) for key in keys}
    rng = np.random.default_rng(2)
    way = {key: float(rng.uniform(-1, 1)) * max(abs(start[key]), 0.1) for key in keys}
    weight = torch.randn((36, 36), dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    weight = torch.nn.functional.avg_pool2d(weight[None, None], 5, 1, 2)[0, 0]

    def total(step: Any) -> torch.Tensor:
        return (forward(scene, {k: start[k] + step * way[k] for k in keys}, seed=3) * weight).sum()

    along = torch.zeros((), dtype=DOUBLE, requires_grad=True)
    (slope,) = torch.autograd.grad(total(along), along)
    step = 2e-5
    with torch.no_grad():
        difference = float(total(step) - total(-step)) / (2 * step)
    assert float(slope) == pytest.approx(difference, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "key"),
    [("chain", "shape.radius_um"), ("joined", "shape.spacing"), ("tapered", "surface.taper")],
)
def test_second_derivatives_in_a_number_are_those_of_differences(name: str, key: str) -> None:
    scene = scene_of(BODIES[name], grid={"shape": [40, 40], "pixel_size_um": 0.36})
    start = VARIED[name][key]
    weight = torch.randn((40, 40), dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    weight = torch.nn.functional.avg_pool2d(weight[None, None], 5, 1, 2)[0, 0]

    def slope(number: float, again: bool) -> tuple[torch.Tensor, torch.Tensor]:
        value = torch.tensor(number, dtype=DOUBLE, requires_grad=True)
        image = forward(scene, {f"populations.p.{key}": value}, seed=3)
        total = (image * weight).sum()
        return value, torch.autograd.grad(total, value, create_graph=again)[0]

    value, first = slope(start, True)
    (second,) = torch.autograd.grad(first, value)
    step = 2e-5
    difference = (slope(start + step, False)[1] - slope(start - step, False)[1]) / (2 * step)
    assert float(second) == pytest.approx(float(difference), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"shape": {"kind": "sphere"}, "surface": {"bevel_um": 0.1}}, "surface needs"),
        ({"shape": {"kind": "cocci", "cells": 200}}, "cells = 200 must lie between 1 and 64"),
        ({"shape": {"kind": "random_polyhedron", "faces": 3}}, "faces = 3 must lie between 6"),
        (
            {
                "shape": {"kind": "sphere", "radius_um": 1.0},
                "scattering": "mie",
                "inclusions": [{"number": 1}],
            },
            "mie knows no inclusions",
        ),
    ],
)
def test_what_makes_no_body_is_refused_in_words(body: dict[str, Any], words: str) -> None:
    with pytest.raises(SceneError, match=words):
        scene_of(body)


def test_inclusions_that_do_not_fit_are_refused_in_words() -> None:
    body = {"shape": {"kind": "sphere", "radius_um": 1.0}, "inclusions": [{"radius_um": 1.2}]}
    with pytest.raises(SceneError, match="do not fit into their particles"):
        sample(scene_of(body))


def test_nothing_that_is_taken_out_reaches_beyond_its_body() -> None:
    for name in ("striated", "pitted", "stepped", "frayed"):
        batch = sample(scene_of(BODIES[name], (0, 0, 0)), 3, dtype=DOUBLE)
        parts = batch.parts
        assert parts is not None and bool((parts.role == CUT).all())
        size = torch.tensor(BODIES[name]["shape"]["size_um"], dtype=DOUBLE)
        body = assembled(batch)
        rows = torch.arange(1, len(body))
        corner, mask = corners_of(*padded_planes(body, rows))
        corner = corner + parts.position[:, None]
        assert bool((corner.abs() <= size / 2 + 1e-6)[mask].all())
