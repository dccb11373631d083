"""Which approximation a render uses, what it is worth, and what to change when it does not hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import hypot, sqrt
from typing import TYPE_CHECKING, Any

import torch

from osog.geometry import half_extents
from osog.scene import MODALITY_TITLES

if TYPE_CHECKING:
    from torch import Tensor

    from osog.exit_wave import SamplingPlan
    from osog.sample import ParticleBatch
    from osog.scene import Camera, Scene

_REFERENCE_WAVELENGTH_UM = 0.55 / 1.33
_CLIPPED_SHARE = 0.01
"""Share of saturated pixels that goes without saying."""
_STRONG_INDEX = 0.15
"""Index difference above which slabs have not been checked against Lorenz–Mie."""


@dataclass(frozen=True)
class Caution:
    """A sentence for the user, and the change of the scene that would answer it.

    Attributes
    ----------
    text : str
        What is wrong, with the numbers.
    remedy : dict
        Dotted names and new values; empty when there is no simple one.
    remedy_text : str
        Words for a button.
    """

    text: str
    remedy: dict[str, Any] = field(default_factory=dict)
    remedy_text: str = ""


def slab_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the slab engine's scattered field against Lorenz–Mie, before discretisation.

    Parameters
    ----------
    delta_index : float
        |n − n_m|.
    radius_um : float
        Smallest half extent of the body.
    aperture : float
        Objective NA.
    wavelength_in_medium_um : float
        λ/n_m; the radius is scaled by it.

    Returns
    -------
    float
        Percent of the scattered field inside the pupil (relative L2).

    Notes
    -----
    100 √[(0.0041 NA^1.05 R^−0.90)² + (1.50 Δn^1.80 R^0.57 NA^1.28)²] with R at λ 0.55 µm in water:
    a fit to computed errors for radii above 0.5 µm, good to a factor of 1.3 (worst 2.4).
    """
    radius = max(radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um, 0.25)
    thin = 0.0041 * aperture**1.05 * radius**-0.90
    strong = 1.50 * delta_index**1.80 * radius**0.57 * aperture**1.28
    return 100 * sqrt(thin**2 + strong**2)


def grid_error_percent(
    delta_index: float,
    radius_um: float,
    pitch_um: float,
    slab_um: float,
    aperture: float,
    wavelength_in_medium_um: float,
    medium_index: float,
) -> float:
    """Error that the grids add to the scattered field.

    Parameters
    ----------
    delta_index, radius_um, aperture, wavelength_in_medium_um
        As for `slab_error_percent`.
    pitch_um, slab_um : float
        Pitch of the field grid and spacing of the slabs.
    medium_index : float

    Returns
    -------
    float
        Percent of the scattered field inside the pupil.

    Notes
    -----
    √[(57 Δn^0.9 R^−0.27 (p n/λ)^1.3)² + (11.8 c⁴ R^−0.65)²] with c = dz NA²/(λ n): a fit to 576
    spheres against Lorenz–Mie over NA 0.1–1.1, R 0.4–5 µm and Δn 0.01–0.1. Together with
    `slab_error_percent` it is good to a factor of 1.4 rms for fine and standard grids (worst 2.3
    and 4.2), and of 1.6 for drafts.
    """
    radius = radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um
    lateral = 57 * delta_index**0.9 * radius**-0.27 * (pitch_um / wavelength_in_medium_um) ** 1.3
    spacing = slab_um * aperture**2 / (wavelength_in_medium_um * medium_index**2)
    axial = 11.8 * spacing**4 * radius**-0.65
    return sqrt(lateral**2 + axial**2)


def projection_error_percent(
    delta_index: float, radius_um: float, aperture: float, wavelength_in_medium_um: float
) -> float:
    """Error of the projection model's scattered field against Lorenz–Mie.

    Parameters and result as for `slab_error_percent`.

    Notes
    -----
    100 √[(0.050 NA^1.75 R^−0.31)² + (1.59 Δn R^0.47 NA^0.64)²]: a fit over NA 0.3–1.2, R 0.1–5 µm
    and Δn 0.01–0.25, good to a factor of 1.3 (worst 1.8).
    """
    radius = radius_um * _REFERENCE_WAVELENGTH_UM / wavelength_in_medium_um
    thin = 0.050 * aperture**1.75 * radius**-0.31
    strong = 1.59 * delta_index * radius**0.47 * aperture**0.64
    return 100 * sqrt(thin**2 + strong**2)


