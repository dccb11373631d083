"""What the targets of the Makefile give to the programs that they start."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
def test_compiled_modules_are_kept_whatever_the_environment_says(root: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "MAKEFLAGS"}
    shown = subprocess.run(
        ["make", "-s", "--eval", "probe: ; @env", "probe"],
        cwd=root, env=environment | {"PYTHONDONTWRITEBYTECODE": "1"}, check=True, timeout=60,
        capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    assert "LC_ALL=C.UTF-8" in shown
    assert not [line for line in shown if line.startswith("PYTHONDONTWRITEBYTECODE=")]
