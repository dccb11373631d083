"""The shape of the page is a shape like any other, in the session of a user who pastes it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def answer(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened in a process of its own, since shapes are registered for a whole process."""
    folder = tmp_path_factory.mktemp("shape")
    page = (root / "docs" / "extend-shape.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.M | re.S)
    (folder / "lens.py").write_text("\n".join(blocks), encoding="utf-8")
    paths = [str(folder), str(root / "tests"), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("shape_session.py")), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_example_renders(answer: dict[str, Any]) -> None:
    before, after = answer["shapes"]
    assert after == [*before, "lens"]
    shape, contrast = answer["image"]
    assert shape == [96, 96]
    assert contrast > 0.01
    assert answer["labels"] == [6, True]


def test_it_obeys_the_laws_of_shapes(answer: dict[str, Any]) -> None:
    assert not answer["laws"], "\n".join(answer["laws"].values())


def test_it_is_refused_in_the_words_of_the_others(answer: dict[str, Any]) -> None:
    words = answer["refused"]
    shape = "populations[0].shape: "
    assert words["unknown"].endswith(", volume, mesh, lens.")
    assert words["thick"] == f"{shape}thickness_um = 9 must not exceed diameter_um = 4."
    assert words["limits"] == f"{shape}thickness_um = -1 must lie between 0.005 and 2000 µm."
    assert words["field"] == "populations[0].shape.radius_um: is not a known field here."
    assert "particles[0].thickness_um = 5 must not exceed diameter_um = 4." in words["particle"]
    assert "particles[0].thickness_um does not belong to a sphere" in words["foreign"]
    assert "populations[0].particles[0].thickness_um" in words["odd"]
    assert "needs a sphere or a coated_sphere or a bubble, not a lens" in words["mie"]


def test_the_schema_knows_it(answer: dict[str, Any]) -> None:
    schema = answer["schema"]
    assert schema["fields"] == ["diameter_um", "kind", "thickness_um"]
    assert {"sphere", "polyhedron", "lens"} < set(schema["kinds"])
    assert schema["of particles"] and schema["anything else"] is False


def test_single_particles_may_have_sizes_of_their_own(answer: dict[str, Any]) -> None:
    listed = answer["listed"]
    assert listed["read back"] == [True, True]
    assert listed["the same"]
    assert "particles[0].thickness_um" in listed["names"]
    assert "particles[0].orientation_deg[1]" in listed["names"]
    assert listed["changed"] == [1.75, 0.875, 1.5]
    assert listed["limits"] == [0.005, 2000.0]
    assert answer["added"] == [1.0, 2.0, 2.0]


def test_it_is_differentiable_and_diffuses(answer: dict[str, Any]) -> None:
    slope, difference = answer["slopes"]
    assert slope == pytest.approx(difference, rel=1e-3)
    assert slope != 0
    assert 0 < answer["moved"] < 10


def test_registering_again_replaces_it(answer: dict[str, Any]) -> None:
    assert answer["registered again"] == [0, 1]
