"""The particles of one frame while they are fitted: together, or one by one in their patches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cancellation import Cancelled, cancellable
from osog.detection import detect
from osog.fitting import FitError
from osog.fitting.problem.depth_of_field import depth_of_field_um
from osog.fitting.problem.weights import acting_camera, unsaturated
from osog.fitting.starts.extents import longest_half_extent
from osog.rendering import ForwardModel
from osog.scene.parameters import replaced
from osog.tracking.patch import Patches, Spot, free_fields, matched, owned
from osog.tracking.table import ParticleTable
from osog.tracking.together import FIRST, FREE, Together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.inputs import CheckedImage
    from osog.scene import Particle, Population, Scene

    Array = NDArray[np.float64]

# Reduction of χ² below which there is no particle: far beyond what six numbers gain on noise.
_LEAST_REDUCTION = 60.0
# Share of the reduction of χ² of a typical particle, below which one is rather a piece of rings.
_LEAST_SHARE = 0.02
# χ² per pixel, relative to the usual one, from which a particle begins again from templates.
_POOR = 1.5
# Passes in which those that have neighbours are fitted anew, and what moves them enough, in σ.
_PASSES = 2
_MOVED = 1.0


class Frame:
    """The particles of one frame while they are fitted.

    Parameters
    ----------
    checked : CheckedImage
    scene : Scene
    free : sequence of str or None
    population : str or None
    most : int
    options : dict
        Passed to `osog.fit`.
    callback, joint, shared
        See `fit_many`.
    """

    def __init__(
        self,
        checked: CheckedImage,
        scene: Scene,
        free: Sequence[str] | None,
        *,
        population: str | None,
        most: int,
        options: dict[str, Any],
        callback: Callable[[int, int, str], Any] | None,
        joint: bool = False,
        shared: Sequence[str] = (),
    ) -> None:
        self._checked, self._most = checked, most
        self.population = _named(scene, population)
        self._scene = scene
        self._fields = tuple(free) if free is not None else free_fields(scene, self.population)
        self._check_fields()
        used = checked.counted
        camera = acting_camera(scene)
        if camera is not None:
            used = used & unsaturated(checked.values, camera)
        self._used = used
        self._device = options["device"]
        self._callback, self._made, self.stopped = callback, 0, False
        self.patches = Patches(
            checked.values, scene, self.population, self._fields, used, 1.0, options
        )
        self.patches.gain = self._bright_gain()
        self._together = self._made_together(tuple(shared), options) if joint else None
        if shared and self._together is None:
            reason = "the background is dark" if joint else "joint is off"
            raise FitError(f"shared = {tuple(shared)} cannot be fitted: {reason}.")
        self.spots: list[Spot] = []
        self.failures: list[str] = []
        self._next = 0

    def _check_fields(self) -> None:
        if not self._fields:
            raise FitError("free = () leaves nothing to fit; name at least one field.")
        known = (*free_fields(self._scene, self.population), "index", *(
            f"orientation_deg[{k}]" for k in range(3)
        ))  # fmt: skip
        for name in self._fields:
            if name not in known:
                raise FitError(
                    f"free names '{name}', which is no field of these particles that a fit can "
                    f"move; they have {', '.join(dict.fromkeys(known))}."
                )

    def _made_together(self, shared: tuple[str, ...], options: dict[str, Any]) -> Together | None:
        """The joint fit; none where each particle has a brightness of its own."""
        if self._scene.microscope.modality.backdrop == "dark":
            return None
        return Together(
            self._checked, self._used, self._scene, self.patches, self._fields, shared, options,
            self._step,
        )  # fmt: skip

    def _bright_gain(self) -> float:
        """Grey levels over the engine's, where a bright background tells them."""
        if self._scene.microscope.modality.backdrop != "bright":
            return 1.0
        camera = acting_camera(self._scene)
        dark = camera.dark_counts if camera is not None else 0.0
        empty = float(np.median(self._image_of([])[self._used]))
        level = float(np.median(self._checked.values[self._used]))
        return (level - dark) / max(empty - dark, 1e-12)

    def begin(self, particles: Sequence[Particle], numbers: Sequence[int] | None = None) -> None:
        """Take particles in, clearest first, under these numbers or the next free ones."""
        for k, particle in enumerate(particles):
            if len(self.spots) >= self._most:
                break
            number = self._next if numbers is None else numbers[k]
            self._next = max(self._next, number + 1)
            self.spots.append(Spot(owned(particle, self.population), number))

    def reserve(self, number: int) -> None:
        """Give no new particle a number below this one."""
        self._next = max(self._next, number)

    @property
    def following(self) -> int:
        """Number of the next particle."""
        return self._next

    def finished(self, rounds: int, rescue: int, frame: int = 0) -> ParticleTable:
        """Fit, look for what was missed, drop what is none, and make the table."""
        every = {spot.number for spot in self.spots}
        if self._together is not None:
            self._fit_together(self._together, every, rounds, rescue)
        else:
            self._fit_apart(every, rounds, rescue)
        with cancellable(lambda: False):  # what was fitted is kept
            return self.table(frame)

    def _fit_apart(self, new: set[int], rounds: int, rescue: int) -> None:
        """Fit each in its patch; what is there when it is stopped is kept."""
        try:
            self._fit_all(new)
            self._rescue(rescue)
            self._drop()
            for _ in range(rounds):
                new = self._missed()
                if not new or self.stopped:
                    break
                self._fit_all(new)
                self._drop()
        except Cancelled:
            if not any(spot.fitted for spot in self.spots):
                raise
            self.stopped = True
            with cancellable(lambda: False):
                self._drop()

    # All together ---------------------------------------------------------------------------

    def _fit_together(self, together: Together, new: set[int], rounds: int, rescue: int) -> None:
        """Fit all of them together; what is there when it is stopped is kept."""
        complete = False
        try:
            for turn in range(rounds + 1):
                self._begin_together(together, new)
                new = self._missed() if turn < rounds else set()
                if not new:
                    break
            together.descend(FREE, optics=True)
            if rescue:
                together.moves(rescue)
            self.spots = together.spots
            # What was hidden beside those that had not found their place.
            new = self._missed() if rounds else set()
            if new:
                self._begin_together(together, new)
            together.descend(FREE, optics=True)
            self._take(together, self._kept(together.weighed()))
            together.polish()
            complete = True
        except Cancelled:
            if together.joint is None and not self.stopped:
                raise
            self.stopped = True
        if together.joint is not None:
            with cancellable(lambda: False):
                self.spots = together.answers(complete=complete)

    def _begin_together(self, together: Together, new: set[int]) -> None:
        """Take all particles in, bring them near their places, and drop what is none."""
        self._take(together, self.spots)
        together.look(new)
        together.descend(FIRST, optics=False)
        self._take(together, self._kept(together.weighed()))
        self.spots = together.spots

    def _take(self, together: Together, spots: Sequence[Spot]) -> None:
        """Go on with these; those that lie too near the edge are given up."""
        inside = []
        for spot in spots:
            if self.patches.region(spot.particle) is None:
                where = f"at ({spot.particle.x_um:.2f}, {spot.particle.y_um:.2f}) µm"
                self.failures.append(f"A particle {where} was too near the edge of the frame to "
                                     "be fitted.")  # fmt: skip
            else:
                inside.append(spot)
        together.take(inside)

    def _step(self, word: str) -> None:
        """Tell how far the joint fit is; stop it when asked."""
        self._tell(word)
        if self.stopped:
            raise Cancelled

    # Steps ----------------------------------------------------------------------------------

    def _fit(self, numbers: set[int], word: str, start: str = "scene") -> None:
        """Fit those with these numbers, in their order, each with the others where they are."""
        for k, spot in enumerate(self.spots):
            if spot.number not in numbers or self.stopped:
                continue
            self.spots[k] = self._better(spot, self.patches.fitted(spot, self.spots, start))
            self._tell(word)

    def _tell(self, word: str) -> None:
        self._made += 1
        if self._callback is not None:
            self.stopped = bool(
                self._callback(self._made, max(2 * len(self.spots), self._made), word)
            )

    @staticmethod
    def _better(before: Spot, after: Spot) -> Spot:
        """Keep an earlier fit where a later one failed."""
        return before if before.fitted and not after.fitted else after

    def _fit_all(self, numbers: set[int]) -> None:
        """Fit these, then those anew whose neighbours have moved."""
        before = {spot.number: spot for spot in self.spots}
        self._fit(numbers, "fit")
        moved = {
            spot.number for spot in self.spots
            if spot.number in numbers and _has_moved(before[spot.number], spot)
        }  # fmt: skip
        for _ in range(_PASSES):
            again = {
                spot.number
                for spot in self.spots
                if any(o.number in moved for o in self.patches.neighbours(spot, self.spots))
            }
            if not again or self.stopped:
                return
            before = {spot.number: spot for spot in self.spots}
            self._fit(again, "neighbours")
            moved = {
                spot.number for spot in self.spots
                if spot.number in again and _has_moved(before[spot.number], spot)
            }  # fmt: skip

    def _rescue(self, most: int) -> None:
        """Begin the worst fits again, from templates."""
        usual = float(np.median([spot.chi2 for spot in self.spots if spot.fitted] or [1.0]))
        limit = _POOR * max(1.0, usual)
        poor = [spot for spot in self.spots if not spot.converged or spot.chi2 > limit]
        poor.sort(key=lambda spot: -spot.chi2 if spot.fitted else -np.inf)
        for spot in poor[:most]:
            if self.stopped:
                return
            found = self.patches.fitted(spot, self.spots, "detect")
            near = longest_half_extent(self.population.shape, spot.particle)
            if found.fitted and _apart(found, spot) <= near and (
                not spot.fitted or found.chi2 < spot.chi2
            ):  # fmt: skip
                self.spots[self.spots.index(spot)] = found

    def _drop(self) -> None:
        """Drop what explains nothing, failed, or lies where a better one is.

        Those whose light it had taken are fitted anew.
        """
        taken = [spot for spot in self.spots if spot.fitted]
        self.spots = self._kept(self.spots)
        numbers = {spot.number for spot in self.spots}
        taken = [spot for spot in taken if spot.number not in numbers]
        near = [spot for spot in self.spots if self.patches.neighbours(spot, taken)]
        self._fit({spot.number for spot in near}, "neighbours")

    def _kept(self, spots: Sequence[Spot]) -> list[Spot]:
        """Those that explain something, and lie where no better one is; the others are named."""
        kept: list[Spot] = []
        fitted = [spot.chi2_reduction for spot in spots if spot.fitted]
        least = max(_LEAST_REDUCTION, _LEAST_SHARE * float(np.median(fitted or [0.0])))
        for spot in sorted(spots, key=lambda spot: -spot.chi2_reduction):
            where = f"at ({spot.particle.x_um:.2f}, {spot.particle.y_um:.2f}) µm"
            if not spot.fitted:
                self.failures.append(f"A particle {where} was {spot.remark or 'not fitted'}.")
            elif spot.chi2_reduction < least:
                self.failures.append(f"What looked like a particle {where} explains nothing.")
            elif any(self._is_same(spot, other) for other in kept):
                self.failures.append(f"Two particles {where} were one.")
            else:
                kept.append(spot)
        return sorted(kept, key=lambda spot: spot.number)

    def _is_same(self, spot: Spot, other: Spot) -> bool:
        shape = self.population.shape
        near = min(longest_half_extent(shape, s.particle) for s in (spot, other))
        deep = max(near, depth_of_field_um(self._scene))
        dz = abs(spot.particle.z_um - other.particle.z_um)
        return _apart(spot, other) < 0.7 * near and dz < 2 * deep

    def _missed(self) -> set[int]:
        """Look for particles in data − model, and take them in."""
        if len(self.spots) >= self._most or self.stopped:
            return set()
        model = self._model()
        empty = self._image_of([])
        rest = self._checked.values - model + matched(model, empty, self._used)
        try:
            found = detect(
                rest, self._scene, population=self.population.name,
                most=self._most - len(self.spots), mask=self._used, device=self._device,
            )  # fmt: skip
        except (ValueError, RuntimeError):
            return set()
        first = self._next
        shape = self.population.shape
        for particle in found:
            own = Spot(owned(particle, self.population), -1)
            near = longest_half_extent(shape, own.particle)
            if all(_apart(own, other) > near for other in self.spots):
                self.begin([particle])
        return set(range(first, self._next))

    # Pictures -------------------------------------------------------------------------------

    def _image_of(self, particles: Sequence[Particle]) -> Array:
        model = ForwardModel(self.patches.scene_of(particles), device=self._device)
        image = model.image({}).detach().cpu().numpy()
        return np.asarray(image, np.float64)

    def _model(self) -> Array:
        """The whole frame as fitted, with gain and background."""
        fitted = self._together.model if self._together is not None else None
        if fitted is not None:
            return fitted
        if self._scene.microscope.modality.backdrop == "dark":
            empty = self._image_of([])
            total = empty.copy()
            for spot in self.spots:
                region = self.patches.region(spot.particle)
                if region is not None:
                    total[region.slices] += spot.gain * self.patches.share(spot, region)
            return matched(self._checked.values, total, self._used)
        whole = self._image_of([spot.particle for spot in self.spots])
        return matched(self._checked.values, whole, self._used)

    def table(self, frame: int = 0) -> ParticleTable:
        """Make the table of this frame."""
        model = self._model() if self.spots else matched(
            self._checked.values, self._image_of([]), self._used
        )  # fmt: skip
        return ParticleTable(
            rows=tuple(self._row(spot, frame) for spot in self.spots),
            scenes=(self._fitted_scene(),),
            shared=dict(self._together.shared) if self._together is not None else {},
            failures=tuple(self.failures),
            model=model,
            residual=self._checked.values - model,
        )

    def _fitted_scene(self) -> Scene:
        scene = self.patches.scene_of([spot.particle for spot in self.spots])
        found = self._together.optics if self._together is not None else {}
        aperture, immersion = "microscope.numerical_aperture", scene.microscope.immersion_index
        if aperture in found:
            found[aperture] = min(found[aperture], immersion - 1e-6)
        return replaced(scene, found) if found else scene

    def _row(self, spot: Spot, frame: int) -> dict[str, Any]:
        pixel, particle = self._scene.grid.pixel_size_um, spot.particle
        row: dict[str, Any] = {
            "frame": frame, "particle": spot.number,
            "x": particle.x_um / pixel, "y": particle.y_um / pixel,
            "x_um": particle.x_um, "y_um": particle.y_um, "z_um": particle.z_um,
        }  # fmt: skip
        for name in self._fields:
            field, _, place = name.partition("[")
            value = getattr(particle, field)
            row[name] = value[int(place[:-1])] if place else value
        row |= {f"{name}_sigma": spot.sigma.get(name, float("inf")) for name in self._fields}
        row |= {
            "chi2_per_pixel": spot.chi2, "chi2_reduction": spot.chi2_reduction,
            "converged": spot.converged, "success": spot.success, "remark": spot.remark,
        }  # fmt: skip
        return row


def _named(scene: Scene, name: str | None) -> Population:
    for population in scene.populations:
        if population.visible if name is None else population.name == name:
            return population
    known = ", ".join(p.name for p in scene.populations) or "none"
    raise FitError(
        f"population = {name!r}: the scene has no such population to look for; it has {known}."
    )


def _apart(spot: Spot, other: Spot) -> float:
    a, b = spot.particle, other.particle
    return float(np.hypot(a.x_um - b.x_um, a.y_um - b.y_um))


def _has_moved(before: Spot, after: Spot) -> bool:
    """Whether a fit changed by what its neighbours notice."""
    if not after.fitted:
        return False
    for name, sigma in after.sigma.items():
        field, _, place = name.partition("[")
        old, new = (getattr(spot.particle, field) for spot in (before, after))
        if place:
            old, new = old[int(place[:-1])], new[int(place[:-1])]
        if np.isfinite(sigma) and abs(new - old) > _MOVED * sigma:
            return True
    return False


__all__ = ["Frame"]
