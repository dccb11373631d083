"""What a camera effect is given besides the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.scene import Background, Camera

if TYPE_CHECKING:
    from osog.sample import Values

_NO_CAMERA: Camera[Any] = Camera()
"""Stands in for the camera that a scene has not, for effects on light."""


@dataclass(frozen=True)
class Exposure:
    """One picture that is being taken.

    Attributes
    ----------
    camera : Camera
        With floats for numbers where a picture is sampled, 0-dim tensors where it is a smooth
        function of them. Effects on light do not read it: a scene may have none.
    background : Background
        What lies on the light, with 0-dim tensors; effects behind the pixels do not read it.
    sampled : bool
        Whether true random numbers are drawn and the converter rounds, which has no derivative.
    noise : bool
        Whether pixels differ by chance and by make.
    seed : int
    generator : torch.Generator
        Random numbers of this picture.
    pixel_size_um : float
    values : Values or None
        Tells which numbers the caller gave.
    """

    camera: Camera[Any]
    background: Background[Any]
    sampled: bool
    noise: bool
    seed: int
    generator: torch.Generator
    pixel_size_um: float = 1.0
    values: Values | None = None

    @classmethod
    def of_camera(cls, camera: Camera, seed: int, device: torch.device) -> Exposure:
        """Picture that is sampled: whole counts, without derivative."""
        generator = torch.Generator(device=device).manual_seed(seed)
        return cls(camera, Background(), True, camera.noise, seed, generator)

    @classmethod
    def of_values(cls, values: Values, seed: int = 0, *, noise: bool) -> Exposure:
        """Picture that is a smooth function of the light and of the numbers of the scene.

        Parameters
        ----------
        values : Values
        seed : int
        noise : bool
        """
        camera = values.camera
        return cls(
            _NO_CAMERA if camera is None else camera,
            values.background,
            False,
            noise,
            seed,
            # On the CPU, so that all devices have the same noise.
            torch.Generator().manual_seed(seed),
            values.scene.grid.pixel_size_um,
            values,
        )

    def acts(self, number: float | Tensor) -> bool:
        """Whether a number of the exposure differs from 0, or is varied and may do so."""
        if self.values is None or not isinstance(number, Tensor):
            return bool(number != 0)
        return self.values.acts(number)

    def normal(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Draw standard normal numbers with the dtype and device of `like`."""
        # In single precision whatever torch's default is: the same seed has the same noise.
        where = self.generator.device
        drawn = torch.randn(shape, generator=self.generator, device=where, dtype=torch.float32)
        return drawn.to(like)

    def window(self, light: Tensor) -> tuple[tuple[int, int], tuple[slice, slice]]:
        """Rows and columns of the whole frame, and the place of this picture in it."""
        shape = (light.shape[-2], light.shape[-1])
        top, left, rows, columns = self.background.crop or (0, 0, *shape)
        return (rows, columns), (slice(top, top + shape[0]), slice(left, left + shape[1]))

    def positions(self, light: Tensor) -> tuple[Tensor, Tensor]:
        """Places (Ny, 1) and (Nx,) of the pixels' centres, −1/2 … 1/2 from border to border."""
        (rows, columns), (down, right) = self.window(light)
        # Half the frame is 1/2; the borders of the outermost pixels, not their centres.
        y = ((torch.arange(down.start, down.stop).to(light) + 0.5) / rows - 0.5)[:, None]
        return y, (torch.arange(right.start, right.stop).to(light) + 0.5) / columns - 0.5
