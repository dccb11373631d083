"""Scenes with laws: read, written, and drawn to the scene of one image."""

from __future__ import annotations

import json
import multiprocessing
from functools import cache
from pathlib import Path
from typing import Any, get_args

import jsonschema
import numpy as np
import pytest
import torch
from scipy import stats

import osog
from osog.scene import (
    MODALITIES,
    ORIENTATIONS,
    PLACEMENTS,
    SHAPES,
    Camera,
    Distribution,
    Lognormal,
    Multiple,
    OneOf,
    Placement,
    Scene,
    SceneError,
    SceneModel,
    Uniform,
)
from osog.scene.laws_in_fields import limits, numbers_of
from osog.scene.spectrum import Halogen, Led, WhiteLed
from osog.scene.surface import Inclusions

RICH: dict[str, Any] = {
    "grid": {
        "shape": [48, 64],
        "pixel_size_um": {
            "law": "ratio",
            "numerator": 6.5,
            "denominator": {"law": "choice", "options": [20, 40, 60]},
        },
    },
    "medium": {"law": "choice", "options": [{"name": "water"}, {"index": 1.4}], "weights": [3, 1]},
    "populations": [
        {
            "name": "rods",
            "count": {"law": "poisson", "mean": 12},
            "shape": {
                "kind": "rod",
                "length_um": {"law": "multiple", "of": "grid.pixel_size_um", "factor": [10, 30]},
                "radius_um": {"law": "multiple", "of": "length_um", "factor": [0.1, 0.3]},
            },
            "material": {
                "index": {"law": "normal", "mean": 1.45, "std": 0.01, "per": "image"},
                "absorption_per_um": [0, 0.1],
            },
            "placement": {"z_um": [-3, 3], "margin_um": [0, 2]},
        },
        {
            "law": "choice",
            "options": [
                {"name": "beads", "count": 3, "shape": {"kind": "sphere", "radius_um": [0.2, 0.5]}},
                {"name": "boxes", "density_per_mm2": 1e4, "shape": {"kind": "box"}},
            ],
        },
        {
            "name": "one",
            "shape": {"kind": "ellipsoid", "semi_axes_um": [[0.5, 1], 0.4, [0.2, 0.3]]},
            "particles": [{"x_um": [0, 4], "y_um": 2, "orientation_deg": [[0, 90], 0, 0]}],
        },
    ],
    "microscope": {
        "modality": {
            "law": "choice",
            "options": [
                {"kind": "dic", "shear_um": {"law": "lognormal", "median": 0.3, "sigma": 0.2}},
                {
                    "kind": "phase_contrast",
                    "polarity": {"law": "choice", "options": ["positive", "negative"]},
                },
            ],
        },
        "numerical_aperture": [0.3, 0.6],
        "condenser_numerical_aperture": {
            "law": "multiple", "of": "numerical_aperture", "factor": 0.5,
        },
        "focus_um": {"law": "normal", "mean": 0, "std": 1},
        "aberrations": {"spherical": [-0.1, 0.1], "zernike": {12: [-0.05, 0.05]}},
        "cover_glass": {"law": "choice", "options": [None, {"depth_um": [5, 20]}]},
    },
    "camera": {
        "target_counts": [90, 130],
        "offset_counts": {"law": "choice", "options": [0, 10, 20]},
        "bit_depth": {"law": "choice", "options": [8, 8]},
    },
    "background": {"haze": [0, 0.3], "dust_count": [0, 4]},
}  # fmt: skip


@cache
def rich() -> Scene:
    return Scene.parse(RICH)


# --- reading and writing --------------------------------------------------------------------------


def test_a_field_holds_the_centre_and_the_law_lies_beside_it() -> None:
    scene = rich()
    assert scene.microscope.numerical_aperture == pytest.approx(0.45)
    assert scene.law("microscope.numerical_aperture") == Uniform(low=0.3, high=0.6)
    assert scene.microscope.condenser_numerical_aperture == pytest.approx(0.225)
    assert scene.microscope.modality.kind == "dic"
    assert scene.populations[0].count == 12
    assert scene.populations[1].name == "beads"
    assert scene.microscope.cover_glass is None
    assert scene.law("microscope.wavelength_um") is None
    assert scene.law("populations.rods.shape.length_um").linked  # type: ignore[union-attr]


