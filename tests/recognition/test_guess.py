"""Guesses of the modality: renders of the presets, real micrographs, what is refused."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import osog
from osog.cli.app import app
from osog.recognition.field import field_of
from osog.recognition.relief import relief
from osog.rendering import Renderer

if TYPE_CHECKING:
    from pathlib import Path

ALIKE = {
    "confocal": "fluorescence",
    "light_sheet": "fluorescence",
    "shadowgraph": "brightfield",
    "iscat": "hologram",
}
"""Kinds that a picture does not tell from another."""
PRESETS = (
    "bacteria-phase-contrast",
    "beads-confocal",
    "beads-fluorescence",
    "beads-hologram",
    "beads-light-sheet",
    "bubbles-shadowgraph",
    "cell-off-axis",
    "cell-phase",
    "crystals-polarized",
    "droplets-brightfield",
    "needles-dic",
    "particles-iscat",
    "salt-brightfield",
)
"""Cheap ones of every modality; docs/howto/guess-modality.md has the table of all."""


@cache
def render(preset: str) -> np.ndarray:
    """Render a preset as a draft; do not change it."""
    image: np.ndarray = (
        Renderer("cpu").render(osog.presets.load(preset), 1, accuracy="draft").image.numpy()
    )
    return image


@pytest.mark.parametrize("preset", PRESETS)
def test_modality_of_a_preset_is_the_first_guess(preset: str) -> None:
    kind = osog.presets.load(preset).microscope.modality.kind
    first, *others = osog.guess_modality(render(preset))
    assert first.kind == ALIKE.get(kind, kind)
    assert first.share > 0.5
    assert all(first.share >= other.share for other in others)
    assert sum(guess.share for guess in (first, *others)) <= 1.0 + 1e-9
    assert first.reason.endswith(".")


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_shear_turns_with_the_picture(turns: int) -> None:
    """Turned by 90° from +x towards +y, the needles' shear of 45° follows."""
    guess = osog.guess_modality(np.rot90(render("needles-dic"), -turns))[0]
    assert guess.kind == "dic"
    assert guess.azimuth_deg is not None
    wrong = (guess.azimuth_deg - 45 - 90 * turns + 180) % 360 - 180
    assert abs(wrong) < 15


def test_relief_of_a_slope_is_that_of_its_direction() -> None:
    """A closed form: the slope of Gaussian bumps along 30°."""
    y, x = np.mgrid[:256, :256].astype(float)
    rng = np.random.default_rng(0)
    turn = np.deg2rad(30.0)
    picture = np.zeros((256, 256))
    for cy, cx in rng.uniform(0, 256, (60, 2)):
        bump = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * 5.0**2))
        picture -= ((x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)) * bump / 25
    found = relief(picture)
    assert found.azimuth_deg == pytest.approx(30.0, abs=12.0)
    assert found.strength > 0.15
    assert relief(-picture).azimuth_deg == pytest.approx(210.0, abs=12.0)
    even = sum(
        np.cos(np.hypot(y - cy, x - cx) / 3) * np.exp(-np.hypot(y - cy, x - cx) / 9)
        for cy, cx in rng.uniform(0, 256, (60, 2))
    )
    assert relief(np.asarray(even)).strength < 0.03


def test_brightfield_is_told_in_focus_from_out_of_it() -> None:
    assert osog.guess_modality(render("salt-brightfield"))[0].in_focus is True
    assert osog.guess_modality(render("droplets-brightfield"))[0].in_focus is False


REAL = {
    "holopy/image01.jpg": "hologram",
    "pylorenzmie/PS_silica.png": "hologram",
    "trackpy/bf_0000.png": "brightfield",
    "colicoords/ds1_brightfield_00001.tif": "brightfield",
    "colicoords/ds1_fluorescence_00001.tif": "fluorescence",
    "crystals/h_gm_4d0002.png": "brightfield",
    "crystals/FuYmOAws_crop_y1000-2048.png": "brightfield",
    "crystals/t120-r2_crop_x0-1300.png": "dic",
    "qpi/qlsi_paa_bead_phase.tif": "phase",
    "qpi/hologram_cell_phase.tif": "phase",
}


@pytest.mark.parametrize("name", REAL)
def test_modality_of_a_real_micrograph_is_the_first_guess(name: str, micrographs: Path) -> None:
    from osog.cli.comparing import grey_or_colours

    if not (micrographs / name).is_file():
        pytest.skip(f"no {name} among the real micrographs")
    first = osog.guess_modality(grey_or_colours(micrographs / name)[1])[0]
    assert first.kind == REAL[name]
    if first.azimuth_deg is not None:  # their README: +18 ± 6°, the dark side at the upper left
        assert first.azimuth_deg == pytest.approx(198.0, abs=8.0)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((64, 64)), "one value everywhere"),
        (np.zeros((8, 64)), r"shape \(8, 64\)"),
        (np.zeros((3, 64, 64)), r"shape \(3, 64, 64\)"),
        ("picture", "real numbers"),
        (np.eye(40) * 1j, "real numbers"),
        (np.full((64, 64), np.nan), "shows nothing"),
    ],
)
def test_what_shows_nothing_is_refused(image: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        osog.guess_modality(image)


def test_nothing_is_guessed_from_noise() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (48, 64))
    assert osog.guess_modality(noise.astype(np.uint8)) == []


def test_tensors_and_masked_arrays_are_pictures_too() -> None:
    grey = np.random.default_rng(0).normal(100, 1, (48, 48)).astype(np.float32).round()
    grey[:3] = 5000
    hidden = np.ma.masked_array(grey, mask=grey == 5000)
    kept = np.where(hidden.mask, np.nan, grey)
    for given, plain in (
        (torch.tensor(grey, requires_grad=True), grey),
        (torch.tensor(grey).bfloat16(), torch.tensor(grey).bfloat16().float().numpy()),
        (hidden, kept),
    ):
        assert np.array_equal(field_of(given).grey, field_of(plain).grey)


def test_masked_pixels_do_not_matter() -> None:
    picture = render("salt-brightfield").astype(np.float64)
    picture[:40, :40] = np.nan
    assert osog.guess_modality(picture)[0].kind == "brightfield"


def test_command_tells_the_guesses(tmp_path: Path) -> None:
    path = tmp_path / "needles.npy"
    np.save(path, render("needles-dic"))
    answer = CliRunner().invoke(app, ["guess", str(path), "--json"])
    assert answer.exit_code == 0, answer.output
    first = json.loads(answer.stdout)["guesses"][0]
    assert first["kind"] == "dic"
    assert set(first) == {"kind", "title", "share", "reason", "azimuth_deg", "in_focus"}
    plain = CliRunner().invoke(app, ["guess", str(path)])
    assert "DIC" in plain.stdout
