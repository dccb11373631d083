"""One word, one meaning: what a kind can do stands on its class, and old names stay away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

MOST_COMPARISONS = 40
COMPARISON = re.compile(r"(?<!dtype\.)kind (?:==|!=|in|not in) ")
"""A decision by the name of a kind, which belongs on the class of that kind."""

REPLACED = {
    r"\bStudio\b": "LiveController",
    r"\bLayerSink\b": "ViewerLayers",
    r"\bLayerStack\b": "LayerRegistry",
    r"\breel\b": "stack_renderer",
    r"\b[Tt]he person\b": "the user",
    r"_BEHIND_THE_SAMPLE|_only_imaging|_light_in\b": "the recorded inputs of the exit wave",
    r"\blast_word\b": "what the field states",
    r"\bclass (?:Law|Quantity)\b": "Distribution, NumberOrDistribution",
    r"\blines_of\b": "spectral_samples",
    r"\bclass Line\b": "SpectralSample",
    r"\binterrupt\.checkpoint\b": "raise_if_cancelled",
    r"\bclass Single\b": "SingleParticle",
    r"\btwins\b": "sign_ambiguity",
    r"\bclass (?:Task|Order)\b": "FitSetup, FitRequest",
    r"\bclass (?:Leaves|Chunk)\b": "ParticleTensors, PatchBatch",
    r"\bhat (?:kernel|weight)s?\b": "triangular kernel",
}
"""Names that are gone, and what is said instead."""


def sources(root: Path) -> dict[str, str]:
    """Texts of the repository, less this page and the list of changes."""
    paths = [root / "README.md"]
    for folder in ("src", "tests", "examples", "benchmarks", "scripts"):
        paths += (root / folder).rglob("*.py")
    paths += (root / "docs").rglob("*.md")
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if path != Path(__file__)
    }


def found(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    """Places of a pattern, as ``file:line: text``."""
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in sorted(texts.items())
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_decisions_by_name_are_few(root: Path) -> None:
    texts = {name: text for name, text in sources(root).items() if name.startswith("src/")}
    places = found(COMPARISON, texts)
    assert len(places) <= MOST_COMPARISONS, "\n".join(places)


@pytest.mark.parametrize("word", REPLACED)
def test_replaced_words_stay_away(root: Path, word: str) -> None:
    places = found(re.compile(word), sources(root))
    assert not places, f"say {REPLACED[word]}:\n" + "\n".join(places)


def test_the_patterns_see_what_they_are_for() -> None:
    texts = {"a.py": 'if kind == "dic":\nif modality.kind not in EPI:\nkind = "dic"\n# the person'}
    assert [place.split(":")[1] for place in found(COMPARISON, texts)] == ["1", "2"]
    assert found(re.compile(r"\b[Tt]he person\b"), texts) == ["a.py:4: # the person"]
