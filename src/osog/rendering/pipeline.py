"""The four stages as one sentence: sample → geometry and exit wave → optics → sensor.

Around them run three loops: over the frames of a time series, over the wavelengths of the light and
over the planes of a stack.
"""

from __future__ import annotations

import dataclasses
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.exit_wave import (
    Cone,
    EmissionSlabs,
    ExitWave,
    JonesWave,
    ReflectedWave,
    SamplingPlan,
    emission_slabs,
    exit_wave,
    interruptible,
    jones_wave,
    plan_sampling,
    reflected_wave,
)
from osog.exit_wave.birefringence import mean_delta_index
from osog.explain import cautions, explain_line
from osog.geometry import gbuffer
from osog.labels import boxes
from osog.optics import IMAGINGS
from osog.optics import image as form_image
from osog.optics.resample import magnified
from osog.optics.spectrum import (
    Line,
    at_wavelength,
    focus_shift,
    magnification,
    spectral_lines,
)
from osog.sample import ParticleBatch, Values, dispersed, moving, sample
from osog.scene import Polarized, Scene, SceneError
from osog.scene.parameters import replaced, split
from osog.sensor import expected_counts, expose, light_on_pixels, noisy, pixels, saturation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from osog.cautions import Caution

    Wave = ExitWave | EmissionSlabs | JonesWave | ReflectedWave
    """What leaves the sample."""

OUTPUTS = ("image", "field", "irradiance", "instances", "boxes", "opd", "depth")
"""What `render` can return beside the image."""

_CAMERA_STEP = 7_919
"""Noise and particles draw from different streams of one seed."""
_PICTURE_STEP = 15_485_863
"""Noise of one picture of a stack or series to the next."""
_KEEP = 4e7
"""Samples of all waves together up to which they are kept for the next frame."""


@dataclasses.dataclass(frozen=True, kw_only=True)
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
    explain : str
        The approximation in use and its estimated error.
    warnings : list of Caution
        What a user should know.
    milliseconds : float
        Wall time of the render.
    """

    image: Tensor
    particles: ParticleBatch
    positions: Tensor
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
    Tensor, shape ([T,] [Z,] Y, X [, 3])
        Expected counts; irradiance without a camera; radians in quantitative phase. Frames of a
        series, planes of a stack and colours as in `Frame.image`. One plane of a stack is named
        ``microscope.focus_um[2]``.

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
        self._waves: OrderedDict[tuple[Any, ...], list[Wave]] = OrderedDict()
        with torch.no_grad():
            given = self._values(values or {})
            numbers = {name: _float(v) for name, v in (values or {}).items()}
            nominal = _nominal(scene, numbers)
            self.plans = [
                plan_sampling(nominal, batch, accuracy=accuracy)
                for batch in moving(sample(scene, seed, given), scene, seed)
            ]
        self.plan = self.plans[0]

    def image(self, values: Mapping[str, Any], noise_seed: int | None = None) -> Tensor:
        """Noise-free image ([T,] [Z,] Y, X [, 3]) for the given values.

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
        pictures: list[Tensor] = []
        for plan, lines, waves in self._frames(values, numbers):
            light, _ = imaged(waves, lines, numbers, plan)
            for each in light:
                noise = None
                if noise_seed is not None:
                    noise = noise_seed + _PICTURE_STEP * len(pictures)
                pictures.append(detected(each, plan, numbers, self.seed, noise))
        return _stacked(pictures, self.scene)

    def _values(self, values: Mapping[str, Any]) -> Values:
        return Values(self.scene, values, dtype=self.dtype, device=self.device)

    def _frames(
        self, values: Mapping[str, Any], numbers: Values
    ) -> Iterator[tuple[SamplingPlan, list[Line], Iterable[Wave]]]:
        """Plan, lines and waves of every frame."""
        scene, seed = self.scene, self.seed
        mine = {n: v for n, v in values.items() if not _only_imaging(scene, n)}
        kept = not (
            torch.is_grad_enabled()
            and any(isinstance(v, Tensor) and v.requires_grad for v in mine.values())
        )
        lines = lines_of(numbers, self.plan)
        if not kept or scene.series.frames > 1:
            batches = moving(sample(scene, seed, numbers), scene, seed)
            for plan, batch in zip(self.plans, batches, strict=True):
                yield plan, lines, waves_of(scene, batch, numbers, plan, lines)
            return
        key = tuple(sorted((name, _float(v)) for name, v in mine.items()))
        if key in self._waves:
            self._waves.move_to_end(key)
        else:
            with torch.no_grad():
                batch = sample(scene, seed, numbers)
                waves = waves_of(scene, batch, numbers, self.plan, lines)
                if not _affordable(self.plan):
                    yield self.plan, lines, waves
                    return
                self._waves[key] = list(waves)
            while len(self._waves) > 3:
                self._waves.popitem(last=False)
        yield self.plan, lines, self._waves[key]


