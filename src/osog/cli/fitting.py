"""What the commands ``fit`` and ``detect`` read, show and write."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from math import floor, isfinite, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osog.cli.console import note, shorter, show, table, warn
from osog.cli.errors import CommandError
from osog.io import read_micrograph, write_image
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from osog.fitting import FitProgress, FitResult
    from osog.io import Known, Micrograph
    from osog.scene import Particle, Scene

Note = tuple[bool, str]
"""Whether it is a warning, and a sentence."""


def parsed_bound(text: str) -> tuple[str, tuple[float, float]]:
    """Split ``NAME=LOW,HIGH``."""
    name, _, numbers = text.partition("=")
    try:
        low, high = (float(number) for number in numbers.split(","))
    except ValueError:
        raise CommandError(f"--bound {text} must look like microscope.focus_um=-2,3.") from None
    return name.strip(), (low, high)


def parsed_region(text: str | None) -> tuple[int, int, int, int] | None:
    """Split ``Y0,Y1,X0,X1``; `osog.fit` checks that it lies in the image."""
    if text is None:
        return None
    try:
        y0, y1, x0, x1 = (int(number) for number in text.split(","))
    except ValueError:
        raise CommandError(
            f"--region {text} must be four whole numbers of pixels: Y0,Y1,X0,X1."
        ) from None
    return y0, y1, x0, x1


def parsed_channel(text: str | None) -> int | str | None:
    """Read ``0``, ``1``, … or ``mean``."""
    if text is None or text == "mean":
        return text
    try:
        return int(text)
    except ValueError:
        raise CommandError(f"--channel {text} must be a number from 0, or mean.") from None


def opened(
    path: Path, scene: Scene, channel: str | None, page: int
) -> tuple[Micrograph, list[Note]]:
    """Read an image; what its file says about the optics becomes notes, or warnings."""
    micrograph = read_micrograph(path, channel=parsed_channel(channel), page=page)
    notes: list[Note] = [(True, words) for words in micrograph.doubts.values()]
    optics = scene.microscope
    compared: list[tuple[str, Known | None, float, str]] = [
        ("pixel size", micrograph.pixel_size_um, scene.grid.pixel_size_um, " µm"),
        ("NA", micrograph.numerical_aperture, optics.numerical_aperture, ""),
        ("wavelength", micrograph.wavelength_um, optics.wavelength_um, " µm"),
        ("index of the medium", micrograph.medium_index, scene.medium.index, ""),
        ("immersion index", micrograph.immersion_index, optics.immersion_index, ""),
    ]
    gain, camera = micrograph.gain_electrons_per_count, scene.camera
    if gain is not None and camera is not None:
        compared.append(("gain", gain, camera.gain_electrons_per_count, " e⁻/count"))
    for title, stated, mine, unit in compared:
        if stated is None:
            continue
        said = f"{title} {stated.value:.5g}{unit} {stated.source}"
        if abs(stated.value / mine - 1) > 0.005:
            notes.append((True, f"The file says {said}; the scene's {mine:g}{unit} is used."))
        else:
            notes.append((False, f"The file agrees: {said}."))
    for title, known, unit in (
        ("magnification", micrograph.magnification, ""),
        ("exposure", micrograph.exposure_s, " s"),
    ):
        if known is not None:
            notes.append((False, f"The file says {title} {known.value:.5g}{unit} {known.source}."))
    return micrograph, notes


def on_grid_of(micrograph: Micrograph, scene: Scene, notes: list[Note]) -> Scene:
    """Give the scene the rows and columns of the image."""
    rows, columns = micrograph.image.shape
    if (rows, columns) == scene.grid.shape:
        return scene
    old = " × ".join(str(n) for n in scene.grid.shape)
    notes.append((False, f"The scene's frame of {old} becomes the image's, {rows} × {columns}."))
    return replaced(scene, {"grid.shape": (rows, columns)})


def say_all(notes: list[Note]) -> None:
    """Write notes and warnings on stderr."""
    for serious, text in notes:
        (warn if serious else note)(text)


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish to stop; the second one interrupts as ever."""
    asked = []

    def ask(signum: int, frame: Any) -> None:
        asked.append(signum)
        signal.signal(signal.SIGINT, before)
        note("Stopping; the best so far is kept.")

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # only the main thread hears signals
        yield lambda: False
        return
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def watcher(
    say: Callable[[str], None], interrupted: Callable[[], bool]
) -> Callable[[FitProgress], bool]:
    """Make the callback of a fit: it says where the fit is, and stops it when wished."""
    began = time.monotonic()

    def watch(step: FitProgress) -> bool:
        say(
            f"{step.stage} {step.iteration}  rms {shorter(step.rms)}  "
            f"{time.monotonic() - began:.0f} s  (Ctrl-C stops and keeps the best)"
        )
        return interrupted()

    return watch


