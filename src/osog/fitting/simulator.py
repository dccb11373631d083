"""The engine as a function from values by name to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from osog.rendering import ForwardModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from osog.fitting.region import Region
    from osog.scene import Scene

    Array = NDArray[np.float64]

_BEHIND_THE_SAMPLE = ("microscope.", "camera.", "background.")
_CHANGES_EXIT_WAVE = ("microscope.wavelength_um", "microscope.condenser_numerical_aperture")


def optics_only(name: str) -> bool:
    """Whether a parameter leaves the exit wave alone, so that its derivative is cheap."""
    return name.startswith(_BEHIND_THE_SAMPLE) and name not in _CHANGES_EXIT_WAVE


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
        Accuracy of the engine; the scene's when left out.
    """

    def __init__(
        self,
        scene: Scene,
        region: Region | None = None,
        *,
        device: str = "cpu",
        accuracy: Any = None,
    ) -> None:
        self._region = region
        self.renders = 0
        local = region.scene(scene) if region is not None else scene
        self._engine = ForwardModel(local, dtype=torch.float64, device=device, accuracy=accuracy)

    def __call__(self, values: Mapping[str, float]) -> Array:
        """Simulate with these values by name; the result has shape (Y, X)."""
        self.renders += 1
        local = self._region.local(values) if self._region is not None else values
        with torch.no_grad():
            image = self._engine.image(local)
        array: Array = image.detach().to("cpu", torch.float64).numpy()
        return array
