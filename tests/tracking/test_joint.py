"""Particles of a frame that are fitted together, with the optics they share."""

from __future__ import annotations

import numpy as np
import pytest

import osog
from helpers.beads import FIELDS, scene_of
from osog import FitError, fit_many
from osog.cancellation import Cancelled, cancellable
from osog.fitting.problem.region import Region
from osog.fitting.problem.simulator import Simulator
from osog.tracking.frame_model import FrameModel
from osog.tracking.normal_equations import Block, NormalEquations
from osog.tracking.tiles import Tile, Tiles

SPHERICAL = "microscope.aberrations.spherical"
# The first two touch; the rings of all overlap.
CROWD = (
    (2.0, 2.2, 0.3, 0.45, 1.44),
    (2.9, 2.6, -0.6, 0.5, 1.42),
    (5.6, 2.4, -0.8, 0.55, 1.42),
    (3.6, 5.5, 0.0, 0.5, 1.46),
)


@pytest.fixture(scope="module")
def image():
    scene = scene_of(*CROWD).updated({SPHERICAL: 0.05})
    return osog.render(scene, device="cpu", seed=4).image.numpy()


def _start(scene):
    """Near the truth: what is found is not what these tests are about."""
    near = []
    for k, bead in enumerate(scene.populations[0].particles):
        off = (-1) ** k
        near.append(bead.model_copy(update={
            "x_um": bead.x_um + 0.05 * off, "z_um": bead.z_um + 0.2 * off,
            "radius_um": bead.radius_um * (1 + 0.05 * off), "index": bead.index - 0.005 * off,
        }))  # fmt: skip
    return near


@pytest.fixture(scope="module")
def table(image):
    scene = scene_of(*CROWD)
    return fit_many(
        image, scene, start=_start(scene), rounds=0, rescue=0, joint=True, shared=(SPHERICAL,)
    )


def test_shared_aberration_and_touching_beads_are_recovered(table):
    """With the aberration held at 0 the beads are tens of sigma off."""
    value, sigma = table.shared[SPHERICAL]
    assert abs(value - 0.05) < 0.002
    assert 1e-4 < sigma < 1e-3
    assert table.scene.microscope.aberrations.spherical == value
    assert len(table) == len(CROWD)
    for row, bead in zip(table.rows, CROWD, strict=True):
        errors = {n: abs(row[n] - v) for n, v in zip(FIELDS, bead, strict=True)}
        # Depths trade with the aberration: their own σ are too small beside it.
        assert errors.pop("z_um") < 0.03
        assert all(error < 4 * row[f"{n}_sigma"] for n, error in errors.items())
        assert row["chi2_per_pixel"] == pytest.approx(1, abs=0.1)


def test_a_particle_that_cannot_be_simulated_leaves_the_others(image, monkeypatch):
    """The tile of one raises, in a mosaic and alone; it is named, the others are fitted."""
    right = Tiles._columns

    def failing(self, group, tiles, *rest):
        if any(abs(tiles[k].particle.x_um - 5.6) < 0.5 for k in group):
            raise MemoryError("no memory left")
        return right(self, group, tiles, *rest)

    monkeypatch.setattr(Tiles, "_columns", failing)
    scene = scene_of(*CROWD).updated({SPHERICAL: 0.05})
    found = fit_many(image, scene, start=_start(scene), rounds=0, rescue=0, joint=True)
    assert [row["particle"] for row in found.rows] == [0, 1, 3]
    assert "no memory left" in " ".join(found.failures)
    assert found.rows[2]["radius_um"] == pytest.approx(0.5, abs=0.05)


def test_a_stop_keeps_what_there_is(image):
    """Asked after the second picture, the fit makes no other one."""
    scene = scene_of(*CROWD)
    calls = []

    def stop(made, total, word):
        calls.append(made)
        return made == 2

    found = fit_many(image, scene, start=_start(scene), joint=True, callback=stop)
    assert calls == [1, 2]
    assert len(found) == len(CROWD)
    assert not any(row["converged"] for row in found.rows)
    with pytest.raises(Cancelled), cancellable(lambda: True):
        fit_many(image, scene, start=_start(scene), joint=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shared": ("microscope.focus",)}, "shared: "),
        ({"shared": ("microscope.focus_um",)}, "while z_um is free"),
        ({"shared": ("particles[0].index",)}, "belongs to particles"),
        ({"shared": (SPHERICAL,), "joint": False}, "joint is off"),
    ],
)
def test_what_cannot_be_shared_is_named(image, options, words):
    scene = scene_of(*CROWD)
    with pytest.raises(FitError, match=words):
        fit_many(image, scene, start=_start(scene), **{"joint": True} | options)


