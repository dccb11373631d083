"""What the command ``calibrate`` reads, says and draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cli.comparing import both, colours, rendered
from osog.cli.errors import CommandError
from osog.fitting import FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from osog.calibration import CalibrationResult
    from osog.scene import Scene

_POOR = 2.0
"""Misfit from which on the scene lacks something that the micrograph shows."""
_SAME = 0.005
"""Relative difference of pixel sizes that is none."""


def ranges(free: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Numbers and their ranges from ``NAME=LOW:HIGH``.

    Raises
    ------
    CommandError
        For anything else.
    """
    found = {}
    for text in free:
        name, _, bounds = text.rpartition("=")
        low, _, high = bounds.partition(":")
        try:
            found[name.strip()] = float(low), float(high)
        except ValueError:
            name = ""
        if not name.strip():
            raise CommandError(
                f"--free {text}: write NAME=LOW:HIGH, such as microscope.focus_um=-2:2."
            )
    return found


def on_its_pixels(image: Path, scene: Scene) -> tuple[NDArray[np.float64], Scene, str | None]:
    """Micrograph, the scene with its pixel size, and a sentence where that was not the scene's."""
    picture, pixel_size_um, words = colours(image, scene)
    if abs(pixel_size_um / scene.grid.pixel_size_um - 1) > _SAME:
        words = f"pixel size {pixel_size_um:g} µm, that of {image.name}"
        scene = scene.updated({"grid.pixel_size_um": pixel_size_um})
    return picture, scene, words


def watcher(
    say: Callable[[str], None], interrupted: Callable[[], bool]
) -> Callable[[int, int, str], bool]:
    """Callback that shows how far it is, and stops when interrupted."""

    def told(done: int, total: int, word: str) -> bool:
        say(f"{word}: picture {done} of {total}")
        return interrupted()

    return told


def found(
    picture: NDArray[np.float64],
    scene: Scene,
    free: dict[str, tuple[float, float]],
    callback: Callable[[int, int, str], bool],
    **options: Any,
) -> CalibrationResult:
    """Calibrate, with errors as sentences."""
    from osog.calibration import calibrate

    try:
        return calibrate(picture, scene, free, callback=callback, **options)
    except FitError as error:
        raise CommandError(str(error)) from None


def told(found: CalibrationResult) -> list[str]:
    """Sentences about a result."""
    seconds = f"{found.renders} pictures, {found.seconds:.0f} s of processor time."
    if found.stopped:
        return [f"Stopped early: these are the numbers of the pilot, without σ. {seconds}"]
    lines = [f"Misfit {found.misfit:.2f} (1: as its own tiles differ). {seconds}"]
    for name in ("spectrum", "histogram"):
        if name in found.distances:
            before, after = found.start_distances[name], found.distances[name]
            own = found.own_distances[name]
            lines.append(
                f"Distance of the {name}: {before:.2f} → {after:.2f}; own tiles {own:.2f}."
            )
    lines += [
        f"{one} and {other} act alike (correlation {c:.2f}): state the one that you know."
        for one, other, c in found.tied
    ]
    if found.misfit > _POOR:
        lines.append("The scene lacks something that the micrograph shows: look at the sheet.")
    return lines


def save_sheet_of(
    path: Path, name: str, picture: NDArray[np.float64], found: CalibrationResult, device: str
) -> None:
    """Micrograph and a render of the scene found, side by side, with their statistics."""
    from osog.cli.console import shorter
    from osog.cli.sheet import save_sheet

    scene = found.scene
    frames = rendered(scene, 2, device)
    real, mine, _, _ = both(picture, scene.grid.pixel_size_um, frames, scene, None, 1.5)
    lines = [f"{n}  {shorter(v)} ± {shorter(found.sigma[n])}" for n, v in found.values.items()]
    save_sheet(
        path, (picture, frames[0]), (real, mine), (name, "calibrated"), [*lines, *told(found)]
    )
