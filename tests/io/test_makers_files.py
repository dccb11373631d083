"""Every row on makers' files of the page on files, on a small file of that kind."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from helpers import makers_files, makers_tiffs, nikon
from osog.io import Known, MicrographError, optics_of, read_micrograph
from osog.io.metadata.makers.objective import of_objective
from osog.io.metadata.numbers import micrometres

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
ROWS: dict[str, Callable[[Path], None]] = {}
_RNG = np.random.default_rng(11)
STACK = _RNG.integers(0, 4000, (3, 2, 24, 31)).astype(np.uint16)  # Z, C, Y, X
PLANES = STACK.reshape(6, 24, 31)
GREY = PLANES[0]


def row(title: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Check of the row with this first column."""

    def keep(check: Callable[[Path], None]) -> Callable[[Path], None]:
        assert title not in ROWS
        ROWS[title] = check
        return check

    return keep


def titles() -> list[str]:
    """First columns of the tables on makers' files."""
    page = (ROOT / "docs" / "files.md").read_text("utf-8").split("## Makers' files")[1]
    first = re.findall(r"^\| (.+?) \|", page, re.M)
    return [t for t in first if t not in ("file", "stated", "---")]


def test_each_row_on_makers_files_has_its_check() -> None:
    assert sorted(titles()) == sorted(ROWS)


@pytest.mark.parametrize("title", titles())
def test_row(title: str, tmp_path: Path) -> None:
    ROWS[title](tmp_path)


def needs(module: str) -> None:
    pytest.importorskip(module, reason=f"the optional package {module} is not installed")


def numbers(path: Path, **choice: Any) -> dict[str, float]:
    """What is known, rounded to what people would write."""
    known = read_micrograph(path, **choice).known()
    return {name: float(f"{k.value:.9g}") for name, k in known.items()}


def same(path: Path, planes: Any, **choice: Any) -> None:
    for page, plane in enumerate(planes):
        np.testing.assert_array_equal(read_micrograph(path, page=page, **choice).image, plane)


# --- TIFFs --------------------------------------------------------------------------------------

_OIL_63 = {
    "pixel_size_um": 0.1, "numerical_aperture": 1.4, "magnification": 63.0,
    "immersion_index": 1.518,
}  # fmt: skip


@row("Zeiss LSM")
def _lsm(tmp: Path) -> None:
    path = makers_tiffs.lsm(tmp / "a.lsm", STACK)
    same(path, PLANES)
    assert numbers(path, page=2) == _OIL_63 | {"wavelength_um": 0.525}
    assert numbers(path, page=3) == _OIL_63 | {"wavelength_um": 0.61}
    found = read_micrograph(path, channel=1).wavelength_um
    assert found is not None and "middle of the detected band 580–640 nm" in found.source
    # A band too wide to have a middle; a detector that was off.
    path = makers_tiffs.lsm(tmp / "w.lsm", STACK, bands=((420, 700), (580, 640)))
    assert read_micrograph(path).wavelength_um == Known(0.488, "from LSM, excitation wavelength")
    path = makers_tiffs.lsm(tmp / "o.lsm", STACK, acquired=(1, 0))
    assert "wavelength_um" not in numbers(path)
    # Three channels are stored as red, green and blue, and are none.
    three = _RNG.integers(0, 255, (2, 3, 24, 31)).astype(np.uint16)
    path = makers_tiffs.lsm(
        tmp / "c.lsm", three, bands=((410, 480),) * 3, lasers=(405,) * 3, acquired=(1,) * 3
    )
    same(path, three.reshape(6, 24, 31))
    for nothing in (0.0, -1.0, 1.0, float("nan")):
        path = makers_tiffs.lsm(tmp / "n.lsm", STACK, voxel_m=nothing)
        assert "pixel_size_um" not in numbers(path)


@row("MetaMorph STK")
def _stk(tmp: Path) -> None:
    planes = STACK[:, 0]
    told = {"_MagNA_": 1.3, "_MagRI_": 1.515, "_MagSetting_": "40x Oil"}
    path = makers_tiffs.stk(tmp / "a.stk", planes, properties=told)
    same(path, planes)
    assert numbers(path, page=2) == {
        "pixel_size_um": 0.1, "numerical_aperture": 1.3, "immersion_index": 1.515,
        "magnification": 40.0, "wavelength_um": 0.525, "exposure_s": 0.25,
    }  # fmt: skip
    for calibration in ((0, 0.1, "um"), (1, 1.0, "pixel"), (1, 0.0, "um"), (1, 1.0, "")):
        path = makers_tiffs.stk(tmp / "u.stk", planes, calibration, waves=(0, 0, 0), notes="")
        assert numbers(path) == {}
    path = makers_tiffs.stk(tmp / "nm.stk", planes, (1, 65.0, "nm"), waves=(450, 525, 600))
    assert numbers(path) == {"pixel_size_um": 0.065, "exposure_s": 0.25}


