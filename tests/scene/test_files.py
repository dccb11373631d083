"""Scene files: people's YAML is read as they mean it, and saving loses nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import osog
from osog.scene import Scene, SceneError


def load(folder: Path, text: str | bytes, name: str = "scene.yaml") -> Scene:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Scene.load(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1e-3", 1e-3), ("-2E+1", -20.0), ("2e1", 20.0), (".5", 0.5), ("5.", 5.0), ("010", 10.0),
     ("+3", 3.0), ("1.5", 1.5)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(tmp_path: Path, written: str, meant: float) -> None:
    assert load(tmp_path, f"microscope: {{focus_um: {written}}}").microscope.focus_um == meant


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n", "2024-01-01", "1:30"])
def test_words_stay_words(tmp_path: Path, word: str) -> None:
    assert load(tmp_path, f"populations: [{{name: {word}}}]").populations[0].name == word


@pytest.mark.parametrize(
    ("word", "meant"), [("true", True), ("False", False), ("off", False), ("on", True)]
)
def test_switches(tmp_path: Path, word: str, meant: bool) -> None:
    camera = load(tmp_path, f"camera: {{noise: {word}}}").camera
    assert camera is not None
    assert camera.noise is meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "scene.yaml is not a readable YAML file near line 1"),
        ("microscope:\n\tfocus_um: 1", "near line 2"),
        ("grid: {shape: [3, 4]}\ngrid: {shape: [5, 6]}", "near line 2: 'grid' occurs twice"),
        ("a: !!python/object:os.system {}", "is not a readable YAML file"),
        ("a: 1\n---\nb: 2", "is not a readable YAML file"),
        ("", "A scene is a mapping"),
        ("microscope: {focus_um: .inf}", "focus_um: must be a finite number, not inf."),
        ("microscope: {focus_um: 1:30}", "focus_um: must be a number, not '1:30'."),
        (b"\xff\xfe\x00\x01", "scene.yaml is not a text file."),
    ],
)
def test_unreadable_file_is_refused_in_words(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(SceneError) as caught:
        load(tmp_path, text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_json_is_read_and_written(tmp_path: Path) -> None:
    scene = osog.presets.load("lysozyme-dic")
    scene.save(tmp_path / "scene.json")
    json.loads((tmp_path / "scene.json").read_text())
    assert Scene.load(tmp_path / "scene.json") == scene


@pytest.mark.parametrize("name", osog.presets.names())
def test_presets_come_back_from_their_file(tmp_path: Path, name: str) -> None:
    scene = osog.presets.load(name)
    scene.save(tmp_path / "scene.yaml")
    assert Scene.load(tmp_path / "scene.yaml") == scene


def test_every_kind_of_field_comes_back(tmp_path: Path) -> None:
    scene = Scene.parse(
        {
            "medium": {"name": "water"},
            "populations": [
                {
                    "name": "on",
                    "shape": {
                        "kind": "polyhedron",
                        "half_spaces": [
                            [1, 0, 0, 1], [-1, 0, 0, 1], [0, 1, 0, 1e-1],
                            [0, -1, 0, 1], [0, 0, 1, 1], [0, 0, -1, 1],
                        ],
                    },
                    "material": {"index": {"law": "uniform", "low": 1.34, "high": 1.4}},
                    "particles": [{"x_um": 1 / 3, "orientation_deg": [1e-5, 2, 3]}],
                },
                {"name": "b", "placement": {"z_um": [-2, 2]}, "density_per_mm2": 1e4},
            ],
            "microscope": {"aberrations": {"spherical": 0.1, "zernike": {5: 0.02, 22: -0.01}}},
            "camera": {"background_photons": 1e4},
            "numerics": {"accuracy": "fine", "padding_um": 3},
        }
    )  # fmt: skip
    for name in ("scene.yaml", "scene.json"):
        scene.save(tmp_path / name)
        assert Scene.load(tmp_path / name) == scene


@given(number=st.floats(-1000, 1000, allow_nan=False))
def test_numbers_come_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, number: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "number.yaml"
    Scene.parse({"microscope": {"focus_um": number}}).save(path)
    assert Scene.load(path).microscope.focus_um == number


def test_saved_yaml_is_read_the_same_by_others() -> None:
    """Plain YAML 1.1 readers, such as PyYAML's own, find the same scene in the file."""
    scene = osog.presets.load("cell-phase")
    assert Scene.parse(yaml.safe_load(scene.to_yaml())) == scene


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scene.yaml"
    Scene().save(path)
    before = path.read_text()

    def broken(*arguments: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        Scene.parse({"medium": {"index": 1.5}}).save(path)
    assert path.read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["scene.yaml"]


def test_schema_describes_every_field() -> None:
    schema = Scene.model_json_schema()
    assert set(schema["properties"]) == set(Scene.model_fields)
    focus = schema["$defs"]["Microscope"]["properties"]["focus_um"]
    assert focus["title"] == "Focus"
    assert focus["unit"] == "µm"
    assert focus["limits"] == [-1000.0, 1000.0]
    json.dumps(schema)


def test_what_is_empty_on_purpose_stays_empty(tmp_path: Path) -> None:
    """Where None is not the default it means something: diffusion from the size, no dispersion."""
    scene = Scene.parse(
        {
            "medium": {"name": "water", "abbe_number": None},
            "populations": [
                {
                    "name": "1e3",  # a word that looks like a number
                    "material": {"name": "silica"},
                    "motion": {"diffusion_um2_per_s": None, "rotational_diffusion_per_s": None},
                    "particles": [{"x_um": 1.0}, {"x_um": 2.0, "radius_um": 0.7}],
                }
            ],
        }
    )
    assert Scene.parse(scene.to_dict()) == scene
    scene.save(tmp_path / "scene.yaml")
    assert Scene.load(tmp_path / "scene.yaml") == scene
    assert "camera" not in scene.to_dict()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("? [a]\n: 1\n", "a key must be a word"),
        ("a: " + "[" * 3000, "not a readable YAML file"),
        ("a: " + "9" * 5000, "not a readable YAML file"),
        ("grid: {shape: [2, 2]}\ncamera: {colour: bayer}\n", "2 × 2 px is too small for a Bayer"),
    ],
)
def test_odd_files_are_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SceneError, match=words):
        Scene.load(path)
