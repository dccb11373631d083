"""What a fit tells the user: what is not determined, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.fitting.problem.priors import NUISANCE_REACH
from osog.fitting.report.goodness_of_fit import POOR
from osog.scene.parameters import get

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from osog.fitting.problem.parameters import FreeParameters
    from osog.fitting.report.goodness_of_fit import GoodnessOfFit
    from osog.fitting.report.uncertainty import Uncertainty
    from osog.scene import Scene

    Array = NDArray[np.float64]

NOISE_UNKNOWN = "Noise estimated from the residual; goodness of fit cannot be judged."
NO_GOOD_FIT = "No good fit found."
GRID = "The sampling was too coarse for these error bars; the fit was refined on a finer grid."
STOPPED = "The fit was stopped early; it shows the best so far."
BOTH_SIDES = (
    "The image is explained equally well with the particle as far on the other side of focus. The "
    "side was taken from the scene."
)
_MOSTLY = 0.7
"""Share of a deviation from which the difference of two answers makes most of its square."""
EXHAUSTED = "The search ended before it had converged; fit again from this result."


def undetermined(
    parameters: FreeParameters,
    values: Mapping[str, float],
    spread: Uncertainty,
    scene: Scene,
) -> dict[str, str]:
    """Words for every parameter that the image does not determine.

    Parameters
    ----------
    parameters : FreeParameters
        Free names and nuisances, P of them.
    values : mapping
        Fitted values by name.
    spread : Uncertainty
        Of the scaled parameters.
    scene : Scene
        As fitted.

    Returns
    -------
    dict
        Name → words.
    """
    out: dict[str, str] = {}
    names, scale = parameters.names, parameters.scale
    sigma = spread.sigma * scale
    for k, name in enumerate(names):
        if spread.at_bound[k]:
            if parameters.high[k] - values[name] < values[name] - parameters.low[k]:
                way, more = "upwards", "higher"
            else:
                way, more = "downwards", "lower"
            out[name] = (
                f"{name} ended at its limit {values[name]:.4g}: the image asks for a {more} value. "
                f"Widen its range {way}, or fix it."
            )
        elif not np.isfinite(sigma[k]):
            out[name] = f"{name} has no effect on this image; fix it."
    for pair in _size_and_index(parameters, values, sigma, spread, scene):
        for name in pair[:2]:
            out.setdefault(name, pair[2])
    for _, direction in spread.weak:
        parts = [int(k) for k in np.argsort(-np.abs(direction)) if abs(direction[k]) > 0.3]
        sentence = _trade_off(parameters, parts, direction[parts], sigma)
        for k in parts:
            # A component takes part; only those that are themselves uncertain are flagged.
            if sigma[k] > 0.05 * scale[k]:
                out.setdefault(names[k], sentence)
    return out


def _size_and_index(
    parameters: FreeParameters,
    values: Mapping[str, float],
    sigma: Array,
    spread: Uncertainty,
    scene: Scene,
) -> list[tuple[str, str, str]]:
    medium = values.get("medium.index", scene.medium.index)
    names = parameters.names
    radii = [k for k, role in enumerate(parameters.roles) if role == "radius"]
    indices = [k for k, role in enumerate(parameters.roles) if role == "index"]
    out = []
    for r in radii:
        for i in indices:
            if not _same_particle(names[r], names[i]):
                continue
            if not (np.isfinite(sigma[r]) and np.isfinite(sigma[i])):
                continue
            delta = values[names[i]] - medium
            correlation = spread.correlation[r, i]
            if correlation > -0.98 and sigma[i] <= 0.15 * abs(delta):
                continue
            power, product, relative = best_known_product(
                values[names[r]], delta, sigma[r], sigma[i], correlation
            )
            out.append((names[r], names[i], (
                "Size and index difference cannot be separated for this small particle; the "
                f"product R^{power:.1f} Δn = {product:.3g} is known to {100 * relative:.2g} %. "
                "Fix one of them (known index or known size), or image 1–3 µm out of focus."
            )))  # fmt: skip
    return out


def best_known_product(
    radius: float, delta: float, sigma_r: float, sigma_n: float, correlation: float
) -> tuple[float, float, float]:
    """Power a for which R^a Δn is best known, that product, and its relative deviation.

    Parameters
    ----------
    radius, delta : float
        R and the index difference Δn.
    sigma_r, sigma_n, correlation : float
        Their standard deviations and their correlation.

    Returns
    -------
    (float, float, float)
        The power is kept between 0 and 4.
    """
    a, b = sigma_r / radius, sigma_n / max(abs(delta), 1e-12)
    power = float(np.clip(-correlation * b / max(a, 1e-12), 0.0, 4.0))
    variance = (power * a) ** 2 + b**2 + 2 * power * a * b * correlation
    return power, radius**power * delta, float(np.sqrt(max(variance, 0.0)))


def _same_particle(a: str, b: str) -> bool:
    """Whether two names can act on one particle: shared ones act on all."""
    if a.startswith("particles[") and b.startswith("particles["):
        return a.split(".")[0] == b.split(".")[0]
    return True


def _trade_off(parameters: FreeParameters, parts: list[int], weights: Array, sigma: Array) -> str:
    """Sentence about parameters of which the image determines only combinations.

    Parameters
    ----------
    parameters : FreeParameters
    parts : list of int
        Those that take part, strongest first.
    weights : ndarray, shape (len(parts),)
        Components of the direction that is not determined.
    sigma : ndarray, shape (P,)
    """
    involved = [parameters.names[k] for k in parts]
    roles = {parameters.roles[k] for k in parts}
    depths = [k for k in parts if parameters.roles[k] in ("focus", "z")]
    if "spherical" in roles and depths:
        return (
            "Spherical aberration and defocus trade off: the depth is known only to "
            f"{sigma[depths[0]]:.2g} µm. Fit several particles at different depths together, or "
            "calibrate with one bead."
        )
    if {"shear", "bias"} <= roles:
        return (
            "Shear and bias enter mainly through the contrast shear × Δn / tan(bias / 2). Enter "
            "the objective's shear, or fit many particles together."
        )
    if {"focus", "z"} <= roles:
        return "Focus and depth of the particle act only through their difference; fix one of them."
    if len(involved) == 1:
        return f"The image does not determine {involved[0]}; fix it or give it a prior."
    mixture = ", ".join(f"{c:+.2f} {n}" for c, n in zip(weights, involved, strict=True))
    return (
        f"{', '.join(involved)} cannot be separated; only other combinations than {mixture} "
        "(in units of their scales) are determined. Fix one of them."
    )


def advice(
    parameters: FreeParameters,
    spread: Uncertainty,
    scene: Scene,
    priors: Mapping[str, tuple[float, float]],
    sigma: Mapping[str, float],
) -> list[str]:
    """Sentences about trade-offs that are determined, yet not well.

    Parameters
    ----------
    parameters : FreeParameters
        Free names and nuisances, P of them.
    spread : Uncertainty
        Of the scaled parameters.
    scene : Scene
        As fitted.
    priors : mapping of names to (value, sd)
    sigma : mapping
        Standard deviations by name.
    """
    out = []
    if scene.microscope.modality.contrast_by_defocus and _is_lost_in_focus(
        parameters, spread, scene
    ):
        out.append(
            "The particle is nearly in focus, where a transparent particle has almost no "
            "contrast. Images 1–3 µm out of focus determine it 2–4 times better."
        )
    bound = {n for n, at in zip(parameters.names, spread.at_bound, strict=True) if at}
    for name, (nominal, deviation) in priors.items():
        # Numbers that the caller freed have bounds of their own.
        far = abs(get(scene, name) - nominal) > 0.99 * NUISANCE_REACH * deviation
        if name in bound and far:
            out.append(
                f"{name} ended as far from its nominal {nominal:.4g} as its tolerance of "
                f"± {deviation:.2g} lets it: the image asks for other optics than stated. Check "
                "them, or free this number."
            )
        elif sigma.get(name, 0.0) > 0.9 * deviation:
            out.append(
                f"The image does not measure {name}; the result relies on the stated tolerance "
                f"of ± {deviation:.2g}."
            )
    return out


def _is_lost_in_focus(parameters: FreeParameters, spread: Uncertainty, scene: Scene) -> bool:
    """Whether the only particle is within half a depth of field of focus and pays for it."""
    where = {role: k for k, role in enumerate(parameters.roles) if role is not None}
    depth = where.get("focus", where.get("z"))
    particles = [p for pop in scene.populations if pop.visible for p in pop.particles or ()]
    if depth is None or len(particles) != 1:
        return False
    defocus = scene.microscope.focus_planes_um[0] - particles[0].z_um
    partners = [where[role] for role in ("index", "radius") if role in where]
    return abs(defocus) < 0.5 * depth_of_field_um(scene) and any(
        abs(spread.correlation[depth, k]) > 0.9 for k in partners
    )


def both_sides(parameters: FreeParameters, across: Array | None, spread: Uncertainty) -> list[str]:
    """Say that both sides of focus explain the image, and which numbers differ between them.

    Parameters
    ----------
    parameters : FreeParameters
    across : ndarray, shape (P,), or None
        By how much the scaled parameters of the other side differ, its depth mirrored.
    spread : Uncertainty
        The difference included.
    """
    names = [] if across is None else _differing(parameters, across, spread)
    if not names:
        return [BOTH_SIDES]
    return [
        BOTH_SIDES,
        f"There, {', '.join(names)} would differ: the error bars hold both answers.",
    ]


def two_models(
    parameters: FreeParameters, shift: Array | None, spread: Uncertainty, scene: Scene
) -> list[str]:
    """Say that two models of scattering explain the image, and which numbers tell them apart.

    Parameters
    ----------
    parameters : FreeParameters
    shift : ndarray, shape (P,), or None
        By how much the scaled parameters of the other model differ.
    spread : Uncertainty
        The difference included.
    scene : Scene
        As fitted.
    """
    if shift is None:
        return []
    names = _differing(parameters, shift, spread)
    if not names:
        return []
    population = next(p.name for p in scene.populations if p.visible)
    return [
        "Phase slabs and Lorenz-Mie theory explain this image equally well, with different "
        f"{', '.join(names)}: the error bars hold both. State populations.{population}.scattering "
        "= mie if the particle is a homogeneous sphere, or slabs for an image that they made."
    ]


def _differing(parameters: FreeParameters, shift: Array, spread: Uncertainty) -> list[str]:
    """Names whose standard deviation is mostly the difference of two answers."""
    differ = np.abs(shift) > _MOSTLY * spread.sigma
    return [name for name, much in zip(parameters.names, differ, strict=True) if much]


def about_residual(
    test: GoodnessOfFit, noise_known: bool, refined: bool, next_step: str = ""
) -> list[str]:
    """Sentences about the residual.

    Parameters
    ----------
    test : GoodnessOfFit
    noise_known : bool
    refined : bool
        Whether the finer grid moved the fit.
    next_step : str
        What to change where the image is not explained.
    """
    out = []
    if refined:
        out.append(GRID)
    if not noise_known:
        out.append(NOISE_UNKNOWN)
    elif test.chi2 > POOR:
        out.append(f"{NO_GOOD_FIT} {next_step}".strip())
    if next_step and not any(next_step in words for words in out):
        out.append(next_step)
    if test.noise_is_correlated(noise_known):
        out.append(
            "Noise is correlated (compression or interpolation); error bars were widened "
            "accordingly; use raw data."
        )
    elif test.is_structured(noise_known):
        f = test.band_cycles_per_px
        hint = ""
        if test.band > 3.3:
            hint = (
                " Low frequencies point to a neighbour, the background or coherence."
                if f < 0.1
                else " Such frequencies point to an aberration or the NA."
            )
        out.append(
            f"The model does not explain the image completely (most at {f:.2f} cycles/px). Error "
            f"bars are lower limits.{hint}"
        )
    if test.block8 > 3:
        out.append("The residual repeats every 8 pixels (JPEG): values may be biased.")
    return out
