"""What a shape must be able to say about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from math import pi
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osog.derivatives import followed
from osog.geometry.half_spaces import padded_planes
from osog.geometry.hulls import hull_of_outlines
from osog.geometry.rectangles import least_rectangle_of_outline
from osog.rotations import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from osog.geometry.walls import Walls
    from osog.particles import ParticleBatch
    from osog.scene.shapes import ShapeModel

Array = NDArray[np.float64]
Column = TypeVar("Column", Tensor, NDArray[np.float64])
"""One number of every particle: drawn ones in NumPy, those of a batch in torch."""

THINNEST = 0.12
"""Half width in pixels below which a particle is drawn this wide and fainter."""


@dataclass(frozen=True)
class Bodies:
    """The bodies of n particles of one shape, about their own positions.

    Attributes
    ----------
    quaternion : Tensor, shape (n, 4)
    size : Tensor, shape (n, S)
        See `ParticleBatch`; as many columns as the shape has.
    planes : Tensor or None, shape (n, F, 4)
        Half-spaces in the body frame, for shapes that have them.
    plane_mask : Tensor or None, shape (n, F), bool
        False where a row of `planes` is padding.
    """

    quaternion: Tensor
    size: Tensor
    planes: Tensor | None = None
    plane_mask: Tensor | None = None

    @classmethod
    def of(cls, batch: ParticleBatch, index: Tensor, shape: Shape) -> Bodies:
        """Select particles ``index`` (n,) of a batch, all of one shape."""
        planes, mask = shape.planes_of(batch, index)
        size = batch.size[index, : shape.size_columns]
        made = cls(batch.quaternion[index], size, planes, mask)
        if not followed(batch.quaternion):
            made.share(batch.rotation[index])
        return made

    @cached_property
    def rotation(self) -> Tensor:
        """Rotation matrices (n, 3, 3) from the body into the world."""
        return rotation_matrix(self.quaternion)

    @property
    def faces(self) -> tuple[Tensor, Tensor]:
        """Half-spaces and their mask.

        Raises
        ------
        ValueError
            When there are none.
        """
        if self.planes is None or self.plane_mask is None:
            raise ValueError("planes and plane_mask are needed for polyhedra; use padded_planes().")
        return self.planes, self.plane_mask

    def taken(self, index: Tensor) -> Bodies:
        """Return some of the bodies."""
        made = Bodies(
            self.quaternion[index],
            self.size[index],
            None if self.planes is None else self.planes[index],
            None if self.plane_mask is None else self.plane_mask[index],
        )
        if "rotation" in self.__dict__:
            made.share(self.rotation[index])
        return made

    def laid(self, quaternion: Tensor) -> Bodies:
        """Return the same bodies turned otherwise, by unit quaternions (n, 4)."""
        return replace(self, quaternion=quaternion)

    def resized(self, size: Tensor) -> Bodies:
        """Return the same bodies with other sizes."""
        made = replace(self, size=size)
        if "rotation" in self.__dict__:
            made.share(self.rotation)
        return made

    def share(self, rotation: Tensor) -> None:
        """Take over rotation matrices (n, 3, 3) that are known already."""
        self.__dict__["rotation"] = rotation


class Shape(ABC):
    """Everything geometric about one family of bodies.

    A shape has no state: every method takes n bodies at once and works on tensors. Lengths are in
    µm, the world's z points along the light, and a body lies about its own position.

    Attributes
    ----------
    models : tuple of type
        The classes of the scene whose bodies these are.
    smooth_above_px : float
        Half widths in pixels from which one sample a pixel is exact to 0.4 %.
    flat_faces : bool
        Whether its path may jump at the silhouette, so that a sample a pixel is not enough.
    round_ends : bool
        Whether the spherocylinder of its two larger half lengths holds it; bodies with corners
        reach beyond.
    has_planes : bool
        Whether its particles own half-spaces.
    size_columns : int
        Numbers of one body: three half lengths, and further ones of bodies that need them.
    intervals : int
        Pieces of a line of sight that may lie in the body: 1 for convex ones. A piece of negative
        length takes away, as a hollow does.
    arithmetic : bool
        Whether `path` is plain arithmetic, the same for every body and line of sight: no loop
        over numbers, no choice of rows. Such paths are compiled (`exit_wave.compiled`).
    walled : bool
        Whether `path` is that between its `walls`, for which there are loops as well.
    work : int
        Points that it looks at on a line of sight, by which fewer of its bodies are drawn at once.
    """

    models: ClassVar[tuple[type[ShapeModel], ...]]
    smooth_above_px: ClassVar[float] = 2.0
    flat_faces: ClassVar[bool] = False
    round_ends: ClassVar[bool] = False
    has_planes: ClassVar[bool] = False
    size_columns: ClassVar[int] = 3
    intervals: ClassVar[int] = 1
    arithmetic: ClassVar[bool] = False
    walled: ClassVar[bool] = False
    work: ClassVar[int] = 1

    def __repr__(self) -> str:
        """Name for messages."""
        return type(self).__name__.lower()

    @property
    def compilable(self) -> bool:
        """Whether loops for it can be written (`exit_wave.compiled`)."""
        return self.arithmetic or self.walled

    def planes_of(self, batch: ParticleBatch, index: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Half-spaces of some particles and their mask, None where they have none."""
        if self.has_planes:
            return padded_planes(batch, index)
        if batch.membership is not None:  # only parts are cut
            planes, mask = padded_planes(batch, index)
            if planes.shape[1]:
                return planes, mask
        return None, None

    # From the numbers of a scene to the body.

    @abstractmethod
    def half_lengths(self, model: ShapeModel, numbers: Sequence[Column]) -> tuple[Column, ...]:
        """Map the numbers of the scene to the size of the batch.

        Parameters
        ----------
        model : ShapeModel
            The shape in the scene.
        numbers : sequence of Tensor or ndarray, each (n,)
            One for each of ``model.columns()``.

        Returns
        -------
        tuple of Tensor or ndarray, each (n,)
            Columns of ``ParticleBatch.size``: three half lengths, then ``size_columns - 3`` more.
        """

    def outer_half_lengths(
        self, model: ShapeModel, numbers: Sequence[Column]
    ) -> tuple[Column, Column, Column]:
        """Half lengths that hold the body, for the test of overlap; as for `half_lengths`."""
        a, b, c = self.half_lengths(model, numbers)[:3]
        return a, b, c

    def planes(self, model: ShapeModel) -> Array | None:
        """Half-spaces (F, 4) of one body before scaling by its size; None without any."""
        return None

    # The body itself.

    @abstractmethod
    def volume(self, bodies: Bodies) -> Tensor:
        """Volumes (n,) in µm³."""

    @abstractmethod
    def half_extents(self, bodies: Bodies) -> Tensor:
        """Half sizes (n, 3) along x, y, z of the upright boxes around the bodies.

        For a body that is not symmetric about its position it is the farther side.
        """

    @abstractmethod
    def half_width(self, bodies: Bodies) -> Tensor:
        """Half of the smallest width (n,), which says how finely a pixel must be sampled."""

    @abstractmethod
    def path(
        self, x: Tensor, y: Tensor, bodies: Bodies, pitch_um: tuple[float, float]
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Path of vertical lines of sight through the bodies, as pixel means.

        Differentiable in the bodies.

        Parameters
        ----------
        x, y : Tensor, shape (..., n, 1, Q) and (..., n, P, 1)
            µm from the positions.
        bodies : Bodies
        pitch_um : tuple of float
            (y, x) size of a pixel.

        Returns
        -------
        half_path : Tensor, shape (..., n, P, Q), or (..., n, K, P, Q) with K = ``intervals`` > 1
            Half of the pixel-mean path, of each of its pieces.
        middle : Tensor or None
            z of the middle of the path from the position, as many; None where it is 0 everywhere.
        coverage : Tensor, shape (..., n, P, Q)
            Fraction of the pixel that the silhouette covers.
        """

    def walls(self, bodies: Bodies, least_um: float | Tensor) -> Walls:
        """Edges of the silhouettes and faces, of shapes that are `walled`.

        Differentiable in the bodies.

        Parameters
        ----------
        bodies : Bodies
        least_um : float or Tensor, shape (n, 1)
            Smaller side of the cell of the kernel's variance: much shorter edges turn freely.
        """
        raise NotImplementedError(f"A {self!r} has no walls.")

    def strip(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Strips in the image, about the positions, that hold the bodies; detached.

        Returns
        -------
        along : Tensor, shape (n, 2)
            Unit vectors (x, y).
        half_width : Tensor, shape (n,)
            µm.
        """
        half = bodies.size.detach()[:, :3]
        longest = half.argmax(-1)
        axis = torch.gather(bodies.rotation.detach(), 2, longest[:, None, None].expand(-1, 3, 1))
        axis = axis[:, :2, 0]
        length = axis.norm(dim=-1, keepdim=True)
        upright = axis.new_tensor((1.0, 0.0))
        along = torch.where(length > 1e-3, axis / length.clamp_min(1e-6), upright)
        across = half.scatter(1, longest[:, None], 0.0)
        return along, across.amax(-1) if self.round_ends else across.norm(dim=-1)

    @abstractmethod
    def outline(self, bodies: Bodies, normals: Tensor) -> Tensor:
        """Points of the silhouettes.

        Parameters
        ----------
        bodies : Bodies
        normals : Tensor, shape (V, 2)
            Unit vectors (x, y) in the image plane, in order around it.

        Returns
        -------
        Tensor, shape (n, V, 2)
            (x, y) from the positions of the points that lie farthest along each direction, or of
            points that go around the silhouette as evenly.
        """

    def box(self, bodies: Bodies) -> tuple[Tensor, Tensor, Tensor]:
        """Oriented boxes around the silhouettes.

        Returns
        -------
        centre : Tensor, shape (n, 2)
            (x, y) from the positions.
        half : Tensor, shape (n, 2)
            Half sides.
        angle : Tensor, shape (n,)
            Of the first side, from +x towards +y.

        Notes
        -----
        Here the rectangle of least area around the outline, to half a degree of its angle.
        """

        def outline(normals: Tensor) -> Tensor:
            return self.outline(bodies, normals)

        return least_rectangle_of_outline(outline, bodies.size)

    def hull(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Points whose convex hull, swept by a ball, holds each body.

        Returns
        -------
        points : Tensor, shape (n, V, 3)
            In the body frame.
        radius : Tensor, shape (n,)
            Of the ball.

        Notes
        -----
        Here the corners between planes that touch the body's outline from many sides.
        """

        def outline(quaternion: Tensor, normals: Tensor) -> Tensor:
            return self.outline(bodies.laid(quaternion), normals)

        return hull_of_outlines(outline, bodies.size)

    def hydrodynamic_axes(self, bodies: Bodies) -> Tensor:
        """Semi-axes (n, 3) of the ellipsoids that stand for the bodies in a flow.

        Here the ellipsoid of the same volume and aspect ratios. For cylinders of aspect ratio 2 to
        20 the translation is within 6 % of Tirado & García de la Torre (1979), the turning of the
        axis within 11 % from aspect ratio 5 and 24 % too fast at 2.
        """
        size = bodies.size[:, :3]
        ratio = self.volume(bodies) / (4 / 3 * pi * size.prod(-1))
        return size * (ratio ** (1 / 3))[:, None]

    # How it is drawn where it is too small to be seen.

    def specks(self, bodies: Bodies, pitch_um: float) -> Tensor | None:
        """Tell (n,) which bodies are too small for their shape to show; None for none."""
        return None

    def speck(self, bodies: Bodies, pitch_um: float) -> tuple[Shape, Bodies]:
        """Simpler bodies that stand for such specks; their volume may differ."""
        return self, self.thickened(bodies, pitch_um)[0]

    def thickened(self, bodies: Bodies, pitch_um: float) -> tuple[Bodies, Tensor]:
        """Bodies wide enough to hit a sub-sample, and the factor (n,) by which they are fainter."""
        wide = bodies.resized(bodies.size.clamp_min(THINNEST * pitch_um))
        return wide, self.volume(bodies) / self.volume(wide)
