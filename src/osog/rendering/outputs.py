"""What a render can return beside the image: one function and one line for each.

An output of a picture is made for every plane and frame, an output of a frame once for each frame,
and what has no stack only where a single picture is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from osog.exit_wave.birefringence import mean_delta_index
from osog.exit_wave.compiled.surveying import survey, where_surveyed
from osog.geometry import gbuffer
from osog.labels import boxes
from osog.particles import assembled
from osog.rendering.pipeline import light_at_pixels
from osog.scene import SceneError
from osog.sensor import pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from osog.geometry import GBuffer
    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves import SamplingPlan


@dataclass(frozen=True)
class PictureSource:
    """One plane of one frame, before the camera.

    Attributes
    ----------
    light : Tensor, shape ([3,] Fy, Fx)
        Irradiance on the fine grid.
    field : complex Tensor (Fy, Fx) or None
    plan : SamplingPlan
    values : Values
    seed : int
    """

    light: Tensor
    field: Tensor | None
    plan: SamplingPlan
    values: Values
    seed: int


class LabelSource:
    """The particles of one frame, and the G-buffers that its labels share.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    """

    def __init__(self, scene: Scene, batch: ParticleBatch) -> None:
        self.scene, self.batch = scene, where_surveyed(batch)

    @cached_property
    def labelled(self) -> Tensor:
        """Whether each particle (N,) is labelled."""
        populations, device = self.scene.populations, self.batch.device
        shown = torch.tensor([p.labelled for p in populations] or [True], device=device)
        return shown[self.batch.population]

    @cached_property
    def everything(self) -> GBuffer:
        """G-buffer of all particles, with the mean index of birefringent ones."""
        batch = assembled(self.batch)
        medium = batch.delta_index.new_tensor(self.scene.medium.index)
        return self._buffer(replace(batch, delta_index=mean_delta_index(batch, medium)))

    @cached_property
    def labelled_only(self) -> GBuffer:
        """G-buffer of the labelled particles; instances carry the numbers of all particles."""
        if bool(self.labelled.all()):
            return self.everything
        numbers = torch.nonzero(self.labelled).flatten()
        buffer = self._buffer(self.batch.taken(numbers))
        own = torch.cat([numbers.new_zeros(1), numbers + 1]).to(torch.int32)
        return replace(buffer, instances=own[buffer.instances.long()])

    def _buffer(self, batch: ParticleBatch) -> GBuffer:
        grid = self.scene.grid
        return gbuffer(batch, grid.shape, grid.pixel_size_um, first=survey)


def irradiance(source: PictureSource) -> Tensor:
    """Light before the camera at the pixel centres."""
    return light_at_pixels(source.light, source.plan, source.values, source.seed)


def field(source: PictureSource) -> Tensor | None:
    """Field at the pixel centres; None where the light is no single field."""
    if source.field is None:
        return None
    return pixels(source.field, source.plan, integrate=False)


def instances(source: LabelSource) -> Tensor:
    """Number of the uppermost labelled particle at every pixel, from 1; 0 in the background."""
    return source.labelled_only.instances


def depth(source: LabelSource) -> Tensor:
    """Height of the uppermost labelled surface; NaN in the background."""
    return source.labelled_only.depth


def opd(source: LabelSource) -> Tensor:
    """Optical path difference of all particles."""
    return source.everything.opd


def oriented_boxes(source: LabelSource) -> Tensor:
    """Oriented boxes of all particles, of no size where they are not labelled."""
    grid = source.scene.grid
    found = boxes(source.batch, grid.pixel_size_um, grid.shape)
    found[:, 2:4] *= source.labelled[:, None]
    return found


OF_SINGLE_PICTURE: dict[str, Callable[[PictureSource], Tensor | None]] = {"field": field}
OF_PICTURE: dict[str, Callable[[PictureSource], Tensor]] = {"irradiance": irradiance}
OF_FRAME: dict[str, Callable[[LabelSource], Tensor]] = {
    "instances": instances,
    "boxes": oriented_boxes,
    "opd": opd,
    "depth": depth,
}
OUTPUTS = ("image", *OF_SINGLE_PICTURE, *OF_PICTURE, *OF_FRAME)
"""What `render` can return; the image always comes."""


def checked(outputs: Iterable[str]) -> set[str]:
    """Return the wanted outputs.

    Raises
    ------
    SceneError
        If one of them does not exist.
    """
    wanted = {outputs} if isinstance(outputs, str) else set(outputs)
    unknown = sorted(wanted - set(OUTPUTS))
    if unknown:
        raise SceneError(f"outputs = '{unknown[0]}' is not one of {', '.join(OUTPUTS)}.")
    return wanted
