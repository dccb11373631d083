"""Thin samples on hand-made grids, so that the optics are tested without the slab engine."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any

import torch
from torch import Tensor

from osog.exit_wave.wave import EmissionSlabs, ExitWave
from osog.optics import OpticalImage, image
from osog.sample import Values
from osog.scene import Microscope, Scene
from osog.waves.sampling_plan import SamplingPlan


def double(value: float | Tensor) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64)


@dataclass(frozen=True)
class Bench:
    """Square domain of ``size`` samples at ``pixel_um``; the frame leaves out ``pad`` samples."""

    size: int = 64
    pixel_um: float = 0.1
    pad: int = 0
    oversampling: int = 1
    wavelength_um: float = 0.55
    medium_index: float = 1.33

    @property
    def plan(self) -> SamplingPlan:
        frame = self.size - 2 * self.pad
        grid = self.size * self.oversampling
        return SamplingPlan(
            frame_shape=(frame, frame),
            pixel_size_um=self.pixel_um,
            pad_px=(self.pad, self.pad),
            domain_px=(self.size, self.size),
            grid_shape=(grid, grid),
            oversampling=self.oversampling,
            slab_um=1.0,
            first_slab=0,
            slabs=1,
            band=1e3,
            aperture=1.0,
            source_points=1,
            accuracy="fine",
            padding_wanted_um=0.0,
            padding_um=self.pad * self.pixel_um,
        )

    @property
    def length_um(self) -> float:
        return self.size * self.pixel_um

    @property
    def xy(self) -> tuple[Tensor, Tensor]:
        """Coordinates in µm from the domain's corner, on the field grid."""
        n = self.size * self.oversampling
        axis = torch.arange(n, dtype=torch.float64) * (self.length_um / n)
        return axis[None, :].expand(n, n), axis[:, None].expand(n, n)

    @property
    def from_centre(self) -> Tensor:
        """Distance from the middle of the domain in µm."""
        x, y = self.xy
        return torch.hypot(x - self.length_um / 2, y - self.length_um / 2)

    def scene(self, kind: str, **numbers: Any) -> Scene:
        """Scene of this bench; ``numbers`` are microscope fields, or fields of the modality."""
        lens = Microscope.model_fields
        modality = {"kind": kind, **{k: v for k, v in numbers.items() if k not in lens}}
        optics = {k: v for k, v in numbers.items() if k in lens}
        frame = self.size - 2 * self.pad
        return Scene.parse(
            {
                "grid": {"shape": [frame, frame], "pixel_size_um": self.pixel_um},
                "medium": {"index": self.medium_index},
                "microscope": {
                    "modality": modality,
                    "numerical_aperture": 0.8,
                    "wavelength_um": self.wavelength_um,
                    **optics,
                },
            }
        )

    def wave(
        self,
        transmission: Tensor,
        source: Tensor | None = None,
        weights: Tensor | None = None,
        wavelength_um: Tensor | float | None = None,
        medium_index: Tensor | float | None = None,
        first_order: bool = False,
    ) -> ExitWave:
        """Exit wave of a thin sample in the plane z = 0; the same for every source point.

        Of first order, the transmission is 1 + iφ − α.
        """
        spectrum = torch.fft.fft2(transmission - 1.0, norm="forward").to(torch.complex128)
        if source is None:
            source = torch.zeros(1, 2, dtype=torch.float64)
        if weights is None:
            weights = torch.full((len(source),), 1 / len(source), dtype=torch.float64)
        rows, columns = transmission.shape
        step = 1 / self.length_um
        return ExitWave(
            spectrum=spectrum.expand(len(source), -1, -1),
            fx=torch.fft.fftfreq(columns, 1 / columns, dtype=torch.float64) * step,
            fy=torch.fft.fftfreq(rows, 1 / rows, dtype=torch.float64) * step,
            source=source,
            weights=weights,
            wavelength_um=double(self.wavelength_um if wavelength_um is None else wavelength_um),
            medium_index=double(self.medium_index if medium_index is None else medium_index),
            reference_um=0.0,
            plan=self.plan,
            first_order=first_order,
        )

    def emission(
        self, slabs: Tensor, z_um: list[float], wavelength_um: Tensor | float | None = None
    ) -> EmissionSlabs:
        return EmissionSlabs(
            slabs=slabs,
            z_um=z_um,
            wavelength_um=double(self.wavelength_um if wavelength_um is None else wavelength_um),
            medium_index=double(self.medium_index),
            plan=self.plan,
        )

    def image(self, wave: ExitWave | EmissionSlabs, kind: str, **numbers: Any) -> OpticalImage:
        return image(wave, Values(self.scene(kind, **numbers), dtype=torch.float64))


def grating(table: Bench, order: int, phase: float, absorption: float = 0.0) -> Tensor:
    """Transmission of a sinusoidal grating along x, with ``order`` periods in the domain."""
    x, _ = table.xy
    return torch.exp((1j * phase - absorption) * torch.cos(2 * pi * order * x / table.length_um))