def test_normal_equations_are_those_of_the_dense_problem():
    """Step and covariance by blocks and Schur complement, against all columns at once."""
    rng = np.random.default_rng(5)
    shape, fields = (20, 24), 3
    regions = [Region(0, 12, 0, 12, 1.0), Region(6, 20, 5, 16, 1.0), Region(10, 20, 15, 24, 1.0)]
    blocks = [Block(r, rng.normal(size=(fields, *r.shape)).astype(np.float32)) for r in regions]
    shared = rng.normal(size=(2, *shape)).astype(np.float32)
    residual = rng.normal(size=shape)
    prior = (np.full((3, fields), 0.5), np.full((3, fields), 0.1), np.array([2.0, 0]), np.zeros(2))
    normal = NormalEquations(blocks, shared, residual, prior)
    dense = np.zeros((11, *shape))
    for p, block in enumerate(blocks):
        dense[(slice(3 * p, 3 * p + 3), *block.region.slices)] = block.rows
    dense[9:] = shared
    dense = dense.reshape(11, -1)
    matrix = dense @ dense.T + np.diag([0.5] * 9 + [2.0, 0.0])
    gradient = dense @ residual.ravel() + np.array([0.1] * 9 + [0.0, 0.0])
    free = np.ones((3, fields), bool)
    free[1, 2] = False
    kept = np.r_[free.ravel(), True, True]
    step, common = normal.step(np.zeros(3), np.zeros(2), free, np.ones(2, bool))
    whole = np.zeros(11)
    whole[kept] = -np.linalg.solve(matrix[np.ix_(kept, kept)], gradient[kept])
    assert np.concatenate([step.ravel(), common]) == pytest.approx(whole, rel=1e-4, abs=1e-7)
    inverse = np.linalg.inv(matrix[np.ix_(kept, kept)])
    found = normal.covariance(free, np.ones(2, bool))
    assert found.particles[0] == pytest.approx(inverse[:3, :3], rel=1e-4, abs=1e-7)
    assert found.particles[1, 2, 2] == np.inf
    assert found.shared == pytest.approx(inverse[-2:, -2:], rel=1e-4, abs=1e-7)


def test_columns_of_a_mosaic_are_those_of_patches_alone():
    """Derivatives of two beads side by side, against differences of each in its own patch."""
    beads = ((2.0, 2.2, 0.3, 0.45, 1.44), (5.6, 5.4, -0.8, 0.55, 1.42))
    scene = scene_of(*beads)
    population = scene.populations[0]
    regions = [Region(3, 43, 1, 41, 0.1), Region(35, 76, 36, 74, 0.1)]
    tiles = [Tile(p, (), r) for p, r in zip(population.particles, regions, strict=True)]
    made = Tiles(scene, population, ("x_um", "z_um", "index"), accuracy="fine")
    ones = np.ones((2, 3))
    for tile, (_, rows) in zip(tiles, made.columns(tiles, ones, ones), strict=True):
        lone = population.model_copy(update={"particles": (tile.particle,)})
        model = Simulator(
            scene.model_copy(update={"populations": (lone,)}), tile.region, accuracy="fine"
        )
        for name, row in zip(("x_um", "z_um", "index"), rows, strict=True):
            value = getattr(tile.particle, name)
            one, other = (model({f"particles[0].{name}": value + h}) for h in (1e-5, -1e-5))
            expected = (one - other) / 2e-5
            # What differs is the light that crosses the gap between tiles, and the wrap of a patch.
            assert np.linalg.norm(row - expected) < 0.1 * np.linalg.norm(expected)


def test_a_frame_in_parts_is_the_frame(monkeypatch):
    """Parts hold the particles whose light reaches them, under their numbers in the frame."""
    scene = scene_of(*CROWD)
    particles = scene.populations[0].particles

    def scene_with(those):
        population = scene.populations[0].model_copy(
            update={"particles": tuple(those), "count": None}
        )
        return scene.model_copy(update={"populations": (population,)})

    def image(values):
        return FrameModel(scene_with, particles, [40] * len(particles), "standard", "cpu")(values)

    values = {"particles[2].x_um": 5.5, "particles[3].z_um": 0.2, SPHERICAL: 0.03}
    whole = image(values)
    monkeypatch.setattr("osog.tracking.frame_model._PART", 40)
    assert np.abs(image(values) - whole).max() < 0.01 * whole.max()
    assert np.abs(image({}) - whole).max() > 0.05 * whole.max()