@row("MetaXpress (MetaSeries)")
def _metaseries(tmp: Path) -> None:
    def xml(state: str, unit: str = "um") -> str:
        return (
            '<MetaData><PlaneInfo><prop id="Description" type="string" value="Exposure: 40 ms"/>'
            f'<prop id="spatial-calibration-state" type="bool" value="{state}"/>'
            '<prop id="spatial-calibration-x" type="float" value="0.65"/>'
            '<prop id="spatial-calibration-y" type="float" value="0.65"/>'
            f'<prop id="spatial-calibration-units" type="string" value="{unit}"/>'
            '<prop id="wavelength" type="float" value="447"/>'
            '<custom-prop id="_MagNA_" type="float" value="0.45"/>'
            '<custom-prop id="_MagSetting_" type="string" value="10X Plan Fluor"/>'
            "</PlaneInfo></MetaData>"
        )

    path = tmp / "m.tif"
    for state, unit in (("on", "um"), ("off", "um"), ("on", "pixel")):
        tifffile.imwrite(
            path, GREY, metadata=None, software="MetaSeries", description=xml(state, unit)
        )
        size = {"pixel_size_um": 0.65} if (state, unit) == ("on", "um") else {}
        assert numbers(path) == size | {
            "numerical_aperture": 0.45, "magnification": 10.0, "wavelength_um": 0.447,
            "exposure_s": 0.04,
        }  # fmt: skip


def _settings(exposure: float, **more: Any) -> dict[str, Any]:
    return {
        "PixelSizeUm": 0.1083,
        "Exposure-ms": exposure,
        "Camera": "sCMOS",
        "sCMOS-CONVERSION FACTOR COEFF": "0.46",
        "Other-CONVERSION FACTOR COEFF": "0.8",
        "TINosePiece-Label": "3-Plan Apo 60x NA 1.40 Oil",
    } | more


_MM = {
    "pixel_size_um": 0.1083, "numerical_aperture": 1.4, "magnification": 60.0,
    "immersion_index": 1.518, "gain_electrons_per_count": 0.46,
}  # fmt: skip


@row("Micro-Manager stack")
def _micromanager(tmp: Path) -> None:
    stack = np.stack([STACK, STACK + 1])
    each = [_settings(100), _settings(250)]
    names = {"ChNames": ["DAPI", "Cy3"]}
    path = makers_tiffs.micromanager(tmp / "a_MMStack_Pos0.ome.tif", stack, each, names)
    same(path, stack.reshape(12, 24, 31))
    assert numbers(path, page=6) == _MM | {"exposure_s": 0.1}
    assert numbers(path, page=7) == _MM | {"exposure_s": 0.25}
    assert numbers(path, channel="Cy3", page=4) == _MM | {"exposure_s": 0.25}
    # No calibration; two cameras and no word about which.
    each = [_settings(100, PixelSizeUm=0.0, Camera="")] * 2
    path = makers_tiffs.micromanager(tmp / "b_MMStack_Pos0.ome.tif", stack, each, {})
    found = numbers(path)
    assert "pixel_size_um" not in found and "gain_electrons_per_count" not in found


@row("Micro-Manager, one image a file")
def _micromanager_alone(tmp: Path) -> None:
    for entry in ("FrameKey-0-0-0", "Metadata-Default/img_t000.tif"):
        named = {"FileName": "img_t000.tif"} if entry.startswith("Frame") else {}
        import json

        (tmp / "metadata.txt").write_text(json.dumps({entry: _settings(80) | named}), "utf-8")
        tifffile.imwrite(tmp / "img_t000.tif", GREY, metadata=None)
        tifffile.imwrite(tmp / "img_t001.tif", GREY, metadata=None)
        assert numbers(tmp / "img_t000.tif") == _MM | {"exposure_s": 0.08}
        assert numbers(tmp / "img_t001.tif") == {}
    (tmp / "metadata.txt").write_text("{", "utf-8")
    assert numbers(tmp / "img_t000.tif") == {}


