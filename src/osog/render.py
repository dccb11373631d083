"""The four stages as one sentence: sample → geometry and exit wave → optics → sensor."""

from __future__ import annotations

import dataclasses
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.exit_wave import (
    EmissionSlabs,
    ExitWave,
    JonesWave,
    SamplingPlan,
    emission_slabs,
    exit_wave,
    interruptible,
    jones_wave,
    plan_sampling,
)
from osog.explain import Caution, cautions, explain_line, saturation
from osog.geometry import gbuffer
from osog.labels import boxes
from osog.optics import MODALITIES
from osog.optics import image as form_image
from osog.sample import ParticleBatch, Values, sample
from osog.scene import Polarized, Scene, SceneError
from osog.scene.parameters import replaced, split
from osog.sensor import expected_counts, expose, light_on_pixels, noisy, pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Wave = ExitWave | EmissionSlabs | JonesWave
    """What leaves the sample."""

OUTPUTS = ("image", "field", "irradiance", "instances", "boxes", "opd", "depth")
"""What `render` can return beside the image."""

_CAMERA_STEP = 7_919
"""Noise and particles draw from different streams of one seed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """One simulated micrograph with its labels.

    Attributes
    ----------
    image : Tensor, shape (Y, X), float32
        Camera counts; irradiance relative to the background when the scene has no camera; radians
        in quantitative phase.
    field : Tensor, shape (Y, X), complex64, or None
        Field at the image plane relative to the incident wave, for coherent light.
    irradiance : Tensor, shape (Y, X), or None
        Light before the camera, at the pixel centres.
    instances : Tensor, shape (Y, X), int32, or None
        0 is background, i + 1 is particle i; the particle nearest the objective wins.
    boxes : Tensor, shape (N, 5), or None
        Centre x, y, width, height in px, and angle in radians from +x towards +y.
    opd : Tensor, shape (Y, X), or None
        Optical path difference Σ Δn · path in µm.
    depth : Tensor, shape (Y, X), or None
        Height in µm of the uppermost surface; NaN in the background.
    particles : ParticleBatch
        Those really drawn.
    scene, seed, plan, device
        What it was made from.
    explain : str
        The approximation in use and its estimated error.
    warnings : list of Caution
        What a user should know.
    milliseconds : float
        Wall time of the render.
    """

    image: Tensor
    particles: ParticleBatch
    scene: Scene
    seed: int
    plan: SamplingPlan
    device: str
    explain: str
    milliseconds: float
    field: Tensor | None = None
    irradiance: Tensor | None = None
    instances: Tensor | None = None
    boxes: Tensor | None = None
    opd: Tensor | None = None
    depth: Tensor | None = None
    warnings: list[Caution] = dataclasses.field(default_factory=list)


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """Device to compute on: ``auto`` takes CUDA when torch sees one, else the CPU.

    Raises
    ------
    SceneError
        If the wanted device is not there.
    """
    name = str(device)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(name)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError):
        known = ["auto", "cpu"]
        known += ["cuda"] if torch.cuda.is_available() else []
        known += ["mps"] if torch.backends.mps.is_available() else []
        raise SceneError(
            f"device = '{name}' is not available here; choose {', '.join(known)}."
        ) from None
    return chosen


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
        Any of `OUTPUTS`; the image always comes.

    Returns
    -------
    Frame

    Raises
    ------
    SceneError
        If an output is unknown, the device is not there, or the particles do not fit.
    """
    with torch.inference_mode():
        return Renderer(device).render(scene, seed, outputs=outputs)


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
    Tensor, shape (Y, X)
        Expected counts; irradiance without a camera; radians in quantitative phase.

    Raises
    ------
    SceneError
        If a name is unknown or a value makes the scene invalid.
    """
    model = ForwardModel(scene, seed, dtype=dtype, device=device, values=values)
    return model.image(values or {}, noise_seed)


class ForwardModel:
    """The noise-free image as a function of parameters, on grids that stay fixed.

    The exit wave is reused as long as only focus, NA, aberrations, numbers of the modality or the
    camera change.

    Parameters
    ----------
    scene : Scene
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
        self.scene, self.seed, self.dtype = scene, seed, dtype
        self.device = choose_device(device)
        self._waves: OrderedDict[tuple[Any, ...], Wave] = OrderedDict()
        with torch.no_grad():
            given = self._values(values or {})
            numbers = {name: _float(v) for name, v in (values or {}).items()}
            batch = sample(scene, seed, given)
            nominal = _nominal(scene, numbers)
            self.plan = plan_sampling(nominal, batch, accuracy=accuracy)

    def image(self, values: Mapping[str, Any], noise_seed: int | None = None) -> Tensor:
        """Noise-free image (Y, X) for the given values.

        Parameters
        ----------
        values : mapping of dotted names to tensors or numbers
        noise_seed : int, optional
            Adds the noise of the camera; see `forward`.

        Raises
        ------
        SceneError
            If a name is unknown or a value is not one finite number.
        """
        numbers = self._values(values)
        wave = self._wave(values, numbers)
        optical = form_image(wave, numbers)
        return detected(optical.irradiance, self.plan, numbers, self.seed, noise_seed)

    def _values(self, values: Mapping[str, Any]) -> Values:
        return Values(self.scene, values, dtype=self.dtype, device=self.device)

    def _wave(self, values: Mapping[str, Any], numbers: Values) -> Wave:
        mine = {name: v for name, v in values.items() if not _only_imaging(name)}
        if torch.is_grad_enabled() and any(
            isinstance(v, Tensor) and v.requires_grad for v in mine.values()
        ):
            return scattered(self.scene, sample(self.scene, self.seed, numbers), numbers, self.plan)
        key = tuple(sorted((name, _float(v)) for name, v in mine.items()))
        if key in self._waves:
            self._waves.move_to_end(key)
            return self._waves[key]
        with torch.no_grad():
            batch = sample(self.scene, self.seed, numbers)
            wave = scattered(self.scene, batch, numbers, self.plan)
        self._waves[key] = wave
        while len(self._waves) > 3:
            self._waves.popitem(last=False)
        return wave


