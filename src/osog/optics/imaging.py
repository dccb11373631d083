"""From what leaves the sample to the light at the image plane, in every modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osog.exit_wave.first_order import is_first_order
from osog.exit_wave.wave import EmissionSlabs, ExitWave, JonesWave, ReflectedWave, Wave
from osog.optics import (
    confocal,
    contrast,
    darkfield,
    dic,
    off_axis_hologram,
    phase_contrast,
    polarized,
    reflection,
)
from osog.optics.brightfield import brightfield
from osog.optics.distortion import distorted, is_distorted
from osog.optics.field_dependence import pupil_changes, with_field
from osog.optics.fluorescence import fluorescence
from osog.optics.hologram import hologram
from osog.optics.iscat import iscat
from osog.optics.light_sheet import light_sheet
from osog.optics.phase import phase, phase_of
from osog.optics.shadowgraph import shadowgraph
from osog.optics.vectorial import is_vectorial
from osog.scene import (
    DIC,
    Brightfield,
    Confocal,
    Darkfield,
    Fluorescence,
    Hologram,
    InterferometricScattering,
    LightSheet,
    OffAxisHologram,
    PhaseContrast,
    Polarized,
    QuantitativePhase,
    Reflection,
    Shadowgraph,
)
from osog.scene import modalities as known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from osog.cautions import Caution
    from osog.optics.contrast import TransferCurve
    from osog.optics.optical_image import OpticalImage
    from osog.sample import ParticleBatch, Values
    from osog.scene import ModalityModel, Scene
    from osog.waves.sampling_plan import SamplingPlan

WAVES: dict[str, type[Wave]] = {
    "scalar": ExitWave,
    "jones": JonesWave,
    "emission": EmissionSlabs,
    "reflected": ReflectedWave,
}
"""What leaves the sample, by the trait ``wave`` of a modality."""
_CURVES: dict[str, Callable[[Values, int], TransferCurve]] = {
    "scalar": contrast.transmitted,
    "jones": contrast.transmitted,
    "emission": contrast.emitted,
    "reflected": contrast.collected,
}


@dataclass(frozen=True)
class Imaging:
    """What the optics know of one modality.

    Attributes
    ----------
    model : type of ModalityModel
        Its class in the scene.
    image : callable
        Wave of the kind that the trait ``wave`` names, and numbers of a scene → `OpticalImage`.
    curve : callable, optional
        Numbers of a scene and number of frequencies → `TransferCurve`; by default that of
        `osog.optics.contrast` for this kind of wave.
    plate : callable, optional
        What stands in the back focal plane beside the pupil, as `phase_plate` does.
    of_field : callable, optional
        Field and plan → `OpticalImage`, for a picture that cannot be averaged over the pupils of
        a frame as light can.
    cautions : callable, optional
        Scene, particles and plan → what a user should know.
    pointwise : bool
        Whether every point of an image in coherent light follows from the field at that point,
        which `coherent_field` gives: then it can be had at the pixels of the frame alone.
    """

    model: type[ModalityModel]
    image: Callable[[Any, Values], OpticalImage]
    curve: Callable[[Values, int], TransferCurve] | None = None
    plate: Callable[[Values, Tensor, float], Callable[[Tensor, Tensor], Tensor]] | None = None
    of_field: Callable[[Tensor, SamplingPlan], OpticalImage] | None = None
    cautions: Callable[[Scene, ParticleBatch, SamplingPlan], Iterable[Caution]] | None = None
    pointwise: bool = False

    @property
    def kind(self) -> str:
        """Name of the modality in the scene file."""
        return known.MODALITIES.name_of(self.model)

    @property
    def takes(self) -> type[Wave]:
        """Kind of wave that it images."""
        return WAVES[self.model.wave]

    @property
    def transfer(self) -> Callable[[Values, int], TransferCurve]:
        """How contrast depends on the frequency."""
        return self.curve or _CURVES[self.model.wave]


IMAGINGS: dict[str, Imaging] = {
    imaging.kind: imaging
    for imaging in (
        Imaging(Brightfield, brightfield, pointwise=True),
        Imaging(
            PhaseContrast,
            phase_contrast.phase_contrast,
            curve=phase_contrast.contrast_curve,
            plate=phase_contrast.phase_plate,
        ),
        Imaging(DIC, dic.dic, curve=dic.contrast_curve, pointwise=True),
        Imaging(Darkfield, darkfield.darkfield, cautions=darkfield.cautions),
        Imaging(Polarized, polarized.polarized, cautions=polarized.cautions, pointwise=True),
        Imaging(Hologram, hologram, pointwise=True),
        Imaging(
            OffAxisHologram,
            off_axis_hologram.off_axis_hologram,
            curve=contrast.collected,
            cautions=off_axis_hologram.cautions,
        ),
        Imaging(
            QuantitativePhase, phase, curve=contrast.collected, of_field=phase_of, pointwise=True
        ),
        Imaging(Shadowgraph, shadowgraph),
        Imaging(Fluorescence, fluorescence),
        Imaging(Confocal, confocal.confocal, curve=confocal.contrast_curve),
        Imaging(LightSheet, light_sheet),
        Imaging(Reflection, reflection.reflection, cautions=reflection.cautions, pointwise=True),
        Imaging(InterferometricScattering, iscat, cautions=reflection.cautions, pointwise=True),
    )
}
"""How every modality is imaged, by its name in the scene file."""


def register(imaging: Imaging) -> None:
    """Make a modality of your own known to scene files, renders, fits and the plugin.

    Parameters
    ----------
    imaging : Imaging
        Its class and the function that images it.

    Raises
    ------
    ValueError
        If the class does not state a trait, has no name of its own in the scene file, or has that
        of a modality that comes with the package.
    """
    known.register(imaging.model)
    IMAGINGS[imaging.kind] = imaging


def image(wave: Wave, values: Values) -> OpticalImage:
    """Image a sample in the modality of the scene.

    Parameters
    ----------
    wave : ExitWave, EmissionSlabs, JonesWave or ReflectedWave
        What leaves the sample, of the kind that the modality takes.
    values : Values
        Numbers of the scene; those under ``microscope`` are used, and wavelength and index are
        taken from ``wave``.

    Returns
    -------
    OpticalImage
        On the fine grid of ``wave.plan``, or at its frame's pixels where it asks for no more;
        differentiable.

    Raises
    ------
    ValueError
        If the modality needs another kind of ``wave``.
    """
    imaging = IMAGINGS[values.scene.microscope.modality.kind]
    if not isinstance(wave, imaging.takes):
        raise ValueError(
            f"modality {imaging.kind} images {imaging.takes.__name__}, not {type(wave).__name__}."
        )
    optical = with_field(lambda local: imaging.image(wave, local), values, wave.plan)
    if imaging.of_field and optical.field is not None and pupil_changes(values):
        # Fields of two places can be averaged, what follows from them cannot.
        optical = imaging.of_field(optical.field, wave.plan)
    return distorted(optical, values, wave.plan)


def frame_suffices(values: Values, plan: SamplingPlan) -> bool:
    """Whether an image without a camera can be made at the pixels of the frame alone.

    True in coherent light of one wavelength where every point of an image follows from the field
    there (`Imaging.pointwise`) and no optics move light between the points; a phase must then be
    sampled no finer than by the pixels, between which its branches are followed.

    Parameters
    ----------
    values : Values
    plan : SamplingPlan
    """
    microscope = values.scene.microscope
    return (
        IMAGINGS[microscope.modality.kind].pointwise
        and plan.lights == 1
        and microscope.spectrum.monochromatic
        and not is_first_order(values.scene)
        and not is_vectorial(values)
        and not pupil_changes(values)
        and not is_distorted(values)
        and not (microscope.modality.measures_phase and plan.oversampling > 1)
    )


def modality_cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterable[Caution]:
    """What the modality of a scene has to say about a render."""
    check = IMAGINGS[scene.microscope.modality.kind].cautions
    return check(scene, batch, plan) if check else ()