@row("Aperio SVS")
def _svs(tmp: Path) -> None:
    pixels = _RNG.integers(0, 255, (256, 320, 3)).astype(np.uint8)

    def write(header: str, words: str, image: Any = pixels) -> Path:
        tifffile.imwrite(
            tmp / "s.svs", image, metadata=None, photometric="rgb", tile=(128, 128),
            description=f"Aperio Image Library v11\r\n{header}|AppMag = 20|{words}",
        )  # fmt: skip
        return tmp / "s.svs"

    scan = "340x300 [10,20 320x256] (128x128) JPEG/RGB Q=70"
    path = write(scan, "MPP = 0.4990|Exposure Time = 109|Exposure Scale = 0.000001")
    np.testing.assert_array_equal(read_micrograph(path, channel=1).image, pixels[..., 1])
    assert numbers(path, channel=1) == {
        "pixel_size_um": 0.499, "magnification": 20.0, "exposure_s": 0.000109,
    }  # fmt: skip
    assert numbers(write(scan, "Left = 2"), channel=0) == {"magnification": 20.0}
    assert numbers(write(scan, "MPP = 0"), channel=0) == {"magnification": 20.0}
    # A smaller picture: as its words say, or silently.
    small = pixels[::2, ::2]
    path = write("340x300 [10,20 320x256] -> 160x128", "MPP = 0.4990", small)
    assert numbers(path, channel=0)["pixel_size_um"] == 0.998
    path = write(scan, "MPP = 0.4990", small)
    assert "pixel_size_um" not in numbers(path, channel=0)
    assert "320 pixels wide" in read_micrograph(path, channel=0).doubts["pixel_size_um"]


@row("Leica SCN")
def _scn(tmp: Path) -> None:
    pixels = _RNG.integers(0, 255, (128, 160, 3)).astype(np.uint8)
    xml = (
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
        '<collection sizeX="26000000" sizeY="76000000"><image>'
        '<pixels sizeX="160" sizeY="128"><dimension sizeX="160" sizeY="128" r="0" ifd="0"/>'
        '</pixels><view sizeX="80000" sizeY="64000" offsetX="0" offsetY="0"/>'
        "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings>"
        "<illuminationSettings><numericalAperture>0.4</numericalAperture>"
        "</illuminationSettings></scanSettings></image></collection></scn>"
    )
    tifffile.imwrite(
        tmp / "s.scn", pixels, metadata=None, photometric="rgb", tile=(64, 64), description=xml
    )
    assert numbers(tmp / "s.scn", channel=2) == {"pixel_size_um": 0.5, "magnification": 20.0}


@row("Hamamatsu NDPI")
def _ndpi(tmp: Path) -> None:
    pixels = _RNG.integers(0, 255, (128, 160, 3)).astype(np.uint8)
    for lens, expected in ((40.0, {"magnification": 40.0}), (-1.0, {})):
        makers_tiffs.ndpi(tmp / "h.ndpi", pixels, 0.2305, lens)
        same(tmp / "h.ndpi", [pixels[..., 2]], channel=2)
        found = numbers(tmp / "h.ndpi", channel=0)
        assert found.pop("pixel_size_um") == pytest.approx(0.2305, rel=1e-6)
        assert found == expected


@row("Olympus SIS")
def _sis(tmp: Path) -> None:
    path = makers_tiffs.sis(tmp / "s.tif", GREY, 1.08e-7, 60.0)
    same(path, [GREY])
    assert numbers(path) == {"pixel_size_um": 0.108, "magnification": 60.0}
    assert numbers(makers_tiffs.sis(tmp / "u.tif", GREY, 1.0, 0.0)) == {}


@row("Olympus FluoView TIFF")
def _fluoview(tmp: Path) -> None:
    same(makers_tiffs.fluoview(tmp / "f.tif", GREY, 0.2, "um"), [GREY])
    assert numbers(tmp / "f.tif") == {"pixel_size_um": 0.2}
    assert numbers(makers_tiffs.fluoview(tmp / "p.tif", GREY, 1.0, "Pixel")) == {}


@row("Andor TIFF")
def _andor(tmp: Path) -> None:
    tags = [(4864, 4, 1, 7, True), (4876, 12, 1, 0.03, True)]
    tifffile.imwrite(tmp / "a.tif", GREY, metadata=None, extratags=tags)
    assert numbers(tmp / "a.tif") == {"exposure_s": 0.03}