class Renderer:
    """Renders one scene after another and reuses the exit wave while only the optics change.

    Parameters
    ----------
    device : str
        As for `render`.
    """

    def __init__(self, device: str | torch.device = "auto") -> None:
        self.device = choose_device(device)
        self._kept: list[tuple[object, list[Wave]]] = []

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
        wanted = {outputs} if isinstance(outputs, str) else set(outputs)
        unknown = sorted(wanted - set(OUTPUTS))
        if unknown:
            raise SceneError(f"outputs = '{unknown[0]}' is not one of {', '.join(OUTPUTS)}.")
        values = Values(scene, dtype=torch.float32, device=self.device)
        first = sample(scene, seed, values)
        plan = plan_sampling(scene, first, accuracy=accuracy)
        planes = len(scene.microscope.focus_planes_um)
        single = planes == 1 and scene.series.frames == 1
        saturated: list[Caution] = []
        found: dict[str, list[Tensor]] = {name: [] for name in ("image", "positions", *wanted)}
        for number, batch in enumerate(moving(first, scene, seed)):
            now = plan if number == 0 else plan_sampling(scene, batch, accuracy=accuracy)
            lines, waves = self._prepared(scene, batch, seed, now, values)
            light, field = imaged(waves, lines, values, now)
            for k, each in enumerate(light):
                noise = seed + _CAMERA_STEP + _PICTURE_STEP * (number * planes + k)
                picture, warnings = _picture(each, now, values, seed, noise)
                found["image"].append(picture)
                saturated = saturated or warnings
                if "irradiance" in wanted:
                    found["irradiance"].append(_light(each, now, values, seed))
            if "field" in wanted and field is not None and single:
                found["field"].append(pixels(field, now, integrate=False))
            found["positions"].append(batch.position)
            for name, label in _labels(scene, batch, wanted).items():
                found[name].append(label)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elapsed = 1000 * (time.perf_counter() - start)
        extra = {
            name: torch.stack(found[name]) if scene.series.frames > 1 else found[name][0]
            for name in wanted & {"field", "instances", "boxes", "opd", "depth"}
            if found[name]
        }
        if "irradiance" in wanted:
            extra["irradiance"] = _stacked(found["irradiance"], scene)
        return Frame(
            image=_stacked(found["image"], scene).to(torch.float32),
            particles=first,
            positions=torch.stack(found["positions"]),
            scene=scene,
            seed=seed,
            plan=plan,
            device=str(self.device),
            explain=explain_line(scene, first, plan, self.device.type.upper(), elapsed),
            milliseconds=elapsed,
            warnings=cautions(scene, first, plan) + saturated,
            **extra,
        )

    def _prepared(
        self, scene: Scene, batch: ParticleBatch, seed: int, plan: SamplingPlan, values: Values
    ) -> tuple[list[Line], Iterable[Wave]]:
        lines = lines_of(values, plan)
        if scene.series.frames > 1:
            return lines, waves_of(scene, batch, values, plan, lines)
        optics = scene.microscope
        # The margin that was wished for moves with the focus; the grids that follow often do not.
        grids = dataclasses.replace(plan, padding_wanted_um=0.0, padding_um=0.0)
        key = (
            scene.populations,
            scene.medium,
            scene.grid,
            optics.wavelength_um,
            _moving_lines(scene),
            _light_in(scene),
            seed,
            grids,
        )
        # A draft while the hand moves and the full image at rest take turns: both stay.
        for entry in self._kept:
            if entry[0] == key:
                return lines, entry[1]
        waves = waves_of(scene, batch, values, plan, lines)
        if not _affordable(plan):
            return lines, waves
        kept = list(waves)
        self._kept = [*self._kept[-1:], (key, kept)]
        return lines, kept


