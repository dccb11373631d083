from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def bench() -> ModuleType:
    """The module with hand-made samples: ``bench.Bench(size=…).image(…)``."""
    path = Path(__file__).parents[1] / "optics" / "bench.py"
    specification = importlib.util.spec_from_file_location("optics_bench", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["optics_bench"] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module
