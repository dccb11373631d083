"""The live renderer computes the exit wave again only when it has changed."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from osog.rendering import ForwardModel, Renderer
from osog.scene import (
    DIC,
    MODALITIES,
    Grid,
    Material,
    Microscope,
    Population,
    Scene,
    Sphere,
)
from osog.scene.parameters import continuous, replaced

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    module = sys.modules["osog.rendering.pipeline"]
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


def small(modality: str, spectrum: str) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [12, 12], "pixel_size_um": 0.2},
            "medium": {"index": 1.33, "abbe_number": 56.0},
            "populations": [
                {
                    "name": "bead",
                    "shape": {"kind": "sphere", "radius_um": 0.6},
                    "material": {"index": 1.38, "birefringence": 0.01},
                    "scattering": "auto" if modality == "iscat" else "projection",
                    "particles": [{"x_um": 1.1, "y_um": 1.3}],
                }
            ],
            "microscope": {
                "modality": {"kind": modality},
                "numerical_aperture": 0.5,
                "condenser_numerical_aperture": 0.2,
                "condenser_stop": 0.1,
                "oblique_numerical_aperture": 0.1,
                "source_points": 4,
                "spectrum": {"kind": spectrum},
            },
            "numerics": {"accuracy": "draft", "wavelengths": 2, "padding_um": 0.6},
        }
    )


LIGHT = re.compile(
    r"microscope\.(numerical_aperture|condenser_\w+|oblique_\w+|wavelength_um|spectrum\.\w+|"
    r"chromatic\.\w+)|medium\.\w+"
)


def moved(scene: Scene, modality: str) -> Iterator[tuple[str, float]]:
    """Names and new values: the modality's own numbers; in brightfield all those of the light."""
    for parameter in continuous(scene):
        own = parameter.name.startswith("microscope.modality.")
        if own or (modality == "brightfield" and LIGHT.fullmatch(parameter.name)):
            step = 0.02 * (parameter.slider[1] - parameter.slider[0])
            inside = parameter.value + step < parameter.limits[1]
            yield parameter.name, parameter.value + (step if inside else -step)


@pytest.mark.parametrize("modality", MODALITIES)
def test_no_kept_wave_is_shown_where_it_no_longer_holds(modality):
    scene = small(modality, "led" if modality == "brightfield" else "monochromatic")
    renderer, model = Renderer("cpu"), ForwardModel(scene)
    for name, value in moved(scene, modality):
        renderer.render(scene)
        changed = replaced(scene, {name: value})
        fresh = Renderer("cpu").render(changed).image
        assert torch.equal(renderer.render(changed).image, fresh), name
        model.image({})
        alone = ForwardModel(scene)
        assert torch.equal(model.image({name: value}), alone.image({name: value})), name
    if modality == "brightfield":
        renderer.render(scene)
        lamp = small(modality, "halogen")
        assert torch.equal(renderer.render(lamp).image, Renderer("cpu").render(lamp).image)
