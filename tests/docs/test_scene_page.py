"""Every scene on the page about the scene file is one, and renders as its text says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from osog.rendering import render
from osog.scene import Scene


@pytest.fixture(scope="module")
def scenes(root: Path) -> list[Scene]:
    page = (root / "docs" / "scene.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.M | re.S)
    return [Scene.parse(yaml.safe_load(block)) for block in blocks]


def test_the_page_shows_every_block(scenes: list[Scene]) -> None:
    shown = set().union(*(scene.model_fields_set for scene in scenes))
    assert shown >= {"grid", "medium", "populations", "microscope", "camera"}
    assert shown >= {"background", "series"}
    optics = set().union(*(scene.microscope.model_fields_set for scene in scenes))
    assert optics >= {"spectrum", "chromatic", "cover_glass", "aberrations", "field_aberrations"}


def test_every_example_renders(scenes: list[Scene]) -> None:
    shapes = []
    for scene in scenes:
        frame = render(scene, "cpu", 1, ("image", "instances", "boxes"))
        assert bool(frame.image.isfinite().all())
        assert float(frame.image.std()) > 0
        shapes.append(tuple(frame.image.shape))
        unlabelled = [k for k, p in enumerate(scene.populations) if not p.labelled]
        for number in unlabelled:
            mine = frame.particles.population == number
            assert bool(mine.any())
            assert frame.boxes is not None
            assert float(frame.boxes[mine, 2:4].abs().max()) == 0
    assert (96, 96, 3) in shapes, "a colour camera"
    assert (5, 64, 64) in shapes, "a stack"
    assert (8, 64, 64) in shapes, "a time series"
