"""Every particle of a micrograph, found and fitted: for crowds that one fit is no help.

The table of `osog.fit_many` is told as the result of a fit, so that it is shown, applied and saved
like any other; it has no covariance, which would be a table of thousands of rows.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from napari_osog.panels.fit_request import (
    EACH,
    Refusal,
    population_looked_for,
    raise_if_empty,
)
from osog.scene.parameters import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.panels.fit_request import FitRequest
    from osog.fitting import FitResult
    from osog.scene import Particle, Scene
    from osog.tracking import ParticleTable

_TOLD = 3
"""Particles that were given up and are told of one by one."""


def fit_every(
    request: FitRequest,
    start: tuple[Particle, ...] | None,
    stopping: Callable[[], bool],
    tell: Callable[[str], None],
) -> tuple[FitResult, tuple[str, ...]]:
    """Fit the particles of one population.

    Parameters
    ----------
    request : FitRequest
    start : tuple of Particle, optional
        Where to begin; None looks for them.
    stopping : callable
        Whether to end, with what there is.
    tell : callable
        Called with a word on the progress after each step.

    Returns
    -------
    result : FitResult
    notes : tuple of str
        What was decided on the way.

    Raises
    ------
    Refusal
        If there is no population, or no particle.
    Cancelled
        If it is to end before the first step.
    """
    from osog.cancellation import cancellable
    from osog.tracking import fit_many

    raise_if_empty(request)
    chosen = request.scene.populations[population_looked_for(request.scene, request.population)]
    free, held = _fields(request, chosen.name)
    begun = time.monotonic()

    def after_each(done: int, _likely: int, _: str) -> bool:
        tell(f"Fit of all particles, step {done}")
        return stopping()

    good = np.isfinite(request.image)
    counted = good.copy()
    if request.region is not None:
        y0, y1, x0, x1 = request.region
        counted[:] = False
        counted[y0:y1, x0:x1] = good[y0:y1, x0:x1]
    with cancellable(stopping):  # once particles are fitted, a stop keeps what there is
        table = fit_many(
            np.where(good, request.image, 0.0),
            request.scene,
            free,
            population=chosen.name,
            start=start,
            mask=counted,
            linear=request.linear,
            callback=after_each,
            device=request.device,
        )
    if not len(table):
        raise Refusal(
            f"No particle like those of '{chosen.name}' was found; check its size and index, "
            "or fit one by a click first and apply it."
        )
    number = f"{len(table)} particle{'s' if len(table) > 1 else ''}, each with numbers of its own."
    notes = (number, *([f"Held: {', '.join(held)}."] if held else []))
    return _told(request, chosen.name, table, counted, stopping(), time.monotonic() - begun), notes


def _fields(request: FitRequest, population: str) -> tuple[tuple[str, ...] | None, list[str]]:
    """Fields of a particle that are free, all where every one is looked for; and what is held."""
    if request.every:
        return None, []
    own = [name.removeprefix(EACH) for name in request.free if name.startswith(EACH)]
    base, held = f"populations.{population}.", []
    for name in request.free:
        block, _, field = name.removeprefix(base).partition(".")
        if name.startswith(EACH):
            continue
        if name.startswith(base) and (block == "shape" or (block, field) == ("material", "index")):
            own.append(field)  # one for all becomes each its own
        else:
            held.append(name)
    return tuple(dict.fromkeys(own)), held


def _told(
    request: FitRequest,
    population: str,
    table: ParticleTable,
    counted: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    stopped: bool,
    elapsed_s: float,
) -> FitResult:
    """Tell a table as the result of a fit."""
    from osog.fitting import FitResult

    scene = _with(request.scene, population, table.scene.populations[0].particles or ())
    fields = [name.removesuffix("_sigma") for name in table.columns if name.endswith("_sigma")]
    values, sigma = {}, {}
    for k, row in enumerate(table.rows):
        for field in fields:
            values[f"particles[{k}].{field}"] = float(row[field])
            sigma[f"particles[{k}].{field}"] = float(row[f"{field}_sigma"])
    units = {field: describe(scene, f"particles[0].{field}").unit for field in fields}
    residual, model = table.residual, table.model
    assert residual is not None and model is not None
    rest, image = residual[counted], request.image[counted]
    rows, columns = request.image.shape
    warnings = list(table.failures[:_TOLD])
    if len(table.failures) > _TOLD:
        warnings.append(f"{len(table.failures) - _TOLD} more were given up for such reasons.")
    return FitResult(
        values=values,
        sigma=sigma,
        units={name: units[name.partition("].")[2]] for name in values},
        undetermined={},
        names=(),
        covariance=np.empty((0, 0)),
        nuisances={},
        linear={},
        scene=scene,
        model=model,
        residual=residual,
        region=(0, rows, 0, columns),
        history=[],
        warnings=warnings,
        success=all(bool(row["success"]) for row in table.rows),
        converged=all(bool(row["converged"]) for row in table.rows),
        chi2_per_pixel=float(np.median([row["chi2_per_pixel"] for row in table.rows])),
        r_squared=1.0 - float(np.mean(rest**2)) / max(float(np.var(image)), 1e-300),
        rms=float(np.sqrt(np.mean(rest**2))),
        stopped=stopped,
        tests={},
        renders=0,
        elapsed_s=elapsed_s,
    )


def _with(scene: Scene, name: str, particles: tuple[Particle, ...]) -> Scene:
    """Scene whose population of this name has these particles, and others are hidden."""
    alone = {"particles": particles, "count": None, "density_per_mm2": None, "cover": None}
    populations = tuple(
        p.model_copy(update=alone if p.name == name else {"visible": False})
        for p in scene.populations
    )
    return scene.model_copy(update={"populations": populations})


__all__ = ["fit_every"]
