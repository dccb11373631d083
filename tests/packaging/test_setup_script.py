"""The set-up stops early and clearly where it cannot go on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.skipif(
        sys.platform != "linux", reason="the make targets are for Debian and Ubuntu"
    ),
]


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """A copy of what the set-up reads, so that the environment of this run is left alone."""
    copy = tmp_path / "checkout"
    (copy / "scripts").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", "scripts/setup.sh"):
        shutil.copy(root / name, copy / name)
    return copy


def stub(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def set_up(checkout: Path, stubs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "scripts/setup.sh")],
        env={**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_old_python_is_refused_by_name(checkout: Path, tmp_path: Path) -> None:
    stub(tmp_path / "bin", "python3", '[ "$1" = --version ] && echo Python 3.9.2 && exit; exit 1')
    finished = set_up(checkout, tmp_path / "bin", PYTHON="python3")
    assert finished.returncode != 0
    assert "Python 3.9.2 is too old; OSOG needs Python 3.11 or newer" in finished.stderr


def test_missing_python_is_named(checkout: Path, tmp_path: Path) -> None:
    finished = set_up(checkout, tmp_path / "bin", PYTHON="python-that-is-not-there")
    assert finished.returncode != 0
    assert "no 'python-that-is-not-there' found" in finished.stderr


def test_without_root_the_one_command_is_printed(checkout: Path, tmp_path: Path) -> None:
    stubs = tmp_path / "bin"
    stub(stubs, "id", "echo 1000")
    stub(stubs, "sudo", "exit 1")
    stub(stubs, "dpkg-query", "echo installed libgl1")
    stub(stubs, "apt-get", 'echo "apt-get must not run" >&2; exit 1')
    stub(stubs, "apt-cache", "exit 1")
    finished = set_up(checkout, stubs, PYTHON=sys.executable)
    assert finished.returncode != 0
    (command,) = (line for line in finished.stderr.splitlines() if "sudo apt-get" in line)
    assert command.strip().startswith("sudo apt-get update && sudo apt-get install -y xvfb xauth")
    assert "libgl1 " not in command
    assert "apt-get must not run" not in finished.stderr
    assert not (checkout / ".venv").exists()


def test_with_sudo_the_missing_packages_are_installed(checkout: Path, tmp_path: Path) -> None:
    stubs = tmp_path / "bin"
    log = tmp_path / "log"
    stub(stubs, "id", "echo 1000")
    # `sudo -n true` asks whether it works; every other call is run as it stands.
    stub(stubs, "sudo", 'shift; exec "$@"')
    stub(stubs, "dpkg-query", "echo installed libgl1")
    stub(stubs, "apt-get", f'echo "$@" >> {log}; case "$*" in *install*) exit 1;; esac')
    stub(stubs, "apt-cache", '[ "$2" = libglib2.0-0t64 ]')
    finished = set_up(checkout, stubs, PYTHON=sys.executable)
    update, install = log.read_text().splitlines()
    assert update.endswith("update")
    assert "xvfb" in install
    assert install.endswith("libglib2.0-0t64")
    assert finished.returncode != 0
    assert "apt-get could not install: xvfb" in finished.stderr


def test_the_environment_is_made_from_the_groups_of_the_project(
    checkout: Path, tmp_path: Path
) -> None:
    stubs, log = tmp_path / "bin", tmp_path / "log"
    stub(stubs, "dpkg-query", "cat /dev/null")
    stub(stubs, "apt-get", "exit 0")
    stub(stubs, "apt-cache", "exit 1")
    stub(stubs, "id", "echo 0")
    stub(stubs, "nvidia-smi", "exit 1")
    # An interpreter that copies itself into the environment and writes down what pip is asked for.
    stub(
        stubs,
        "python3",
        f"""case "$1 $2" in
            "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
            "-m pip") shift 2; echo "$@" >> {log} ;;
            -c*importlib.metadata*) exit 1 ;;
            --version*) echo Python 3.12.1 ;;
        esac""",
    )
    finished = set_up(checkout, stubs, PYTHON="python3")
    assert finished.returncode == 0, finished.stderr
    upgrade, torch, everything = (
        # How loudly and how fast pip works is not what is held here.
        re.sub(r"^.*\binstall (?:-q |--no-compile )*", "", line)
        for line in log.read_text().splitlines()
    )
    assert upgrade == "--upgrade pip>=25.1"
    pinned = (checkout / "constraints.txt").read_text().strip()
    assert torch in (pinned, f"{pinned}+cpu"), "torch comes first, pinned"
    assert everything == "-c constraints.txt -e .[all] --group test --group lint"
    groups = tomllib.loads((checkout / "pyproject.toml").read_text())["dependency-groups"]
    assert {"test", "lint"} <= set(groups)
    log.unlink()
    assert set_up(checkout, stubs, PYTHON="python3").returncode == 0
    assert not log.exists(), "nothing has changed, so nothing is installed"
