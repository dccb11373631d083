"""What a fit tells the user: what is not determined, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.fitting.parameters import last_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from osog.fitting.mismatch import Mismatch
    from osog.fitting.uncertainty import Uncertainty
    from osog.scene import Scene

    Array = NDArray[np.float64]

# χ²/n above which a fit explains nothing worth reporting.
POOR = 1.15
GREY_SCALE = (
    "The grey scale of this image is unknown, and it multiplies the index difference: the index "
    "is not determined, only the geometry is."
)
FOCUS_AND_DEPTH = (
    "Focus and depth of the particles act only through their difference; the focus was held, and "
    "the depths count from it. Give one of them a prior to fit both."
)
NOISE_UNKNOWN = "Noise estimated from the residual; goodness of fit cannot be judged."
NO_GOOD_FIT = "No good fit found. Check particle kind, pixel size, NA, sign."
GRID = "The sampling was too coarse for these error bars; the fit was refined on a finer grid."
STOPPED = "The fit was stopped early; it shows the best so far."
EXHAUSTED = "The search ended before it had converged; fit again from this result."
_TWINS = (
    "The image cannot tell a denser particle above focus from a lighter one below it. The sign "
    "of the index difference was taken from the scene."
)


def undetermined(
    names: tuple[str, ...],
    values: Mapping[str, float],
    scale: Array,
    spread: Uncertainty,
    scene: Scene,
) -> dict[str, str]:
    """Words for every parameter that the image does not determine.

    Parameters
    ----------
    names : tuple of str
        Free names and nuisances, P of them.
    values : mapping
        Fitted values by name.
    scale : ndarray, shape (P,)
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
    sigma = spread.sigma * scale
    for k, name in enumerate(names):
        if spread.at_bound[k]:
            out[name] = f"{name} ended at its limit {values[name]:.4g}; widen the range or fix it."
        elif not np.isfinite(sigma[k]):
            out[name] = f"{name} has no effect on this image; fix it."
    for pair in _size_and_index(names, values, sigma, spread, scene):
        for name in pair[:2]:
            out.setdefault(name, pair[2])
    for deviation, direction in spread.weak:
        parts = [k for k in np.argsort(-np.abs(direction)) if abs(direction[k]) > 0.3]
        involved = [names[k] for k in parts]
        words = _of_direction(involved, direction[parts], deviation, sigma, names)
        for k in parts:
            # A component takes part; only those that are themselves uncertain are flagged.
            if sigma[k] > 0.05 * scale[k]:
                out.setdefault(names[k], words)
    return out


def _size_and_index(
    names: tuple[str, ...],
    values: Mapping[str, float],
    sigma: Array,
    spread: Uncertainty,
    scene: Scene,
) -> list[tuple[str, str, str]]:
    medium = values.get("medium.index", scene.medium.index)
    radii = [k for k, n in enumerate(names) if last_word(n) == "radius_um"]
    indices = [
        k for k, n in enumerate(names) if last_word(n) == "index" and not n.startswith("medium")
    ]
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
            power, product, relative = _product(
                values[names[r]], delta, sigma[r], sigma[i], correlation
            )
            out.append((names[r], names[i], (
                "Size and index difference cannot be separated for this small particle; the "
                f"product R^{power:.1f} Δn = {product:.3g} is known to {100 * relative:.2g} %. "
                "Fix one of them (known index or known size), or image 1–3 µm out of focus."
            )))  # fmt: skip
    return out


def _product(
    radius: float, delta: float, sigma_r: float, sigma_n: float, correlation: float
) -> tuple[float, float, float]:
    """Power a for which R^a Δn is best known, that product, and its relative deviation."""
    a, b = sigma_r / radius, sigma_n / max(abs(delta), 1e-12)
    power = float(np.clip(-correlation * b / max(a, 1e-12), 0.0, 4.0))
    variance = (power * a) ** 2 + b**2 + 2 * power * a * b * correlation
    return power, radius**power * delta, float(np.sqrt(max(variance, 0.0)))


def _same_particle(a: str, b: str) -> bool:
    """Whether two names can act on one particle: shared ones act on all."""
    if a.startswith("particles[") and b.startswith("particles["):
        return a.split(".")[0] == b.split(".")[0]
    return True


