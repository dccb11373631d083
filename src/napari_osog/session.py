"""What the panels of one viewer share: the scene, its seed, the target, the newest frame."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from osog.scene import Scene, SceneError
from osog.scene.parameters import replaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from napari_osog.live import Picture

_UNDO_STEPS = 200

SHOWN = ("image", "phase", "amplitude", "irradiance")
"""What the image layer shows: counts, phase or modulus of the field, or light before the camera."""

COMPARISONS = ("off", "beside", "blend", "wipe", "checkerboard", "difference")
"""How a render is laid over a micrograph."""


@dataclass(frozen=True)
class Placement:
    """Where our layers lie in the viewer's world.

    Attributes
    ----------
    shape : (int, int)
        Frame (Y, X) that the placement was copied for; another frame ignores it.
    scale, translate : (float, float)
        Of a pixel, in `units`.
    rotate : tuple of 2 rows
        Rotation matrix in the displayed plane.
    units : (str, str)
        Unit of each axis as napari names it.
    """

    shape: tuple[int, int]
    scale: tuple[float, float]
    translate: tuple[float, float] = (0.0, 0.0)
    rotate: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, 1.0))
    units: tuple[str, str] = ("um", "um")


@dataclass(frozen=True)
class View:
    """What is shown of a render, and how it is compared with the target."""

    shown: str = "image"
    particles: bool = True
    outlines: bool = False
    masks: bool = False
    phase: bool = False
    amplitude: bool = False
    compare: str = "off"
    opacity: float = 0.5
    wipe: float = 0.5
    tiles: int = 8
    placement: Placement | None = None


@dataclass
class _Step:
    scene: Scene
    seed: int
    preset: str


@dataclass
class _History:
    undo: list[_Step] = field(default_factory=list)
    redo: list[_Step] = field(default_factory=list)


class Session:
    """Evented state of one viewer; knows neither Qt nor napari.

    Every change of the scene goes through `change`, `set_scene` or `reseed`, so that all of them
    are undoable and all panels hear of them. Signals are psygnal signals; they hold bound methods
    weakly, so a panel need not disconnect.

    Attributes
    ----------
    scene : Scene
        The description that is rendered; always valid.
    seed : int
        Seed of particles and noise.
    device : str
        "auto", "cpu", "cuda" or "mps".
    free : frozenset of str
        Dotted names that a fit may vary.
    target : napari Image layer or None
        What the render is compared with and fitted to (the layer itself, never a proxy).
    population : str
        Name of the population that the panel edits and that new particles join.
    view : View
        What is shown.
    selected : int or None
        Number of the one particle whose point is selected in the viewer.
    picture : Picture or None
        The newest finished render.
    status : str
        One sentence for the person, or "".
    sliding : bool
        Whether a slider or a particle is being held: renders may be coarser.
    """

    scene_changed = Signal(object)
    """Scene or seed changed; carries the scene."""
    view_changed = Signal(object)
    target_changed = Signal(object)
    free_changed = Signal(object)
    picture_changed = Signal(object)
    status_changed = Signal(str)
    sequence_changed = Signal(str)
    """Words on the stack or series that is being rendered; "" when none is."""
    sliding_changed = Signal(bool)
    device_changed = Signal(str)
    selected_changed = Signal(object)

    def __init__(self, scene: Scene | None = None, seed: int = 0, device: str = "auto") -> None:
        self.scene = scene if scene is not None else Scene()
        self.seed = seed
        self.preset = ""
        self.free: frozenset[str] = frozenset()
        self.view = View()
        self.picture: Picture | None = None
        self.status = ""
        self.sliding = False
        self.target: Any = None
        self.population = ""
        self.selected: int | None = None
        self._device = device
        self._history = _History()
        self._held: _Step | None = None

    # --- the scene -------------------------------------------------------------------------

    def change(self, values: Mapping[str, Any]) -> None:
        """Change numbers of the scene by dotted name.

        Raises
        ------
        SceneError
            If the new scene is not valid; nothing is changed then.
        """
        self._commit(replaced(self.scene, values), self.seed)

    def set_scene(
        self, scene: Scene, *, seed: int | None = None, preset: str | None = None
    ) -> None:
        """Put another scene in place, as one undoable step.

        Parameters
        ----------
        scene : Scene
        seed : int, optional
            Kept as it is when left out.
        preset : str, optional
            Name of the preset that the scene came from; kept when left out.
        """
        self._commit(scene, self.seed if seed is None else int(seed), preset)

    def reseed(self, seed: int) -> None:
        """Draw the particles and the noise from another seed."""
        if seed < 0:
            raise SceneError(f"seed = {seed} must not be negative.")
        self._commit(self.scene, int(seed))

    def _commit(self, scene: Scene, seed: int, preset: str | None = None) -> None:
        if scene == self.scene and seed == self.seed and preset in (None, self.preset):
            return
        before = _Step(self.scene, self.seed, self.preset)
        if self.sliding:
            if self._held is None:
                self._held = before
        else:
            self._remember(before)
        self.scene, self.seed = scene, seed
        if preset is not None:
            self.preset = preset
        self.scene_changed.emit(scene)

    def _remember(self, step: _Step) -> None:
        self._history.undo.append(step)
        del self._history.undo[:-_UNDO_STEPS]
        self._history.redo.clear()

    def hold(self) -> None:
        """Begin a drag: its changes become one undo step, and renders may be previews."""
        if not self.sliding:
            self.sliding = True
            self.sliding_changed.emit(True)

    def release(self) -> None:
        """End a drag."""
        if not self.sliding:
            return
        self.sliding = False
        held, self._held = self._held, None
        if held is not None and (held.scene != self.scene or held.seed != self.seed):
            self._remember(held)
        self.sliding_changed.emit(False)

    @contextmanager
    def dragging(self) -> Iterator[None]:
        """Everything inside is one undo step."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._history.undo)

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back and can be taken again."""
        return bool(self._history.redo)

    def undo(self) -> None:
        """Take the last step back."""
        self._travel(self._history.undo, self._history.redo)

    def redo(self) -> None:
        """Take a step again that was taken back."""
        self._travel(self._history.redo, self._history.undo)

    def _travel(self, source: list[_Step], target: list[_Step]) -> None:
        self.release()
        if not source:
            return
        target.append(_Step(self.scene, self.seed, self.preset))
        step = source.pop()
        self.scene, self.seed, self.preset = step.scene, step.seed, step.preset
        self.scene_changed.emit(self.scene)

    # --- particles by hand -----------------------------------------------------------------

    def move_particles(self, positions_um: Mapping[int, tuple[float, float]]) -> None:
        """Move drawn particles; they become explicit ones on the first move.

        Parameters
        ----------
        positions_um : mapping of particle number to (x, y) in µm
            Numbers count the particles that are drawn, in scene order.
        """
        self._edit_particles(
            lambda i, particle: (
                particle.model_copy(update={"x_um": positions_um[i][0], "y_um": positions_um[i][1]})
                if i in positions_um
                else particle
            )
        )

    def explicit_scene(self) -> Scene:
        """Scene with every drawn particle listed one by one."""
        from osog.sample import explicit

        if any(p.visible and p.particles is None for p in self.scene.populations):
            return explicit(self.scene, self.seed)
        return self.scene

    def change_particle(self, name: str, value: float) -> None:
        """Change one number of one particle, ``particles[3].z_um``; they become explicit ones.

        Raises
        ------
        SceneError
            If the new scene is not valid.
        """
        self._commit(replaced(self.explicit_scene(), {name: value}), self.seed)

    def select(self, number: int | None) -> None:
        """Choose the particle whose own numbers are shown."""
        if number != self.selected:
            self.selected = number
            self.selected_changed.emit(number)

    def remove_particles(self, numbers: set[int]) -> None:
        """Remove drawn particles by number."""
        self._edit_particles(lambda i, particle: None if i in numbers else particle)

    def add_particles(self, population: str, positions_um: list[tuple[float, float]]) -> None:
        """Add particles to one population, at the middle of its depth.

        Raises
        ------
        SceneError
            If there is no such population.
        """
        from osog.scene import Particle

        index = self._population_index(population)
        scene = self.explicit_scene()
        owner = scene.populations[index]
        depth = self.scene.populations[index].placement.z_um
        z = depth if isinstance(depth, int | float) else depth.centre
        listed = owner.particles or ()
        angles = listed[-1].orientation_deg if listed else (0.0, 0.0, 0.0)
        added = tuple(
            Particle(x_um=x, y_um=y, z_um=z, orientation_deg=angles) for x, y in positions_um
        )
        populations = list(scene.populations)
        populations[index] = owner.model_copy(
            update={"particles": listed + added, "count": None, "density_per_mm2": None}
        )
        self._commit(scene.model_copy(update={"populations": tuple(populations)}), self.seed)

    def _population_index(self, name: str) -> int:
        names = [population.name for population in self.scene.populations]
        if name not in names:
            raise SceneError(
                f"'{name}' is not a population; there is {', '.join(names) or 'none'}."
            )
        return names.index(name)

    def _edit_particles(self, edit: Any) -> None:
        scene = self.explicit_scene()
        number, populations = 0, []
        for population in scene.populations:
            if not population.visible or population.particles is None:
                populations.append(population)
                continue
            kept = []
            for particle in population.particles:
                edited = edit(number, particle)
                if edited is not None:
                    kept.append(edited)
                number += 1
            populations.append(population.model_copy(update={"particles": tuple(kept)}))
        self._commit(scene.model_copy(update={"populations": tuple(populations)}), self.seed)

    # --- everything else -------------------------------------------------------------------

    @property
    def device(self) -> str:
        """Where micrographs are computed."""
        return self._device

    @device.setter
    def device(self, value: str) -> None:
        if value != self._device:
            self._device = value
            self.device_changed.emit(value)

    def set_view(self, **changes: Any) -> None:
        """Change what is shown; names are the fields of `View`."""
        from dataclasses import replace

        view = replace(self.view, **changes)
        if view != self.view:
            self.view = view
            self.view_changed.emit(view)

    def set_target(self, layer: Any) -> None:
        """Choose the micrograph: an image layer, or None."""
        layer = unwrapped(layer)
        if layer is not self.target:
            self.target = layer
            self.target_changed.emit(layer)

    def set_free(self, name: str, free: bool) -> None:
        """Let a fit vary this parameter, or hold it."""
        names = self.free | {name} if free else self.free - {name}
        if names != self.free:
            self.free = frozenset(names)
            self.free_changed.emit(self.free)

    def set_picture(self, picture: Picture) -> None:
        """Take the newest finished render."""
        self.picture = picture
        self.picture_changed.emit(picture)

    def say(self, sentence: str) -> None:
        """Show one sentence to the person; "" takes it away."""
        if sentence != self.status:
            self.status = sentence
            self.status_changed.emit(sentence)


_SESSIONS: dict[int, tuple[weakref.ref[Any], Any]] = {}


def unwrapped(viewer: Any) -> Any:
    """Return the object itself: weak references to the proxies that plugins get die at once."""
    return getattr(viewer, "__wrapped__", viewer)


def shared(viewer: Any, make: Any) -> Any:
    """Return the one object of this viewer, made on first use and forgotten with the viewer.

    Parameters
    ----------
    viewer : napari viewer or a proxy of it
    make : callable
        Called without arguments on first use. What it makes must not hold the viewer strongly.
    """
    real = unwrapped(viewer)
    known = _SESSIONS.get(id(real))
    if known is not None and known[0]() is real:
        return known[1]
    made = make()
    key = id(real)
    _SESSIONS[key] = (weakref.ref(real, lambda _: _SESSIONS.pop(key, None)), made)
    return made


__all__ = ["COMPARISONS", "SHOWN", "Placement", "Session", "View", "shared", "unwrapped"]
