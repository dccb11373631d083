"""What a window opens of the manual is there: pages, headings, sections, fields."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import napari_osog.panels
from napari_osog.manual import pages, places, reference
from osog import presets
from osog.scene.model import SceneModel
from osog.scene.parameters import continuous


@cache
def sections() -> tuple[dict[str, str], dict[str, str]]:
    return reference.sections()


def leads_somewhere(link: str) -> bool:
    page, anchor = pages.split(link)
    text = pages.text_of(page)
    if not anchor or anchor in pages.headings(text):
        return True
    return page == pages.REFERENCE and any(anchor in part for part in sections())


def kinds(model: type[Any]) -> list[type[Any]]:
    return [model, *(kind for sub in model.__subclasses__() for kind in kinds(sub))]


@pytest.mark.parametrize("name", presets.names())
def test_every_number_of_a_scene_is_explained_where_its_field_stands(name: str) -> None:
    scene = presets.load(name)
    dotted = [parameter.name for parameter in continuous(scene)]
    dotted += ["camera", "microscope.cover_glass.depth_um", "particles[0].x_um", "grid.shape"]
    for population in scene.populations:
        dotted += [f"populations.{population.name}.{field}"
                   for field in ("shape", "count", "surface.bevel_um", "aggregate")]  # fmt: skip
    for number in dotted:
        page, anchor = pages.split(places.place_of(scene, number))
        section = sections()[0][anchor]
        block = number.endswith(("camera", "shape", "aggregate")) and not number.startswith("grid")
        assert page == pages.REFERENCE
        assert block or f"| `{places.field_in(number)}` |" in section, (number, anchor)


def test_models_and_panels_name_pages_that_there_are() -> None:
    for model in kinds(SceneModel):
        assert not model.page or leads_somewhere(model.page), model
    found = 0
    for module in pkgutil.iter_modules(napari_osog.panels.__path__, "napari_osog.panels."):
        for value in vars(importlib.import_module(module.name)).values():
            page = vars(value).get("page") if isinstance(value, type) else None
            if isinstance(page, str):
                found += 1
                assert leads_somewhere(page), (value, page)
    assert found > 8


def test_a_section_alone_is_that_of_the_whole_reference() -> None:
    models, laws = sections()
    together = models | laws
    assert len(together) > 80
    for anchor, text in together.items():
        assert reference.section_of(anchor) == text, anchor
    for anchor in re.findall(r"\(#(\w+)\)", reference.entrances()):
        assert anchor in models


def test_links_of_pages_lead_to_headings_as_the_window_counts_them(root: Path) -> None:
    """The same anchors as those of the built pages, whose links a strict build holds."""
    checked = 0
    for path in sorted((root / "docs").rglob("*.md")):
        here = path.parent.relative_to(root / "docs")
        for link in re.findall(r"\]\(((?!http)[^) ]*\.md#[\w-]+)\)", path.read_text("utf-8")):
            page, anchor = pages.split(link)
            target = Path(*(here / page).parts).as_posix()
            target = str((root / "docs" / target).resolve().relative_to(root / "docs"))
            checked += 1
            assert leads_somewhere(f"{target}#{anchor}"), (path.name, link)
    assert checked > 10
