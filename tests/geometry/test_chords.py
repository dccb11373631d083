"""Chords against brute force, closed forms, and their own derivatives."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from osog.geometry import (
    BOX,
    CYLINDER,
    ELLIPSOID,
    POLYHEDRON,
    ROD,
    SHAPES,
    SPHERE,
    VOLUME,
    Bodies,
    Chord,
    Shape,
    chords,
    padded_planes,
    patch_grid,
    vertices,
)
from osog.geometry.edges import (
    REACH,
    SPREAD,
    coverage_of,
    covered_depth,
    kernel_transfer,
    root_mean,
    root_mean_product,
    smooth_abs,
    smooth_clamp,
    smooth_sign,
)
from osog.rotations import rotation_matrix
from osog.scene import half_spaces

PITCH = 0.1
SMOOTH = (SPHERE, ELLIPSOID, ROD, CYLINDER)
SIZES = {  # bodies of several pieces have their own tests
    SPHERE: (0.8, 0.8, 0.8),
    ELLIPSOID: (1.1, 0.6, 0.4),
    ROD: (1.1, 0.35, 0.35),
    CYLINDER: (0.9, 0.4, 0.4),
    BOX: (0.9, 0.6, 0.4),
    VOLUME: (0.9, 0.6, 0.4),
    POLYHEDRON: (2.0, 1.4, 1.0),
}
ANGLES = ((0.0, 0.0, 0.0), (33.0, 18.0, 25.0), (-70.0, 55.0, 80.0), (120.0, 84.0, 10.0))
LINING = (
    (0.0, 0.0, 0.0),
    (0.0, 90.0, 0.0),
    (90.0, 0.0, 0.0),
    (45.0, 0.0, 90.0),
    (0.0, -90.0, 45.0),
)


def draw(batch, patch: int = 40, pitch: tuple[float, float] = (PITCH, PITCH), grid=None) -> Chord:
    """Chords of a batch of one kind on square patches."""
    index = torch.arange(len(batch))
    kind = SHAPES[int(batch.shape_kind[0])]
    planes = mask = None
    if kind.has_planes:
        planes, mask = padded_planes(batch, index)
    if grid is None:
        _, _, x, y = patch_grid(batch.position, patch, patch, pitch)
    else:
        x, y = grid
    return chords(kind, x, y, batch.position, batch.quaternion, batch.size, planes, mask, pitch)


def volume_of(batch) -> Tensor:
    """Volumes of a batch of one shape."""
    shape = SHAPES[int(batch.shape_kind[0])]
    return shape.volume(Bodies.of(batch, torch.arange(len(batch)), shape))


def inside(kind: Shape, body: Tensor, size: Tensor, planes: Tensor) -> Tensor:
    """Membership of points (..., 3) in body coordinates, straight from the definition."""
    x, y, z = body.unbind(-1)
    a, b, c = size.tolist()
    if kind in (SPHERE, ELLIPSOID):
        return (x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2 <= 1
    if kind == ROD:
        along = x - x.clamp(-(a - b), a - b)
        return along**2 + y**2 + z**2 <= b**2
    if kind == CYLINDER:
        return (x.abs() <= a) & (y**2 + z**2 <= b**2)
    if kind in (BOX, VOLUME):
        return (x.abs() <= a) & (y.abs() <= b) & (z.abs() <= c)
    return ((body / size) @ planes[:, :3].T <= planes[:, 3]).all(-1)


def march(batch, patch: int, fine: int = 6, step: float = 0.03) -> tuple[Tensor, Tensor, Tensor]:
    """Mean path, moment in z and coverage of one particle by testing points on a fine raster."""
    _, _, x, y = patch_grid(batch.position, patch, patch, (PITCH, PITCH))
    offsets = ((torch.arange(fine) + 0.5) / fine - 0.5) * PITCH
    x = (x.flatten()[:, None] + offsets).flatten() - batch.position[0, 0]
    y = (y.flatten()[:, None] + offsets).flatten() - batch.position[0, 1]
    reach = 2.0
    z = (torch.arange(int(2 * reach / step)) + 0.5) * step - reach
    rotation = rotation_matrix(batch.quaternion)[0].float()
    kind = SHAPES[int(batch.shape_kind[0])]
    path = torch.zeros(len(y), len(x))
    moment = torch.zeros_like(path)
    for height in z.tolist():
        point = torch.stack(torch.broadcast_tensors(x.float(), y.float()[:, None]), -1)
        point = torch.cat([point, torch.full_like(point[..., :1], height)], -1)
        hit = inside(kind, point @ rotation, batch.size[0].float(), batch.planes.float())
        path += hit * step
        moment += hit * step * height

    covered = (path > 0).float()
    return kernel_means(path, fine), kernel_means(moment, fine), kernel_means(covered, fine)


def kernel_means(raster: Tensor, fine: int) -> Tensor:
    """Means over the kernel about every pixel of a raster of ``fine`` points a pixel side."""
    place = (torch.arange(2 * fine, dtype=raster.dtype) + 0.5) / fine - 1
    inside = 1 - (place[:, None] ** 2 + place**2) / (REACH / 2 * SPREAD) ** 2
    weights = inside.clamp_min(0) ** 1.5
    weights = (weights / weights.sum())[None, None]
    found = torch.nn.functional.conv2d(raster[None, None], weights, stride=fine, padding=fine // 2)
    return found[0, 0]


@pytest.mark.parametrize("kind", SIZES, ids=repr)
def test_brute_force(kind, make_batch):
    for angles in ANGLES:
        row = {
            "kind": kind,
            "size": SIZES[kind],
            "angles": angles,
            "position": (3.03, 2.08, 1.0),
            "habit": "tetragonal_prism_tips",
        }
        batch = make_batch([row])
        patch = 28
        chord = draw(batch, patch)
        path, moment, coverage = march(batch, patch)
        found = (chord.exit - chord.entry)[0].float()
        assert (found - path).norm() < 0.03 * path.norm()
        assert abs(float(found.sum() / path.sum()) - 1) < 0.015
        full = coverage > 0.9999
        middle = ((chord.exit + chord.entry)[0] / 2 - 1).float()
        offset = (middle - moment / path)[full].abs()
        assert float(offset.max()) < 0.1
        assert float((offset * path[full]).sum() / path[full].sum()) < 0.02
        assert float((chord.coverage[0].float() - coverage).abs().max()) < 0.3
        assert float((chord.coverage[0].float() - coverage).abs().mean()) < 0.004


def kernel(reach: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Places across the kernel of half width ``reach``, and their weights."""
    t = (torch.arange(4000, dtype=torch.float64) + 0.5) / 2000 - 1
    weights = (1 - t * t) ** 2
    return t * reach, weights / weights.sum()


