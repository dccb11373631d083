"""The Python on the pages runs as it stands, and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import osog
from helpers.smaller import smaller
from osog.datasets import LabelSettings

PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/howto/fit-my-micrograph.md",
    "docs/howto/many-particles.md",
    "docs/howto/calibrate.md",
    "docs/howto/guess-modality.md",
    "docs/howto/share-a-scene.md",
    "docs/howto/labelled-frames.md",
    "docs/howto/let-everything-vary.md",
    "docs/howto/datasets.md",
    "docs/howto/stacks-and-series.md",
    "docs/howto/use-your-own-volume.md",
    "docs/api/index.md",
)
SIDE_PX = 128
"""Of the pages that take a preset of 512 pixels or more, and promise nothing about its size."""


@pytest.fixture
def run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a page as it stands; with `side_px`, on a field of its preset that is so large."""
    load = osog.presets.load

    def page(name: str, side_px: int | None = None) -> dict[str, Any]:
        monkeypatch.chdir(tmp_path)
        if side_px is not None:
            monkeypatch.setattr(osog.presets, "load", lambda preset: smaller(load(preset), side_px))
        text = (root / name).read_text(encoding="utf-8")
        names: dict[str, Any] = {}
        for code in re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S):
            exec(compile(code, name, "exec"), names)
        assert names, "the page has no Python"
        return names

    return page


def test_readme(run: Any) -> None:
    names = run("README.md", SIDE_PX)
    assert names["focus"].grad.isfinite() and names["focus"].grad != 0
    assert names["frame"].boxes.shape == (len(names["frame"].particles), 5)


def test_tutorial_finds_the_bead_that_it_hid(run: Any, tmp_path: Path, capsys: Any) -> None:
    names = run("docs/tutorial.md")
    truth = names["truth"].populations[0].particles[0]
    result = names["result"]
    assert result.success and not result.undetermined
    for name in names["free"]:
        true = getattr(truth, name.rsplit(".", 1)[1])
        assert abs(result.values[name] - true) < 4 * result.sigma[name], name
    assert result.values["particles[0].radius_um"] == pytest.approx(0.7198, abs=1e-4)
    assert "1 bead at 8.30, 7.10, -9.0 µm" in capsys.readouterr().out
    assert osog.Scene.load(tmp_path / "bead.yaml") == result.scene
    for name in ("hologram.png", "residual.png", "fit.json", "fit.csv"):
        assert (tmp_path / name).is_file()


def test_fit_my_micrograph(run: Any, tmp_path: Path) -> None:
    scene = osog.presets.load("beads-hologram").updated({"grid.shape": (128, 128)})
    bead = {"x_um": 6.1, "y_um": 6.8, "z_um": -6.0, "radius_um": 0.77, "index": 1.457}
    truth = scene.updated({"populations.beads.count": None, "populations.beads.particles": [bead]})
    image = osog.render(truth, seed=2).image
    osog.io.write_image(tmp_path / "micrograph.tif", image, pixel_size_um=0.1)
    scene.save(tmp_path / "scene.yaml")
    result = run("docs/howto/fit-my-micrograph.md")["result"]
    assert result.success
    for name, value in result.values.items():
        assert abs(value - bead[name.rsplit(".", 1)[1]]) < 5 * result.sigma[name], name


def test_fit_many_particles(run: Any, tmp_path: Path) -> None:
    names = run("docs/howto/many-particles.md")
    assert {row["frame"] for row in names["table"].rows} == {0, 1}
    assert (tmp_path / "particles.csv").is_file()
    assert len(osog.Scene.load(tmp_path / "found.yaml").populations[0].particles) == 2


def test_share_a_scene(run: Any) -> None:
    names = run("docs/howto/share-a-scene.md", SIDE_PX)
    again = osog.render(names["fixed"], seed=77, device="cpu")
    assert len(names["fixed"].populations[0].particles) == len(again.particles)


def test_labelled_frames(run: Any, tmp_path: Path) -> None:
    labelled = run("docs/howto/labelled-frames.md", SIDE_PX)["labelled"]
    assert labelled.image.dtype == np.uint8 and len(labelled.objects) > 3
    assert labelled.instances.max() <= len(labelled.objects)


def test_datasets(run: Any, tmp_path: Path) -> None:
    names = run("docs/howto/datasets.md", SIDE_PX)
    assert names["made"].complete and names["again"].index == 3
    assert (tmp_path / "needles" / "data.yaml").is_file()
    assert names["batch"]["image"].shape == (2, 1, SIDE_PX, SIDE_PX)
    page = (Path(__file__).parents[2] / "docs/howto/datasets.md").read_text(encoding="utf-8")
    settings = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.S)[1])
    assert LabelSettings.model_validate(settings).rules[0].state == "none"


def test_let_everything_vary(run: Any, tmp_path: Path) -> None:
    names = run("docs/howto/let-everything-vary.md", SIDE_PX)
    frames, one = names["frames"], names["one"]
    assert len({frame.scene.microscope.focus_um for frame in frames}) == 3
    assert one.laws_by_name() == {}
    again = osog.render(one, seed=2)
    assert (again.image == frames[2].image).all()
    assert names["law"].support == (-3.0, 3.0)
    (tmp_path / "sizes.csv").unlink()
    assert osog.Scene.parse(names["scene"].to_dict()) == names["scene"]


def test_stacks_and_series(run: Any) -> None:
    names = run("docs/howto/stacks-and-series.md")
    assert names["frame"].image.shape == (5, 512, 512)
    assert names["film"].image.shape == (5, 128, 128)
    assert names["film"].positions.shape[0] == 5


def test_first_page_of_the_api(run: Any) -> None:
    names = run("docs/api/index.md", SIDE_PX)
    assert names["image"].shape == names["frame"].image.shape
    assert names["exposure"].grad.isfinite() and names["exposure"].grad != 0
    curve = names["curve"]
    assert curve.frequency_per_um.shape == curve.curves["phase"].shape


def test_every_page_with_python_is_run(root: Path) -> None:
    folders = (root / "docs/howto", root / "docs/api")
    pages = [root / "README.md", root / "docs/tutorial.md"]
    pages += [page for folder in folders for page in folder.glob("*.md")]
    python = {page for page in pages if "```python" in page.read_text(encoding="utf-8")}
    with_python = {page.relative_to(root).as_posix() for page in python}
    assert with_python == set(PAGES)


def test_calibrate(run: Any) -> None:
    found = run("docs/howto/calibrate.md")["found"]
    assert 10 < found.values["populations.beads.count"] < 40
    assert osog.Scene.load("mine.yaml") == found.scene


def test_guess_the_modality(run: Any) -> None:
    assert run("docs/howto/guess-modality.md")["guess"].reason


def test_use_your_own_volume(run: Any) -> None:
    names = run("docs/howto/use-your-own-volume.md")
    assert "voxels 0.2 µm" in names["frame"].explain
    assert names["index"].grad.abs().sum() > 0
    assert osog.Scene.load("cell.yaml") == names["scene"]