def write_fit(result: FitResult, folder: Path, pixel_size_um: float, title: str) -> dict[str, str]:
    """Write everything that a fit found into a folder, and return the paths by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        "fit": folder / "fit.json",
        "table": folder / "fit.csv",
        "scene": folder / "scene.yaml",
        "model": folder / "model.tif",
        "residual": folder / "residual.tif",
        "report": folder / "report.html",
    }
    for key, image in (("model", result.model), ("residual", result.residual)):
        write_image(paths[key], image, pixel_size_um=pixel_size_um, dtype="float32")
    result.scene.save(paths["scene"])
    result.to_csv(paths["table"])
    result.to_html(paths["report"], title)
    result.to_json(paths["fit"])  # last: a fit.json is the sign of a complete folder
    return {key: str(path) for key, path in paths.items()}


def show_fit(result: FitResult, files: dict[str, str]) -> None:
    """Print a fit for people."""
    rows = []
    for name, value in result.values.items():
        sigma = result.sigma[name]
        known = name not in result.undetermined
        spread = f"± {sigma:.2g}" if known and sigma < float("inf") else "not determined"
        rows.append((name, _matched(value, sigma), spread, result.units.get(name, "")))
    show(table(("parameter", ("value", "right"), "σ", "unit"), rows))
    for text in dict.fromkeys(result.undetermined.values()):
        show(text)
    if result.nuisances:
        varied = [
            (name, _matched(value, sigma), f"± {sigma:.2g}")
            for name, (value, sigma) in result.nuisances.items()
        ]
        show("", table(("optics within their tolerance", ("value", "right"), "σ"), varied))
    if result.stopped:
        ending = "Stopped; the best so far"
    elif result.success:
        ending = "The fit is good"
    elif result.converged:
        ending = "Converged, but the model does not explain the image; see the warnings"
    else:
        ending = "The fit is doubtful, see the warnings"
    show(
        "",
        f"{ending}: χ² per pixel {shorter(result.chi2_per_pixel)}, R² {result.r_squared:.4f}, "
        f"rms {shorter(result.rms)}, {result.renders} renders in {result.elapsed_s:.1f} s",
        f"Results in {Path(files['fit']).parent}",
    )


def _matched(value: float, sigma: float) -> str:
    """Write a value to the second digit of its standard deviation."""
    if not isfinite(sigma) or sigma <= 0:
        return f"{value:.6g}"
    digits = max(0, min(9, 1 - floor(log10(sigma))))
    return f"{value:.{digits}f}"


def listing(scene: Scene, population: str | None, found: tuple[Particle, ...]) -> Scene:
    """Replace the particles of one population by those that were found."""
    populations = list(scene.populations)
    which = next(
        k
        for k, p in enumerate(populations)
        if (p.visible if population is None else p.name == population)
    )
    update = {"particles": tuple(found), "count": None, "density_per_mm2": None}
    populations[which] = populations[which].model_copy(update=update)
    return scene.model_copy(update={"populations": tuple(populations)})
