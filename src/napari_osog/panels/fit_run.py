"""A fit in its own thread: what is ordered, how it is carried out, how it is stopped."""

from __future__ import annotations

import atexit
import logging
import threading
import time
import warnings
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from osog.scene import Particle, Scene, SceneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from osog.fitting import FitProgress, FitResult

_log = logging.getLogger(__name__)

MOST_NUMBERS = 150
"""Free numbers that one fit takes: each costs an image per step."""
_INTERVAL = 0.1
_EACH = "particles[*]."
_SIZES = ("radius_um", "length_um", "semi_axes_um", "size_um")


class Refusal(ValueError):
    """A fit that cannot be ordered; the message is one sentence for the person."""


@dataclass(frozen=True)
class Order:
    """Everything that one fit depends on; a copy, so that nothing of it changes while it runs.

    Attributes
    ----------
    image : ndarray, shape (Y, X), float64
    scene : Scene
    seed : int
    free : tuple of str
        Dotted names; ``particles[*].x_um`` stands for that number of every particle.
    bounds : mapping of names to (low, high)
    start : str
        "sliders", "detect" or "points".
    points : tuple of (row, column)
        In pixels; for the start "points".
    population : str
        Name of the population that points belong to and that is looked for; "" is the first.
    region : (y0, y1, x0, x1) or None
    linear : str
        See `osog.fitting.fit`.
    optics : str
        "uncertain" or "exact".
    device : str
        "cpu" or "cuda".
    """

    image: NDArray[np.float64]
    scene: Scene
    seed: int = 0
    free: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    start: str = "sliders"
    points: tuple[tuple[float, float], ...] = ()
    population: str = ""
    region: tuple[int, int, int, int] | None = None
    linear: str = "auto"
    optics: str = "uncertain"
    device: str = "cpu"


@dataclass(frozen=True)
class Step:
    """Something to show while a fit runs.

    Attributes
    ----------
    progress : FitProgress or None
        None while particles are looked for.
    history : tuple of (stage, rms)
        Of every accepted step so far.
    """

    progress: FitProgress | None
    history: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a fit ended.

    Attributes
    ----------
    order : Order
    result : FitResult or None
    problem : str
        One sentence when there is no result.
    started : dict
        Free names → value at which the search began.
    notes : tuple of str
        What was decided on the way.
    """

    order: Order
    result: FitResult | None = None
    problem: str = ""
    started: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def visible_particles(scene: Scene) -> int | None:
    """Particles that a scene draws; None when chance decides their number."""
    total = 0
    for population in scene.populations:
        if not population.visible:
            continue
        if population.particles is not None:
            total += len(population.particles)
        elif population.density_per_mm2 is not None:
            return None
        else:
            total += population.count or 0
    return total


def prepared(order: Order) -> tuple[Scene, str, tuple[str, ...]]:
    """Return the scene at whose numbers a fit begins, the start option, and notes for the person.

    Raises
    ------
    Refusal
        If there is nothing to start from.
    """
    from osog.sample import explicit

    if not any(population.visible for population in order.scene.populations):
        raise Refusal("The sample holds no particles; add a population in the Simulate panel.")
    if order.start == "points":
        return _from_points(order), "scene", _left_out(order)
    if order.start == "detect":
        if visible_particles(order.scene) == 1:
            return explicit(order.scene, order.seed), "detect", ()
        return _from_detection(order)
    scene = explicit(order.scene, order.seed)
    if not visible_particles(scene):
        raise Refusal(
            "The sample holds no particles; let them be detected, or add some in the viewer."
        )
    return scene, "scene", ()


def _chosen(order: Order) -> int:
    """Number of the population that is looked for."""
    visible = [k for k, p in enumerate(order.scene.populations) if p.visible]
    named = [k for k in visible if order.scene.populations[k].name == order.population]
    return (named or visible)[0]


def _left_out(order: Order) -> tuple[str, ...]:
    chosen = order.scene.populations[_chosen(order)]
    others = [p.name for p in order.scene.populations if p.visible and p.name != chosen.name]
    if not others:
        return ()
    return (f"Only '{chosen.name}' was placed; left out: {', '.join(others)}.",)


def _with_particles(order: Order, particles: tuple[Particle, ...]) -> Scene:
    """Return the scene with these particles alone, sizes shared unless each one's is free."""
    from statistics import median

    populations = []
    chosen = _chosen(order)
    for k, population in enumerate(order.scene.populations):
        if k != chosen:
            populations.append(population.model_copy(update={"visible": False}))
            continue
        shape, update = population.shape, {}
        for name in _SIZES:
            each = [getattr(p, name) for p in particles]
            if f"{_EACH}{name}" in order.free or not hasattr(shape, name):
                continue
            shared = getattr(shape, name)
            varied = f"populations.{population.name}.shape.{name}" in order.free
            lawful = not isinstance(shared, int | float | tuple)
            if (varied or lawful) and all(isinstance(v, int | float) for v in each):
                update[name] = median(each)
            particles = tuple(p.model_copy(update={name: None}) for p in particles)
        material = population.material
        found = [p.index for p in particles if p.index is not None]
        own = f"populations.{population.name}.material.index"
        if found and (own in order.free or not isinstance(material.index, int | float)):
            material = material.model_copy(update={"index": median(found), "name": None})
        particles = tuple(p.model_copy(update={"index": None}) for p in particles)
        populations.append(
            population.model_copy(
                update={
                    "shape": shape.model_copy(update=update),
                    "material": material,
                    "particles": particles,
                    "count": None,
                    "density_per_mm2": None,
                }
            )
        )
    scene = order.scene.model_copy(update={"populations": tuple(populations)})
    from osog.sample import explicit

    return explicit(Scene.parse(scene.model_dump()), order.seed)


