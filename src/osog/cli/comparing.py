"""What the command ``compare`` reads, renders and measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cli.errors import CommandError
from osog.io import MicrographError, read_micrograph
from osog.statistics import average, measure_tiles, spread

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.datasets import LabelledFrame
    from osog.io import Micrograph
    from osog.scene import Scene
    from osog.statistics import ImageStatistics

_LOWEST_PERIODS = 3.0
"""Periods of the lowest band in a tile, below which the trend of the field is taken away."""


def colours(path: Path, scene: Scene) -> tuple[NDArray[np.float64], float, str | None]:
    """Read a grey or colour picture, its pixel size, and a sentence about that.

    The pixel size is the file's, or the scene's where the file states none.
    """
    first, picture = grey_or_colours(path)
    stated, mine = first.pixel_size_um, scene.grid.pixel_size_um
    if stated is None:
        return np.asarray(picture, np.float64), mine, f"pixel size {mine:g} µm, the scene's"
    return np.asarray(picture, np.float64), stated.value, None


def grey_or_colours(path: Path) -> tuple[Micrograph, NDArray[np.generic]]:
    """Read a picture of one channel, or three of one of several."""
    try:
        first = read_micrograph(path)
        return first, first.image
    except MicrographError as error:
        if "channel" not in str(error):
            raise
    first = read_micrograph(path, channel=0)
    others = [read_micrograph(path, channel=k).image for k in (1, 2)]
    return first, np.stack([first.image, *others], axis=-1)


def rendered(scene: Scene, renders: int, device: str) -> list[NDArray[np.float64]]:
    """Pictures (Y, X) or (Y, X, 3) of a scene, of seeds 0, 1, ….

    Raises
    ------
    CommandError
        For a stack or a time series.
    """
    from osog.cli.picture import axes, picture
    from osog.rendering import Renderer

    if axes(scene).strip("C") != "YX":
        raise CommandError("compare takes scenes of one plane, not stacks or time series.")
    renderer = Renderer(device)
    return [
        np.asarray(picture(renderer.render(scene, seed)), dtype=np.float64)
        for seed in range(renders)
    ]


def both(
    image: NDArray[np.float64],
    pixel_size_um: float,
    frames: list[NDArray[np.float64]],
    scene: Scene,
    relief: float | None,
    line_width_um: float,
) -> tuple[ImageStatistics, ImageStatistics, dict[str, float], tuple[float, float]]:
    """Statistics of the image and of the renders, the image's own spread, and the band used."""
    modality: Any = scene.microscope.modality
    if relief is None and modality.directional:
        relief = float(modality.azimuth_deg)
    size_um = [n * scene.grid.pixel_size_um for n in scene.grid.shape]
    rows, columns = (max(1, round(length / pixel_size_um)) for length in size_um)
    optics = scene.microscope
    cutoff = optics.numerical_aperture + min(optics.condenser_in_use, optics.numerical_aperture)
    band = _LOWEST_PERIODS / min(size_um), cutoff / optics.wavelength_um
    try:
        parts = measure_tiles(image, pixel_size_um, (rows, columns), relief, line_width_um)
        shape = scene.grid.shape
        own = [
            measured
            for frame in frames
            for measured in measure_tiles(
                frame, scene.grid.pixel_size_um, shape, relief, line_width_um
            )
        ]
    except ValueError as error:
        raise CommandError(f"The pictures cannot be measured: {error}") from None
    return average(parts), average(own), spread(parts, band), band


def beside_sheet(
    path: Path,
    frames: list[LabelledFrame],
    scene: Scene,
    image: Path,
    pixel_size_um: float | None,
    line_width_um: float,
) -> tuple[dict[str, Any], str | None]:
    """Write a sheet of frames of a dataset beside a micrograph; its numbers, and a sentence.

    Raises
    ------
    CommandError
        If the pictures cannot be measured.
    """
    from osog.cli.console import shorter
    from osog.cli.sheet import save_sheet
    from osog.datasets.beside import ROWS, beside

    picture, stated, words = colours(image, scene)
    if pixel_size_um is not None:
        stated, words = pixel_size_um, None
    try:
        found = beside(frames, picture, stated, line_width_um)
    except ValueError as error:
        raise CommandError(f"The pictures cannot be measured: {error}") from None
    lines = [f"{'':24}{'image':>10}{'frames':>10}{'10 %':>10}{'90 %':>10}"]
    lines += [
        f"{ROWS[name]:24}" + "".join(f"{shorter(value):>10}" for value in row)
        for name, row in found.rows.items()
    ]
    own = found.labels
    lines += [
        "",
        f"labels: length {shorter(own['length_um'])} µm, aspect {shorter(own['aspect'])},",
        f"        {shorter(own['per_mm2'])} counted per mm²",
    ]
    save_sheet(
        path,
        (picture, np.asarray(frames[0].image)),
        (found.image, found.frames),
        (image.name, f"dataset, frame {frames[0].stem}"),
        lines,
    )
    answer = {"statistics": {n: list(row) for n, row in found.rows.items()}, "labels": own}
    return answer, words
