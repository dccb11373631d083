"""The manifest is found by napari after each way of installing the distribution."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from npe2 import PluginManifest

pytestmark = pytest.mark.packaging

PACKAGED = "src/napari_osog/napari.yaml"

# Run by another interpreter: where is the manifest found, and by whose package?
LOOK = """
import importlib.metadata as metadata
from npe2 import PluginManifest
import napari_osog, osog
manifest = PluginManifest.from_distribution("napari-osog")
manifest.validate_imports()
print(napari_osog.__file__)
print(",".join(sorted(command.id for command in manifest.contributions.commands)))
print(osog.__version__ == metadata.version("napari-osog"))
"""


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Run a command and return what it printed; fail with all of its output."""
    finished = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Build the sdist, and the wheel from it, without a network, as a release does."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(root), cwd=out)
    return out


@pytest.fixture
def bare_environment(tmp_path: Path) -> Path:
    """Make an environment that has every dependency, but not our distribution.

    The packages of this environment are put on its path by a ``.pth`` file, less the files
    that an editable install of ours left there: links stand for all other entries.
    """
    home = tmp_path / "env"
    run(sys.executable, "-m", "venv", "--without-pip", str(home), cwd=tmp_path)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    dependencies = tmp_path / "dependencies"
    dependencies.mkdir()
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        name = entry.name.lower().replace("-", "_")
        if "napari_osog" not in name and name != "osog" and entry.suffix != ".pth":
            (dependencies / entry.name).symlink_to(entry)
    site = Path(
        run(
            str(python),
            "-c",
            "import sysconfig; print(sysconfig.get_paths()['purelib'])",
            cwd=tmp_path,
        ).strip()
    )
    (site / "dependencies.pth").write_text(f"{dependencies}\n")
    return python


def install(python: Path, *arguments: str, cwd: Path) -> None:
    run(
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        *arguments,
        cwd=cwd,
    )


def check_found(python: Path, cwd: Path, inside: Path) -> None:
    file, commands, same_version = run(
        str(python), "-c", LOOK, cwd=cwd, QT_QPA_PLATFORM="offscreen", PYTHONPATH=""
    ).splitlines()
    assert Path(file).resolve().is_relative_to(inside.resolve())
    assert {"napari-osog.simulate", "napari-osog.fit"} <= set(commands.split(","))
    assert same_version == "True"


def test_root_manifest_is_the_packaged_manifest(root: Path) -> None:
    assert (root / "napari.yaml").read_text() == (root / PACKAGED).read_text()
    manifest = PluginManifest.from_file(root / "napari.yaml")
    assert manifest.name == "napari-osog"
    assert manifest.contributions.widgets
    assert [widget.display_name for widget in manifest.contributions.widgets] == [
        "Simulate",
        "Fit",
        "Dataset",
    ]


def test_reader_claims_scene_files_only(root: Path) -> None:
    manifest = PluginManifest.from_file(root / "napari.yaml")
    patterns = [
        pattern
        for reader in manifest.contributions.readers or []
        for pattern in reader.filename_patterns
    ]
    assert patterns == ["*.osog.yaml"]


def test_every_command_of_the_manifest_can_be_imported() -> None:
    PluginManifest.from_distribution("napari-osog").validate_imports()


def test_wheel_holds_manifest_marker_and_presets(built: Path, root: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("napari_osog/napari.yaml").decode() == (root / PACKAGED).read_text()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        fields = Parser().parsestr(archive.read(metadata).decode())
    assert {"osog/py.typed", "napari_osog/py.typed"} <= names
    data = {
        path.relative_to(root / "src").as_posix()
        for path in (root / "src").rglob("*")
        if path.suffix in {".yaml", ".json", ".svg", ".png"}
    }
    assert data <= names
    pages = {
        f"napari_osog/manual/text/{path.relative_to(root / 'docs').as_posix()}"
        for path in (root / "docs").rglob("*.md")
    }
    assert pages == {name for name in names if name.startswith("napari_osog/manual/text/")}
    assert not [name for name in names if name.startswith("tests/")]
    assert "Framework :: napari" in fields.get_all("Classifier", [])
    assert fields["License-Expression"] == "BSD-3-Clause"


def test_no_qt_binding_in_the_base_dependencies(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        fields = Parser().parsestr(archive.read(metadata).decode())
    base = [line for line in fields.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert base
    assert not [line for line in base if line.lower().startswith(("pyqt5", "pyqt6", "pyside"))]
    assert not [line for line in base if line.startswith(("napari[", "ultralytics"))]


def test_sdist_holds_the_sources_and_both_manifests(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {PACKAGED, "napari.yaml", "pyproject.toml", "LICENSE", "README.md", "Makefile"} <= names


def test_manifest_is_found_after_installing_the_wheel(
    built: Path, bare_environment: Path, tmp_path: Path
) -> None:
    """The wheel was built from the sdist, as pip does with an sdist that it installs."""
    (wheel,) = built.glob("*.whl")
    install(bare_environment, str(wheel), cwd=tmp_path)
    check_found(bare_environment, tmp_path, inside=tmp_path / "env")


def test_manifest_is_found_after_an_editable_install(
    bare_environment: Path, tmp_path: Path, root: Path
) -> None:
    install(bare_environment, "--editable", str(root), cwd=tmp_path)
    check_found(bare_environment, tmp_path, inside=root / "src")