def _from_points(order: Order) -> Scene:
    population = order.scene.populations[_chosen(order)]
    pixel = order.scene.grid.pixel_size_um
    depth = population.placement.z_um
    z = float(depth) if isinstance(depth, int | float) else float(depth.centre)
    angles = (population.particles or (Particle(),))[0].orientation_deg
    return _with_particles(
        order,
        tuple(
            Particle(x_um=c * pixel, y_um=r * pixel, z_um=z, orientation_deg=angles)
            for r, c in order.points
        ),
    )


def _from_detection(order: Order) -> tuple[Scene, str, tuple[str, ...]]:
    from osog.detection import detect

    population = order.scene.populations[_chosen(order)]
    image = np.where(np.isfinite(order.image), order.image, np.nanmedian(order.image))
    found = detect(image, order.scene, population=population.name, device=order.device)
    if order.region is not None:
        found = tuple(p for p in found if _inside(p, order))
    if not found:
        raise Refusal(
            f"No particle like those of '{population.name}' was found; check its size and index, "
            "or click on the particles in a Points layer and start from there."
        )
    number = f"{len(found)} particle{'s' if len(found) > 1 else ''} found."
    return _with_particles(order, found), "scene", (number, *_left_out(order))


def _inside(particle: Particle, order: Order) -> bool:
    if order.region is None:
        return True
    y0, y1, x0, x1 = order.region
    row = particle.y_um / order.scene.grid.pixel_size_um
    column = particle.x_um / order.scene.grid.pixel_size_um
    return y0 - 0.5 <= row < y1 - 0.5 and x0 - 0.5 <= column < x1 - 0.5


