"""What is shown of a render, and where its layers lie: evented, for panels and layers to follow."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from psygnal import SignalGroupDescriptor

SHOWN = ("image", "phase", "amplitude", "irradiance")
"""What the image layer shows: counts, phase or modulus of the field, or light before the camera."""

COMPARISONS = ("off", "beside", "blend", "wipe", "checkerboard", "difference")
"""How a render is laid over a micrograph."""


@dataclass(frozen=True)
class LayerTransform:
    """Where our layers lie in the viewer's world.

    Attributes
    ----------
    shape : (int, int)
        Frame (Y, X) that the transform was copied for; another frame ignores it.
    scale, translate : (float, float)
        Of a pixel, in `units`.
    rotate : tuple of 2 rows
        Rotation matrix in the displayed plane.
    units : (str, str)
        Unit of each axis as napari names it.
    """

    shape: tuple[int, int]
    scale: tuple[float, float]
    translate: tuple[float, float] = (0.0, 0.0)
    rotate: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, 1.0))
    units: tuple[str, str] = ("um", "um")


@dataclass
class View:
    """What is shown of a render, and how it is compared with the target.

    ``events`` tells of every change: ``view.events.wipe.connect(slot)`` of one field,
    ``view.events.connect(slot)`` of any.

    Attributes
    ----------
    shown : str
        One of `SHOWN`.
    particles, outlines, masks, phase, amplitude : bool
        Whether each is shown in a layer of its own.
    compare : str
        One of `COMPARISONS`.
    opacity, wipe : float
        From 0 to 1: of the render over the micrograph; share of the width left of the line.
    tiles : int
        Tiles of a checkerboard along the shorter side.
    transform : LayerTransform or None
        That of a micrograph whose grid was matched.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    shown: str = "image"
    particles: bool = True
    outlines: bool = False
    masks: bool = False
    phase: bool = False
    amplitude: bool = False
    compare: str = "off"
    opacity: float = 0.5
    wipe: float = 0.5
    tiles: int = 8
    transform: LayerTransform | None = None

    @property
    def placement(self) -> LayerTransform | None:
        """Former name of `transform`."""
        warnings.warn("View.placement is now View.transform.", DeprecationWarning, stacklevel=2)
        return self.transform

    def update(self, **changes: Any) -> None:
        """Change several fields; who hears of the first finds all of them changed.

        Raises
        ------
        TypeError
            If there is no such field.
        """
        unknown = changes.keys() - {field.name for field in fields(self)}
        if unknown:
            raise TypeError(f"{', '.join(sorted(unknown))}: a view has no such field")
        with ExitStack() as stack:
            for name in changes:
                stack.enter_context(self.events[name].paused())
            for name, value in changes.items():
                setattr(self, name, value)


__all__ = ["COMPARISONS", "SHOWN", "LayerTransform", "View"]
