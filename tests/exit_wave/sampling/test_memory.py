"""A render that needs much memory says so, and one that cannot fit is refused before it starts."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from osog import Scene, SceneError, fit, render
from osog.exit_wave import plan_sampling
from osog.exit_wave.sampling import memory, memory_caution
from osog.exit_wave.sampling.memory import machine_bytes, memory_need
from osog.exit_wave.sampling.memory_caution import cautions
from osog.explain import CHECKS
from osog.rendering import Renderer, forward
from osog.sample import Values, sample


def _scene(kind="fluorescence", rows=64, depth=4.0, pixel=0.1, optics=(), **numerics):
    return Scene.parse(
        {
            "grid": {"shape": [rows, rows], "pixel_size_um": pixel},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "p",
                    "shape": {"kind": "sphere", "radius_um": 0.3},
                    "material": {"index": 1.4},
                    "particles": [{"z_um": -depth / 2}, {"z_um": depth / 2}],
                    "scattering": "slabs",
                }
            ],
            "microscope": {
                "modality": {"kind": kind},
                "numerical_aperture": 1.1,
                "immersion_index": 1.33,
                **dict(optics),
            },
            "numerics": numerics,
        }
    )


def _planned(scene, accuracy=None):
    values = Values(scene, dtype=torch.float32, device=torch.device("cpu"))
    batch = sample(values.scene, 0, values)
    return batch, plan_sampling(scene, batch, accuracy=accuracy)


@pytest.fixture
def machine(monkeypatch):
    def has(number):
        for module in (memory, memory_caution):
            monkeypatch.setattr(module, "machine_bytes", lambda device: number)

    has(1e15)
    return has


HUGE = {
    "fluorescence": {"rows": 2048, "depth": 200.0},
    "confocal": {"rows": 2048, "depth": 60.0},
    "light_sheet": {"rows": 4096, "depth": 200.0},
    "brightfield": {"rows": 8192, "optics": {"condenser_numerical_aperture": 0.9}},
    "darkfield": {"rows": 8192, "optics": {"condenser_numerical_aperture": 1.2}},
    "polarized": {"rows": 8192, "optics": {"condenser_numerical_aperture": 0.9}},
    "hologram": {"rows": 4096, "pixel": 30.0},
    "reflection": {"rows": 4096, "pixel": 30.0},
}


@pytest.mark.parametrize("kind", HUGE)
def test_what_cannot_fit_is_refused_in_one_sentence_before_anything_is_made(machine, kind):
    scene = _scene(kind, **HUGE[kind])
    machine(16e9)
    with pytest.raises(SceneError) as caught:
        render(scene, device="cpu")
    text = str(caught.value)
    assert "grid.shape = " in text and "GB of memory" in text and "this machine has 16 GB" in text
    assert "less is needed by" in text and "\n" not in text


@pytest.mark.parametrize("kind", ["fluorescence", "confocal", "light_sheet"])
def test_the_caution_names_memory_slabs_and_the_depth_that_fits(machine, kind):
    scene = _scene(kind, **HUGE[kind])
    batch, plan = _planned(scene)
    (said,) = cautions(scene, batch, plan)
    need = memory_need(scene, batch, plan)
    assert f"about {need.total / 1e9:.0f} GB" in said.text and f"{plan.slabs} slabs" in said.text
    depth = float(said.text.partition("particles within ")[2].partition(" µm")[0])
    batch, plan = _planned(_scene(kind, **HUGE[kind] | {"depth": depth - 0.6}))
    assert memory_need(scene, batch, plan).total < 8e9


def test_the_frame_that_is_named_fits(machine):
    scene = _scene("brightfield", **HUGE["brightfield"])
    batch, plan = _planned(scene)
    (said,) = cautions(scene, batch, plan)
    assert "source points" in said.text
    side = int(said.text.partition("a frame of at most ")[2].partition(" pixels")[0])
    small = _scene("brightfield", **HUGE["brightfield"] | {"rows": side})
    batch, plan = _planned(small)
    assert memory_need(small, batch, plan).total < 8e9


def test_a_draft_tells_of_the_image_at_rest(machine):
    scene = _scene("confocal", rows=1024, depth=40.0)
    batch, draft = _planned(scene, "draft")
    assert memory_need(scene, batch, draft).total < 8e9
    (said,) = cautions(scene, batch, draft)
    full = memory_need(scene, *_planned(scene)).total
    assert f"{full / 1e9:.2g} GB" in said.text
    machine(6e9)
    assert "this machine has 6 GB" in next(iter(cautions(scene, batch, draft))).text


def test_an_accuracy_that_costs_memory_can_be_taken_back(machine):
    scene = _scene(rows=1024, depth=60.0, accuracy="fine")
    (said,) = cautions(scene, *_planned(scene))
    assert said.remedy == {"numerics.accuracy": "auto"} and "numerics.accuracy = auto" in said.text


def test_fits_and_gradients_are_refused_alike(machine):
    import numpy as np

    scene = _scene(rows=128, depth=20.0)
    machine(1e7)
    with pytest.raises(SceneError, match="memory"):
        forward(scene, {"microscope.focus_um": 0.0})
    with pytest.raises((SceneError, ValueError), match="memory"):
        fit(np.ones((128, 128)), scene, ("particles[0].x_um",), start="scene")


def test_small_renders_say_nothing_and_it_is_told_before(machine):
    assert list(cautions(_scene(), *_planned(_scene()))) == []
    assert cautions in CHECKS
    huge = _scene(**HUGE["fluorescence"])
    assert any("GB of memory" in c.text for c in Renderer("cpu").foreseen(huge))


def test_the_machine_says_how_much_it_has(tmp_path, monkeypatch):
    whole = machine_bytes.__wrapped__(torch.device("cpu"))
    assert 1e8 < whole < 1e14
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    monkeypatch.setattr(memory, "_CGROUPS", (str(limit),))
    assert machine_bytes.__wrapped__(torch.device("cpu")) == 1e6
    limit.write_text("max\n")
    assert machine_bytes.__wrapped__(torch.device("cpu")) >= whole


MEASURE = """
import re, sys, osog
def peak():  # of this program alone: what getrusage says is inherited from the one that starts it
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])
scene = osog.Scene.load(sys.argv[1])
osog.render(scene.model_copy(update={"populations": ()}), device="cpu", seed=0)
before = peak()
osog.render(scene, device="cpu", seed=0)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes of the peak are Linux's")
@pytest.mark.parametrize("kind", ["fluorescence", "light_sheet"])
def test_the_estimate_is_what_a_render_takes(tmp_path, kind):
    scene = _scene(kind, rows=320, depth=60.0, accuracy="draft")
    places = [(32 * (k * 0.618 % 1), 32 * (k * 0.755 % 1), 0.3 * k - 30) for k in range(201)]
    beads = {
        "name": "p",
        "shape": {"kind": "sphere", "radius_um": 0.3},
        "particles": [{"x_um": x, "y_um": y, "z_um": z} for x, y, z in places],
    }
    scene = Scene.parse({**scene.to_dict(), "populations": [beads]})
    scene.save(tmp_path / "scene.yaml")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "scene.yaml")],
        capture_output=True,
        check=True,
    )
    peak = 1024 * int(done.stdout)
    assert 0.4 < peak / memory_need(scene, *_planned(scene)).total < 1.3