class Renderer:
    """Renders one scene after another and reuses the exit wave while only the optics change.

    Parameters
    ----------
    device : str
        As for `render`.
    """

    def __init__(self, device: str | torch.device = "auto") -> None:
        self.device = choose_device(device)
        self._kept: list[tuple[object, ParticleBatch, Wave]] = []

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
        Interrupted
            When `stop` said so.
        """
        with interruptible(stop):
            return self._rendered(scene, seed, accuracy, outputs)

    def _rendered(
        self, scene: Scene, seed: int, accuracy: str | None, outputs: Iterable[str]
    ) -> Frame:
        start = time.perf_counter()
        wanted = set(outputs)
        unknown = sorted(wanted - set(OUTPUTS))
        if unknown:
            raise SceneError(f"outputs = '{unknown[0]}' is not one of {', '.join(OUTPUTS)}.")
        values = Values(scene, dtype=torch.float32, device=self.device)
        batch, wave, plan = self._prepared(scene, seed, accuracy, values)
        optical = form_image(wave, values)
        radians = scene.microscope.modality.kind == "phase"
        warnings = cautions(scene, batch, plan)
        if scene.camera is None or radians:
            picture = light_on_pixels(optical.irradiance, plan, values, seed, integrate=False)
        else:
            light = light_on_pixels(optical.irradiance, plan, values, seed, integrate=True)
            picture = expose(light, scene.camera, seed + _CAMERA_STEP)
            warnings += saturation(picture, light, scene.camera)
        extra: dict[str, Any] = {}
        if "field" in wanted and optical.field is not None:
            extra["field"] = pixels(optical.field, plan, integrate=False)
        if "irradiance" in wanted:
            irradiance = light_on_pixels(optical.irradiance, plan, values, seed, integrate=False)
            extra["irradiance"] = irradiance
        if wanted & {"instances", "opd", "depth"}:
            buffer = gbuffer(batch, scene.grid.shape, scene.grid.pixel_size_um)
            for name in wanted & {"instances", "opd", "depth"}:
                extra[name] = getattr(buffer, name)
        if "boxes" in wanted:
            extra["boxes"] = boxes(batch, scene.grid.pixel_size_um, scene.grid.shape)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elapsed = 1000 * (time.perf_counter() - start)
        return Frame(
            image=picture.to(torch.float32),
            particles=batch,
            scene=scene,
            seed=seed,
            plan=plan,
            device=str(self.device),
            explain=explain_line(scene, batch, plan, self.device.type.upper(), elapsed),
            milliseconds=elapsed,
            warnings=warnings,
            **extra,
        )

    def _prepared(
        self, scene: Scene, seed: int, accuracy: str | None, values: Values
    ) -> tuple[ParticleBatch, Wave, SamplingPlan]:
        batch = sample(scene, seed, values)
        plan = plan_sampling(scene, batch, accuracy=accuracy)
        optics = scene.microscope
        # The margin that was wished for moves with the focus; the grids that follow often do not.
        grids = dataclasses.replace(plan, padding_wanted_um=0.0, padding_um=0.0)
        key = (
            scene.populations,
            scene.medium.index,
            scene.grid,
            optics.wavelength_um,
            optics.condenser_in_use,
            _light(scene),
            seed,
            grids,
        )
        # A draft while the hand moves and the full image at rest take turns: both stay.
        for entry in self._kept:
            if entry[0] == key:
                return entry[1], entry[2], plan
        wave = scattered(scene, batch, values, plan)
        self._kept = [*self._kept[-1:], (key, batch, wave)]
        return batch, wave, plan


def scattered(scene: Scene, batch: ParticleBatch, values: Values, plan: SamplingPlan) -> Wave:
    """Light that leaves the sample, of the kind that the modality images."""
    makers: dict[type, Callable[[ParticleBatch, Values, SamplingPlan], Wave]] = {
        ExitWave: exit_wave,
        EmissionSlabs: emission_slabs,
        JonesWave: jones_wave,
    }
    return makers[MODALITIES[scene.microscope.modality.kind][0]](batch, values, plan)


def detected(
    irradiance: Tensor,
    plan: SamplingPlan,
    values: Values,
    seed: int = 0,
    noise_seed: int | None = None,
) -> Tensor:
    """Reading of every pixel from the light on the fine grid; differentiable.

    Parameters
    ----------
    irradiance : Tensor, shape (Fy, Fx)
    plan : SamplingPlan
    values : Values
    seed : int
        Draws the clouds of the background.
    noise_seed : int, optional
        Draws the noise of the camera; without it there is none.

    Returns
    -------
    Tensor, shape (Y, X)
        Counts with a camera, else the value at the pixel centres.
    """
    scene = values.scene
    if scene.camera is None or scene.microscope.modality.kind == "phase":
        return light_on_pixels(irradiance, plan, values, seed, integrate=False)
    light = light_on_pixels(irradiance, plan, values, seed, integrate=True)
    if noise_seed is None:
        return expected_counts(light, values)
    return noisy(light, values, noise_seed)


def _float(value: Any) -> float:
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def _light(scene: Scene) -> tuple[object, ...]:
    """What a modality does to the light in front of the objective."""
    modality = scene.microscope.modality
    kind = MODALITIES[modality.kind][0]
    if isinstance(modality, Polarized):
        return kind, modality.polarizer_deg, modality.circular
    return (kind,)


def _only_imaging(name: str) -> bool:
    """Whether a parameter acts behind the exit wave only."""
    steps = split(name)
    if steps[0] in ("camera", "background"):
        return True
    if steps[-1] == "polarizer_deg":  # turns the light that enters the sample
        return False
    return steps[0] == "microscope" and steps[1] in (
        "focus_um",
        "numerical_aperture",
        "aberrations",
        "modality",
    )


def _nominal(scene: Scene, numbers: Mapping[str, float]) -> Scene:
    """Return the scene whose optics the grids are chosen for."""
    optics = {n: v for n, v in numbers.items() if n.split(".")[0] in ("microscope", "medium")}
    return replaced(scene, optics) if optics else scene