def test_every_law_is_listed_by_name() -> None:
    found = rich().laws_by_name()
    assert {
        "grid.pixel_size_um",
        "medium",
        "populations.rods.count",
        "populations.rods.shape.radius_um",
        "populations.rods.placement.margin_um",
        "populations.beads",
        "populations.beads.shape.radius_um",
        "populations.one.shape.semi_axes_um[2]",
        "populations.one.particles[0].orientation_deg[0]",
        "microscope.modality",
        "microscope.modality.shear_um",
        "microscope.aberrations.zernike[12]",
        "microscope.cover_glass",
        "camera.bit_depth",
    } <= set(found)
    for name, law in found.items():
        assert rich().law(name) == law


def test_laws_come_back_from_their_file(tmp_path: Path) -> None:
    scene = rich()
    for name in ("scene.yaml", "scene.json"):
        scene.save(tmp_path / name)
        again = Scene.load(tmp_path / name)
        assert again == scene
        assert again.laws_by_name() == scene.laws_by_name()
        assert again.drawn(3) == scene.drawn(3)


def test_a_scene_with_another_law_is_another_scene() -> None:
    one = Scene.parse({"background": {"haze": [0, 0.3]}})
    assert one != Scene.parse({"background": {"haze": 0.15}})
    assert one != Scene.parse({"background": {"haze": [0.1, 0.2]}})
    assert one == Scene.parse({"background": {"haze": Uniform(low=0, high=0.3)}})


def test_the_schema_accepts_laws_and_refuses_other_mappings() -> None:
    schema = Scene.model_json_schema()
    jsonschema.validate(json.loads(json.dumps(RICH)), schema)
    jsonschema.validate(json.loads(rich().to_json()), schema)
    for wrong in ({"law": "gamma"}, {"low": 1}, [1, 2, 3], {"law": "uniform", "low": 0}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"microscope": {"numerical_aperture": wrong}}, schema)


def test_fields_are_changed_beside_laws_and_below_choices() -> None:
    scene = rich()
    changed = scene.updated({"microscope.numerical_aperture": 0.5})
    assert changed.law("microscope.numerical_aperture") is None
    assert changed.microscope.condenser_numerical_aperture == 0.25, "the tie holds"
    assert changed.law("microscope.focus_um") == scene.law("microscope.focus_um")
    changed = scene.updated({"microscope.modality.azimuth_deg": 10.0})
    assert changed.microscope.modality.azimuth_deg == 10
    assert changed.law("microscope.modality.shear_um") is not None
    assert len(changed.law("microscope.modality").options) == 2  # type: ignore[union-attr]
    law = Lognormal(median=0.4, sigma=0.1)
    assert (
        scene.with_law("microscope.modality.shear_um", law).law("microscope.modality.shear_um")
        == law
    )
    copied = scene.microscope.model_copy(update={"numerical_aperture": 0.4})
    assert "numerical_aperture" not in copied.laws and "focus_um" in copied.laws


# --- every number ---------------------------------------------------------------------------------


def blocks() -> list[tuple[str, type[SceneModel]]]:
    found: list[tuple[str, type[SceneModel]]] = [
        (f"microscope.modality:{kind}", model) for kind, model in MODALITIES.items()
    ]
    found += [
        (f"microscope.spectrum:{model.model_fields['kind'].default}", model)
        for model in (Led, Halogen, WhiteLed)
    ]
    found += [(f"populations[0].shape:{kind}", model) for kind, model in SHAPES.models.items()]

    def below(model: type[SceneModel], path: str) -> None:
        found.append((path, model))
        for field, info in model.model_fields.items():
            if get_args(info.annotation) == (Inclusions, ...):
                below(Inclusions, f"{path}.{field}[0]")
                continue
            for part in (info.annotation, *get_args(info.annotation)):
                inner = part if isinstance(part, type) else None
                if inner and issubclass(inner, SceneModel) and inner not in dict(found).values():
                    below(inner, f"{path}.{field}".lstrip("."))

    below(Scene, "")
    found[:] = [(path, model) for path, model in found if not path.startswith("populations")]
    found.remove(("camera", Camera))
    from osog.scene import Population

    below(Population, "populations[0]")
    below(Camera, "camera")
    found[:] = [(path, model) for path, model in found if model is not Placement]
    of_populations = {"placement": PLACEMENTS, "orientation": ORIENTATIONS, "shape": SHAPES}
    found += [
        (f"populations[0].{block}:{kind}", model)
        for block, kinds in of_populations.items()
        for kind, model in kinds.models.items()
    ]
    return found


