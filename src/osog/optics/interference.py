"""Images of many more directions of light than exit waves were computed for.

Out of focus the image turns fast with the direction of the light, the exit wave in the middle of
the sample hardly does. So a few exit waves are interpolated, and the two parts of the image that
the scattered light makes are added up over as many directions as each of them needs: its
interference with the direct light over very many, since that averages out to little, and its own
irradiance over fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil, pi
from typing import TYPE_CHECKING

import torch

from osog.cancellation import raise_if_cancelled
from osog.exit_wave.illumination import SeenLight
from osog.exit_wave.sampling.steps import step_down
from osog.optics.band import Band
from osog.optics.directions import Directions
from osog.optics.lens import squared
from osog.optics.vectorial import scattered_weights
from osog.waves.angular_spectrum import axial_wavenumber, defocus_per_um, kappa
from osog.waves.bundles import bundles, together
from osog.waves.direction_polynomials import Term, evaluated, fitted, radials, terms
from osog.waves.phase_factors import phasor
from osog.waves.recomputation import recomputed
from osog.waves.sharing import shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from osog.exit_wave.wave import ExitWave
    from osog.optics.lens import Transfer
    from osog.optics.pupil import Pupil
    from osog.sample import Values

_TRAVELS = 0.97
"""Share of n/λ up to which an exit wave counts in the interpolation."""
_CELLS = (16, 48)
"""Cells (radius, angle) of frequencies that share one interpolation near evanescence."""
_SAMPLES_PER_CYCLE = 24
"""Of the table of the interference over the radius, which is read by cubic interpolation."""


@dataclass(frozen=True)
class SeenWaves:
    """Exit waves of the light that is seen directly, as polynomials in its direction.

    Attributes
    ----------
    wave : ExitWave
    light : SeenLight
    terms : tuple of Term
    moments : complex Tensor, shape (B, By, Bx)
        Coefficient of each polynomial in E_s(f) (k_z(f + f_s)/k) exp(iκ_s(f) (z_middle − z_wave)),
        on the frequencies of the band, ascending. The factors leave what depends least on f_s.
    band : Band
    middle_um : float
        z_middle.
    """

    wave: ExitWave
    light: SeenLight
    terms: tuple[Term, ...]
    moments: Tensor
    band: Band
    middle_um: float

    @classmethod
    def of(cls, wave: ExitWave, values: Values, pupil: Pupil) -> SeenWaves:
        """Fit polynomials to the exit waves of a plan with more directions than waves.

        Parameters
        ----------
        wave : ExitWave
        values : Values
        pupil : Pupil
        """
        plan = wave.plan
        light = SeenLight.of(values, plan, wave.wavelength_um)
        hole = float(light.hole.detach())
        rings = plan.source_rings
        which = terms(rings, hole)
        x, y = light.centre.detach().tolist()
        half_width = pupil.cutoff + float(light.radius.detach())
        available = (len(wave.fy), len(wave.fx))
        band = Band.around((-y, -x), half_width, available, plan.frequency_step)
        fx, fy = band.frequencies(wave.source)
        count = sum(rings)
        flat = []
        for some in bundles(0, count, band.shape[0] * band.shape[1], wave.source):
            factor = shared("carriers", partial(_carrier, wave, wave.source[some], fx, fy))
            flat.append((band.taken(wave.spectrum[some]) * factor).flatten(1))
        moments = _fit(which, rings, hole, torch.cat(flat), _valid(wave, rings, fx, fy, light))
        shape = (len(which), *band.shape)
        return cls(wave, light, which, moments.reshape(shape), band, plan.middle_um)

    def polynomials(self, points: Tensor) -> Tensor:
        """Every polynomial in directions (S, 2), in cycles/µm; shape (S, B).

        Without a gradient: points and exit waves move alike with the aperture, so that it arrives
        through the exit waves.
        """
        light = self.light
        units = (points.detach() - light.centre.detach()) / light.radius.detach()
        return evaluated(self.terms, units, light.hole.detach())

    def scattered(self, around: Directions, polynomials: Tensor) -> Tensor:
        """Scattered light of some directions at z_middle, on the frequencies of narrower bands.

        Parameters
        ----------
        around : Directions
            C of them.
        polynomials : Tensor, shape (C, B)
            Rows of `polynomials`.

        Returns
        -------
        complex Tensor, shape (C, By, Bx)
        """
        # Real polynomials: half the work of a complex product.
        parts = torch.view_as_real(self.moments).flatten(1)
        mixed = (polynomials.to(parts.dtype) @ parts).unflatten(1, (*self.band.shape, 2))
        window = around.taken(torch.view_as_complex(mixed.contiguous()), self.band.first)
        sx, sy = around.source[0], around.source[1]
        return window / shared(
            "cosines", lambda: _cosine(self.wave, around.fx + sx, around.fy + sy)
        )


def interference(
    seen: SeenWaves,
    values: Values,
    pupil: Pupil,
    transfers: Sequence[tuple[Tensor | float, Transfer]],
    plate: Transfer,
    vectorial: bool,
) -> tuple[Tensor, Band, Tensor, Tensor]:
    """Direct light, and its interference with the scattered light.

    With c_s = U_0 P(f_s), the irradiance of both is Σ_s w_s Σ_j a_j [|c_s T_j(0)|² + 2 Re F⁻¹[
    c_s* T_j(0)* Ê_s(f) P(f + f_s) exp(iκ_s(f) (z_focus − z_wave)) T_j(f)]].

    Parameters
    ----------
    seen : SeenWaves
    values : Values
    pupil : Pupil
    transfers, plate
        As for `osog.optics.abbe.abbe_sum`.
    vectorial : bool
        Whether to take the mean over incident polarisations.

    Returns
    -------
    spectrum : complex Tensor (By, Bx)
        What stands in F⁻¹[], ascending.
    band : Band
        Its frequencies.
    direct : 0-dim Tensor
        The first term, without scattered light.
    passed : 0-dim Tensor
        Σ_s w_s |P(f_s)|² of the pupil without vignetting.
    """
    wave = seen.wave
    focus = values.microscope.focus_plane_um.to(wave.source)
    distance = focus - seen.middle_um
    is_round = pupil.is_round and bool((seen.light.centre.detach() == 0).all())
    add_up = _over_radius if is_round else _over_plane
    spectrum, direct, passed = add_up(seen, pupil, distance, plate, vectorial)
    factor, unit = factors(transfers, seen.band, spectrum)
    spectrum, direct = spectrum * factor, direct * unit
    if wave.incident is not None:
        spectrum = spectrum * wave.incident.conj()
        direct = direct * squared(wave.incident)
    return spectrum, seen.band, direct, passed


def factors(
    transfers: Sequence[tuple[Tensor | float, Transfer]], band: Band, spectrum: Tensor
) -> tuple[Tensor | float, Tensor | float]:
    """Σ_j a_j T_j(0)* T_j(f) on a band, and Σ_j a_j |T_j(0)|², for a spectrum of that band."""
    fx, fy = band.frequencies(spectrum.real)
    zero = spectrum.real.new_zeros(1, 1)
    factor: Tensor | float = 0.0
    unit: Tensor | float = 0.0
    for amount, transfer in transfers:
        if transfer is None:
            factor, unit = factor + amount, unit + amount
            continue
        centre = transfer(zero, zero)[0, 0].to(spectrum)
        factor = factor + amount * centre.conj() * transfer(fx, fy)
        unit = unit + amount * squared(centre)
    return factor, unit


def _over_plane(
    seen: SeenWaves, pupil: Pupil, distance: Tensor, plate: Transfer, vectorial: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Σ_s w_s P*(f_s) Ê_s(f) P(f + f_s) exp(iκ_s z), direction by direction."""
    wave = seen.wave
    points, weights = seen.light.points(wave.plan.interference_rings)
    polynomials = seen.polynomials(points)

    def part(some: slice) -> tuple[Tensor, Tensor, Tensor]:
        around = Directions.around(wave, pupil, points[some])
        transfer, incident = around.through(wave, pupil, distance, plate)
        here = (transfer * around.unit(transfer)).sum((-2, -1))
        scattered = seen.scattered(around, polynomials[some])
        if vectorial:
            sx, sy = around.source[0], around.source[1]
            mean = _polarised_mean(wave, around.fx + sx, around.fy + sy, (sx, sy))
            scattered = scattered * mean
        light = scattered * transfer * (weights[some] * here.conj())[:, None, None]
        return (
            embedded(light, around.bands, seen.band),
            (weights[some] * squared(here)).sum(),
            (weights[some] * squared(incident[:, 0, 0])).sum(),
        )

    total: tuple[Tensor, ...] | None = None
    for some in bundles(0, len(points), seen.band.shape[0] * seen.band.shape[1], wave.source):
        raise_if_cancelled()
        parts = recomputed(True, part, some)
        total = parts if total is None else tuple(a + b for a, b in zip(total, parts, strict=True))
    assert total is not None
    return total[0], total[1], total[2]


