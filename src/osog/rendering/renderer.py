"""Micrographs with their labels, one scene after another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from osog.cancellation import cancellable
from osog.exit_wave import plan_sampling
from osog.explain import cautions
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
from osog.sample import Values, checked_seed, draws_few, moving, sample
from osog.scene import Scene, SceneError
from osog.sensor import expose, light_on_pixels, saturation
from osog.sensor.scale_bar import with_scale_bar
from osog.waves.sharing import sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from torch import Tensor

    from osog.cautions import Caution
    from osog.exit_wave import Wave
    from osog.optics.spectrum import SpectralSample
    from osog.rendering.cache import WaveInputs
    from osog.sample import ParticleBatch
    from osog.sample.reading import Reading
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
        With laws it is the image of ``scene.sample(seed)``, bit for bit.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    seed : int
        Laws, particles and noise; the same scene and seed give the same bits on one device.
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


def render_many(
    scenes: Scene | Sequence[Scene],
    seeds: Sequence[int],
    device: str | torch.device = "auto",
    outputs: Iterable[str] = ("image",),
) -> list[Frame]:
    """Render many micrographs, those of the same optics together.

    Parameters
    ----------
    scenes : Scene or sequence of Scene
        One for all seeds, or one for each. Frames share what depends on optics and grids alone:
        pupils, propagators, the tables of a condenser. It pays where these cost much beside the
        sample, in small frames in partially coherent light, and where frames have the same grids,
        which follow from the depths of the particles.
    seeds : sequence of int
        Laws, particles and noise of each.
    device, outputs
        As for `render`.

    Returns
    -------
    list of Frame
        In the order of the seeds; each is that of `render`, bit for bit.

    Raises
    ------
    SceneError
        As for `render`, or if there is not one seed for each scene.
    """
    return Renderer(device).render_many(scenes, seeds, outputs=outputs)


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
            seed = checked_seed(seed)
            return self._rendered(_of_image(scene, seed), seed, accuracy, checked(outputs))

    def render_many(
        self,
        scenes: Scene | Sequence[Scene],
        seeds: Sequence[int],
        accuracy: str | None = None,
        outputs: Iterable[str] = ("image",),
        stop: Callable[[], bool] | None = None,
    ) -> list[Frame]:
        """Render many frames; see the function `render_many` for the arguments.

        Parameters
        ----------
        accuracy, stop
            As for `render`.
        """
        with cancellable(stop), torch.no_grad(), default_device_set_aside():
            wanted = checked(outputs)
            begun = [
                self._begun(_of_image(scene, seed), seed, accuracy)
                for scene, seed in _paired(scenes, seeds)
            ]
            frames: list[Frame | None] = [None] * len(begun)
            for group in _alike(begun):
                with sharing() as next_frame:
                    for number in group:
                        next_frame()
                        frames[number] = self._finished(begun[number], accuracy, wanted)
            return [frame for frame in frames if frame is not None]

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
            seed = checked_seed(seed)
            scene = _of_image(scene, seed)
            values = Values(scene, dtype=torch.float32, device=self.device)
            batch = sample(values.scene, seed, values)
            return cautions(scene, batch, plan_sampling(scene, batch, accuracy=accuracy))

    def _rendered(self, scene: Scene, seed: int, accuracy: str | None, wanted: set[str]) -> Frame:
        return self._finished(self._begun(scene, seed, accuracy), accuracy, wanted)

    def _begun(self, scene: Scene, seed: int, accuracy: str | None) -> _Begun:
        """Particles and grids of a frame."""
        start = time.perf_counter()
        values = Values(scene, dtype=torch.float32, device=self.device)
        # A few are drawn in the memory of the host, where their plans are made.
        here = Values(scene, dtype=torch.float32) if draws_few(scene) else values
        with here.recorded() as drawn:
            first = sample(here.scene, seed, here)
        plan = plan_sampling(scene, first, accuracy=accuracy)
        first = first.on(self.device)
        return _Begun(scene, seed, values, drawn, first, plan, time.perf_counter() - start)

    def _finished(self, begun: _Begun, accuracy: str | None, wanted: set[str]) -> Frame:
        """Light, camera and labels of a frame."""
        start = time.perf_counter() - begun.seconds
        scene, seed, values, drawn, first, plan, _ = begun
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
                found.append(OF_FRAME[name](source).to(self.device))
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
            milliseconds=elapsed,
            saturated=saturated,
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


class _Begun(NamedTuple):
    """A frame before its light."""

    scene: Scene
    seed: int
    values: Values
    drawn: Reading
    first: ParticleBatch
    plan: SamplingPlan
    seconds: float


def _paired(scenes: Scene | Sequence[Scene], seeds: Sequence[int]) -> list[tuple[Scene, int]]:
    """Scenes and checked seeds of many frames."""
    numbers = [checked_seed(seed) for seed in seeds]
    listed = [scenes] * len(numbers) if isinstance(scenes, Scene) else list(scenes)
    if len(listed) != len(numbers):
        raise SceneError(
            f"seeds has {len(numbers)} numbers for {len(listed)} scenes; there must be one for "
            "each."
        )
    return list(zip(listed, numbers, strict=True))


def _alike(begun: Sequence[_Begun]) -> list[list[int]]:
    """Numbers of frames that have optics and grids in common, those of a series by themselves."""
    groups: list[list[int]] = []
    for number, frame in enumerate(begun):
        for group in groups:
            other = begun[group[0]]
            if (
                frame.plan == other.plan
                and frame.scene.microscope == other.scene.microscope
                and frame.scene.medium == other.scene.medium
                and frame.scene.numerics == other.scene.numerics
                and frame.scene.series.frames == other.scene.series.frames == 1
            ):
                group.append(number)
                break
        else:
            groups.append([number])
    return groups


def _of_image(scene: Scene, seed: int) -> Scene:
    """Scene in which everything is drawn that is one for the picture."""
    return scene.drawn(seed) if isinstance(scene, Scene) else scene  # `Values` refuses it in words


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
