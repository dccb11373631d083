"""A toy image model without an engine, and a small engine scene."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.problem.linear import LinearPart
from osog.fitting.problem.parameters import FreeParameters
from osog.fitting.problem.residuals import ImageProblem
from osog.scene import Scene


class Blob:
    """A Gaussian blob on a flat background, as a least-squares problem."""

    names = ("x", "y", "width", "depth")
    true = np.array([15.2, 16.7, 3.0, 0.3])

    def __init__(self, shape=(32, 32)):
        self.shape = shape
        self.rows, self.columns = np.indices(shape).astype(float)

    def model(self, values):
        square = (self.columns - values["x"]) ** 2 + (self.rows - values["y"]) ** 2
        return 1.0 - values["depth"] * np.exp(-0.5 * square / values["width"] ** 2)

    def image(self, gain=100.0, slopes=(3.0, -2.0)):
        x = np.linspace(-1, 1, self.shape[1])[None, :]
        y = np.linspace(-1, 1, self.shape[0])[:, None]
        clean = self.model(dict(zip(self.names, self.true, strict=True)))
        return gain * clean + slopes[0] * x + slopes[1] * y

    def parameters(self, start=(14.0, 18.0, 2.2, 0.4), low=None, high=None):
        start = np.array(start)
        return FreeParameters(
            self.names,
            ("px", "px", "px", ""),
            (None, None, None, None),
            start,
            np.array([0.0, 0.0, 0.5, 0.01]) if low is None else np.array(low),
            np.array([32.0, 32.0, 9.0, 1.0]) if high is None else np.array(high),
            np.array([5.0, 5.0, 2.0, 0.3]),
        )

    def problem(self, data, sigma=1.0, parameters=None, linear=None, priors=None, used=None):
        weights = np.full(self.shape, 1.0 / sigma)
        if used is not None:
            weights = weights * used
        return ImageProblem(
            data,
            weights,
            self.model,
            self.parameters() if parameters is None else parameters,
            LinearPart(True, False, True, False) if linear is None else linear,
            priors,
        )


@pytest.fixture
def blob():
    return Blob()


@pytest.fixture
def sphere_scene():
    """Make a scene of a sphere, with any block replaced."""
    return make_sphere_scene


def make_sphere_scene(**changes):
    """A sphere in brightfield on a camera with known noise; 40 × 40 pixels."""
    data = {
        "grid": {"shape": [40, 40], "pixel_size_um": 0.1},
        "medium": {"index": 1.333},
        "populations": [
            {
                "name": "beads",
                "shape": {"kind": "sphere", "radius_um": 0.5},
                "material": {"index": 1.40},
                "particles": [
                    {"x_um": 1.93, "y_um": 2.04, "z_um": 0.0, "radius_um": 0.5, "index": 1.40}
                ],
            }
        ],
        "microscope": {
            "modality": {"kind": "brightfield"},
            "wavelength_um": 0.532,
            "numerical_aperture": 0.6,
            "focus_um": 2.0,
        },
        "camera": {
            "background_electrons": 4000,
            "full_well_electrons": 20000,
            "gain_electrons_per_count": 5,
            "offset_counts": 20,
            "read_noise_electrons": 3,
            "bit_depth": 12,
        },
    }
    data.update(changes)
    return Scene.parse(data)


@pytest.fixture(scope="session")
def rod_names():
    """Everything of a rod that an image shows."""
    return (
        "microscope.focus_um",
        *(f"particles[0].{f}_um" for f in ("x", "y", "radius", "length")),
        "particles[0].index",
        "particles[0].orientation_deg[0]",
        "particles[0].orientation_deg[1]",
    )


@pytest.fixture(scope="session")
def rod_scene():
    """Make a scene of a rod, with any of its numbers replaced."""
    return make_rod_scene


def make_rod_scene(kind="brightfield", **numbers):
    particle = {
        "x_um": 2.9, "y_um": 3.2, "z_um": 0.0, "radius_um": 0.4, "length_um": 3.2, "index": 1.38,
        "orientation_deg": [62.0, 14.0, 0.0], **numbers,
    }  # fmt: skip
    return Scene.parse(
        {
            "grid": {"shape": [60, 60], "pixel_size_um": 0.1},
            "medium": {"index": 1.333},
            "populations": [
                {
                    "name": "rods",
                    "shape": {"kind": "rod", "radius_um": 0.4, "length_um": 3.0},
                    "material": {"index": 1.38},
                    "particles": [particle],
                }
            ],
            "microscope": {
                "modality": {"kind": kind},
                "wavelength_um": 0.532,
                "numerical_aperture": 0.8,
                "focus_um": 1.5,
            },
            "camera": {
                "background_electrons": 8000,
                "full_well_electrons": 30000,
                "gain_electrons_per_count": 8,
                "offset_counts": 20,
                "bit_depth": 12,
            },
        }
    )


@pytest.fixture
def uneven():
    """A sphere in uneven light, with dust and haze."""
    background = {
        "gradient_x": 0.3,
        "vignette": 0.4,
        "haze": 0.2,
        "dust_count": 8,
        "dust_radius_px": 3.0,
        "dust_darkness": 0.5,
    }
    return make_sphere_scene(background=background)
