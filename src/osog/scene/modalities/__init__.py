"""The ways in which a microscope turns a sample into contrast."""

from typing import TYPE_CHECKING, TypeAlias, get_args

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

BuiltIn: TypeAlias = (
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
"""The modalities that come with the package, in the order of a menu: a new one is a line here."""
MODALITIES: Kinds[ModalityModel] = Kinds(*get_args(BuiltIn))
"""Every modality by its name in the scene file, those that were registered too."""
_BUILT_IN = frozenset(MODALITIES)

if TYPE_CHECKING:
    Modality: TypeAlias = BuiltIn[Number]
else:
    Modality = Choice(ModalityModel, MODALITIES)
MODALITY_TITLES: dict[str, str] = {kind: model.title for kind, model in MODALITIES.items()}
"""Names that a user reads."""


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
    "MODALITIES",
    "MODALITY_TITLES",
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
