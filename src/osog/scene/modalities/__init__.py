"""The ways in which a microscope turns a sample into contrast."""

from typing import TYPE_CHECKING, TypeAlias, get_args

from pydantic import Field

from osog.scene.modalities.base import ModalityModel
from osog.scene.modalities.emission import Confocal, Fluorescence, LightSheet
from osog.scene.modalities.holography import Hologram, OffAxisHologram, QuantitativePhase
from osog.scene.modalities.reflected import InterferometricScattering, Reflection
from osog.scene.modalities.transmitted import (
    DIC,
    Brightfield,
    Darkfield,
    PhaseContrast,
    Polarized,
    Shadowgraph,
)
from osog.scene.model import Choice, Number

_UNION = (
    Brightfield
    | PhaseContrast
    | DIC
    | Darkfield
    | Polarized
    | Hologram
    | OffAxisHologram
    | QuantitativePhase
    | Shadowgraph
    | Fluorescence
    | Confocal
    | LightSheet
    | Reflection
    | InterferometricScattering
)

if TYPE_CHECKING:
    Modality: TypeAlias = (
        Brightfield[Number]
        | PhaseContrast[Number]
        | DIC[Number]
        | Darkfield[Number]
        | Polarized[Number]
        | Hologram[Number]
        | OffAxisHologram[Number]
        | QuantitativePhase[Number]
        | Shadowgraph[Number]
        | Fluorescence[Number]
        | Confocal[Number]
        | LightSheet[Number]
        | Reflection[Number]
        | InterferometricScattering[Number]
    )
else:
    Modality = Choice(_UNION, Field(discriminator="kind"))

MODALITIES: dict[str, type[ModalityModel]] = {
    model.model_fields["kind"].default: model for model in get_args(_UNION)
}
"""Every modality by its name in the scene file, in the order of a menu."""
MODALITY_TITLES: dict[str, str] = {kind: model.title for kind, model in MODALITIES.items()}
PARTIALLY_COHERENT = frozenset(kind for kind, model in MODALITIES.items() if model.condenser)
"""Modalities in which the condenser's aperture acts."""
EMISSION = frozenset(kind for kind, model in MODALITIES.items() if model.wave == "emission")
"""Modalities in which the particles emit."""
EPI = frozenset(kind for kind, model in MODALITIES.items() if model.wave == "reflected")
"""Modalities that see light sent back by the particles."""
VECTORIAL = frozenset(kind for kind, model in MODALITIES.items() if model.vectorial)
"""Modalities whose polarisation a vectorial pupil can follow."""

__all__ = [
    "DIC",
    "EMISSION",
    "EPI",
    "MODALITIES",
    "MODALITY_TITLES",
    "PARTIALLY_COHERENT",
    "VECTORIAL",
    "Brightfield",
    "Confocal",
    "Darkfield",
    "Fluorescence",
    "Hologram",
    "InterferometricScattering",
    "LightSheet",
    "Modality",
    "ModalityModel",
    "OffAxisHologram",
    "PhaseContrast",
    "Polarized",
    "QuantitativePhase",
    "Reflection",
    "Shadowgraph",
]
