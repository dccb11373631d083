"""One sphere drawn as slabs, and how far its field is from the exact one."""

from __future__ import annotations

import numpy as np
import torch

from helpers import mie_oracle
from osog.exit_wave import exit_wave, plan_sampling
from osog.sample import Values, sample
from osog.scene import Scene

WAVELENGTH, MEDIUM = 0.55, 1.33


def sphere_scene(radius, delta, aperture, z, accuracy="auto", **microscope) -> Scene:
    return Scene.parse(
        {
            "grid": {"shape": [128, 128], "pixel_size_um": 0.1},
            "medium": {"index": MEDIUM},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": radius},
                    "material": {"index": MEDIUM + delta},
                    "particles": [{"x_um": 6.43, "y_um": 6.37, "z_um": z}],
                    "scattering": "slabs",
                }
            ],
            "microscope": {
                "numerical_aperture": aperture,
                "wavelength_um": WAVELENGTH,
                **microscope,
            },
            "numerics": {"accuracy": accuracy},
        }
    )


def field_error(scene: Scene) -> float:
    """Relative L2 error of the scattered field inside the pupil, in the plane of the centre."""
    values = Values(scene, dtype=torch.float64)
    batch = sample(scene, 0, values)
    plan = plan_sampling(scene, batch)
    wave = exit_wave(batch, values, plan)
    x, y, z = batch.position[0].tolist()
    fx, fy = wave.fx.numpy()[None, :], wave.fy.numpy()[:, None]
    k = 2 * np.pi * MEDIUM / WAVELENGTH
    transverse = (2 * np.pi) ** 2 * (fx**2 + fy**2)
    kappa = -transverse / (k + np.sqrt(np.maximum(k**2 - transverse, 1e-9)))
    corner_y, corner_x = plan.corner_um
    height, width = plan.extent_um
    ours = (
        wave.spectrum[0].numpy()
        * (height * width)
        * np.exp(2j * np.pi * (fx * (x - corner_x) + fy * (y - corner_y)))
        * np.exp(-1j * kappa * (wave.reference_um - z))
    )
    radius = float(batch.size[0, 0])
    delta = float(batch.delta_index[0])
    exact = mie_oracle.scattered_spectrum(fx, fy, radius, delta, WAVELENGTH, MEDIUM)
    aperture = scene.microscope.numerical_aperture
    inside = transverse < (2 * np.pi * aperture / WAVELENGTH) ** 2
    return float(np.linalg.norm((ours - exact)[inside]) / np.linalg.norm(exact[inside]))