@row("FEI and Zeiss electron micrographs")
def _electrons(tmp: Path) -> None:
    for width, expected in ((31, {"pixel_size_um": 0.002}), (62, {})):
        words = f"[Scan]\r\nPixelWidth=2e-9\r\nPixelHeight=2e-9\r\n[Image]\r\nResolutionX={width}"
        tags = [(34682, 2, len(words), words, True)]
        tifffile.imwrite(tmp / "f.tif", GREY, metadata=None, extratags=tags)
        assert numbers(tmp / "f.tif") == expected
    words = "1\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 1.5 nm\r\n"
    words += "AP_PIXEL_SIZE\r\nPixel Size = 3.0 nm\r\n"
    tifffile.imwrite(
        tmp / "z.tif", GREY, metadata=None, extratags=[(34118, 2, len(words), words, True)]
    )
    assert numbers(tmp / "z.tif") == {"pixel_size_um": 0.0015}


# --- other files --------------------------------------------------------------------------------


@row("Zeiss CZI")
def _czi(tmp: Path) -> None:
    needs("pylibCZIrw")
    tiles = [(STACK[z, c], {"plane": {"C": c, "Z": z}}) for z in range(3) for c in range(2)]
    path = makers_files.czi(tmp / "a.czi", tiles, makers_files.czi_xml())
    same(path, PLANES)
    expected = _OIL_63 | {"immersion_index": 1.515}
    assert numbers(path, page=0) == expected | {"wavelength_um": 0.461, "exposure_s": 0.1}
    assert numbers(path, channel="dye 1") == expected | {
        "wavelength_um": 0.617, "exposure_s": 0.25,
    }  # fmt: skip
    lacking = [tile for tile in tiles if tile[1]["plane"] != {"C": 1, "Z": 1}]
    path = makers_files.czi(tmp / "l.czi", lacking, None)
    with pytest.raises(MicrographError, match="lacks the pixels of this plane"):
        read_micrograph(path, channel=1, page=1)
    xml = makers_files.czi_xml(None, ("NaN", -1), (0, "x"), "<LensNA>0</LensNA>", "")
    path = makers_files.czi(tmp / "n.czi", tiles, xml)
    assert numbers(path) == {k: v for k, v in _OIL_63.items() if k != "pixel_size_um"}
    # Tiles beside each other are one picture, scenes are planes of their own size.
    tiles = [
        (PLANES[0], {"scene": 0, "location": (0, 0)}),
        (PLANES[1], {"scene": 0, "location": (31, 0)}),
        (PLANES[2][:10, :12], {"scene": 1, "location": (200, 100)}),
    ]
    path = makers_files.czi(tmp / "s.czi", tiles, None)
    same(path, [np.hstack([PLANES[0], PLANES[1]]), PLANES[2][:10, :12]])
    rgb = _RNG.integers(0, 255, (24, 31, 3)).astype(np.uint8)
    path = makers_files.czi(tmp / "c.czi", [(rgb[..., ::-1], {})], None)  # it stores blue first
    for k in range(3):
        same(path, [rgb[..., k]], channel=k)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MicrographError, match="damaged or cut short"):
        read_micrograph(path, channel=0)


_LENS = 'ObjectiveName="HC PL APO 63x/1.40 OIL" NumericalAperture="1.4" Magnification="63"'


def _camera(waves: tuple[Any, ...]) -> str:
    channels = "".join(
        f'<WideFieldChannelInfo UserDefName="d{k}" EmissionWavelength="{w}"'
        f' ExposureTime="0.{k + 1}"/>'
        for k, w in enumerate(waves)
    )
    return (
        f'<ATLCameraSettingDefinition {_LENS} RefractionIndex="1.518">'
        f"<WideFieldChannelConfigurator>{channels}</WideFieldChannelConfigurator>"
        "</ATLCameraSettingDefinition>"
    )


def _confocal(active: str) -> str:
    detectors = "".join(
        f'<Detector Channel="{k + 1}" IsActive="{on}"/>' for k, on in enumerate(active)
    )
    bands = "".join(
        f'<MultiBand Channel="{k}" LeftWorld="{a}" RightWorld="{b}" DyeName="x{k}"/>'
        for k, a, b in ((1, 410, 480), (2, 500, 550), (3, 570, 640))
    )
    return (
        f'<ATLConfocalSettingDefinition {_LENS} Immersion="OIL">'
        f"<DetectorList>{detectors}</DetectorList><Spectro>{bands}</Spectro>"
        "</ATLConfocalSettingDefinition>"
    )


