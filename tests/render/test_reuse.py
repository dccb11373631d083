"""The live renderer computes the exit wave again only when it has changed."""

from __future__ import annotations

import sys

import pytest
import torch

from osog.render import Renderer
from osog.scene import DIC, Grid, Material, Microscope, Population, Scene, Sphere
from osog.scene.parameters import replaced


def crowd() -> Scene:
    return Scene(
        grid=Grid(shape=(64, 64), pixel_size_um=0.3),
        populations=(
            Population(
                name="beads", shape=Sphere(radius_um=1.0), material=Material(index=1.37), count=12
            ),
        ),
        microscope=Microscope(modality=DIC(), numerical_aperture=0.45),
    )


@pytest.fixture
def computed(monkeypatch):
    """Exit waves that were computed."""
    waves: list[object] = []
    module = sys.modules["osog.render"]  # `osog.render` is the function of that name
    scattered = module.scattered

    def counted(*arguments):
        waves.append(scattered(*arguments))
        return waves[-1]

    monkeypatch.setattr(module, "scattered", counted)
    return waves


def focused(focus_um: float) -> Scene:
    return replaced(crowd(), {"microscope.focus_um": focus_um})


def test_focus_moves_share_one_exit_wave_while_the_grids_stay(computed):
    renderer = Renderer("cpu")
    frames = [renderer.render(focused(z), accuracy="standard") for z in (1.1, 1.5, 2.0, 2.6)]
    plans = {(f.plan.grid_shape, f.plan.domain_px, f.plan.slab_um) for f in frames}
    wanted = {f.plan.padding_wanted_um for f in frames}
    assert len(wanted) > 1, "the margin that is wished for should have moved"
    assert len(computed) == len(plans)


def test_draft_and_full_image_take_turns_without_new_exit_waves(computed):
    renderer = Renderer("cpu")
    for accuracy in ("draft", None, "draft", None):
        renderer.render(crowd(), accuracy=accuracy)
    assert len(computed) == 2


def test_a_kept_exit_wave_gives_the_same_bits_as_a_new_one():
    kept = Renderer("cpu")
    kept.render(focused(1.1))
    again = kept.render(focused(2.6)).image
    assert torch.equal(again, Renderer("cpu").render(focused(2.6)).image)


def test_a_moved_particle_is_not_shown_from_a_kept_exit_wave(computed):
    renderer = Renderer("cpu")
    first = renderer.render(crowd()).image
    second = renderer.render(crowd(), seed=1).image
    assert len(computed) == 2
    assert not torch.equal(first, second)
