"""Whether blind fits of one particle find the optimum, and what they cost.

Run it as ``python benchmarks/bench_fit.py [modality ...] [--seeds 200-209] [--exact]``. Every
problem is drawn from its seed, rendered on a grid three times finer than the camera's, exposed by
Poisson and read noise and digitised to 8 bit; the fit is told the optics, the camera and the
ranges, and starts at the middle of them. A second fit starts at the truth: the blind one has found
the optimum when its χ² is no higher by 5 (the rms by 0.1 % where the noise is not known). With
``--exact`` the target is instead noise-free, on the engine's own grid, in irradiance or radians.

A line for each modality: problems at the optimum; wrong ones called a success; share of the
identifiable numbers (σ below 5 % of the range) whose 95 % interval holds the truth; CPU-seconds,
median and largest, blind and from the truth.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from osog import Scene, fit, forward
from osog.scene.parameters import replaced

INDEX, WELL, READ, GAIN = 1.333, 4000.0, 5.0, 1e4 / 255
PHASE_NOISE_RAD = 0.02
FOCUS, R, N, LENGTH = (
    "microscope.focus_um",
    *(f"particles[0].{name}" for name in ("radius_um", "index", "length_um")),
)
X, Y = "particles[0].x_um", "particles[0].y_um"
AZIMUTH, TILT = (f"particles[0].orientation_deg[{k}]" for k in (0, 1))
SHEAR, ACROSS, BIAS = (
    f"microscope.modality.{name}" for name in ("shear_um", "shear_azimuth_deg", "bias_deg")
)
BALL = ((FOCUS, -3, 3), (R, 0.25, 1.0), (N, 0.03, 0.20))
ROD = ((FOCUS, -2.5, 2.5), (R, 0.25, 0.6), (N, 0.02, 0.08), (LENGTH, 2, 5), (AZIMUTH, 0, 180),
       (TILT, -40, 40))  # fmt: skip
NOMARSKI = ((SHEAR, 0.1, 0.3), (ACROSS, 23, 69), (BIAS, 34, 126))


@dataclass(frozen=True)
class Exam:
    """One kind of problem: its frame, its optics, and the ranges of its free numbers.

    Ranges of an index are of the difference from the medium; positions lie within `reach_um` of
    the middle of the frame.
    """

    number: int
    modality: dict[str, Any]
    ranges: tuple[tuple[str, float, float], ...]
    pixels: int = 64
    pixel_um: float = 0.1
    aperture: float = 0.9
    reach_um: float = 0.8
    condenser: float = 0.0
    shape: str = "sphere"


EXAMS = {
    "brightfield": Exam(0, {"kind": "brightfield"}, BALL),
    "hologram": Exam(
        5, {"kind": "hologram"}, ((FOCUS, 5, 20), (R, 0.3, 1.2), (N, 0.05, 0.25)),
        pixels=128, pixel_um=0.15, aperture=0.5, reach_um=1.5,
    ),
    "dic": Exam(3, {"kind": "dic"}, BALL + NOMARSKI, condenser=0.54),
    "rod": Exam(2, {"kind": "brightfield"}, ROD, pixels=80, shape="rod"),
    "phase": Exam(6, {"kind": "phase"}, ((FOCUS, -3, 3), (R, 0.4, 1.2), (N, 0.01, 0.08))),
    "fluorescence": Exam(7, {"kind": "fluorescence"}, ((FOCUS, -1.5, 1.5), (R, 0.3, 1.0))),
    "phase_contrast": Exam(8, {"kind": "phase_contrast"}, BALL, aperture=0.6, condenser=0.3),
    "darkfield": Exam(9, {"kind": "darkfield"}, BALL, aperture=0.6),
    "reflection": Exam(10, {"kind": "reflection"}, BALL),
    "iscat": Exam(11, {"kind": "iscat"}, ((FOCUS, -1.5, 1.5), (R, 0.05, 0.2), (N, 0.03, 0.2))),
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One problem: its scenes, its target and what is free."""

    truth: dict[str, float]
    scene: Scene
    start: Scene
    image: np.ndarray
    bounds: dict[str, tuple[float, float]]


def scene_of(exam: Exam, values: dict[str, float], *, camera: bool, finer: int = 1) -> Scene:
    """Describe a problem on a grid `finer` times finer than the camera's."""
    pixel = exam.pixel_um / finer
    # The centre of a camera pixel is that of the middle one of its fine pixels.
    shift = (finer - 1) / 2 * pixel
    shape = {"kind": exam.shape, "radius_um": 0.5}
    if exam.shape == "rod":
        shape["length_um"] = 3.0
    optics: dict[str, Any] = {
        "modality": dict(exam.modality), "wavelength_um": 0.532,
        "numerical_aperture": exam.aperture,
    }  # fmt: skip
    if exam.condenser:
        optics["condenser_numerical_aperture"] = exam.condenser
    data: dict[str, Any] = {
        "grid": {"shape": [exam.pixels * finer] * 2, "pixel_size_um": pixel},
        "medium": {"index": INDEX},
        "populations": [
            {"name": "p", "shape": shape, "material": {"index": 1.4},
             "particles": [{"x_um": 0.0, "y_um": 0.0, "z_um": 0.0, "radius_um": 0.5, "index": 1.4,
                            **({"length_um": 3.0} if exam.shape == "rod" else {})}]}
        ],
        "microscope": optics,
    }  # fmt: skip
    if camera:
        data["camera"] = {
            "background_electrons": WELL, "full_well_electrons": 1e4, "read_noise_electrons": READ,
            "gain_electrons_per_count": GAIN, "offset_counts": 0, "bit_depth": 8,
        }  # fmt: skip
    moved = {n: v + shift if n in (X, Y) else v for n, v in values.items()}
    return replaced(Scene.parse(data), moved)


