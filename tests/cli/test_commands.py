"""The command as a person or a script meets it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import yaml

import osog
from osog.cli import main
from osog.io import read_micrograph
from osog.scene import Scene

BEAD = {
    "grid": {"shape": [64, 72], "pixel_size_um": 0.1},
    "medium": {"index": 1.33},
    "populations": [
        {
            "name": "bead",
            "shape": {"kind": "sphere", "radius_um": 0.7},
            "material": {"index": 1.39},
            "particles": [{"x_um": 3.6, "y_um": 3.1}],
        }
    ],
    "microscope": {
        "modality": {"kind": "hologram"}, "numerical_aperture": 0.7, "focus_um": 3.0,
    },
    "camera": {"background_electrons": 6000},
}  # fmt: skip


class Answer:
    """Exit code, stdout and stderr of one call."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def osog_command(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object) -> Answer:
        with pytest.raises(SystemExit) as caught:
            main([str(a) for a in arguments])
        printed = capsys.readouterr()
        code = caught.value.code
        assert isinstance(code, int)
        return Answer(code, printed.out, printed.err)

    return run


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return written(tmp_path / "scene.yaml", {})


def written(path: Path, changes: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump({**BEAD, **changes}))
    return path


COMMANDS = (
    "render",
    "fit",
    "detect",
    "presets",
    "materials",
    "instruments",
    "info",
    "schema",
    "bench",
)


def test_help_names_every_command(osog_command: Any) -> None:
    for arguments in ((), ("--help",), ("-h",)):
        answer = osog_command(*arguments)
        assert answer.code == 0
        assert all(name in answer.out for name in COMMANDS)
        assert answer.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(osog_command: Any, name: str) -> None:
    answer = osog_command(name, "--help")
    assert answer.code == 0
    assert "--json" in answer.out


def test_version(osog_command: Any) -> None:
    assert osog_command("--version").out.strip() == f"osog {osog.__version__}"


# render ----------------------------------------------------------------------------------------


def test_render_writes_counts_with_pixel_size_and_optics(
    osog_command: Any, scene: Path, tmp_path: Path
) -> None:
    for name in ("a.tif", "a.ome.tif"):
        answer = osog_command("render", scene, "--out", tmp_path / name, "--seed", 3)
        assert answer.code == 0
        assert answer.err == ""
        assert "64 × 72 pixels of 0.1 µm, uint8" in answer.out
        image = tifffile.imread(tmp_path / name)
        assert image.dtype == np.uint8
        expected = osog.render(Scene.load(scene), "cpu", 3).image.numpy()
        assert np.array_equal(image, expected)
        known = read_micrograph(tmp_path / name)
        assert known.pixel_size_um is not None and known.pixel_size_um.value == 0.1
        assert known.numerical_aperture is not None and known.numerical_aperture.value == 0.7
        assert known.wavelength_um is not None
        assert known.wavelength_um.value == pytest.approx(0.55)
        assert known.immersion_index is not None and known.immersion_index.value == 1.0
        with tifffile.TiffFile(tmp_path / name) as file:
            assert file.ome_metadata is not None
            assert "seed 3" in file.ome_metadata
            assert file.pages.first.tags["XResolution"].value[0] == 100_000


@pytest.mark.parametrize(
    ("changes", "dtype"),
    [
        ({"camera": {"bit_depth": 12, "gain_electrons_per_count": 3}}, np.uint16),
        ({"camera": None}, np.float32),
        ({"microscope": {"modality": {"kind": "phase"}}}, np.float32),
    ],
)
@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_render_keeps_every_value(
    osog_command: Any, tmp_path: Path, changes: dict[str, Any], dtype: Any, suffix: str
) -> None:
    scene = written(tmp_path / "scene.yaml", changes)
    out = tmp_path / f"frame{suffix}"
    assert osog_command("render", scene, "--out", out).code == 0
    image = np.load(out) if suffix == ".npy" else tifffile.imread(out)
    assert image.dtype == dtype
    assert np.array_equal(image, osog.render(Scene.load(scene), "cpu").image.numpy())


