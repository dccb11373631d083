"""Particles followed through a series of pictures, the last answer being the next start."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from osog.fitting import FitError
from osog.fitting.problem.inputs import checked_image
from osog.fitting.starts.extents import longest_half_extent
from osog.io import read_micrograph
from osog.io.read import image_file
from osog.tracking.frame import Frame
from osog.tracking.many import detect_all
from osog.tracking.patch import owned
from osog.tracking.table import ParticleTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from osog.scene import Particle, Scene

_SUFFIXES = (".tif", ".tiff", ".png", ".npy", ".jpg", ".jpeg", ".bmp")


def track(
    images: Any,
    scene: Scene,
    free: Sequence[str] | None = None,
    *,
    reach_um: float | None = None,
    memory: int = 2,
    population: str | None = None,
    mask: Any = None,
    rounds: int = 0,
    most: int = 1000,
    optics: str = "exact",
    priors: dict[str, Any] | None = None,
    linear: str = "auto",
    callback: Callable[[int, int, str], Any] | None = None,
    device: str = "cpu",
) -> ParticleTable:
    """Fit every particle in every frame of a series, and give each a number that it keeps.

    Each frame is searched by templates. A particle that is found within `reach_um` of where one
    was is that one: its fit begins at the place that was found, with the depth, size and index of
    its last answer. Pairs are chosen so that the sum of the squared distances is least (Crocker &
    Grier 1996); what is not paired begins a trajectory of its own.

    Parameters
    ----------
    images : array_like of shape (T, Y, X), path, or iterable
        Frames in their order: one array, an iterable of frames or of paths, a file with its planes,
        a folder of images, or a pattern such as ``run/*.tif``. Frames are read one by one.
    scene : Scene
        As for `fit_many`.
    free : sequence of str, optional
        As for `fit_many`.
    reach_um : float, optional
        How far a particle may move between two frames, above 0; four of its half lengths when left
        out.
    memory : int
        How many frames a particle may be missing and still be known, at least 0.
    population, mask, rounds, most, optics, priors, linear, device
        As for `fit_many`.
    callback : callable, optional
        Called with the number of a frame's fits, their likely total, and a word that names the
        frame; a true answer stops and keeps what there is.

    Returns
    -------
    ParticleTable
        Rows of all frames; ``to_csv`` writes what trackpy reads and links as it is.

    Raises
    ------
    FitError
        As for `fit_many`; for a series without frames, and where a frame differs in shape.
    """
    if reach_um is not None and not reach_um > 0:
        raise FitError(f"reach_um = {reach_um} must be above 0.")
    if memory < 0:
        raise FitError(f"memory = {memory} must be at least 0.")
    rows: list[dict[str, Any]] = []
    scenes, failures = [], []
    known: dict[int, tuple[int, Particle]] = {}
    last, following = None, 0
    options = {"optics": optics, "priors": priors, "linear": linear, "device": device}
    for number, image in enumerate(frames_of(images)):
        checked = checked_image(image, scene, mask)
        frame = Frame(
            checked, scene, free, population=population, most=most, options=options,
            callback=_naming(callback, number),
        )  # fmt: skip
        found = [owned(p, frame.population)
                 for p in detect_all(checked, scene, population, most, device)]  # fmt: skip
        alive = {k: p for k, (seen, p) in known.items() if number - seen <= memory + 1}
        pairs = _paired(found, alive, frame, reach_um)
        frame.reserve(following)
        begun = [
            (found[i].model_copy(update=_kept(alive[k])), k) for i, k in pairs.items()
        ]  # fmt: skip
        frame.begin([p for p, _ in begun], [k for _, k in begun])
        frame.begin([p for i, p in enumerate(found) if i not in pairs])
        last = frame.finished(rounds, rescue=0, frame=number)
        following = frame.following
        known |= {spot.number: (number, spot.particle) for spot in frame.spots}
        rows += last.rows
        scenes.append(last.scene)
        failures += [f"Frame {number}: {text}" for text in last.failures]
        if frame.stopped:
            break
    if last is None:
        raise FitError("images hold no frame.")
    return ParticleTable(tuple(rows), tuple(scenes), tuple(failures), last.model, last.residual)


def frames_of(images: Any) -> Iterator[Any]:
    """Frames of a series, one by one; see `track`.

    Raises
    ------
    FitError
        For a folder or pattern without images, and an array that is no series.
    """
    if isinstance(images, str | os.PathLike):
        for path in _files(os.fspath(images)):
            yield from (read_micrograph(path, page=page).image for page in range(_pages(path)))
        return
    dimensions = getattr(images, "ndim", None)
    if dimensions is not None and dimensions != 3:
        raise FitError(f"images has {dimensions} dimensions; a series has three, (T, Y, X).")
    for image in images:
        named = isinstance(image, str | os.PathLike)
        yield read_micrograph(image).image if named else image


def _pages(path: Path) -> int:
    """How many frames a file holds."""
    with image_file(path) as file:
        return int(np.prod(file.shape[: len(file.leading)], dtype=object))


def _files(place: str) -> list[Path]:
    if os.path.isdir(place):
        found = sorted(p for p in Path(place).iterdir() if p.suffix.lower() in _SUFFIXES)
    else:
        found = sorted(Path(p) for p in glob.glob(place))
    if not found:
        raise FitError(f"images = '{place}' names no image file; give a folder or a pattern.")
    return found


def _paired(
    found: Sequence[Particle], alive: dict[int, Particle], frame: Frame, reach_um: float | None
) -> dict[int, int]:
    """Place in `found` → number, for those that were known."""
    if not found or not alive:
        return {}
    numbers = list(alive)
    here = np.array([(p.x_um, p.y_um) for p in found])
    there = np.array([(alive[k].x_um, alive[k].y_um) for k in numbers])
    square = ((here[:, None] - there[None]) ** 2).sum(-1)
    shape = frame.population.shape
    reach = np.array(
        [4 * longest_half_extent(shape, alive[k]) if reach_um is None else reach_um
         for k in numbers]
    )  # fmt: skip
    # Beyond reach a pair costs as much as none.
    cost = np.minimum(square, reach**2)
    chosen = zip(*linear_sum_assignment(cost), strict=True)
    return {int(i): numbers[j] for i, j in chosen if square[i, j] < reach[j] ** 2}


def _kept(particle: Particle) -> dict[str, Any]:
    """What a particle keeps from frame to frame: all but its place in the plane."""
    return particle.model_dump(exclude={"x_um", "y_um"}, exclude_none=True)


def _naming(
    callback: Callable[[int, int, str], Any] | None, number: int
) -> Callable[[int, int, str], Any] | None:
    if callback is None:
        return None
    return lambda made, total, word: callback(made, total, f"frame {number}, {word}")
