"""How finely and how widely to sample: the grids and slabs of one render."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import asin, ceil, floor, hypot, inf, log, pi, tan
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.exit_wave.field_nodes import node_counts
from osog.exit_wave.illumination import Cone, ring_numbers
from osog.exit_wave.scattering import scattering_models
from osog.exit_wave.spheres import with_cores
from osog.geometry import half_extents
from osog.scene import PARTIALLY_COHERENT, OffAxisHologram, SceneError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.sample import ParticleBatch
    from osog.scene import Scene

_MEDIUM_SHARE = 0.98
"""Largest sine of the collection angle that is planned for; beyond it waves are evanescent."""

# Accuracy → (pitch in units of λ/NA, slab spacing in units of λn/NA², most source points, padding
# in units of |z| tan α: contrast errors at the border of 2–3, 0.5–0.8 and 0.3–0.5 %).
_QUALITY: dict[str, tuple[float, float, int, float]] = {
    "draft": (1 / 3, 0.7, 8, 0.5),
    "standard": (1 / 3.7, 0.5, 32, 0.75),
    "fine": (1 / 6, 0.25, 64, 1.0),
}
_LINES = {"draft": (6, 3, 12), "standard": (12, 4, 32), "fine": (12, 5, 64)}
"""Wavelengths for the shape of a broad spectrum, for that of one line, and at most."""
_SHARP_EDGE = 4
"""Frequency steps of the pupil edge that acts as a hard one."""
_SHARP_DOMAIN = 3.0
"""Width of the domain that this edge wants, in units of half the frame plus the defocused cone.

Measured for spheres of 0.5-1.5 µm at NA 0.8 and 1.2, 12-20 µm out of focus, against a hard edge in
free space: 2-3e-3 of the field at 2, 1e-3 at 2.4, 1e-4 at 3.
"""
_MIE_DOMAIN = 4.5e6
"""Samples of the padded fine grid that exact spheres may always have."""
_MIE_BUDGET = 3e7
"""Spheres × frequencies × source points up to which ``auto`` takes ``fine`` for exact spheres."""
_FINE_BUDGET = 1.2e7
"""Slab samples (all source points together) up to which ``auto`` takes ``fine``."""
_SHEET_SLABS = 256
"""Slabs of the sample up to which they are made thin enough for a light sheet."""
_DOMAIN = 40
"""Width of the padded domain in λ/NA, at least, where accuracy is wanted."""
_JOIN_PX = 4
"""Pixels of margin, at least, in which the straight fringes of a hologram close on themselves."""
_MAX_DOMAIN = (2.5e6, 6.0, 4e7)
"""Samples of the padded fine grid: always allowed, allowed per sample of the frame, never passed.