NUMBERS = [
    (path, model, field, limits(info))
    for path, model in blocks()
    for field, info in model.model_fields.items()
    if limits(info) is not None and numbers_of(model, field).any
]


def content(path: str, field: str, value: Any) -> Any:
    where, _, kind = path.partition(":")
    inner: dict[str, Any] = {field: value}
    if kind:
        inner["law" if where.endswith(("placement", "orientation")) else "kind"] = kind
    for step in reversed([step for step in where.split(".") if step]):
        name, bracket, _ = step.partition("[")
        inner = {name: [inner] if bracket else inner}
    return inner


def test_there_are_numbers_of_every_block() -> None:
    assert len(NUMBERS) > 130
    assert {path.split(":")[0].split(".")[0].split("[")[0] for path, *_ in NUMBERS} >= {
        *("grid", "medium", "microscope", "camera", "background", "series", "numerics"),
        "populations",
    }


@pytest.mark.parametrize(
    ("path", "model", "field", "bounds"), NUMBERS, ids=[f"{p}.{f}" for p, _, f, _ in NUMBERS]
)
def test_every_number_takes_a_law_within_its_range_alone(
    path: str, model: type[SceneModel], field: str, bounds: tuple[float, float]
) -> None:
    low, high = bounds
    kind = numbers_of(model, field)
    default = model.model_fields[field].get_default(call_default_factory=True)
    outside = {"law": "uniform", "low": low, "high": 2 * abs(high) + 10}

    def placed(law: Any) -> Any:
        if kind.single:
            return law
        size = len(default) if isinstance(default, tuple) and default else 4
        return [law, *([1] * (size - 1))]

    with pytest.raises(SceneError) as caught:
        Scene.parse(content(path, field, placed(outside)))
    message = str(caught.value)
    assert "\n" not in message
    assert f"{low:g} and {high:g}" in message, message
    assert field in message
    if not kind.single:
        return
    middle = default if isinstance(default, int | float) else None
    if middle is None:
        middle = min(max(100 if kind.whole or field == "target_counts" else 0.1, low), high)
    inside = {"law": "uniform", "low": middle, "high": middle}
    read = model.model_validate({field: inside})
    held = getattr(read, field)
    if kind.native:
        assert isinstance(held, Distribution)
    else:
        assert held == middle
        assert read.laws[field] == Uniform(low=middle, high=middle)
        assert read.model_dump()[field] == {"law": "uniform", "low": middle, "high": middle}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"microscope": {"numerical_aperture": {"law": "normal", "mean": 0.5, "std": 0.3}}},
            "numerical_aperture may be drawn from -0.7 to 1.7, but must lie between 0.02 and 1.6.",
        ),
        (
            {"microscope": {
                "modality": {"law": "choice", "options": [{"kind": "dic"}, {"kind": "x"}]}}},
            "modality, option 1: modality: 'x' is not one of",
        ),
        (
            {"medium": {"name": {"law": "choice", "options": ["water", "glycerol"]}}},
            "name takes no law; let the choice stand in place of the whole block.",
        ),
        (
            {"camera": {
                "offset_counts": {"law": "uniform", "low": 0, "high": 1, "per": "particle"}}},
            "offset_counts is one for the whole picture",
        ),
        (
            {"microscope": {"condenser_numerical_aperture": {"law": "multiple", "of": "nothing"}}},
            "'nothing' is neither beside it nor a dotted name",
        ),
        (
            {"background": {
                "gradient_x": {"law": "multiple", "of": "gradient_y"},
                "gradient_y": {"law": "multiple", "of": "gradient_x"},
            }},
            "background.gradient_x → background.gradient_y → background.gradient_x",
        ),
        (
            {"populations": [{"placement": {"margin_um": {"law": "multiple", "of": "radius_um"}},
                              "shape": {"kind": "sphere", "radius_um": [1, 2]}}]},
            "give that law 'per: image'",
        ),
        (
            {"microscope": {
                "numerical_aperture": [0.3, 0.5],
                "condenser_numerical_aperture":
                    {"law": "multiple", "of": "numerical_aperture", "factor": 5}}},
            "condenser_numerical_aperture may be drawn from 1.5 to 2.5, but must lie between 0 and",
        ),
    ],
)  # fmt: skip
def test_laws_that_cannot_be_are_refused_in_words(data: Any, words: str) -> None:
    with pytest.raises(SceneError) as caught:
        Scene.parse(data).drawn(0)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# --- drawing --------------------------------------------------------------------------------------


