"""Differentiate an image in the focus, and descend to where it was taken.

The image is a function of numbers that torch differentiates; nothing here knows that it is a
microscope. For a measured image `osog.fit` is the better tool: it chooses its starts, and says how
well each number is known.
"""

from __future__ import annotations

import torch

import osog

NAME = "microscope.focus_um"

scene = osog.Scene.parse(
    {
        "grid": {"shape": [72, 72], "pixel_size_um": 0.12},
        "medium": {"name": "water"},
        "populations": [
            {
                "name": "beads",
                "shape": {"kind": "sphere", "radius_um": 0.6},
                "material": {"name": "silica"},
                "particles": [
                    {"x_um": 3.1, "y_um": 2.9, "z_um": 0.0},
                    {"x_um": 5.6, "y_um": 6.0, "z_um": -1.0},
                ],
            }
        ],
        "microscope": {"modality": {"kind": "hologram"}, "numerical_aperture": 0.7},
    }
)

model = osog.ForwardModel(scene)  # keeps the exit wave while only the optics change
with torch.no_grad():
    target = model.image({NAME: 2.0})

focus = torch.tensor(2.6, dtype=torch.float64, requires_grad=True)
optimiser = torch.optim.Adam([focus], lr=0.1)
for step in range(60):
    optimiser.zero_grad()
    loss = (model.image({NAME: focus}) - target).square().mean()
    loss.backward()
    optimiser.step()
    if step % 10 == 0:
        print(f"step {step:3d}  focus {focus.item():.4f} µm  mean square {loss.item():.3g}")

print(f"found {focus.item():.3f} µm, true 2.000 µm")
