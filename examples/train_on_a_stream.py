"""Train a small network on a stream of generated images that never comes twice.

It learns to say how likely each pixel is to belong to a bead, in any focus, and is then tried on
images of another seed. Run it as ``python examples/train_on_a_stream.py [FOLDER] [STEPS]``; 100
steps take about a minute on two cores.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 100

scene = osog.Scene.parse(
    {
        "grid": {"shape": [96, 96], "pixel_size_um": 0.2},
        "medium": {"index": 1.33},
        "populations": [
            {
                "name": "beads",
                "shape": {
                    "kind": "sphere",
                    "radius_um": {"law": "uniform", "low": 0.6, "high": 1.4},
                },
                "material": {"index": 1.42},
                "count": {"law": "poisson", "mean": 8},
                "placement": {"z_um": [-2, 2]},
            }
        ],
        "microscope": {
            "numerical_aperture": 0.6,
            "condenser_numerical_aperture": 0.3,
            "focus_um": {"law": "uniform", "low": -4, "high": 4},
        },
        "camera": {"background_electrons": {"law": "loguniform", "low": 2000, "high": 9000}},
        "numerics": {"accuracy": "draft"},
    }
)


def images(seed: int, count: int) -> DataLoader:
    """Batches of four; with more cores, give num_workers."""
    frames = osog.datasets.stream(scene, seed, count=count)
    return DataLoader(frames, batch_size=4, collate_fn=osog.datasets.collate)


torch.manual_seed(0)
layers: list[nn.Module] = [nn.Conv2d(1, 24, 3, padding=1), nn.ReLU()]
for reach in (2, 4, 8):  # rings of defocused beads are wide
    layers += [nn.Conv2d(24, 24, 3, padding=reach, dilation=reach), nn.GroupNorm(4, 24), nn.ReLU()]
network = nn.Sequential(*layers, nn.Conv2d(24, 1, 1))
optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
loss_of = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))  # beads cover a tenth

losses = []
for batch in images(seed=1, count=4 * steps):
    truth = (batch["instances"] > 0).float()[:, None]
    loss = loss_of(network(batch["image"] * 4 - 2), truth)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item())

with torch.no_grad():
    unseen = next(iter(images(seed=2, count=4)))
    found = network(unseen["image"] * 4 - 2)[:, 0] > 0
    truth = unseen["instances"] > 0
    overlap = float((found & truth).sum() / (found | truth).sum())
print(f"loss {losses[0]:.3f} to {np.mean(losses[-5:]):.3f}; overlap with the truth {overlap:.2f}")

shown = unseen["image"][:, 0].repeat(3, 1, 1, 1).movedim(0, -1).numpy()
shown[..., 0] = np.where(found, 1.0, shown[..., 0])
Image.fromarray((255 * np.concatenate(list(shown), 1)).astype(np.uint8)).save(folder / "found.png")
