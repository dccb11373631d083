"""Path differences of media that the objective was not corrected for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osog.waves.evanescence import LEAST_COSINE, root_with_floor

if TYPE_CHECKING:
    from torch import Tensor

    from osog.sample import Values

_BASE = "microscope.cover_glass"


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
        glass = values.scene.microscope.cover_glass
        if glass is None:
            return None

        def number(name: str) -> Tensor:
            return values.number(name).to(wavelength_um)

        thickness, design = number(f"{_BASE}.thickness_um"), number(f"{_BASE}.design_thickness_um")
        return cls(
            wavelength_um=wavelength_um,
            medium_index=medium_index,
            immersion_index=number("microscope.immersion_index"),
            glass_index=number(f"{_BASE}.index"),
            depth_um=number(f"{_BASE}.depth_um") - number("microscope.focus_um"),
            excess_um=thickness - design,
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
