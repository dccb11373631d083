"""All particles of a frame fitted together: begun, moved downhill, tried elsewhere, polished."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.cancellation import Cancelled
from osog.fitting import FitError
from osog.fitting.problem.linear import linear_part
from osog.fitting.problem.parameters import free_parameters
from osog.fitting.problem.priors import all_priors
from osog.fitting.problem.residuals import ImageProblem
from osog.fitting.problem.weights import acting_camera, noise_sigma
from osog.fitting.report.covariance import spectral_sandwich
from osog.fitting.report.goodness_of_fit import goodness_of_fit
from osog.fitting.starts.extents import longest_half_extent
from osog.scene import Distribution, SceneError
from osog.scene.parameters import describe, replaced
from osog.sensor import camera_sigma
from osog.tracking.alternatives import Alternatives
from osog.tracking.frame_model import FrameModel
from osog.tracking.joint import Joint
from osog.tracking.tiles import Tile, Tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from osog.fitting.problem.inputs import CheckedImage
    from osog.fitting.problem.parameters import FreeParameters
    from osog.scene import Particle, Scene
    from osog.tracking.patch import Patches, Spot

    Array = NDArray[np.float64]

FIRST, FREE = 4, 12
"""Iterations of new particles with the shared numbers held, and of all with them free."""
# Iterations after a move, and on the fine grid.
_MOVED, _FINE = 6, 10
# χ² per pixel of a particle's surroundings from which it is tried elsewhere, and by how much a
# move must promise to lower χ², and must lower it.
_POOR, _PROMISE, _BETTER = 1.05, 5.0, 5.0
# Reduction of χ² that a full step still promises a particle that has converged.
_CONVERGED = 0.1
# Rounds of moves.
_ROUNDS = 2
# Neighbours that stand in a particle's tile at most.
_BESIDE = 4


class Together:
    """The joint fit of one frame.

    Parameters
    ----------
    checked : CheckedImage
    used : ndarray of bool, shape (Y, X)
        Pixels that count.
    scene : Scene
        Optics and camera.
    patches : Patches
    fields : tuple of str
        Free fields of a particle.
    shared : sequence of str
        Numbers that are free for all particles together.
    options : dict
        ``optics``, ``priors``, ``linear``, ``device`` as for `osog.fit`.
    tell : callable
        Called after every image with a word; it raises `Cancelled` to stop.
    """

    def __init__(
        self,
        checked: CheckedImage,
        used: NDArray[np.bool_],
        scene: Scene,
        patches: Patches,
        fields: tuple[str, ...],
        shared: Sequence[str],
        options: dict[str, Any],
        tell: Callable[[str], None],
    ) -> None:
        self._data, self._used, self._scene, self._patches = checked.values, used, scene, patches
        self._fields, self._options, self._tell = fields, options, tell
        camera = acting_camera(scene)
        self.noise_known = camera is not None and camera.noise
        if camera is not None and self.noise_known:
            weights = np.where(
                used, 1.0 / camera_sigma(checked.values, camera, checked.counted), 0.0
            )
        else:
            weights = used / max(noise_sigma(checked.values, used), 1e-12)
        self._weights = np.asarray(weights, np.float64)
        first = patches.scene_of([patches.typical()])
        self._free = tuple(shared)
        self._check(first)
        self._pairs = all_priors(
            first, (*(f"particles[0].{name}" for name in fields), *shared),
            options["priors"], options["optics"],
        )  # fmt: skip
        nuisances = tuple(
            n for n in self._pairs if n not in shared and not n.startswith("particles[")
        )
        self.names = (*self._free, *nuisances)
        self._linear = linear_part(
            options["linear"], first, checked.values[used], self.names,
            grey_levels=checked.grey_levels,
        )  # fmt: skip
        self._tiles = self._tiles_of("standard")
        self._optics: dict[str, float] = {}
        self._alternatives: Alternatives | None = None
        self._spots: list[Spot] = []
        self.joint: Joint | None = None
        self.shared: dict[str, tuple[float, float]] = {}

    def _tiles_of(self, accuracy: str) -> Tiles:
        return Tiles(
            self._scene, self._patches.population, self._fields, device=self._options["device"],
            accuracy=self._accuracy(accuracy), tell=self._tell,
        )  # fmt: skip

    def _check(self, first: Scene) -> None:
        for name in self._free:
            try:
                describe(first, name)
            except SceneError as error:
                raise FitError(f"shared: {error}") from None
            if name.startswith(("particles[", "populations.")):
                raise FitError(
                    f"shared names '{name}', which belongs to particles; name their fields in free."
                )
            if describe(first, name).role == "focus" and "z_um" in self._fields:
                raise FitError(
                    f"shared names '{name}' while z_um is free, and an image shows their "
                    "difference only; leave one of them out."
                )

    # Building -------------------------------------------------------------------------------

    @property
    def spots(self) -> list[Spot]:
        """Particles that are fitted, where they are now."""
        if self.joint is None:
            return list(self._spots)
        particles = self.joint.particles()
        return [replace(s, particle=p) for s, p in zip(self._spots, particles, strict=True)]

    @property
    def model(self) -> Array | None:
        """The frame as fitted, with gain and background."""
        return None if self.joint is None else self.joint.state.point.model

    @property
    def optics(self) -> dict[str, float]:
        """Shared numbers by name, where they are now."""
        return dict(self._optics)

    def take(self, spots: Sequence[Spot]) -> None:
        """Fit these from now on; what is known of those that stay is kept."""
        if self.joint is not None and [s.number for s in spots] == [s.number for s in self._spots]:
            return
        old, before = self.joint, {spot.number: k for k, spot in enumerate(self._spots)}
        if old is not None:
            self._optics = old.shared_values()
        particles = [spot.particle for spot in spots]
        regions = [self._patches.region(one) for one in particles]
        joint = Joint(
            self._problem(particles, self._accuracy("standard")), particles, self._fields,
            [region for region in regions if region is not None], self._beside, self._tiles,
            self._tell,
        )  # fmt: skip
        # Not before it is whole: what there was is kept where this is stopped.
        self._spots, self.joint = list(spots), joint
        for k, spot in enumerate(spots):
            j = before.get(spot.number)
            if old is None or j is None or old.regions[j] != joint.regions[k]:
                continue
            joint.inherit(k, old, j)

    def _problem(self, particles: Sequence[Particle], accuracy: str | None) -> ImageProblem:
        scene = self._patches.scene_of(particles)
        names = [
            f"particles[{k}].{name}" for k in range(len(particles)) for name in self._fields
        ]  # fmt: skip
        scene = replaced(scene, self._optics) if self._optics else scene
        parameters = free_parameters(scene, (*names, *self.names)) if names else free_parameters(
            scene, self.names
        )  # fmt: skip
        parameters = self._within_depths(parameters)
        priors = {n: p for n, p in self._pairs.items() if n in self.names}
        for name, pair in self._pairs.items():
            field = name.partition("].")[2]
            if name.startswith("particles[") and field in self._fields:
                priors |= {f"particles[{k}].{field}": pair for k in range(len(particles))}
        return ImageProblem(
            self._data, self._weights, self._model(particles, accuracy), parameters,
            self._linear, priors,
        )  # fmt: skip

    def _accuracy(self, wanted: str) -> str | None:
        """Accuracy of an image, unless the scene asks for one of its own."""
        return wanted if self._scene.numerics.accuracy in ("auto", "fine") else None

    def _within_depths(self, parameters: FreeParameters) -> FreeParameters:
        """Bound depths to those that the population states, and a little beyond.

        One that runs off would need slabs and padding for all of its way.
        """
        depth = self._patches.population.placement.z_um
        if not isinstance(depth, Distribution):
            return parameters
        low, high = parameters.low.copy(), parameters.high.copy()
        first, last = depth.support
        room = max(1.0, 0.2 * (last - first))
        for k, name in enumerate(parameters.names):
            if name.endswith("].z_um"):
                start = parameters.start[k]
                low[k] = min(start, max(low[k], first - room))
                high[k] = max(start, min(high[k], last + room))
        return replace(parameters, low=low, high=high)

    def _model(self, particles: Sequence[Particle], accuracy: str | None) -> FrameModel:
        def scene_of(those: Sequence[Particle]) -> Scene:
            scene = self._patches.scene_of(those)
            return replaced(scene, self._optics) if self._optics else scene

        reach = [self._patches.reach_px(one) for one in particles]
        return FrameModel(scene_of, particles, reach, accuracy, self._options["device"])

    def _beside(self, k: int, particles: Sequence[Particle]) -> tuple[Particle, ...]:
        """Those whose light changes how a particle's own shows in its patch, nearest first."""
        pixel, own = self._scene.grid.pixel_size_um, particles[k]
        region = self._patches.region(own)
        reach = 0.5 * max(region.shape) if region is not None else 0.0
        near = []
        for j, other in enumerate(particles):
            apart = float(np.hypot(other.x_um - own.x_um, other.y_um - own.y_um)) / pixel
            if j != k and apart < reach + 0.5 * self._patches.reach_px(other):
                near.append((apart, other))
        near.sort(key=lambda pair: pair[0])
        return tuple(other for _, other in near[:_BESIDE])

    # Steps ----------------------------------------------------------------------------------

    def _alternative(self) -> Alternatives:
        if self._alternatives is None:
            self._alternatives = Alternatives(
                self._scene, self._patches.population, self._fields, self._tiles
            )
        return self._alternatives

    def look(self, numbers: set[int]) -> None:
        """Give new long particles a length, a tilt and a direction to begin with."""
        joint, other = self.joint, self._alternative()
        which = [k for k, spot in enumerate(self._spots) if spot.number in numbers]
        if joint is None or not other.long or not which:
            return
        particles = joint.particles()
        images = self._tiles.images([Tile(particles[k], (), joint.regions[k]) for k in which])
        targets = [self._target(joint, k, image) for k, image in zip(which, images, strict=True)]
        found = other.first_look(
            [particles[k] for k in which], [joint.regions[k] for k in which],
            [target for target, _ in targets], [weights for _, weights in targets],
        )  # fmt: skip
        u = joint.state.point.u.copy()
        for k, one in zip(which, found, strict=True):
            joint.own_of(u)[k] = joint.scaled(k, one)
        joint.placed(u)

    def _target(self, joint: Joint, k: int, image: Array) -> tuple[Array, Array]:
        """Contrast that data − model leave for a particle, and 1/σ, in the engine's units.

        Parameters
        ----------
        joint : Joint
        k : int
        image : ndarray, shape (y, x)
            Patch of the particle as the model has it.
        """
        point, place = joint.state.point, joint.regions[k].slices
        gain = point.coefficients[0] if self._linear.gain else 1.0
        own = image - self._alternative().empty
        return (self._data - point.model)[place] / gain + own, gain * self._weights[place]

    def descend(self, most: int, *, optics: bool) -> None:
        """Go downhill with all of them."""
        if self.joint is not None and self._spots:
            self.joint.descend(most, optics=optics and bool(self.names))

    def moves(self, most: int) -> None:
        """Try other numbers for the worst, and for all long particles; keep what is better."""
        joint, other = self.joint, self._alternative()
        if joint is None or not self._spots:
            return
        for _ in range(_ROUNDS):
            joint.linearised(optics=False)
            pixels = joint.local_pixels()
            chi2 = joint.local_chi2(joint.state.point) / pixels
            limit = _POOR * (1.0 if self.noise_known else float(np.median(chi2)))
            order = [int(k) for k in np.argsort(-chi2) if other.long or chi2[k] > limit]
            chosen = self._promising(joint, order if other.long else order[:most])
            if not chosen or not self._tried(joint, chosen):
                return

    def _promising(self, joint: Joint, order: Sequence[int]) -> dict[int, Particle]:
        """Moves that promise a lower χ², of particles that do not touch each other."""
        particles, other = joint.particles(), self._alternative()
        out: dict[int, Particle] = {}
        for k in order:
            block, image = joint.state.blocks[k], joint.state.images[k]
            if block is None or image is None:
                continue
            half = longest_half_extent(self._patches.population.shape, particles[k])
            if any(_apart(particles[j], particles[k]) < 2 * half for j in out):
                continue
            target, weights = self._target(joint, k, image)
            now = weights * (target - (image - other.empty))
            left, one = other.best_move(
                particles[k], joint.regions[k], target, weights, block.rows.astype(np.float64)
            )
            if left < float(np.sum(now**2)) - _PROMISE:
                out[k] = one
        return out

    def _tried(self, joint: Joint, chosen: dict[int, Particle]) -> bool:
        """Go downhill from moves; those that end higher are taken back. True if one is kept."""
        before = joint.state.point
        damping, local = joint.state.damping.copy(), joint.local_chi2(before)
        u = before.u.copy()
        for k, one in chosen.items():
            joint.own_of(u)[k] = joint.scaled(k, one)
            joint.state.damping[k] = 1e-3
        joint.placed(u)
        joint.descend(_MOVED, optics=False)
        now = joint.local_chi2(joint.state.point)
        worse = [k for k in chosen if now[k] > local[k] - _BETTER]
        if worse:
            u = joint.state.point.u.copy()
            for k in worse:
                joint.own_of(u)[k] = joint.own_of(before.u)[k]
                joint.state.damping[k] = damping[k]
            joint.placed(u)
        if joint.state.point.cost > before.cost:
            joint.placed(before.u)
            joint.state.damping = damping
            return False
        return len(worse) < len(chosen)

    def polish(self) -> None:
        """Go on with images and derivatives on a fine grid."""
        joint = self.joint
        if joint is None or not self._spots:
            return
        particles = joint.particles()
        joint.problem = joint.problem.with_model(self._model(particles, self._accuracy("fine")))
        joint.use(self._tiles_of("fine"))
        joint.placed(joint.state.point.u)
        joint.descend(_FINE, optics=bool(self.names))

    def weighed(self) -> list[Spot]:
        """Particles with how much χ² rises without each."""
        joint = self.joint
        if joint is None or not self._spots:
            return []
        joint.linearised(optics=False)
        residual = joint.problem.residual_image(joint.state.point)
        out = []
        for k, spot in enumerate(self.spots):
            rest, image = residual[joint.regions[k].slices], joint.state.images[k]
            own = self._shown(joint, k, image)
            reduction = float(np.sum((rest + own) ** 2) - np.sum(rest**2))
            shown = image is not None and bool(image.any())
            out.append(replace(spot, chi2_reduction=reduction, fitted=shown,
                               remark="" if shown else self._remark(k, np.empty(0, bool),
                                                                    np.empty(0))))  # fmt: skip
        return out

    # Answers --------------------------------------------------------------------------------

    def answers(self, *, complete: bool) -> list[Spot]:
        """Particles with their errors.

        Parameters
        ----------
        complete : bool
            False where the fit was stopped: there may be no derivatives.
        """
        joint = self.joint
        if joint is None or not self._spots:
            return []
        point = joint.state.point
        spots = self.spots
        if not complete and (joint.state.normal is None or any(
            block is None for block in joint.state.blocks
        )):  # fmt: skip
            return [replace(s, fitted=True, converged=False, remark="stopped") for s in spots]
        try:
            normal, free, shared_free = joint.linearised(optics=complete and bool(self.names))
        except Cancelled:
            return [replace(s, fitted=True, converged=False, remark="stopped") for s in spots]
        promised, _ = joint.promised(normal, free, shared_free)
        covariance = normal.covariance(free, shared_free)
        residual = joint.problem.residual_image(point)
        scale = joint.parameters.scale
        widening = []
        out = []
        for k, spot in enumerate(spots):
            block = normal.blocks[k]
            place = block.region.slices
            rest, used = residual[place], self._used[place]
            wider = self._wider(block.rows, rest, used, free[k])
            widening.append(float(np.median(wider)))
            sigma = np.sqrt(np.diag(covariance.particles[k])) * wider * joint.own_of(scale)[k]
            n = max(1, int(used.sum()))
            chi2 = (
                float(np.sum(rest**2)) / max(1, n - len(self._fields)) if self.noise_known else 1.0
            )
            image = joint.state.images[k]
            own = self._shown(joint, k, image)
            explained = not goodness_of_fit(rest, used, chi2).is_rejected(self.noise_known)
            arrived = complete and bool(promised[k] < _CONVERGED)
            out.append(replace(
                spot,
                sigma=dict(zip(self._fields, sigma.tolist(), strict=True)),
                chi2=chi2,
                chi2_reduction=float(np.sum((rest + own) ** 2) - np.sum(rest**2)),
                gain=float(point.coefficients[0]) if self._linear.gain else 1.0,
                fitted=image is not None and bool(image.any()),
                converged=arrived,
                success=arrived and explained,
                remark=self._remark(k, free[k], sigma),
            ))  # fmt: skip
        factor = float(np.median(widening or [1.0]))
        spread = np.sqrt(np.diag(covariance.shared))[: len(self.names)] * factor
        spread = spread * scale[joint.own :]
        self.shared = {
            n: (point.values[n], float(s)) for n, s in zip(self.names, spread, strict=True)
        }
        self._optics = joint.shared_values()
        return out

    def _shown(self, joint: Joint, k: int, image: Array | None) -> Array:
        """What a particle adds to the weighted model in its patch, to first order."""
        place = joint.regions[k].slices
        if image is None:
            return np.zeros(self._weights[place].shape)
        gain = joint.state.point.coefficients[0] if self._linear.gain else 1.0
        return np.asarray(gain * self._weights[place] * (image - self._alternative().empty))

    def _wider(
        self, rows: NDArray[np.float32], rest: Array, used: NDArray[np.bool_], free: NDArray[Any]
    ) -> Array:
        """Factors by which correlated noise widens the errors of a particle's numbers."""
        out = np.ones(len(rows))
        columns = rows[free].astype(np.float64)
        if not len(columns) or not columns.any(axis=(1, 2)).all():
            return out
        jacobian = columns[:, used].T
        plain = np.linalg.pinv(jacobian.T @ jacobian)
        whole = spectral_sandwich(jacobian, columns, rest, int(used.sum()))
        ratio = np.diag(whole) / np.maximum(np.diag(plain), 1e-300)
        out[free] = np.sqrt(np.clip(ratio, 0.25, 25.0))
        return out

    def _remark(self, k: int, free: NDArray[np.bool_], sigma: Array) -> str:
        region = self.joint.regions[k] if self.joint is not None else None
        failed = self._tiles.failures.get((region.y0, region.x0)) if region is not None else None
        if failed is not None:
            return f"not fitted: {failed}"
        words = []
        for name, may, one in zip(self._fields, free, sigma, strict=False):
            if not may:
                words.append(f"{name} ended at its limit.")
            elif not np.isfinite(one):
                words.append(f"{name} has no effect on this image; fix it.")
        return " ".join(words)


def _apart(one: Particle, other: Particle) -> float:
    return float(np.hypot(one.x_um - other.x_um, one.y_um - other.y_um))


__all__ = ["FIRST", "FREE", "Together"]
