"""Particles as tensors: the Structure-of-Arrays that every stage reads, and turned bodies."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from osog.derivatives import followed, func_is_active, plain_numbers
from osog.rotations import quaternion_product, rotation_matrix
from osog.transfers import moved_together

if TYPE_CHECKING:
    from collections.abc import Callable

    from osog.voxels import Voxels


FEW = 4096
"""Particles up to which the host plans faster than a GPU starts the operations of a plan."""


@dataclass(frozen=True, kw_only=True)
class ParticleBatch:
    """N particles as tensors of one device and one floating type.

    Attributes
    ----------
    position : Tensor, shape (N, 3)
        Centre (x, y, z) in µm; x = column × pixel size, y = row × pixel size, z along the light.
    quaternion : Tensor, shape (N, 4)
        Unit quaternion (w, x, y, z) that turns body coordinates into world coordinates.
    size : Tensor, shape (N, S)
        Half lengths in µm along the body's axes, the long axis first, then what some shapes need
        besides, 0 where a shape needs less; a shape's file in ``geometry/`` says what they are.
        Polyhedra: the factors that scale their half-spaces.
    delta_index : Tensor, shape (N,)
        Index of the particle minus that of the medium.
    absorption_per_um : Tensor, shape (N,)
        Intensity absorption coefficient μ: the field falls by exp(−½ μ · path).
    emission_per_um : Tensor, shape (N,)
        Fluorescence brightness per µm of path.
    birefringence : Tensor, shape (N,)
        Extraordinary minus ordinary index of a uniaxial body; `delta_index` is of the ordinary one.
    optic_axis : Tensor, shape (N, 3)
        Unit vector of the optic axis in the world.
    core_radius : Tensor, shape (N,)
        Radius in µm of a sphere's concentric core; 0 without one.
    core_index_step : Tensor, shape (N,)
        Index of the core minus that of the shell.
    core_absorption_step : Tensor, shape (N,)
        Absorption coefficient of the core minus that of the shell.
    shape_kind : Tensor, shape (N,), int64
        Number of the particle's shape in ``geometry.SHAPES``.
    population : Tensor, shape (N,), int64
        Position of the particle's population in ``scene.populations``.
    group : Tensor, shape (N,), int64
        Number of the aggregate that the particle belongs to; −1 alone.
    planes : Tensor, shape (F, 4)
        Half-spaces (n_x, n_y, n_z, d) of all polyhedra one after another, body frame:
        inside where n · (x / size) ≤ d. Normals have length 1.
    plane_start : Tensor, shape (N + 1,), int64
        Particle i owns ``planes[plane_start[i] : plane_start[i + 1]]``. Those of a body that is no
        polyhedron cut it off, in µm: it is what lies where n · x ≤ d.
    voxels : Voxels or None
        Which particles are parts of a volume of voxels; None where none is.
    parts : Parts or None
        Further bodies that the particles are made of; None when there are none.
    membership : Membership or None
        Which particle each body belongs to, in a batch that `assembled` has made.
    """

    position: Tensor
    quaternion: Tensor
    size: Tensor
    delta_index: Tensor
    absorption_per_um: Tensor
    emission_per_um: Tensor
    birefringence: Tensor
    optic_axis: Tensor
    core_radius: Tensor
    core_index_step: Tensor
    core_absorption_step: Tensor
    shape_kind: Tensor
    population: Tensor
    group: Tensor
    planes: Tensor
    plane_start: Tensor
    voxels: Voxels | None = None
    parts: Parts | None = None
    membership: Membership | None = None

    def __len__(self) -> int:
        """Count the particles."""
        return int(self.position.shape[0])

    @property
    def device(self) -> torch.device:
        """Device of every tensor of the batch."""
        return self.position.device

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of every real tensor of the batch."""
        return self.position.dtype

    def detach(self) -> ParticleBatch:
        """Return the same numbers without their gradient history."""
        return self if self._plain is None else self._plain

    @cached_property
    def _plain(self) -> ParticleBatch | None:
        """The numbers alone; None where this is them."""
        made = self._map(plain_numbers)
        made.__dict__["_plain"] = None
        made.__dict__["_kept"] = self._kept  # what follows from the one follows from the other
        return made

    def for_planning(self) -> ParticleBatch:
        """Return the same numbers, detached, where plans of a few of them are soonest made.

        Returns
        -------
        ParticleBatch
            In the memory of the host for `FEW` particles at most, where nothing waits for a GPU;
            on the batch's own device for more.
        """
        if self.device.type == "cpu" or len(self) > FEW:
            return self.detach()
        plain = self.detach()
        host: ParticleBatch = plain.worked_out("on host", lambda: plain.to("cpu"))
        return host.detach()

    @property
    def rotation(self) -> Tensor:
        """Rotation matrices (N, 3, 3) from the bodies into the world."""
        found: Tensor = self.worked_out("rotation", lambda: rotation_matrix(self.quaternion))
        return found

    @property
    def populations(self) -> list[int]:
        """Numbers of the populations that have particles, ascending."""
        found: list[int] = self.worked_out("populations", lambda: self.population.unique().tolist())
        return found

    def worked_out(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what follows from the batch alone: made once, but where it may have a derivative.

        Parameters
        ----------
        name : str
        make : callable
        """
        tensors = self._tensors
        if self._passing or func_is_active() or any(t.requires_grad for t in tensors):
            return make()
        versions = [t._version for t in tensors]
        if self._kept.get("versions") != versions:  # somebody has changed a number in place
            self._kept.clear()
            self._kept["versions"] = versions
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    @cached_property
    def _tensors(self) -> list[Tensor]:
        return [t for t in self.__dict__.values() if isinstance(t, Tensor)]

    @cached_property
    def _passing(self) -> bool:
        """Whether its numbers belong to a transform or to inference mode, and must not be kept."""
        return followed(*self._tensors) or any(t.is_inference() for t in self._tensors)

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what can be worked out again."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def moved(
        self,
        position: Tensor,
        quaternion: Tensor,
        size: Tensor,
        planes: Tensor,
        *weights: Tensor | None,
    ) -> ParticleBatch:
        """Return the same particles in other places, of other sizes and other weights of voxels."""
        voxels = None if self.voxels is None else self.voxels.moved(weights)
        return replace(
            self, position=position, quaternion=quaternion, size=size, planes=planes, voxels=voxels
        )

    @property
    def weights(self) -> tuple[Tensor | None, ...]:
        """Weights of the voxels of every array; empty without volumes."""
        return () if self.voxels is None else self.voxels.weights

    def to(self, *args: Any, **kwargs: Any) -> ParticleBatch:
        """Move or convert: floating tensors follow every argument, integer ones the device only."""
        moved = self.position.to(*args, **kwargs)
        found = self._map(
            lambda t: (
                t.to(moved.device, moved.dtype) if t.is_floating_point() else t.to(moved.device)
            )
        )
        if found.voxels is None:
            return found
        return replace(found, voxels=found.voxels.on(moved.device))

    def on(self, device: torch.device) -> ParticleBatch:
        """Return the same plain numbers on a device, all of one type moved in one copy."""
        if self.device == device:
            return self
        tensors: list[Tensor] = []

        def listed(tensor: Tensor) -> Tensor:
            tensors.append(tensor)
            return tensor

        self._map(listed)
        moved = iter(moved_together(tensors, device))
        made = self._map(lambda t: next(moved))
        if made.voxels is not None:
            made = replace(made, voxels=made.voxels.on(device))
        if self.device.type == "cpu":
            made.worked_out("on host", lambda: self)
        return made

    def taken(self, numbers: Tensor) -> ParticleBatch:
        """Return some of the particles.

        Parameters
        ----------
        numbers : Tensor, shape (M,), int64
            Which ones, in the order that is wanted.
        """
        planes, stops = taken_planes(self.planes, self.plane_start, numbers)
        one_each = {name: getattr(self, name)[numbers] for name in self.columns()}
        voxels = None if self.voxels is None else self.voxels.taken(numbers)
        parts = None if self.parts is None else self.parts.of(numbers, len(self))
        return ParticleBatch(
            **one_each, planes=planes, plane_start=stops, voxels=voxels, parts=parts
        )

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the tensors that hold one row for each particle."""
        apart = ("planes", "plane_start", "voxels", "parts", "membership")
        return tuple(f.name for f in fields(cls) if f.name not in apart)

    def steps(self, coefficient: Tensor) -> Tensor:
        """What each body adds to a ray: for one inside another, the difference of both.

        Parameters
        ----------
        coefficient : Tensor, shape (..., N)
            Phase, loss or emission per µm of every body, each as if it were alone.
        """
        if self.membership is None:
            return coefficient
        within = self.membership.within
        around = coefficient[..., within.clamp_min(0)]
        return torch.where(within >= 0, coefficient - around, coefficient)

    @property
    def drawn_apart(self) -> Tensor | None:
        """Bodies that are drawn one by one: no volumes and no envelopes; None for all."""
        if self.membership is None:
            return None if self.voxels is None else self.voxels.others
        drawn = self.membership.drawn
        if self.voxels is not None:
            drawn = drawn & (self.voxels.grid < 0)
        return torch.nonzero(drawn).flatten()

    def _map(self, function: Any) -> ParticleBatch:
        tensors = {n: t for n, t in self.__dict__.items() if isinstance(t, Tensor)}
        others = ("voxels", "parts", "membership")
        made = {n: getattr(self, n) for n in others}
        made = {n: None if each is None else each.mapped(function) for n, each in made.items()}
        return replace(self, **{n: function(t) for n, t in tensors.items()}, **made)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """M bodies in the frames of the particles that they belong to.

    Attributes
    ----------
    host : Tensor, shape (M,), int64
        Particle that each belongs to.
    role : Tensor, shape (M,), int64
        `OUTER` bodies make up the particle beside or in place of its own; `INNER` ones lie in it,
        and what they do to a ray is the difference to the particle's material; `CUT` ones are
        taken out of it.
    position : Tensor, shape (M, 3)
        µm from the particle's position, in its own frame.
    quaternion : Tensor, shape (M, 4)
        Turns the part within the particle's frame.
    size, delta_index, absorption_per_um, emission_per_um, birefringence, shape_kind, planes, \
plane_start
        As those of `ParticleBatch`: the part's own, as if it were alone in the medium.
    replaced : Tensor, shape (N,), bool
        Particles that consist of their parts alone: their own body is an envelope that is not
        drawn.
    """

    host: Tensor
    role: Tensor
    position: Tensor
    quaternion: Tensor
    size: Tensor
    delta_index: Tensor
    absorption_per_um: Tensor
    emission_per_um: Tensor
    birefringence: Tensor
    shape_kind: Tensor
    planes: Tensor
    plane_start: Tensor
    replaced: Tensor

    def mapped(self, function: Any) -> Parts:
        """Apply a function to every tensor."""
        return replace(self, **{f.name: function(getattr(self, f.name)) for f in fields(self)})

    def of(self, numbers: Tensor, total: int) -> Parts | None:
        """Return the parts of some of the particles, which are numbered anew; None without any.

        Parameters
        ----------
        numbers : Tensor, shape (K,), int64
        total : int
            How many particles there were.
        """
        place = torch.full((total,), -1, dtype=torch.int64, device=numbers.device)
        place[numbers] = torch.arange(len(numbers), device=numbers.device)
        rows = torch.nonzero(place[self.host] >= 0).flatten()
        if not len(rows):
            return None
        planes, stops = taken_planes(self.planes, self.plane_start, rows)
        apart = ("host", "replaced", "planes", "plane_start")
        kept = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in apart}
        return Parts(
            **kept,
            host=place[self.host[rows]],
            replaced=self.replaced[numbers],
            planes=planes,
            plane_start=stops,
        )