@pytest.mark.parametrize("mean_of_root", [root_mean, root_mean_product])
def test_root_mean_is_the_mean_over_the_kernel(mean_of_root):
    h = 0.1
    shift, weights = kernel(h * REACH)
    e = torch.linspace(-0.25, 3, 131, dtype=torch.float64)
    at = e[:, None] + shift
    wanted = (at.clamp_min(0).sqrt() * weights).sum(1)
    part = ((at > 0) * weights).sum(1)
    coverage, mean = mean_of_root(e, torch.full_like(e, h))
    if mean_of_root is root_mean:
        mean = coverage * mean
    torch.testing.assert_close(mean, wanted, rtol=0, atol=1.5e-4)
    torch.testing.assert_close(coverage, part, rtol=0, atol=1e-3)
    assert float(mean[e < -h * REACH].abs().max()) < 1e-12


def test_smooth_pieces_are_means_over_the_kernel():
    reach = 0.3
    shift, weights = kernel(reach)
    x = torch.linspace(-1, 1, 81, dtype=torch.float64)
    wide, at = torch.full_like(x, reach), x[:, None] + shift
    half_range = wide / REACH

    def mean(values: torch.Tensor) -> torch.Tensor:
        return (values * weights).sum(1)

    close = {"rtol": 0, "atol": 1e-3}
    torch.testing.assert_close(smooth_abs(x, wide), mean(at.abs()), **close)
    torch.testing.assert_close(smooth_sign(x, wide), mean(at.sign()), **close)
    inside = mean((at > 0).double())
    torch.testing.assert_close(coverage_of(x, half_range), inside, **close)
    depth = covered_depth(x, half_range)
    torch.testing.assert_close(depth * inside, mean(at.clamp_min(0)), **close)
    for half in (0.8, 0.2, 0.05):
        found = smooth_clamp(x, torch.full_like(x, half), wide)
        torch.testing.assert_close(found, mean((at / half).clamp(-1, 1)), rtol=0, atol=5e-3)


