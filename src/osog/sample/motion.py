"""How particles move between the frames of a time series."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import elliprd, elliprf

from osog.derivatives import array
from osog.geometry import Bodies, by_shape
from osog.rotations import quaternion_product, rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.particles import ParticleBatch
    from osog.scene import Scene
    from osog.scene.population import Motion

BOLTZMANN_J_PER_K = 1.380649e-23
_STREAM = 1000
"""Random stream of the steps of a population, apart from those of its particles."""

Array = NDArray[np.float64]


def moving(batch: ParticleBatch, scene: Scene, seed: int) -> Iterator[ParticleBatch]:
    """Particles of every frame of a time series.

    Parameters
    ----------
    batch : ParticleBatch
        Of the first frame, as `sample` draws it.
    scene : Scene
        Its series gives the number of frames, their interval and the liquid; the motion of each
        population says how it moves.
    seed : int
        Step t of a population follows from the seed and t alone: a longer series begins like a
        shorter one.

    Yields
    ------
    ParticleBatch
        Differentiable in the numbers of `batch`: steps are added to positions and turn bodies.

    Notes
    -----
    Free Brownian motion in an unbounded liquid: steps along the body's axes with variance
    2 D_i Δt, turns about them with variance 2 D_ri Δt, and the flow added exactly. Bodies do not
    feel one another or the walls, and may leave the frame; a margin around it lets others come in.
    Turns within an interval are taken in one step, which wants D_r Δt well below 1; longer
    intervals only make orientations independent of one another.
    """
    yield batch
    if scene.series.frames == 1 or len(batch) == 0:
        for _ in range(scene.series.frames - 1):
            yield batch
        return
    interval = scene.series.interval_s
    numbers = array(batch.population)
    slide, turn, drift = (np.zeros((len(batch), 3)) for _ in range(3))
    for number in np.unique(numbers):
        mine = numbers == number
        motion = scene.populations[number].motion
        slide[mine], turn[mine] = diffusion(batch, mine, motion, scene)
        drift[mine] = np.asarray(motion.flow_um_per_s) * interval
    slide, turn = np.sqrt(2 * interval * slide), np.sqrt(2 * interval * turn)
    for step in range(1, scene.series.frames):
        normal = np.empty((len(batch), 6))
        for number in np.unique(numbers):
            mine = numbers == number
            stream = np.random.SeedSequence(seed, spawn_key=(int(number), _STREAM, step))
            generator = np.random.Generator(np.random.Philox(stream))
            normal[mine] = generator.standard_normal((int(mine.sum()), 6))
        if batch.voxels is not None:  # the labels of one volume move together
            normal = normal[array(batch.voxels.leaders)]
        batch = _stepped(batch, slide * normal[:, :3], turn * normal[:, 3:], drift)
        yield batch


def _stepped(batch: ParticleBatch, slide: Array, turn: Array, drift: Array) -> ParticleBatch:
    """Return the batch after one step (N, 3) along and turns (N, 3) about its body axes."""
    like = batch.position
    rotation = rotation_matrix(batch.quaternion)
    along = (rotation @ torch.as_tensor(slide).to(like)[:, :, None])[:, :, 0]
    position = like + along + torch.as_tensor(drift).to(like)
    if not turn.any():
        return replace(batch, position=position)
    angle = np.linalg.norm(turn, axis=1, keepdims=True)
    axis = turn / np.maximum(angle, 1e-300)
    spin = torch.as_tensor(
        np.concatenate([np.cos(angle / 2), np.sin(angle / 2) * axis], 1)
    ).to(like)  # fmt: skip
    # A turn about body axes acts before the rotation into the world.
    quaternion = quaternion_product(batch.quaternion, spin)
    # The optic axis is fixed in the body.
    body_axis = rotation.transpose(1, 2) @ batch.optic_axis[:, :, None]
    optic_axis = (rotation_matrix(quaternion) @ body_axis)[:, :, 0]
    return replace(batch, position=position, quaternion=quaternion, optic_axis=optic_axis)


def diffusion(
    batch: ParticleBatch, mine: NDArray[np.bool_], motion: Motion, scene: Scene
) -> tuple[Array, Array]:
    """Diffusion coefficients along and about the body axes of some particles.

    Parameters
    ----------
    batch : ParticleBatch
    mine : ndarray of bool, shape (N,)
        Which particles.
    motion : Motion
        A coefficient that it states holds along or about all axes; one that is left out follows
        from the body.
    scene : Scene
        Gives temperature and viscosity.

    Returns
    -------
    along, about : ndarray, shapes (M, 3)
        µm²/s and rad²/s.
    """
    count = int(mine.sum())
    along = np.full((count, 3), motion.diffusion_um2_per_s or 0.0)
    about = np.full((count, 3), motion.rotational_diffusion_per_s or 0.0)
    if motion.diffusion_um2_per_s is None or motion.rotational_diffusion_per_s is None:
        series = scene.series
        thermal = BOLTZMANN_J_PER_K * series.temperature_k
        viscosity = series.viscosity_mpa_s * 1e-3
        free, spin = stokes_einstein(hydrodynamic_axes_um(batch, mine), thermal, viscosity)
        along = free if motion.diffusion_um2_per_s is None else along
        about = spin if motion.rotational_diffusion_per_s is None else about
    return along, about


def stokes_einstein(
    semi_axes_um: Array, thermal_energy_j: float, viscosity_pa_s: float
) -> tuple[Array, Array]:
    """Free diffusion of ellipsoids along and about their axes.

    Parameters
    ----------
    semi_axes_um : ndarray, shape (N, 3)
    thermal_energy_j : float
        k_B T.
    viscosity_pa_s : float
        Of the liquid.

    Returns
    -------
    along, about : ndarray, shapes (N, 3)
        µm²/s and rad²/s; for a sphere k_B T/(6πηR) and k_B T/(8πηR³).

    Notes
    -----
    Perrin (1934): friction 16πη/(χ + a_i² α_i) along axis i and 16πη (a_j² + a_k²)/(3 (a_j² α_j +
    a_k² α_k)) about it, χ = ∫ dλ/Δ, α_i = ∫ dλ/((a_i² + λ) Δ), Δ = √Π(a_i² + λ), which are
    Carlson's symmetric integrals 2 R_F and ⅔ R_D.
    """
    metres = semi_axes_um * 1e-6
    a2, b2, c2 = (metres[:, k] ** 2 for k in range(3))
    chi = 2 * elliprf(a2, b2, c2)
    alpha = np.stack([elliprd(b2, c2, a2), elliprd(c2, a2, b2), elliprd(a2, b2, c2)], 1) * (2 / 3)
    square = np.stack([a2, b2, c2], 1)
    part = square * alpha
    along: Array = thermal_energy_j / (16 * pi * viscosity_pa_s) * (chi[:, None] + part)
    others = part.sum(1, keepdims=True) - part
    sums = square.sum(1, keepdims=True) - square
    about = 3 * thermal_energy_j / (16 * pi * viscosity_pa_s) * others / sums
    return along * 1e12, about


def hydrodynamic_axes_um(batch: ParticleBatch, mine: NDArray[np.bool_]) -> Array:
    """Semi-axes (M, 3) in µm of the ellipsoids that stand for the bodies in a flow.

    See `Shape.hydrodynamic_axes`.
    """
    whole = batch.detach().to(torch.device("cpu"), torch.float64)
    index = torch.from_numpy(np.flatnonzero(mine))
    axes = whole.size.new_zeros(len(index), 3)
    for shape, rows in by_shape(whole, index):
        axes[rows] = shape.hydrodynamic_axes(Bodies.of(whole, index[rows], shape))
    found: Array = array(axes)
    return found
