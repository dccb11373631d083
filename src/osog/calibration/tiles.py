"""A scene on the frame of one tile of its micrograph, and what was found there on its own frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.fitting import FitError
from osog.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping


def tiled(scene: Scene, side_px: int) -> Scene:
    """Scene of the same crowd on a tile.

    Counts change with the area on which particles may lie; listed particles become as many drawn
    ones.

    Parameters
    ----------
    scene : Scene
    side_px : int
        Longest side of the tile.

    Raises
    ------
    FitError
        If the scene shows no population.
    """
    if not any(population.visible for population in scene.populations):
        raise FitError("The sample holds no particles that are shown; add a population first.")
    shape = tuple(min(side_px, n) for n in scene.grid.shape)
    small = scene.grid.model_copy(update={"shape": shape})
    populations = []
    for population in scene.populations:
        update: dict[str, object] = {"particles": None}
        count = population.count
        if population.particles is not None:
            count = max(1, len(population.particles))
        if isinstance(count, int):
            share = _area(small, population) / _area(scene.grid, population)
            update["count"] = max(1, round(count * share)) if count else 0
        populations.append(population.model_copy(update=update))
    changed = scene.model_copy(update={"grid": small, "populations": tuple(populations)})
    return Scene.parse(changed.model_dump())


def on_frame_of(scene: Scene, tile: Scene, values: Mapping[str, float | int]) -> Scene:
    """Scene with the numbers that a calibration found on a tile of it.

    Parameters
    ----------
    scene : Scene
        From which `tiled` made the tile's.
    tile : Scene
    values : mapping of dotted name to number
    """
    populations = {population.name: population for population in scene.populations}
    crowd = scene.model_copy(
        update={
            "populations": tuple(
                own.model_copy(update={"particles": None, "count": other.count})
                if own.particles is not None
                else own
                for own, other in zip(scene.populations, tile.populations, strict=True)
            )
        }
    )
    wanted: dict[str, float | int] = {}
    counts = {p.name: p.count for p in tile.populations if isinstance(p.count, int)}
    counts |= {
        name.split(".")[1]: round(value)
        for name, value in values.items()
        if name.startswith("populations.") and name.endswith(".count")
    }
    for name, count in counts.items():
        own = populations[name]
        if f"populations.{name}.count" in values or own.particles is not None:
            share = _area(scene.grid, own) / _area(tile.grid, own)
            wanted[f"populations.{name}.count"] = round(count * share)
    others = {name: value for name, value in values.items() if not name.endswith(".count")}
    parsed = Scene.parse(crowd.model_dump())
    return parsed.updated({**others, **wanted})


def _area(grid: object, population: object) -> float:
    """Area on which the particles of a population may lie, µm²."""
    margin = float(getattr(getattr(population, "placement", None), "margin_um", 0.0) or 0.0)
    height, width = (
        n * grid.pixel_size_um + 2 * margin  # type: ignore[attr-defined]
        for n in grid.shape  # type: ignore[attr-defined]
    )
    return float(height * width)
