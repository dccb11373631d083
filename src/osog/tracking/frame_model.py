"""The whole frame as a function of all its particles and of the optics, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from osog.cancellation import raise_if_cancelled
from osog.fitting.problem.region import Region
from osog.rendering import ForwardModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from osog.scene import Particle, Scene

    Array = NDArray[np.float64]

# Rows or columns of a part: as many as this, or a quarter more where that spares a part.
_PART = 512
_SPARE = 1.25


class FrameModel:
    """Noise-free images of a frame that is cut into parts of bounded size.

    Memory follows the part, not the frame. A part holds the particles whose light reaches it, and
    is simulated anew only when one of their numbers or the optics have changed.

    Parameters
    ----------
    scene_of : callable
        Particles → scene that holds them alone.
    particles : sequence of Particle
        ``particles[k]`` names the k-th of them.
    reach_px : sequence of int
        How far the light of each one reaches.
    accuracy : str or None
        Of the images; the scene's own for None.
    device : str
    """

    def __init__(
        self,
        scene_of: Callable[[Sequence[Particle]], Scene],
        particles: Sequence[Particle],
        reach_px: Sequence[int],
        accuracy: str | None,
        device: str,
    ) -> None:
        scene = scene_of([])
        self._shape, pixel = scene.grid.shape, scene.grid.pixel_size_um
        self._pixel = pixel
        self._parts = []
        for y0, y1 in _cuts(self._shape[0]):
            for x0, x1 in _cuts(self._shape[1]):
                inside = [
                    k
                    for k, (one, reach) in enumerate(zip(particles, reach_px, strict=True))
                    if y0 - reach < one.y_um / pixel < y1 + reach
                    and x0 - reach < one.x_um / pixel < x1 + reach
                ]
                region = Region(y0, y1, x0, x1, pixel)
                local = region.scene(scene_of([particles[k] for k in inside]))
                self._parts.append(_Part(region, local, inside, accuracy, device))

    def __call__(self, values: Mapping[str, float]) -> Array:
        """Simulate with these values by name, shape (Y, X)."""
        by_particle: dict[int, dict[str, float]] = {}
        shared = {}
        for name, value in values.items():
            if name.startswith("particles["):
                number, _, field = name[len("particles[") :].partition("].")
                by_particle.setdefault(int(number), {})[field] = value
            else:
                shared[name] = value
        out = np.empty(self._shape)
        for part in self._parts:
            raise_if_cancelled()
            out[part.region.slices] = part.image(by_particle, shared)
        return out


class _Part:
    """One part of a frame, with its last image."""

    def __init__(
        self, region: Region, scene: Scene, inside: list[int], accuracy: str | None, device: str
    ) -> None:
        self.region, self._inside = region, inside
        self._first = {
            "x_um": region.x0 * region.pixel_size_um, "y_um": region.y0 * region.pixel_size_um
        }  # fmt: skip
        self._model = ForwardModel(scene, device=device, accuracy=accuracy)
        self._last: tuple[dict[str, float], Array] | None = None

    def image(
        self, by_particle: Mapping[int, Mapping[str, float]], shared: Mapping[str, float]
    ) -> Array:
        values = dict(shared)
        for local, number in enumerate(self._inside):
            for field, value in by_particle.get(number, {}).items():
                values[f"particles[{local}].{field}"] = value - self._first.get(field, 0.0)
        if self._last is None or self._last[0] != values:
            with torch.no_grad():
                image = self._model.image(values).detach().to("cpu", torch.float64).numpy()
            self._last = values, image
        return self._last[1]


def _cuts(length: int) -> list[tuple[int, int]]:
    """Cut a length into parts of nearly equal size."""
    parts = max(1, int(np.ceil(length / (_SPARE * _PART))))
    edges = np.linspace(0, length, parts + 1).round().astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


__all__ = ["FrameModel"]
