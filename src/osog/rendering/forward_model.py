"""The noise-free image as a differentiable function of parameters."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from osog.exit_wave import plan_sampling
from osog.exit_wave.wave import LitWave
from osog.optics.imaging import frame_suffices
from osog.rendering.cache import LightCache, WaveCache, affordable
from osog.rendering.device import choose_device, default_device_set_aside
from osog.rendering.pipeline import (
    camera_reading,
    has_counts,
    light_in_image,
    samples_of_spectrum,
    stacked,
    waves_behind_sample,
)
from osog.rendering.streams import PICTURE_STEP
from osog.sample import Values, checked_seed, moving, sample
from osog.scene import Scene
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from osog.exit_wave import Wave
    from osog.optics.spectrum import SpectralSample
    from osog.waves import SamplingPlan
    from osog.waves.sharing import Sharing


def forward(
    scene: Scene,
    values: Mapping[str, Any] | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
    noise_seed: int | None = None,
) -> Tensor:
    """Noise-free image, differentiable in every tensor of `values`.

    Parameters
    ----------
    scene : Scene
        Its laws are drawn from `seed`, as they are for a render.
    values : mapping of dotted names to tensors or numbers, optional
        Such as ``{"microscope.focus_um": f, "particles[0].radius_um": r}``.
    seed : int
        Draws the particles that the scene does not list.
    dtype : torch.dtype
        ``float64`` for gradients to check, ``float32`` for speed.
    device : str
    noise_seed : int, optional
        Adds the noise of the camera, reparameterised so that the image stays differentiable
        (`osog.sensor.noisy`).

    Returns
    -------
    Tensor, shape ([T,] [Z,] Y, X [, 3])
        Expected counts; irradiance without a camera; radians in quantitative phase. Frames of a
        series, planes of a stack and colours as in `Frame.image`. One plane of a stack is named
        ``microscope.focus_um[2]``.

    Raises
    ------
    SceneError
        If a name is unknown or a value makes the scene invalid.
    """
    if isinstance(scene, Scene):
        scene = scene.drawn(checked_seed(seed))
    model = ForwardModel(scene, seed, dtype=dtype, device=device, values=values)
    return model.image(values or {}, noise_seed)


class ForwardModel:
    """The noise-free image as a function of parameters, on grids that stay fixed.

    Light behind the sample is kept for the next image as long as nothing changes that it was made
    from: `reuses_wave` tells for a parameter. Images without gradients of other samples in the same
    light take over what is made of the optics alone.

    Parameters
    ----------
    scene : Scene
        Of its laws, those that hold for the whole picture stand with their centre.
    seed : int
    dtype, device
        Of the computation.
    accuracy : str, optional
        Overrides ``scene.numerics.accuracy``.
    values : mapping, optional
        Values for which the grids are chosen, when they differ from the scene's.
    """

    def __init__(
        self,
        scene: Scene,
        seed: int = 0,
        dtype: torch.dtype = torch.float64,
        device: str | torch.device = "cpu",
        accuracy: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self.scene, self.seed, self.dtype = scene, checked_seed(seed), dtype
        self.device = choose_device(device)
        self._kept = WaveCache(most=3)
        self._light = LightCache()
        with torch.no_grad(), default_device_set_aside():
            self._values(values or {})  # refuses in words what is no number
            numbers = {name: _float(v) for name, v in (values or {}).items()}
            given = self._values(numbers)
            nominal = _nominal(scene, numbers)
            self.plans = [
                plan_sampling(nominal, batch, accuracy=accuracy)
                for batch in moving(sample(given.scene, seed, given), scene, seed)
            ]
        self.plan = self.plans[0]

    def image(
        self,
        values: Mapping[str, Any],
        noise_seed: int | None = None,
        *,
        optics: Sharing | None = None,
    ) -> Tensor:
        """Noise-free image ``([T,] [Z,] Y, X [, 3])`` for the given values.

        Parameters
        ----------
        values : mapping of dotted names to tensors or numbers
        noise_seed : int, optional
            Adds the noise of the camera; see `forward`.
        optics : Sharing, optional
            What the lens does, from an image of this model with the same optics.

        Raises
        ------
        SceneError
            If a name is unknown or a value is not one finite number.
        """
        if noise_seed is not None:
            noise_seed = checked_seed(noise_seed, "noise_seed")
        with default_device_set_aside():
            return self._image(values, noise_seed, optics=optics)

    def moved(
        self, values: Mapping[str, Any], x_um: float, y_um: float, *, optics: Sharing | None = None
    ) -> Tensor:
        """Image for the given values once the whole sample has moved sideways a little.

        Cheap after an image of the same values, whose light behind the sample is kept. For exact
        spheres it is the image of the moved sample; for bodies drawn on a grid it differs from that
        by what the grid does to them, about a hundredth of the change that the step makes. The step
        should lie far below a pixel.

        Parameters
        ----------
        values : mapping of dotted names to tensors or numbers
        x_um, y_um : float
        optics : Sharing, optional
            As for `image`.

        Raises
        ------
        ValueError
            In a modality that images light which the sample emits.
        """
        if not self.moves_wave:
            kind = self.scene.microscope.modality.kind
            raise ValueError(f"the light of {kind} is not moved with the sample.")
        with default_device_set_aside():
            return self._image(values, None, (x_um, y_um), optics)

    @property
    def moves_wave(self) -> bool:
        """Whether `moved` can be asked for."""
        return not self.scene.microscope.emits and self.scene.series.frames == 1

    def _image(
        self,
        values: Mapping[str, Any],
        noise_seed: int | None,
        moved_um: tuple[float, float] | None = None,
        optics: Sharing | None = None,
    ) -> Tensor:
        numbers = self._values(values)
        pictures: list[Tensor] = []
        for plan, spectrum, waves in self._frames(numbers):
            if moved_um is not None:
                waves = [wave.moved(*moved_um) for wave in waves if isinstance(wave, LitWave)]
            # What the waves are made from is recorded, so that nothing of it may be taken over.
            with nullcontext() if optics is None else optics.frame():
                light, _ = light_in_image(waves, spectrum, numbers, plan)
            for each in light:
                noise = None
                if noise_seed is not None:
                    noise = noise_seed + PICTURE_STEP * len(pictures)
                pictures.append(camera_reading(each, plan, numbers, self.seed, noise))
        return stacked(pictures, self.scene)

    def reuses_wave(self, name: str) -> bool:
        """Whether a change of this parameter leaves the kept light behind the sample as it is.

        Parameters
        ----------
        name : str
            Dotted name.

        Returns
        -------
        bool
            As recorded for the image that was made last; an image is made if there was none.
            False where light is not kept.
        """
        if self.scene.series.frames > 1:
            return False
        if self._kept.newest is None:
            with torch.no_grad():
                self.image({})
        inputs = self._kept.newest
        return inputs is not None and not inputs.reading.has(Values(self.scene).key(name))

    def _values(self, values: Mapping[str, Any]) -> Values:
        return Values(self.scene, values, dtype=self.dtype, device=self.device)

    def _frames(
        self, values: Values
    ) -> Iterator[tuple[SamplingPlan, list[SpectralSample], Iterable[Wave]]]:
        """Plan, spectrum and waves of every frame."""
        seed, plan = self.seed, self.plan
        spectrum = samples_of_spectrum(values, plan)
        if self.scene.series.frames > 1:
            batches = moving(sample(self.scene, seed, values), self.scene, seed)
            for each, batch in zip(self.plans, batches, strict=True):
                yield each, spectrum, waves_behind_sample(batch, values, each, spectrum)
            return
        if not has_counts(values.scene) and frame_suffices(values, plan):
            # No pixel of the frame is a mean over its neighbourhood: nothing else is needed.
            plan = replace(plan, frame_only=True)

        single = values.scene.microscope.spectrum.monochromatic
        wavelengths = [] if single else [line.wavelength_um for line in spectrum]
        lines = tuple(float(wavelength.detach()) for wavelength in wavelengths)
        # Waves that do not fit in memory together leave no room for what they have in common.
        plain = torch.is_grad_enabled() or not affordable(plan)

        def make() -> Iterator[Wave]:
            with nullcontext() if plain else self._light.frame(values, lines):
                batch = sample(values.scene, seed, values)
                yield from waves_behind_sample(batch, values, plan, spectrum)

        waves, _ = self._kept.waves(values, seed, plan, wavelengths, make)
        yield plan, spectrum, waves


def _nominal(scene: Scene, numbers: Mapping[str, float]) -> Scene:
    """Return the scene whose optics the grids are chosen for."""
    optics = {n: v for n, v in numbers.items() if n.split(".")[0] in ("microscope", "medium")}
    return replaced(scene, optics) if optics else scene


def _float(value: Any) -> Any:
    """Return the number, or an array without its history."""
    if isinstance(value, Tensor):
        return float(value.detach()) if value.numel() == 1 else value.detach()
    return float(value) if np.ndim(value) == 0 else value
