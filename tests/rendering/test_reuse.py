"""The live renderer computes the exit wave again only when it has changed."""

from __future__ import annotations

import pytest
import torch

from osog.cancellation import Cancelled
from osog.exit_wave import scattered_wave
from osog.exit_wave.kernel_deconvolution import slab_correction
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
from osog.scene.parameters import Parameter, continuous, replaced
from osog.waves.plane_waves import ForwardWaves


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


def focused(focus_um: float) -> Scene:
    return replaced(crowd(), {"microscope.focus_um": focus_um})


def test_focus_moves_share_one_exit_wave_while_the_grids_stay():
    renderer = Renderer("cpu")
    frames = [renderer.render(focused(z), accuracy="standard") for z in (1.1, 1.5, 2.0, 2.6)]
    plans = {(f.plan.grid_shape, f.plan.domain_px, f.plan.slab_um) for f in frames}
    wanted = {f.plan.padding_wanted_um for f in frames}
    assert len(wanted) > 1, "the margin that is wished for should have moved"
    assert len({id(f.wave_inputs) for f in frames}) == len(plans)


def test_draft_and_full_image_take_turns_without_new_exit_waves():
    renderer = Renderer("cpu")
    frames = [renderer.render(crowd(), accuracy=a) for a in ("draft", None, "draft", None)]
    assert frames[0].wave_inputs is frames[2].wave_inputs
    assert frames[1].wave_inputs is frames[3].wave_inputs
    assert frames[0].wave_inputs is not frames[1].wave_inputs


def test_a_kept_exit_wave_gives_the_same_bits_as_a_new_one():
    kept = Renderer("cpu")
    kept.render(focused(1.1))
    again = kept.render(focused(2.6)).image
    assert torch.equal(again, Renderer("cpu").render(focused(2.6)).image)


def test_a_moved_particle_is_not_shown_from_a_kept_exit_wave():
    renderer = Renderer("cpu")
    first, second = renderer.render(crowd()), renderer.render(crowd(), seed=1)
    assert first.wave_inputs is not second.wave_inputs
    assert not torch.equal(first.image, second.image)


def test_a_frame_tells_which_scenes_have_the_same_light_behind_the_sample():
    inputs = Renderer("cpu").render(crowd()).wave_inputs
    assert inputs is not None
    assert inputs.same_for(focused(2.0), 0)
    assert inputs.same_for(replaced(crowd(), {"microscope.modality.shear_um": 0.2}), 0)
    assert not inputs.same_for(crowd(), 1)
    for name in ("medium.index", "microscope.wavelength_um", "populations.beads.shape.radius_um"):
        assert not inputs.same_for(replaced(crowd(), {name: 1.2}), 0), name


def test_a_model_tells_which_parameters_reuse_the_light_behind_the_sample():
    model = ForwardModel(crowd())
    for name in ("focus_um", "numerical_aperture", "modality.shear_um", "aberrations.coma_x"):
        assert model.reuses_wave(f"microscope.{name}"), name
    for name in ("medium.index", "particles[3].x_um", "populations.beads.material.index"):
        assert not model.reuses_wave(name), name


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


def moved(value: float, parameter: Parameter) -> float:
    """Return another value within the limits of a parameter."""
    step = 0.02 * (parameter.slider[1] - parameter.slider[0])
    return value + step if value + step < parameter.limits[1] else value - step


CASES = [
    *((kind, "monochromatic", {}) for kind in MODALITIES),
    ("brightfield", "led", {}),
    ("phase_contrast", "halogen", {}),
    ("dic", "white_led", {}),
    ("fluorescence", "led", {}),
    # Where the numerical aperture of the objective moves the light that falls on the sample.
    ("brightfield", "monochromatic", {"condenser_numerical_aperture": 0.9, "condenser_stop": 0.0}),
    ("dic", "monochromatic", {"condenser_numerical_aperture": 0.9, "condenser_stop": 0.0}),
    ("reflection", "monochromatic", {"modality.illumination_numerical_aperture": 0.9}),
]


