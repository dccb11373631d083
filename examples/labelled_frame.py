"""One labelled frame for a detector: image, instance mask and oriented boxes.

Run it as ``python examples/labelled_frame.py [FOLDER]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

frame = osog.render(
    osog.presets.load("needles-dic"), seed=4, outputs=("image", "instances", "boxes")
)
rows, columns = frame.image.shape
image = frame.image.cpu().numpy()
mask = frame.instances.cpu().numpy()  # 0 is background, i + 1 is particle i
boxes = frame.boxes.cpu().numpy()  # centre x, y, width, height in px, angle in rad

# The text format for oriented boxes: class, then four corners as shares of the image's size.
lines = []
for number, (x, y, width, height, angle) in enumerate(boxes):
    if not (mask == number + 1).any():
        continue  # hidden by others, or outside the frame
    along = 0.5 * width * np.array([np.cos(angle), np.sin(angle)])
    across = 0.5 * height * np.array([-np.sin(angle), np.cos(angle)])
    corners = np.array([x, y]) + np.array(
        [-along - across, along - across, along + across, -along + across]
    )
    shares = np.clip((corners + 0.5) / [columns, rows], 0, 1)
    lines.append("0 " + " ".join(f"{share:.6f}" for share in shares.ravel()))

Image.fromarray(image.astype(np.uint8)).save(folder / "needles.png")
Image.fromarray(mask.astype(np.uint16)).save(folder / "needles.mask.png")
(folder / "needles.txt").write_text("\n".join(lines) + "\n")
print(f"{len(lines)} of {len(frame.particles)} needles are visible; labels in {folder}")
