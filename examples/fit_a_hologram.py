"""Fit a sphere in a noisy hologram, and read what is known and what is not.

Here the hologram is a simulated one, so that the answer is known; for yours, replace the first
lines by ``image = osog.io.read_micrograph("hologram.tif").image``.
"""

from __future__ import annotations

import osog

truth = osog.Scene.parse(
    {
        "grid": {"shape": [96, 96], "pixel_size_um": 0.12},
        "medium": {"index": 1.333},
        "populations": [
            {
                "name": "bead",
                "shape": {"kind": "sphere", "radius_um": 0.75},
                "material": {"index": 1.40},
                "particles": [{"x_um": 6.1, "y_um": 5.2, "z_um": -4.0, "radius_um": 0.75}],
            }
        ],
        "microscope": {
            "modality": {"kind": "hologram"}, "numerical_aperture": 0.7, "wavelength_um": 0.532,
        },
        "camera": {"background_electrons": 9000, "bit_depth": 12, "gain_electrons_per_count": 4},
    }
)  # fmt: skip
image = osog.render(truth, seed=1).image

# What a user knows before: about where it is, about how large.
free = ["particles[0].x_um", "particles[0].y_um", "particles[0].z_um", "particles[0].radius_um"]
guess = truth.updated(dict(zip(free, (5.5, 5.8, -3.2, 0.6), strict=True)))

result = osog.fit(image, guess, free)
print(result)
for name in free:
    true = truth.get(name)
    off = (result.values[name] - true) / result.sigma[name]
    print(f"{name:<24} true {true:8.4f}, off by {off:+.1f} σ")