def expanded(order: Order, scene: Scene) -> tuple[tuple[str, ...], dict[str, tuple[float, float]]]:
    """Free names and bounds with every particle's own name in place of ``particles[*]``.

    Particles outside the region are held.

    Raises
    ------
    Refusal
        If nothing is free, or more than the fit can take.
    """
    listed = [p for pop in scene.populations if pop.visible for p in pop.particles or ()]
    numbers = [k for k, particle in enumerate(listed) if _inside(particle, order)]
    shared = [name for name in order.free if not name.startswith(_EACH)]
    words = [name.removeprefix(_EACH) for name in order.free if name.startswith(_EACH)]
    names = [f"particles[{k}].{word}" for k in numbers for word in words] + shared
    bounds = {name: order.bounds[name] for name in shared if name in order.bounds}
    for word in words:
        if f"{_EACH}{word}" in order.bounds:
            own = order.bounds[f"{_EACH}{word}"]
            bounds |= {f"particles[{k}].{word}": own for k in numbers}
    if not names:
        raise Refusal("Nothing is free: tick at least one parameter in the table.")
    if len(names) > MOST_NUMBERS:
        raise Refusal(
            f"{len(names)} numbers would be free, and one fit takes {MOST_NUMBERS}: fit a region "
            "with fewer particles, or free fewer parameters."
        )
    return tuple(names), bounds


def carry_out(
    order: Order, callback: Callable[[FitProgress], bool], fit: Callable[..., Any] | None = None
) -> Outcome:
    """Carry out an order; whatever goes wrong comes back as a sentence.

    Parameters
    ----------
    order : Order
    callback : callable
        As for `osog.fitting.fit`.
    fit : callable, optional
        Another function than `osog.fitting.fit`; for tests.
    """
    from osog.fitting import FitError
    from osog.fitting import fit as engine
    from osog.scene.parameters import describe

    started: dict[str, float] = {}
    try:
        scene, start, notes = prepared(order)
        names, bounds = expanded(order, scene)
        started = {name: describe(scene, name).value for name in names}
        if order.start != "sliders" and start == "scene":
            bounds = _around_starts(bounds, started)
        good = np.isfinite(order.image)
        if not good.all():
            lost = int((~good).sum())
            words = (
                "pixel that holds no number was" if lost == 1 else "pixels that hold no number were"
            )
            notes = (*notes, f"{lost} {words} left out.")
        result = (fit or engine)(
            np.where(good, order.image, 0.0),
            scene,
            names,
            bounds=bounds,
            mask=None if good.all() else good,
            callback=callback,
            seed=order.seed,
            start=start,
            optics=order.optics,
            linear=order.linear,
            region=order.region,
            device=order.device,
        )
    except (Refusal, FitError, SceneError) as error:
        return Outcome(order, problem=str(error), started=started)
    except Exception as error:
        _log.exception("A fit failed")
        return Outcome(order, problem=_words(error), started=started)
    return Outcome(order, result=result, started=started, notes=notes)