def test_transfer_of_the_kernel_is_its_fourier_transform():
    cells = torch.linspace(0, 3, 50, dtype=torch.float64)
    shift, weights = kernel(REACH / 2)
    wanted = (torch.cos(2 * math.pi * cells[:, None] * shift) * weights).sum(1)
    torch.testing.assert_close(kernel_transfer(cells), wanted, rtol=0, atol=1e-5)
    single = kernel_transfer(cells.float())
    torch.testing.assert_close(single.double(), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", SIZES, ids=repr)
def test_volume_is_conserved(kind, make_batch):
    rows = [
        {"kind": kind, "size": SIZES[kind], "angles": a, "position": (5.03 + i / 70, 5.01, 0)}
        for i, a in enumerate(ANGLES + LINING)
    ]
    batch = make_batch(rows)
    chord = draw(batch)
    found = (chord.exit - chord.entry).sum((1, 2)) * PITCH**2
    error = (found / volume_of(batch) - 1).abs()
    limit = 2e-3 if kind in SMOOTH else 0.01
    assert float(error.max()) < limit, error


def test_habits_keep_their_volume(make_batch):
    from scipy.spatial import ConvexHull

    from osog.scene import HABITS

    for habit in HABITS:
        rows = [
            {
                "kind": POLYHEDRON,
                "habit": habit,
                "size": (2.0, 1.6, 1.2),
                "angles": a,
                "position": (5.02, 5.07, 0),
            }
            for a in ANGLES + LINING
        ]
        batch = make_batch(rows)
        corners, _ = vertices(*padded_planes(batch, torch.arange(1)))
        expected = ConvexHull((corners[0] * batch.size[0]).numpy()).volume
        chord = draw(batch, 48)
        found = (chord.exit - chord.entry).sum((1, 2)) * PITCH**2
        assert float((found / expected - 1).abs().max()) < 0.01, habit


@pytest.mark.parametrize("kind", SIZES, ids=repr)
@pytest.mark.parametrize("pixels", [0.02, 0.3, 0.6, 1.0, 1.4])
def test_specks_keep_their_volume(kind, pixels, make_batch):
    ratios = (3, 1, 1) if kind in (ELLIPSOID, ROD, CYLINDER) else (1, 1, 1)
    size = tuple(pixels * PITCH * ratio for ratio in ratios)
    rows = [
        {"kind": kind, "size": size, "angles": a, "position": (5.03 + i / 70, 5.01, 0)}
        for i, a in enumerate(ANGLES)
    ]
    batch = make_batch(rows)
    chord = draw(batch, 16)
    found = (chord.exit - chord.entry).sum((1, 2)) * PITCH**2
    assert found.tolist() == pytest.approx(volume_of(batch).tolist(), rel=0.05)


def test_thin_plate_edge_on(make_batch):
    rows = [
        {"kind": BOX, "size": (1.0, 1.0, 0.01), "angles": a, "position": (5.04, 5, 0)}
        for a in ((0, 90, 0), (20, 90, 0), (0, 0, 90), (0, 0, 0))
    ]
    batch = make_batch(rows)
    chord = draw(batch)
    found = (chord.exit - chord.entry).sum((1, 2)) * PITCH**2
    assert found.tolist() == pytest.approx(volume_of(batch).tolist(), rel=0.02)


def test_sphere_does_not_turn(make_batch):
    rows = [{"kind": SPHERE, "size": (0.7,) * 3, "angles": a} for a in ANGLES]
    chord = draw(make_batch(rows))
    assert torch.equal(chord.exit, chord.exit[:1].expand_as(chord.exit))


def test_families_agree_where_they_coincide(make_batch):
    """An ellipsoid with equal axes, a rod of no length and a ball; a box and its six planes."""
    place = {"position": (5.03, 5.08, -2.0), "angles": (20.0, 40.0, 10.0)}
    ball = {"size": (0.7, 0.7, 0.7), **place}
    balls = [draw(make_batch([{"kind": k, **ball}])) for k in (SPHERE, ELLIPSOID, ROD)]
    for other in balls[1:]:
        assert torch.allclose(other.exit, balls[0].exit, atol=1e-3)
        assert torch.allclose(other.coverage, balls[0].coverage, atol=1e-3)
    planes = [[s * (k == axis) for k in range(3)] + [1.0] for axis in range(3) for s in (-1, 1)]
    size = {"size": (0.9, 0.6, 0.4), **place}
    block = draw(make_batch([{"kind": BOX, **size}]))
    faces = draw(make_batch([{"kind": POLYHEDRON, "planes": planes, **size}]))
    # At a corner the faces are taken one after another, in another order.
    assert torch.allclose(faces.exit, block.exit, atol=5e-4)
    assert torch.allclose(faces.entry, block.entry, atol=5e-4)
    assert torch.allclose(faces.coverage, block.coverage, atol=1e-4)


def test_anisotropic_pitch_keeps_the_volume(make_batch):
    for kind in SIZES:
        batch = make_batch(
            [
                {"kind": kind, "size": SIZES[kind], "angles": a, "position": (5, 5, 0)}
                for a in ANGLES
            ]
        )
        chord = draw(batch, 56, (0.09, 0.11))
        found = (chord.exit - chord.entry).sum((1, 2)) * 0.09 * 0.11
        # The kernel of walls is round also where the pixel is not.
        assert found.tolist() == pytest.approx(volume_of(batch).tolist(), rel=8e-3)


def sparse_grid(batch) -> tuple[Tensor, Tensor]:
    """A coarse grid over a particle, off every symmetry, for derivative checks."""
    x = torch.linspace(-1.13, 1.21, 9, dtype=torch.float64)[None, None, :] + batch.position[0, 0]
    y = torch.linspace(-1.19, 1.07, 8, dtype=torch.float64)[None, :, None] + batch.position[0, 1]
    return x, y


@pytest.mark.parametrize("kind", SIZES, ids=repr)
@pytest.mark.parametrize("angles", ANGLES[1:])
def test_gradients_are_those_of_the_values(kind, angles, make_batch):
    row = {"kind": kind, "size": SIZES[kind], "angles": angles, "position": (3.02, 2.04, 0.5)}
    batch = make_batch([row])
    grid = sparse_grid(batch)
    planes, mask = padded_planes(batch, torch.arange(1))
    with_planes = kind.has_planes

    def run(position, quaternion, size, planes):
        given_planes = (planes, mask) if with_planes else (None, None)
        chord = chords(kind, *grid, position, quaternion, size, *given_planes, (PITCH, PITCH))
        return chord.entry, chord.exit, chord.coverage

    inputs = [t.clone().requires_grad_() for t in (batch.position, batch.quaternion, batch.size)]
    inputs.append(planes.clone().requires_grad_(with_planes))
    assert torch.autograd.gradcheck(
        run, inputs, eps=1e-7, atol=2e-4, rtol=2e-3, fast_mode=with_planes
    )


@pytest.mark.parametrize("kind", SIZES, ids=repr)
@pytest.mark.parametrize("angles", LINING)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_aligned_particles_have_finite_gradients(kind, angles, dtype, make_batch):
    """Face-on, edge-on and end-on; a larger particle must give a longer path."""
    row = {"kind": kind, "size": SIZES[kind], "angles": angles, "position": (5.0, 5.0, 0.0)}
    batch = make_batch([row], dtype)
    inputs = [t.clone().requires_grad_() for t in (batch.position, batch.quaternion, batch.size)]
    planes, mask = padded_planes(batch, torch.arange(1))
    if kind.has_planes:
        inputs.append(planes.requires_grad_())
    _, _, x, y = patch_grid(batch.position, 40, 40, (PITCH, PITCH))
    chord = chords(
        kind,
        x,
        y,
        *inputs[:3],
        *((*inputs[3:], mask) if inputs[3:] else (None, None)),
        (PITCH, PITCH),
    )
    path = (chord.exit - chord.entry).sum() * PITCH**2
    gradients = torch.autograd.grad(path, inputs, retain_graph=True, allow_unused=True)
    for gradient in gradients:
        assert gradient is None or bool(torch.isfinite(gradient).all())
    growth = gradients[2][0]
    used = {SPHERE: 1, ROD: 2, CYLINDER: 2}.get(kind, 3)
    assert bool((growth[:used] > 0).all())
    bodies = Bodies.of(batch, torch.arange(1), kind)
    size = batch.size.double().requires_grad_()
    (expected,) = torch.autograd.grad(kind.volume(bodies.resized(size)), size)
    assert growth.tolist() == pytest.approx(expected[0].tolist(), rel=0.1, abs=0.02)
    for output in (chord.entry, chord.exit, chord.coverage):
        gradients = torch.autograd.grad(
            output.square().sum(), inputs, retain_graph=True, allow_unused=True
        )
        assert all(g is None or bool(torch.isfinite(g).all()) for g in gradients)


@pytest.mark.parametrize("kind", SIZES, ids=repr)
def test_moving_a_particle_moves_its_path(kind, make_batch):
    """d/dx of the first moment of the path is the volume: walls carry gradients too."""
    for angles in (ANGLES[0], ANGLES[2], LINING[1]):
        row = {"kind": kind, "size": SIZES[kind], "angles": angles, "position": (5.03, 5.01, 0.0)}
        batch = make_batch([row])
        position = batch.position.requires_grad_()
        planes, mask = padded_planes(batch, torch.arange(1))
        if not kind.has_planes:
            planes = mask = None
        _, _, x, y = patch_grid(position, 40, 40, (PITCH, PITCH))
        chord = chords(
            kind, x, y, position, batch.quaternion, batch.size, planes, mask, (PITCH, PITCH)
        )
        path = chord.exit - chord.entry
        total = float(path.detach().sum())
        (slope,) = torch.autograd.grad((path * (x - 5)).sum(), position, retain_graph=True)
        assert float(slope[0, 0]) == pytest.approx(total, rel=0.06)
        assert abs(float(slope[0, 1])) < 0.05 * total
        (rise,) = torch.autograd.grad(chord.exit.sum(), position)
        assert float(rise[0, 2]) == pytest.approx(path.numel())


ANGLE = st.floats(-180, 180) | st.sampled_from([0.0, 90.0, -90.0, 180.0, 45.0])
LENGTH = st.floats(1e-3, 1.2)


@given(
    kind=st.sampled_from(list(SIZES)),
    size=st.tuples(LENGTH, LENGTH, LENGTH),
    angles=st.tuples(ANGLE, ANGLE, ANGLE),
    place=st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-30, 30)),
    single=st.booleans(),
)
def test_any_particle_is_sound(kind, size, angles, place, single):
    dtype = torch.float32 if single else torch.float64
    from osog.rotations import quaternion_from_angles

    a, b, _c = size
    if kind == SPHERE:
        size = (a, a, a)
    elif kind in (ROD, CYLINDER):
        size = (max(a, b), b, b) if kind == ROD else (a, b, b)
    inputs = [
        torch.tensor([place], dtype=torch.float64).to(dtype).requires_grad_(),
        quaternion_from_angles(torch.tensor([angles], dtype=torch.float64))
        .to(dtype)
        .requires_grad_(),
        torch.tensor([size], dtype=torch.float64).to(dtype).requires_grad_(),
    ]
    planes = mask = None
    if kind.has_planes:
        planes = torch.tensor(half_spaces("octahedron"))[None].to(dtype)
        mask = torch.ones(1, len(planes[0]), dtype=torch.bool)
    _, _, x, y = patch_grid(inputs[0], 32, 32, (PITCH, PITCH))
    chord = chords(kind, x, y, *inputs, planes, mask, (PITCH, PITCH))
    path, coverage = (chord.exit - chord.entry).detach(), chord.coverage.detach()
    assert all(bool(torch.isfinite(t).all()) for t in (chord.entry, chord.exit, chord.coverage))
    assert float(path.min()) >= 0
    assert 0 <= float(coverage.min()) <= float(coverage.max()) <= 1 + 1e-6
    reach = 2 * math.sqrt(3) * max(size)
    assert float((chord.exit.detach() - place[2]).abs().max()) <= reach + 0.05
    total = chord.exit.square().sum() + chord.entry.sum() + chord.coverage.sum()
    for gradient in torch.autograd.grad(total, inputs, allow_unused=True):
        assert gradient is None or bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("kind", SIZES, ids=repr)
