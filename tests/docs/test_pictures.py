"""The pictures of the pages are there, small enough, and show what they say."""

from __future__ import annotations

import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import osog
from osog.scene import MODALITY_TITLES


@pytest.fixture
def script(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(root / "scripts"))
    return lambda name: runpy.run_path(str(root / "scripts" / f"{name}.py"))


def test_the_film_shows_the_focus_being_dragged(root: Path) -> None:
    path = root / "docs" / "images" / "drag-focus.gif"
    assert path.stat().st_size < 2e6, "a page that loads slowly"
    film = Image.open(path)
    assert film.width == 720 and film.n_frames > 30
    frames = []
    for number in (0, film.n_frames // 4, film.n_frames // 2):
        film.seek(number)
        frames.append(np.asarray(film.convert("L"), dtype=float))
    for one, other in pairwise(frames):
        canvas, panel = np.split(np.abs(one - other), [460], axis=1)
        assert canvas.mean() > 1, "the image does not follow"
        assert (panel > 20).any(), "the slider does not move"


def test_the_montage_has_a_tile_for_each_modality(root: Path, script: Any) -> None:
    tiles = script("montage")["TILES"]
    assert len(tiles) == len(MODALITY_TITLES)
    shown = {name.split("-")[0] for name in tiles}
    assert shown == {kind.split("_")[0] for kind in MODALITY_TITLES}
    assert Image.open(root / "docs" / "images" / "montage.png").width > 1500


def test_the_architecture_shows_the_packages_that_there_are(root: Path, script: Any) -> None:
    drawn = script("architecture")["picture"]()
    file = root / "docs" / "images" / "architecture.svg"
    assert file.read_text(encoding="utf-8") == drawn, "run scripts/architecture.py"
    home = Path(osog.__file__).parent
    packages = {path.parent.name for path in home.glob("*/__init__.py")}
    missing = {name for name in packages if f">{name}<" not in drawn}
    assert not missing, "a package that the picture does not show"


def test_the_film_is_of_a_scene(script: Any) -> None:
    scene = osog.Scene.parse(script("drag_gif")["SCENE"])
    assert scene.microscope.modality.kind == "dic"


def test_the_picture_of_aggregates_shows_all_of_them(script: Any) -> None:
    from osog.scene import AGGREGATES

    drawn = script("aggregates")
    assert set(drawn["BODIES"]) == set(AGGREGATES)
    assert drawn["scene"]("sheaf").populations[0].aggregate.kind == "sheaf"
