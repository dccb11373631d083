"""Requests for pictures, and how a worker makes them with the engine."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_osog.worker import Worker
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from napari_osog.worker import Turn
    from osog.cautions import Caution
    from osog.exit_wave.sampling.source_error import LightInUse
    from osog.rendering.cache import WaveInputs
    from osog.scene import Scene

_log = logging.getLogger(__name__)
_PATIENCE_S = 0.25
"""Seconds after which a render is slow enough to be left for another one."""
_MOST_LEFT = 3
"""Renders in a row that are left for newer ones; then one is finished, so that none starves."""


@dataclass(frozen=True)
class Request:
    """One image to make.

    Attributes
    ----------
    scene : Scene
    seed : int
    shown : str
        One of ``session.SHOWN``.
    preview : bool
        Whether a coarser and faster image will do.
    masks, outlines : bool
        Whether instance masks and outlines are wanted too.
    device : str
    fields : tuple of str
        "phase" and "amplitude" of the field at the image plane, as pictures of their own.
    source_points : int
        Points that stand for the condenser; 0 leaves the choice to the engine.
    whole : bool
        Whether the whole stack and series of the scene are wanted; else one picture, of the middle
        plane and the first frame.
    drag : int
        Number of the drag that it belongs to; 0 at rest.
    """

    scene: Scene
    seed: int = 0
    shown: str = "image"
    preview: bool = False
    masks: bool = False
    outlines: bool = False
    device: str = "auto"
    fields: tuple[str, ...] = ()
    source_points: int = 0
    whole: bool = False
    drag: int = 0

    @property
    def rendered(self) -> Scene:
        """Scene that the engine is given."""
        return self.scene if self.whole else single_frame(self.scene, self.source_points)


@dataclass(frozen=True)
class ModelInUse:
    """How one population was computed.

    Attributes
    ----------
    population : str
        Its name.
    model : str
        "slabs", "projection", "mie" or "facets".
    error_percent : float
        Estimated error of the scattered field.
    reason : str
    """

    population: str
    model: str
    error_percent: float
    reason: str


@dataclass(frozen=True)
class Failure:
    """A render that could not be made.

    Attributes
    ----------
    request : Request
    error : str
        Sentences for the user.
    """

    request: Request
    error: str


@dataclass(frozen=True, eq=False)
class Picture:
    """A finished render as plain arrays; made in the worker, read by the GUI.

    Attributes
    ----------
    request : Request
    image : ndarray, shape (Y, X) or (Y, X, 3), float32
        ([T,] [Z,] Y, X [, 3]) when the whole of a stack or series was wanted.
    fields : mapping of str to ndarray, shape (Y, X), float32
        Those of the wanted "phase" (radians) and "amplitude" that the modality has.
    instances : ndarray, shape (Y, X), int32, or None
        0 is background, i + 1 is particle i.
    positions_um : ndarray, shape (N, 3)
        Centres (x, y, z) of the particles that were drawn.
    population : ndarray, shape (N,), int
        Position of each particle's population in the scene.
    outlines : list of ndarray, shape (K, 2), or None
        Silhouettes as (row, column) in pixels.
    explain : str
        What was computed, in the engine's words.
    cautions : tuple of Caution
    models : tuple of ModelInUse
        How each population was computed; empty for previews.
    light : LightInUse or None
        Directions that the light came from; None where the particles emit.
    accuracy : str
        "draft", "standard" or "fine"; "" when the renderer does not say.
    milliseconds : float
        Wall time of the render without the conversion to arrays.
    device : str
        Where it was really computed.
    wave_inputs : WaveInputs or None
        What the light behind the sample was made from; None where it is not kept.
    """

    request: Request
    image: NDArray[np.float32]
    instances: NDArray[np.int32] | None = None
    positions_um: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    population: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    outlines: list[NDArray[np.float64]] | None = None
    fields: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    explain: str = ""
    cautions: tuple[Caution, ...] = ()
    models: tuple[ModelInUse, ...] = ()
    light: LightInUse | None = None
    accuracy: str = ""
    milliseconds: float = 0.0
    device: str = "cpu"
    wave_inputs: WaveInputs | None = None


def single_frame(scene: Scene, source_points: int = 0) -> Scene:
    """Return the scene of one picture: the middle plane of a stack, the first frame of a series."""
    optics = scene.microscope
    planes = optics.focus_planes_um
    changes: dict[str, Any] = {}
    if isinstance(optics.focus_um, tuple):
        changes["focus_um"] = planes[len(planes) // 2]
    if source_points and not optics.source_points:
        changes["source_points"] = source_points
    if changes:
        scene = scene.model_copy(update={"microscope": optics.model_copy(update=changes)})
    if scene.series.frames > 1:
        series = scene.series.model_copy(update={"frames": 1})
        scene = scene.model_copy(update={"series": series})
    return scene


def engine(device: str) -> Any:
    """Make the engine's renderer; torch is imported here, in the worker, on first use."""
    from osog.rendering import Renderer

    return Renderer(device)