def test_single_precision_follows_double(kind, make_batch):
    rows = [
        {"kind": kind, "size": SIZES[kind], "angles": a, "position": (55.03, 45.01, 3.0)}
        for a in ANGLES + LINING
    ]
    fine, coarse = draw(make_batch(rows)), draw(make_batch(rows, torch.float32))
    assert coarse.exit.dtype == torch.float32
    path, coverage = fine.exit - fine.entry, fine.coverage
    assert float((path - (coarse.exit - coarse.entry)).abs().mean()) < 2e-5
    assert float((path - (coarse.exit - coarse.entry)).abs().max()) < 5e-3
    assert float((coverage - coarse.coverage).abs().max()) < 5e-3
    assert float(((fine.exit - coarse.exit) * path).abs().mean()) < 2e-4


def test_a_particle_does_not_depend_on_its_neighbours(make_batch):
    """Thin particles are sub-sampled; that must not reach into the others of the call."""
    radii = (0.5, 0.02, 0.09, 0.3, 0.13)
    rows = [
        {"kind": ROD, "size": (0.6, r, r), "angles": ANGLES[1], "position": (5, 5, i)}
        for i, r in enumerate(radii)
    ]
    together = draw(make_batch(rows))
    for i, row in enumerate(rows):
        alone = draw(make_batch([row]))
        assert torch.allclose(alone.exit[0], together.exit[i], atol=1e-12)
        assert torch.allclose(alone.coverage[0], together.coverage[i], atol=1e-12)


