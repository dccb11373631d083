"""Level and noise of pictures, and cameras that repeat them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from osog.recognition.levels import picture_levels
from osog.scene import Camera
from osog.sensor import expose

if TYPE_CHECKING:
    from pathlib import Path


def picture(camera: Camera, shape: tuple[int, int] = (160, 160)) -> np.ndarray:
    """Take a slope, dark bodies and bright ones with a camera; most of it is background."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = 1.0 + 0.05 * x / shape[1]
    for k, depth in enumerate((-0.4, 0.3, -0.2, 0.5)):
        row, column = 30 + 35 * k, 40 + 25 * ((3 * k) % 4)
        light += depth * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 40.0)
    taken: np.ndarray = expose(torch.tensor(light), camera, 3).numpy()
    return taken


@pytest.mark.parametrize("electrons, gain, bits", [(5000, 35.0, 8), (900, 1.2, 10), (60, 0.1, 16)])
def test_a_bright_background_is_taken_again_as_it_was(
    electrons: float, gain: float, bits: int
) -> None:
    camera = Camera(
        background_electrons=electrons, gain_electrons_per_count=gain, offset_counts=0.0,
        read_noise_electrons=0.0, bit_depth=bits, full_well_electrons=1e6,
    )  # fmt: skip
    image = picture(camera)
    levels = picture_levels(image.astype(np.uint8 if bits == 8 else np.uint16))
    assert levels is not None
    assert levels.level == pytest.approx(1.025 * electrons / gain, rel=0.04)
    assert levels.noise == pytest.approx(np.sqrt(electrons) / gain, rel=0.05)
    found = Camera(**levels.camera().values)
    assert image.max() <= found.white_counts and found.offset_counts == 0.0
    again = picture_levels(picture(found))
    assert again is not None
    assert again.level == pytest.approx(levels.level, rel=0.04)
    assert again.noise == pytest.approx(levels.noise, rel=0.1)


def test_shares_of_255_are_grey_levels_and_measured_values_are_not() -> None:
    image = picture(Camera(offset_counts=0.0))
    counted, shares = picture_levels(image), picture_levels((image / 255.0).astype(np.float32))
    assert counted is not None and shares is not None
    assert shares.camera().values == counted.camera().values
    assert picture_levels(image / np.pi) is None and picture_levels(image - 100.0) is None
    assert picture_levels(image[:7]) is None


def test_a_moved_black_level_becomes_the_offset() -> None:
    image = np.round(65400 + 10 * np.random.default_rng(1).standard_normal((96, 96)))
    levels = picture_levels(image.astype(np.uint16))
    assert levels is not None
    camera = Camera(**levels.camera().values)
    assert camera.background_electrons == 1e6, "no pixel collects the 43 million of this noise"
    level = camera.offset_counts + 1e6 / camera.gain_electrons_per_count
    assert level == pytest.approx(65400, abs=5)
    assert 1e3 / camera.gain_electrons_per_count == pytest.approx(10, rel=0.1)


def test_a_stated_gain_counts_and_the_rest_of_the_noise_is_the_amplifiers() -> None:
    taken = Camera(
        background_electrons=2000.0, gain_electrons_per_count=4.0, offset_counts=0.0,
        read_noise_electrons=60.0, bit_depth=12, full_well_electrons=1e5,
    )  # fmt: skip
    levels = picture_levels(picture(taken).astype(np.uint16))
    assert levels is not None
    values = levels.camera(gain_electrons_per_count=4.0).values
    assert values["background_electrons"] == pytest.approx(2050, rel=0.04)
    assert values["read_noise_electrons"] == pytest.approx(60, rel=0.1)


def test_without_noise_none_is_added() -> None:
    levels = picture_levels(np.tile(np.arange(100, 164, dtype=np.uint8), (64, 1)))
    assert levels is not None
    values = levels.camera().values
    assert values["noise"] is False and levels.camera().reason.endswith("no noise")


def test_a_dark_field_tells_its_gain_by_lit_blocks() -> None:
    taken = Camera(
        background_electrons=4000.0, gain_electrons_per_count=0.5, offset_counts=100.0,
        read_noise_electrons=3.0, bit_depth=16, full_well_electrons=1e5,
    )  # fmt: skip
    y, x = np.mgrid[:256, :256]
    light = np.exp(-((y - 128) ** 2 + (x - 128) ** 2) / 8e2)
    image = expose(torch.tensor(light), taken, 1).numpy().astype(np.uint16)
    levels = picture_levels(image)
    assert levels is not None
    camera = Camera(**levels.camera(bright=False).values)
    assert camera.offset_counts == pytest.approx(100, abs=3)
    assert camera.gain_electrons_per_count == pytest.approx(0.5, rel=0.15)
    assert camera.read_noise_electrons == pytest.approx(3.0, rel=0.25)
    assert camera.background_electrons == pytest.approx(4000, rel=0.2)


@pytest.mark.parametrize(
    "name, level, noise",
    [
        ("trackpy/bf_0000.png", 141, 2.0),
        ("pylorenzmie/PS_silica.png", 100, 2.2),
        ("colicoords/ds1_brightfield_00001.tif", 65498, 19),
    ],
)
def test_levels_of_real_micrographs(
    micrographs: Path, name: str, level: float, noise: float
) -> None:
    import imageio.v3 as imageio

    levels = picture_levels(imageio.imread(micrographs / name))
    assert levels is not None
    assert levels.level == pytest.approx(level, rel=0.02)
    assert levels.noise == pytest.approx(noise, rel=0.1)
    Camera(**levels.camera().values)