def test_render_draws_laws_from_the_seed(osog_command: Any, tmp_path: Path) -> None:
    laws = {
        "grid": {
            "shape": [48, 56],
            "pixel_size_um": {"law": "ratio", "numerator": 6.5, "denominator": [30, 60]},
        },
        "background": {"haze": [0.1, 0.5]},
        "camera": {"target_counts": [80, 120]},
    }
    path = written(tmp_path / "laws.yaml", laws)
    described = Scene.load(path)
    for seed in (3, 4):
        answer = osog_command("render", path, "--out", tmp_path / "a.tif", "--seed", seed, "--json")
        assert answer.code == 0
        one = described.sample(seed)
        assert answer.json["pixel_size_um"] == one.grid.pixel_size_um
        image = tifffile.imread(tmp_path / "a.tif")
        assert np.array_equal(image, osog.render(one, "cpu", seed).image.numpy())
        with tifffile.TiffFile(tmp_path / "a.tif") as file:
            assert f"haze: {one.background.haze}" in (file.ome_metadata or "")
    (tmp_path / "wrong.yaml").write_text("microscope: {numerical_aperture: [0.5, 1.8]}")
    answer = osog_command("render", tmp_path / "wrong.yaml", "--out", tmp_path / "b.tif")
    assert answer.code == 2
    assert "numerical_aperture may be drawn from 0.5 to 1.8, but must lie between" in answer.err


def test_render_png(osog_command: Any, scene: Path, tmp_path: Path) -> None:
    from PIL import Image

    answer = osog_command("render", scene, "--out", tmp_path / "a.png", "--json")
    assert answer.json["contrast"] is None
    expected = osog.render(Scene.load(scene), "cpu").image.numpy()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), expected)

    plain = written(tmp_path / "plain.yaml", {"camera": None})
    answer = osog_command("render", plain, "--out", tmp_path / "b.png", "--json")
    low, high = answer.json["contrast"]
    image = Image.open(tmp_path / "b.png")
    assert image.text["Contrast"].startswith("0 is ")  # type: ignore[attr-defined]
    values = low + (high - low) * np.asarray(image, dtype=np.float64) / 65535
    expected = osog.render(Scene.load(plain), "cpu").image.numpy()
    assert np.abs(values - expected).max() < 2e-5 * (high - low)
    told = osog_command("render", plain, "--out", tmp_path / "b.png")
    assert f"black is {low:.6g}, white is {high:.6g}" in told.out