def test_polyhedra_need_planes(make_batch):
    batch = make_batch([{"kind": POLYHEDRON}])
    _, _, x, y = patch_grid(batch.position, 8, 8, (PITCH, PITCH))
    with pytest.raises(ValueError, match="padded_planes"):
        chords(
            POLYHEDRON,
            x,
            y,
            batch.position,
            batch.quaternion,
            batch.size,
            None,
            None,
            (PITCH, PITCH),
        )


@pytest.mark.parametrize("elevation", [90.0, 89.0, -88.0])
def test_wall_of_a_standing_cylinder(elevation, make_batch):
    """Walls seen along their height: the mean path is the height times the covered area."""
    row = {
        "kind": CYLINDER,
        "size": (0.5, 0.62, 0.62),
        "angles": (35.0, elevation, 0.0),
        "position": (3.03, 3.055, 0.0),
    }
    batch = make_batch([row])
    _, _, x, y = patch_grid(batch.position, 20, 20, (PITCH, PITCH))
    chord = draw(batch, 20)
    fine = ((torch.arange(32) + 0.5) / 32 - 0.5).double() * PITCH
    px = (x.flatten()[:, None] + fine).flatten() - 3.03
    py = ((y.flatten()[:, None] + fine).flatten() - 3.055)[:, None]
    axis = rotation_matrix(batch.quaternion)[0, :, 0]
    # The standing cylinder as a stack of discs.
    heights = ((torch.arange(25) + 0.5) / 25 - 0.5).double() * float(axis[2].abs())
    path = torch.zeros(640, 640, dtype=torch.float64)
    for z in heights.tolist():
        a, b = px - z * float(axis[0] / axis[2]), py - z * float(axis[1] / axis[2])
        along = (a * axis[0] + b * axis[1]) / axis[:2].norm().clamp_min(1e-9)
        radius2 = a * a + b * b - along * along * float(axis[:2].norm() ** 2)
        path += (radius2 <= 0.62**2) / (25 * float(axis[2].abs())) * float(axis[2] ** 2)
    path = kernel_means(path, 32)
    found = (chord.exit - chord.entry)[0]
    assert float((found - path).norm() / path.norm()) < 0.02


