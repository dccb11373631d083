"""A render can be left early, and the next one is whole."""

from __future__ import annotations

import pytest
import torch

from osog.cancellation import Cancelled
from osog.exit_wave.raster import Raster
from osog.rendering import Renderer
from osog.scene.parameters import replaced
from osog.waves import ring_numbers
from osog.waves.bundles import together


@pytest.mark.parametrize("modality", ["brightfield", "fluorescence"])
def test_a_render_ends_at_the_next_step_and_leaves_nothing_half_done(modality, every_shape) -> None:
    scene = replaced(every_shape, {"microscope.modality": {"kind": modality}})
    renderer, asked = Renderer("cpu"), []

    def after_three() -> bool:
        asked.append(1)
        return len(asked) > 3

    with torch.inference_mode():
        whole = renderer.render(scene).image
        renderer = Renderer("cpu")
        with pytest.raises(Cancelled):
            renderer.render(scene, stop=after_three)
        assert len(asked) == 4
        assert torch.equal(renderer.render(scene).image, whole)


def test_every_patch_group_and_slab_of_a_bundle_asks(
    every_shape_with_condenser,
) -> None:
    scene, asked = every_shape_with_condenser, []
    with torch.inference_mode():
        frame = Renderer("cpu").render(scene, stop=lambda: bool(asked.append(1)))
    raster = Raster(frame.particles, frame.plan)
    points = sum(ring_numbers(frame.plan.source_points))
    # Source points go in bundles through slabs and lens.
    rows, columns = frame.plan.grid_shape
    many = together(rows * columns, frame.particles.position)
    bundles = -(-points // many)
    assert len(asked) >= len(raster.patch_batches) + bundles * (len(raster.occupied) + 1)
