"""Path differences of media that the objective was not corrected for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from osog.cautions import Caution
from osog.geometry import half_extents
from osog.waves.evanescence import LEAST_COSINE, root_with_floor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan


@dataclass(frozen=True)
class CoverGlassPath:
    """Phase that medium, cover glass and immersion add across the pupil.

    With u = λ|f|, the sine of the ray times the index, and q_n = √(n² − u²),

        Φ(u) = k0 d (q_s − r q_i) + k0 (t_g − t_g*) (q_g − (n_i/n_g) q_i) − Φ(0).

    Light from the depth d crosses d of the medium (n_s), which the designer expected to be
    immersion (n_i), and t_g of glass (n_g) instead of t_g*. d is the distance of the plane in focus
    below the glass, ``depth_um`` − ``focus_um``; the defocus of the single particle is added by
    the propagation, so that the sum is exact for every particle.

    r = 1 keeps the paraxial defocus: ``focus_um`` is the travel of the stage, in the medium that
    the objective expects, and what is paraxially in focus lies at n_s/n_i times that depth.
    r = n_i/n_s removes it: ``focus_um`` is the height that is paraxially in focus. The stage's zero
    is found by focusing on the lower side of the glass, so the glass term has no paraxial part.

    Attributes
    ----------
    wavelength_um, medium_index, immersion_index, glass_index : 0-dim Tensor
        λ, n_s, n_i, n_g.
    depth_um : 0-dim Tensor
        d. May be negative: the plane in focus then lies above the glass's lower side.
    excess_um : 0-dim Tensor
        t_g − t_g*.
    by_stage : bool
        Whether r = 1.

    Notes
    -----
    Gibson & Lanni, J. Opt. Soc. Am. A 8, 1601 (1991); Török et al., J. Opt. Soc. Am. A 12, 325
    (1995); Li, Xue & Blu, J. Opt. Soc. Am. A 34, 1029 (2017). Scalar and without the Fresnel
    losses of the surfaces: at NA 1.2 from water into glass they change the amplitude by a few
    percent at the rim. Beyond u = n no wave travels in the medium; the pupil is cut there.
    """

    wavelength_um: Tensor
    medium_index: Tensor
    immersion_index: Tensor
    glass_index: Tensor
    depth_um: Tensor
    excess_um: Tensor
    by_stage: bool = True

    @classmethod
    def of(
        cls, values: Values, wavelength_um: Tensor, medium_index: Tensor
    ) -> CoverGlassPath | None:
        """Build it from a scene; None where the scene has no cover glass.

        Parameters
        ----------
        values : Values
        wavelength_um, medium_index : 0-dim Tensor
            Of the light that is imaged.
        """
        optics, glass = values.microscope, values.microscope.cover_glass
        if glass is None:
            return None
        depth = glass.depth_um - optics.focus_plane_um
        excess = glass.thickness_um - glass.design_thickness_um
        return cls(
            wavelength_um=wavelength_um,
            medium_index=medium_index,
            immersion_index=optics.immersion_index.to(wavelength_um),
            glass_index=glass.index.to(wavelength_um),
            depth_um=depth.to(wavelength_um),
            excess_um=excess.to(wavelength_um),
            by_stage=glass.focus_scale == "stage",
        )

    def __call__(self, square: Tensor) -> Tensor:
        """Φ in radians.

        Parameters
        ----------
        square : Tensor
            |f|² in cycles²/µm².
        """
        u2 = square * self.wavelength_um.square()
        medium, immersion, glass = self.medium_index, self.immersion_index, self.glass_index
        from_medium, from_immersion = _sagitta(medium, u2), _sagitta(immersion, u2)
        stage = from_immersion if self.by_stage else from_immersion * (immersion / medium)
        path = self.depth_um * (from_medium - stage)
        path = path + self.excess_um * (_sagitta(glass, u2) - (immersion / glass) * from_immersion)
        phase: Tensor = (-2 * math.pi / self.wavelength_um) * path
        return phase


def _sagitta(index: Tensor, u2: Tensor) -> Tensor:
    """Sag n − √(n² − u²) without the digits that the difference loses; finite beyond u = n."""
    # What lies at the floor is cut by the pupil.
    root = root_with_floor(index * index - u2, LEAST_COSINE**2 * float(index.detach()) ** 2)
    return u2 / (index + root)


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say where the plane in focus really lies, and when particles are inside the glass."""
    optics, glass = scene.microscope, scene.microscope.cover_glass
    if glass is None or len(batch) == 0:
        return
    with torch.no_grad():
        every = torch.arange(len(batch), device=batch.device)
        height = half_extents(batch, every)[:, 2]
        low = float((batch.position[:, 2] - height).min())
        high = float((batch.position[:, 2] + height).max())
    if high > glass.depth_um:
        yield Caution(
            f"Particles reach up to z = {high:.3g} µm, but the cover glass begins at "
            f"{glass.depth_um:.3g} µm.",
            {"microscope.cover_glass.depth_um": float(f"{high + 0.005:.2f}")},
            "Lower the sample",
        )
    if glass.focus_scale == "object":
        return
    ratio = scene.medium.index / optics.immersion_index
    field_depth = optics.wavelength_um * scene.medium.index / optics.numerical_aperture**2
    planes = optics.focus_planes_um
    sharp = [glass.depth_um - (glass.depth_um - z) * ratio for z in planes]
    met = max(planes) > low - field_depth and min(planes) < high + field_depth
    missed = max(sharp) < low - field_depth or min(sharp) > high + field_depth
    if met and missed:
        yield Caution(
            f"Focus counts the travel of the stage: below the cover glass z = {sharp[0]:.3g} "
            f"µm is sharp instead of {planes[0]:.3g} µm, and the particles are not.",
            {"microscope.cover_glass.focus_scale": "object"},
            "Let focus count heights in the sample",
        )