def problem(exam: Exam, seed: int, exact: bool) -> Problem:
    """Draw the truth of a seed and make its target."""
    middle = (exam.pixels - 1) / 2 * exam.pixel_um
    reach = exam.reach_um
    ranges = [(X, middle - reach, middle + reach), (Y, middle - reach, middle + reach)]
    ranges += [(n, a + INDEX, b + INDEX) if n == N else (n, a, b) for n, a, b in exam.ranges]
    rng = np.random.default_rng([seed, exam.number])
    low, high = np.array([r[1:] for r in ranges], float).T
    names = [r[0] for r in ranges]
    truth = dict(zip(names, (low + (high - low) * rng.uniform(0, 1, len(low))).tolist(),
                     strict=True))  # fmt: skip
    slopes = rng.uniform(-0.03, 0.03, 2) * WELL
    measures_phase = exam.modality["kind"] == "phase"
    camera = not exact and not measures_phase
    scene = scene_of(exam, truth, camera=camera)
    if exact:
        image = forward(scene).numpy()
    else:
        fine = forward(scene_of(exam, truth, camera=False, finer=3)).numpy()
        image = fine.reshape(exam.pixels, 3, exam.pixels, 3).mean((1, 3))
        image = exposed(image, exam, rng, slopes)
    width = high - low
    widened = {}
    for n, a, b, w in zip(names, low, high, width, strict=True):
        least = {R: 0.4 * a, N: INDEX + 0.4 * (a - INDEX), LENGTH: 0.4 * a, SHEAR: 0.4 * a}.get(n)
        widened[n] = (a - 0.2 * w if least is None else max(a - 0.2 * w, least), b + 0.2 * w)
    start = replaced(scene, dict(zip(names, (0.5 * (low + high)).tolist(), strict=True)))
    return Problem(truth, scene, start, image, widened)


def exposed(image: np.ndarray, exam: Exam, rng: np.random.Generator, slopes: Any) -> np.ndarray:
    """Counts of an irradiance, or a noisy phase."""
    if exam.modality["kind"] == "phase":
        return image + rng.normal(0, PHASE_NOISE_RAD, image.shape)
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    level = 1.0
    if exam.modality["kind"] == "dic":
        level = 1 / float(edge.mean())
    elif exam.modality["kind"] in ("fluorescence", "darkfield"):
        level = 1.5 / float(image.max())
    line = np.linspace(-1, 1, exam.pixels)
    electrons = WELL * level * image + slopes[0] * line + slopes[1] * line[:, None]
    noisy = rng.poisson(np.maximum(electrons, 0)) + rng.normal(0, READ, image.shape)
    return np.clip(np.round(noisy / GAIN), 0, 255)


def timed(one: Problem, scene: Scene, **options: Any) -> tuple[Any, float]:
    """Fit and count the CPU-seconds."""
    clock = time.process_time()
    result = fit(one.image, scene, tuple(one.truth), one.bounds, optics="exact", **options)
    return result, time.process_time() - clock


def wrong(result: Any, reference: Any, one: Problem, exact: bool) -> bool:
    """Whether a fit has missed the optimum."""
    if exact:
        return max(
            abs(result.values[n] - v) / (one.bounds[n][1] - one.bounds[n][0])
            for n, v in one.truth.items() if n != AZIMUTH
        ) > 1e-3  # fmt: skip
    if one.scene.camera is None:
        return bool(result.rms > 1.001 * reference.rms)
    pixels = one.image.size
    return bool(result.chi2_per_pixel > reference.chi2_per_pixel + 5 / pixels)


def row(name: str, seeds: range, exact: bool) -> str:
    """Sit one exam."""
    exam = EXAMS[name]
    optimum, false, inside, blind_s, truth_s, failed = 0, [], [], [], [], []
    for seed in seeds:
        one = problem(exam, seed, exact)
        try:
            reference, known = timed(one, one.scene, start="scene")
            result, blind = timed(one, one.start)
        except ValueError as error:
            failed.append(f"{seed}:{error}")
            continue
        blind_s.append(blind)
        truth_s.append(known)
        missed = wrong(result, reference, one, exact)
        optimum += not missed
        if missed:
            failed.append(str(seed))
            false += [seed] if result.success else []
        for n, v in one.truth.items():
            if result.sigma[n] <= 0.05 * (one.bounds[n][1] - one.bounds[n][0]) and n != AZIMUTH:
                inside.append(abs(result.values[n] - v) < 1.96 * result.sigma[n])
    return (
        f"{name:15s} {optimum:3d} of {len(seeds):3d}   false success {len(false)} {false}  "
        f"intervals {np.mean(inside or [0]):.3f}  CPU-s {np.median(blind_s):.2f} / "
        f"{max(blind_s):.2f} (from the truth {np.median(truth_s):.2f})  missed {' '.join(failed)}"
    )


def main() -> None:
    """Sit the exams that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modalities", nargs="*", default=[], metavar="modality")
    parser.add_argument("--seeds", default="200-209", help="FIRST-LAST")
    parser.add_argument("--exact", action="store_true", help="noise-free, on the engine's grid")
    asked = parser.parse_args()
    first, last = (int(part) for part in asked.seeds.split("-"))
    for name in asked.modalities or EXAMS:
        print(row(name, range(first, last + 1), asked.exact), flush=True)


if __name__ == "__main__":
    main()
