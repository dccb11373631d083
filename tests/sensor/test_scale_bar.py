"""The scale bar that is burnt into pictures."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from osog import forward, render
from osog.scene import Scene
from osog.sensor.scale_bar import length_words, nice_length


def scene_of(bar: Any, **camera: Any) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [60, 100], "pixel_size_um": 0.1},
            "populations": [{"name": "p", "count": 3}],
            "camera": camera,
            "scale_bar": bar,
        }
    )


def test_lengths_are_round_and_in_words() -> None:
    assert [nice_length(w) for w in (10.0, 25.1, 499.0, 0.9)] == pytest.approx([2, 5, 50, 0.1])
    assert [length_words(v) for v in (0.2, 5.0, 2000.0)] == ["200 nm", "5 µm", "2 mm"]


@pytest.mark.parametrize("corner", ["lower_right", "lower_left", "upper_right", "upper_left"])
def test_the_bar_has_its_length_and_leaves_the_rest(corner: str) -> None:
    plain = render(scene_of(None), outputs=("instances",))
    for text in (False, True):
        bar = {"corner": corner, "length_um": 4.0, "text": text}
        burnt = render(scene_of(bar), outputs=("instances",))
        changed = burnt.image != plain.image
        rows, columns = torch.nonzero(changed).T
        assert bool((burnt.image[changed] == 255).all())
        assert int(changed.sum(1).max()) == 40
        assert bool((rows < 30).all()) == corner.startswith("upper")
        assert bool((columns < 50).all()) == corner.endswith("left")
        assert torch.equal(burnt.instances, plain.instances)
        assert (len(rows) == 40 * 2) == (not text)
    assert [str(c) for c in burnt.warnings] == [str(c) for c in plain.warnings]


def test_the_bar_is_in_colour_pictures_and_in_smooth_ones() -> None:
    colour = render(scene_of({"colour": "black", "length_um": 3.0}, colour="rgb")).image
    assert int((colour == 0).all(-1).sum(1).max()) == 30
    index = torch.tensor(1.45, requires_grad=True)
    image = forward(
        scene_of({"length_um": 3.0, "text": False}), {"populations.p.material.index": index}
    )
    (slope,) = torch.autograd.grad(image[image == 255].sum(), index)
    assert float(slope) == 0