Light that a far defocused particle spreads beyond them wraps around, and a caution says so.
"""


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """Grids of one render, in piecewise constant dependence on the scene.

    All numbers come from logarithmic or integer steps, so that a small change of any parameter
    leaves them as they are: images and gradients then refer to one fixed discretisation.

    Attributes
    ----------
    frame_shape : (int, int)
        Camera pixels (Y, X).
    pixel_size_um : float
    pad_px : (int, int)
        Camera pixels of the domain before the frame (top, left).
    domain_px : (int, int)
        Camera pixels of the periodic domain.
    grid_shape : (int, int)
        Field grid of the slab engine over the same domain.
    oversampling : int
        Samples per camera pixel of the intensity grid; its pitch is at most λ/(4 NA).
    slab_um : float
        Spacing of the slab planes, which lie at whole multiples of it.
    first_slab, slabs : int
        Index of the lowest plane, and their number.
    band : float
        Frequencies (cycles/µm) up to which the exit wave is kept.
    aperture : float
        NA up to which `band` suffices.
    source_points : int
        Points asked for to stand for the condenser; 1 when coherent.
    source_rings : tuple of int
        Points on each ring of the condenser, inner first.
    outer_rings : tuple of int
        Points on rings outside the objective's aperture, where the condenser overfills it.
    accuracy : str
        ``draft``, ``standard`` or ``fine``.
    padding_wanted_um, padding_um : float
        Margin that the defocused cone asks for, and the one that is used.
    wavelengths : int
        Wavelengths that stand for the spectrum; 1 for a single one.
    field_nodes : (int, int)
        Places along (y, x) that get a pupil of their own where the optics change over the frame.
    field_rings : int
        Places along the radius instead, where nothing but the focus changes.
    scattering : tuple of str
        Model of each population of the scene: ``slabs``, ``projection`` or ``mie``.
    edge_steps : int
        Frequency steps over which the edge of the pupil extends to either side: 1 for a raised
        cosine, 4 for the edge that acts as a hard one within the frame.
    near_um : float
        Distance from the focus beyond which slabs may share point spreads, because what they add
        to the image fades; infinite where it does not.
    """

    frame_shape: tuple[int, int]
    pixel_size_um: float
    pad_px: tuple[int, int]
    domain_px: tuple[int, int]
    grid_shape: tuple[int, int]
    oversampling: int
    slab_um: float
    first_slab: int
    slabs: int
    band: float
    aperture: float
    source_points: int
    accuracy: str
    padding_wanted_um: float
    padding_um: float
    source_rings: tuple[int, ...] = (1,)
    outer_rings: tuple[int, ...] = ()
    wavelengths: int = 1
    field_nodes: tuple[int, int] = (3, 3)
    field_rings: int = 3
    scattering: tuple[str, ...] = ()
    edge_steps: int = 1
    near_um: float = inf

    @property
    def lights(self) -> int:
        """Points that stand for the source."""
        return sum(self.source_rings) + sum(self.outer_rings)

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the periodic domain in µm."""
        return self.domain_px[0] * self.pixel_size_um, self.domain_px[1] * self.pixel_size_um

    @property
    def pitch_um(self) -> tuple[float, float]:
        """Pitch (y, x) of the field grid in µm."""
        height, width = self.extent_um
        return height / self.grid_shape[0], width / self.grid_shape[1]

    @property
    def corner_um(self) -> tuple[float, float]:
        """World position (y, x) of the domain's first sample in µm."""
        return -self.pad_px[0] * self.pixel_size_um, -self.pad_px[1] * self.pixel_size_um

    @property
    def fine_shape(self) -> tuple[int, int]:
        """Intensity grid (Y, X) over the domain."""
        return self.domain_px[0] * self.oversampling, self.domain_px[1] * self.oversampling

    @property
    def frequency_step(self) -> tuple[float, float]:
        """Spacing (y, x) of the spatial frequencies in cycles/µm."""
        height, width = self.extent_um
        return 1 / height, 1 / width

    @property
    def slab_planes_um(self) -> list[float]:
        """Heights of the slab planes in µm, bottom first."""
        return [(self.first_slab + j) * self.slab_um for j in range(self.slabs)]

    @property
    def reference_um(self) -> float:
        """Height of the last slab plane, to which the exit wave refers."""
        return (self.first_slab + self.slabs - 1) * self.slab_um