def field_error_percent(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> float:
    """Estimated field error of a render in percent: the worst population, with its grids.

    Returns
    -------
    float
        0 without particles, and for fluorescence, where no light is scattered.
    """
    if len(batch) == 0 or scene.microscope.modality.kind == "fluorescence":
        return 0.0
    optics = scene.microscope
    in_medium = optics.wavelength_um / scene.medium.index
    worst = 0.0
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        smallest = half_extents(batch, every).min(1).values
        contrast = batch.delta_index.abs()
        for number in batch.population.unique().tolist():
            mine = batch.population == number
            dn, radius = float(contrast[mine].max()), float(smallest[mine].median())
            thin = scene.populations[number].scattering == "projection"
            formula = projection_error_percent if thin else slab_error_percent
            model = formula(dn, radius, optics.numerical_aperture, in_medium)
            grid = grid_error_percent(
                dn,
                radius,
                max(plan.pitch_um),
                plan.slab_um,
                optics.numerical_aperture,
                in_medium,
                scene.medium.index,
            )
            worst = max(worst, hypot(model, grid))
    return worst


def explain_line(
    scene: Scene, batch: ParticleBatch, plan: SamplingPlan, device: str, milliseconds: float
) -> str:
    """One line under the image: what was computed, how well, on what, and how fast."""
    title = MODALITY_TITLES[scene.microscope.modality.kind]
    parts = [title]
    if scene.microscope.modality.kind != "fluorescence":
        points = sum(plan.source_rings)
        light = "coherent" if points == 1 else f"{points} source points"
        error = field_error_percent(scene, batch, plan)
        parts.append(light)
        if len(batch):
            shown = f"{error:.1f}" if error < 10 else f"{error:.0f}"
            parts.append(f"slabs ×{plan.slabs}, field error ~{shown} %")
    else:
        parts.append(f"slabs ×{plan.slabs}")
    noun = "particle" if len(batch) == 1 else "particles"
    parts += [f"{len(batch)} {noun}", f"{device} {milliseconds:.0f} ms"]
    if plan.accuracy == "draft":
        parts.append("preview")
    return " | ".join(parts)


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> list[Caution]:
    """Everything about this render that a user should know, in words.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
    plan : SamplingPlan

    Returns
    -------
    list of Caution
        Empty when all is well.
    """
    found: list[Caution] = []
    optics, pixel = scene.microscope, scene.grid.pixel_size_um
    nyquist = optics.wavelength_um / (4 * optics.numerical_aperture)
    if scene.camera is not None and pixel > nyquist * 1.0001:
        nanometres = optics.wavelength_um * 1000
        found.append(
            Caution(
                f"Pixels of {pixel:.3g} µm undersample NA {optics.numerical_aperture:g} at "
                f"{nanometres:.0f} nm (Nyquist {nyquist:.3g} µm); fine detail aliases as it does "
                "in such a camera.",
                {"grid.pixel_size_um": round(nyquist * 0.999, 4)},
                "Use pixels at Nyquist",
            )
        )
    if optics.numerical_aperture > 0.98 * scene.medium.index:
        found.append(
            Caution(
                f"NA {optics.numerical_aperture:g} exceeds the medium's index "
                f"{scene.medium.index:g}: only the waves up to NA {scene.medium.index:g} travel "
                "in the sample.",
                {"microscope.numerical_aperture": round(0.95 * scene.medium.index, 2)},
                "Lower the NA",
            )
        )
    if plan.padding_um < 0.95 * plan.padding_wanted_um:
        found.append(
            Caution(
                f"Light of particles {plan.padding_wanted_um:.0f} µm beyond the border would reach "
                f"the frame, but only {plan.padding_um:.0f} µm of margin fit in memory; rings may "
                "wrap around at the border.",
            )
        )
    if len(batch) == 0:
        found.append(Caution("The scene draws no particles; the image is the empty background."))
        return found
    if optics.modality.kind != "fluorescence":
        found += _strong(scene, batch)
    return found


def saturation(picture: Tensor, light: Tensor, camera: Camera) -> list[Caution]:
    """Say that a picture is overexposed, and the exposure at which it would not be.

    Parameters
    ----------
    picture : Tensor
        Counts that the camera reported.
    light : Tensor
        Irradiance per pixel that it received.
    camera : Camera

    Returns
    -------
    list of Caution
        Empty as long as no more than 1 % of the pixels are full.
    """
    white, gain = camera.white_counts, camera.gain_electrons_per_count / camera.em_gain
    well = camera.offset_counts + camera.full_well_electrons / gain
    # Read noise leaves a full well a little below its level, now and then.
    noise = 3 * camera.read_noise_electrons / camera.gain_electrons_per_count
    full = min(float(white), well - noise - 0.5)
    share = float((picture >= full).to(torch.float32).mean())
    if share <= _CLIPPED_SHARE:
        return []
    what = f"white level of {white}" if white <= well else "full well"
    most = min(camera.full_well_electrons, (white - camera.offset_counts) * gain)
    brightest = float(light.max())
    shown = f"{100 * share:.0f}" if share > 0.03 else f"{100 * share:.1f}"
    text = f"{shown} % of the pixels are saturated (at the {what})."
    room = 0.8 * most - camera.dark_electrons
    if brightest <= 0 or room <= 0 or brightest * camera.electrons_at_one <= room:
        return [Caution(text)]
    name = "background_electrons" if camera.background_photons is None else "background_photons"
    factor = room / brightest / camera.electrons_at_one
    wanted = float(f"{getattr(camera, name) * factor:.2g}")
    return [Caution(text, {f"camera.{name}": wanted}, "Shorten the exposure")]


def _strong(scene: Scene, batch: ParticleBatch) -> list[Caution]:
    found = []
    for number in batch.population.unique().tolist():
        dn = float(batch.delta_index[batch.population == number].abs().max())
        if dn > _STRONG_INDEX:
            name = scene.populations[number].name
            found.append(
                Caution(
                    f"The index of '{name}' differs from the medium by {dn:.2f}; slabs are "
                    f"checked up to 0.15 and lose several percent beyond, more for large bodies."
                )
            )
    return found
