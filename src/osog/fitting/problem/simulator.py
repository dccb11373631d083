"""The forward model as a function from values by name to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.exit_wave import models_near
from osog.rendering import ForwardModel
from osog.sample import sample
from osog.scene.parameters import describe
from osog.waves.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from osog.fitting.problem.region import Region
    from osog.scene import Scene
    from osog.scene.model import FitRole

    Array = NDArray[np.float64]


_KEPT_NUMBERS = 2e7
"""Of what the lens does, for one simulator."""
SEARCHED = 19
"""Source points of the condenser that a search follows: the axis and two rings."""
_NOT_OPTICS = ("particles", "populations", "camera", "background")


class Simulator:
    """Noise-free images of a scene whose sampling is fixed.

    Parameters
    ----------
    scene : Scene
        In the coordinates of the frame, with explicit particles; fixes sampling and padding.
    region : Region, optional
        The part that is simulated.
    device : str
    accuracy : str, optional
        Accuracy of the images; the scene's when left out.
    dtype : torch.dtype
        Of the computation; differences need float64.
    """

    def __init__(
        self,
        scene: Scene,
        region: Region | None = None,
        *,
        device: str = "cpu",
        accuracy: str | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self._region = region
        self._scene = scene
        self._roles: dict[str, FitRole | None] = {}
        self._optics: frozenset[tuple[str, float]] | None = None
        self._lens: Sharing | None = None
        self._alone = sum(len(p.particles or ()) for p in scene.populations) == 1
        self.renders = 0
        local = region.scene(scene) if region is not None else scene
        self._forward = ForwardModel(local, dtype=dtype, device=device, accuracy=accuracy)

    @property
    def models(self) -> tuple[str, ...]:
        """Model of scattering of each population, as `osog.waves.SamplingPlan.scattering`."""
        return self._forward.plan.scattering

    @property
    def accuracy(self) -> str:
        """Accuracy of the grid."""
        return self._forward.plan.accuracy

    @property
    def source_points(self) -> int:
        """Number of directions of the light."""
        return self._forward.plan.source_points

    def reuses_wave(self, name: str) -> bool:
        """Whether a change of this parameter leaves the exit wave, so that its image is cheap."""
        return self._forward.reuses_wave(name)

    def nudges(self, name: str) -> bool:
        """Whether a small change of this parameter is one of the light behind the sample.

        It is where the only particle moves sideways; `nudged` then gives the image.
        """
        return self._alone and self._forward.moves_wave and self._role(name) in ("x", "y")

    def __call__(self, values: Mapping[str, float]) -> Array:
        """Simulate with these values by name; the result has shape ([Z,] Y, X)."""
        self.renders += 1
        optics = _optics(values)
        if optics != self._optics:
            self._optics, self._lens = optics, Sharing(_KEPT_NUMBERS)
        with torch.no_grad():
            return _array(self._forward.image(self._local(values), optics=self._lens))

    def stepped(self, values: Mapping[str, float]) -> Array:
        """Simulate with values a small step from those before, which keep their lens."""
        self.renders += 1
        with torch.no_grad():
            return _array(self._forward.image(self._local(values), optics=self._same(values)))

    def nudged(self, values: Mapping[str, float], name: str, step: float) -> Array:
        """Simulate once one parameter that `nudges` has changed by a small step.

        Parameters
        ----------
        values : mapping
            Those before; their image should be the last one, whose light is kept.
        name : str
        step : float
            In the parameter's units, far below a pixel.

        Returns
        -------
        ndarray, shape (Y, X)
        """
        self.renders += 1
        x_um, y_um = (step, 0.0) if self._role(name) == "x" else (0.0, step)
        with torch.no_grad():
            local, lens = self._local(values), self._same(values)
            return _array(self._forward.moved(local, x_um, y_um, optics=lens))

    def _same(self, values: Mapping[str, float]) -> Sharing | None:
        """What the lens did in the image before, if the optics are the same."""
        return self._lens if _optics(values) == self._optics else None

    def _local(self, values: Mapping[str, float]) -> Mapping[str, float]:
        """Values in the coordinates of what is simulated."""
        if self._region is None:
            return values
        return self._region.local(values, {name: self._role(name) for name in values})

    def _role(self, name: str) -> FitRole | None:
        if name not in self._roles:
            self._roles[name] = describe(self._scene, name).role
        return self._roles[name]


class Simulators:
    """Makes the simulators of one fit, and counts their images.

    Parameters
    ----------
    region : Region or None
    device : str
    """

    def __init__(self, region: Region | None, device: str) -> None:
        self._region, self._device = region, device
        self._made: list[Simulator] = []

    @property
    def renders(self) -> int:
        """Number of images so far."""
        return sum(simulator.renders for simulator in self._made)

    def coarse(self, scene: Scene) -> Simulator:
        """Simulator for the search: on a standard grid unless the scene asks for a draft.

        Where the scene leaves the number of source points open, at most `SEARCHED` of them: such
        images cost a quarter, and differ by less than a camera's usual noise.
        """
        asked = scene.numerics.accuracy
        accuracy = "standard" if asked in ("auto", "fine") else None
        made = self._new(scene, accuracy)
        if scene.microscope.source_points == 0 and made.source_points > SEARCHED:
            self._made.pop()
            made = self._new(with_few_directions(scene), accuracy)
        return made

    def own(self, scene: Scene, models: tuple[str, ...] | None = None) -> Simulator:
        """Simulator on the grid that the scene asks for, as `osog.forward` renders it."""
        return self._new(scene if models is None else with_models(scene, models), None)

    def fine(self, scene: Scene) -> Simulator:
        """Simulator for the polish, on a finer grid."""
        return self._new(scene, "fine")

    def standard(self, scene: Scene) -> Simulator:
        """Simulator on a standard grid, with all directions of the light."""
        return self._new(scene, "standard")

    def models_near(self, scene: Scene, factor: float) -> list[tuple[str, ...]]:
        """Models of scattering that the scene's own choice, which comes first, lies near to.

        Parameters
        ----------
        scene : Scene
        factor : float
            Of the error up to which a model is good enough.
        """
        local = self._region.scene(scene) if self._region is not None else scene
        if all(population.scattering != "auto" for population in local.populations):
            return [tuple(population.scattering for population in local.populations)]
        return models_near(local, sample(local, 0), factor)

    def _new(self, scene: Scene, accuracy: str | None) -> Simulator:
        made = Simulator(scene, self._region, device=self._device, accuracy=accuracy)
        self._made.append(made)
        return made


class Corrected:
    """Images of a simulator, and what they differ by from those of a finer one at one place.

    What a finer grid adds hardly changes over the last steps of a fit, where one of its images
    would cost as much as all of these.

    Parameters
    ----------
    simulator : Simulator
    correction : ndarray, shape (Y, X)
        Finer image − that of the simulator, at the same values.
    """

    def __init__(self, simulator: Simulator, correction: Array) -> None:
        self._simulator, self.correction = simulator, correction
        self.reuses_wave, self.nudges = simulator.reuses_wave, simulator.nudges

    def __call__(self, values: Mapping[str, float]) -> Array:
        """Simulate with these values by name, shape (Y, X)."""
        return self._simulator(values) + self.correction

    def stepped(self, values: Mapping[str, float]) -> Array:
        """Simulate as `Simulator.stepped`."""
        return self._simulator.stepped(values) + self.correction

    def nudged(self, values: Mapping[str, float], name: str, step: float) -> Array:
        """Simulate as `Simulator.nudged`."""
        return self._simulator.nudged(values, name, step) + self.correction


def with_few_directions(scene: Scene) -> Scene:
    """Scene whose condenser shines from `SEARCHED` directions."""
    optics = scene.microscope.model_copy(update={"source_points": SEARCHED})
    return scene.model_copy(update={"microscope": optics})


def with_models(scene: Scene, models: tuple[str, ...]) -> Scene:
    """Scene whose populations state these models of scattering where they left the choice.

    Parameters
    ----------
    scene : Scene
    models : tuple of str
        One for each population, as `Simulator.models`.
    """
    stated = tuple(
        population.model_copy(update={"scattering": model})
        if population.scattering == "auto" and model in ("slabs", "mie")
        else population
        for population, model in zip(scene.populations, models, strict=True)
    )
    return scene.model_copy(update={"populations": stated})


def _optics(values: Mapping[str, float]) -> frozenset[tuple[str, float]]:
    """Numbers that the lens may depend on."""
    return frozenset(
        (name, value)
        for name, value in values.items()
        if name.split(".")[0].split("[")[0] not in _NOT_OPTICS
    )


def _array(image: torch.Tensor) -> Array:
    array: Array = image.detach().to("cpu", torch.float64).numpy()
    return array
