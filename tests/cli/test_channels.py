"""The command line reads the plane that is asked for, and says what its file states of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
import yaml

import osog
from osog.cli import main
from osog.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

SCENE = {
    "grid": {"shape": [48, 48], "pixel_size_um": 0.1},
    "populations": [
        {
            "name": "bead",
            "shape": {"kind": "sphere", "radius_um": 0.5},
            "material": {"index": 1.45},
            "particles": [{"x_um": 2.4, "y_um": 2.4, "z_um": 1.0}],
        }
    ],
    "microscope": {"modality": {"kind": "hologram"}, "wavelength_um": 0.617},
}
XML = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
    '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="float" SizeX="48" SizeY="48" SizeZ="1"'
    ' SizeC="2" SizeT="1" PhysicalSizeX="0.1" PhysicalSizeY="0.2">'
    '<Channel ID="Channel:0:0" SamplesPerPixel="1" EmissionWavelength="461"/>'
    '<Channel ID="Channel:0:1" SamplesPerPixel="1" EmissionWavelength="617"/>'
    '<TiffData IFD="0" PlaneCount="2"/></Pixels></Image></OME>'
)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (("--channel", "1"), "The file agrees: wavelength 0.617 µm"),
        (("--page", "1"), "The file agrees: wavelength 0.617 µm"),
        ((), "The file says wavelength 0.461 µm"),
        (("--channel", "mean"), "0.461 and 0.617 as wavelength_um"),
    ],
)
def test_detect_says_of_each_channel_what_its_file_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], choice: tuple[str, ...], said: str
) -> None:
    image = osog.render(Scene.parse(SCENE), "cpu", 0).image.numpy()
    path, scene = tmp_path / "two.ome.tif", tmp_path / "scene.yaml"
    tifffile.imwrite(
        path, np.stack([image, image]), description=XML.encode(), metadata=None,
        photometric="minisblack",
    )  # fmt: skip
    scene.write_text(yaml.safe_dump(SCENE))
    arguments: list[Any] = ["detect", path, scene, "--out", tmp_path / "found.yaml", *choice]
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    told = " ".join(capsys.readouterr().err.split())
    assert caught.value.code == 0, told
    assert said in told
    assert "only square pixels can be rendered" in told
