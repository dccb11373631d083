"""What all formats promise."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from helpers.plain_format import contents
from osog.datasets import FORMATS, DatasetError

NAMES = [name for name in FORMATS if name != "plain"]


@pytest.mark.parametrize("name", NAMES)
def test_same_frames_give_the_same_bytes_wherever_and_whenever(name, write, tmp_path) -> None:
    kind = FORMATS[name].module
    if kind is not None and find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    first = contents(write(name))
    (tmp_path / name).rename(tmp_path / "elsewhere")
    assert contents(write(name)) == first
    assert len(first) >= 1


def test_names_and_extras_agree_with_the_package(root) -> None:
    import tomllib

    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for name, kind in FORMATS.items():
        assert kind.name == name and kind.title
        assert (kind.needs is None) == (kind.module is None)
        if kind.needs is not None:
            assert any(wanted.startswith(kind.module) for wanted in extras[kind.needs])


def test_a_missing_library_is_named(monkeypatch) -> None:
    monkeypatch.setattr("osog.datasets.formats.base.find_spec", lambda name: None)
    with pytest.raises(DatasetError, match=r"zarr; install napari-osog\[zarr\]"):
        FORMATS["ome-zarr"].check()
    FORMATS["yolo-obb"].check()
