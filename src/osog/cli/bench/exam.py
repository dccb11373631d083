"""The problems on which fits are examined: what is drawn, how the target is made, what is told.

A problem is drawn from its seed. Its target is rendered finely, for pixels three times finer than
the camera's, which integrate the light, averaged over these, given a slope of the light, exposed by
Poisson and read noise and digitised to 8 bit. A phase is taken at the centres of the pixels, as the
engine means it, and given noise of its own. An exact target is the engine's own noise-free image.
The fit is told the optics, the camera and the ranges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from osog.rendering import forward
from osog.scene import Scene
from osog.scene.parameters import describe, replaced

INDEX, WELL, READ, GAIN = 1.333, 4000.0, 5.0, 1e4 / 255
PHASE_NOISE_RAD = 0.02
HAZE = 0.05
FINER = 3
QUANTUM = 0.01
"""Irradiance that makes one count where a target is rendered."""
TOLERANCE = 0.02
"""Standard deviation of uncertain optics: waves, and share of the NA."""
WIDENED = 0.2
"""Share of a range by which the bounds reach beyond it."""

FOCUS = "microscope.focus_um"
X, Y, R, N, LENGTH = (
    f"particles[0].{name}" for name in ("x_um", "y_um", "radius_um", "index", "length_um")
)
AZIMUTH, TILT = (f"particles[0].orientation_deg[{k}]" for k in (0, 1))
SIZES = tuple(f"particles[0].size_um[{k}]" for k in range(3))
SEMI_AXES = tuple(f"particles[0].semi_axes_um[{k}]" for k in range(3))
SHEAR, ACROSS, BIAS = (
    f"microscope.modality.{name}" for name in ("shear_um", "azimuth_deg", "bias_retardance_deg")
)
OPTICS = (
    *(f"microscope.aberrations.{n}" for n in ("astigmatism_0", "astigmatism_45", "spherical")),
    "microscope.numerical_aperture",
)

Range = tuple[str, float, float]
POSE: tuple[Range, ...] = ((AZIMUTH, 0, 180), (TILT, -40, 40))
BODIES: dict[str, tuple[dict[str, Any], tuple[Range, ...]]] = {
    "sphere": ({"radius_um": 0.5}, ((R, 0.25, 1.0),)),
    "rod": ({"radius_um": 0.5, "length_um": 3.0}, ((R, 0.25, 0.6), (LENGTH, 2, 5), *POSE)),
    "cylinder": ({"radius_um": 0.5, "length_um": 2.0}, ((R, 0.4, 0.8), (LENGTH, 1.5, 3), *POSE)),
    "box": (
        {"size_um": [2.0, 1.4, 1.0]},
        ((SIZES[0], 1.8, 2.6), (SIZES[1], 1.1, 1.6), (SIZES[2], 0.6, 1.0), (AZIMUTH, 10, 80),
         (TILT, 5, 25)),
    ),
    "ellipsoid": (
        {"semi_axes_um": [1.1, 0.7, 0.5]},
        ((SEMI_AXES[0], 0.9, 1.3), (SEMI_AXES[1], 0.6, 0.8), (SEMI_AXES[2], 0.35, 0.55),
         (AZIMUTH, 10, 80), (TILT, 5, 25)),
    ),
}  # fmt: skip
"""Shapes: their numbers in the population, and those that are free with their ranges."""


@dataclass(frozen=True)
class Exam:
    """One kind of problem: its frame, its optics, and the ranges of its free numbers.

    Attributes
    ----------
    number : int
        Part of the seed.
    modality : dict
    shape : str
        A key of `BODIES`.
    ranges : tuple of (str, float, float)
        In the order of their draws, after the position. Those of an index are of the difference
        from the medium.
    pixels, pixel_um : int, float
        Of the square frame.
    aperture, condenser : float
        NA of the objective and of the condenser.
    reach_um : float
        Positions lie so far from the middle of the frame at most.
    material : dict
        Of the particle, beside its index.
    nuisance : bool
        Whether the optics differ from what the fit is told by draws of the deviation `TOLERANCE`.
    exact : bool
        Whether the target is noise-free, on the engine's own grid, in irradiance or radians.
    """

    number: int
    modality: dict[str, Any]
    shape: str
    ranges: tuple[Range, ...]
    pixels: int = 64
    pixel_um: float = 0.1
    aperture: float = 0.9
    condenser: float = 0.0
    reach_um: float = 0.8
    material: dict[str, Any] | None = None
    nuisance: bool = False
    exact: bool = False

    @property
    def kind(self) -> str:
        """Name of the modality."""
        return str(self.modality["kind"])

    @property
    def has_camera(self) -> bool:
        """Whether the target is in counts of a camera of known noise."""
        optics = Scene.parse({"microscope": {"modality": self.modality}}).microscope
        return not self.exact and not optics.modality.measures_phase

    @property
    def symmetric_in_focus(self) -> bool:
        """Whether both sides of focus give the same image, so that either is right."""
        return self.kind in ("fluorescence", "confocal") and self.shape == "sphere"


def _ranges(focus: float, index: tuple[float, float] | None, shape: str) -> tuple[Range, ...]:
    optical = () if index is None else ((N, *index),)
    size = BODIES[shape][1]
    return ((FOCUS, -focus, focus), size[0], *optical, *size[1:])


_NOMARSKI: tuple[Range, ...] = ((SHEAR, 0.1, 0.3), (ACROSS, 23, 69), (BIAS, 34, 126))
_HOLOGRAM: tuple[Range, ...] = ((FOCUS, 5, 20), (R, 0.3, 1.2), (N, 0.05, 0.25))
_BALL, _ROD = _ranges(3, (0.03, 0.20), "sphere"), _ranges(2.5, (0.02, 0.08), "rod")
_BRIGHT, _DIC = {"kind": "brightfield"}, {"kind": "dic"}

EXAMS: dict[str, Exam] = {
    "brightfield-sphere": Exam(0, _BRIGHT, "sphere", _BALL),
    "hologram-sphere": Exam(
        5, {"kind": "hologram"}, "sphere", _HOLOGRAM,
        pixels=128, pixel_um=0.15, aperture=0.5, reach_um=1.5,
    ),
    "dic-sphere": Exam(3, _DIC, "sphere", _BALL + _NOMARSKI, condenser=0.54),
    "brightfield-rod": Exam(2, _BRIGHT, "rod", _ROD, pixels=80),
    "dic-rod": Exam(4, _DIC, "rod", _ROD + _NOMARSKI, pixels=80, condenser=0.54),
    "phase-sphere": Exam(
        6, {"kind": "phase"}, "sphere", ((FOCUS, -3, 3), (R, 0.4, 1.2), (N, 0.01, 0.08))
    ),
    "fluorescence-sphere": Exam(
        7, {"kind": "fluorescence"}, "sphere", ((FOCUS, -1.5, 1.5), (R, 0.3, 1.0))
    ),
}  # fmt: skip
"""Blind exams: the fit starts in the middle of the ranges."""
NUISANCE: dict[str, Exam] = {
    name: replace(exam, nuisance=True)
    for name, exam in EXAMS.items()
    if name in ("brightfield-sphere", "hologram-sphere")
}
"""Blind exams of which the optics are known within their tolerances only."""

_DENSE, _GLASS = (0.03, 0.08), {"birefringence": 0.02, "optic_axis": [1.0, 0.0, 0.0]}
_EXACT: dict[str, dict[str, Any]] = {
    "brightfield": {"modality": _BRIGHT},
    "hologram": {"modality": {"kind": "hologram"}, "focus": (4, 8), "aperture": 0.5},
    "off_axis_hologram": {
        "modality": {"kind": "off_axis_hologram", "carrier_per_um": 3.0}, "aperture": 0.5
    },
    "dic": {"modality": _DIC},
    "phase": {"modality": {"kind": "phase"}, "aperture": 0.6},
    "phase_contrast": {"modality": {"kind": "phase_contrast"}, "aperture": 0.6},
    "darkfield": {"modality": {"kind": "darkfield"}, "aperture": 0.6},
    "polarized": {"modality": {"kind": "polarized"}, "aperture": 0.6, "material": _GLASS},
    "shadowgraph": {"modality": {"kind": "shadowgraph"}, "aperture": 0.3},
    "fluorescence": {"modality": {"kind": "fluorescence"}, "index": None},
    "confocal": {"modality": {"kind": "confocal"}, "index": None},
    "light_sheet": {"modality": {"kind": "light_sheet"}, "index": None},
    "reflection": {"modality": {"kind": "reflection"}},
    "iscat": {"modality": {"kind": "iscat"}},
}  # fmt: skip


def _exact(number: int, shape: str, given: dict[str, Any]) -> Exam:
    given = {"focus": (0.8, 1.8), "index": _DENSE, **given}
    low, high = given.pop("focus")
    index = given.pop("index")
    first, *rest = _ranges(1.0, index, shape)
    # Away from focus, so that every number acts to first order.
    ranges = ((first[0], low, high), *rest)
    return Exam(number, shape=shape, ranges=ranges, pixels=56, reach_um=0.5, exact=True, **given)


EXACT: dict[str, Exam] = {
    f"{kind}-{shape}": _exact(100 + 10 * k + j, shape, dict(given))
    for k, (kind, given) in enumerate(_EXACT.items())
    for j, shape in enumerate(BODIES)
}
"""Noise-free targets of every modality and shape, with starts 5 to 10 % of a range off."""


@dataclass(frozen=True)
class Problem:
    """One problem.

    Attributes
    ----------
    exam : Exam
    truth : dict
        Free names → value.
    scene : Scene
        With the truth, and the optics as the fit is told.
    start : Scene
        Where a fit starts.
    image : ndarray, shape (Y, X)
        Counts, irradiance or radians.
    bounds : dict
        Free names → (low, high).
    widths : dict
        Free names → width of the range that they were drawn from.
    """

    exam: Exam
    truth: dict[str, float]
    scene: Scene
    start: Scene
    image: np.ndarray
    bounds: dict[str, tuple[float, float]]
    widths: dict[str, float]

    def errors(self, values: dict[str, float], *, either_side: bool = False) -> dict[str, float]:
        """Value − truth by name, in the units of the names, symmetries of the body taken out.

        Parameters
        ----------
        values : dict
            Free names → value.
        either_side : bool
            Whether the fit says that it cannot tell the sides of focus, so that either is right.
        """
        found = dict(values)
        if AZIMUTH in found:
            half_turns = round((found[AZIMUTH] - self.truth[AZIMUTH]) / 180)
            found[AZIMUTH] -= 180 * half_turns
            if half_turns % 2 and TILT in found:
                found[TILT] = -found[TILT]
        either = either_side or self.exam.symmetric_in_focus
        if either and found[FOCUS] * self.truth[FOCUS] < 0:
            found[FOCUS] = -found[FOCUS]
            if TILT in found:
                found[TILT] = -found[TILT]
        return {name: found[name] - true for name, true in self.truth.items()}


def problem(exam: Exam, seed: int) -> Problem:
    """Draw the truth of a seed and make its target.

    Parameters
    ----------
    exam : Exam
    seed : int
    """
    middle = (exam.pixels - 1) / 2 * exam.pixel_um
    ranges = [(name, middle - exam.reach_um, middle + exam.reach_um) for name in (X, Y)]
    ranges += [(n, a + INDEX, b + INDEX) if n == N else (n, a, b) for n, a, b in exam.ranges]
    names = [name for name, _, _ in ranges]
    low, high = np.array([r[1:] for r in ranges], float).T
    rng = np.random.default_rng([seed, exam.number])
    u = rng.uniform(0, 1, len(low))
    slopes = rng.uniform(-0.03, 0.03, 2) * WELL
    truth = _by_name(names, low + (high - low) * u)
    scene = _scene(exam, truth)
    if exam.exact:
        image = forward(scene).numpy()
        start = replaced(scene, _by_name(names, low + (high - low) * _moved(u, seed)))
    else:
        lens = {}
        if exam.nuisance:
            off = np.random.default_rng([seed, exam.number, 77]).normal(0, TOLERANCE, len(OPTICS))
            lens = _by_name(list(OPTICS), np.array([*off[:-1], exam.aperture * (1 + off[-1])]))
        image = _exposed(noise_free(exam, {**truth, **lens}), exam, rng, slopes)
        start = replaced(scene, _by_name(names, 0.5 * (low + high)))
    widths = _by_name(names, high - low)
    bounds = {n: _bounds(n, a, b) for n, a, b in zip(names, low, high, strict=True)}
    return Problem(exam, truth, scene, start, image, bounds, widths)


def number(scene: Scene, name: str) -> float:
    """Value of a free number in a scene."""
    return describe(scene, name).value


def _by_name(names: list[str], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _moved(u: np.ndarray, seed: int) -> np.ndarray:
    """Start 5 to 10 % of the ranges off, inside them."""
    rng = np.random.default_rng([seed, 1, 7])
    step = rng.uniform(0.05, 0.10, len(u)) * rng.choice([-1, 1], len(u))
    there = u + step
    inside = (there >= 0) & (there <= 1)
    clipped: np.ndarray = np.clip(np.where(inside, there, u - step), 0, 1)
    return clipped


def _bounds(name: str, low: float, high: float) -> tuple[float, float]:
    """Range widened on both sides; sizes and index differences stay well above zero."""
    least, room = low - WIDENED * (high - low), WIDENED * (high - low)
    if name in (R, LENGTH, SHEAR, *SIZES, *SEMI_AXES):
        least = max(least, 0.4 * low)
    elif name == N:
        least = max(least, INDEX + 0.4 * (low - INDEX))
    elif name == AZIMUTH:
        # A direction has no ends, and a fit may turn a body through any of them.
        least, room = low - 180, 180
    return least, high + room


def _scene(exam: Exam, values: dict[str, float], finer: int = 1) -> Scene:
    """Describe a problem on a grid `finer` times finer than the camera's, then without a camera."""
    pixel = exam.pixel_um / finer
    # The centre of a camera pixel is that of the middle one of its fine pixels.
    shift = (finer - 1) / 2 * pixel
    sizes = BODIES[exam.shape][0]
    optics: dict[str, Any] = {
        "modality": dict(exam.modality), "wavelength_um": 0.532,
        "numerical_aperture": exam.aperture,
    }  # fmt: skip
    if exam.condenser:
        optics["condenser_numerical_aperture"] = exam.condenser
    material = {"index": 1.4, **(exam.material or {})}
    particle = {"x_um": 0.0, "y_um": 0.0, "z_um": 0.0, "index": 1.4, **sizes}
    data: dict[str, Any] = {
        "grid": {"shape": [exam.pixels * finer] * 2, "pixel_size_um": pixel},
        "medium": {"index": INDEX},
        "populations": [
            {"name": "p", "shape": {"kind": exam.shape, **sizes}, "material": material,
             "particles": [particle]}
        ],
        "microscope": optics,
    }  # fmt: skip
    if finer > 1:
        data["numerics"] = {"accuracy": "fine"}
    if exam.has_camera and finer > 1:
        # It integrates the light of each pixel and does nothing else: not even whole counts.
        data["camera"] = {
            "background_electrons": 1 / QUANTUM, "full_well_electrons": 1e7, "noise": False,
            "gain_electrons_per_count": 1.0, "offset_counts": 0, "bit_depth": 16,
        }  # fmt: skip
    elif exam.has_camera:
        data["camera"] = {
            "background_electrons": WELL, "full_well_electrons": 1e4, "read_noise_electrons": READ,
            "gain_electrons_per_count": GAIN, "offset_counts": 0, "bit_depth": 8,
        }  # fmt: skip
    moved = {n: v + shift if n in (X, Y) else v for n, v in values.items()}
    return replaced(Scene.parse(data), moved)


