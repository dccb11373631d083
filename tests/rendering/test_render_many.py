"""Frames that are rendered together are those that are rendered one by one, bit for bit."""

from __future__ import annotations

import pytest
import torch

import osog
from osog.scene import Scene, SceneError
from osog.waves import sharing as shared_parts


def scene(modality: dict | None = None, **microscope) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [48, 56], "pixel_size_um": 0.2},
            "populations": [
                {
                    "shape": {"kind": "rod", "length_um": {"law": "uniform", "low": 2, "high": 4}},
                    "material": {"index": 1.4},
                    "count": 6,
                    "placement": {"z_um": [-2, 2]},
                }
            ],
            "microscope": {
                "modality": modality or {"kind": "dic"},
                "numerical_aperture": 0.5,
                "condenser_numerical_aperture": 0.3,
                **microscope,
            },
            "camera": {},
        }
    )


CASES = {
    "dic": scene(),
    "far out of focus": scene(focus_um=14.0),
    "leaking prism": scene({"kind": "dic", "extinction": 0.02}, focus_um=3.0),
    "off-centre light": scene(
        {"kind": "brightfield"}, oblique_numerical_aperture=0.1, focus_um=14.0
    ),
    "phase contrast": scene({"kind": "phase_contrast"}),
    "vectorial": scene({"kind": "brightfield"}, pupil={"vectorial": True}),
    "spectrum": scene(spectrum={"kind": "led"}),
    "stack": scene(focus_um=[-2.0, 0.0, 2.0]),
    "field curvature": scene(field_aberrations={"curvature_um": 4.0}),
    "coherent": scene(condenser_numerical_aperture=0.0),
    "preview": None,
}
CASES["preview"] = scene().updated({"numerics.partial_coherence": "weak_object"})


@pytest.mark.parametrize("name", CASES)
def test_together_or_alone_the_frames_are_the_same(name: str) -> None:
    seeds = (3, 1, 4)
    together = osog.render_many(CASES[name], seeds, "cpu", outputs=("instances", "irradiance"))
    assert [frame.seed for frame in together] == list(seeds)
    for seed, frame in zip(seeds, together, strict=True):
        alone = osog.render(CASES[name], "cpu", seed, outputs=("instances", "irradiance"))
        assert torch.equal(frame.image, alone.image)
        assert torch.equal(frame.irradiance, alone.irradiance)
        assert torch.equal(frame.instances, alone.instances)
        assert len(frame.particles) == len(alone.particles)


def test_scenes_of_other_optics_do_not_share() -> None:
    first, second = CASES["dic"], CASES["dic"].updated({"microscope.focus_um": 1.0})
    third = CASES["phase contrast"]
    scenes = (first, second, third, first)
    for made, seed, each in zip(
        osog.render_many(scenes, (7, 7, 7, 8), "cpu"), (7, 7, 7, 8), scenes, strict=True
    ):
        assert torch.equal(made.image, osog.render(each, "cpu", seed).image)


def test_the_optics_are_made_once_for_all_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"asked": 0, "made": 0}
    original = shared_parts.shared

    def counted(name, make):
        def made():
            counts["made"] += 1
            return make()

        counts["asked"] += 1
        return original(name, made)

    for module in ("osog.optics.abbe", "osog.optics.interference", "osog.exit_wave.scattered_wave"):
        monkeypatch.setattr(f"{module}.shared", counted)
    frames = osog.render_many(CASES["far out of focus"], range(6), "cpu")
    plans = {repr(frame.plan) for frame in frames}
    assert counts["made"] <= counts["asked"] * len(plans) / 6 * 1.2
    assert counts["made"] < counts["asked"]


def test_nothing_is_shared_afterwards() -> None:
    osog.render_many(CASES["dic"], (0, 1), "cpu")
    assert shared_parts._group.get() is None


def test_scenes_and_seeds_come_in_pairs() -> None:
    with pytest.raises(SceneError, match="seeds has 3 numbers for 2 scenes"):
        osog.render_many([CASES["dic"]] * 2, (0, 1, 2))
