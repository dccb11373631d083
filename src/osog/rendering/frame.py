"""What a render returns."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from osog.explain import cautions, explain_line
from osog.rendering.device import default_device_set_aside

if TYPE_CHECKING:
    from torch import Tensor

    from osog.cautions import Caution
    from osog.rendering.cache import WaveInputs
    from osog.sample import ParticleBatch
    from osog.scene import Scene
    from osog.waves import SamplingPlan


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Frame:
    """One simulated micrograph, stack or time series with its labels.

    The axes are (T, Z, C, Y, X) in this order, colours last in the image. T is there for a series
    of several frames, Z where the scene lists planes in focus, and C for a colour camera.

    Attributes
    ----------
    image : Tensor, shape ([T,] [Z,] Y, X [, 3]), float32
        Camera counts; irradiance relative to the background when the scene has no camera; radians
        in quantitative phase.
    field : Tensor, shape (Y, X), complex64, or None
        Field at the image plane relative to the incident wave, for coherent light of one wavelength
        and one plane in focus.
    irradiance : Tensor, shape ([T,] [Z,] [3,] Y, X), or None
        Light before the camera, at the pixel centres.
    instances : Tensor, shape ([T,] Y, X), int32, or None
        0 is background, i + 1 is particle i; the particle nearest the objective wins. Populations
        that are not labelled leave no trace.
    boxes : Tensor, shape ([T,] N, 5), or None
        Centre x, y, width, height in px, and angle in radians from +x towards +y. Row i belongs to
        particle i; width and height are 0 if it lies outside the frame or is not labelled.
    opd : Tensor, shape ([T,] Y, X), or None
        Optical path difference Σ Δn · path in µm, of all particles; Δn of the mean index in
        birefringent ones.
    depth : Tensor, shape ([T,] Y, X), or None
        Height in µm of the uppermost labelled surface; NaN in the background.
    particles : ParticleBatch
        All those really drawn, in the first frame.
    positions : Tensor, shape (T, N, 3)
        Centres (x, y, z) in µm in every frame.
    scene, seed, plan, device
        What it was made from; the plan of the first frame.
    milliseconds : float
        Wall time of the render.
    saturated : list of Caution
        What the camera did to the pictures.
    wave_inputs : WaveInputs or None
        What the light behind the sample was made from; None where it is not kept for the next
        image.
    """

    image: Tensor
    particles: ParticleBatch
    positions: Tensor
    scene: Scene
    seed: int
    plan: SamplingPlan
    device: str
    milliseconds: float
    field: Tensor | None = None
    irradiance: Tensor | None = None
    instances: Tensor | None = None
    boxes: Tensor | None = None
    opd: Tensor | None = None
    depth: Tensor | None = None
    saturated: list[Caution] = dataclasses.field(default_factory=list)
    wave_inputs: WaveInputs | None = None

    # Worked out when asked for: a loop over thousands of frames reads neither.
    @cached_property
    def explain(self) -> str:
        """The approximation in use and its estimated error."""
        device = self.device.partition(":")[0].upper()
        with torch.no_grad(), default_device_set_aside():
            return explain_line(self.scene, self.particles, self.plan, device, self.milliseconds)

    @cached_property
    def warnings(self) -> list[Caution]:
        """What a user should know."""
        with torch.no_grad(), default_device_set_aside():
            return cautions(self.scene, self.particles, self.plan) + self.saturated

    def __repr__(self) -> str:
        """Shapes, modality, particles and time in one line."""
        shown = [f"image {_shape(self.image)}"]
        for name in ("field", "irradiance", "instances", "boxes", "opd", "depth"):
            output = getattr(self, name)
            if output is not None:
                shown.append(f"{name} {_shape(output)}")
        modality = self.scene.microscope.modality.kind
        return (
            f"Frame({', '.join(shown)}; {modality}, {len(self.particles)} particles, "
            f"seed {self.seed}, {self.device}, {self.milliseconds:.0f} ms)"
        )


def _shape(tensor: Tensor) -> str:
    return " × ".join(str(n) for n in tensor.shape)
