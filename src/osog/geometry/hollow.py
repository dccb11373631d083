"""Hollow bodies: one body less another within it, about the same position."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from osog.geometry.cylinder import CYLINDER
from osog.geometry.ellipsoid import ELLIPSOID
from osog.geometry.shape import THINNEST, Bodies, Column, Shape
from osog.scene.bent_and_hollow import Tube, Vesicle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.scene.shapes import ShapeModel

_LEAST_HOLLOW = 1e-3
"""Half lengths of a hollow that a thick wall leaves, as a part of those of the body."""


class HollowShape(Shape):
    """A body less a hollow, both with a path of their own.

    A line of sight gets two pieces: the path through the whole, and the negative one of the
    hollow. Slabs add up what lies in them, so both together are the wall before and behind it.
    The size is that of the whole, and the thickness of the wall.

    Attributes
    ----------
    solid : Shape
        That of the whole and of the hollow.
    """

    solid: ClassVar[Shape]
    size_columns = 4
    intervals = 2
    arithmetic = True
    work = 2

    @abstractmethod
    def hollow(self, size: Tensor) -> Tensor:
        """Sizes (n, 3) of the hollows of bodies of the size (n, 4)."""

    def outside(self, bodies: Bodies) -> Bodies:
        """Return the whole bodies, without hollow."""
        return bodies.resized(bodies.size[:, :3])

    def inside(self, bodies: Bodies) -> Bodies:
        """Return the hollows as bodies."""
        return bodies.resized(
            torch.maximum(self.hollow(bodies.size), _LEAST_HOLLOW * bodies.size[:, :3])
        )

    def volume(self, bodies: Bodies) -> Tensor:
        """Difference of both."""
        return self.solid.volume(self.outside(bodies)) - self.solid.volume(self.inside(bodies))

    def half_extents(self, bodies: Bodies) -> Tensor:
        """Those of the whole."""
        return self.solid.half_extents(self.outside(bodies))

    def half_width(self, bodies: Bodies) -> Tensor:
        """Half of the smallest width of the whole or of the hollow."""
        return torch.minimum(
            self.solid.half_width(self.outside(bodies)),
            self.solid.half_width(self.inside(bodies)).clamp_min(0.5 * bodies.size[:, 3]),
        )

    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Path through the whole, and the negative one through the hollow."""
        whole, above, coverage = self.solid.path(x, y, self.outside(bodies), pitch_um)
        hollow, within, _ = self.solid.path(x, y, self.inside(bodies), pitch_um)
        assert above is not None
        assert within is not None
        pieces = torch.stack([whole, -hollow], -3)
        return pieces, torch.stack([above, within], -3), coverage

    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """That of the whole."""
        return self.solid.outline(self.outside(bodies), normals)

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """That of the whole."""
        return self.solid.box(self.outside(bodies))

    def hydrodynamic_axes(self, bodies: Bodies) -> Tensor:
        """Those of the whole: what fills the hollow goes along."""
        return self.solid.hydrodynamic_axes(self.outside(bodies))

    def thickened(self, bodies: Bodies, pitch_um: float) -> tuple[Bodies, Tensor]:
        """Wide enough outside, with the same wall."""
        wide = bodies.size[:, :3].clamp_min(THINNEST * pitch_um)
        new = bodies.resized(torch.cat([wide, bodies.size[:, 3:]], 1))
        return new, self.volume(bodies) / self.volume(new)


class VesicleGeometry(HollowShape):
    """Ellipsoids with a wall, of the size (a, b, c, wall)."""

    models = (Vesicle,)
    solid = ELLIPSOID
    smooth_above_px = ELLIPSOID.smooth_above_px
    round_ends = True

    def half_lengths(self, model: ShapeModel, numbers: Sequence[Column]) -> tuple[Column, ...]:
        """Semi-axes and wall as they are."""
        return tuple(numbers)

    def hollow(self, size: Tensor) -> Tensor:
        """Semi-axes less the wall."""
        return size[:, :3] - size[:, 3:]


class TubeGeometry(HollowShape):
    """Cylinders with a bore, of the size (half of the length, radius, radius, wall)."""

    models = (Tube,)
    solid = CYLINDER
    smooth_above_px = CYLINDER.smooth_above_px

    def half_lengths(self, model: ShapeModel, numbers: Sequence[Column]) -> tuple[Column, ...]:
        """Half of the length, the radius twice, and the wall."""
        length, radius, wall = numbers
        return length / 2, radius, radius, wall

    def hollow(self, size: Tensor) -> Tensor:
        """As long, with the radius less the wall."""
        bore = size[:, 1:3] - size[:, 3:]
        return torch.cat([size[:, :1], bore], 1)


VESICLE = VesicleGeometry()
TUBE = TubeGeometry()