def lines_of(values: Values, plan: SamplingPlan) -> list[Line]:
    """Wavelengths of the light, with their weights in the channels of the camera."""
    return spectral_lines(values, plan.wavelengths, _colour(values.scene))


def waves_of(
    scene: Scene, batch: ParticleBatch, values: Values, plan: SamplingPlan, lines: list[Line]
) -> Iterator[Wave]:
    """Light that leaves the sample at each wavelength, one after the other.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
        With the indices at the microscope's wavelength.
    values : Values
    plan : SamplingPlan
    lines : list of Line

    Yields
    ------
    Wave
        All on the grids of `plan`.
    """
    if scene.microscope.spectrum.kind == "monochromatic":
        yield scattered(scene, batch, values, plan)
        return
    emission: EmissionSlabs | None = None
    for line in lines:
        numbers = at_wavelength(values, line.wavelength_um)
        if emission is not None:  # where light is emitted does not depend on its colour
            yield dataclasses.replace(
                emission,
                wavelength_um=line.wavelength_um,
                medium_index=numbers.number("medium.index"),
            )
            continue
        wave = scattered(scene, dispersed(batch, values, line.wavelength_um), numbers, plan)
        if isinstance(wave, EmissionSlabs):
            emission = wave
        yield wave


def imaged(
    waves: Iterable[Wave], lines: list[Line], values: Values, plan: SamplingPlan
) -> tuple[list[Tensor], Tensor | None]:
    """Light on the fine grid in every plane of focus.

    Parameters
    ----------
    waves : iterable of Wave
        One for each line.
    lines : list of Line
    values : Values
    plan : SamplingPlan

    Returns
    -------
    light : list of Tensor, shapes ([3,] Fy, Fx)
        Σ_λ w(λ) I_λ for each plane, in three channels for a colour camera; radians in
        quantitative phase.
    field : complex Tensor (Fy, Fx) or None
        Of the last plane, for coherent light of a single wavelength.
    """
    scene = values.scene
    if isinstance(scene.microscope.focus_um, tuple):
        count = len(scene.microscope.focus_um)
        planes = [values.number(f"microscope.focus_um[{k}]") for k in range(count)]
    else:
        planes = [values.number("microscope.focus_um")]
    colour, one = _colour(scene), scene.microscope.spectrum.kind == "monochromatic"
    light: list[Tensor | None] = [None] * len(planes)
    field = None
    for wave, line in zip(waves, lines, strict=True):
        numbers = at_wavelength(values, line.wavelength_um)
        rise = None if one else focus_shift(values, line.wavelength_um)
        factor = None if one else magnification(values, line.wavelength_um)
        for k, plane in enumerate(planes):
            focused = {"microscope.focus_um": plane if rise is None else plane + rise}
            if rise is not None and scene.microscope.modality.kind == "light_sheet":
                # The sheet stays in its place while the colours come to focus around it.
                name = "microscope.modality.sheet_offset_um"
                focused[name] = numbers.number(name) - rise
            optical = form_image(wave, numbers.replaced(focused))
            part = optical.irradiance
            if factor is not None:
                part = magnified(part, plan, factor)
            if colour:
                part = line.weights[:, None, None] * part
            elif not one:
                part = line.weights * part
            so_far = light[k]
            light[k] = part if so_far is None else so_far + part
            field = optical.field if one else None
    return [part for part in light if part is not None], field