def _over_radius(
    seen: SeenWaves, pupil: Pupil, distance: Tensor, plate: Transfer, vectorial: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The same where light and pupil are round: each polynomial has a transfer of the radius."""
    factors, direct, passed = shared(
        "transfers of polynomials", lambda: _transfers(seen, pupil, distance, plate, vectorial)
    )
    spectrum: Tensor | None = None
    for b, factor in factors:
        part = seen.moments[b] * factor
        spectrum = part if spectrum is None else spectrum + part
    assert spectrum is not None
    return spectrum, direct, passed


def _transfers(
    seen: SeenWaves, pupil: Pupil, distance: Tensor, plate: Transfer, vectorial: bool
) -> tuple[list[tuple[int, Tensor]], Tensor, Tensor]:
    """Number and transfer (By, Bx) of each polynomial, and both sums over the light alone.

    K_pm(|f|) = Σ_s w_s ρ^m P_p cos mφ_s P*(f_s) P(f + f_s) exp(iκ_s z) k/k_z(f + f_s) for f along x
    serves all directions of f, times cos mθ or sin mθ.
    """
    wave, light = seen.wave, seen.light
    rings = wave.plan.interference_rings
    fx, fy = seen.band.frequencies(wave.source)
    frequency = torch.sqrt(fx.double() ** 2 + fy.double() ** 2)
    end = pupil.cutoff + float(light.radius.detach())
    index = float(wave.medium_index.detach() / wave.wavelength_um.detach())
    steepest = min(pupil.cutoff / index, 0.995)
    cycles = abs(float(distance.detach())) * steepest / (1 - steepest**2) ** 0.5
    step = 1 / (_SAMPLES_PER_CYCLE * (cycles + 1 / (4 * max(wave.plan.frequency_step))))
    # In steps, so that a gradient is that of one fixed table.
    step = step_down(min(step, max(wave.plan.frequency_step)), 1.25)
    number = ceil(end / step) + 3
    radius = torch.arange(-1, number, dtype=wave.source.dtype, device=wave.source.device) * step
    nodes, weights, units = _ring_nodes(light, rings)
    units, hole = units.detach(), light.hole.detach()
    orders = sorted({term.m for term in seen.terms})
    pairs = sorted({(term.p, term.m) for term in seen.terms})
    zero = torch.zeros_like(nodes[0])
    of_pair = torch.tensor([orders.index(m) for _, m in pairs], device=radius.device)
    # Every polynomial on every ring: (K, pairs).
    shares = torch.stack(list(radials(pairs, units, hole).values()), 1)

    def some_rings(some: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        half = [rings[k] // 2 for k in some]
        steps = torch.cat([torch.arange(n, dtype=radius.dtype, device=radius.device) for n in half])
        each = torch.tensor([k for k, n in zip(some, half, strict=True) for _ in range(n)])
        each = each.to(radius.device)
        turn = torch.tensor([2 * pi / rings[k] for k in some], dtype=radius.dtype)
        counts = torch.tensor(half)
        angle = (steps + 0.5) * torch.repeat_interleave(turn, counts).to(radius.device)
        node = nodes[each]
        sx, sy = node * torch.cos(angle), node * torch.sin(angle)
        x, y = radius[:, None] + sx, sy.expand(len(radius), -1)
        none = torch.zeros_like(node)
        k_there = axial_wavenumber(x, y, wave.wavelength_um, wave.medium_index)
        k_here = axial_wavenumber(node, none, wave.wavelength_um, wave.medium_index)
        turned = kappa(radius[:, None], zero, (sx, sy), k_there, k_here)
        seen_there = pupil(x, y)
        own, none = nodes[some], torch.zeros_like(nodes[some])
        here, unvignetted = pupil(own, none), pupil.unvignetted(own, none)
        if plate is not None:
            factor = plate(own, none)
            seen_there = seen_there * plate(x, y)
            here, unvignetted = here * factor, unvignetted * factor
        shape = seen_there * phasor(turned * distance) / _cosine(wave, x, y)
        if vectorial:
            shape = shape * _polarised_mean(wave, x, y, (sx, sy))
        around = torch.stack([torch.cos(m * angle) for m in orders], 1).to(shape.dtype)
        amplitude = weights[some] * here.conj()
        factors = amplitude[:, None] * shares[some]
        columns: Tensor | None = None
        # Along one ring the mean over the angle, both sides of f alike.
        pieces = zip(torch.split(shape, half, 1), torch.split(around, half), strict=True)
        for (one, cosines), factor in zip(pieces, factors, strict=True):
            mean = one @ cosines / len(cosines)
            part = factor[:, None] * mean.T[of_pair]
            columns = part if columns is None else columns + part
        assert columns is not None
        passed = (weights[some] * squared(unvignetted)).sum()
        return columns, (weights[some] * squared(here)).sum(), passed

    total: tuple[Tensor, ...] | None = None
    # Light from outside the pupil is not seen directly and has nothing to interfere with.
    cutoff = pupil.cutoff
    inside = [k for k, node in enumerate(nodes.detach().tolist()) if node <= cutoff] or [0]
    spare = len(rings) * len(radius) * max(rings) > 2e6
    for some in _bundled_rings(inside, rings, together(len(radius), wave.source)):
        raise_if_cancelled()
        parts = recomputed(spare, some_rings, some)
        total = parts if total is None else tuple(a + b for a, b in zip(total, parts, strict=True))
    assert total is not None
    table, direct, passed = total
    place = frequency / step
    factors: list[tuple[int, Tensor]] = []
    at, cubic = _cubic(place, number)
    unit = torch.complex(fx.double().expand_as(frequency), fy.double().expand_as(frequency))
    unit = unit / frequency.clamp(min=1e-30)
    angular = [torch.ones_like(unit)]
    for _ in range(max(orders)):
        angular.append(angular[-1] * unit)
    for pair, column in zip(pairs, table, strict=True):
        read = sum(cubic[j] * column[at + j] for j in range(4))
        for b, term in enumerate(seen.terms):
            if (term.p, term.m) != pair:
                continue
            turned = angular[pair[1]]
            turn = (turned.imag if term.odd else turned.real).to(seen.moments.real.dtype)
            factors.append((b, read * turn))
    return factors, direct, passed


def _bundled_rings(inside: list[int], rings: tuple[int, ...], most: int) -> list[list[int]]:
    """Rings in bundles of at most so many directions on one half, or single ones."""
    out: list[list[int]] = []
    count = 0
    for k in inside:
        if not out or count + rings[k] // 2 > most:
            out.append([])
            count = 0
        out[-1].append(k)
        count += rings[k] // 2
    return out


def _cubic(place: Tensor, number: int) -> tuple[Tensor, list[Tensor]]:
    """First of four table entries around each place, and Lagrange's weights of the four.

    Entry 0 of the table lies at place −1.
    """
    low = place.floor().clamp(max=number - 4)
    t = (place - low).to(torch.float32) if place.dtype == torch.float32 else place - low
    inside = (t <= 3).to(t.dtype)
    weights = [
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    ]
    return low.long(), [weight * inside for weight in weights]


def _ring_nodes(light: SeenLight, rings: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Radius in cycles/µm, weight, and radius in units of the aperture of each ring."""
    points, weights = light.points(rings)
    first = torch.tensor([sum(rings[:k]) for k in range(len(rings))], device=points.device)
    numbers = torch.tensor(rings, dtype=weights.dtype, device=weights.device)
    radius = torch.sqrt((points[first] - light.centre).square().sum(1))
    return radius, weights[first] * numbers, radius / light.radius


def _cosine(wave: ExitWave, fx: Tensor, fy: Tensor) -> Tensor:
    """k_z/k of absolute frequencies."""
    up = axial_wavenumber(fx, fy, wave.wavelength_um, wave.medium_index)
    return up * (wave.wavelength_um / (2 * pi * wave.medium_index))


def _carrier(wave: ExitWave, sources: Tensor, fx: Tensor, fy: Tensor) -> Tensor:
    """(k_z(f + f_s)/k) exp(iκ_s(f) (z_middle − z_wave)) for directions (C, 2)."""
    source = sources.T[:, :, None, None]
    turned = defocus_per_um(fx, fy, source, wave.wavelength_um, wave.medium_index)
    carrier = phasor(turned * (wave.plan.middle_um - wave.reference_um))
    return carrier * _cosine(wave, fx + source[0], fy + source[1])


def _polarised_mean(
    wave: ExitWave, fx: Tensor, fy: Tensor, source: tuple[Tensor, Tensor]
) -> Tensor:
    """Share of the scalar field that interferes with unpolarised direct light behind a lens."""
    (xx, _), (_, yy) = scattered_weights(fx, fy, source, wave.wavelength_um, wave.medium_index)
    return 0.5 * (xx + yy)


def embedded(values: Tensor, bands: tuple[Band, ...], within: Band) -> Tensor:
    """Sum of values (C, By, Bx) of bands in a wider one, zero elsewhere."""
    total = None
    for value, band in zip(values, bands, strict=True):
        above, left = (band.first[axis] - within.first[axis] for axis in (0, 1))
        below = within.shape[0] - above - band.shape[0]
        right = within.shape[1] - left - band.shape[1]
        own = value[: band.shape[0], : band.shape[1]]
        part = torch.nn.functional.pad(own, (left, right, above, below))
        total = part if total is None else total + part
    assert total is not None
    return total


def _valid(
    wave: ExitWave, rings: tuple[int, ...], fx: Tensor, fy: Tensor, light: SeenLight
) -> tuple[Tensor, Tensor]:
    """Which exit waves count for which frequencies, by cells of frequencies.

    A wave that is evanescent for one direction of light may travel for another; the fit is to rest
    on those that travel.

    Returns
    -------
    valid : bool Tensor, shape (C, N)
    cell : int64 Tensor, shape (F,)
        Cell of each frequency; 0 is the one in which all waves count.
    """
    sources = wave.source[: sum(rings)].detach().double()
    limit = _TRAVELS * float(wave.medium_index.detach() / wave.wavelength_um.detach())
    x, y = fx.double() + light.centre[0].detach(), fy.double() + light.centre[1].detach()
    radius, angle = torch.sqrt(x * x + y * y).flatten(), torch.atan2(y, x).flatten()
    spread = float((sources - light.centre.detach()).square().sum(1).sqrt().max())
    safe = limit - spread
    everywhere = torch.ones(1, len(sources), dtype=torch.bool, device=radius.device)
    widest = float(radius.max())
    if safe >= widest:
        return everywhere, torch.zeros_like(radius, dtype=torch.long)
    rows, columns = _CELLS
    low = max(safe, 0.0)
    height = (widest - low) / rows
    row = ((radius - low) / height).floor().clamp(0, rows - 1).long()
    column = ((angle / (2 * pi) + 0.5) * columns).floor().clamp(0, columns - 1).long()
    cell = torch.where(radius <= safe, 0, 1 + row * columns + column)
    middle_r = low + (torch.arange(rows, device=radius.device) + 0.5) * height
    middle_a = ((torch.arange(columns, device=radius.device) + 0.5) / columns - 0.5) * 2 * pi
    cx = (middle_r[:, None] * torch.cos(middle_a)).flatten() - light.centre[0].detach()
    cy = (middle_r[:, None] * torch.sin(middle_a)).flatten() - light.centre[1].detach()
    there = torch.hypot(cx[:, None] + sources[:, 0], cy[:, None] + sources[:, 1])
    slack = torch.hypot(torch.full_like(middle_r, height / 2), middle_r * (pi / columns))
    valid = there + slack.repeat_interleave(columns)[:, None] <= limit
    return torch.cat((everywhere, valid)), cell


def _fit(
    which: tuple[Term, ...],
    rings: tuple[int, ...],
    hole: float,
    waves: Tensor,
    cells: tuple[Tensor, Tensor],
) -> Tensor:
    """Coefficients (B, F) of polynomials through waves (N, F), cell by cell of frequencies."""
    valid, cell = cells
    if len(valid) == 1:
        matrix = shared("fit", lambda: fitted(which, rings, hole, valid)[0])
        return matrix.to(waves.real.dtype).to(waves.dtype) @ waves
    used, inverse, counts = torch.unique(cell, return_inverse=True, return_counts=True)
    matrices = fitted(which, rings, hole, valid[used]).to(waves.real.dtype).to(waves.dtype)
    order = torch.argsort(inverse, stable=True)
    pieces = torch.split(waves[:, order], counts.tolist(), 1)
    mixed = [matrix @ piece for matrix, piece in zip(matrices, pieces, strict=True)]
    together = torch.cat(mixed, 1)
    back = torch.empty_like(order)
    back[order] = torch.arange(len(order), device=order.device)
    return together[:, back]


__all__ = ["SeenWaves", "embedded", "factors", "interference"]
