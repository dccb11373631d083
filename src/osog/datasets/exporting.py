"""Datasets as files: made shard by shard, gone on with where they stopped."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osog.cancellation import cancellable, raise_if_cancelled
from osog.datasets.errors import DatasetError
from osog.datasets.formats import FORMATS
from osog.datasets.formats.base import DatasetFacts
from osog.datasets.frames import shapes_in
from osog.datasets.recipe import SPLITS, Recipe
from osog.datasets.shards import RECORDS, folders, make_shard, record_path, whole
from osog.exit_wave.compiled import choice
from osog.io import atomic

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from osog.datasets.labelled_frame import LabelledFrame
    from osog.datasets.settings import LabelSettings
    from osog.scene import Scene

RECIPE, MANIFEST = "recipe.json", "manifest.json"
SHARD_SIZE = 100
_SPARE = 1.1
WORTH_COMPILING = 300
"""Pictures from which compiling what draws them, once for a machine, costs less than it saves."""
_POLL_S = 0.1
_LABEL_BYTES = 20_000


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset that was written.

    Attributes
    ----------
    folder : Path
    recipe : Recipe
    count : int
        Samples.
    made, kept : int
        Shards rendered now, and found whole from an earlier run.
    complete : bool
        False where other shards are still to be made elsewhere.
    records : list of dict
        Of the shards that are there.
    """

    folder: Path
    recipe: Recipe
    count: int
    made: int
    kept: int
    complete: bool
    records: list[dict[str, Any]]


