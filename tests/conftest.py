"""What every test runs under: one thread, fixed seeds, a clean napari, no thread left behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before torch, numpy and napari are imported, or they have no effect.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("QT_API", "pyqt6")
# Layer attributes set from a worker thread raise instead of crashing the driver later.
os.environ.setdefault("NAPARI_ENSURE_PLUGIN_MAIN_THREAD", "1")
os.environ.setdefault("NAPARI_ASYNC", "0")
# Torch draws, unless a test asks for compiled loops: code that became ready would change roundings.
os.environ.setdefault("OSOG_COMPILED_LOOPS", "off")
# napari neither reads nor writes the settings of the user who runs the tests.
os.environ.setdefault("NAPARI_CONFIG", "")

import numpy as np
import pytest
import torch
from hypothesis import settings

from helpers import optical_bench
from helpers.particle_batch import particle_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from osog.sample import ParticleBatch

ROOT = Path(__file__).resolve().parents[1]
WINDOWS = ("napari", "plugin")
LONGEST = (
    "windows",
    "rendering/test_gradients.py",
    "examples/test_examples.py",
    "sample/test_bodies.py",
    "rendering/test_reuse.py",
    "fitting/test_fit.py",
    "docs/test_python_on_pages.py",
    "examples/test_yolo_recipe.py",
    "rendering/test_second_derivatives.py",
    "calibration/test_calibration.py",
    "exit_wave/test_compiled_loops.py",
    "tracking/test_many.py",
    "datasets/test_bodies.py",
    "rendering/test_pairs.py",
    "tracking/test_joint.py",
    "real/test_fits.py",
    "recognition/test_guess.py",
    "sample/test_aggregates.py",
    "datasets/test_export.py",
    "cli/test_commands.py",
    "benchmarks/test_gpu.py",
    "cli/test_streams.py",
    "datasets/test_workers.py",
    "packaging/test_distribution.py",
)
"""More than ten seconds each."""

torch.set_num_threads(1)

# The same examples in every run, and no time limit per example on a busy machine.
settings.register_profile("osog", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("osog")


def group_of(nodeid: str) -> str:
    """Name what one process does whole: all real windows, or a file of tests.

    Two processes on one display take the focus from each other's windows.
    """
    name = nodeid.split("::")[0].removeprefix("tests/")
    return "windows" if name.split("/")[0] in WINDOWS else name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process has long to do when the others end."""

    def place(item: pytest.Item) -> int:
        name = group_of(item.nodeid)
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the groups among processes; xdist's own marks for them do nothing with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log)


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Start each test from the same global random states, whatever ran before it."""
    torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    """Fail a test after which one of our threads (named ``osog-…``) is still alive."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5.0

    def ours() -> list[str]:
        return [
            thread.name
            for thread in threading.enumerate()
            if thread.name.startswith("osog-") and thread not in before and thread.is_alive()
        ]

    while ours() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not ours(), f"threads left running: {ours()}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def micrographs() -> Path:
    """The folder of real micrographs, which are not part of the repository.

    ``OSOG_TEST_DATA`` names it; without the variable it is ``../shared/data`` beside the
    repository. Tests that need it are skipped where it is absent.
    """
    named = os.environ.get("OSOG_TEST_DATA")
    folder = Path(named) if named else (ROOT / ".." / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip(f"no real micrographs at {folder}; OSOG_TEST_DATA may name their folder")
    return folder


@pytest.fixture
def make_batch() -> Callable[..., ParticleBatch]:
    """Batches built by hand, without scenes."""
    return particle_batch


@pytest.fixture(scope="session")
def bench() -> ModuleType:
    """The module with hand-made samples: ``bench.Bench(size=…).image(…)``."""
    return optical_bench
