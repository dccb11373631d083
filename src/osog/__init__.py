"""OSOG: a differentiable renderer of optical micrographs, and the fits made with it.

>>> import osog
>>> scene = osog.presets.load("lysozyme-dic")
>>> frame = osog.render(scene, seed=1, outputs=("image", "instances", "boxes"))
>>> image = osog.forward(scene, {"microscope.focus_um": 2.0})
>>> result = osog.fit(micrograph, scene, free=("microscope.focus_um",))

Names are imported when they are first used: ``import osog`` alone loads neither torch nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog import _runtime  # noqa: F401  (acts before torch is loaded)
from osog._moved import stand_in
from osog._version import __version__

if TYPE_CHECKING:
    from osog import datasets, io, presets
    from osog.calibration import calibrate
    from osog.detection import detect
    from osog.fitting import FitError, FitResult, fit
    from osog.recognition import guess_modality
    from osog.rendering import ForwardModel, Frame, Renderer, forward, render, render_many
    from osog.sample import explicit
    from osog.scene import Scene, SceneError, instruments, materials
    from osog.tracking import fit_many, track
else:
    # Hidden from type checkers, for whom any name would exist then.
    from osog._lazy import finder

    __getattr__ = finder(
        {
            "osog": ("datasets", "io", "presets"),
            "osog.calibration": ("calibrate",),
            "osog.detection": ("detect",),
            "osog.fitting": ("FitError", "FitResult", "fit"),
            "osog.recognition": ("guess_modality",),
            "osog.rendering": (
                "ForwardModel",
                "Frame",
                "Renderer",
                "forward",
                "render",
                "render_many",
            ),
            "osog.sample": ("explicit",),
            "osog.scene": ("Scene", "SceneError", "instruments", "materials"),
            "osog.tracking": ("fit_many", "track"),
        }
    )

__all__ = [
    "FitError",
    "FitResult",
    "ForwardModel",
    "Frame",
    "Renderer",
    "Scene",
    "SceneError",
    "__version__",
    "calibrate",
    "datasets",
    "detect",
    "explicit",
    "fit",
    "fit_many",
    "forward",
    "guess_modality",
    "instruments",
    "io",
    "materials",
    "presets",
    "render",
    "render_many",
    "track",
]

stand_in()


def __dir__() -> list[str]:
    """What to use; the packages behind it are found by their own names."""
    return sorted(__all__)
