"""Commands end well on consoles and pipes that know few letters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
import yaml

import osog
from osog.cli import main
from osog.cli.streams import spelled
from osog.io import write_image
from osog.scene import Scene

ENCODINGS = ("cp1252", "cp932", "ascii")
BEAD = {
    "grid": {"shape": [32, 32], "pixel_size_um": 0.1},
    "medium": {"index": 1.33},
    "populations": [
        {
            "name": "bead",
            "shape": {"kind": "sphere", "radius_um": 0.4},
            "material": {"index": 1.39},
            "particles": [{"x_um": 1.6, "y_um": 1.5}],
        }
    ],
    "microscope": {"modality": {"kind": "hologram"}, "numerical_aperture": 0.7, "focus_um": 1.0},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("streams")
    scene = Scene.parse(BEAD)
    scene.save(path / "σ.yaml")
    write_image(path / "µ±.tif", osog.render(scene, device="cpu").image, pixel_size_um=0.1)
    return path


class _Stream(io.TextIOWrapper):
    """Stdout of a console or pipe with an encoding of its own."""

    def __init__(self, encoding, errors="strict"):
        super().__init__(io.BytesIO(), encoding=encoding, errors=errors)

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


def _run(monkeypatch, encoding, *arguments):
    out, err = _Stream(encoding), _Stream(encoding, "backslashreplace")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    return caught.value.code, out.text(), err.text()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_command_ends_well_in_every_encoding(monkeypatch, folder, tmp_path, encoding):
    image, scene = folder / "µ±.tif", folder / "σ.yaml"
    free = "particles[0].x_um"
    out = tmp_path / "χ²"
    for arguments in (
        ("fit", image, scene, "--free", free, "--out", out, "--max-iterations", 2),
        ("detect", image, scene),
        ("render", scene, "--out", tmp_path / "λ.tif"),
        ("render", scene, "--out", tmp_path / "λ.tif", "--json"),
        ("presets",),
        ("presets", "beads-hologram"),
        ("schema",),
        ("info",),
        ("--help",),
        ("fit", "--help"),
    ):
        code, said, warned = _run(monkeypatch, encoding, *arguments)
        assert code == 0, (arguments, warned)
        assert "\\u" not in warned
        if "--json" in arguments or arguments[0] == "schema":
            json.loads(said.encode(encoding).decode("utf-8"))
    saved = (out / "fit.csv").read_bytes().decode("utf-8")
    assert saved.startswith("name,value,sigma,unit") and "µm" in saved
    yaml.safe_load((out / "scene.yaml").read_bytes().decode("utf-8"))
    json.loads((out / "fit.json").read_bytes().decode("utf-8"))


def test_a_table_of_a_fit_stays_in_columns_and_says_its_letters_in_words(
    monkeypatch, folder, tmp_path
):
    arguments = ("fit", folder / "µ±.tif", folder / "σ.yaml", "--free",
                 "particles[0].x_um,particles[0].radius_um", "--out", tmp_path / "run",
                 "--max-iterations", 3)  # fmt: skip
    _, said, _ = _run(monkeypatch, "ascii", *arguments)
    lines = said.splitlines()
    assert "chi2 per pixel" in said and "R2 " in said and "?" not in said
    places = {line.index("+/-") for line in lines[1:3]}
    assert places == {lines[0].index("sigma")}


def test_errors_name_what_the_console_cannot_write(monkeypatch, tmp_path):
    code, _, warned = _run(monkeypatch, "ascii", "render", "µ-σ.yaml", "--out", tmp_path / "a.tif")
    assert code == 2 and "'u-sigma.yaml' is neither a file nor a preset" in warned


def test_a_program_that_calls_keeps_its_streams_as_they_were(monkeypatch):
    _run(monkeypatch, "cp1252", "presets")
    assert (sys.stdout.errors, sys.stderr.errors) == ("strict", "backslashreplace")


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("χ² ± 3 µm", "utf-8", "χ² ± 3 µm"),
        ("χ² ± 3 µm", None, "χ² ± 3 µm"),
        ("χ² ± 3 µm", "cp1252", "chi² ± 3 µm"),
        ("χ² ± 3 µm", "ascii", "chi2 +/- 3 um"),
        ("µ", "cp932", "u"),
        ("10⁻³ é ü", "ascii", "10-3 e u"),
        ("漢", "ascii", "?"),
        ("\udcff", "utf-8", "?"),
        ("½ …", "ascii", "1/2 ..."),
    ],
)
def test_letters_are_spelled_as_far_as_they_must_be(text, encoding, written):
    assert spelled(text, encoding) == written


@pytest.mark.parametrize("encoding", ["cp1252", "cp932"])
def test_the_installed_command_in_a_pipe(folder, tmp_path, encoding):
    command = [sys.executable, "-c", "from osog.cli import main; main()", "fit"]
    arguments = [folder / "µ±.tif", folder / "σ.yaml", "--free", "particles[0].x_um"]
    done = subprocess.run(
        [*command, *map(str, arguments), "--out", str(tmp_path / "run"), "--max-iterations", "2"],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "χ".encode("cp932") in done.stdout or b"chi" in done.stdout