def _sampled(seed: int) -> str:
    return Scene.parse(RICH).sample(seed).to_json()


def test_the_same_seed_gives_the_same_scene_in_every_process() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        elsewhere = pool.map(_sampled, range(4))
    here = [_sampled(seed) for seed in range(4)]
    assert elsewhere == here
    assert len(set(here)) == 4


def test_a_sampled_scene_has_no_laws_and_the_same_image() -> None:
    scene = rich()
    kinds = set()
    for seed in range(4):
        one = scene.sample(seed)
        kinds.add(one.microscope.modality.kind)
        assert one.laws_by_name() == {}
        assert all(p.particles is not None for p in one.populations)
        assert one.sample(99) == one
        assert Scene.parse(one.to_dict()) == one
        if seed == 0:
            assert torch.equal(
                osog.render(scene, seed=seed).image, osog.render(one, seed=seed).image
            )
            assert torch.equal(osog.forward(scene, seed=seed), osog.forward(one, seed=seed))
    assert kinds == {"dic", "phase_contrast"}


def test_one_more_law_reshuffles_no_other() -> None:
    plain = Scene.parse(
        {"background": {"haze": [0, 1]}, "populations": [{"name": "a", "count": 5}]}
    )
    more = plain.updated(
        {"background.vignette": {"law": "uniform", "low": 0, "high": 0.5},
         "microscope.focus_um": {"law": "normal", "mean": 0, "std": 1}}
    )  # fmt: skip
    for seed in range(3):
        one, two = plain.sample(seed), more.sample(seed)
        assert one.background.haze == two.background.haze
        assert one.populations == two.populations
        assert two.microscope.focus_um != 0


def test_drawn_numbers_follow_their_laws() -> None:
    scene = Scene.parse(
        {"background": {"haze": {"law": "weibull", "scale": 0.3, "shape": 1.5}},
         "microscope": {"focus_um": {"law": "normal", "mean": 1, "std": 2}}}
    )  # fmt: skip
    drawn = [scene.drawn(seed) for seed in range(400)]
    haze = [one.background.haze for one in drawn]
    focus = [one.microscope.focus_um for one in drawn]
    assert stats.kstest(haze, stats.weibull_min(1.5, scale=0.3).cdf).pvalue > 0.01
    assert stats.kstest(focus, stats.norm(1, 2).cdf).pvalue > 0.01
    assert abs(np.corrcoef(haze, focus)[0, 1]) < 0.2, "two streams"


def test_linked_numbers_hold_exactly() -> None:
    scene = rich()
    pixels = set()
    for seed in range(8):
        one = scene.drawn(seed)
        optics = one.microscope
        assert optics.condenser_numerical_aperture == 0.5 * optics.numerical_aperture
        pixels.add(one.grid.pixel_size_um)
        listed = one.sample(seed).populations[0].particles or ()
        for particle in listed:
            assert particle.length_um is not None and particle.radius_um is not None
            assert 10 <= particle.length_um / one.grid.pixel_size_um <= 30
            assert 0.1 <= particle.radius_um / particle.length_um <= 0.3
    assert pixels <= {6.5 / 20, 6.5 / 40, 6.5 / 60} and len(pixels) > 1


def test_choices_that_follow_each_other_take_the_same_place() -> None:
    objective = {"law": "choice", "options": [0.3, 0.75, 0.5]}
    scene = Scene.parse(
        {
            "grid": {"pixel_size_um": {"law": "choice", "options": [0.65, 0.16, 0.32],
                                       "follows": "microscope.numerical_aperture"}},
            "microscope": {
                "numerical_aperture": objective,
                "modality": {"law": "choice", "options": [{"kind": "dic"}, {"kind": "hologram"}]},
                "spectrum": {
                    "law": "choice", "options": [{"kind": "led"}, {"kind": "monochromatic"}],
                    "follows": "microscope.modality"},
            },
        }
    )  # fmt: skip
    pairs = {0.3: 0.65, 0.75: 0.16, 0.5: 0.32}
    seen = set()
    for seed in range(12):
        one = scene.drawn(seed)
        assert one.grid.pixel_size_um == pairs[one.microscope.numerical_aperture]
        seen.add((one.microscope.modality.kind, one.microscope.spectrum.kind))
    assert seen == {("dic", "led"), ("hologram", "monochromatic")}