def test_render_json(osog_command: Any, scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.tif"
    answer = osog_command("render", scene, "--out", out, "--labels", "--seed", 7, "--json")
    assert answer.code == 0
    assert set(answer.json) == {
        "out", "shape", "axes", "dtype", "pixel_size_um", "contrast", "labels", "seed", "particles",
        "device", "milliseconds", "explain", "warnings",
    }  # fmt: skip
    assert answer.json["shape"] == [64, 72]
    assert answer.json["seed"] == 7
    assert answer.json["particles"] == 1
    mask = tifffile.imread(answer.json["labels"]["instances"])
    assert mask.dtype == np.uint16
    assert set(np.unique(mask)) == {0, 1}
    assert mask[31, 36] == 1
    (row,) = csv.DictReader(Path(answer.json["labels"]["boxes"]).open())
    assert row["instance"] == "1"
    assert row["population"] == "bead"
    assert float(row["centre_x_px"]) == pytest.approx(36, abs=0.1)
    assert float(row["centre_y_px"]) == pytest.approx(31, abs=0.1)
    assert float(row["width_px"]) == pytest.approx(14, abs=1.5)
    known = read_micrograph(answer.json["labels"]["instances"]).pixel_size_um
    assert known is not None and known.value == 0.1


MANY = {
    "microscope": {"numerical_aperture": 0.5, "focus_um": [-1, 0, 1],
                   "spectrum": {"kind": "white_led"}},
    "camera": {"background_electrons": 8000, "colour": "rgb"},
    "series": {"frames": 2, "interval_s": 0.5},
    "numerics": {"accuracy": "draft", "wavelengths": 4},
}  # fmt: skip


def test_render_of_a_colour_series_of_stacks(osog_command: Any, tmp_path: Path) -> None:
    described = written(tmp_path / "many.yaml", MANY)
    answer = osog_command("render", described, "--out", tmp_path / "a.tif", "--labels")
    assert answer.code == 0
    assert "2 frames of 3 planes of 64 × 72 pixels of 0.1 µm, RGB, uint8" in answer.out
    assert "4 wavelengths 410–710 nm" in answer.out
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        (series,) = file.series
        assert series.axes == "TZYXS"
        expected = osog.render(Scene.load(described), "cpu").image.numpy()
        np.testing.assert_array_equal(series.asarray(), expected)
        assert 'PhysicalSizeZ="1.0"' in file.ome_metadata
        assert 'TimeIncrement="0.5"' in file.ome_metadata
    with tifffile.TiffFile(tmp_path / "a.instances.tif") as file:
        assert file.series[0].axes == "TYX"
    rows = list(csv.DictReader((tmp_path / "a.boxes.csv").open()))
    assert [(row["frame"], row["instance"]) for row in rows] == [("0", "1"), ("1", "1")]
    found = osog_command("render", described, "--out", tmp_path / "b.npy", "--json").json
    assert found["axes"] == "TZYXC" and found["shape"] == [2, 3, 64, 72, 3]


def test_render_png_of_colours(osog_command: Any, tmp_path: Path) -> None:
    one = {**MANY, "series": {}, "microscope": {"spectrum": {"kind": "halogen"}}}
    answer = osog_command(
        "render", written(tmp_path / "one.yaml", one), "--out", tmp_path / "a.png"
    )
    assert answer.code == 0
    assert "64 × 72 pixels of 0.1 µm, RGB, uint8" in answer.out
    image = iio.imread(tmp_path / "a.png")
    assert image.shape == (64, 72, 3)
    assert np.ptp(image.astype(int), axis=-1).max() > 10, "there are colours"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "can hold one picture only, but the scene gives a time series"),
        ({"series": {}}, "can hold one picture only, but the scene gives a stack"),
        (
            {"series": {}, "microscope": {}, "camera": {"colour": "rgb", "bit_depth": 12}},
            "can hold colours of 8 bits, but camera.bit_depth = 12",
        ),
    ],
)
def test_render_says_what_a_png_cannot_hold(
    osog_command: Any, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    described = written(tmp_path / "many.yaml", {**MANY, **changes})
    answer = osog_command("render", described, "--out", tmp_path / "a.png")
    assert answer.code == 2
    assert words in answer.err
    assert not (tmp_path / "a.png").exists()


def test_render_leaves_debris_out_of_the_boxes(osog_command: Any, tmp_path: Path) -> None:
    debris = {**BEAD["populations"][0], "name": "dirt", "labelled": False}  # type: ignore[index]
    described = written(
        tmp_path / "dirt.yaml",
        {"populations": [debris, *BEAD["populations"]]},  # type: ignore[misc]
    )
    osog_command("render", described, "--out", tmp_path / "a.tif", "--labels")
    rows = list(csv.DictReader((tmp_path / "a.boxes.csv").open()))
    assert [(row["instance"], row["population"]) for row in rows] == [("2", "bead")]


def test_render_takes_presets_and_accuracy(osog_command: Any, tmp_path: Path) -> None:
    lines = {}
    for accuracy in ("draft", "standard"):
        answer = osog_command(
            "render",
            "beads-hologram",
            "--out",
            tmp_path / "a.npy",
            "--accuracy",
            accuracy,
            "--json",
        )
        assert answer.code == 0
        lines[accuracy] = answer.json["explain"]
    assert "preview" in lines["draft"]
    assert "preview" not in lines["standard"]


def test_render_warnings_are_sentences_on_stderr(osog_command: Any, tmp_path: Path) -> None:
    coarse = written(tmp_path / "s.yaml", {"grid": {"shape": [32, 32], "pixel_size_um": 0.4}})
    answer = osog_command("render", coarse, "--out", tmp_path / "a.tif", "--json")
    assert answer.code == 0
    assert "Warning: Pixels of 0.4 µm undersample" in answer.err
    (warning,) = answer.json["warnings"]
    assert "undersample" in warning["text"]
    assert "grid.pixel_size_um" in warning["remedy"]


def test_render_leaves_an_old_file_alone_when_it_fails(
    osog_command: Any, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.npy"
    out.write_bytes(b"old")

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("osog.cli.picture.np.save", full)
    answer = osog_command("render", scene, "--out", out)
    assert answer.code == 2
    assert "No space left on device" in answer.err
    assert out.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npy", "scene.yaml"]


# fit and detect --------------------------------------------------------------------------------


@pytest.fixture
def micrograph(tmp_path: Path, scene: Path) -> Path:
    from osog.io import write_image

    image = osog.render(Scene.load(scene), "cpu", 5).image
    return write_image(tmp_path / "bead.tif", image, pixel_size_um=0.1, dtype="uint8")


FREE = "particles[0].x_um,particles[0].y_um,microscope.focus_um"


def test_fit_finds_the_truth_and_writes_its_files(
    osog_command: Any, scene: Path, micrograph: Path, tmp_path: Path
) -> None:
    start = {"microscope": {**BEAD["microscope"], "focus_um": 3.3}}  # type: ignore[dict-item]
    start = written(tmp_path / "start.yaml", start)
    out = tmp_path / "deep" / "run"
    answer = osog_command(
        "fit", micrograph, start, "--free", FREE, "--out", out, "--start", "scene", "--json"
    )
    assert answer.code == 0
    found = answer.json
    assert found["success"]
    assert "The file agrees: pixel size 0.1 µm from OME-XML." in answer.err
    truth = {"particles[0].x_um": 3.6, "particles[0].y_um": 3.1, "microscope.focus_um": 3.0}
    for name, value in truth.items():
        assert abs(found["values"][name] - value) < 5 * found["sigma"][name]
        assert found["units"][name] == "µm"
    assert sorted(p.name for p in out.iterdir()) == [
        "fit.csv", "fit.json", "model.tif", "report.html", "residual.tif", "scene.yaml",
    ]  # fmt: skip
    stored = json.loads((out / "fit.json").read_text())
    assert stored["values"] == found["values"]
    assert stored["history"]
    fitted = Scene.load(out / "scene.yaml")
    assert fitted.microscope.focus_um == pytest.approx(found["values"]["microscope.focus_um"])
    model, residual = (tifffile.imread(out / f"{n}.tif") for n in ("model", "residual"))
    image = tifffile.imread(micrograph).astype(np.float64)
    assert np.abs(model + residual - image).max() < 1e-4
    assert "particles[0].x_um" in (out / "fit.csv").read_text()
    again = tmp_path / "as" / "deep" / "again.tif"
    assert osog_command("render", out, "--out", again).code == 0, "the folder stands for its scene"
    assert again.exists()


def test_fit_prints_a_table_and_warns_of_other_optics(
    osog_command: Any, micrograph: Path, tmp_path: Path
) -> None:
    other = written(tmp_path / "other.yaml", {"grid": {"shape": [64, 72], "pixel_size_um": 0.104}})
    answer = osog_command(
        "fit", micrograph, other, "--free", "particles[0].x_um", "--out", tmp_path / "run",
        "--start", "scene", "--region", "8,56,8,60", "--max-iterations", 3,
        "--bound", "particles[0].x_um=2,5",
    )  # fmt: skip
    assert answer.code == 0
    assert (
        "Warning: The file says pixel size 0.1 µm from OME-XML; the scene's 0.104 µm" in answer.err
    )
    (line,) = (row for row in answer.out.splitlines() if row.startswith("particles[0].x_um"))
    assert "±" in line
    assert line.rstrip().endswith("µm")
    assert f"Results in {tmp_path / 'run'}" in answer.out
    assert tifffile.imread(tmp_path / "run" / "model.tif").shape == (48, 52)


def test_the_frame_becomes_the_images(osog_command: Any, micrograph: Path, tmp_path: Path) -> None:
    larger = written(tmp_path / "larger.yaml", {"grid": {"shape": [99, 99], "pixel_size_um": 0.1}})
    answer = osog_command("detect", micrograph, larger, "--json")
    assert answer.code == 0
    assert any("becomes the image's, 64 × 72" in note for note in answer.json["notes"])
    (particle,) = answer.json["particles"]
    assert particle["x_um"] == pytest.approx(3.6, abs=0.1)


def test_detect(osog_command: Any, scene: Path, micrograph: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.yaml"
    answer = osog_command("detect", micrograph, scene, "--out", out)
    assert answer.code == 0
    header, row = answer.out.splitlines()[:2]
    assert header.split()[:4] == ["particle", "x_um", "y_um", "z_um"]
    assert float(row.split()[1]) == pytest.approx(3.6, abs=0.1)
    particles = Scene.load(out).populations[0].particles
    assert particles is not None and len(particles) == 1


def test_ctrl_c_stops_a_fit_and_keeps_the_best(
    osog_command: Any,
    scene: Path,
    micrograph: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import signal

    from osog.cli import fitting

    watcher = fitting.watcher

    def interrupting(say: Any, interrupted: Any) -> Any:
        watch = watcher(say, interrupted)

        def step(progress: Any) -> bool:
            signal.raise_signal(signal.SIGINT)
            return watch(progress)

        return step

    monkeypatch.setattr(fitting, "watcher", interrupting)
    before = signal.getsignal(signal.SIGINT)
    answer = osog_command(
        "fit", micrograph, scene, "--free", FREE, "--out", tmp_path / "run", "--json"
    )
    assert answer.code == 130
    assert answer.json["stopped"]
    assert (tmp_path / "run" / "fit.json").exists()
    assert signal.getsignal(signal.SIGINT) is before


# presets, info, schema, bench ------------------------------------------------------------------


def test_materials(osog_command: Any) -> None:
    answer = osog_command("materials")
    assert all(name in answer.out for name in osog.materials.names())
    rows = osog_command(
        "materials", "NaCl", "water 37 °C", "--wavelength-um", "0.405", "--json"
    ).json
    assert [row["name"] for row in rows] == ["sodium chloride", "water 37 °C"]
    for row in rows:
        assert row["index"] == osog.materials.index(row["name"], 0.405) and row["source"]
    assert not osog_command("materials", "pbs", "--wavelength-um", "0.4", "--json").json[0][
        "covered"
    ]
    answer = osog_command("materials", "beer")
    assert answer.code == 2 and "'beer' is not known" in answer.err
    assert "must lie between" in osog_command("materials", "--wavelength-um", "550").err


def test_instruments(osog_command: Any) -> None:
    rows = osog_command("instruments", "--json").json
    assert {row["kind"] for row in rows} == {"objective", "condenser", "light", "camera"}
    assert all(row["source"] for row in rows)
    answer = osog_command("instruments", "cameras")
    assert all(name in answer.out for name in osog.instruments.cameras)
    assert not any(name in answer.out for name in osog.instruments.objectives)
    assert "'lens' is not one of" in osog_command("instruments", "lens").err


def test_presets(osog_command: Any, tmp_path: Path) -> None:
    answer = osog_command("presets")
    assert all(name in answer.out for name in osog.presets.names())
    assert [row["name"] for row in osog_command("presets", "--json").json] == list(
        osog.presets.names()
    )
    path = tmp_path / "scene.yaml"
    path.write_text(osog_command("presets", "needles-dic").out)
    assert Scene.load(path) == osog.presets.load("needles-dic")
    one = osog_command("presets", "needles-dic", "--json").json
    assert Scene.parse(one["scene"]) == osog.presets.load("needles-dic")
    assert one["title"] == osog.presets.title("needles-dic")


def test_schema_accepts_presets_and_says_units(osog_command: Any) -> None:
    answer = osog_command("schema")
    assert answer.json == Scene.model_json_schema()
    short = osog_command("schema", "--json")
    assert short.json == answer.json
    assert len(short.out.splitlines()) == 1


def test_info(osog_command: Any) -> None:
    answer = osog_command("info", "--json").json
    assert answer["versions"]["osog"] == osog.__version__
    assert answer["threads"] >= 1
    assert answer["gpu"]["reason"].endswith(".")
    told = osog_command("info").out
    assert answer["device"] in told
    assert answer["versions"]["torch"] in told


@pytest.mark.parametrize(
    ("cuda", "driver", "reason", "hint"),
    [
        (None, False, "built without GPU support, and no NVIDIA driver was found", "pip install"),
        (None, True, "There is an NVIDIA driver, but torch", "pip install --force-reinstall torch"),
        ("12.8", False, "built for CUDA 12.8, but no NVIDIA driver", "install its driver"),
        ("12.8", True, "cannot start one", "Update the driver"),
    ],
)
def test_why_a_gpu_is_not_used(
    monkeypatch: pytest.MonkeyPatch, cuda: str | None, driver: bool, reason: str, hint: str
) -> None:
    from osog.cli import machine

    monkeypatch.setattr(machine.sys, "platform", "linux")
    monkeypatch.setattr(machine.torch.version, "cuda", cuda)
    monkeypatch.setattr(machine.torch.version, "hip", None)
    monkeypatch.setattr(machine.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine.torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(machine, "nvidia_driver", lambda: driver)
    answer = machine.gpu()
    assert not answer["used"]
    assert reason in answer["reason"]
    assert hint in answer["hint"]


def test_bench(osog_command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from osog.cli.bench import crowds, gradients, modalities, streams

    monkeypatch.setattr(crowds, "FRAME", 64)
    small = [("sphere", 5), ("box", 4)]
    inner = crowds.render_cases
    monkeypatch.setattr(crowds, "render_cases", lambda cases, **k: inner(small, **k))
    answer = osog_command("bench", "render", "--repeats", 1, "--json")
    assert answer.code == 0
    rows = answer.json["render"]
    assert [(row["shape"], row["particles"]) for row in rows] == small
    for row in rows:
        assert row["ratio"] == pytest.approx(row["forward"]["cpu_ms"] / row["bare"]["cpu_ms"])
        assert row["backward"]["wall_ms"] > 0
        assert row["slabs"] > 1
    assert "live" not in answer.json
    monkeypatch.setattr(osog.presets, "names", lambda: ("beads-hologram",))
    monkeypatch.setattr(osog.presets, "load", lambda name: Scene.parse(BEAD))
    told = osog_command("bench", "live", "--repeats", 1)
    assert told.code == 0
    assert "beads-hologram" in told.out
    assert "focus moved ms" in told.out
    counts = osog_command("bench", "ops", "--json").json["ops"]
    assert all(0 < row["waits"] < row["operations"] and row["gigabytes"] > 0 for row in counts)
    assert [row["frame"] for row in counts][:2] == [
        "1,000 × sphere, forward", "1,000 × sphere, forward and backward",
    ]  # fmt: skip
    monkeypatch.setattr(gradients, "SIDE", 48)
    monkeypatch.setattr(gradients, "PARTICLES", 2)
    rows = osog_command("bench", "grad", "--repeats", 1, "--json").json["grad"]
    assert [row["shape"] for row in rows] == list(gradients.SHAPES)
    for row in rows:
        assert row["ratio"] == pytest.approx(row["backward"]["cpu_ms"] / row["forward"]["cpu_ms"])
    monkeypatch.setattr(modalities, "SIDE", 32)
    monkeypatch.setattr(modalities, "PARTICLES", 1)
    monkeypatch.setattr(modalities, "MODALITIES", ("hologram", "fluorescence"))
    rows = osog_command("bench", "modalities", "--repeats", 1, "--json").json["modalities"]
    assert [(row["modality"], row["particles"]) for row in rows] == [
        ("hologram", 1), ("fluorescence", 1),
    ]  # fmt: skip
    assert all(row["focus_moved"]["wall_ms"] > 0 and row["ratio"] > 1 for row in rows)
    scene = streams.labelled_rods(48)
    monkeypatch.setattr(streams, "labelled_rods", lambda side: scene)
    told = osog_command("bench", "stream", "--repeats", 1, "--json").json["stream"]
    assert [row["each"]["repeats"] for row in told] == [8, 8]
    assert all(row["per_second"] > 0 and row["particles"] > 0 for row in told)


def test_bench_of_growth(
    osog_command: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from osog.cli.bench import growth

    inner = growth.growth_cases
    monkeypatch.setattr(growth, "growth_cases", lambda **k: inner(counts=(3, 12), side=64, **k))
    pytest.importorskip("matplotlib")
    drawn = tmp_path / "growth.png"
    told = osog_command("bench", "growth", "--repeats", 1, "--plot", drawn, "--json")
    rows = told.json["growth"]
    assert [(r["shape"], r["particles"]) for r in rows] == [
        ("sphere", 3), ("sphere", 12), ("thin rod", 3), ("thin rod", 12),
    ]  # fmt: skip
    for first, then in (rows[:2], rows[2:]):
        spent = [r["image"]["cpu_ms"] for r in (first, then)]
        assert first["slope"] is None
        assert then["slope"] == pytest.approx(np.log(spent[1] / spent[0]) / np.log(4))
        assert then["us_a_particle"] == pytest.approx(1000 * spent[1] / 12)
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert osog_command("bench", "ops", "--plot", drawn).code == 2
    refused = osog_command("bench", "growth", "--repeats", 1, "--plot", tmp_path / "a.nothing")
    assert refused.code != 0 and "--plot" in refused.err


def test_bench_of_fits(osog_command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from osog.cli.bench import exam

    easy = exam.Exam(
        0, {"kind": "brightfield"}, "sphere", ((exam.FOCUS, 1.5, 1.9), (exam.R, 0.5, 0.6)),
        pixels=32, aperture=0.6, reach_um=0.2,
    )  # fmt: skip
    monkeypatch.setitem(exam.EXAMS, "brightfield-sphere", easy)
    answer = osog_command(
        "bench", "fit", "--exam", "brightfield-sphere", "--seeds", "3-4", "--json"
    )
    (row,) = answer.json["fit"]
    assert (row["exam"], row["level"], row["fits"]) == ("brightfield-sphere", "blind", 2)
    assert row["at_optimum"] == 2
    assert row["right"] == row["right_from_truth"] == 2 - len(row["missed"])
    assert row["false_success"] == []
    assert set(row["missed"].values()) <= {"bias"}
    assert 0 < row["cpu_s"]["median"] <= row["cpu_s"]["largest"]
    assert 0.8 < row["chi2_per_pixel"][1] < 1.2
    assert set(row["numbers"]) == {exam.X, exam.Y, exam.FOCUS, exam.R}
    for asked, named in ((("--exam", "cube"), "cube"), (("--seeds", "9-3"), "9-3")):
        refused = osog_command("bench", "fit", *asked)
        assert refused.code == 2
        assert named in refused.err


def test_every_exam_can_be_drawn() -> None:
    from osog.cli.bench import exam, fits

    assert list(fits.named_exams(["rod"])) == ["brightfield-rod", "dic-rod"]
    assert next(iter(fits.named_exams(["iscat"], exact=True))) == "iscat-sphere"
    for name in ("polarized-box", "confocal-cylinder"):
        one = exam.problem(exam.EXACT[name], 200)
        assert np.ptp(one.image) > 0
        start = one.errors({n: exam.number(one.start, n) for n in one.truth})
        shares = [abs(e) / one.widths[n] for n, e in start.items()]
        assert 0.05 <= min(shares) <= max(shares) <= 0.1


# What goes wrong -------------------------------------------------------------------------------


def bad_calls() -> list[tuple[str, tuple[str, ...], str, str]]:
    fit = ("fit", "{image}", "{scene}", "--out", "{folder}/run", "--free")
    x = "particles[0].x_um"
    return [
        ("no such command", ("rander",), "usage", "No such command 'rander'"),
        ("no out", ("render", "{scene}"), "usage", "Missing option '--out'"),
        ("bad seed", ("render", "{scene}", "--out", "{folder}/a.tif", "--seed", "-1"), "usage",
         "'--seed'"),
        ("bad accuracy", ("render", "{scene}", "--out", "{folder}/a.tif", "--accuracy", "best"),
         "usage", "'--accuracy'"),
        ("no scene", ("render", "nix.yaml", "--out", "{folder}/a.tif"), "input",
         "'nix.yaml' is neither a file nor a preset; presets are bacteria"),
        ("scene is a folder", ("render", "{folder}/..", "--out", "{folder}/a.tif"), "input",
         "is a folder without a scene.yaml; a scene is a YAML or JSON file"),
        ("out is a folder", ("render", "{scene}", "--out", "{folder}"), "input",
         "is a folder; name a file in it: "),
        ("out is here", ("render", "{scene}", "--out", "."), "input",
         "'.' is a folder; name a file in it: image.tif."),
        ("almost a command", ("rendr",), "usage", "Did you mean 'render'? Try"),
        ("scene is an image", ("render", "{image}", "--out", "{folder}/a.tif"), "scene",
         "is not a"),
        ("invalid scene", ("render", "{bad}", "--out", "{folder}/a.tif"), "scene",
         "microscope: focus_um = 1e+09 must lie between -1000 and 1000 µm."),
        ("unknown suffix", ("render", "{scene}", "--out", "{folder}/a.jpg"), "input",
         "'a.jpg' must end with .tif, .ome.tif, .png or .npy"),
        ("a file in the way", ("render", "{scene}", "--out", "{bad}/a.tif"), "file",
         "cannot be used"),
        ("no device", ("render", "{scene}", "--out", "{folder}/a.tif", "--device", "tpu"),
         "scene", "device = 'tpu' is not available here"),
        ("no preset", ("presets", "nix"), "scene", "'nix' is not a preset; presets are bacteria"),
        ("no image", ("fit", "nix.tif", "{scene}", "--out", "{folder}/run", "--free", x),
         "image", "nix.tif"),
        ("broken image", ("fit", "{broken}", "{scene}", "--out", "{folder}/run", "--free", x),
         "image", "broken.tif"),
        ("colour image", ("fit", "{colour}", "{scene}", "--out", "{folder}/run", "--free", x),
         "image", "colour"),
        ("nan image", ("fit", "{nan}", "{scene}", "--out", "{folder}/run", "--free", x), "fit",
         "not finite"),
        ("unknown name", (*fit, "microscope.fokus_um"), "fit", "fokus_um"),
        ("no name", (*fit, " , "), "input", "--free names no parameter"),
        ("bad bound", (*fit, x, "--bound", "x"), "input", "--bound x must look like"),
        ("bad region", (*fit, x, "--region", "1,2"), "input", "--region 1,2 must be four"),
        ("empty region", (*fit, x, "--region", "5,5,0,9"), "fit", "region"),
        ("bad linear", (*fit, x, "--linear", "cubic"), "fit", "cubic"),
        ("bad channel", (*fit, x, "--channel", "red"), "input", "--channel red must be"),
        ("out is a file", ("fit", "{image}", "{scene}", "--free", x, "--out", "{image}"), "input",
         "is a file; give a folder"),
        ("no population", ("detect", "{image}", "{scene}", "--population", "rods"), "fit",
         "rods"),
        ("bad kind", ("bench", "speed"), "usage", "speed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "kind", "words"), [pytest.param(*c[1:], id=c[0]) for c in bad_calls()]
)
def test_bad_input_gives_one_sentence_and_code_2(
    osog_command: Any, scene: Path, micrograph: Path, tmp_path: Path,
    arguments: tuple[str, ...], kind: str, words: str,
) -> None:  # fmt: skip
    bad = written(tmp_path / "bad.yaml", {"microscope": {"focus_um": 1e9}})
    (tmp_path / "broken.tif").write_bytes(micrograph.read_bytes()[:200])
    np.save(tmp_path / "nan.npy", np.full((64, 72), np.nan))
    tifffile.imwrite(tmp_path / "colour.tif", np.eye(3, dtype=np.uint8)[np.zeros((64, 72), int)])
    places = {
        "{scene}": scene, "{image}": micrograph, "{bad}": bad, "{folder}": tmp_path,
        "{broken}": tmp_path / "broken.tif", "{nan}": tmp_path / "nan.npy",
        "{colour}": tmp_path / "colour.tif",
    }  # fmt: skip
    filled = []
    for argument in arguments:
        for mark, path in places.items():
            argument = argument.replace(mark, str(path))
        filled.append(argument)
    before = sorted(tmp_path.rglob("*"))
    answer = osog_command(*filled)
    assert answer.code == 2
    assert answer.out == ""
    assert len(answer.err.strip().splitlines()) == 1, answer.err
    assert answer.err.startswith("osog: ")
    assert words in answer.err
    told = osog_command(*filled, "--json")
    assert told.code == 2
    error = told.json["error"]
    assert error["kind"] == kind
    assert error["exit_code"] == 2
    assert words in error["message"]
    assert told.err.strip() == f"osog: {error['message']}"
    assert sorted(tmp_path.rglob("*")) == before, "nothing is left behind"


def test_a_fault_of_ours_is_named_without_a_traceback(
    osog_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("osog.cli.machine.machine", broken)
    answer = osog_command("info", "--json")
    assert answer.code == 1
    assert answer.json["error"]["kind"] == "internal"
    assert "ZeroDivisionError" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_the_installed_command_in_a_shell(tmp_path: Path) -> None:
    """Once for real: a process of its own, with pipes, in an ASCII locale."""
    command = [sys.executable, "-c", "from osog.cli import main; main()"]
    environment = {**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": ""}
    good = subprocess.run(
        [*command, "presets", "--json"], capture_output=True, timeout=120, check=False,
        env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout.decode())
    bad = subprocess.run(
        [*command, "render", "nix", "--out", "a.tif"], capture_output=True, timeout=120,
        check=False, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert bad.returncode == 2
    assert bad.stdout == b""
    assert b"Traceback" not in bad.stderr
