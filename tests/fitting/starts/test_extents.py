"""Templates are as large as the bodies they show."""

from __future__ import annotations

import pytest

from osog.fitting.starts.extents import half_extents, longest_half_extent
from osog.scene import Particle, Population

CUBE = [[*(s * (i == k) for i in range(3)), 1.5] for k in range(3) for s in (1, -1)]


@pytest.mark.parametrize(
    ("shape", "least", "most"),
    [
        ({"kind": "sphere", "radius_um": {"law": "uniform", "low": 0.2, "high": 0.7}}, 0.7, 0.7),
        ({"kind": "coated_sphere", "radius_um": 0.8, "core_radius_um": 0.3}, 0.8, 0.8),
        ({"kind": "rod", "length_um": 3.0, "radius_um": 0.4}, 0.4, 1.5),
        ({"kind": "cylinder", "length_um": 0.4, "radius_um": 2.0}, 0.2, 2.0),
        ({"kind": "box", "size_um": [4.0, 2.0, 1.0]}, 0.5, 2.0),
        ({"kind": "ellipsoid", "semi_axes_um": [1.0, 0.5, 0.25]}, 0.25, 1.0),
    ],
)
def test_half_extents_of_every_shape(shape, least, most):
    population = Population.model_validate({"shape": shape, "count": 1})
    halves = half_extents(population)
    assert min(halves) == pytest.approx(least)
    assert max(halves) == pytest.approx(most)


def test_half_spaces_of_its_own_size_a_polyhedron():
    """The column size_um does not act on them."""
    shape = {"kind": "polyhedron", "half_spaces": CUBE, "size_um": [20.0, 20.0, 20.0]}
    population = Population.model_validate({"shape": shape, "count": 1})
    assert 1.5 <= max(half_extents(population)) < 5


def test_a_particle_comes_before_its_shape():
    shape = {"kind": "rod", "length_um": 3.0, "radius_um": 0.4}
    particle = Particle(length_um=5.0)
    population = Population.model_validate({"shape": shape, "particles": [particle]})
    assert longest_half_extent(population.shape, particle) == 2.5
    assert longest_half_extent(population.shape, Particle()) == 1.5
    assert max(half_extents(population)) == 2.5