@pytest.mark.parametrize(("kind", "spectrum", "optics"), CASES)
def test_kept_light_equals_fresh_light_for_every_number(kind, spectrum, optics):
    scene = small(kind, spectrum)
    if optics:
        own = {"source_points": 12, "oblique_numerical_aperture": 0.0, **optics}
        scene = replaced(scene, {f"microscope.{name}": value for name, value in own.items()})
    kept_model, kept_renderer = ForwardModel(scene), Renderer("cpu")
    weights = torch.rand(kept_model.image({}).shape, dtype=torch.float64)
    plain = spectrum == "monochromatic" and not optics
    for parameter in continuous(scene):
        if not (plain or parameter.name.startswith(("microscope.", "medium."))):
            continue  # what a colour or a wide light leaves as it is
        name, value = parameter.name, moved(parameter.value, parameter)

        def results(model: ForwardModel, name: str = name, value: float = value):
            number = torch.tensor(value, dtype=torch.float64, requires_grad=True)
            image = model.image({name: number})
            total = (weights * image).sum() + 0.0 * number  # some numbers act with a camera only
            (slope,) = torch.autograd.grad(total, number)
            return image.detach(), slope

        fresh, slope = results(ForwardModel(scene))
        with torch.no_grad():
            kept_model.image({})
            unfollowed = ForwardModel(scene).image({name: value})
            assert torch.equal(kept_model.image({name: value}), unfollowed), name
            # Directions of light go in bundles where no derivative is taken: another rounding.
            torch.testing.assert_close(unfollowed, fresh, rtol=1e-12, atol=1e-13, msg=name)
            kept_model.image({})
        kept, kept_slope = results(kept_model)
        assert torch.equal(kept, fresh), name
        torch.testing.assert_close(kept_slope, slope, rtol=1e-9, atol=1e-12, msg=name)
        if not kept_model.reuses_wave(name):
            continue  # the image that was seen was made anew, from new light
        kept_renderer.render(scene)
        changed = replaced(scene, {name: value})
        image = kept_renderer.render(changed).image
        assert torch.equal(image, Renderer("cpu").render(changed).image), name


def test_another_lamp_is_not_shown_from_the_light_of_the_last_one():
    renderer = Renderer("cpu")
    renderer.render(small("brightfield", "led"))
    lamp = small("brightfield", "halogen")
    assert torch.equal(renderer.render(lamp).image, Renderer("cpu").render(lamp).image)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("brightfield", {"populations.bead.shape.radius_um": 0.7}),
        ("brightfield", {"populations.bead.particles[0].x_um": 1.4}),
        ("brightfield", {"populations.bead.material.absorption_per_um": 0.2}),
        ("brightfield", {"populations.bead.visible": False}),
        ("brightfield", {"populations.bead.scattering": "slabs"}),
        ("brightfield", {"numerics.partial_coherence": "weak_object"}),
        ("brightfield", {"grid.pixel_size_um": 0.21}),
        ("polarized", {"microscope.modality.circular": True}),
        ("fluorescence", {"populations.bead.material.emission_per_um": 2.0}),
        ("reflection", {"microscope.modality.field": "dark"}),
    ],
)
def test_no_kept_light_is_shown_after_a_change_of_what_is_no_number(kind, changes):
    scene, renderer = small(kind, "monochromatic"), Renderer("cpu")
    before = renderer.render(scene).image
    changed = replaced(scene, changes)
    image = renderer.render(changed).image
    assert torch.equal(image, Renderer("cpu").render(changed).image)
    assert not torch.equal(image, before)