class PictureMaker:
    """The job of a worker that renders: a request becomes a picture, or words on what is wrong.

    Parameters
    ----------
    make : callable, optional
        Device name → object with ``render(scene, seed, accuracy=None, outputs=..., stop=...)``.
    """

    def __init__(self, make: Callable[[str], Any] | None = None) -> None:
        self._make = make if make is not None else engine
        self._renderers: dict[str, Any] = {}
        self._bodies: object = None
        self._instances: NDArray[np.int32] | None = None
        self._outlines: list[NDArray[np.float64]] | None = None

        self._began = 0.0
        self._left = 0

    def forget(self) -> None:
        """Give the memory of the renderers back."""
        self._renderers.clear()

    def __call__(self, request: Request, turn: Turn) -> Picture | Failure | None:
        """Render; None when something else became more urgent on the way."""
        from osog.cancellation import Cancelled

        self._began = time.monotonic()
        try:
            made = self._rendered(request, lambda: self._is_unwanted(request, turn))
        except Cancelled:
            self._left += 1
            return None
        except SceneError as error:
            return Failure(request, str(error))
        except Exception as error:
            _log.exception("A render failed")
            return Failure(request, _words(error))
        self._left = 0
        return made

    def _is_unwanted(self, request: Request, turn: Turn) -> bool:
        """Whether the render that runs may be left for the one that waits.

        A full one is left for a preview, one that only refines a picture at rest for everything,
        and a slow one for another scene, a few times in a row: what follows in the same drag
        waits, so that pictures go on coming.
        """
        waiting = turn.waiting
        if turn.stopping or waiting is None:
            return turn.stopping
        if request.source_points > 0 or (waiting.preview and not request.preview):
            return True
        slow = time.monotonic() - self._began > _PATIENCE_S and self._left < _MOST_LEFT
        same = waiting.scene is request.scene and waiting.seed == request.seed
        goes_on = waiting.drag != 0 and waiting.drag == request.drag
        return slow and not same and not goes_on and not request.preview

    def _rendered(self, request: Request, stop: Callable[[], bool]) -> Picture:
        import torch

        from osog.exit_wave.sampling.source_error import light_in_use
        from osog.labels import outlines as silhouettes

        renderer = self._renderers.get(request.device)
        if renderer is None:
            renderer = self._renderers[request.device] = self._make(request.device)
        from osog.exit_wave.compiled.choice import look_again

        # A picture is drawn anew anyway: the place to take up code that has become ready.
        look_again()
        scene = request.rendered
        outputs = {"image"}
        if request.fields or request.shown in ("phase", "amplitude"):
            outputs.add("field")
        if request.shown == "irradiance":
            outputs.add("irradiance")
        # Masks and outlines depend on the bodies alone, and can cost more than the image.
        bodies = (scene.populations, scene.grid, request.seed)
        if bodies != self._bodies:
            self._bodies, self._instances, self._outlines = bodies, None, None
        if request.masks and self._instances is None:
            outputs.add("instances")
        with torch.no_grad():
            start = time.perf_counter()
            frame = renderer.render(
                scene,
                request.seed,
                accuracy="draft" if request.preview else None,
                outputs=sorted(outputs),
                stop=stop,
            )
            milliseconds = (time.perf_counter() - start) * 1e3
            image = _shown(frame, request.shown)
            particles = frame.particles
            positions = _array(particles.position, np.float64).reshape(-1, 3)
            if request.outlines and self._outlines is None:
                polygons = _array(silhouettes(particles, 48), np.float64)
                self._outlines = list(polygons / scene.grid.pixel_size_um)
            if request.masks and self._instances is None:
                self._instances = _array(frame.instances, np.int32)
            fields = {name: _field(frame, name) for name in request.fields}
            plan = getattr(frame, "plan", None)
            models = () if plan is None or request.preview else _models(scene, particles, plan)
        return Picture(
            request=request,
            image=image,
            fields={name: array for name, array in fields.items() if array is not None},
            instances=self._instances if request.masks else None,
            positions_um=positions,
            population=_array(particles.population, np.int64).reshape(-1),
            outlines=self._outlines if request.outlines else None,
            explain=str(frame.explain),
            cautions=tuple(frame.warnings),
            models=models,
            light=None if plan is None else light_in_use(scene, particles, plan),
            accuracy="" if plan is None else plan.accuracy,
            milliseconds=milliseconds,
            device=str(frame.device),
            wave_inputs=getattr(frame, "wave_inputs", None),
        )


