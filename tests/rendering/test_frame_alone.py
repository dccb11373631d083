"""Images at the pixels of the frame alone are the cut of those on the whole domain, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from osog import Scene
from osog.exit_wave import plan_sampling
from osog.optics.imaging import frame_suffices, image
from osog.rendering import ForwardModel
from osog.rendering.pipeline import samples_of_spectrum, waves_behind_sample
from osog.sample import Values, sample
from osog.sensor import pixels

COHERENT = {
    "brightfield": {"kind": "brightfield"},
    "hologram": {"kind": "hologram"},
    "dic": {"kind": "dic", "extinction": 0.02},
    "phase": {"kind": "phase"},
    "polarized": {"kind": "polarized"},
    "reflection": {"kind": "reflection"},
    "iscat": {"kind": "iscat"},
}


def scene(modality, pixel_um=0.1, **microscope):
    return Scene.parse(
        {
            "grid": {"shape": [24, 31], "pixel_size_um": pixel_um},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "rod",
                    "shape": {"kind": "rod", "radius_um": 0.3, "length_um": 1.6},
                    "material": {"index": 1.42, "birefringence": 0.01},
                    "particles": [{"x_um": 1.3, "y_um": 1.1, "orientation_deg": [30, 20, 0]}],
                }
            ],
            "microscope": {
                "modality": modality, "wavelength_um": 0.53, "numerical_aperture": 0.8,
                "focus_um": 2.0, **microscope,
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize("pixel_um", [0.1, 0.4])
@pytest.mark.parametrize("kind", COHERENT)
def test_the_frame_alone_is_a_cut_of_the_whole_image(kind, pixel_um):
    described = scene(COHERENT[kind], pixel_um)
    values = Values(described, {}, dtype=torch.float64)
    batch = sample(described, 0, values)
    whole = plan_sampling(described, batch)
    plan = replace(whole, frame_only=True)
    (wave,) = waves_behind_sample(batch, values, whole, samples_of_spectrum(values, whole))
    expected = pixels(image(wave, values).irradiance, whole, integrate=False)
    # Coarse pixels are sampled between themselves, where a phase has to be followed.
    assert frame_suffices(values, whole) == (kind != "phase" or whole.oversampling == 1)
    if frame_suffices(values, whole):
        alone = pixels(image(replace(wave, plan=plan), values).irradiance, plan, integrate=False)
        assert torch.equal(alone, expected)
    assert torch.equal(ForwardModel(described).image({}), expected)


@pytest.mark.parametrize(
    "described",
    [
        scene({"kind": "darkfield"}),
        scene({"kind": "brightfield"}, condenser_numerical_aperture=0.4),
        scene({"kind": "hologram"}, field_aberrations={"distortion_percent": 2.0}),
        scene({"kind": "hologram"}, field_aberrations={"curvature_um": 1.0}),
    ],
    ids=["darkfield", "condenser", "distortion", "curvature"],
)
def test_light_that_is_moved_or_averaged_needs_its_surroundings(described):
    values = Values(described, {}, dtype=torch.float64)
    assert not frame_suffices(values, plan_sampling(described, sample(described, 0, values)))
    assert ForwardModel(described).image({}).shape == (24, 31)


def test_pixel_centres_alone_have_no_means_over_pixels():
    described = scene({"kind": "hologram"})
    plan = replace(plan_sampling(described, sample(described)), frame_only=True)
    with pytest.raises(ValueError, match="pixel centres alone"):
        pixels(torch.ones(24, 31), plan, integrate=True)
