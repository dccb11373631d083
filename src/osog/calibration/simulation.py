"""Summaries of the pictures of a scene with some numbers changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.cancellation import raise_if_cancelled
from osog.exit_wave import plan_sampling
from osog.rendering import Renderer
from osog.sample import Values
from osog.sample import sample as draw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from osog.calibration.summary import Summary
    from osog.calibration.unknowns import Unknowns
    from osog.scene import Scene

    Array = NDArray[np.float64]


class Simulation:
    """Pictures of a scene at any place of the unknowns.

    Parameters
    ----------
    scene : Scene
    unknowns : Unknowns
    summary : Summary
    accuracy : str
        As for a scene's ``numerics.accuracy``.
    device : str
    made : callable
        Called with the number of pictures made.
    directions : int, optional
        Most directions of light through the condenser.
    """

    def __init__(
        self,
        scene: Scene,
        unknowns: Unknowns,
        summary: Summary,
        accuracy: str,
        device: str,
        made: Callable[[int], None],
        directions: int | None = None,
    ) -> None:
        self._scene, self._accuracy = scene, accuracy
        self._directions = directions
        self._unknowns, self._summary = unknowns, summary
        self._renderer, self._made = Renderer(device), made

    def scene(self, u: Array) -> Scene:
        """Scene at a place (P,) of the unit cube."""
        return self._scene.updated(self._unknowns.values(u))

    def _with_few_directions(self, scene: Scene, seed: int) -> Scene:
        """Hold the directions of light to their limit where a picture would take more."""
        optics = scene.microscope
        if self._directions is None or optics.source_points or optics.condenser_in_use <= 0:
            return scene
        one = scene.sample(seed)
        values = Values(one, dtype=torch.float32, device=self._renderer.device)
        plan = plan_sampling(one, draw(one, seed, values), accuracy=self._accuracy)
        if plan.source_points <= self._directions:
            return scene
        return scene.updated({"microscope.source_points": self._directions})

    def pictures(self, u: Array, seeds: Sequence[int]) -> list[Array]:
        """Grey pictures (Y, X) at a place (P,) of the unit cube, one for each seed."""
        raise_if_cancelled()
        scene = self._with_few_directions(self.scene(u), seeds[0])
        found = []
        for frame in self._renderer.render_many(scene, seeds, self._accuracy):
            image = np.asarray(frame.image.cpu(), dtype=np.float64)
            found.append(image.mean(-1) if image.ndim == 3 else image)
        self._made(len(found))
        return found

    def summaries(self, u: Array, seeds: Sequence[int]) -> Array:
        """Summaries (len(seeds), M) of these pictures."""
        return np.stack([self._summary(picture) for picture in self.pictures(u, seeds)])
