"""What `import osog` offers, and that its functions hide no module."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import osog
from osog._moved import MOVED

pytestmark = pytest.mark.packaging

SURFACE = {
    "FitError",
    "FitResult",
    "ForwardModel",
    "Frame",
    "Renderer",
    "Scene",
    "SceneError",
    "__version__",
    "calibrate",
    "datasets",
    "detect",
    "explicit",
    "fit",
    "fit_many",
    "guess_modality",
    "forward",
    "instruments",
    "io",
    "materials",
    "presets",
    "render",
    "render_many",
    "track",
}


def test_the_surface_is_what_is_listed() -> None:
    assert set(osog.__all__) == SURFACE
    assert dir(osog) == sorted(SURFACE)
    assert all(hasattr(osog, name) for name in SURFACE)


def test_functions_hide_no_module() -> None:
    for name in ("render", "render_many", "forward", "fit", "detect", "explicit"):
        assert inspect.isfunction(getattr(osog, name)), name
    for name in SURFACE - {moved.removeprefix("osog.") for moved in MOVED}:
        module = importlib.util.find_spec(f"osog.{name}")
        assert module is None or inspect.ismodule(getattr(osog, name)), name


def test_everything_public_is_documented() -> None:
    undocumented = [
        name
        for name in SURFACE - {"__version__"}
        if not (inspect.getdoc(getattr(osog, name)) or "").strip()
    ]
    assert not undocumented


def imports(code: str) -> set[str]:
    """Names of the modules that a piece of code imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_examples_import_nothing_deeper(root: Path) -> None:
    examples = sorted((root / "examples").rglob("*.py"))
    assert len(examples) > 10
    pieces = {path.name: path.read_text(encoding="utf-8") for path in examples}
    readme = (root / "README.md").read_text(encoding="utf-8")
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", readme, re.S)):
        pieces[f"README {number}"] = code
    for name, code in pieces.items():
        deeper = {module for module in imports(code) if module.startswith("osog.")}
        assert not deeper, f"{name}: {deeper}"
        # Nor is a package reached through the name osog.
        used = set(re.findall(r"\bosog\.(\w+)", code))
        assert used <= SURFACE, f"{name}: {used - SURFACE}"


def test_names_of_modules_that_have_moved_still_work() -> None:
    with pytest.warns(DeprecationWarning, match="from osog import ForwardModel"):
        from osog.render import ForwardModel  # type: ignore[import-not-found]
    with pytest.warns(DeprecationWarning, match="from osog import FitError"):
        from osog.fit.errors import FitError  # type: ignore[import-not-found]
    assert ForwardModel is osog.ForwardModel and FitError is osog.FitError
    assert callable(osog.render) and callable(osog.fit), "the functions keep their names"
    with pytest.raises(ImportError):
        from osog.render import nothing  # noqa: F401
