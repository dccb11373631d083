"""The ways in which a microscope turns a sample into contrast."""

from typing import TYPE_CHECKING, TypeAlias

from osog.scene.kinds import Kinds
from osog.scene.modalities.base import ModalityModel, check_traits
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

MODALITIES: Kinds[ModalityModel] = Kinds(
    Brightfield,
    PhaseContrast,
    DIC,
    Darkfield,
    Polarized,
    Hologram,
    OffAxisHologram,
    QuantitativePhase,
    Shadowgraph,
    Fluorescence,
    Confocal,
    LightSheet,
    Reflection,
    InterferometricScattering,
)
"""Every modality by its name in the scene file, in the order of a menu."""
_BUILT_IN = frozenset(MODALITIES)


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
    Modality = Choice(ModalityModel, MODALITIES)

MODALITY_TITLES: dict[str, str] = {kind: model.title for kind, model in MODALITIES.items()}
"""Names that a user reads."""
PARTIALLY_COHERENT = frozenset(kind for kind, model in MODALITIES.items() if model.condenser)
"""Modalities in which the condenser's aperture acts."""
EMISSION = frozenset(kind for kind, model in MODALITIES.items() if model.wave == "emission")
"""Modalities in which the particles emit."""
EPI = frozenset(kind for kind, model in MODALITIES.items() if model.wave == "reflected")
"""Modalities that see light sent back by the particles."""
VECTORIAL = frozenset(kind for kind, model in MODALITIES.items() if model.vectorial)
"""Modalities whose polarisation a vectorial pupil can follow."""


def register(model: type[ModalityModel]) -> None:
    """Let scene files name a modality that does not come with the package.

    Parameters
    ----------
    model : type of ModalityModel
        Its class. Registering a class of the same name again replaces the first one.

    Raises
    ------
    ValueError
        If the class does not state a trait, has no name of its own in the scene file, or has that
        of a modality that comes with the package.
    """
    check_traits(model)
    if (kind := MODALITIES.name_of(model)) in _BUILT_IN:
        raise ValueError(f"a modality of the kind '{kind}' comes with the package.")
    MODALITIES.register(model)
    MODALITY_TITLES[kind] = model.title


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
    "register",
]