@row("Leica LIF")
def _lif(tmp: Path) -> None:
    needs("liffile")
    stack = np.moveaxis(STACK, 1, 0)  # C, Z, Y, X; stored depth by depth
    path = makers_files.lif(tmp / "a.lif", [(stack, _camera((460, 617)), 1e-7)])
    same(path, PLANES)
    assert numbers(path, page=0) == _OIL_63 | {"wavelength_um": 0.46, "exposure_s": 0.1}
    assert numbers(path, channel="d1", page=2) == _OIL_63 | {
        "wavelength_um": 0.617, "exposure_s": 0.2,
    }  # fmt: skip
    path = makers_files.lif(tmp / "c.lif", [(stack, _confocal("101"), 1e-7)])
    assert numbers(path, page=0) == _OIL_63 | {"wavelength_um": 0.445}
    assert numbers(path, page=1) == _OIL_63 | {"wavelength_um": 0.605}
    path = makers_files.lif(tmp / "n.lif", [(stack, _confocal("111"), 0.0)])
    assert numbers(path) == {k: v for k, v in _OIL_63.items() if k != "pixel_size_um"}
    # A layer may show any of several images: what they agree on is known.
    several = [(stack, _camera((460, 617)), 1e-7), (stack[:, :1], _camera((460, 617)), 2e-7)]
    path = makers_files.lif(tmp / "s.lif", several)
    assert numbers(path)["pixel_size_um"] == 0.1
    layer = optics_of(path=path, channel=1)
    assert layer.pixel_size_um is None and "0.1 and 0.2" in layer.doubts["pixel_size_um"]
    assert layer.wavelength_um is not None and layer.wavelength_um.value == 0.617
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MicrographError):
        read_micrograph(path, page=5)


@row("Olympus OIF and OIB")
def _oif(tmp: Path) -> None:
    needs("oiffile")
    stack = np.moveaxis(STACK, 1, 0)
    path = makers_files.oif(tmp / "a.oif", stack, (461, 0))
    same(path, stack.reshape(6, 24, 31))
    expected = {
        "pixel_size_um": 0.207, "numerical_aperture": 1.35, "magnification": 60.0,
        "immersion_index": 1.518,
    }  # fmt: skip
    assert numbers(path, channel=0) == expected | {"wavelength_um": 0.461}
    assert numbers(path, channel="dye 1") == expected | {"wavelength_um": 0.405}
    # 9999 is no aperture, and lines that follow each other in time are no rows.
    path = makers_files.oif(tmp / "u.oif", stack, (461, 520), width=1.0, aperture=9999, unit="ms")
    assert numbers(path, channel=0) == expected | {"pixel_size_um": 0.3, "wavelength_um": 0.461}
    oib = makers_files.oib(tmp / "a.oib", stack, (461, 520))
    same(oib, stack.reshape(6, 24, 31))
    assert numbers(oib, channel=1) == expected | {"wavelength_um": 0.52}
    path.with_name("u.oif.files").rename(tmp / "elsewhere")
    with pytest.raises(MicrographError, match=r"folder u\.oif\.files, which is missing"):
        read_micrograph(path)


@row("Nikon ND2")
def _nd2(tmp: Path) -> None:
    needs("nd2")
    path = nikon.nd2(tmp / "a.nd2", STACK)
    same(path, PLANES)
    expected = {
        "pixel_size_um": 0.11, "numerical_aperture": 1.4, "magnification": 60.0,
        "immersion_index": 1.515,
    }  # fmt: skip
    assert numbers(path, page=0) == expected | {"wavelength_um": 0.461, "exposure_s": 0.1}
    assert numbers(path, channel="dye 1", page=2) == expected | {
        "wavelength_um": 0.617, "exposure_s": 0.25,
    }  # fmt: skip
    same(path, STACK[:, 1], channel=1)
    del expected["pixel_size_um"]
    waves = {"wavelength_um": 0.461, "exposure_s": 0.1}
    for more in ({"calibrated": False}, {"pixel_um": 0.0}, {"axis": 2}):
        assert numbers(nikon.nd2(tmp / "u.nd2", STACK, **more)) == expected | waves
    path = nikon.nd2(tmp / "n.nd2", STACK, (0.0, -1.0), (0.0, 0.0), aperture=-1.0, index=0.0)
    assert numbers(path) == {"pixel_size_um": 0.11, "magnification": 60.0}
    with pytest.raises(MicrographError, match="lacks the pixels of this plane"):
        read_micrograph(nikon.nd2(tmp / "z.nd2", STACK * 0))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(MicrographError, match="damaged or cut short"):
        read_micrograph(path)


