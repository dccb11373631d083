"""Shards: some samples in a row, whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from osog.cancellation import raise_if_cancelled
from osog.datasets.formats import FORMATS
from osog.explain import field_error_percent
from osog.io import atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame
    from osog.datasets.recipe import Recipe

RECORDS = "records"
"""Folder of the shards' records: a shard is there once its record is."""


def folders(recipe: Recipe, out: Path) -> dict[str, Path]:
    """Folder of every format: the dataset's own where there is one format only."""
    if len(recipe.formats) == 1:
        return {recipe.formats[0]: out}
    return {name: out / name for name in recipe.formats}


def record_path(out: Path, shard: int) -> Path:
    """File whose presence says that a shard is whole."""
    return out / RECORDS / f"{shard:06d}.json"


def shard_range(recipe: Recipe, count: int, shard: int) -> range:
    """Samples of a shard."""
    first = shard * recipe.shard_size
    return range(first, min(count, first + recipe.shard_size))


def make_shard(
    recipe: Recipe,
    out: Path,
    count: int,
    shard: int,
    said: Callable[[LabelledFrame], None] | None = None,
) -> dict[str, Any]:
    """Render and write one shard; its record comes last.

    Parameters
    ----------
    recipe : Recipe
    out : Path
        The dataset's folder.
    count : int
        Samples of the whole dataset.
    shard : int
    said : callable, optional
        Takes every frame once it is written.

    Returns
    -------
    dict
        The record: samples, files with their sizes and SHA-256, objects by class and state, and the
        largest stated error of the model.
    """
    source = _source(recipe)
    places = folders(recipe, out)
    for folder in places.values():
        folder.mkdir(parents=True, exist_ok=True)
    writers = {name: FORMATS[name].begin(folder, shard) for name, folder in places.items()}
    samples = shard_range(recipe, count, shard)
    objects: Counter[str] = Counter()
    seeds: list[int] = []
    splits: Counter[str] = Counter()
    worst = 0.0
    for index in samples:
        split = recipe.split_of(index)
        raise_if_cancelled()
        for frame in source.pictures(index):
            for writer in writers.values():
                writer.add(frame, split)
            seeds.append(frame.seed)
            splits[split] += 1
            made = frame.frame
            worst = max(worst, field_error_percent(made.scene, made.particles, made.plan))
            names = frame.objects.class_names
            for k, state in zip(frame.objects.class_id, frame.objects.state, strict=True):
                objects[f"{names[k]}: {state}"] += 1
            if said is not None:
                said(frame)
    files = sorted({path for writer in writers.values() for path in writer.close()})
    record = {
        "shard": shard,
        "recipe": recipe.key,
        "samples": [samples.start, samples.stop],
        "seeds": seeds,
        "splits": dict(sorted(splits.items())),
        "objects": dict(sorted(objects.items())),
        "stated_error_percent": round(worst, 3),
        "files": [_file(path, out) for path in files],
    }
    target = record_path(out, shard)
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(target, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return record


def whole(recipe: Recipe, out: Path, count: int, shard: int) -> dict[str, Any] | None:
    """Return the record of a shard that is there as it should be; None where it must be made.

    Every file is read again: a damaged one is found.
    """
    try:
        record = json.loads(record_path(out, shard).read_text(encoding="utf-8"))
        samples = shard_range(recipe, count, shard)
        if record["recipe"] != recipe.key or record["samples"] != [samples.start, samples.stop]:
            return None
        for file in record["files"]:
            if _file(out / file["path"], out) != file:
                return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(record)


def _file(path: Path, out: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while part := opened.read(1 << 20):
            digest.update(part)
    return {
        "path": path.relative_to(out).as_posix(),
        "bytes": path.stat().st_size,
        "sha256": digest.hexdigest(),
    }


@lru_cache(maxsize=2)
def _source(recipe: Recipe) -> Any:
    # One for all shards that a process makes: a renderer is slow to warm up on a GPU.
    return recipe.source()


__all__ = ["RECORDS", "folders", "make_shard", "record_path", "shard_range", "whole"]
