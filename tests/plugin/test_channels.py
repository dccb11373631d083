"""A layer has the optics of the channel that it shows, and says why a number is unknown."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Image
from ome_types import from_xml

from napari_osog.micrographs import doubts, facts, optics

PICTURE = np.random.default_rng(0).random((24, 31)).astype(np.float32)
XML = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
    '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="float" SizeX="31" SizeY="24" SizeZ="1"'
    ' SizeC="2" SizeT="1" PhysicalSizeX="0.1" PhysicalSizeY="{height}">'
    '<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1" EmissionWavelength="461"/>'
    '<Channel ID="Channel:0:1" Name="mCherry" SamplesPerPixel="1" EmissionWavelength="617"/>'
    "<MetadataOnly/></Pixels></Image></OME>"
)


@pytest.mark.parametrize("as_text", [True, False])
def test_the_wavelength_is_that_of_the_channel_whose_name_the_layer_bears(as_text):
    text = XML.format(height=0.1)
    metadata = {"ome_metadata": text if as_text else from_xml(text)}
    for name, wave in (("cells :: DAPI", 0.461), ("mCherry", 0.617)):
        layer = Image(PICTURE, name=name, metadata=metadata)
        assert optics(layer)["wavelength_um"].value == pytest.approx(wave)
        assert doubts(layer) == {}
    unnamed = Image(PICTURE, name="cells", metadata=metadata)
    assert "wavelength_um" not in optics(unnamed)
    assert "0.461 and 0.617" in doubts(unnamed)["wavelength_um"]
    second = Image(PICTURE, name="cells", metadata={**metadata, "channel": 1})
    assert optics(second)["wavelength_um"].value == pytest.approx(0.617)


def test_names_that_say_nothing_choose_no_channel():
    for names, layer, wave in (
        (("1", "2"), "cells 1", None),
        (("a", "b"), "a", 0.461),
        (("GFP", "GFP-2"), "cells :: GFP-2", 0.617),
        (("GFP", "GFP-2"), "cells :: GFP", 0.461),
        (("GFP", "GFP"), "GFP", None),
        (("in", "out"), "training", None),
    ):
        text = XML.format(height=0.1)
        for old, new in zip(("DAPI", "mCherry"), names, strict=True):
            text = text.replace(f'Name="{old}"', f'Name="{new}"')
        known = optics(Image(PICTURE, name=layer, metadata={"ome_metadata": text}))
        found = known.get("wavelength_um")
        assert (None if found is None else found.value) == (wave and pytest.approx(wave)), names


def test_pixels_that_a_file_states_as_oblong_are_said_in_words():
    layer = Image(PICTURE, name="DAPI", metadata={"ome_metadata": XML.format(height=0.2)})
    assert "pixel_size_um" not in optics(layer)
    assert "only square pixels can be rendered" in doubts(layer)["pixel_size_um"]


def test_the_panel_says_why_a_number_is_unknown(qtbot):
    from napari_osog.panels.compare import CompareSection
    from osog.scene import Scene

    said = []
    panel = SimpleNamespace(
        session=SimpleNamespace(scene=Scene.parse({}), target=None, source=lambda _: ""),
        sources=SimpleNamespace(setText=said.append, setVisible=lambda _: None),
        missing=SimpleNamespace(ask=lambda _: None),
    )
    layer = Image(PICTURE, name="x", metadata={"ome_metadata": XML.format(height=0.2)})
    panel._show_sources = lambda: CompareSection._show_sources(panel)
    CompareSection._tell_known(panel, optics(layer), doubts(layer))
    assert "pixel size unknown: using" in said[-1]
    assert "0.1 × 0.2 µm" in said[-1] and "0.461 and 0.617" in said[-1]


def test_what_sets_nothing_in_the_scene_is_told_all_the_same():
    text = XML.format(height=0.1).replace(
        "<MetadataOnly/>",
        '<MetadataOnly/><Plane TheC="1" TheZ="0" TheT="0" ExposureTime="0.04"/>',
    )
    assert facts(Image(PICTURE, name="mCherry", metadata={"ome_metadata": text})) == [
        "exposure 0.04 s (from OME-XML)"
    ]
    assert facts(Image(PICTURE, name="DAPI", metadata={"ome_metadata": text})) == []