@row("without the package for a maker's file")
def _without(tmp: Path) -> None:
    for name, module, extra in (
        ("a.czi", "pylibCZIrw", "czi"),
        ("a.lif", "liffile", "lif"),
        ("a.oib", "oiffile", "oif"),
        ("a.nd2", "nd2", "nd2"),
    ):
        (tmp / name).write_bytes(b"bytes")
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            patch.delitem(sys.modules, f"{module}.czi", raising=False)
            words = rf'package {module}, .*pip install "napari-osog\[{extra}\]"'
            with pytest.raises(MicrographError, match=words):
                read_micrograph(tmp / name)


@pytest.mark.parametrize("unit", ["ms", "s", "ps", "ns", "px", "pixels"])
def test_times_and_pixels_are_no_lengths(unit: str) -> None:
    assert micrometres(unit) is None


def test_exposures_of_ome_planes_are_those_of_their_channel(tmp_path: Path) -> None:
    planes = "".join(
        f'<Plane TheZ="{z}" TheT="0" TheC="{c}" ExposureTime="{time}" ExposureTimeUnit="{unit}"/>'
        for z in range(2)
        for c, (time, unit) in enumerate(((40, "ms"), (0.2, "s"), (z + 1, "s"), (0, "s")))
    )
    channels = "".join(f'<Channel ID="Channel:0:{c}" SamplesPerPixel="1"/>' for c in range(4))
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="31" SizeY="24"'
        f' SizeZ="2" SizeC="4" SizeT="1">{channels}<TiffData IFD="0" PlaneCount="8"/>{planes}'
        "</Pixels></Image></OME>"
    )
    path = tmp_path / "e.ome.tif"
    stack = np.stack([GREY] * 8)
    tifffile.imwrite(path, stack, description=xml, metadata=None, photometric="minisblack")
    found = [numbers(path, channel=c).get("exposure_s") for c in range(4)]
    assert found == [0.04, 0.2, None, None]


def test_exposure_and_gain_are_told_beside_the_optics(tmp_path: Path) -> None:
    from osog.cli.fitting import opened
    from osog.scene import Scene

    stack = STACK[None]
    path = makers_tiffs.micromanager(
        tmp_path / "a_MMStack_Pos0.tif", stack, [_settings(100)] * 2, {}
    )
    scene = Scene.parse({"camera": {"gain_electrons_per_count": 50.0}})
    _, notes = opened(path, scene, None, 0)
    assert (True, "The file says gain 0.46 e⁻/count from Micro-Manager; the scene's 50 e⁻/count is "
            "used.") in notes  # fmt: skip
    assert (False, "The file says exposure 0.1 s from Micro-Manager.") in notes
    _, notes = opened(path, Scene.parse({"camera": None}), None, 0)
    assert not any("gain" in words for _, words in notes)


@pytest.mark.parametrize(
    ("name", "magnification", "aperture", "index"),
    [
        ("Plan-Apochromat 63x/1.40 Oil DIC M27", 63.0, 1.4, 1.518),
        ("EC Plan-Neofluar 10x/0.30 M27", 10.0, 0.3, None),
        ("C-Apochromat 40x/1.20 W Korr", 40.0, 1.2, 1.333),
        ("UPLSAPO   60X O  NA:1.35", 60.0, 1.35, 1.518),
        ("Plan Apo VC 100x Oil", 100.0, None, 1.518),
        ("LD LCI Plan-Apochromat 25x/0.8 Imm Corr Water Oil", 25.0, 0.8, None),
        ("1-Nikon 4x NA 0,13", 4.0, 0.13, None),
        ("Objective 3", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_the_name_of_an_objective_is_its_engraving(
    name: Any, magnification: Any, aperture: Any, index: Any
) -> None:
    found = of_objective(name, "from a test")
    values = (found.magnification, found.numerical_aperture, found.immersion_index)
    assert [v and v.value for v in values] == [magnification, aperture, index]
