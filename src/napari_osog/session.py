"""What the panels of one viewer share: the scene, its seed, the target, the newest picture."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from psygnal import Signal, SignalGroupDescriptor

from napari_osog.history import History, Moment
from napari_osog.view import View
from napari_osog.viewers import unwrapped
from osog.scene import Particle, Scene, SceneError
from osog.scene.parameters import get, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from napari_osog.pictures import Picture
    from osog.recognition.levels import CameraGuess


@dataclass(init=False, eq=False)
class Session:
    """Evented state of one viewer; knows neither Qt nor napari.

    Every change of the scene goes through `change`, `set_scene` or `reseed`, so that all of them
    are undoable and all panels hear of them by ``scene_changed``. The fields below are evented:
    assign to them, and follow them by ``session.events.target.connect(slot)``. Signals are those of
    psygnal; they hold bound methods weakly, so a panel need not disconnect.

    Attributes
    ----------
    scene : Scene
        What is rendered; always valid.
    seed : int
        Seed of particles and noise.
    preset : str
        Name of the preset that the scene came from, or "".
    history : History
        What can be undone and redone.
    view : View
        What is shown; evented too.
    population : str
        Name of the population that the panel edits and that new particles join.
    device : str
        "auto", "cpu", "cuda" or "mps".
    free : frozenset of str
        Dotted names that a fit may vary.
    target : napari Image layer or None
        What the render is compared with and fitted to (the layer itself, never a proxy).
    asked : napari Image layer or None
        The micrograph that the user has just opened and is asked about: it alone is shown.
    selected : int or None
        Number of the one particle whose point is selected in the viewer.
    picture : Picture or None
        The newest finished render.
    status : str
        One sentence for the user, or "".
    sequence_status : str
        Words on the stack or series that is being rendered; "" when none is.
    stated_optics : mapping of layers to dict of str to float
        What the user said of a micrograph's optics, by its name in `micrographs.OPTICS`; held as
        long as the layer.
    render_removed : bool
        Whether the user has deleted the layer of the render, until the next picture brings it back.
    gripping : bool
        Whether the points of the particles are ready to be selected and dragged.
    sources : mapping of str to (value, str)
        Numbers of the scene that were read off a micrograph, by dotted name, and from what.
    assumed_optics : mapping of layers to dict of str to float
        What the scene stated when a micrograph was first looked at; see `micrographs.chosen`.
    sliding : bool
        Whether a slider or a particle is being held: renders may be coarser.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()
    scene_changed = Signal(object)
    """Scene or seed changed; carries the scene."""

    device: str = "auto"
    free: frozenset[str] = frozenset()
    target: Any = None
    asked: Any = None
    selected: int | None = None
    picture: Picture | None = None
    status: str = ""
    sequence_status: str = ""
    render_removed: bool = False
    gripping: bool = False
    sliding: bool = False

    def __init__(self, scene: Scene | None = None, seed: int = 0, device: str = "auto") -> None:
        self.scene = scene if scene is not None else Scene()
        self.seed = seed
        self.preset = ""
        self.population = ""
        self.view = View()
        self.device = device
        self.stated_optics: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()
        self.assumed_optics: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()
        self.sources: Mapping[str, tuple[Any, str]] = {}
        self.history = History()
        self._held: Moment | None = None
        self._beginning = False

    # --- the scene -------------------------------------------------------------------------

    def change(self, values: Mapping[str, Any]) -> None:
        """Change numbers of the scene by dotted name.

        Raises
        ------
        SceneError
            If the new scene is not valid; nothing is changed then.
        """
        kept = {name: self._with_its_law(name, value) for name, value in values.items()}
        self._commit(replaced(self.scene, kept), self.seed)

    def _with_its_law(self, name: str, value: Any) -> Any:
        """Move the law of a number along with it; a number alone would take its law away."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        try:
            law = self.scene.law(name)
        except SceneError:
            return value  # `replaced` says what is wrong with the name
        return value if law is None or law.per == "particle" else law.around(value)

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

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """What is done inside is where everything begins: Undo does not go behind it."""
        before, self._beginning = self._beginning, True
        try:
            yield
        finally:
            self._beginning = before

    def _commit(self, scene: Scene, seed: int, preset: str | None = None) -> None:
        if scene == self.scene and seed == self.seed and preset in (None, self.preset):
            return
        before = self._present
        if self._beginning:
            pass
        elif self.sliding:
            if self._held is None:
                self._held = before
        else:
            self.history.remember(before)
        self.scene, self.seed = scene, seed
        if preset is not None:
            self.preset = preset
        self.scene_changed.emit(scene)

    @property
    def _present(self) -> Moment:
        return Moment(self.scene, self.seed, self.preset)

    def hold(self) -> None:
        """Begin a drag: its changes become one undo step, and renders may be previews."""
        self.sliding = True

    def release(self) -> None:
        """End a drag."""
        if not self.sliding:
            return
        held, self._held = self._held, None
        if held is not None and (held.scene != self.scene or held.seed != self.seed):
            self.history.remember(held)
        self.sliding = False

    @contextmanager
    def dragging(self) -> Iterator[None]:
        """Everything inside is one undo step."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    def undo(self) -> None:
        """Take the last step back."""
        self.release()
        self._travel(self.history.undo(self._present))

    def redo(self) -> None:
        """Take a step again that was taken back."""
        self.release()
        self._travel(self.history.redo(self._present))

    def _travel(self, moment: Moment | None) -> None:
        if moment is not None:
            self.scene, self.seed, self.preset = moment.scene, moment.seed, moment.preset
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

    def remove_particles(self, numbers: set[int]) -> None:
        """Remove drawn particles by number."""
        self._edit_particles(lambda i, particle: None if i in numbers else particle)

    def add_particles(self, population: str, positions_um: list[tuple[float, float]]) -> int:
        """Add particles to one population, at the middle of its depth.

        Returns
        -------
        int
            Number of the first; the others follow, and the particles of later populations have
            moved up.

        Raises
        ------
        SceneError
            If there is no such population.
        """
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
        before = (p.particles or () for p in scene.populations[:index] if p.visible)
        return sum(map(len, before)) + len(listed)

    def _population_index(self, name: str) -> int:
        names = [population.name for population in self.scene.populations]
        if name not in names:
            raise SceneError(
                f"'{name}' is not a population; there is {', '.join(names) or 'none'}."
            )
        return names.index(name)

    def _edit_particles(self, edit: Callable[[int, Particle], Particle | None]) -> None:
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

    def set_target(self, layer: Any) -> None:
        """Choose the micrograph: an image layer or a proxy of one, or None."""
        self.target = unwrapped(layer)

    def tell_camera(self, guess: CameraGuess | None) -> None:
        """Remember which numbers of the camera were read off a micrograph.

        Parameters
        ----------
        guess : CameraGuess or None
            None where the camera has nothing from a micrograph.
        """
        values = {} if guess is None else guess.values
        reason = "" if guess is None else guess.reason
        self.sources = {f"camera.{name}": (value, reason) for name, value in values.items()}

    def source(self, name: str) -> str:
        """Where a number of the scene comes from while it is still that number, or ""."""
        value, words = self.sources.get(name, (None, ""))
        if value is None:
            return ""
        try:
            return words if get(self.scene, name) == value else ""
        except SceneError:  # it has no such number, as without a camera
            return ""

    def set_free(self, name: str, free: bool) -> None:
        """Let a fit vary this parameter, or hold it."""
        self.free = self.free | {name} if free else self.free - {name}


__all__ = ["Session"]
