"""A fit from the checks of its input to its report."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.fitting import words
from osog.fitting.errors import FitError
from osog.fitting.inputs import checked_image, checked_mask
from osog.fitting.linear import linear_part
from osog.fitting.mismatch import mismatch
from osog.fitting.parameters import FreeParameters, free_parameters, last_word
from osog.fitting.priors import all_priors
from osog.fitting.region import Region, region_of
from osog.fitting.report import FitProgress, FitResult
from osog.fitting.search import Run, Search, Task
from osog.fitting.uncertainty import Uncertainty, uncertainty
from osog.fitting.weights import camera_sigma, unsaturated
from osog.sample import explicit
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from osog.fitting.linear import LinearPart
    from osog.fitting.mismatch import Mismatch
    from osog.scene import Scene

    Array = NDArray[np.float64]

_START = ("auto", "scene", "detect")


def fit(
    image: Any,
    scene: Scene,
    free: Sequence[str],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    mask: Any = None,
    callback: Callable[[FitProgress], Any] | None = None,
    *,
    seed: int = 0,
    start: str = "auto",
    priors: Mapping[str, Any] | None = None,
    optics: str = "uncertain",
    linear: str = "auto",
    region: tuple[int, int, int, int] | None = None,
    max_iterations: int = 40,
    device: str = "cpu",
) -> FitResult:
    """Fit numbers of a scene to a micrograph.

    Levenberg–Marquardt with the gain and the background eliminated in closed form; starts from a
    matched dictionary where one particle is fitted; standard deviations from the spectral
    sandwich, so that they hold under correlated noise.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        Counts when the scene has a camera, irradiance relative to the background without one,
        radians in quantitative phase.
    scene : Scene
        Optics, particles and the start of every free number.
    free : sequence of str
        Dotted names, such as ``microscope.focus_um`` or ``particles[0].radius_um``.
    bounds : mapping of names to (low, high), optional
        Ranges; what the scene allows when left out.
    mask : array_like of bool, shape (Y, X), optional
        True where a pixel counts. Saturated pixels never count.
    callback : callable, optional
        Called with a `FitProgress` after every accepted step; a true answer stops the fit, which
        then keeps its best.
    seed : int
        Draws the particles that the scene does not list.
    start : str
        ``scene`` starts at the scene's own numbers; ``detect`` at the best matches of a dictionary
        over the bounds, for a single particle; ``auto`` at the scene's numbers, and at the
        dictionary also unless they lead to a good fit.
    priors : mapping of names to (value, sd), optional
        Gaussian priors. Free optics numbers have one by default (see `osog.fitting.priors`); None
        removes it. A name that is not free becomes a nuisance within its prior.
    optics : str
        ``uncertain``: NA, astigmatism and spherical aberration vary within the tolerance of the
        nominal values; with them fixed, intervals are far too narrow. ``exact``: as stated.
    linear : str
        ``auto``, ``none``, or ``gain``, ``offset``, ``slopes``, ``quadratic`` joined by ``+``; see
        `osog.fitting.linear.linear_part`. With ``gain`` in quantitative phase the index is held,
        since an unknown grey scale multiplies it.
    region : (y0, y1, x0, x1), optional
        Only these rows and columns are fitted and simulated; coordinates stay those of the frame.
    max_iterations : int
        Most iterations of the search, and again of the polish.
    device : str
        Where the engine computes; differences need its float64.

    Returns
    -------
    FitResult

    Raises
    ------
    FitError
        For an image, name, bound, prior, mask or region that cannot be used.
    """
    clock = time.perf_counter()
    if start not in _START:
        raise FitError(f"start = '{start}' must be one of {', '.join(_START)}.")
    if max_iterations < 1:
        raise FitError(f"max_iterations = {max_iterations} must be at least 1.")
    data = checked_image(image, scene, mask)
    try:
        listed = explicit(scene, seed)
    except SceneError as error:
        raise FitError(str(error)) from None
    area = region_of(region, listed)
    free = (free,) if isinstance(free, str) else tuple(free)
    wanted = free_parameters(listed, free, bounds)
    whole = np.asarray(getattr(image, "cpu", lambda: image)()).dtype.kind in "biu"
    terms = linear_part(linear, listed, data[area.slices], free, grey_levels=whole)
    rows = all_priors(listed, free, priors, optics)
    held = _held(listed, wanted.names, terms, rows)
    used = _used(data, listed, mask, area)
    camera = listed.camera if listed.microscope.modality.kind != "phase" else None
    known = camera is not None and camera.noise
    cut = data[area.slices]
    weights = used.astype(np.float64)
    if camera is not None and known:
        weights = np.where(used, 1.0 / camera_sigma(cut, camera), 0.0)
    task = Task(
        data=cut,
        weights=weights,
        used=used,
        noise_known=known,
        scene=listed,
        region=area,
        wanted=wanted,
        parameters=_with_nuisances(listed, wanted, rows, held),
        linear=terms,
        priors={n: p for n, p in rows.items() if n not in held},
        device=device,
        max_iterations=max_iterations,
    )
    search = Search(task, callback, clock)
    return _report(task, search, search.best(start), held)


def _report(task: Task, search: Search, run: Run, held: dict[str, str]) -> FitResult:
    problem, point, parameters = run.problem, run.point, task.parameters
    residual = problem.residual_image(point)
    spread = uncertainty(
        run.outcome.jacobian,
        problem.column_images(run.outcome.jacobian),
        point.residual,
        residual,
        problem.pixels,
        point.u,
        problem.low,
        problem.high,
    )
    sigma = spread.sigma * parameters.scale
    by_name = dict(zip(parameters.names, (float(s) for s in sigma), strict=True))
    fitted = task.fitted(point.values)
    # Where the noise is taken from the residual, the fit explains the image to the noise.
    chi2 = run.chi2 if task.noise_known else 1.0
    test = mismatch(residual, problem.used, chi2)
    flagged = words.undetermined(parameters.names, point.values, parameters.scale, spread, fitted)
    flagged = {n: w for n, w in flagged.items() if n in task.wanted.names} | held
    wanted = task.wanted
    starts = dict(zip(wanted.names, (float(v) for v in wanted.start), strict=True))
    settled = run.outcome.reason in ("converged", "stalled") and not search.stopped
    region = task.region
    return FitResult(
        values={n: point.values.get(n, starts[n]) for n in wanted.names},
        sigma={n: by_name.get(n, float("inf")) for n in wanted.names},
        units=dict(zip(wanted.names, wanted.units, strict=True)),
        undetermined=flagged,
        names=wanted.names,
        covariance=_covariance(task, spread),
        nuisances={n: (point.values[n], by_name[n]) for n in task.nuisances},
        linear=dict(zip(task.linear.names, (float(c) for c in point.coefficients), strict=True)),
        scene=fitted,
        model=point.model,
        residual=task.data - point.model,
        region=(region.y0, region.y1, region.x0, region.x1),
        history=search.history,
        warnings=_warnings(task, search, run, spread, fitted, by_name, test, flagged),
        success=settled and (not task.noise_known or chi2 < words.POOR),
        chi2_per_pixel=chi2,
        r_squared=problem.r_squared(point),
        rms=problem.rms(point),
        stopped=search.stopped,
        tests={
            "chi2_per_pixel": test.chi2,
            "whiteness": test.whiteness,
            "band": test.band,
            "band_cycles_per_px": test.band_cycles_per_px,
            "neighbour_correlation": test.neighbour,
        },
        renders=search.renders,
        elapsed_s=time.perf_counter() - search.clock,
    )


def _warnings(
    task: Task,
    search: Search,
    run: Run,
    spread: Uncertainty,
    fitted: Scene,
    sigma: Mapping[str, float],
    test: Mismatch,
    flagged: Mapping[str, str],
) -> list[str]:
    names, values = task.parameters.names, run.point.values
    out = [words.STOPPED] if search.stopped else []
    if run.outcome.reason == "exhausted":
        out.append(words.EXHAUSTED)
    out += words.of_mismatch(test, task.noise_known, run.refined)
    out += flagged.values()
    out += words.advice(names, values, spread, fitted, task.priors, sigma)
    out += words.twins(names, fitted)
    return list(dict.fromkeys(out))


def _covariance(task: Task, spread: Uncertainty) -> Array:
    """Covariance of the wanted names in their units; infinite for those that are held."""
    names, wanted = task.parameters.names, task.wanted.names
    out = np.zeros((len(wanted), len(wanted)))
    np.fill_diagonal(out, np.inf)
    inside = [k for k, n in enumerate(wanted) if n in names]
    order = [names.index(wanted[k]) for k in inside]
    scale = task.parameters.scale[order]
    out[np.ix_(inside, inside)] = spread.covariance[np.ix_(order, order)] * np.outer(scale, scale)
    return out


def _held(
    scene: Scene,
    names: tuple[str, ...],
    linear: LinearPart,
    priors: Mapping[str, tuple[float, float]],
) -> dict[str, str]:
    """Free names that nothing can determine and that stay at their start, with words."""
    out = {}
    if linear.gain and scene.microscope.modality.kind == "phase":
        indices = [n for n in names if last_word(n) == "index" and not n.startswith("medium")]
        out = dict.fromkeys(indices, words.GREY_SCALE)
    depths = [n for n in names if last_word(n) == "z_um"]
    particles = sum(len(p.particles or ()) for p in scene.populations if p.visible)
    focus = "microscope.focus_um"
    if focus in names and 0 < particles <= len(depths) and not {focus, *depths} & set(priors):
        out[focus] = words.FOCUS_AND_DEPTH
    return out


def _with_nuisances(
    scene: Scene,
    wanted: FreeParameters,
    priors: Mapping[str, tuple[float, float]],
    held: Mapping[str, str],
) -> FreeParameters:
    keep = np.array([n not in held for n in wanted.names])
    if not keep.any():
        raise FitError(f"free = {wanted.names}: {held[wanted.names[0]]} Nothing else is free.")
    extra = tuple(n for n in priors if n not in wanted.names)
    names = tuple(n for n in wanted.names if n not in held)
    units = tuple(u for u, k in zip(wanted.units, keep, strict=True) if k)
    columns = [c[keep] for c in (wanted.start, wanted.low, wanted.high, wanted.scale)]
    if extra:
        more = free_parameters(scene, extra)
        names, units = names + more.names, units + more.units
        others = (more.start, more.low, more.high, more.scale)
        columns = [np.concatenate(pair) for pair in zip(columns, others, strict=True)]
    return FreeParameters(names, units, *columns)


def _used(data: Array, scene: Scene, mask: Any, region: Region) -> NDArray[np.bool_]:
    used = np.ones(data.shape, bool) if mask is None else checked_mask(mask, data.shape)
    if scene.camera is not None and scene.microscope.modality.kind != "phase":
        used = used & unsaturated(data, scene.camera)
    cut: NDArray[np.bool_] = used[region.slices]
    if cut.sum() < 16:
        raise FitError(
            f"mask and saturation leave {int(cut.sum())} pixels of the region; a fit needs at "
            "least 16."
        )
    return cut