def noise_free(exam: Exam, values: dict[str, float]) -> np.ndarray:
    """Irradiance or radians that a target is made from, rendered finely, shape (Y, X).

    Parameters
    ----------
    exam : Exam
    values : dict
        Names → value, of the particle and of the optics.
    """
    fine = forward(_scene(exam, values, finer=FINER)).numpy()
    cells = fine.reshape(exam.pixels, FINER, exam.pixels, FINER)
    if not exam.has_camera:
        middle: np.ndarray = cells[:, FINER // 2, :, FINER // 2]
        return middle
    mean: np.ndarray = cells.mean((1, 3)) * QUANTUM
    return mean


def _exposed(
    image: np.ndarray, exam: Exam, rng: np.random.Generator, slopes: np.ndarray
) -> np.ndarray:
    """Counts of an irradiance, or a noisy phase."""
    if not exam.has_camera:
        noisy: np.ndarray = image + rng.normal(0, PHASE_NOISE_RAD, image.shape)
        return noisy
    if exam.kind == "fluorescence":
        # Nothing but the particle shines, on an even haze.
        electrons = WELL * (1.5 / float(image.max()) * image + HAZE)
    else:
        level = 1.0
        if exam.kind == "dic":
            edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
            level = 1 / float(edge.mean())
        line = np.linspace(-1, 1, exam.pixels)
        electrons = WELL * level * image + slopes[0] * line + slopes[1] * line[:, None]
    counts = rng.poisson(np.maximum(electrons, 0)) + rng.normal(0, READ, image.shape)
    return np.clip(np.round(counts / GAIN), 0, 255)


__all__ = ["EXACT", "EXAMS", "NUISANCE", "Exam", "Problem", "problem"]
