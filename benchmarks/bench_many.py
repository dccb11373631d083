"""Whether every particle of a crowded frame is found and fitted, with the optics they share.

Run it as ``python benchmarks/bench_many.py [rods] [hologram] [brightfield] [--seed 200]``:

- ``rods``: 20 rods in 512 × 512, every fourth 2.2 µm beside another and often across it, seen in
  transmission through aberrations that the fit is not told;
- ``hologram``: 100 beads in a hologram of 512 × 512;
- ``brightfield``: 1,000 beads in 2048 × 2048.

Targets are rendered on a grid three times finer than the camera's in a process of their own,
exposed by Poisson and read noise, and digitised to 8 bit. A particle counts as right when each of
its numbers lies within 2 σ or 1 % of its range of the truth. A line for each frame: particles
found, right ones, false ones; the largest errors of the shared optics in σ; χ² per pixel;
CPU-seconds of the fit, and the most memory that its process held.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from osog import Scene, fit_many, forward
from osog.scene.parameters import replaced

INDEX, WELL, READ, GAIN = 1.333, 4000.0, 5.0, 1e4 / 255
FINER = 3
ASTIGMATISM, SPHERICAL = (f"microscope.aberrations.{n}" for n in ("astigmatism_0", "spherical"))
ABERRATIONS = {ASTIGMATISM: -0.06, SPHERICAL: 0.04}
BALL = {"z_um": (-3, 3), "radius_um": (0.25, 1.0), "index": (INDEX + 0.03, INDEX + 0.20)}
AZIMUTH, TILT = "orientation_deg[0]", "orientation_deg[1]"


@dataclass(frozen=True)
class Exam:
    """One crowded frame: its optics, how many particles, their ranges, and what is asked.

    Neighbours lie at least `apart_um` from each other, but for every fourth of a crowd of
    `pairs`, which lies `pairs` µm from another.
    """

    number: int
    count: int
    pixels: int
    pixel_um: float
    aperture: float
    kind: str
    ranges: dict[str, tuple[float, float]]
    apart_um: float
    pairs: float = 0.0
    shape: str = "sphere"
    unknown: tuple[str, ...] = ()


EXAMS = {
    "rods": Exam(
        20, 20, 512, 0.1, 0.9, "brightfield",
        {"z_um": (-2.5, 2.5), "radius_um": (0.25, 0.6), "index": (INDEX + 0.02, INDEX + 0.08),
         "length_um": (2, 5), AZIMUTH: (0, 180), TILT: (-40, 40)},
        apart_um=6.5, pairs=2.2, shape="rod", unknown=(ASTIGMATISM, SPHERICAL),
    ),
    "hologram": Exam(
        21, 100, 512, 0.15, 0.5, "hologram",
        {"z_um": (-20, -5), "radius_um": (0.3, 1.2), "index": (INDEX + 0.05, INDEX + 0.25)},
        apart_um=4.0,
    ),
    "brightfield": Exam(22, 1000, 2048, 0.1, 0.9, "brightfield", BALL, apart_um=3.5),
}  # fmt: skip


def drawn(exam: Exam, seed: int) -> list[dict[str, float]]:
    """Draw the particles of a frame."""
    rng = np.random.default_rng([seed, exam.number])
    side, edge = exam.pixels * exam.pixel_um, 4.0
    places: list[np.ndarray] = []
    while len(places) < exam.count:
        beside = exam.pairs and len(places) % 4 == 3
        if beside:
            angle = rng.uniform(0, 2 * np.pi)
            place = places[-1] + exam.pairs * np.array([np.cos(angle), np.sin(angle)])
            if not np.all((place > edge) & (place < side - edge)):
                continue
        else:
            place = rng.uniform(edge, side - edge, 2)
            if any(np.hypot(*(place - other)) < exam.apart_um for other in places):
                continue
        places.append(place)
    return [
        {"x_um": float(x), "y_um": float(y)}
        | {n: float(rng.uniform(*limits)) for n, limits in exam.ranges.items()}
        for x, y in places
    ]


def scene_of(exam: Exam, particles: list[dict[str, float]], finer: int = 1) -> Scene:
    """Describe a frame, with a camera on its own grid and without one on a finer grid."""
    pixel = exam.pixel_um / finer
    shift = (finer - 1) / 2 * pixel
    ranges = exam.ranges
    law = {n: {"law": "uniform", "low": a, "high": b} for n, (a, b) in ranges.items()}
    shape = {"kind": exam.shape, "radius_um": law["radius_um"]}
    if exam.shape == "rod":
        shape["length_um"] = law["length_um"]
    listed = []
    for one in particles:
        own = {n: v for n, v in one.items() if "[" not in n}
        own |= {"x_um": one["x_um"] + shift, "y_um": one["y_um"] + shift}
        if AZIMUTH in one:
            own["orientation_deg"] = (one[AZIMUTH], one[TILT], 0.0)
        listed.append(own)
    population: dict[str, Any] = {
        "name": "p", "shape": shape, "material": {"index": law["index"]},
        "placement": {"z_um": law["z_um"]},
    }  # fmt: skip
    data: dict[str, Any] = {
        "grid": {"shape": [exam.pixels * finer] * 2, "pixel_size_um": pixel},
        "medium": {"index": INDEX},
        "populations": [population | ({"particles": listed} if particles else {"count": 1})],
        "microscope": {
            "modality": {"kind": exam.kind}, "wavelength_um": 0.532,
            "numerical_aperture": exam.aperture,
        },
    }  # fmt: skip
    if finer == 1:
        data["camera"] = {
            "background_electrons": WELL, "full_well_electrons": 1e4, "read_noise_electrons": READ,
            "gain_electrons_per_count": GAIN, "offset_counts": 0, "bit_depth": 8,
        }  # fmt: skip
    return Scene.parse(data)


def target(exam: Exam, seed: int) -> np.ndarray:
    """Counts of a frame that is rendered on a finer grid."""
    scene = scene_of(exam, drawn(exam, seed), FINER)
    scene = replaced(scene, {name: ABERRATIONS[name] for name in exam.unknown})
    with torch.no_grad():
        image = forward(scene, dtype=torch.float32).numpy().astype(float)
    image = image.reshape(exam.pixels, FINER, exam.pixels, FINER).mean((1, 3))
    rng = np.random.default_rng([seed, exam.number, 1])
    slopes = rng.uniform(-0.03, 0.03, 2) * WELL
    line = np.linspace(-1, 1, exam.pixels)
    electrons = WELL * image + slopes[0] * line + slopes[1] * line[:, None]
    noisy = rng.poisson(np.maximum(electrons, 0)) + rng.normal(0, READ, image.shape)
    return np.clip(np.round(noisy / GAIN), 0, 255)


def fields_of(exam: Exam) -> tuple[str, ...]:
    """Fields of a particle that are fitted."""
    return ("x_um", "y_um", *exam.ranges)


def right(row: dict[str, Any], one: dict[str, float], exam: Exam) -> bool:
    """Whether every number of a row lies within 2 σ or 1 % of its range of the truth."""
    ranges = {"x_um": (-0.8, 0.8), "y_um": (-0.8, 0.8)} | exam.ranges
    errors = {n: row[n] - one[n] for n in ranges}
    if AZIMUTH in errors:
        # The ends of a rod are alike: turned by half a turn, its tilt is the other way.
        turns = round(errors[AZIMUTH] / 180)
        errors[AZIMUTH] -= 180 * turns
        errors[TILT] = row[TILT] * (-1) ** turns - one[TILT]
    return all(
        abs(error) <= max(2 * row[f"{n}_sigma"], 0.01 * (ranges[n][1] - ranges[n][0]))
        for n, error in errors.items()
    )


def sat(name: str, seed: int, image: np.ndarray) -> str:
    """Sit one exam."""
    exam = EXAMS[name]
    truth = drawn(exam, seed)
    clock = time.process_time()
    table = fit_many(
        image, scene_of(exam, []), fields_of(exam), joint=True,
        optics="uncertain" if exam.unknown else "exact",
    )  # fmt: skip
    seconds = time.process_time() - clock
    near = 0.5
    rows = list(table.rows)
    found, good, missed = 0, 0, []
    for k, one in enumerate(truth):
        here = [
            r for r in rows if np.hypot(r["x_um"] - one["x_um"], r["y_um"] - one["y_um"]) < near
        ]
        if not here:
            missed.append(k)
            continue
        row = min(here, key=lambda r: np.hypot(r["x_um"] - one["x_um"], r["y_um"] - one["y_um"]))
        rows.remove(row)
        found += 1
        good += right(row, one, exam)
    optics = [
        f"{n.rsplit('.', 1)[-1]} {value:+.4f} ± {sigma:.4f} (true {ABERRATIONS.get(n, 0):+.2f})"
        for n, (value, sigma) in getattr(table, "shared", {}).items()
    ]
    residual = (table.residual - np.median(table.residual))[8:-8, 8:-8]
    noise = np.sqrt(WELL + READ**2 + GAIN**2 / 12) / GAIN
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return (
        f"{name:12s} found {found} of {len(truth)}, false {len(rows)}, right {good}; "
        f"χ²/pixel {np.mean((residual / noise) ** 2):.4f}; {seconds:.1f} CPU-s; {peak:.2f} GiB; "
        f"{'; '.join(optics)}  missed {missed}"
    )


def main() -> None:
    """Sit the exams that the command line names, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exams", nargs="*", default=list(EXAMS), metavar="exam")
    parser.add_argument("--seed", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="folder where targets are kept")
    parser.add_argument("--step", choices=("target", "fit"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step is None:
        with tempfile.TemporaryDirectory() as folder:
            for name in asked.exams:
                for step in ("target", "fit"):
                    subprocess.run(
                        [sys.executable, __file__, name, "--seed", str(asked.seed),
                         "--keep", str(asked.keep or folder), "--step", step], check=True,
                    )  # fmt: skip
        return
    (name,) = asked.exams
    path = asked.keep / f"{name}-{asked.seed}.npy"
    if asked.step == "target":
        if not path.exists():
            asked.keep.mkdir(parents=True, exist_ok=True)
            np.save(path, target(EXAMS[name], asked.seed))
        return
    print(sat(name, asked.seed, np.load(path)), flush=True)


if __name__ == "__main__":
    main()