def _models(scene: Scene, particles: Any, plan: Any) -> tuple[ModelInUse, ...]:
    from osog.exit_wave.scattering import scattering_choices

    return tuple(
        ModelInUse(scene.populations[c.population].name, c.model, c.error_percent, c.reason)
        for c in scattering_choices(scene, particles, plan)
    )


def _shown(frame: Any, shown: str) -> NDArray[np.float32]:
    if shown == "irradiance":
        light = _array(frame.irradiance, np.float32)
        return np.moveaxis(light, 0, -1).copy() if light.ndim == 3 else light
    if shown == "image":
        return _array(frame.image, np.float32)
    array = _field(frame, shown)
    if array is None:
        raise SceneError(
            f"This modality has no single field, so there is no {shown} to show; "
            "choose the image instead."
        )
    return array


def _field(frame: Any, name: str) -> NDArray[np.float32] | None:
    if frame.field is None:
        return None
    field = frame.field
    return _array(field.angle() if name == "phase" else field.abs(), np.float32)


def _array(tensor: Any, dtype: Any) -> NDArray[Any]:
    """Contiguous array that nobody else writes to."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().numpy()
    return np.array(tensor, dtype=dtype, order="C")


def _words(error: Exception) -> str:
    name, text = type(error).__name__, str(error).strip().splitlines()
    first = text[0] if text else ""
    if "out of memory" in first.lower() or isinstance(error, MemoryError):
        return "Not enough memory for this frame: make it smaller, or draw fewer particles."
    return f"This scene could not be rendered ({first or name}). The last image is kept."


def picture_worker(
    make: Callable[[str], Any] | None = None,
    max_rate: float = 30.0,
    synchronous: bool | None = None,
) -> Worker:
    """Make a worker that turns each `Request` into a `Picture` or a `Failure`.

    Parameters
    ----------
    make : callable, optional
        As for `PictureMaker`.
    max_rate : float
        Pictures a second that are taken at most.
    synchronous : bool, optional
        As for `Worker`.
    """
    maker = PictureMaker(make)
    return Worker(
        maker, "osog-render", max_rate=max_rate, cleanup=maker.forget, synchronous=synchronous
    )


__all__ = [
    "Failure",
    "ModelInUse",
    "Picture",
    "PictureMaker",
    "Request",
    "picture_worker",
    "single_frame",
]
