"""Whether blind fits of one particle find the optimum, hold what their intervals say, and cost."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cli.bench.exam import EXACT, EXAMS, NUISANCE, Exam, Problem, problem
from osog.cli.bench.timing import torch_threads
from osog.cli.console import table
from osog.cli.errors import CommandError
from osog.fitting import fit
from osog.fitting.report import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.table import Table

    from osog.fitting import FitResult

# χ² above that of a fit from the truth up to which a fit is at the optimum.
_SAME = 5.0
# σ in units of the range up to which a number counts as identifiable.
_IDENTIFIABLE = 0.05
# Deviations, and share of the range, within which an answer is right.
_WITHIN, _SHARE = 3.0, 0.01
# Deviations of its own beyond which a number of a success is false.
_FALSE = 5.0
# Largest error of an exact fit, in units of the ranges.
_EXACT = 1e-6


@dataclass(frozen=True)
class Spread:
    """Median, 90 % point and largest of some numbers."""

    median: float
    p90: float
    largest: float


@dataclass(frozen=True)
class FitCase:
    """One exam.

    Attributes
    ----------
    exam : str
        Modality and shape.
    level : str
        ``blind``, ``nuisance`` (blind, with uncertain optics) or ``exact``.
    fits : int
    at_optimum : int
        χ² no more than 5 above that of a fit from the truth; in exact ones, every number within
        1e-6 of its range.
    right, right_from_truth : int
        Every identifiable number (σ below 5 % of its range) within 3 σ or 1 % of its range.
    success : int
        Fits that call themselves one.
    false_success : list of int
        Seeds of those that do, and are not at the optimum or have a number more than 5 of its own
        σ from the truth.
    cpu_s, cpu_s_from_truth : Spread
    steps, images : float
        Accepted steps and simulated images, medians.
    converged : int
        Fits that arrived at a minimum.
    chi2_per_pixel : list of float
        5 %, 50 % and 95 % points.
    cover68, cover95 : float or None
        Share of the identifiable numbers whose interval holds the truth.
    numbers : dict
        Free name → medians of σ / range and |error| / σ.
    largest_error : float
        Of any number, in units of its range.
    missed : dict
        Seed → ``local`` (χ² above the optimum), ``bias`` (χ² at the optimum, answer wrong), or why
        it could not be fitted.
    """

    exam: str
    level: str
    fits: int
    at_optimum: int
    right: int
    right_from_truth: int
    success: int
    false_success: list[int]
    cpu_s: Spread
    cpu_s_from_truth: Spread
    steps: float
    images: float
    converged: int
    chi2_per_pixel: list[float]
    cover68: float | None
    cover95: float | None
    numbers: dict[str, dict[str, float]]
    largest_error: float
    missed: dict[int, str]


@dataclass
class _Sat:
    """What the fits of one exam have shown so far."""

    results: list[FitResult] = field(default_factory=list)
    blind_s: list[float] = field(default_factory=list)
    truth_s: list[float] = field(default_factory=list)
    at_optimum: int = 0
    right: int = 0
    right_from_truth: int = 0
    false: list[int] = field(default_factory=list)
    missed: dict[int, str] = field(default_factory=dict)
    ratios: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    inside: list[float] = field(default_factory=list)
    largest: float = 0.0


def named_exams(
    wanted: Sequence[str], *, exact: bool = False, nuisance: bool = False
) -> dict[str, Exam]:
    """Exams by name; a modality or a shape names all that it takes part in.

    Parameters
    ----------
    wanted : sequence of str
        Empty for all.
    exact, nuisance : bool
        Noise-free targets; uncertain optics.

    Raises
    ------
    CommandError
        For a name that no exam has.
    """
    exams = EXACT if exact else NUISANCE if nuisance else EXAMS
    out: dict[str, Exam] = {}
    for name in wanted or exams:
        found = {n: e for n, e in exams.items() if name in (n, e.kind, e.shape)}
        if not found:
            raise CommandError(f"exam '{name}' must be one of {', '.join(exams)}.")
        out.update(found)
    return {name: exam for name, exam in exams.items() if name in out}


def fit_cases(
    exams: Mapping[str, Exam],
    seeds: Sequence[int],
    *,
    threads: int = 1,
    said: Callable[[str], None] = lambda text: None,
) -> list[FitCase]:
    """Sit exams.

    Parameters
    ----------
    exams : mapping of str to Exam
    seeds : sequence of int
        One problem each.
    threads : int
        Of torch, while it is measured.
    said : callable
        Takes a line of progress.

    Returns
    -------
    list of FitCase
    """
    with torch_threads(threads):
        return [_case(name, exam, seeds, said) for name, exam in exams.items()]


def _case(name: str, exam: Exam, seeds: Sequence[int], said: Callable[[str], None]) -> FitCase:
    sat = _Sat()
    for seed in seeds:
        said(f"{name}, seed {seed} …")
        one = problem(exam, seed)
        try:
            if exam.exact:
                _sit_exact(one, seed, sat)
            else:
                _sit(one, seed, sat)
        except ValueError as error:
            sat.missed[seed] = str(error)
    level = "exact" if exam.exact else "nuisance" if exam.nuisance else "blind"
    ratios = np.array(sat.inside)
    chi2 = [r.chi2_per_pixel for r in sat.results]
    return FitCase(
        exam=name,
        level=level,
        fits=len(seeds),
        at_optimum=sat.at_optimum,
        right=sat.right,
        right_from_truth=sat.right_from_truth,
        success=sum(r.success for r in sat.results),
        false_success=sat.false,
        cpu_s=_spread(sat.blind_s),
        cpu_s_from_truth=_spread(sat.truth_s),
        steps=_median([len(r.history) for r in sat.results]),
        images=_median([r.renders for r in sat.results]),
        converged=sum(r.converged for r in sat.results),
        chi2_per_pixel=[float(v) for v in np.quantile(chi2, (0.05, 0.5, 0.95))] if chi2 else [],
        cover68=float(np.mean(ratios < 1.0)) if len(ratios) else None,
        cover95=float(np.mean(ratios < 1.96)) if len(ratios) else None,
        numbers={
            n: {
                "sigma_over_range": _median([s for s, _ in pairs]),
                "error_over_sigma": _median([e for _, e in pairs]),
            }
            for n, pairs in sat.ratios.items()
        },
        largest_error=sat.largest,
        missed=sat.missed,
    )


def _timed(one: Problem, scene: Any, **options: Any) -> tuple[FitResult, float]:
    clock = time.process_time()
    optics = "uncertain" if one.exam.nuisance else "exact"
    result = fit(one.image, scene, tuple(one.truth), one.bounds, optics=optics, **options)
    return result, time.process_time() - clock


def _sit_exact(one: Problem, seed: int, sat: _Sat) -> None:
    result, seconds = _timed(one, one.start)
    sat.results.append(result)
    sat.blind_s.append(seconds)
    off = max(abs(e) / one.widths[n] for n, e in one.errors(result.values).items())
    sat.largest = max(sat.largest, off)
    if off <= _EXACT:
        sat.at_optimum += 1
        sat.right += 1
        return
    sat.missed[seed] = f"off by {off:.1g}"
    if result.success:
        sat.false.append(seed)


def _sit(one: Problem, seed: int, sat: _Sat) -> None:
    reference, known = _timed(one, one.scene, start="scene")
    result, blind = _timed(one, one.start)
    sat.results.append(result)
    sat.blind_s.append(blind)
    sat.truth_s.append(known)
    at_optimum = _above(result, reference, one) <= _SAME
    right = _is_right(one, result, reference)
    sat.at_optimum += at_optimum
    sat.right += right
    sat.right_from_truth += _is_right(one, reference, reference)
    if not at_optimum or not right:
        sat.missed[seed] = "bias" if at_optimum else "local"
    errors = _errors(one, result)
    far = any(abs(error) > _FALSE * result.sigma[name] for name, error in errors.items())
    if result.success and (far or not at_optimum):
        sat.false.append(seed)
    for name, error in errors.items():
        sigma, width = result.sigma[name], one.widths[name]
        sat.largest = max(sat.largest, abs(error) / width)
        if 0 < sigma <= _IDENTIFIABLE * width:
            sat.inside.append(abs(error) / sigma)
            sat.ratios.setdefault(name, []).append((sigma / width, abs(error) / sigma))


def _errors(one: Problem, result: FitResult) -> dict[str, float]:
    """Errors by name; either side of focus is right where the fit cannot tell them apart."""
    return one.errors(result.values, either_side=messages.BOTH_SIDES in result.warnings)


def _above(result: FitResult, reference: FitResult, one: Problem) -> float:
    """By how much χ² lies above that of a fit from the truth."""
    pixels = one.image.size
    if one.exam.has_camera:
        return pixels * (result.chi2_per_pixel - reference.chi2_per_pixel)
    # Twice the log-likelihood of noise whose strength is itself estimated.
    return 2 * pixels * float(np.log(result.rms / max(reference.rms, 1e-300)))


def _is_right(one: Problem, result: FitResult, reference: FitResult) -> bool:
    errors = _errors(one, result)
    for name, width in one.widths.items():
        sigma = reference.sigma[name]
        if sigma > _IDENTIFIABLE * width:
            continue
        if abs(errors[name]) > max(_WITHIN * sigma, _SHARE * width):
            return False
    return True


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else 0.0


def _spread(values: Sequence[float]) -> Spread:
    if not values:
        return Spread(0.0, 0.0, 0.0)
    return Spread(_median(values), float(np.quantile(values, 0.9)), float(max(values)))


def fit_table(cases: list[FitCase]) -> Table:
    """Lay out the exams for people."""
    titles = (
        "fits", "at the optimum", "right (from truth)", "false success", "68 / 95 % hold",
        "χ²/n 5 / 50 / 95 %", "images", "CPU-s median / 90 % / max", "from truth", "missed",
    )  # fmt: skip
    rows = []
    for c in cases:
        cover = "–" if c.cover95 is None else f"{c.cover68:.2f} / {c.cover95:.3f}"
        exact = c.level == "exact"
        rows.append(
            (
                f"{c.exam}, {c.level}",
                str(c.fits),
                str(c.at_optimum),
                "–" if exact else f"{c.right} ({c.right_from_truth})",
                ", ".join(map(str, c.false_success)) or "none",
                f"off by {c.largest_error:.1g} at most" if exact else cover,
                "–" if exact else " / ".join(f"{v:.2f}" for v in c.chi2_per_pixel),
                f"{c.images:.0f}",
                f"{c.cpu_s.median:.2f} / {c.cpu_s.p90:.2f} / {c.cpu_s.largest:.2f}",
                "–" if exact else f"{c.cpu_s_from_truth.median:.2f}",
                ", ".join(f"{seed} {why}" for seed, why in c.missed.items()) or "–",
            )
        )
    columns: list[str | tuple[str, str]] = ["exam", *((t, "right") for t in titles[:-1]), "missed"]
    return table(columns, rows, "Fits of one particle")


__all__ = ["FitCase", "Spread", "fit_cases", "fit_table", "named_exams"]