@pytest.mark.parametrize("scattering", ["mie", "slabs"])
@pytest.mark.parametrize("spectrum", ["monochromatic", "led"])
def test_what_light_has_in_common_is_made_once_and_never_shown_for_other_light(
    scattering, spectrum, monkeypatch
):
    made = []
    make = ForwardWaves.of
    monkeypatch.setattr(ForwardWaves, "of", lambda *args: made.append(1) or make(*args))
    scene = small("dic", spectrum)
    beads = scene.populations[0].model_copy(update={"scattering": scattering})
    scene = scene.model_copy(update={"populations": (beads,)})
    lines = 1 if spectrum == "monochromatic" else 2
    model = ForwardModel(scene)
    bead = "particles[0]"
    changes = [
        ({f"{bead}.radius_um": 0.6}, 1),
        ({f"{bead}.radius_um": 0.7, f"{bead}.z_um": 1.5}, 0),
        ({f"{bead}.radius_um": 0.65, "microscope.modality.shear_um": 0.3}, 0),
        ({f"{bead}.radius_um": 0.65, "medium.index": 1.35}, 1),
        ({f"{bead}.radius_um": 0.8, "medium.index": 1.35}, 0),
        ({f"{bead}.radius_um": 0.75}, 1),
        ({f"{bead}.radius_um": 0.8}, 0),
        # The bead of the image before, whose light was taken over, in other light.
        ({f"{bead}.radius_um": 0.8, "microscope.condenser_numerical_aperture": 0.25}, 1),
    ]
    if lines > 1:
        changes.append(({f"{bead}.radius_um": 0.8, "microscope.spectrum.bandwidth_nm": 40.0}, 1))
        changes.append(({f"{bead}.radius_um": 0.7, "microscope.spectrum.bandwidth_nm": 40.0}, 0))
        changes.append(({f"{bead}.radius_um": 0.7, "microscope.spectrum.bandwidth_nm": 50.0}, 1))
    for values, new in changes:
        made.clear()
        with torch.no_grad():
            image = model.image(values)
            assert len(made) == new * lines, values
            assert torch.equal(image, ForwardModel(scene).image(values)), values


def test_what_light_has_in_common_is_not_taken_over_from_or_by_a_derivative(monkeypatch):
    made = []
    make = ForwardWaves.of
    monkeypatch.setattr(ForwardWaves, "of", lambda *args: made.append(1) or make(*args))
    scene = small("dic", "monochromatic")
    model, index = ForwardModel(scene), torch.tensor(1.33, dtype=torch.float64)

    def image(index: torch.Tensor, radius: float, model: ForwardModel) -> torch.Tensor:
        return model.image({"medium.index": index, "particles[0].radius_um": radius})

    with torch.no_grad():
        for radius in (0.6, 0.7, 0.65):
            along, fresh = (
                torch.func.jvp(lambda n: image(n, radius, m), (index,), (torch.ones_like(index),))  # noqa: B023
                for m in (model, ForwardModel(scene))
            )
            assert along[1].abs().max() > 0
            for one, other in zip(along, fresh, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)
            made.clear()
            kept = image(index, radius + 0.01, model)
            assert made, "tensors of a transform that has ended are not handed on"
            plain = image(index, radius + 0.01, ForwardModel(scene))
            torch.testing.assert_close(kept, plain, rtol=1e-12, atol=1e-13)


def test_light_of_an_image_that_was_stopped_is_not_shown_for_the_light_before_it(monkeypatch):
    scene = small("dic", "monochromatic")
    model = ForwardModel(scene)
    stopping = []

    def correction(*args: object) -> torch.Tensor:
        if stopping:
            raise Cancelled
        return slab_correction(*args)

    monkeypatch.setattr(scattered_wave, "slab_correction", correction)
    with torch.no_grad():
        model.image({})
        stopping.append(True)
        with pytest.raises(Cancelled):
            model.image({"microscope.condenser_numerical_aperture": 0.3})
        stopping.clear()
        values = {"particles[0].radius_um": 0.7}
        assert torch.equal(model.image(values), ForwardModel(scene).image(values))
