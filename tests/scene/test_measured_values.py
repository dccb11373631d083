"""Measured values in pasted text, and draws of single numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from osog.scene import Scene, SceneError
from osog.scene.measured_values import columns_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1\n2.5\n\n3e1\n", {"0": (1.0, 2.5, 30.0)}),
        ("length\n6,1\n8,3\n", {"length": (6.1, 8.3)}),
        ("6,1\n8\n", {"0": (6.1, 8.0)}),
        ("a;b\n1,2;3\n4;5,5", {"a": (1.2, 4.0), "b": (3.0, 5.5)}),
        ("a,b\n1.2,3\n4,\n", {"a": (1.2, 4.0), "b": (3.0,)}),
        ("name\tArea\nx.tif\t3\ny.tif\t4", {"Area": (3.0, 4.0)}),
        ("−1\n−2", {"0": (-1.0, -2.0)}),
    ],
)
def test_columns_of_numbers_are_found_in_what_programs_copy(text, found):
    columns = columns_in(text)
    assert {column.head: column.values for column in columns} == found


def test_a_column_that_numbers_the_rows_is_known():
    columns = columns_in(" \tArea\n1\t3.5\n2\t4.5\n3\t1.0")
    assert [column.counts_rows for column in columns] == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  ", "no numbers in an empty text"),
        ("hello", "no numbers in 'hello'"),
        ("1,5\n2,5", "can be one number or two"),
        ("size\n1\nx\n2\n3", "'x' in line 3 is not a number"),
        ("1\nnan\n2", "'nan' in line 2 is not a number"),
    ],
)
def test_other_text_is_refused_in_one_sentence(text, words):
    with pytest.raises(ValueError, match=words) as error:
        columns_in(text)
    assert str(error.value).count("\n") == 0


SCENE = Scene.parse(
    {
        "populations": [
            {
                "name": "rods",
                "count": {"law": "poisson", "mean": 20},
                "shape": {
                    "kind": "rod",
                    "length_um": {"law": "lognormal", "median": 6, "sigma": 0.3},
                    "radius_um": {
                        "law": "multiple",
                        "of": "length_um",
                        "factor": {"law": "uniform", "low": 0.05, "high": 0.1},
                    },
                },
            }
        ],
        "microscope": {"focus_um": {"law": "normal", "mean": 1, "std": 2}},
    }
)


def test_draws_of_a_number_follow_its_law_and_belong_together():
    length = SCENE.draws("populations.rods.shape.length_um")
    law = SCENE.law("populations.rods.shape.length_um")
    assert kstest(length, law.cdf).pvalue > 0.01
    ratio = SCENE.draws("populations.rods.shape.radius_um") / length
    assert ratio.min() >= 0.05 and ratio.max() <= 0.1 and ratio.std() > 0.01
    counts = SCENE.draws("populations.rods.count", 50, seed=3)
    assert counts.shape == (50,) and (counts == np.round(counts)).all()
    assert (SCENE.draws("microscope.focus_um", 5) == SCENE.draws("microscope.focus_um", 5)).all()
    assert (SCENE.draws("microscope.numerical_aperture", 3) == 0.5).all()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(SceneError, match="does not exist"):
        SCENE.draws("microscope.focus")
    with pytest.raises(SceneError, match="is not a number"):
        SCENE.draws("microscope.modality")
