"""What to change after a fit that does not explain its image: which number, and which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.cancellation import Cancelled
from osog.fitting.errors import FitError
from osog.fitting.problem.parameters import free_parameters
from osog.scene.parameters import continuous

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.fitting.problem.parameters import FreeParameters
    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.fitting.problem.setup import FitSetup
    from osog.scene import Scene

    Array = NDArray[np.float64]

_MOST = 16
"""Held numbers that are tried: each costs one image."""
_WORTHWHILE = 0.1
"""Share of what is left that a number must explain to be named."""
_TRIED = 5
"""Of them, those whose effect is then looked at in images."""
_PARTS = (1.0, 0.5, 0.25)
"""Parts of the step that the score gives: it is too long where the image is far from linear."""
_ALIKE = 0.8
"""Share of the best from which another number is as good an explanation."""
_FAR = 0.5
"""Relative change above which a linear step tells no more than its direction."""
_ROLES = ("focus", "z", "radius", "length", "index", "medium_index", "shear", "bias", "spherical")


@dataclass(frozen=True)
class End:
    """Where a fit ended.

    Attributes
    ----------
    problem : ImageProblem
        What was minimised.
    point : Point
    jacobian : ndarray, shape (n + priors, P)
        Derivatives there; (0, P) where they are not known.
    """

    problem: ImageProblem
    point: Point
    jacobian: Array


def next_step(setup: FitSetup, end: End, fitted: Scene) -> str:
    """Name the held number that would explain most of the residual, and its direction.

    A score (Lagrange multiplier) test of Rao (1948) for each number that was held: with the
    residual r, the derivatives J of the free numbers and c of the held one, c' = c − J J⁺ c, the
    sum of squares falls by (c'·r)² / c'·c' when it is freed, and it moves by −c'·r / c'·c'. The
    best of them are tried: what is said to be explained was seen in an image at that value, the
    free numbers having followed to first order, so that it is a lower limit of what a fit gains.

    Parameters
    ----------
    setup : FitSetup
    end : End
        Where the fit ended.
    fitted : Scene
        The scene there.

    Returns
    -------
    str
        One sentence with the dotted name; or, where no held number explains a tenth of the
        residual above the noise, that none does, and what else there is to look at.
    """
    nothing = (
        "No number that was held explains what is left: choose another shape, check the pixel "
        f"size ({fitted.grid.pixel_size_um:.4g} µm), or draw the region closer around one particle."
    )
    problem, jacobian = end.problem, end.jacobian
    names = _held(setup, problem, fitted)
    if not names or len(jacobian) == 0:
        return nothing
    try:
        candidates = free_parameters(fitted, names)
        found = _best(setup, end, candidates)
    except FitError:
        return nothing
    except Cancelled:
        return ""
    if found is None:
        return nothing
    k, then, share = found
    now = float(candidates.start[k])
    way = "higher" if then > now else "lower"
    near = ""
    if abs(then - now) <= _FAR * candidates.scale[k]:
        near = f", such as {then:.4g} {candidates.units[k]}".rstrip() + ","
    return (
        f"Free {names[k]} next: a {way} value than {now:.4g}{near} explains "
        f"{100 * share:.0f} % of what is left."
    )


def _best(setup: FitSetup, end: End, candidates: FreeParameters) -> tuple[int, float, float] | None:
    """Which candidate explains most when it moves, where it moves to, and the share explained.

    The score tells which are worth an image; what they explain is then seen in the image itself,
    with the free numbers following as far as they are linear.
    """
    point, problem, jacobian = end.point, end.problem, end.jacobian
    rest = float(np.sum(point.residual[: problem.pixels] ** 2))
    excess = rest - (problem.degrees if setup.noise_known else 0)
    if excess <= 0:
        return None
    columns = _columns(problem, point, candidates)
    score, steps = _score(point.residual, jacobian, columns, problem.pixels)
    found: list[tuple[int, float, float]] = []
    for k in np.argsort(-score, kind="stable")[:_TRIED]:
        best = (0.0, 0.0)
        for part in _PARTS:
            low, start, high = candidates.low[k], candidates.start[k], candidates.high[k]
            then = float(np.clip(start + part * steps[k] * candidates.scale[k], low, high))
            moved = (then - start) / candidates.scale[k]
            if abs(moved) < 1e-6:
                continue
            there = _after(end, candidates.names[k], then, moved * columns[:, k])
            best = max(best, ((rest - there) / excess, then))
        if best[0] >= _WORTHWHILE:
            found.append((int(k), best[1], min(best[0], 1.0)))
    if not found:
        return None
    enough = _ALIKE * max(share for _, _, share in found)
    # Of those that explain about as much, the one that a user would think of first.
    return min((f for f in found if f[2] >= enough), key=lambda f: f[0])


def _columns(problem: ImageProblem, point: Point, candidates: FreeParameters) -> Array:
    """Derivatives of the residuals in the candidates, the linear part projected out, (n, K)."""
    own = problem.with_held(point.values).with_parameters(candidates, {})
    return own.jacobian(own.restated(point))


def _after(end: End, name: str, value: float, change: Array) -> float:
    """Sum of squares of the pixels once a number has moved and the free ones have followed.

    Parameters
    ----------
    end : End
    name : str
    value : float
    change : ndarray, shape (n,)
        How the residuals change with it, to first order.
    """
    point, problem, jacobian = end.point, end.problem, end.jacobian
    target = point.residual.copy()
    target[: len(change)] += change
    follow = -np.linalg.lstsq(jacobian, target, rcond=1e-6)[0]
    u = np.clip(point.u + follow, problem.low, problem.high)
    there = problem.with_held({name: value}).evaluate(u)
    return float(np.sum(there.residual[: problem.pixels] ** 2))


def _score(residual: Array, jacobian: Array, columns: Array, pixels: int) -> tuple[Array, Array]:
    """Share of the squares of the pixels that each column explains, and its step.

    Parameters
    ----------
    residual : ndarray, shape (n + priors,)
    jacobian : ndarray, shape (n + priors, P)
        Of what is free.
    columns : ndarray, shape (n, K)
        Of what is held.
    pixels : int
        n.
    """
    padded = np.zeros((len(residual), columns.shape[1]))
    padded[:pixels] = columns
    own = np.sum(padded**2, axis=0)
    lengths = np.linalg.norm(jacobian, axis=0)
    basis, values, _ = np.linalg.svd(
        jacobian / np.where(lengths > 0, lengths, 1.0), full_matrices=False
    )
    basis = basis[:, values > 1e-8 * max(float(values.max(initial=0.0)), 1e-300)]
    left = padded - basis @ (basis.T @ padded)
    squares = np.sum(left**2, axis=0)
    # What is nearly a mixture of free numbers cannot tell anything new.
    new = squares > 1e-6 * np.maximum(own, 1e-300)
    slope = left.T @ residual
    safe = np.where(new & (squares > 0), squares, 1.0)
    total = max(float(np.sum(residual[:pixels] ** 2)), 1e-300)
    return np.where(new, slope**2 / safe / total, 0.0), np.where(new, -slope / safe, 0.0)


def _held(setup: FitSetup, problem: ImageProblem, scene: Scene) -> tuple[str, ...]:
    """Numbers that were held and that a user would think of, most telling first."""
    optics = scene.microscope
    taken = {*problem.parameters.names, *setup.held}
    single = sum(len(p.particles or ()) for p in scene.populations if p.visible) == 1
    hidden = tuple(f"populations.{p.name}." for p in scene.populations if not p.visible)
    scaled = setup.linear.gain and optics.modality.measures_phase
    out = []
    for parameter in continuous(scene):
        name, last = parameter.name, parameter.name.rsplit(".", 1)[-1]
        if name in taken or name.startswith(hidden) or (scaled and last == "index"):
            continue
        if name.startswith("particles[") and not single:
            continue
        if last == "index" and optics.modality.emits:
            continue
        if parameter.role == "focus" and any("z" == r for r in problem.parameters.roles):
            continue
        known = parameter.role in _ROLES or ".shape." in name or last == "numerical_aperture"
        known = known or (last == "condenser_numerical_aperture" and optics.modality.condenser)
        if known or last == "wavelength_um":
            out.append(name)
    # The particle before the optics, and the medium, which is known best, last.
    order = ("particles[", "populations.", "microscope.", "medium.")
    rank = [next(k for k, o in enumerate(order) if n.startswith(o)) for n in out]
    return tuple(n for _, n in sorted(zip(rank, out, strict=True))[:_MOST])


__all__ = ["End", "next_step"]