def scattered(scene: Scene, batch: ParticleBatch, values: Values, plan: SamplingPlan) -> Wave:
    """Light that leaves the sample, of the kind that the modality images."""
    makers: dict[type, Callable[[ParticleBatch, Values, SamplingPlan], Wave]] = {
        ExitWave: exit_wave,
        EmissionSlabs: emission_slabs,
        JonesWave: jones_wave,
        ReflectedWave: reflected_wave,
    }
    return makers[IMAGINGS[scene.microscope.modality.kind].takes](batch, values, plan)


def detected(
    light: Tensor,
    plan: SamplingPlan,
    values: Values,
    seed: int = 0,
    noise_seed: int | None = None,
) -> Tensor:
    """Reading of every pixel from the light on the fine grid; differentiable.

    Parameters
    ----------
    light : Tensor, shape ([3,] Fy, Fx)
    plan : SamplingPlan
    values : Values
    seed : int
        Draws the clouds of the background.
    noise_seed : int, optional
        Draws the noise of the camera; without it there is none.

    Returns
    -------
    Tensor, shape (Y, X [, 3])
        Counts with a camera, else the value at the pixel centres.
    """
    scene = values.scene
    if scene.camera is None or scene.microscope.modality.kind == "phase":
        return _light(light, plan, values, seed)
    on_pixels = light_on_pixels(light, plan, values, seed, integrate=True)
    if noise_seed is None:
        return expected_counts(on_pixels, values)
    return noisy(on_pixels, values, noise_seed)


def _picture(
    light: Tensor, plan: SamplingPlan, values: Values, seed: int, noise_seed: int
) -> tuple[Tensor, list[Caution]]:
    """Picture (Y, X [, 3]) with the noise of the camera, and what to say of its exposure."""
    scene = values.scene
    if scene.camera is None or scene.microscope.modality.kind == "phase":
        return _light(light, plan, values, seed), []
    on_pixels = light_on_pixels(light, plan, values, seed, integrate=True)
    picture = expose(on_pixels, scene.camera, noise_seed)
    return picture, saturation(picture, on_pixels, scene.camera)


def _light(light: Tensor, plan: SamplingPlan, values: Values, seed: int) -> Tensor:
    """Light at the pixel centres; radians in quantitative phase, where no background acts."""
    if values.scene.microscope.modality.kind == "phase":
        return pixels(light, plan, integrate=False)
    return light_on_pixels(light, plan, values, seed, integrate=False)


def _colour(scene: Scene) -> bool:
    """Whether the picture has colour channels."""
    return (
        scene.camera is not None
        and scene.camera.channels == 3
        and scene.microscope.modality.kind != "phase"
    )


def _stacked(pictures: list[Tensor], scene: Scene) -> Tensor:
    """Pictures of all frames and planes as ([T,] [Z,] …)."""
    whole = torch.stack(pictures)
    planes = len(scene.microscope.focus_planes_um)
    whole = whole.reshape(scene.series.frames, planes, *whole.shape[1:])
    if not isinstance(scene.microscope.focus_um, tuple):
        whole = whole.squeeze(1)
    return whole if scene.series.frames > 1 else whole[0]


