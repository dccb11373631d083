"""The forward model as a function from values by name to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from osog.rendering import ForwardModel
from osog.scene.parameters import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from osog.fitting.problem.region import Region
    from osog.scene import Scene
    from osog.scene.model import FitRole

    Array = NDArray[np.float64]


class Simulator:
    """Noise-free images of a scene whose sampling is fixed, in float64.

    Parameters
    ----------
    scene : Scene
        In the coordinates of the frame, with explicit particles; fixes sampling and padding.
    region : Region, optional
        The part that is simulated.
    device : str
    accuracy : str, optional
        Accuracy of the images; the scene's when left out.
    """

    def __init__(
        self,
        scene: Scene,
        region: Region | None = None,
        *,
        device: str = "cpu",
        accuracy: str | None = None,
    ) -> None:
        self._region = region
        self._scene = scene
        self._roles: dict[str, FitRole | None] = {}
        self.renders = 0
        local = region.scene(scene) if region is not None else scene
        self._forward = ForwardModel(local, dtype=torch.float64, device=device, accuracy=accuracy)

    def reuses_wave(self, name: str) -> bool:
        """Whether a change of this parameter leaves the exit wave, so that its image is cheap."""
        return self._forward.reuses_wave(name)

    def __call__(self, values: Mapping[str, float]) -> Array:
        """Simulate with these values by name; the result has shape (Y, X)."""
        self.renders += 1
        local = values
        if self._region is not None:
            for name in values.keys() - self._roles.keys():
                self._roles[name] = describe(self._scene, name).role
            local = self._region.local(values, self._roles)
        with torch.no_grad():
            image = self._forward.image(local)
        array: Array = image.detach().to("cpu", torch.float64).numpy()
        return array


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
        """Simulator for the search: on a standard grid unless the scene asks for a draft."""
        asked = scene.numerics.accuracy
        return self._new(scene, "standard" if asked in ("auto", "fine") else None)

    def own(self, scene: Scene) -> Simulator:
        """Simulator on the grid that the scene asks for, as `osog.forward` renders it."""
        return self._new(scene, None)

    def fine(self, scene: Scene) -> Simulator:
        """Simulator for the polish, on a finer grid."""
        return self._new(scene, "fine")

    def _new(self, scene: Scene, accuracy: str | None) -> Simulator:
        made = Simulator(scene, self._region, device=self._device, accuracy=accuracy)
        self._made.append(made)
        return made
