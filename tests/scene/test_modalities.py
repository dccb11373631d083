"""Every modality states what it is, and what it states agrees with what it does."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from osog.optics import IMAGINGS
from osog.scene import MODALITIES, MODALITY_TITLES, Microscope, ModalityModel, Scene
from osog.scene.parameters import continuous

TRAITS = ("title", "wave", "backdrop", "condenser", "vectorial", "weak_object", "light")


@pytest.mark.parametrize("kind", MODALITIES)
def test_a_modality_states_every_trait_itself(kind: str) -> None:
    model = MODALITIES[kind]
    assert not [trait for trait in TRAITS if trait not in vars(model)]
    allowed = get_type_hints(ModalityModel)
    for trait in ("wave", "backdrop", "light"):
        assert getattr(model, trait) in get_args(get_args(allowed[trait])[0]), trait


@pytest.mark.parametrize("kind", MODALITIES)
def test_traits_agree_with_each_other(kind: str) -> None:
    modality = MODALITIES[kind](kind=kind)
    assert modality.condenser == (modality.light == "condenser")
    assert not (modality.emits and modality.epi)
    if modality.emits:
        assert modality.backdrop == "dark" and modality.light == "axial"
    if modality.weak_object:
        assert modality.wave == "scalar" and modality.backdrop == "bright"
    for name in (*modality.path_differences, *modality.above_focus):
        assert name in type(modality).model_fields
    for name in (modality.steepest,):
        assert name in {**type(modality).model_fields, **Microscope.model_fields}


@pytest.mark.parametrize("kind", MODALITIES)
def test_the_steepest_light_is_that_of_the_named_number(kind: str) -> None:
    modality = MODALITIES[kind](kind=kind)
    own = modality.steepest_numerical_aperture(0.8)
    assert (own > 0) == (modality.light in ("ring", "annulus", "backlight"))
    assert (modality.steepest != "condenser_numerical_aperture") == (own > 0)


def test_titles_are_different_and_every_modality_is_imaged() -> None:
    assert list(MODALITY_TITLES) == list(MODALITIES) == list(IMAGINGS)
    assert len(set(MODALITY_TITLES.values())) == len(MODALITIES)


@pytest.mark.parametrize("kind", MODALITIES)
def test_only_a_phase_has_no_background(kind: str) -> None:
    scene = Scene.parse({"microscope": {"modality": {"kind": kind}}})
    names = {parameter.name for parameter in continuous(scene)}
    assert ("background.haze" in names) == (not scene.microscope.modality.measures_phase)


def test_an_error_says_what_the_kinds_are() -> None:
    class Nameless(ModalityModel):
        pass

    with pytest.raises(ValueError, match="Nameless needs a field such as"):
        MODALITIES.name_of(Nameless)
