"""A renderer and layers that stand in for the engine and for napari."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from napari_osog.live_controller import LiveController
from napari_osog.session import Session
from osog.cancellation import Cancelled
from osog.sample import sample
from osog.scene import Camera, Grid, Population, Scene


@dataclass(frozen=True)
class FakeWave:
    """Light that depends on the particles alone."""

    populations: Any
    seed: int

    def same_for(self, scene, seed):
        return (scene.populations, seed) == (self.populations, self.seed)


class FakeRenderer:
    """Renders a plane whose level is the focus; counts what it is asked for."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.calls: list[tuple[Scene, int, str | None]] = []
        self.threads: set[str] = set()
        self.grad_modes: set[bool] = set()
        self.warnings: list[Any] = []
        self.fails: Exception | None = None
        self.draft_seconds: float | None = None

    def render(self, scene, seed, accuracy=None, outputs=("image",), stop=None):
        self.calls.append((scene, seed, accuracy))
        self.threads.add(threading.current_thread().name)
        self.grad_modes.add(torch.is_grad_enabled())
        if self.fails is not None:
            raise self.fails
        own = accuracy == "draft" and self.draft_seconds is not None
        end = time.monotonic() + (self.draft_seconds if own else self.seconds)
        while time.monotonic() < end:
            if stop is not None and stop():
                raise Cancelled
            time.sleep(0.005)
        shape = scene.grid.shape
        image = torch.full(shape, scene.microscope.focus_planes_um[0])
        image[0, 0] += 1.0
        return SimpleNamespace(
            image=image,
            field=torch.ones(shape, dtype=torch.complex64),
            irradiance=image + 100,
            instances=torch.zeros(shape, dtype=torch.int32),
            particles=sample(scene, seed),
            explain="Fake | 1 ms",
            warnings=self.warnings,
            device="cpu",
            wave_inputs=FakeWave(scene.populations, seed),
        )


class FakeCompared:
    """Stands in for the layer of comparisons."""

    match: Any = None
    problem = ""
    pinned = False

    def __init__(self, layers):
        self.layers = layers

    def target_plane(self):
        return np.zeros((32, 32))

    def render_plane(self):
        return self.layers.shown[-1].image if self.layers.shown else None

    def refresh(self):
        pass


class FakeRegistry:
    """A viewer without layers."""

    viewer: Any = None

    def micrographs(self):
        return []

    def layer(self, role):
        return None

    def owns(self, layer):
        return False


@dataclass
class FakeLayers:
    """Keeps the pictures that it is shown."""

    shown: list[Any] = field(default_factory=list)
    sequences: list[Any] = field(default_factory=list)
    sequence_visible: bool = False
    metadata: Any = None

    def __post_init__(self):
        self.registry = FakeRegistry()
        self.compared = FakeCompared(self)
        nothing = SimpleNamespace(
            begin_motion=lambda: None, grip=lambda: None, draw_profile_line=lambda: None
        )
        self.render = self.particles = self.overlays = nothing

    def show(self, picture):
        self.shown.append(picture)

    def show_sequence(self, picture, metadata, *, visible=True):
        self.sequences.append(picture)
        self.sequence_visible = visible
        self.metadata = metadata

    def apply_view(self):
        pass

    def rest(self, metadata=None):
        self.metadata = metadata


def a_scene(**changes: Any) -> Scene:
    made = Scene(
        grid=Grid(shape=(32, 40), pixel_size_um=0.5),
        populations=(Population(name="beads", count=5),),
        camera=Camera(),
    )
    return made.model_copy(update=changes)


@pytest.fixture
def renderer() -> FakeRenderer:
    return FakeRenderer()


@pytest.fixture
def controller(qapp, renderer):
    made = LiveController(
        None,
        make=lambda device: renderer,
        viewer_layers=FakeLayers(),
        session=Session(a_scene(), seed=3),
    )
    made.live.max_rate = 1000.0
    yield made
    made.live.stop()
    made.stack_renderer.stop()
