"""What the command ``track`` reads, shows and writes."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cli.console import note, shorter, table
from osog.io import atomic, write_image
from osog.scene.parameters import replaced
from osog.tracking import diffusion
from osog.tracking import track as follow
from osog.tracking.series import frames_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from osog.scene import Scene
    from osog.tracking import ParticleTable

# Rows that are shown; particles.csv has all.
_SHOWN = 40


def on_grid_of_series(images: str, scene: Scene) -> Scene:
    """Give the scene the rows and columns of the first frame, and one frame."""
    shape = np.shape(next(iter(frames_of(images))))
    if tuple(shape) != scene.grid.shape:
        old, new = (" × ".join(map(str, n)) for n in (scene.grid.shape, shape))
        note(f"The scene's frame of {old} becomes the image's, {new}.")
        scene = replaced(scene, {"grid.shape": tuple(shape)})
    return scene if scene.series.frames == 1 else replaced(scene, {"series.frames": 1})


def watcher(
    say: Callable[[str], None], interrupted: Callable[[], bool]
) -> Callable[[int, int, str], bool]:
    """Make the callback: it says where the search is, and stops it when wished."""

    def watch(made: int, _total: int, word: str) -> bool:
        say(f"{word}: step {made}  (Ctrl-C stops and keeps what there is)")
        return interrupted()

    return watch


def spread(found: ParticleTable, interval_s: float, scene: Scene) -> list[dict[str, Any]]:
    """Diffusion of every particle, then of all together; empty for a single picture."""
    if len(found.scenes) < 2:
        return []
    series = scene.series
    return [
        asdict(one)
        for one in diffusion(
            found, interval_s, temperature_k=series.temperature_k,
            viscosity_mpa_s=series.viscosity_mpa_s,
        )
    ]  # fmt: skip


def write(
    found: ParticleTable, spread: Sequence[dict[str, Any]], folder: Path, pixel_size_um: float
) -> dict[str, str]:
    """Write everything into a folder, and return the paths by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {"scene": folder / "scene.yaml"}
    found.scene.save(paths["scene"])
    for key, image in (("model", found.model), ("residual", found.residual)):
        if image is not None:
            paths[key] = folder / f"{key}.tif"
            write_image(paths[key], image, pixel_size_um=pixel_size_um, dtype="float32")
    if spread:
        paths["diffusion"] = folder / "diffusion.csv"
        text = io.StringIO()
        rows = csv.DictWriter(text, list(spread[0]), lineterminator="\n")
        rows.writeheader()
        rows.writerows(spread)
        atomic.write_text(paths["diffusion"], text.getvalue())
    paths["table"] = folder / "particles.csv"
    found.to_csv(paths["table"])
    return {key: str(path) for key, path in paths.items()}


def told(found: ParticleTable, spread: Sequence[dict[str, Any]]) -> list[Any]:
    """Lay out what was found for people."""
    if not found.rows:
        return ["No particle found."]
    fields = [name.removesuffix("_sigma") for name in found.columns if name.endswith("_sigma")]
    heads: list[str | tuple[str, str]] = [("frame", "right"), ("particle", "right")]
    heads += [(name, "right") for name in fields] + [("χ²/pixel", "right")]
    rows = [
        [row["frame"], row["particle"],
         *(f"{shorter(row[n])} ± {row[f'{n}_sigma']:.1g}" for n in fields),
         shorter(row["chi2_per_pixel"])]
        for row in found.rows[:_SHOWN]
    ]  # fmt: skip
    out: list[Any] = [table(heads, rows)]
    if len(found.rows) > _SHOWN:
        out.append(f"… and {len(found.rows) - _SHOWN} more")
    good = sum(bool(row["success"]) for row in found.rows)
    frames = len(found.scenes)
    out.append(
        f"{len(found)} fits in {frames} frame{'s' if frames > 1 else ''}, {good} of them "
        "explained to the noise"
    )
    if spread:
        all_ = spread[-1]
        out.append(
            f"All together: D {all_['coefficient_um2_per_s']:.4g} "
            f"± {all_['coefficient_sigma']:.2g} µm²/s, hydrodynamic radius "
            f"{all_['radius_um']:.4g} ± {all_['radius_sigma']:.2g} µm"
        )
    return out


__all__ = ["follow", "on_grid_of_series", "spread", "told", "watcher", "write"]
