"""Micrographs with their labels, one scene after another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch

from osog.cancellation import cancellable
from osog.exit_wave import plan_sampling
from osog.explain import cautions, explain_line
from osog.rendering.cache import WaveCache
from osog.rendering.device import choose_device, default_device_set_aside
from osog.rendering.frame import Frame
from osog.rendering.outputs import (
    OF_FRAME,
    OF_PICTURE,
    OF_SINGLE_PICTURE,
    LabelSource,
    PictureSource,
    checked,
)
from osog.rendering.pipeline import (
    has_counts,
    light_at_pixels,
    light_in_image,
    samples_of_spectrum,
    stacked,
    waves_behind_sample,
)
from osog.rendering.streams import CAMERA_STEP, PICTURE_STEP
from osog.sample import Values, checked_seed, moving, sample
from osog.sensor import expose, light_on_pixels, saturation
from osog.sensor.scale_bar import with_scale_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from osog.cautions import Caution
    from osog.exit_wave import Wave
    from osog.optics.spectrum import SpectralSample
    from osog.rendering.cache import WaveInputs
    from osog.sample import ParticleBatch
    from osog.sample.reading import Reading
    from osog.scene import Scene
    from osog.waves import SamplingPlan


def render(
    scene: Scene,
    device: str | torch.device = "auto",
    seed: int = 0,
    outputs: Iterable[str] = ("image",),
) -> Frame:
    """Render one micrograph.

    Parameters
    ----------
    scene : Scene
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    seed : int
        Particles and noise; the same scene and seed give the same bits on one device.
    outputs : iterable of str
        Any of `osog.rendering.OUTPUTS`; the image always comes.

    Returns
    -------
    Frame

    Raises
    ------
    SceneError
        If an output is unknown, the device is not there, or the particles do not fit.
    """
    return Renderer(device).render(scene, seed, outputs=outputs)


class Renderer:
    """Renders one scene after another, and keeps the light behind the sample while it holds.

    Parameters
    ----------
    device : str
        As for `render`.
    """

    def __init__(self, device: str | torch.device = "auto") -> None:
        self.device = choose_device(device)
        # A draft while the hand moves and the full image at rest take turns: both stay.
        self._kept = WaveCache(most=2)

    def render(
        self,
        scene: Scene,
        seed: int = 0,
        accuracy: str | None = None,
        outputs: Iterable[str] = ("image",),
        stop: Callable[[], bool] | None = None,
    ) -> Frame:
        """Render one frame; see `render` for the arguments.

        Parameters
        ----------
        accuracy : str, optional
            Overrides ``scene.numerics.accuracy``; ``draft`` while a slider moves.
        stop : callable, optional
            Asked between the steps of the render; its first True ends it.

        Raises
        ------
        Cancelled
            When `stop` said so.
        """
        # Not in inference mode: a network can be trained on what comes out.
        with cancellable(stop), torch.no_grad(), default_device_set_aside():
            return self._rendered(scene, checked_seed(seed), accuracy, checked(outputs))

    def foreseen(self, scene: Scene, seed: int = 0, accuracy: str | None = None) -> list[Caution]:
        """What there is to say of a render before it is made, such as its need of memory.

        Parameters
        ----------
        scene, seed, accuracy
            As for `render`.

        Raises
        ------
        SceneError
            If it does not fit the memory.
        """
        with torch.no_grad(), default_device_set_aside():
            values = Values(scene, dtype=torch.float32, device=self.device)
            batch = sample(values.scene, checked_seed(seed), values)
            return cautions(scene, batch, plan_sampling(scene, batch, accuracy=accuracy))

    def _rendered(self, scene: Scene, seed: int, accuracy: str | None, wanted: set[str]) -> Frame:
        start = time.perf_counter()
        values = Values(scene, dtype=torch.float32, device=self.device)
        with values.recorded() as drawn:
            first = sample(values.scene, seed, values)
        plan = plan_sampling(scene, first, accuracy=accuracy)
        single = scene.series.frames == len(scene.microscope.focus_planes_um) == 1
        inputs: WaveInputs | None = None
        saturated: list[Caution] = []
        pictures: list[Tensor] = []
        positions: list[Tensor] = []
        stacks: dict[str, list[Tensor]] = {name: [] for name in wanted & OF_PICTURE.keys()}
        series: dict[str, list[Tensor]] = {name: [] for name in wanted & OF_FRAME.keys()}
        extra: dict[str, Any] = {}
        for number, batch in enumerate(moving(first, scene, seed)):
            now = plan if number == 0 else plan_sampling(scene, batch, accuracy=accuracy)
            spectrum, waves, inputs = self._waves(batch, drawn, seed, now, values)
            light, field = light_in_image(waves, spectrum, values, now)
            for each in light:
                noise = seed + CAMERA_STEP + PICTURE_STEP * len(pictures)
                picture, warnings = _picture(each, now, values, seed, noise)
                pictures.append(picture)
                saturated = saturated or warnings
                exposed = PictureSource(each, field, now, values, seed)
                for name, found in stacks.items():
                    found.append(OF_PICTURE[name](exposed))
                for name in wanted & OF_SINGLE_PICTURE.keys() if single else ():
                    extra[name] = OF_SINGLE_PICTURE[name](exposed)
            positions.append(batch.position)
            source = LabelSource(scene, batch)
            for name, found in series.items():
                found.append(OF_FRAME[name](source))
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elapsed = 1000 * (time.perf_counter() - start)
        extra |= {name: stacked(found, scene) for name, found in stacks.items()}
        many = scene.series.frames > 1
        extra |= {name: torch.stack(f) if many else f[0] for name, f in series.items()}
        return Frame(
            image=stacked(pictures, scene).to(torch.float32),
            particles=first,
            positions=torch.stack(positions),
            scene=scene,
            seed=seed,
            plan=plan,
            device=str(self.device),
            explain=explain_line(scene, first, plan, self.device.type.upper(), elapsed),
            milliseconds=elapsed,
            warnings=cautions(scene, first, plan) + saturated,
            wave_inputs=inputs,
            **extra,
        )

    def _waves(
        self,
        batch: ParticleBatch,
        drawn: Reading,
        seed: int,
        plan: SamplingPlan,
        values: Values,
    ) -> tuple[list[SpectralSample], Iterable[Wave], WaveInputs | None]:
        """Spectrum, waves and their record for one frame."""
        spectrum = samples_of_spectrum(values, plan)

        def make() -> Iterator[Wave]:
            return waves_behind_sample(batch, values, plan, spectrum)

        if values.scene.series.frames > 1:
            return spectrum, make(), None
        single = values.scene.microscope.spectrum.monochromatic
        wavelengths = [] if single else [line.wavelength_um for line in spectrum]
        waves, inputs = self._kept.waves(values, seed, plan, wavelengths, make, drawn)
        return spectrum, waves, inputs


def _picture(
    light: Tensor, plan: SamplingPlan, values: Values, seed: int, noise_seed: int
) -> tuple[Tensor, list[Caution]]:
    """Picture ``(Y, X [, 3])`` with the noise of the camera, and what to say of its exposure."""
    scene = values.scene
    if scene.camera is None or not has_counts(scene):
        return light_at_pixels(light, plan, values, seed), []
    on_pixels = light_on_pixels(light, plan, values, seed, integrate=True)
    picture = expose(on_pixels, scene.camera, noise_seed)
    said = saturation(picture, on_pixels, scene.camera)
    return with_scale_bar(picture, scene), said