def _around_starts(
    bounds: dict[str, tuple[float, float]], started: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """A detected start may lie a little outside of the range that the person gave for all."""
    return {
        name: (min(low, started[name]), max(high, started[name]))
        for name, (low, high) in bounds.items()
    }


def _words(error: Exception) -> str:
    text = str(error).strip().splitlines()
    first = text[0] if text else type(error).__name__
    if isinstance(error, MemoryError) or "out of memory" in first.lower():
        return "Not enough memory for this fit: choose a smaller region."
    return f"The fit broke off ({first}). Nothing was changed."


class _Control:
    """What the GUI and the worker of one fit share."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.worker: Any = None
        self.step: Step | None = None
        self.announced = False
        self.outcome: Outcome | None = None
        self.done = threading.Event()

    @property
    def stopping(self) -> bool:
        return self.stop.is_set() or (self.worker is not None and self.worker.abort_requested)


_RUNNING: weakref.WeakSet[_Control] = weakref.WeakSet()


def _work(order: Order, control: _Control, fit: Callable[..., Any] | None) -> Iterator[Any]:
    """Carry out a fit in a worker of napari; what it yields tells the GUI to look."""
    history: list[tuple[str, float]] = []
    last = 0.0

    def hand_over(progress: FitProgress) -> bool:
        """Runs inside the worker: leave the newest step for the GUI, at most ten times a second."""
        nonlocal last
        history.append((progress.stage, progress.rms))
        now = time.monotonic()
        if now - last >= _INTERVAL:
            last = now
            own = replace(
                progress, residual=np.array(progress.residual), model=np.array(progress.model)
            )
            announce(Step(own, tuple(history)))
        return control.stopping

    def announce(step: Step) -> None:
        with control.lock:
            control.step = step
            waiting, control.announced = control.announced, True
        if not waiting and control.worker is not None and not control.stopping:
            control.worker.yielded.emit(None)  # one at a time: the GUI is never flooded

    yield None
    thread = threading.current_thread()
    name, thread.name = thread.name, "osog-fit"
    try:
        if control.stopping:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            announce(Step(None))
            control.outcome = carry_out(order, hand_over, fit)
    finally:
        thread.name = name
        control.done.set()


class FitRunner(QObject):
    """Runs one fit at a time in a generator worker of napari.

    The worker shows in napari's activity dock, counts as a running task when the window is closed,
    and ends with the next step of the fit once it is stopped.

    Parameters
    ----------
    parent : QObject, optional
    fit : callable, optional
        Another function than `osog.fitting.fit`; for tests.
    """

    progressed = Signal(object)
    """A `Step`, at most ten a second."""
    ended = Signal(object)
    """The `Outcome`."""

    def __init__(
        self, parent: QObject | None = None, fit: Callable[..., Any] | None = None
    ) -> None:
        super().__init__(parent)
        self.fit = fit
        self._control: _Control | None = None
        holder = self._holder = [None]  # outlives this object, and does not hold it
        self.destroyed.connect(lambda: _stop(holder[0]))

    @property
    def running(self) -> bool:
        """Whether a fit runs."""
        return self._control is not None

    @property
    def order(self) -> Order | None:
        """What is being carried out."""
        return None if self._control is None else self._control.order

    @property
    def stopping(self) -> bool:
        """Whether a fit runs that was asked to stop."""
        return self._control is not None and self._control.stopping

    def start(self, order: Order) -> None:
        """Begin; the fit before must have ended.

        Raises
        ------
        RuntimeError
            If a fit runs.
        """
        from napari.qt.threading import create_worker

        if self.running:
            raise RuntimeError("a fit is running")
        control = self._control = _Control(order)
        self._holder[0] = control  # type: ignore[call-overload]
        worker = create_worker(
            _work,
            order,
            control,
            self.fit,
            _start_thread=False,
            _progress={"desc": "OSOG fit"},
        )
        control.worker = worker
        worker.yielded.connect(self._look)
        worker.finished.connect(self._finish)
        _RUNNING.add(control)
        worker.start()

    def stop(self) -> None:
        """Ask the fit to end with its best so far; `ended` follows."""
        _stop(self._control)

    def _look(self, _: object = None) -> None:
        control = self._control
        if control is None:
            return
        with control.lock:
            step, control.step, control.announced = control.step, None, False
        if step is not None:
            self.progressed.emit(step)

    def _finish(self) -> None:
        control, self._control = self._control, None
        self._holder[0] = None
        if control is None:
            return
        _RUNNING.discard(control)
        self.ended.emit(control.outcome or Outcome(control.order))


def _stop(control: _Control | None) -> None:
    if control is not None:
        control.stop.set()


@atexit.register
def _stop_all() -> None:
    """No thread may compute while the interpreter goes away."""
    for control in list(_RUNNING):
        control.stop.set()
        control.done.wait(20.0)


__all__ = [
    "MOST_NUMBERS",
    "FitRunner",
    "Order",
    "Outcome",
    "Refusal",
    "Step",
    "carry_out",
    "expanded",
    "prepared",
    "visible_particles",
]
