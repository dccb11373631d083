"""A fit from the checks of its input to its report: set up, search, say what was found."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cancellation import Cancelled
from osog.exit_wave.compiled.choice import settled
from osog.fitting.errors import FitError
from osog.fitting.problem.setup import FitSetup, fit_setup
from osog.fitting.report import messages
from osog.fitting.report.another_focus import another_focus
from osog.fitting.report.goodness_of_fit import GoodnessOfFit, goodness_of_fit
from osog.fitting.report.next_step import End, next_step
from osog.fitting.report.result import FitProgress, FitResult
from osog.fitting.report.sign_ambiguity import relief_words, sign_ambiguity
from osog.fitting.report.uncertainty import Uncertainty, uncertainty
from osog.fitting.solve.monitor import Monitor
from osog.fitting.solve.search import Search
from osog.fitting.solve.stages import STARTS
from osog.fitting.starts.mirror import opposite_relief

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from osog.fitting.solve.trial import Trial
    from osog.scene import Scene

    Array = NDArray[np.float64]

_CLEARLY = 0.98
"""Factor on χ² by which the opposite direction of the relief must be better to be taken."""


@settled()
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
    advice: bool = True,
) -> FitResult:
    """Fit numbers of a scene to a micrograph.

    Levenberg–Marquardt with the gain and the background eliminated in closed form; starts from
    matched templates where one particle is fitted; standard deviations from the spectral sandwich,
    so that they hold under correlated noise. Where a DIC image is not explained, the opposite
    direction of the shear is tried, and taken if it explains the image better.

    Parameters
    ----------
    image : array_like, shape (Y, X)
        Counts when the scene has a camera, irradiance relative to the background without one,
        radians in quantitative phase. A list, an array of NumPy, dask, xarray or CuPy, a torch
        tensor, or a `Micrograph`; pixels that a masked array hides are left out.
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
        then keeps its best. Inside a block of `osog.cancellation.cancellable` it stops between two
        steps of an image; the standard deviations then come from the last derivatives, and are
        infinite where there were none.
    seed : int
        Draws the particles that the scene does not list.
    start : str
        ``scene`` starts at the scene's own numbers; ``detect`` at the best matches of templates
        over the bounds, for a single particle; ``auto`` at the scene's numbers, and at matched
        templates also unless they lead to a good fit.
    priors : mapping of names to (value, sd), optional
        Gaussian priors. Free optics numbers have one by default (see
        `osog.fitting.problem.priors`); None removes it. A name that is not free becomes a nuisance
        within its prior.
    optics : str
        ``uncertain``: NA, astigmatism and spherical aberration vary within the tolerance of the
        nominal values; with them fixed, intervals are far too narrow. ``exact``: as stated.
    linear : str
        ``auto``, ``none``, or ``gain``, ``offset``, ``slopes``, ``quadratic`` joined by ``+``; see
        `osog.fitting.problem.linear.linear_part`. With ``gain`` in quantitative phase the index is
        held, since an unknown grey scale multiplies it.
    region : (y0, y1, x0, x1), optional
        Only these rows and columns are fitted and simulated; coordinates stay those of the frame.
    max_iterations : int
        Most iterations of the search, and again of the polish.
    device : str
        Where images are computed; differences need its float64.
    advice : bool
        Whether to look for what would help where the image is not explained, or a number not
        determined: another number to free, another focus. It is said in the warnings, costs up to
        a quarter of the time, and changes no number.

    Returns
    -------
    FitResult

    Raises
    ------
    FitError
        For an image, name, bound, prior, mask or region that cannot be used.
    Cancelled
        When a `cancellable` block ends it before its first accepted step.
    """
    clock = time.perf_counter()
    if start not in STARTS:
        raise FitError(f"start = '{start}' must be one of {', '.join(STARTS)}.")
    asked: dict[str, Any] = {
        "seed": seed,
        "priors": priors,
        "optics": optics,
        "linear": linear,
        "region": region,
        "max_iterations": max_iterations,
        "device": device,
    }
    setup = fit_setup(image, scene, free, bounds, mask, **asked)
    report = partial(_result, advise=advice)
    monitor = Monitor(setup, callback, clock)
    search = Search(setup, monitor)
    try:
        trial = search.best(start)
    except Cancelled:
        cut = monitor.cut_short()
        if cut is None:
            raise
        return report(setup, cut, monitor, search)
    other = None if monitor.stopped or search.is_good(trial) else opposite_relief(scene)
    if other is None:
        return report(setup, trial, monitor, search)
    try:
        turned = fit_setup(image, other, free, bounds, mask, **asked)
        watch = Monitor(turned, callback, clock)
        again = Search(turned, watch)
        there = again.best(start)
    except FitError:  # the bounds leave the opposite direction out
        return report(setup, trial, monitor, search)
    except Cancelled:
        monitor.stopped = True
        return report(setup, trial, monitor, search)
    if again.rank(there) < _CLEARLY * search.rank(trial):
        return report(turned, there, watch, again, relief_words(scene, other))
    monitor.stopped = monitor.stopped or watch.stopped
    return report(setup, trial, monitor, search)


def _result(
    setup: FitSetup,
    trial: Trial,
    monitor: Monitor,
    search: Search,
    words: Sequence[str] = (),
    *,
    advise: bool = True,
) -> FitResult:
    problem, point, parameters, wanted = trial.problem, trial.point, setup.parameters, setup.wanted
    residual = problem.residual_image(point)
    shifts = [shift for shift in (trial.shift, trial.across) if shift is not None]
    spread = uncertainty(problem, point, trial.descent.jacobian, shifts=shifts)
    sigma = dict(zip(parameters.names, (spread.sigma * parameters.scale).tolist(), strict=True))
    fitted = search.fitted(trial)
    # Where the noise is taken from the residual, the fit explains the image to the noise.
    chi2 = trial.chi2 if setup.noise_known else 1.0
    test = goodness_of_fit(residual, problem.used, chi2)
    unknown = {}
    if len(trial.descent.jacobian):
        unknown = messages.undetermined(parameters, point.values, spread, fitted)
    unknown = {n: text for n, text in unknown.items() if n in wanted.names} | setup.held
    starts = dict(zip(wanted.names, wanted.start.tolist(), strict=True))
    arrived = trial.descent.reason in ("converged", "stalled") and not monitor.stopped
    explained = search.is_exact(trial) or not test.is_rejected(setup.noise_known)
    region = setup.region
    # A fit that was stopped has other reasons not to explain its image.
    advise = advise and not monitor.stopped
    advice = ""
    if not explained and advise:
        advice = next_step(setup, End(*search.sketched(trial), trial.descent.jacobian), fitted)
    lost = {
        n: sigma[n]
        for n, at in zip(parameters.names, spread.at_bound, strict=True)
        if n in unknown and not at and n in sigma
    }
    resolve = ""
    if lost and advise:
        resolve = another_focus(problem, point.u, lost, fitted, search.coarse)
    return FitResult(
        values={n: point.values.get(n, starts[n]) for n in wanted.names},
        sigma={n: sigma.get(n, float("inf")) for n in wanted.names},
        units=dict(zip(wanted.names, wanted.units, strict=True)),
        undetermined=unknown,
        names=wanted.names,
        covariance=_covariance(setup, spread),
        nuisances={n: (point.values[n], sigma[n]) for n in setup.nuisances},
        linear=dict(zip(setup.linear.names, point.coefficients.tolist(), strict=True)),
        scene=fitted,
        model=point.model,
        residual=setup.data - point.model,
        region=(region.y0, region.y1, region.x0, region.x1),
        history=monitor.history,
        warnings=list(words)
        + _warnings(
            setup,
            trial,
            monitor.stopped,
            spread,
            fitted,
            sigma,
            test,
            unknown,
            search.both_sides,
            advice,
            resolve,
        ),
        success=arrived and explained,
        converged=arrived,
        chi2_per_pixel=chi2,
        r_squared=problem.r_squared(point),
        rms=problem.rms(point),
        stopped=monitor.stopped,
        tests={
            "chi2_per_pixel": test.chi2,
            "whiteness": test.whiteness,
            "band": test.band,
            "band_cycles_per_px": test.band_cycles_per_px,
            "neighbour_correlation": test.neighbour,
        },
        renders=search.renders,
        elapsed_s=monitor.elapsed_s,
    )


def _warnings(
    setup: FitSetup,
    trial: Trial,
    stopped: bool,
    spread: Uncertainty,
    fitted: Scene,
    sigma: Mapping[str, float],
    test: GoodnessOfFit,
    unknown: Mapping[str, str],
    both_sides: bool,
    next_step: str,
    resolve: str,
) -> list[str]:
    out = [messages.STOPPED] if stopped else []
    if trial.descent.reason == "exhausted":
        out.append(messages.EXHAUSTED)
    out += messages.about_residual(test, setup.noise_known, trial.refined, next_step)
    out += [*unknown.values(), *([resolve] if resolve else [])]
    out += messages.advice(setup.parameters, spread, fitted, setup.priors, sigma)
    if both_sides:
        out += messages.both_sides(setup.parameters, trial.across, spread)
    out += messages.two_models(setup.parameters, trial.shift, spread, fitted)
    out += sign_ambiguity(setup.parameters, fitted)
    return list(dict.fromkeys(out))


def _covariance(setup: FitSetup, spread: Uncertainty) -> Array:
    """Covariance of the wanted names in their units; infinite for those that are held."""
    names, wanted = setup.parameters.names, setup.wanted.names
    out = np.zeros((len(wanted), len(wanted)))
    np.fill_diagonal(out, np.inf)
    inside = [k for k, n in enumerate(wanted) if n in names]
    order = [names.index(wanted[k]) for k in inside]
    scale = setup.parameters.scale[order]
    out[np.ix_(inside, inside)] = spread.covariance[np.ix_(order, order)] * np.outer(scale, scale)
    return out
