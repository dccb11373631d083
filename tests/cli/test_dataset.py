"""What `osog dataset` says when it cannot do what it is asked."""

from __future__ import annotations

import pytest

from osog.cli import main

SCENE = """
grid: {shape: [40, 40], pixel_size_um: 0.2}
populations: [{shape: {kind: sphere, radius_um: 1.0}, material: {index: 1.36}, count: 2}]
microscope: {numerical_aperture: 0.4}
numerics: {accuracy: draft}
"""


@pytest.fixture
def refused(tmp_path, capsys):
    (tmp_path / "scene.yaml").write_text(SCENE, encoding="utf-8")

    def run(*options: object) -> str:
        with pytest.raises(SystemExit) as left:
            main(["dataset", str(tmp_path / "scene.yaml"), *map(str, options)])
        said = capsys.readouterr().err.strip()
        assert left.value.code == 2 and "\n" not in said and said.endswith("."), said
        return said

    return run


def test_bad_options_get_one_sentence(refused, tmp_path) -> None:
    assert "--out DIR is needed" in refused("-n", 3)
    out = tmp_path / "data"
    assert "format = 'vhs' is not one of" in refused("--out", out, "--format", "vhs")
    assert "split = 'a'" in refused("--out", out, "--split", "a")
    assert "k/K" in refused("--out", out, "--shard", "3")
    labels = tmp_path / "labels.yaml"
    labels.write_text("rules: [{state: lost, when: {contrast: [0, 1]}}]")
    assert "labels.yaml: rules.0.state" in refused("--out", out, "--labels", labels)
    labels.write_text("rules: [{state: none, when: {colour: [0, 1]}}]")
    assert "when.colour is not one of" in refused("--out", out, "--labels", labels)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("x")
    assert "holds other files" in refused("--out", tmp_path / "mine")
    assert not out.exists()