def _labels(scene: Scene, batch: ParticleBatch, wanted: set[str]) -> dict[str, Tensor]:
    """Those of the wanted labels that come from the geometry."""
    shape, pixel = scene.grid.shape, scene.grid.pixel_size_um
    shown = torch.tensor([p.labelled for p in scene.populations] or [True], device=batch.device)
    labelled = shown[batch.population]
    found: dict[str, Tensor] = {}
    masks = wanted & {"instances", "depth"}
    if "opd" in wanted or (masks and bool(labelled.all())):
        medium = torch.tensor(scene.medium.index, dtype=batch.dtype, device=batch.device)
        mean = dataclasses.replace(batch, delta_index=mean_delta_index(batch, medium))
        buffer = gbuffer(mean, shape, pixel)
        found = {name: getattr(buffer, name) for name in wanted & {"instances", "opd", "depth"}}
    if masks and not bool(labelled.all()):
        numbers = torch.nonzero(labelled).flatten()
        buffer = gbuffer(batch.taken(numbers), shape, pixel)
        found["depth"] = buffer.depth
        own = torch.cat([numbers.new_zeros(1), numbers + 1]).to(torch.int32)
        found["instances"] = own[buffer.instances.long()]
    if "boxes" in wanted:
        found["boxes"] = boxes(batch, pixel, shape)
        found["boxes"][:, 2:4] *= labelled[:, None]
    return {name: label for name, label in found.items() if name in wanted}


def _float(value: Any) -> float:
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def _affordable(plan: SamplingPlan) -> bool:
    """Whether the waves of all wavelengths may stay in memory."""
    width, height = (2 * plan.band / step for step in plan.frequency_step)
    return plan.wavelengths * max(plan.source_points, 1) * width * height <= _KEEP


_BEHIND_THE_SAMPLE = frozenset(
    {"brightfield", "dic", "hologram", "off_axis_hologram", "phase"}
    | {"fluorescence", "confocal", "light_sheet"}
)
"""Modalities whose own numbers act behind the wave that leaves the sample."""


def _light_in(scene: Scene) -> tuple[object, ...]:
    """What a modality does to the light in front of the objective."""
    optics, modality = scene.microscope, scene.microscope.modality
    kind = IMAGINGS[modality.kind].takes
    light = kind, Cone.of(scene), scene.numerics.partial_coherence
    if modality.kind in _BEHIND_THE_SAMPLE:
        return light
    if isinstance(modality, Polarized):
        return *light, modality.polarizer_deg, modality.circular
    if issubclass(kind, ExitWave | ReflectedWave):
        return light
    return *light, modality, optics.numerical_aperture


def _moving_lines(scene: Scene) -> object:
    """Return the spectrum, as far as it says which wavelengths there are."""
    spectrum = scene.microscope.spectrum
    return spectrum if spectrum.kind == "led" else spectrum.kind


def _only_imaging(scene: Scene, name: str) -> bool:
    """Whether a parameter acts behind the wave that leaves the sample only."""
    steps = split(name)
    if steps[0] in ("camera", "background"):
        return True
    if steps[0] != "microscope":
        return False
    optics = scene.microscope
    if steps[1] == "modality":
        if optics.epi:  # the coverslip comes after the particles, the lamp before them
            return steps[2] != "illumination_numerical_aperture"
        if optics.modality.kind == "polarized":  # so do compensator and analyser
            return steps[2] != "polarizer_deg"
        return optics.modality.kind in _BEHIND_THE_SAMPLE
    if steps[1] == "spectrum":  # the lines of a lamp stay, and change their weights
        return optics.spectrum.kind != "led"
    if steps[1] == "numerical_aperture":  # a ring in the condenser follows the objective
        return optics.modality.kind != "phase_contrast"
    return steps[1] in (
        "focus_um",
        "aberrations",
        "field_aberrations",
        "chromatic",
        "cover_glass",
        "immersion_index",
        "pupil",
    )


def _nominal(scene: Scene, numbers: Mapping[str, float]) -> Scene:
    """Return the scene whose optics the grids are chosen for."""
    optics = {n: v for n, v in numbers.items() if n.split(".")[0] in ("microscope", "medium")}
    return replaced(scene, optics) if optics else scene
