"""Every shape of the table obeys the same laws, and the table takes further ones."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch

from helpers.shape_laws import LAWS
from osog.geometry import BOX, SHAPES, SPHERE, Bodies, by_shape, half_extents, number_of, register
from osog.geometry.sphere import SphereGeometry
from osog.scene import HABITS, AssembledShape, ShapeModel, Sphere, VoxelShape
from osog.scene import SHAPES as SCENE_SHAPES

SLAB = [[1, 0, 0, 1], [-1, 0, 0.2, 1], [0, 1, 0, 0.7], [0, -1, 0, 0.8], [0, 0, 1, 0.5],
        [0, 0, -1, 0.6]]  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    # Volumes have no path of their own: what is in their box is drawn voxel by voxel; what is made
    # of pieces is drawn piece by piece.
    **{
        kind: {"kind": kind}
        for kind, model in SCENE_SHAPES.models.items()
        if not issubclass(model, VoxelShape | AssembledShape)
    },
    **{habit: {"kind": "polyhedron", "habit": habit} for habit in HABITS},
    "own": {"kind": "polyhedron", "half_spaces": SLAB},
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_law(law, body):
    law(body)


def test_every_shape_of_the_scene_has_one_geometry():
    drawn = [model for shape in SHAPES for model in shape.models]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == set(SCENE_SHAPES.models.values())
    for model in drawn:
        assert SHAPES[number_of(model())].models.count(model) == 1
        assert model.title
        assert model.columns()


def test_a_shape_without_geometry_is_named():
    class Cone(ShapeModel):
        kind: Literal["cone"] = "cone"

    with pytest.raises(ValueError, match=r"A cone has no geometry; osog.geometry.register\(\)"):
        number_of(Cone())


def test_shapes_of_the_package_cannot_be_replaced():
    class Other(SphereGeometry):
        models = (Sphere,)

    class Nothing(SphereGeometry):
        models = ()

    class Unnamed(SphereGeometry):
        models = (ShapeModel,)

    before = list(SHAPES)
    with pytest.raises(ValueError, match="'sphere' is a shape of the package"):
        register(Other())
    with pytest.raises(ValueError, match=r"Nothing\.models must name at least one"):
        register(Nothing())
    with pytest.raises(ValueError, match="ShapeModel needs a field such as"):
        register(Unnamed())
    assert before == SHAPES


def test_particles_are_sorted_by_shape(make_batch):
    batch = make_batch([{"kind": k} for k in (BOX, SPHERE, BOX, SPHERE, SPHERE)])
    assert [(s, i.tolist()) for s, i in by_shape(batch)] == [(SPHERE, [1, 3, 4]), (BOX, [0, 2])]
    some = torch.tensor([4, 0, 2])
    assert [(s, i.tolist()) for s, i in by_shape(batch, some)] == [(SPHERE, [0]), (BOX, [1, 2])]
    assert half_extents(batch, some).shape == (3, 3)
    assert Bodies.of(batch, some[:1], SPHERE).planes is None
