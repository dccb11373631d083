"""Summaries of the pictures of a scene with some numbers changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.cancellation import raise_if_cancelled
from osog.rendering import Renderer

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
    """

    def __init__(
        self,
        scene: Scene,
        unknowns: Unknowns,
        summary: Summary,
        accuracy: str,
        device: str,
        made: Callable[[int], None],
    ) -> None:
        self._scene, self._accuracy = scene, accuracy
        self._unknowns, self._summary = unknowns, summary
        self._renderer, self._made = Renderer(device), made

    def pictures(self, u: Array, seeds: Sequence[int]) -> list[Array]:
        """Grey pictures (Y, X) at a place (P,) of the unit cube, one for each seed."""
        raise_if_cancelled()
        scene = self._scene.updated(self._unknowns.values(u))
        found = []
        for frame in self._renderer.render_many(scene, seeds, self._accuracy):
            image = np.asarray(frame.image.cpu(), dtype=np.float64)
            found.append(image.mean(-1) if image.ndim == 3 else image)
        self._made(len(found))
        return found

    def summaries(self, u: Array, seeds: Sequence[int]) -> Array:
        """Summaries (len(seeds), M) of these pictures."""
        return np.stack([self._summary(picture) for picture in self.pictures(u, seeds)])