def plan_sampling(
    scene: Scene,
    batch: ParticleBatch,
    *,
    accuracy: str | None = None,
) -> SamplingPlan:
    """Choose the grids for a scene and its particles.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
        Its positions and sizes say how far light spreads and where slabs are needed.
    accuracy : str, optional
        Overrides ``scene.numerics.accuracy``.

    Returns
    -------
    SamplingPlan

    Notes
    -----
    Pitch λ/(3.7 NA), slab spacing ½ λn/NA² and padding ¾ |z| tan α + 2 λ/NA are the measured rules
    of the physics page; ``fine`` takes λ/(6 NA), ¼ λn/NA² and the whole cone.
    """
    optics, index = scene.microscope, scene.medium.index
    aperture = optics.numerical_aperture
    # The shortest wavelength wants the finest grid, the longest the widest margin.
    wavelength, longest = optics.wavelengths_um
    cone = Cone.of(scene)
    acting = min(aperture, _MEDIUM_SHARE * index)
    # Light from outside the objective's aperture runs steeper than what the objective takes in.
    steepest = min(max(acting, cone.reach), _MEDIUM_SHARE * index)
    chosen = accuracy or scene.numerics.accuracy
    if chosen != "auto" and chosen not in _QUALITY:
        raise SceneError(f"accuracy = '{chosen}' is not one of auto, {', '.join(_QUALITY)}.")
    emitted = _emitted_um(scene)

    low, high, smallest = _depths(batch)
    colour = abs(optics.chromatic.axial_um_per_100nm) * 10 * (longest - wavelength)
    planes = optics.focus_planes_um
    defocus = max(high - min(planes), max(planes) - low) + colour if len(batch) else 0.0
    pixel, frame = scene.grid.pixel_size_um, scene.grid.shape
    oversampling = max(1, ceil(pixel * _intensity_band(scene, acting) * 2 - 1e-9))
    if optics.modality.kind == "off_axis_hologram":
        _refuse_dense_fringes(scene, oversampling, acting)
    spread = _up(max(defocus, 0.25), 1.25) * tan(asin(steepest / index))
    spread += max(_cover_glass_um(scene, acting, z) for z in (min(planes), max(planes)))

    def build(level: str, models: tuple[str, ...], resolve: bool = True) -> SamplingPlan:
        exact = _all_exact(models, batch)
        factor, spacing, most, share = _QUALITY[level]
        wanted = share * spread + 2 * longest / acting
        if level == "fine":
            # The soft pupil edge is two frequency steps wide: keep it thin against the pupil.
            wanted = max(wanted, (_DOMAIN * longest / acting - min(frame) * pixel) / 2)
        wanted = max(wanted, _halo_um(scene) if level != "draft" else 0.0)
        sharp = exact and cone.reach == 0
        if sharp and level == "fine":
            half = max(frame) * pixel / 2
            wanted = max(wanted, _SHARP_DOMAIN / 2 * (half + spread) - half)
        wanted += _motion_um(scene)
        wanted += _barrel_um(scene)
        if scene.numerics.padding_um is not None:
            wanted = scene.numerics.padding_um
        least = _MIE_DOMAIN if sharp and level == "fine" else _MAX_DOMAIN[0]
        padding = _affordable(wanted, frame, pixel, oversampling, least)
        if optics.modality.kind == "off_axis_hologram":
            padding = max(padding, _JOIN_PX * pixel)
        domain = tuple(_fast(n + 2 * ceil(padding / pixel)) for n in frame)
        pad = tuple((d - n) // 2 for d, n in zip(domain, frame, strict=True))
        # A tilted source shifts the pupil: the field then needs (1 + S) NA/λ on either side.
        widest = min(factor, 1 / (2.1 * (1 + cone.reach / acting)))
        pitch = widest * emitted / acting
        if level == "fine" and len(batch):
            # Bodies of one or two samples want a finer grid, as far as that is affordable.
            pitch = min(pitch, max(smallest / (3 if resolve else 1.6), pitch / 2))
        if optics.epi:
            # A round trip turns the phase of a slope twice as fast as a body does.
            pitch /= 2
        pitch = _down(pitch, 1.03)
        pitch = min(pitch, scene.numerics.pitch_um or pitch)
        slab = spacing * wavelength * index / steepest**2
        if optics.emits:
            # A product of two spots is √½ as deep as one, though its band is twice as wide.
            slab *= (0.5 if level != "fine" else 1.0) * (emitted / wavelength) ** 0.5
        if optics.modality.kind == "light_sheet":
            # Slabs resolve the sheet, unless the sample is too deep for that many.
            slab = min(slab, max(optics.modality.waist_um / 3, (high - low) / _SHEET_SLABS))
        if level != "draft" and len(batch):
            thinnest = slab / (3 if level == "fine" else 1.5)
            slab = min(slab, max((1 if level == "fine" and resolve else 2) * smallest, thinnest))
        slab = _down(slab, 1.03)
        slab = min(slab, scene.numerics.slab_um or slab)
        first, last = floor(low / slab) - 1, ceil(high / slab) + 1
        extent = [d * pixel for d in domain]
        band_aperture = _up(aperture * 1.02, 1.1)
        if sharp:
            # The edge overshoots by a few frequency steps.
            edge = _SHARP_EDGE * wavelength / min(extent)
            band_aperture = max(band_aperture, _up(aperture + edge, 1.01))
        band = (min(band_aperture, index) + cone.reach) / wavelength
        if exact:
            # Exact spheres need frequencies only; nothing is drawn on the grid.
            pitch = scene.numerics.pitch_um or _down(0.49 / band, 1.03)
        grid = tuple(_fast(e / pitch, slack=0.015) for e in extent)
        points = source_count(optics.source_points, cone, acting, defocus, index, wavelength, most)
        below = _below_coverslip_um(scene, low, high)
        if below and cone.outer and not optics.source_points:
            # The round trip to the coverslip dephases over the opening of the light, from ring
            # to ring: two rings, and two more per turn of 2k (1 − cos θ) z.
            rings = 2 + 2 * below * cone.outer**2 / (index * wavelength)
            points = max(points, min(most, round(3.5 * rings**2)))
        lines = line_count(scene, batch, defocus, level)
        nodes, rings = node_counts(scene, level, max(points, 1) * lines)
        seen_hole = cone.hole if cone.outer else 0.0
        unseen: tuple[int, ...] = ()
        if _overfills(scene, cone, acting):
            edge = acting / cone.outer
            seen_hole = cone.hole / edge
            unseen = ring_numbers(max(12, points // 2), edge)
        return SamplingPlan(
            frame_shape=frame,
            pixel_size_um=pixel,
            pad_px=(pad[0], pad[1]),
            domain_px=(domain[0], domain[1]),
            grid_shape=(grid[0], grid[1]),
            oversampling=oversampling,
            slab_um=slab,
            first_slab=first,
            slabs=last - first + 1,
            band=band,
            aperture=band_aperture,
            source_points=points,
            source_rings=ring_numbers(points, seen_hole),
            outer_rings=unseen,
            accuracy=level,
            padding_wanted_um=wanted,
            padding_um=padding,
            wavelengths=lines,
            scattering=models,
            edge_steps=_SHARP_EDGE if sharp else 1,
            field_nodes=nodes,
            field_rings=rings,
            near_um=_near_um(scene, emitted * index / steepest**2, level),
        )

    # The model depends on the scene alone: a draft shows what the image at rest will show.
    rest = build("standard", ())
    models = scattering_models(scene, batch, build("fine", ()), _frequencies(rest))
    if chosen != "auto":
        return build(chosen, models)
    for resolve in (True, False):
        fine = build("fine", models, resolve)
        if _all_exact(models, batch):
            if len(batch) * _frequencies(fine) <= _MIE_BUDGET:
                return fine
            continue
        cost = fine.grid_shape[0] * fine.grid_shape[1] * fine.slabs * fine.source_points
        if cost * fine.wavelengths <= _FINE_BUDGET:
            return fine
    return build("standard", models)


def _frequencies(plan: SamplingPlan) -> float:
    """Frequencies × source points × wavelengths, what one exact sphere costs."""
    height, width = plan.extent_um
    lights = plan.lights * plan.wavelengths
    return (2 * plan.band) ** 2 * height * width * lights


def _all_exact(models: tuple[str, ...], batch: ParticleBatch) -> bool:
    """Whether every particle is an exact sphere, so that nothing goes through slabs."""
    present = batch.population.unique().tolist()
    return bool(models) and bool(present) and all(models[i] == "mie" for i in present)


def _overfills(scene: Scene, cone: Cone, aperture: float) -> bool:
    """Whether a centred condenser lights the sample from inside and outside the objective's NA."""
    return (
        scene.microscope.modality.kind in PARTIALLY_COHERENT
        and cone.shift_x == cone.shift_y == 0
        and cone.hole * cone.outer < 0.98 * aperture < aperture < cone.outer
    )


def source_count(
    wished: int,
    cone: Cone,
    aperture: float,
    defocus_um: float,
    index: float,
    wavelength_um: float,
    most: int,
) -> int:
    """Number of source points, by the phase range of the defocused condenser.

    With Φ = 2 NA NA_c |z| / (n λ) a disc takes ``max(16, 6 Φ²)``, and an annulus with a hole of
    share h ``max(32, 6 Φ² (1 − h²), 4π Φ)``: its angles count, and the light across its width. At
    most `most`; a number that the user set is kept, and one plane wave is one point.

    Parameters
    ----------
    wished : int
        The user's number; 0 leaves the choice.
    cone : Cone
        The light.
    aperture : float
        NA of the objective.
    defocus_um, index, wavelength_um : float
    most : int
    """
    if cone.outer == 0:
        return 1
    if wished > 0:
        return wished
    turns = (
        2
        * min(cone.outer, aperture if cone.hole == 0 else cone.outer)
        * aperture
        * defocus_um
        / (index * wavelength_um)
    )
    count = max(6 * turns**2 * (1 - cone.hole**2), 16)
    if cone.hole > 0:
        count = max(count, 4 * pi * turns, 32)
    for step in (8, 16, 24, 32, 48, 64):
        if step >= min(count, most):
            return min(step, most)
    return most


def _intensity_band(scene: Scene, aperture: float) -> float:
    """Highest frequency of the irradiance in cycles/µm, which the fine grid must hold."""
    optics = scene.microscope
    limit = aperture / optics.wavelengths_um[0]
    if optics.modality.kind == "confocal":
        return 2 * aperture / _emitted_um(scene)
    if optics.modality.kind == "off_axis_hologram":
        return max(2 * limit, limit + optics.modality.carrier_per_um)
    return 2 * limit


def _emitted_um(scene: Scene) -> float:
    """Wavelength of a widefield microscope that resolves as much.

    A confocal one adds the frequencies of its excitation: 1/λ = 1/λ_em + 1/λ_ex.
    """
    optics = scene.microscope
    shortest = optics.wavelengths_um[0]
    if optics.modality.kind == "confocal":
        return 1 / (1 / shortest + 1 / optics.modality.excitation_wavelength_um)
    return shortest


def _near_um(scene: Scene, depth_um: float, accuracy: str) -> float:
    """Distance up to which a confocal image needs every slab, in µm.

    Measured for beads of 0.5 µm at NA 1.2 and 1 Airy unit, z ± 5 µm: at 2 and 3 depths of the
    product spot the image is within 3e-3 and 5e-4 of one with every slab. Wider pinholes see
    more of what is out of focus.
    """
    modality = scene.microscope.modality
    if modality.kind != "confocal":
        return inf
    depths = {"draft": 2.0, "standard": 3.0, "fine": 6.0}[accuracy]
    return _up(depths * depth_um * max(modality.pinhole_airy_units, 1.0), 1.25)


def _cover_glass_um(scene: Scene, aperture: float, focus_um: float) -> float:
    """Sideways error of the marginal ray by cover glass and depth, in steps of a factor 1.25."""
    glass = scene.microscope.cover_glass
    if glass is None:
        return 0.0
    medium, immersion = scene.medium.index, scene.microscope.immersion_index
    aperture = min(aperture, _MEDIUM_SHARE * min(medium, immersion, glass.index))
    slopes = [aperture / (n**2 - aperture**2) ** 0.5 for n in (medium, immersion, glass.index)]
    scale = 1.0 if glass.focus_scale == "stage" else immersion / medium
    away = (glass.depth_um - focus_um) * (slopes[0] - scale * slopes[1])
    excess = glass.thickness_um - glass.design_thickness_um
    away += excess * (slopes[2] - immersion / glass.index * slopes[1])
    return _up(abs(away), 1.25) if away else 0.0


def _motion_um(scene: Scene) -> float:
    """How far beyond the border light is that moves into the frame during the exposure."""
    camera = scene.camera
    if camera is None or camera.motion_blur_px == 0:
        return 0.0
    return 0.5 * _up(camera.motion_blur_px, 1.25) * scene.grid.pixel_size_um


def _below_coverslip_um(scene: Scene, low: float, high: float) -> float:
    """Largest distance of a particle from the coverslip that reflects; 0 without one."""
    modality = scene.microscope.modality
    if modality.kind != "reflection" and modality.kind != "iscat":
        return 0.0
    return max(abs(modality.interface_um - low), abs(modality.interface_um - high))


def _barrel_um(scene: Scene) -> float:
    """How far beyond the border a barrel distortion lets the corners look, to third order."""
    bend = max(-scene.microscope.field_aberrations.distortion_percent / 100, 0.0)
    reach = hypot(*scene.grid.extent_um) / 2 * (bend + 3 * bend**2 + 12 * bend**3)
    return _up(reach, 1.25) if reach > 0 else 0.0


def _refuse_dense_fringes(scene: Scene, oversampling: int, aperture: float) -> None:
    """Refuse fringes whose fine grid would not fit in memory, and say which ones would."""
    optics, pixel = scene.microscope, scene.grid.pixel_size_um
    samples = scene.grid.shape[0] * scene.grid.shape[1]
    affordable = max(1, floor((_MAX_DOMAIN[2] / samples) ** 0.5))
    if oversampling > affordable and isinstance(optics.modality, OffAxisHologram):
        most = affordable / (2 * pixel) - aperture / optics.wavelength_um
        limit = f"at most {most:.3g}" if most > 0 else "seen with finer pixels or fewer of them"
        raise SceneError(
            f"modality.carrier_per_um = {optics.modality.carrier_per_um:g} 1/µm needs "
            f"{oversampling} samples across each of {samples} pixels, more than fit in memory; in "
            f"this frame it must be {limit}."
        )


def _halo_um(scene: Scene) -> float:
    """How far halos of phase contrast reach: the first zero of the ring's blur, λ/(w NA)."""
    optics = scene.microscope
    if optics.modality.kind != "phase_contrast":
        return 0.0
    return optics.wavelengths_um[1] / (optics.modality.ring_width * optics.numerical_aperture)


def line_count(scene: Scene, batch: ParticleBatch, defocus_um: float, accuracy: str) -> int:
    """Wavelengths for a spectrum: enough for its shape, and two more per fringe that it blurs.

    A draft takes one per fringe: between crossed polars 3 % of the contrast of crystals of up to
    two fringes.

    The largest path difference Δ is that of the defocused cone, of the bodies (index and
    birefringence) and of a compensator; Δ (1/λ_short − 1/λ_long) fringes lie between both ends.
    A number that the user set is kept.
    """
    optics = scene.microscope
    if optics.spectrum.kind == "monochromatic":
        return 1
    if scene.numerics.wavelengths > 0:
        return scene.numerics.wavelengths
    index, aperture = scene.medium.index, optics.numerical_aperture
    path = 0.0
    if not optics.emits:
        sine = min(aperture / index, _MEDIUM_SHARE)
        path = defocus_um * index * (1 - (1 - sine**2) ** 0.5)
        if len(batch):
            with torch.no_grad():
                every = torch.arange(len(batch), device=batch.device)
                thickness = 2 * half_extents(batch, every)[:, 2]
                strength = batch.delta_index.abs() + batch.birefringence.abs()
                path += float((strength * thickness).max())
        path += abs(getattr(optics.modality, "compensator_nm", 0.0)) * 1e-3
        path += 2 * index * _below_coverslip_um(scene, *_depths(batch)[:2])
    shortest, longest = optics.wavelengths_um
    shape, most = _LINES[accuracy][optics.spectrum.kind == "led"], _LINES[accuracy][2]
    per_fringe = 1 if accuracy == "draft" else 2
    wanted = shape + per_fringe * path * (1 / shortest - 1 / longest)
    for step in (3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64):
        if step >= min(wanted, most):
            return step
    return most


def _depths(batch: ParticleBatch) -> tuple[float, float, float]:
    """Lowest and highest point of the particles, and the smallest half height, in µm."""
    if len(batch) == 0:
        return 0.0, 0.0, 1.0
    with torch.no_grad():
        batch = with_cores(batch)
        every = torch.arange(len(batch), device=batch.device)
        half = half_extents(batch, every)[:, 2]
        z = batch.position[:, 2]
        numbers = torch.stack([(z - half).min(), (z + half).max(), half.min()]).tolist()
    return numbers[0], numbers[1], numbers[2]


def _affordable(
    wanted: float, frame: tuple[int, int], pixel: float, oversampling: int, least: float
) -> float:
    _, share, most = _MAX_DOMAIN
    limit = min(max(least, share * frame[0] * frame[1] * oversampling**2), most)
    padding = wanted
    while True:
        sides = [(n + 2 * padding / pixel) * oversampling for n in frame]
        if sides[0] * sides[1] <= limit or padding < pixel:
            return padding
        padding *= 0.8


def _up(value: float, ratio: float) -> float:
    return float(ratio ** ceil(log(value) / log(ratio) - 1e-9))


def _down(value: float, ratio: float) -> float:
    return float(ratio ** floor(log(value) / log(ratio) + 1e-9))


@lru_cache(256)
def _fast(length: float, slack: float = 0.0) -> int:
    """Even 2^a 3^b 5^c of at least `length` (less a share `slack`) with the cheapest transform."""
    best, lowest_cost = 0, float("inf")
    for a in range(1, 15):
        for b in range(9):
            for c in range(6):
                size = 2**a * 3**b * 5**c
                if length * (1 - slack) <= size < 1.3 * length + 4:
                    # Relative costs of radix 2, 3 and 5 passes, as measured.
                    cost = size**2 * (a + 1.6 * b + 2.6 * c)
                    if cost < lowest_cost:
                        best, lowest_cost = size, cost
    return best


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the margin around the frame is narrower than the light reaches."""
    if plan.padding_um < 0.95 * plan.padding_wanted_um:
        yield Caution(
            f"Light of particles {plan.padding_wanted_um:.0f} µm beyond the border would reach "
            f"the frame, but only {plan.padding_um:.0f} µm of margin fit in memory; rings may "
            "wrap around at the border.",
        )


__all__ = ["SamplingPlan", "line_count", "plan_sampling", "source_count"]
