"""Laws: numbers follow them, and their quantiles are those of theory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from osog.scene import LAWS, Scene, SceneError
from osog.scene.distributions import ANY_LAW
from osog.scene.exact_functions import exp, log, normal_probability, normal_quantile, power

MEASURED = [1.0, 1.2, 1.25, 2.0, 2.1, 3.5, 8.0, 8.0]
APART = MEASURED[:-1]

CONTINUOUS: dict[str, tuple[dict[str, Any], Any]] = {
    "uniform": ({"low": -2, "high": 3}, stats.uniform(-2, 5)),
    "normal": ({"mean": 5, "std": 2}, stats.norm(5, 2)),
    "lognormal": ({"median": 8, "sigma": 0.5}, stats.lognorm(0.5, scale=8)),
    "loguniform": ({"low": 0.1, "high": 30}, stats.loguniform(0.1, 30)),
    "weibull": ({"scale": 4, "shape": 1.7}, stats.weibull_min(1.7, scale=4)),
    "power": (
        {"low": 1, "high": 50, "exponent": 2.5},
        stats.truncpareto(1.5, 50),
    ),
    "mixture": (
        {
            "parts": [
                {"law": "normal", "mean": 1, "std": 0.1},
                {"law": "uniform", "low": 4, "high": 6},
            ],
            "weights": [3, 1],
        },
        None,
    ),
    "table": ({"values": APART}, None),
}
DISCRETE: dict[str, dict[str, Any]] = {
    "poisson": {"mean": 30},
    "choice": {"options": [3, 1, 2], "weights": [1, 2, 5]},
    "table": {"values": MEASURED, "draws": "resample"},
}
CUT = {
    "normal": ({"mean": 5, "std": 2, "between": [4, 20]}, stats.truncnorm(-0.5, 7.5, 5, 2)),
    "weibull": ({"scale": 4, "shape": 1.7, "between": [3, 5]}, None),
    "lognormal": ({"median": 8, "sigma": 0.5, "between": [2, 8]}, None),
}


def law_of(name: str, numbers: dict[str, Any]) -> Any:
    return ANY_LAW.validate_python({"law": name, **numbers})


def theory(name: str) -> Any:
    if name == "mixture":
        return lambda x: 0.75 * stats.norm(1, 0.1).cdf(x) + 0.25 * stats.uniform(4, 2).cdf(x)
    if name == "table":
        return lambda x: np.interp(x, APART, np.linspace(0, 1, len(APART)))
    return CONTINUOUS[name][1].cdf


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_follow_their_law(name: str) -> None:
    law = law_of(name, CONTINUOUS[name][0])
    drawn = law.draw(np.random.default_rng(4), 10_000)
    assert stats.kstest(drawn, theory(name)).pvalue > 0.01
    low, high = law.support
    assert low <= drawn.min() and drawn.max() <= high
    by_rank = law.quantile(np.random.default_rng(5).random(10_000))
    assert stats.kstest(by_rank, theory(name)).pvalue > 0.01


@pytest.mark.parametrize("name", CUT)
def test_laws_between_bounds_draw_anew_what_falls_outside(name: str) -> None:
    numbers, known = CUT[name]
    law = law_of(name, numbers)
    drawn = law.draw(np.random.default_rng(4), 10_000)
    assert numbers["between"][0] <= drawn.min() and drawn.max() <= numbers["between"][1]
    whole = known or CONTINUOUS[name][1]
    first, last = (0, 1) if known else whole.cdf(numbers["between"])
    result = stats.kstest(drawn, lambda x: (whole.cdf(x) - first) / (last - first))
    assert result.pvalue > 0.01


def test_whole_numbers_and_choices_come_as_often_as_they_should() -> None:
    drawn = law_of("poisson", DISCRETE["poisson"]).draw(np.random.default_rng(1), 10_000)
    counts = np.bincount(drawn.astype(int), minlength=60)[15:50]
    wanted = 10_000 * stats.poisson(30).pmf(np.arange(15, 50))
    assert stats.chisquare(counts, wanted * counts.sum() / wanted.sum()).pvalue > 0.01
    drawn = law_of("choice", DISCRETE["choice"]).draw(np.random.default_rng(1), 10_000)
    counts = [(drawn == option).sum() for option in (3, 1, 2)]
    assert stats.chisquare(counts, [1250, 2500, 6250]).pvalue > 0.01
    drawn = law_of("table", DISCRETE["table"]).draw(np.random.default_rng(1), 10_000)
    counts = [(drawn == value).sum() for value in sorted(set(MEASURED))]
    wanted = [1250 * MEASURED.count(value) for value in sorted(set(MEASURED))]
    assert stats.chisquare(counts, wanted).pvalue > 0.01


@pytest.mark.parametrize("name", [*CONTINUOUS, "poisson"])
def test_quantile_and_probability_are_inverse(name: str) -> None:
    law = law_of(name, {**DISCRETE, **{k: v[0] for k, v in CONTINUOUS.items()}}[name])
    u = np.linspace(0.001, 0.999, 400)
    x = law.quantile(u)
    assert (np.diff(x) >= 0).all()
    back = law.cdf(x)
    if name == "poisson":
        np.testing.assert_allclose(back, stats.poisson(30).cdf(x), atol=1e-12)
        assert (back >= u).all() and (law.cdf(x - 1) < u).all()
    elif name != "table":
        np.testing.assert_allclose(back, u, atol=1e-9)
    assert law.support[0] <= law.centre <= law.support[1]


def test_every_law_has_a_name_and_a_centre() -> None:
    known = {**{k: v[0] for k, v in CONTINUOUS.items()}, **DISCRETE}
    linked = {
        "multiple": {"of": "length_um", "factor": 0.2},
        "ratio": {"numerator": 6.5, "denominator": [20, 40]},
    }
    assert {*known, *linked} == set(LAWS), "a law without a test"
    for name, numbers in known.items():
        law = law_of(name, numbers)
        assert law.title
        assert law.centre == pytest.approx(law.around(law.centre).centre)
    assert law_of("ratio", linked["ratio"]).support == (6.5 / 40, 6.5 / 20)


@pytest.mark.parametrize("name", ["uniform", "normal", "lognormal", "loguniform", "weibull"])
def test_a_law_can_be_moved(name: str) -> None:
    law = law_of(name, CONTINUOUS[name][0])
    assert law.around(2.5).centre == pytest.approx(2.5)


def test_exact_functions_are_right() -> None:
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(-100, 100, 10_000))
    np.testing.assert_allclose(log(x), np.log(x), rtol=1e-15, atol=3e-16)
    y = rng.uniform(-100, 100, 10_000)
    np.testing.assert_allclose(exp(y), np.exp(y), rtol=1e-15)
    np.testing.assert_allclose(power(x, 0.3), x**0.3, rtol=1e-13)
    u = np.r_[rng.random(10_000), 1e-12, 1e-30]
    np.testing.assert_allclose(normal_quantile(u), special.ndtri(u), rtol=1e-13, atol=1e-15)
    z = rng.uniform(-8, 8, 10_000)
    np.testing.assert_allclose(normal_probability(z), special.ndtr(z), atol=2e-12)


@pytest.mark.parametrize(
    ("law", "words"),
    [
        ({"law": "uniform", "low": 2, "high": 1}, "low = 2 must not exceed high = 1."),
        ({"law": "loguniform", "low": 0, "high": 1}, "must be above 0"),
        ({"law": "weibull", "scale": -1, "shape": 2}, "must be above 0"),
        ({"law": "choice", "options": [1, 2], "weights": [1]}, "weights lists 1 numbers for 2"),
        ({"law": "choice", "options": [1, 2], "weights": [0, 0]}, "weights must not be negative"),
        ({"law": "table", "file": "none.csv"}, "file = 'none.csv' cannot be read"),
        ({"law": "normal", "mean": 1, "std": 0.1, "between": [3, 4]}, "between = [3, 4] must"),
        ({"law": "ratio", "numerator": 1, "denominator": [-1, 1]}, "it must not be 0"),
        ({"law": "uniform", "low": 0.1, "high": 0.2, "correlation": 0.5}, "needs 'follows'"),
        ({"law": "mixture", "parts": [{"law": "choice", "options": ["a"]}]}, "made of numbers"),
        ({"law": "gamma"}, "'gamma' is not one of uniform"),
    ],
)
@pytest.mark.parametrize("where", ["particle", "image"])
def test_a_wrong_law_is_refused_in_one_sentence(law: Any, words: str, where: str) -> None:
    data: dict[str, Any] = {"microscope": {"numerical_aperture": law}}
    if where == "particle":
        data = {"populations": [{"shape": {"kind": "sphere", "radius_um": law}}]}
    with pytest.raises(SceneError) as caught:
        Scene.parse(data)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert ("radius_um" if where == "particle" else "numerical_aperture") in message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("length,width\n3.5,1\n4.5,2\n\n5,3\n", "length"),
        ("3.5\n4.5\n5\n", None),
        ("length;width\n3,5;1\n4,5;2\n5;3\n", 0),
        ("name\tlength\na\t3.5\nb\t4.5\nc\t5\n", "length"),
    ],
)
def test_measured_sizes_are_read_beside_the_scene_file(
    tmp_path: Path, text: str, column: Any
) -> None:
    (tmp_path / "sizes.csv").write_text(text)
    law = {"law": "table", "file": "sizes.csv", "scale": 0.5}
    if column is not None:
        law["column"] = column
    scene = Scene.parse({"populations": [{"shape": {"kind": "sphere", "radius_um": 1.0}}]})
    path = tmp_path / "scene.json"
    path.write_text(
        '{"populations": [{"shape": {"kind": "sphere", "radius_um": '
        + str(law).replace("'", '"')
        + "}}]}"
    )
    scene = Scene.load(path)
    found = scene.get("populations.particles.shape.radius_um")
    assert found.values == (3.5, 4.5, 5.0)
    assert found.support == (1.75, 2.5)
    (tmp_path / "sizes.csv").unlink()
    scene.save(tmp_path / "again.yaml")
    assert Scene.load(tmp_path / "again.yaml") == scene, "the numbers are kept in the scene"


def test_a_table_says_what_is_wrong_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("a,b\n1,x\n")
    for column, words in (("c", "which has a, b"), ("b", "'x' in row 2"), (4, "between 0 and 1")):
        law = {"law": "table", "file": str(tmp_path / "sizes.csv"), "column": column}
        with pytest.raises(SceneError, match=words):
            Scene.parse({"microscope": {"numerical_aperture": law}})
