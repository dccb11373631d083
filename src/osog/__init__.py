"""OSOG: a differentiable renderer of optical micrographs, and the fits made with it.

>>> import osog
>>> scene = osog.presets.load("lysozyme-dic")
>>> frame = osog.render(scene, seed=1, outputs=("image", "instances", "boxes"))
>>> image = osog.forward(scene, {"microscope.focus_um": 2.0})
"""

from __future__ import annotations

import os as _os

# torch's OpenMP threads spin while they wait: with any other work on the machine two threads are
# then several times slower than one. The variable acts only if set before torch is imported.
_os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from osog import presets
from osog._version import __version__
from osog.render import Frame, forward, render
from osog.sample import explicit
from osog.scene import Scene, SceneError

__all__ = [
    "Frame",
    "Scene",
    "SceneError",
    "__version__",
    "explicit",
    "forward",
    "presets",
    "render",
]
