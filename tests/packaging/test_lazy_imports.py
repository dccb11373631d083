"""What is not loaded before it is needed: help is there at once, and `import osog` costs nothing.

Modules are counted, since a clock says little on a busy machine.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import osog
from osog.cli.app import app

pytestmark = pytest.mark.packaging

HEAVY = {"torch", "numpy", "scipy", "skimage", "yaml", "PIL", "tifffile", "ome_types"}
COMMANDS = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]


def loaded(code: str) -> set[str]:
    """Modules that are there after a piece of code ran in a fresh interpreter."""
    end = "\nimport sys; sys.stderr.write(' '.join(sys.modules))"
    finished = subprocess.run(
        [sys.executable, "-c", code + end], capture_output=True, text=True, timeout=120, check=True
    )
    return set(finished.stderr.split())


def after_help(*commands: str) -> set[str]:
    lines = ["from osog.cli import main"]
    for command in commands:
        words = [*command.split(), "--help"]
        lines += ["try:", f"    main({words!r})", "except SystemExit:", "    pass"]
    return loaded("\n".join(lines))


@pytest.mark.parametrize("commands", [("",), COMMANDS], ids=["osog --help", "of every command"])
def test_help_loads_no_engine(commands: tuple[str, ...]) -> None:
    there = after_help(*commands)
    assert not there & HEAVY
    assert not {name for name in there if name.startswith(("osog.scene", "osog.rendering"))}
    assert len(there) < 600


def test_importing_osog_loads_nothing_else() -> None:
    there = loaded("import osog; assert osog.__version__")
    assert not there & (HEAVY | {"pydantic", "typer"})
    assert {name for name in there if name.startswith("osog.")} == {
        "osog._lazy", "osog._moved", "osog._runtime", "osog._version",
        "osog.fit", "osog.fit.errors", "osog.render",
    }  # fmt: skip


def test_scenes_are_read_without_torch() -> None:
    assert "torch" not in loaded("import osog; osog.presets.load('beads-hologram').to_dict()")


def test_a_name_comes_from_where_type_checkers_look_for_it() -> None:
    tree = ast.parse(Path(osog.__file__).read_text(encoding="utf-8"))
    (choice,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {
        (node.module, alias.name)
        for node in choice.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    (homes,) = (node for node in ast.walk(choice) if isinstance(node, ast.Dict))
    found = {(module, name) for module, names in ast.literal_eval(homes).items() for name in names}
    assert found == told
    assert {name for _, name in found} == set(osog.__all__) - {"__version__"}


def test_a_name_that_does_not_exist_is_said_to_be_missing() -> None:
    with pytest.raises(AttributeError, match="no attribute 'rendre'"):
        osog.rendre  # type: ignore[attr-defined]
    with pytest.raises(ImportError):
        from osog import rendre  # type: ignore[attr-defined]  # noqa: F401
    assert not hasattr(osog, "__wrapped__")
    assert osog.optics.__name__ == "osog.optics"  # type: ignore[attr-defined]


def test_an_error_inside_a_package_is_not_hidden() -> None:
    code = (
        "import sys, osog; sys.modules['yaml'] = None\n"
        "try: osog.presets\n"
        "except ModuleNotFoundError as error: assert error.name == 'yaml'\n"
        "else: raise SystemExit(1)"
    )
    assert "osog.scene.errors" in loaded(code)
