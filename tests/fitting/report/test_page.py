"""The page of a fit for a lab book holds all of it, and nothing that is not text or picture."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import osog

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def result() -> osog.FitResult:
    """A bead in brightfield whose name could break a page."""
    scene = osog.Scene.parse(
        {
            "grid": {"shape": [32, 40], "pixel_size_um": 0.1},
            "populations": [
                {
                    "name": "<beads> & more",
                    "shape": {"kind": "sphere", "radius_um": 0.5},
                    "material": {"index": 1.4},
                    "particles": [{"x_um": 2.0, "y_um": 1.6}],
                }
            ],
            "microscope": {"modality": {"kind": "brightfield"}, "focus_um": 1.0},
            "camera": {"background_electrons": 4000, "gain_electrons_per_count": 40},
        }
    )
    image = osog.render(scene, "cpu", seed=1).image.numpy()
    start = scene.updated({"particles[0].x_um": 1.95})
    radius = "populations.<beads> & more.shape.radius_um"
    return osog.fit(image, start, ("particles[0].x_um", radius), start="scene", optics="exact")


class Tags(HTMLParser):
    """Checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_holds_numbers_pictures_and_scene(result: osog.FitResult, tmp_path: Path) -> None:
    page = result.to_html(tmp_path / "fit.html", "bead <1>.tif")
    assert (tmp_path / "fit.html").read_text(encoding="utf-8") == page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "bead &lt;1&gt;.tif" in page and "&lt;beads&gt; &amp; more" in page
    assert "<beads>" not in page
    assert f"{result.sigma['particles[0].x_um']:.2g}" in page
    assert "radius_um: 0.5" not in page and "schema_version: 1" in page
    assert osog.__version__ in page and "http" not in page
    for sentence in result.warnings:
        assert sentence.split("<")[0][:30] in page


def test_its_pictures_are_data_model_and_residual(result: osog.FitResult) -> None:
    coded = re.findall(r"base64,([^']+)'", result.to_html())
    data, model, rest = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(c))), dtype=float) for c in coded
    )
    assert data.shape == model.shape == result.model.shape
    assert np.corrcoef(model.ravel(), result.model.ravel())[0, 1] > 0.999
    assert np.corrcoef(rest.ravel(), result.residual.ravel())[0, 1] > 0.99
    assert np.corrcoef(data.ravel(), (result.model + result.residual).ravel())[0, 1] > 0.999