OUTER, INNER, CUT = 0, 1, 2
"""Roles of a part; see `Parts`."""


@dataclass(frozen=True)
class Membership:
    """Which particle each of K bodies belongs to.

    Attributes
    ----------
    host : Tensor, shape (K,), int64
        Number of the particle; the first bodies are those of the particles themselves.
    within : Tensor, shape (K,), int64
        Body that it lies in, whose material it replaces; -1 for none.
    outer : Tensor, shape (K,), bool
        Whether it is a piece of the particle's outside, which its labels are made of.
    drawn : Tensor, shape (K,), bool
        False for envelopes of particles that consist of their parts alone.
    thickness : Tensor, shape (K,)
        1 for a piece of the outside, 0 for what lies in it, -1 for what is taken out.
    """

    host: Tensor
    within: Tensor
    outer: Tensor
    drawn: Tensor
    thickness: Tensor

    def mapped(self, function: Any) -> Membership:
        """Apply a function to every tensor."""
        return replace(self, **{f.name: function(getattr(self, f.name)) for f in fields(self)})


def assembled(batch: ParticleBatch) -> ParticleBatch:
    """Return the batch with every part as a body of its own behind the particles.

    Returns
    -------
    ParticleBatch
        Without `parts`, and with a `membership`; the same batch where there are no parts.
        Differentiable in the particles' places and in all numbers of the parts.
    """
    parts = batch.parts
    if parts is None:
        return batch
    host = parts.host
    rotation = rotation_matrix(batch.quaternion)[host]
    offset = (rotation @ parts.position[:, :, None])[:, :, 0]
    none = torch.zeros_like(parts.delta_index)
    own = {
        "position": batch.position[host] + offset,
        "quaternion": quaternion_product(batch.quaternion[host], parts.quaternion),
        "optic_axis": batch.optic_axis[host],
        "population": batch.population[host],
        "group": batch.group[host],
        "size": torch.nn.functional.pad(parts.size, (0, batch.size.shape[1] - 3)),
        "core_radius": none,
        "core_index_step": none,
        "core_absorption_step": none,
    }
    joined: dict[str, Any] = {
        name: torch.cat((getattr(batch, name), own[name] if name in own else getattr(parts, name)))
        for name in batch.columns()
    }
    count = len(batch)
    replaced = parts.replaced.new_zeros(count)
    replaced[: len(parts.replaced)] = parts.replaced
    mine = torch.arange(count, device=batch.device)
    of_roles = none.new_tensor((1.0, 0.0, -1.0))  # OUTER, INNER, CUT
    membership = Membership(
        host=torch.cat((mine, host)),
        within=torch.cat((torch.full_like(mine, -1), torch.where(parts.role == OUTER, -1, host))),
        outer=torch.cat((~replaced, parts.role == OUTER)),
        drawn=torch.cat((~replaced, torch.ones_like(host, dtype=torch.bool))),
        thickness=torch.cat((torch.ones_like(batch.delta_index), of_roles[parts.role])),
    )
    return replace(
        batch,
        **joined,
        planes=torch.cat((batch.planes, parts.planes)),
        plane_start=torch.cat((batch.plane_start, len(batch.planes) + parts.plane_start[1:])),
        voxels=None if batch.voxels is None else batch.voxels.followed_by(len(host)),
        parts=None,
        membership=membership,
    )


def taken_planes(planes: Tensor, plane_start: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Half-spaces of some bodies, and where those of each begin; see `ParticleBatch`."""
    start, end = plane_start[numbers], plane_start[numbers + 1]
    counts = end - start
    stops = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    # Row of each plane: its place within the body, after the body's first.
    rows = torch.arange(int(stops[-1]), device=planes.device)
    rows = rows + torch.repeat_interleave(start - stops[:-1], counts)
    return planes[rows], stops
