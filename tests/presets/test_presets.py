"""Presets: valid, titled, and each renders an image with contrast."""

from __future__ import annotations

import pytest

from helpers.smaller import smaller
from osog import presets
from osog.rendering import Renderer
from osog.scene import SceneError


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_renders_a_picture_that_shows_something(name):
    image = Renderer("cpu").render(smaller(presets.load(name), 96), seed=0, accuracy="draft").image
    assert image.isfinite().all()
    assert image.std() > 0.01 * image.abs().mean()


def test_titles_are_words_for_people():
    for name in presets.names():
        title = presets.title(name)
        assert title[0].isupper() and "," in title and len(title) <= 44


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_where_it_comes_from(name):
    found = presets.provenance(name)
    assert list(found) == ["instrument", "sample", "source"]
    assert all(words[-1] == "." and len(words) > 30 for words in found.values())


def test_a_preset_of_crystals_in_dic_has_an_open_condenser():
    for name in ("protein-needles-dic", "needles-dic", "lysozyme-dic", "lysozyme-dic-condenser"):
        optics = presets.load(name).microscope
        assert 0.5 < optics.condenser_numerical_aperture / optics.numerical_aperture < 1


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(SceneError, match=r"'x' is not a preset; presets are .*lysozyme-dic"):
        presets.load("x")
    with pytest.raises(SceneError, match="'x' is not a preset"):
        presets.title("x")
    with pytest.raises(SceneError, match="'x' is not a preset"):
        presets.provenance("x")
