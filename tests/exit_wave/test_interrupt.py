"""A render can be left early, and the next one is whole."""

from __future__ import annotations

import pytest
import torch

from osog.exit_wave import Interrupted
from osog.render import Renderer
from osog.scene.parameters import replaced


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
        with pytest.raises(Interrupted):
            renderer.render(scene, stop=after_three)
        assert len(asked) == 4
        assert torch.equal(renderer.render(scene).image, whole)
