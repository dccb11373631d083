"""What a batch of particles keeps, and what follows from it alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from osog import ForwardModel, Scene, particles
from osog.exit_wave import plan_sampling
from osog.exit_wave.compiled import surveying
from osog.exit_wave.raster import Raster
from osog.geometry import ROD, half_extents
from osog.particles import FEW, ParticleBatch
from osog.rotations import rotation_matrix, rotation_written_out
from osog.sample import Values, draw, draws_few, sample
from osog.sample.random_streams import random_streams
from osog.scene import SceneError
from osog.transfers import _moved, moved_together

CPU = torch.device("cpu")


def crowd(number: int = 5, **changed: object) -> Scene:
    """Rods of one size, anywhere and turned anyhow."""
    population = {
        "name": "rods", "count": number, "orientation": {"law": "isotropic"},
        "shape": {"kind": "rod", "length_um": 2.0, "radius_um": 0.3},
        "material": {"index": 1.4}, **changed,
    }  # fmt: skip
    return Scene.parse({"grid": {"shape": [64, 64]}, "populations": [population]})


@pytest.fixture
def batch() -> ParticleBatch:
    return sample(crowd(), 1, dtype=torch.float64)


def test_rotations_have_the_bits_of_their_formula() -> None:
    for kind in (torch.float32, torch.float64):
        q = torch.randn(3, 50, 4, dtype=kind, generator=torch.Generator().manual_seed(1))
        assert torch.equal(rotation_matrix(q), rotation_written_out(q))
    turned = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rotation_matrix, turned)
    assert torch.autograd.gradgradcheck(rotation_matrix, turned)


def test_what_was_worked_out_is_kept_until_a_number_changes(batch: ParticleBatch) -> None:
    everyone = torch.arange(len(batch))
    before = half_extents(batch, everyone)
    assert batch.rotation is batch.rotation
    assert batch.detach().rotation is batch.rotation
    batch.size[:, 0] *= 2
    after = half_extents(batch, everyone)
    fresh = half_extents(pickle.loads(pickle.dumps(batch)), everyone)
    assert not torch.equal(before, after) and torch.equal(after, fresh)


def test_what_has_a_derivative_is_made_anew(batch: ParticleBatch) -> None:
    q = batch.quaternion.clone().requires_grad_()
    moved = batch.moved(batch.position, q, batch.size, batch.planes)
    for _ in range(2):
        moved.rotation.square().sum().backward()  # a kept graph would be gone the second time
    assert not moved.detach().quaternion.requires_grad


def test_a_derivative_that_is_asked_for_later_is_there(batch: ParticleBatch) -> None:
    assert not batch.rotation.requires_grad
    batch.quaternion.requires_grad_()
    assert batch.rotation.requires_grad


def test_nothing_is_kept_within_a_transform_or_inference_mode(batch: ParticleBatch) -> None:
    some = batch.taken(torch.arange(len(batch)))
    torch.func.grad(lambda x: x * some.rotation.sum())(torch.ones(()))
    assert not torch._C._functorch.is_functorch_wrapped_tensor(some.rotation)
    with torch.inference_mode():
        made = sample(crowd(), 1, dtype=torch.float64)
        assert torch.equal(made.rotation, batch.rotation)  # its numbers have no versions


def test_plans_of_a_few_are_made_where_they_were_drawn(
    batch: ParticleBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = torch.device("meta")  # as a GPU, without one
    assert batch.on(CPU) is batch
    there = batch.on(away)
    assert there.device == away and there.planes.device == away
    assert there.position.shape == batch.position.shape
    assert there.for_planning() is batch.detach()
    monkeypatch.setattr(particles, "FEW", len(batch) - 1)
    assert there.for_planning().device == away
    assert batch.for_planning() is batch.detach()


def test_silhouettes_of_a_few_are_drawn_by_the_loops_of_the_host(
    batch: ParticleBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready: list[object] = [object()]
    asked: list[object] = []
    monkeypatch.setattr(surveying, "loops_of", lambda *_: ready[-1])
    monkeypatch.setattr(surveying, "compile_in_background", lambda some, _: asked.extend(some))
    there = batch.on(torch.device("meta"))
    assert surveying.where_surveyed(batch) is batch
    assert surveying.where_surveyed(there) is batch.detach() and not asked
    ready.append(None)
    assert surveying.where_surveyed(there) is there and asked == [ROD]
    ready.append(object())
    monkeypatch.setattr(surveying, "_FEW", len(batch) - 1)
    assert surveying.where_surveyed(there) is there


def test_patches_that_the_host_has_planned_are_moved_over(batch: ParticleBatch) -> None:
    plan = plan_sampling(crowd(), batch)
    here, there = Raster(batch, plan), Raster(batch.on(torch.device("meta")), plan)
    assert here.patch_batches is here.planned
    assert len(here.planned) == len(there.planned) == len(there.patch_batches) > 0
    for mine, planned, moved in zip(here.planned, there.planned, there.patch_batches, strict=True):
        for name in ("index", "row", "column", "first", "last"):
            assert torch.equal(getattr(mine, name), getattr(planned, name))
            assert getattr(moved, name).device.type == "meta"
        assert (mine.height, mine.width) == (moved.height, moved.width)


def test_an_empty_batch_is_detached_too(batch: ParticleBatch) -> None:
    none = batch.taken(torch.zeros(0, dtype=torch.int64))
    size = none.size.clone().requires_grad_()
    none = none.moved(none.position, none.quaternion, size, none.planes)
    assert len(none.detach()) == 0 and not none.detach().size.requires_grad


def test_what_was_worked_out_is_not_sent_along(batch: ParticleBatch) -> None:
    alone = len(pickle.dumps(batch))
    batch.rotation.sum()
    half_extents(batch, torch.arange(len(batch)))
    assert len(pickle.dumps(batch)) == alone


def test_arrays_that_move_together_stay_what_they_are() -> None:
    arrays = [
        torch.arange(5), torch.rand(3, 2), torch.rand(0, 3), torch.tensor([True, False]),
        torch.rand(70).double(), torch.rand(4, 3).t(),
    ]  # fmt: skip
    assert [id(t) for t in moved_together(arrays, CPU)] == [id(t) for t in arrays]
    for one, other in zip(arrays, _moved(arrays, CPU), strict=True):
        assert one.dtype == other.dtype and torch.equal(one, other) and other.is_contiguous()
        assert other.storage_offset() % 64 == 0


def test_few_are_expected_where_few_are_stated() -> None:
    assert draws_few(crowd(5)) and not draws_few(crowd(50_000))
    assert not draws_few(crowd(count=None, density_per_mm2=1e9))
    assert draws_few(crowd(count=None, density_per_mm2=1e6))
    assert draws_few(crowd(50_000, visible=False))
    assert not draws_few(crowd(4000, placement={"margin_um": 2.0})), "more lie around the frame"
    listed = {"x_um": 1.0, "y_um": 1.0, "z_um": 0.0}
    assert not draws_few(crowd(count=None, particles=[listed] * (FEW + 1)))
    volume = {"kind": "volume", "array": np.ones((2, 2, 2), np.uint8), "voxel_um": [1.0] * 3}
    assert not draws_few(crowd(shape=volume))


def test_every_column_has_one_generator_of_its_own() -> None:
    streams = random_streams(1, 0)
    assert streams["z"] is streams["z"]
    assert streams["z"].random() != random_streams(1, 0)["roll_deg"].random()
    with pytest.raises(KeyError):
        streams["colour"]


def test_a_draw_is_taken_over_only_where_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    facts: list[object] = []
    plain = draw.draw_groups

    def counted(scene: Scene, seed: int) -> list[draw.Drawn]:
        drawn.append(seed)
        return plain(scene, seed)

    monkeypatch.setattr(draw, "draw_groups", counted)
    monkeypatch.setattr(draw, "_RECENT", [])
    scene = crowd()

    def places(scene: Scene, seed: int, given: dict[str, float] | None = None) -> torch.Tensor:
        values = Values(scene, given)
        with values.recorded() as reading:
            found = sample(values.scene, seed, values).position
        facts.append(reading.facts.keys())
        return found

    first = places(scene, 1)
    assert torch.equal(places(scene, 1, {"populations.rods.material.index": 1.45}), first)
    assert drawn == [1]
    assert facts[0] == facts[1]  # who takes over a draw depends on as much as who draws
    assert not torch.equal(places(scene, 2), first)
    assert not torch.equal(places(crowd(6), 1)[:1], first)
    assert drawn == [1, 2, 1]
    with pytest.raises(SceneError, match="seed = True"):
        places(crowd(6), True)


def test_images_of_one_draw_are_those_of_two() -> None:
    scene = crowd()
    model = ForwardModel(scene, 3, torch.float32)
    name = "populations.rods.material.index"
    both = [model.image({name: 1.38}), model.image({name: 1.42})]
    for image, index in zip(both, (1.38, 1.42), strict=True):
        assert torch.equal(image, ForwardModel(scene, 3, torch.float32).image({name: index}))