def _of_direction(
    involved: list[str], parts: Array, deviation: float, sigma: Array, names: tuple[str, ...]
) -> str:
    words = {last_word(name) for name in involved}
    if "spherical" in words and words & {"focus_um", "z_um"}:
        depth = next(n for n in involved if last_word(n) in ("focus_um", "z_um"))
        known = sigma[names.index(depth)]
        return (
            "Spherical aberration and defocus trade off: the depth is known only to "
            f"{known:.2g} µm. Fit several particles at different depths together, or calibrate "
            "with one bead."
        )
    if {"shear_um", "bias_retardance_deg"} <= words:
        return (
            "Shear and bias enter mainly through the contrast shear × Δn / tan(bias / 2). Enter "
            "the objective's shear, or fit many particles together."
        )
    if {"focus_um", "z_um"} <= words:
        return "Focus and depth of the particle act only through their difference; fix one of them."
    if len(involved) == 1:
        return f"The image does not determine {involved[0]}; fix it or give it a prior."
    mixture = ", ".join(f"{c:+.2f} {n}" for c, n in zip(parts, involved, strict=True))
    return (
        f"{', '.join(involved)} cannot be separated; only other combinations than {mixture} "
        "(in units of their scales) are determined. Fix one of them."
    )


def advice(
    names: tuple[str, ...],
    values: Mapping[str, float],
    spread: Uncertainty,
    scene: Scene,
    priors: Mapping[str, tuple[float, float]],
    sigma: Mapping[str, float],
) -> list[str]:
    """Sentences about trade-offs that are determined, yet not well."""
    out = []
    index = {last_word(n): k for k, n in enumerate(names) if not n.startswith("medium")}
    depth = index.get("focus_um", index.get("z_um"))
    field = 0.5 * scene.microscope.wavelength_um * scene.medium.index
    field /= scene.microscope.numerical_aperture**2
    if depth is not None and scene.microscope.modality.kind in ("brightfield", "hologram"):
        distance = _distance(names, values, scene)
        partners = [index[w] for w in ("index", "radius_um") if w in index]
        if (
            distance is not None
            and abs(distance) < field
            and any(abs(spread.correlation[depth, k]) > 0.9 for k in partners)
        ):
            out.append(
                "The particle is nearly in focus, where a transparent particle has almost no "
                "contrast. Images 1–3 µm out of focus determine it 2–4 times better."
            )
    for name, (_, deviation) in priors.items():
        if sigma.get(name, 0.0) > 0.9 * deviation:
            out.append(
                f"The image does not measure {name}; the result relies on the stated tolerance "
                f"of ± {deviation:.2g}."
            )
    return out


def _distance(names: tuple[str, ...], values: Mapping[str, float], scene: Scene) -> float | None:
    particles = [p for pop in scene.populations if pop.visible for p in pop.particles or ()]
    if len(particles) != 1:
        return None
    return scene.microscope.focus_planes_um[0] - particles[0].z_um


def twins(names: tuple[str, ...], scene: Scene) -> list[str]:
    """Say that depth and sign of the index difference have a mirror image, where they have."""
    kind = scene.microscope.modality.kind
    words = {last_word(n) for n in names if not n.startswith("medium")}
    if kind not in ("brightfield", "hologram") or "index" not in words:
        return []
    if not words & {"focus_um", "z_um"} or "absorption_per_um" in words:
        return []
    extra = ""
    if any(p.visible and p.shape.kind != "sphere" for p in scene.populations):
        extra = " The same holds for the tilt direction."
    if "spherical" in words:
        extra += " The same holds for the sign of the aberration."
    return [_TWINS + extra]


def of_mismatch(test: Mismatch, noise_known: bool, refined: bool) -> list[str]:
    """Sentences about the residual."""
    out = []
    if refined:
        out.append(GRID)
    if not noise_known:
        out.append(NOISE_UNKNOWN)
    elif test.chi2 > POOR:
        out.append(NO_GOOD_FIT)
    correlated = test.neighbour > 0.2
    if noise_known and test.chi2 < 0.8 and correlated:
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
