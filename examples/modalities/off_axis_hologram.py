"""Off-axis hologram of a cell, and the phase that demodulation finds in it.

Run it as ``python examples/modalities/off_axis_hologram.py [FOLDER]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import osog

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
scene = osog.presets.load("cell-off-axis")
optics = scene.microscope

frame = osog.render(scene, seed=1, outputs=("image", "opd"))
osog.io.write_png(folder / "off-axis-hologram.png", frame.image)
print(frame.explain)

# Shift the sideband to the middle of the spectrum and keep what the objective passes.
counts = frame.image.numpy() - scene.camera.offset_counts
pixel, carrier = scene.grid.pixel_size_um, optics.modality.carrier_per_um
angle = np.deg2rad(optics.modality.carrier_azimuth_deg)
y, x = np.indices(counts.shape) * pixel
shifted = counts * np.exp(2j * np.pi * carrier * (x * np.cos(angle) + y * np.sin(angle)))
fy, fx = (np.fft.fftfreq(n, pixel) for n in counts.shape)
passed = np.hypot(fy[:, None], fx) < optics.numerical_aperture / optics.wavelength_um
sideband = np.fft.ifft2(np.fft.fft2(shifted) * passed)
phase = np.unwrap(np.unwrap(np.angle(sideband / np.median(sideband[:20])), axis=0), axis=1)
true = 2 * np.pi / optics.wavelength_um * frame.opd.numpy()
centre = (slice(180, 200), slice(180, 200))
found, expected = phase[centre].mean(), true[centre].mean()
print(f"Phase of the cell: {found:.2f} rad found, {expected:.2f} rad by its path")
osog.io.write_png(folder / "off-axis-phase.png", phase)
