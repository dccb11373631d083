"""A toy image model without an engine, and a small engine scene."""

from __future__ import annotations

import numpy as np
import pytest

from osog.fitting.linear import LinearPart
from osog.fitting.parameters import FreeParameters
from osog.fitting.problem import ImageProblem
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
    return _sphere_scene


def _sphere_scene(**changes):
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
