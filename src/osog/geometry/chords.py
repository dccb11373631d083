"""Entry and exit depths of particles along z, as pixel means."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from osog.geometry.cuts import cut
from osog.geometry.edges import SPREAD
from osog.geometry.shape import Bodies
from osog.geometry.sub_samples import FINEST, SPECK, sampling_window, sub_sampling

if TYPE_CHECKING:
    from osog.geometry.shape import Shape


@dataclass(frozen=True)
class Chord:
    """Where light enters and leaves each particle.

    Attributes
    ----------
    entry, exit : Tensor, shape (n, K P, Q)
        World z in µm of the surface on the condenser's and the objective's side. ``exit - entry``
        is the path averaged over the pixel, 0 outside the particle. Where a line of sight may
        cross a body K times, the P rows of one piece of it follow those of another; pieces of
        negative length take away from the others.
    coverage : Tensor, shape (n, P, Q)
        Fraction of the pixel covered by the silhouette, 0 to 1.
    """

    entry: Tensor
    exit: Tensor
    coverage: Tensor

    @property
    def intervals(self) -> int:
        """Pieces K of each line of sight."""
        return self.entry.shape[1] // self.coverage.shape[1]

    @property
    def path(self) -> Tensor:
        """Length (n, P, Q) in µm of all pieces together."""
        length = self.exit - self.entry
        return length if self.intervals == 1 else self._pieces(length).sum(1)

    @property
    def top(self) -> Tensor:
        """World z (n, P, Q) in µm of the surface nearest the objective."""
        if self.intervals == 1:
            return self.exit
        there = self.exit > self.entry
        highest = self._pieces(torch.where(there, self.exit, -torch.inf)).amax(1)
        return torch.where(torch.isfinite(highest), highest, self._pieces(self.exit)[:, 0])

    def _pieces(self, rows: Tensor) -> Tensor:
        pieces: Tensor = rows.unflatten(1, (self.intervals, -1))
        return pieces


def chords(
    shape: Shape,
    x: Tensor,
    y: Tensor,
    position: Tensor,
    quaternion: Tensor,
    size: Tensor,
    planes: Tensor | None,
    plane_mask: Tensor | None,
    pitch_um: tuple[float, float],
    wall_samples: int = 2,
) -> Chord:
    """Intersect n particles of one shape with the lines of sight of their pixels.

    Differentiable in position, quaternion, size and planes. Each particle's result depends on
    that particle alone.

    Parameters
    ----------
    shape : Shape
        That of all n particles.
    x, y : Tensor, shape (n, 1, Q) and (n, P, 1)
        World coordinates in µm of the pixel centres of each particle's patch.
    position : Tensor, shape (n, 3)
    quaternion : Tensor, shape (n, 4)
    size : Tensor, shape (n, S)
        See `ParticleBatch`.
    planes : Tensor or None, shape (n, F, 4)
        Half-spaces of polyhedra, from `padded_planes`; those of other shapes cut them off.
    plane_mask : Tensor or None, shape (n, F), bool
    pitch_um : tuple of float
        (y, x) pixel size in µm.
    wall_samples : int, 1 or 2
        Sub-samples a side for boxes and polyhedra; 1 is four times faster and its error at
        edges three times larger, enough for masks.

    Returns
    -------
    Chord

    Raises
    ------
    ValueError
        When polyhedra come without planes.
    """
    bodies = Bodies(quaternion, size, planes, plane_mask)
    base = wall_samples if shape.flat_faces else 1
    levels = sub_sampling(shape, bodies, min(pitch_um))
    if levels is None:
        return _sampled(shape, x, y, position, bodies, pitch_um, base)
    samples, share = levels[0].clamp_min(base), levels[1]

    def drawn(i: Tensor, level: int) -> Chord:
        return _sampled(shape, x[i], y[i], position[i], bodies.taken(i), pitch_um, level)

    parts, order = [], []
    for level in torch.unique(samples).tolist():
        of_level = samples == level
        mixed = of_level & (share.detach() > 0) & (level > base)
        for i, mix in ((of_level & ~mixed, False), (mixed, True)):
            index = torch.nonzero(i).squeeze(-1)
            if not len(index):
                continue
            part = drawn(index, int(level))
            if mix:
                part = _between(part, drawn(index, int(level) // 2), share[index][:, None, None])
            parts.append(part)
            order.append(index)
    if len(parts) == 1:
        return parts[0]
    back = torch.argsort(torch.cat(order))
    return Chord(*(torch.cat([getattr(c, f.name) for c in parts])[back] for f in fields(Chord)))


def _between(fine: Chord, coarse: Chord, share: Tensor) -> Chord:
    """Chords that hold a share of the coarser ones."""
    pairs = ((getattr(fine, f.name), getattr(coarse, f.name)) for f in fields(Chord))
    return Chord(*(torch.lerp(a, b, share) for a, b in pairs))


def _sampled(
    shape: Shape,
    x: Tensor,
    y: Tensor,
    position: Tensor,
    bodies: Bodies,
    pitch_um: tuple[float, float],
    samples: int,
) -> Chord:
    """Intersect with ``samples`` × ``samples`` points a pixel and some around, each a mean."""
    x = x - position[:, 0, None, None]
    y = y - position[:, 1, None, None]
    z = position[:, 2, None, None]
    fainter = weights = None
    py, px = pitch_um
    cell = SPREAD
    if samples > 1:
        places, weights, cell = sampling_window(samples)
        steps = torch.tensor(places, dtype=x.dtype, device=x.device)
        x = x + (px * steps).view(1, -1, 1, 1, 1)
        y = y + (py * steps).view(-1, 1, 1, 1, 1)
    py, px = py * cell, px * cell
    if samples == SPECK:
        whole = shape.volume(bodies)
        shape, bodies = shape.speck(bodies, min(pitch_um))
        fainter = (whole / shape.volume(bodies))[:, None, None]
    elif samples == FINEST:
        bodies, factor = shape.thickened(bodies, min(pitch_um))
        fainter = factor[:, None, None]
    path = shape.path(x, y, bodies, (py, px))
    if bodies.planes is not None and not shape.has_planes:
        path = cut(x, y, bodies, (py, px), path)
    half_path, middle, coverage = path
    if shape.intervals > 1:
        half_path = half_path.flatten(-3, -2)
        middle = None if middle is None else middle.flatten(-3, -2)
    if weights is not None:
        share = torch.tensor(weights, dtype=x.dtype, device=x.device)
        share = (share[:, None] * share).view(len(share), -1, 1, 1, 1)
        half_path = half_path * share
        if middle is not None:
            middle = (half_path * middle).sum((0, 1))
        half_path, coverage = half_path.sum((0, 1)), (coverage * share).sum((0, 1))
        if middle is not None:
            least = 1e-4 * min(pitch_um) / samples**2
            if shape.intervals > 1:  # pieces that take away are negative
                middle = middle / (
                    half_path + torch.copysign(half_path.new_full((), least), half_path)
                )
            else:
                middle = middle / (half_path + least)
    if fainter is not None:
        half_path, coverage = half_path * fainter, coverage * fainter.sqrt()
    centre = z if middle is None else z + middle
    return Chord(centre - half_path, centre + half_path, coverage)