def export(
    scene: Scene,
    out: str | os.PathLike[str],
    count: int,
    formats: Sequence[str] = ("yolo-obb",),
    seed: int = 0,
    *,
    labels: LabelSettings | None = None,
    split: Sequence[float] = (0.8, 0.1, 0.1),
    views: int = 1,
    accuracy: str | None = None,
    device: str = "cpu",
    workers: int = 1,
    scheduler: str | None = None,
    shard: tuple[int, int] | None = None,
    shard_size: int = SHARD_SIZE,
    progress: Callable[[int, int], None] | None = None,
    said: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Dataset:
    """Write labelled images of a scene, or go on with a folder that was begun.

    A new dataset of `WORTH_COMPILING` pictures or more begins with compiling the code that draws
    its shapes, where it is not ready, can be compiled and ``OSOG_COMPILED_LOOPS`` is ``auto``.

    An image depends on the scene, the seed and its number alone: a run that was killed ends with
    the same bytes as one that was not, and a longer one begins with the images of a shorter one.

    Parameters
    ----------
    scene : Scene
        Its laws are drawn anew for every image.
    out : path
        Folder; made if needed.
    count : int
        Samples; with several views there are as many images of each.
    formats : sequence of str
        Any of `FORMATS`. One fills the folder itself, several a folder each.
    seed : int
        Of the dataset.
    labels : LabelSettings, optional
    split : sequence of float
        Shares of training, validation and test.
    views : int
        Pictures of each sample; see `FrameSource`.
    accuracy : str, optional
        Overrides the scene's.
    device : str
        ``cpu``, ``cuda``, ``auto`` …
    workers : int
        Processes on this machine; more than one takes the extra ``distributed``.
    scheduler : str, optional
        Address of a dask scheduler whose workers make the shards and see the same folder.
    shard : (int, int), optional
        (k, K): make every K-th shard only, beginning with the k-th, from 0. The run that finds all
        shards there finishes the dataset.
    shard_size : int
        Samples in a shard.
    progress : callable, optional
        Takes the number of samples done and that of all.
    said : callable, optional
        Takes a line about what is done before the first image, where that takes long.
    stop : callable, optional
        Asked now and then; its first True ends the run, and another one goes on from there.

    Returns
    -------
    Dataset

    Raises
    ------
    Cancelled
        When `stop` said so.
    DatasetError
        If a format is unknown, a number impossible, the folder holds something else, cannot be
        written to or has too little room.
    SceneError
        If the scene cannot be rendered.
    """
    if count < 1:
        raise DatasetError(f"count = {count} must be 1 or more.")
    if workers < 1:
        raise DatasetError(f"workers = {workers} must be 1 or more.")
    if not formats:
        raise DatasetError(f"formats must name one or more of {', '.join(FORMATS)}.")
    for name in formats:
        if name not in FORMATS:
            raise DatasetError(f"format = '{name}' is not one of {', '.join(FORMATS)}.")
        FORMATS[name].check()
    if shard is not None and not 0 <= shard[0] < shard[1]:
        raise DatasetError(f"shard = {shard[0]}/{shard[1]} must be k/K with k from 0 to K − 1.")
    recipe = Recipe.of(
        scene, seed=seed, labels=labels, formats=formats, split=split, views=views,
        accuracy=accuracy, device=device, shard_size=shard_size,
    )  # fmt: skip
    recipe.source()  # refuses what cannot be made before anything is written
    folder = Path(out)
    if (folder / RECIPE).exists():
        recipe = _as_begun(recipe, folder)
    elif count * views >= WORTH_COMPILING:
        with cancellable(stop):
            recipe = _compiled(recipe, scene, said)
    _claim(folder, recipe)
    numbers = range(-(-count // recipe.shard_size))
    mine = numbers if shard is None else numbers[shard[0] :: shard[1]]
    found = {k: record for k in mine if (record := whole(recipe, folder, count, k)) is not None}
    missing = [k for k in mine if k not in found]
    _check_room(folder, recipe, scene, _samples(recipe, count, missing))
    done = _samples(recipe, count, found)
    if progress is not None:
        progress(done, _samples(recipe, count, mine))
    (folder / MANIFEST).unlink(missing_ok=True) if missing else None

    def made(frame: LabelledFrame) -> None:
        nonlocal done
        done += frame.view == recipe.views - 1
        if progress is not None:
            progress(done, _samples(recipe, count, mine))

    here = made if scheduler is None and workers == 1 else None
    with cancellable(stop):
        for k, record in _made(recipe, folder, count, missing, workers, scheduler, here):
            found[k] = record
            if here is None:
                done += record["samples"][1] - record["samples"][0]
                if progress is not None:
                    progress(done, _samples(recipe, count, mine))
    if shard is not None:
        others = (k for k in numbers if k not in found)
        found |= {k: r for k in others if (r := whole(recipe, folder, count, k)) is not None}
    records = [found[k] for k in sorted(found)]
    complete = len(found) == len(numbers)
    if complete:
        _finish(recipe, folder, count, scene, records)
    return Dataset(
        folder=folder, recipe=recipe, count=count, made=len(missing),
        kept=len(mine) - len(missing), complete=complete, records=records,
    )  # fmt: skip


def read_manifest(folder: str | os.PathLike[str]) -> tuple[Recipe, dict[str, Any]]:
    """Read how a dataset was made.

    Returns
    -------
    recipe : Recipe
        ``recipe.source().pictures(index)`` makes any of its images again.
    manifest : dict

    Raises
    ------
    DatasetError
        If there is none.
    """
    path = Path(folder) / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DatasetError(f"'{folder}' holds no {MANIFEST}; it is written last.") from None
    except ValueError:
        raise DatasetError(f"'{path}' is damaged; run the dataset again to mend it.") from None
    return Recipe.from_dict(data["recipe"]), data


def _compiled(recipe: Recipe, scene: Scene, said: Callable[[str], None] | None) -> Recipe:
    """Compile what draws the shapes of a scene, where that is left to OSOG and missing."""
    if choice.mode() != "auto" or not choice.available(recipe.device):
        return recipe
    shapes = shapes_in(scene)
    lacking = choice.missing(shapes, device=recipe.device)
    if lacking and said is not None:
        said("Compiling what draws these particles, once for this machine: about half a minute.")
    if lacking:  # in another process: compilers keep a window from answering
        with choice.compiler(lacking, device=recipe.device) as process:
            try:
                while process.poll() is None:
                    raise_if_cancelled()
                    time.sleep(_POLL_S)
            except BaseException:
                process.kill()
                raise
    return replace(recipe, compiled=choice.draws_compiled(shapes, device=recipe.device))


def _samples(recipe: Recipe, count: int, shards: Iterable[int]) -> int:
    size = recipe.shard_size
    return sum(min(count, (k + 1) * size) - k * size for k in shards)


def _as_begun(recipe: Recipe, folder: Path) -> Recipe:
    """Draw as the images that a folder holds were drawn, also where code has become ready since."""
    begun = folder / RECIPE
    try:
        before = Recipe.from_dict(json.loads(begun.read_text(encoding="utf-8")))
    except (ValueError, DatasetError):
        return recipe  # whoever claims the folder says so
    if before.compiled and not choice.available(recipe.device):
        compiler = choice.TARGETS.get(recipe.device, "another device")
        raise DatasetError(
            f"'{folder}' was begun with compiled code, which needs {compiler}; install it, or "
            "choose another folder."
        )
    return replace(recipe, compiled=before.compiled)


def _claim(folder: Path, recipe: Recipe) -> None:
    """Take a folder that is empty, new, or of the same recipe."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        begun = folder / RECIPE
        if begun.exists():
            try:
                before = Recipe.from_dict(json.loads(begun.read_text(encoding="utf-8")))
            except ValueError:
                raise DatasetError(f"'{begun}' is damaged; choose another folder.") from None
            other = recipe.difference(before)
            if other is not None:
                raise DatasetError(
                    f"'{folder}' was begun with another {other.replace('_', ' ')}; choose another "
                    "folder, or ask for the same again."
                )
            return
        if any(folder.iterdir()):
            raise DatasetError(f"'{folder}' holds other files; choose an empty or a new folder.")
        text = json.dumps(recipe.as_dict(), indent=1, sort_keys=True, ensure_ascii=False)
        atomic.write_text(begun, text + "\n")
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        raise DatasetError(f"'{folder}' cannot be written to: {words}.") from None


def _check_room(folder: Path, recipe: Recipe, scene: Scene, samples: int) -> None:
    """Refuse a dataset that the disk has no room for, by its pixels without compression."""
    camera = scene.camera
    channels = 3 if camera is not None and camera.channels == 3 else 1
    depth = 4 if camera is None else 2 if camera.white_counts > 255 else 1
    rows, columns = scene.grid.shape
    each = rows * columns * (channels * depth + 1) + _LABEL_BYTES
    need = samples * recipe.views * len(recipe.formats) * each
    free = shutil.disk_usage(folder).free
    if _SPARE * need > free:
        raise DatasetError(
            f"'{folder}' has room for {free / 1e9:.1f} GB, and {samples} samples may need "
            f"{_SPARE * need / 1e9:.1f} GB; ask for fewer, or choose another disk."
        )


def _made(
    recipe: Recipe,
    folder: Path,
    count: int,
    shards: list[int],
    workers: int,
    scheduler: str | None,
    said: Callable[[LabelledFrame], None] | None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Make shards here or elsewhere; their records as they come."""
    if not shards:
        return
    if scheduler is None and workers == 1:
        for k in shards:
            yield k, make_shard(recipe, folder, count, k, said)
        return
    from osog.datasets.distributed import made_by_workers

    yield from made_by_workers(recipe, folder, count, shards, workers, scheduler)


def _finish(
    recipe: Recipe, folder: Path, count: int, scene: Scene, records: list[dict[str, Any]]
) -> None:
    """Write what needs every shard, and the manifest last."""
    source = recipe.source()
    splits = {name: sum(r["splits"].get(name, 0) for r in records) for name in SPLITS}
    facts = DatasetFacts(
        name=folder.absolute().name,
        class_names=source.class_names,
        splits={name: number for name, number in splits.items() if number},
        shards=len(records),
        pixel_size_um=source.labels.pixel_size_um or scene.grid.pixel_size_um,
    )
    for name, place in folders(recipe, folder).items():
        FORMATS[name].finish(place, facts)
    # All shards are whole, so nobody writes them any more; a worker that was killed had begun to.
    atomic.clear_remains(folder / f["path"] for r in records for f in r["files"])
    atomic.clear_remains(record_path(folder, k) for k in range(len(records)))
    objects: dict[str, int] = {}
    for record in records:
        for name, number in record["objects"].items():
            objects[name] = objects.get(name, 0) + number
    manifest = {
        "recipe": recipe.as_dict(),
        "recipe_sha256": recipe.key,
        "samples": count,
        "images": sum(splits.values()),
        "splits": facts.splits,
        "classes": list(facts.class_names),
        "objects": dict(sorted(objects.items())),
        "stated_error_percent": max(r["stated_error_percent"] for r in records),
        "shards": [{k: r[k] for k in ("shard", "samples", "files")} for r in records],
        "records": RECORDS,
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    atomic.write_text(folder / MANIFEST, text + "\n")
