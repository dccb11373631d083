"""Darkfield."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osog.cautions import Caution
from osog.optics.abbe import abbe_sum
from osog.optics.optical_image import OpticalImage
from osog.scene import Darkfield

if TYPE_CHECKING:
    from collections.abc import Iterator

    from osog.exit_wave.wave import ExitWave
    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan


def darkfield(wave: ExitWave, values: Values) -> OpticalImage:
    """Light from an annulus outside the objective's aperture: what arrives has been scattered.

    I = Σ_s w_s |F⁻¹[Ê_s P(f + f_s) exp(iκ_s (z_focus − z_wave))]|²; the background is 0. Where the
    inner edge of the annulus lies within the aperture of the objective, direct light of that part
    adds to it, as in a microscope with the wrong condenser.

    Parameters
    ----------
    wave : ExitWave
        Of the source points of the annulus.
    values : Values

    Returns
    -------
    OpticalImage
        Irradiance relative to the incident light.

    Notes
    -----
    Abbe's sum: Hopkins (1953); Born & Wolf §10.6 for the geometry.
    """
    return OpticalImage(abbe_sum(wave, values, [(1.0, None)], dark=True))


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when direct light spoils the dark background."""
    modality, aperture = scene.microscope.modality, scene.microscope.numerical_aperture
    assert isinstance(modality, Darkfield)
    inner = modality.inner_numerical_aperture
    if inner < aperture:
        yield Caution(
            f"The annulus of light begins at NA {inner:g}, inside the objective's NA "
            f"{aperture:g}: direct light enters and the background is not dark.",
            {"microscope.numerical_aperture": round(0.95 * inner, 3)} if inner > 0.03 else {},
            "Close the objective's aperture" if inner > 0.03 else "",
        )