def test_ranks_of_images_are_correlated_as_stated() -> None:
    scene = Scene.parse(
        {"background": {
            "haze": {"law": "lognormal", "median": 0.2, "sigma": 0.5},
            "vignette": {"law": "uniform", "low": 0, "high": 0.5, "follows": "haze",
                         "correlation": -0.8}}}
    )  # fmt: skip
    drawn = [scene.drawn(seed).background for seed in range(400)]
    rank = stats.spearmanr([b.haze for b in drawn], [b.vignette for b in drawn]).statistic
    assert rank == pytest.approx(6 / np.pi * np.arcsin(-0.8 / 2), abs=0.05)
    assert stats.kstest([b.vignette for b in drawn], stats.uniform(0, 0.5).cdf).pvalue > 0.01


def test_numbers_that_do_not_go_together_are_refused_with_their_seed() -> None:
    scene = Scene.parse(
        {"microscope": {"numerical_aperture": [0.9, 1.2], "immersion_index": [1.1, 1.3]}}
    )
    outcomes = set()
    for seed in range(12):
        try:
            outcomes.add(type(scene.drawn(seed)))
        except SceneError as error:
            outcomes.add(SceneError)
            assert f"seed {seed} draws numbers that do not go together: microscope:" in str(error)
    assert outcomes == {Scene, SceneError}


def test_fits_and_panels_see_the_centre() -> None:
    from osog.scene.parameters import continuous, describe

    scene = rich()
    assert describe(scene, "microscope.numerical_aperture").value == pytest.approx(0.45)
    names = {parameter.name for parameter in continuous(scene)}
    assert "background.haze" in names
    assert osog.ForwardModel(scene, dtype=torch.float32).image({}).shape == (48, 64)


def test_a_scene_without_laws_is_itself() -> None:
    scene = osog.presets.load("lysozyme-dic")
    assert scene.drawn(3) is scene


def test_presets_are_options_of_a_choice() -> None:
    names = ["lysozyme-dic", "beads-hologram"]
    options = [{"preset": name} for name in names]
    scene = Scene.parse(
        {
            "populations": {"law": "choice", "options": options},
            "microscope": {"law": "choice", "options": options, "follows": "populations"},
            "medium": {"law": "choice", "options": options, "follows": "populations"},
        }
    )
    presets = [osog.presets.load(name) for name in names]
    assert scene.microscope == presets[0].microscope
    assert Scene.parse(scene.to_dict()) == scene
    seen = set()
    for seed in range(8):
        one = scene.drawn(seed)
        (same,) = [p for p in presets if p.microscope == one.microscope]
        assert one.populations == same.populations and one.medium == same.medium
        seen.add(same.microscope.modality.kind)
    assert len(seen) == 2
    with pytest.raises(SceneError, match="'nothing' is not a preset"):
        Scene.parse({"microscope": {"law": "choice", "options": [{"preset": "nothing"}]}})


def test_metals_follow_light_that_is_drawn() -> None:
    scene = Scene.parse(
        {"populations": [{"material": {"name": "gold"}, "count": 1}],
         "microscope": {"wavelength_um": {"law": "choice", "options": [0.5, 0.65]}}}
    )  # fmt: skip
    indices = {scene.drawn(seed).populations[0].material.index for seed in range(8)}
    assert len(indices) == 2


def test_laws_of_python_are_those_of_the_file() -> None:
    law = Multiple(of="microscope.numerical_aperture", factor=Uniform(low=0.5, high=0.9))
    scene = Scene.parse(
        {"microscope": {"numerical_aperture": OneOf(options=(0.3, 0.5)),
                        "condenser_numerical_aperture": law}}
    )  # fmt: skip
    assert scene.microscope.numerical_aperture == 0.3
    assert scene.law("microscope.condenser_numerical_aperture") == law.tied(0.3, 0.3, 0.5)
    assert Scene.parse(scene.to_dict()) == scene