@pytest.mark.parametrize("kind", SHAPES[:5], ids=repr)
@pytest.mark.parametrize("half_width_px", [2.8, 2.5, 2.24, 2.0, 1.12, 1.0, 0.504, 0.45])
def test_sub_sampling_changes_without_a_jump(kind: Shape, half_width_px: float) -> None:
    """At the limits of a level the size derivative is that of finite differences."""
    pitch = 0.1
    x = ((torch.arange(24, dtype=torch.float64) - 11.7) * pitch)[None, None, :]
    y = ((torch.arange(24, dtype=torch.float64) - 11.9) * pitch)[None, :, None]
    weights = torch.randn(24, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    turn = torch.tensor([[0.9, 0.1, 0.3, 0.2]], dtype=torch.float64)

    def path(radius: torch.Tensor) -> torch.Tensor:
        size = torch.stack([2 * radius if kind == ROD else radius, radius, radius])[None]
        chord = chords(
            kind,
            x,
            y,
            torch.zeros(1, 3, dtype=torch.float64),
            turn,
            size,
            None,
            None,
            (pitch, pitch),
            1,
        )
        return ((chord.exit - chord.entry)[0] * weights).sum()

    radius = torch.tensor(half_width_px * pitch, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(path(radius), radius)
    with torch.no_grad():
        difference = (path(radius + 1e-6) - path(radius - 1e-6)) / 2e-6
    assert float(slope) == pytest.approx(float(difference), rel=3e-3, abs=1e-4)
