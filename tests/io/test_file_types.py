"""Every row of the page on files, on a small file of that kind."""

from __future__ import annotations

import re
import struct
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from osog.io import Known, MicrographError, optics_of, read_micrograph

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
ROWS: dict[str, Callable[[Path], None]] = {}
_RNG = np.random.default_rng(3)
GREY = _RNG.integers(0, 4000, (24, 31)).astype(np.uint16)
BYTES = (GREY % 256).astype(np.uint8)
RGB = _RNG.integers(0, 255, (24, 31, 3)).astype(np.uint8)


def row(title: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Check of the row with this first column."""

    def keep(check: Callable[[Path], None]) -> Callable[[Path], None]:
        assert title not in ROWS
        ROWS[title] = check
        return check

    return keep


def titles() -> list[str]:
    """First columns of the tables on the page."""
    page = (ROOT / "docs" / "files.md").read_text("utf-8")
    page = page.split("## Makers' files")[0]
    first = re.findall(r"^\| (.+?) \|", page, re.M)
    return [t for t in first if t not in ("file", "stated", "---")]


def test_each_row_of_the_page_has_its_check() -> None:
    assert sorted(titles()) == sorted(ROWS)


@pytest.mark.parametrize("title", titles())
def test_row(title: str, tmp_path: Path) -> None:
    ROWS[title](tmp_path)


def same(path: Path, expected: Any, **choice: Any) -> None:
    np.testing.assert_array_equal(read_micrograph(path, **choice).image, expected)


def refused(path: Path, words: str, **choice: Any) -> None:
    with pytest.raises(MicrographError, match=words) as caught:
        read_micrograph(path, **choice)
    assert "\n" not in str(caught.value)


def ome_xml(
    waves: tuple[Any, ...] = (520,),
    size: tuple[Any, Any] = (65, 65),
    objective: str = 'LensNA="1.4" NominalMagnification="63" Immersion="Oil"',
    index: str = 'RefractiveIndex="1.515"',
    unit: str = "nm",
    order: str = "XYZCT",
    depths: int = 1,
) -> str:
    channels = "".join(
        f'<Channel ID="Channel:0:{k}" Name="dye {k}" SamplesPerPixel="1" EmissionWavelength="{w}"/>'
        for k, w in enumerate(waves)
    )
    return (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Instrument ID="Instrument:0"><Objective ID="Objective:0" {objective}/></Instrument>'
        f'<Image ID="Image:0"><ObjectiveSettings ID="Objective:0" {index}/>'
        f'<Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint16" SizeX="31" SizeY="24"'
        f' SizeZ="{depths}" SizeC="{len(waves)}" SizeT="1" PhysicalSizeX="{size[0]}"'
        f' PhysicalSizeY="{size[1]}" PhysicalSizeXUnit="{unit}" PhysicalSizeYUnit="{unit}">'
        f'{channels}<TiffData IFD="0" PlaneCount="{len(waves) * depths}"/></Pixels></Image></OME>'
    )


def ome_tiff(path: Path, xml: str, pixels: Any = GREY, **more: Any) -> Path:
    tifffile.imwrite(
        path, pixels, description=xml.encode(), metadata=None, photometric="minisblack", **more
    )
    return path


def value(path: Path, name: str = "pixel_size_um", **choice: Any) -> float | None:
    known: Known | None = getattr(read_micrograph(path, **choice), name)
    return None if known is None else known.value


def _several_images() -> bytes:
    """OME-XML of two images; the first is the second page."""
    images = "".join(
        f'<Image ID="Image:{i}"><Pixels ID="Pixels:{i}" DimensionOrder="XYZCT" Type="uint16"'
        f' SizeX="31" SizeY="24" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="{size}"'
        f' PhysicalSizeY="{size}"><Channel ID="Channel:{i}:0" SamplesPerPixel="1"'
        f' EmissionWavelength="{wave}"/><TiffData IFD="{1 - i}" PlaneCount="1"/></Pixels></Image>'
        for i, (size, wave) in enumerate(((0.1, 500), (0.2, 600)))
    )
    return f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>'.encode()


# --- what is read -------------------------------------------------------------------------------


@row("OME-TIFF")
def _ome(tmp: Path) -> None:
    stack = _RNG.integers(0, 4000, (3, 2, 24, 31)).astype(np.uint16)
    xml = ome_xml((461, 617), order="XYCZT", depths=3)
    path = ome_tiff(tmp / "a.ome.tif", xml, stack)
    for page in range(6):
        found = read_micrograph(path, page=page)
        np.testing.assert_array_equal(found.image, stack.reshape(6, 24, 31)[page])
        assert found.wavelength_um == Known(
            pytest.approx((0.461, 0.617)[page % 2]), "from OME-XML, emission wavelength"
        )
    found = read_micrograph(path, channel=1, page=2)
    np.testing.assert_array_equal(found.image, stack[2, 1])
    assert found.wavelength_um is not None and found.wavelength_um.value == pytest.approx(0.617)
    assert found.pixel_size_um == Known(pytest.approx(0.065), "from OME-XML")
    assert found.numerical_aperture == Known(1.4, "from OME-XML")
    assert found.immersion_index == Known(1.515, "from OME-XML")
    assert found.magnification == Known(63.0, "from OME-XML")
    same(path, stack[1, 1], channel="dye 1", page=1)
    mean = read_micrograph(path, channel="mean", page=1)
    np.testing.assert_allclose(mean.image, stack[1].mean(axis=0))
    assert mean.wavelength_um is None and "0.461 and 0.617" in mean.doubts["wavelength_um"]
    several = _several_images()
    tifffile.imwrite(
        path, stack[:2, 0], description=several, metadata=None, photometric="minisblack"
    )
    assert read_micrograph(path).known() == {
        "pixel_size_um": Known(0.1, "from OME-XML"),
        "wavelength_um": Known(0.5, "from OME-XML, emission wavelength"),
    }
    same(path, stack[1, 0])
    # Where the first image is lost, its numbers are not those of the second.
    lost = several.replace(b'IFD="1"', b'IFD="7"')
    tifffile.imwrite(path, stack[:2, 0], description=lost, metadata=None, photometric="minisblack")
    same(path, stack[0, 0])
    assert read_micrograph(path).known() == {}
    assert set(read_micrograph(path).doubts) == {"pixel_size_um", "wavelength_um"}
    oil = ome_tiff(tmp / "oil.ome.tif", ome_xml(index=""))
    assert read_micrograph(oil).immersion_index == Known(1.518, "from OME-XML, immersion oil")


@row("ImageJ TIFF")
def _imagej(tmp: Path) -> None:
    stack = _RNG.integers(0, 4000, (2, 3, 2, 24, 31)).astype(np.uint16)
    path = tmp / "h.tif"
    for unit, size in {
        "um": 0.1, "micron": 0.1, "microns": 0.1, "\\u00B5m": 0.1, "\\u03BCm": 0.1, "nm": 1e-4,
        "mm": 100.0,
    }.items():  # fmt: skip
        tifffile.imwrite(
            path, stack, imagej=True, resolution=(10, 10), metadata={"axes": "TZCYX", "unit": unit}
        )
        assert value(path, page=11) == pytest.approx(size), unit
    same(path, stack.reshape(-1, 24, 31)[11], page=11)
    same(path, stack[1, 2, 0], channel=0, page=5)
    for unit in ("µm", "μm"):
        for encoding in ("utf-8", "latin-1"):
            if unit == "μm" and encoding == "latin-1":
                continue
            words = f"ImageJ=1.54f\nunit={unit}\n".encode(encoding)
            tifffile.imwrite(path, GREY, description=words, metadata=None, resolution=(10, 10))
            assert read_micrograph(path).pixel_size_um == Known(
                pytest.approx(0.1), "from ImageJ resolution in µm"
            )
    words = b"ImageJ=1.54f\nunit=um\ncf=0\nc0=-32768.0\nc1=1.0\nvunit=gray value\n"
    tifffile.imwrite(path, GREY + 30_000, description=words, metadata=None)
    same(path, GREY.astype(float) - 2768)
    words = b"ImageJ=1.54f\nunit=um\nyunit=nm\n"
    tifffile.imwrite(path, GREY, description=words, metadata=None, resolution=(10, 0.01))
    assert value(path) == pytest.approx(0.1)


@row("TIFF of any other program")
def _plain(tmp: Path) -> None:
    stack = _RNG.integers(0, 4000, (5, 24, 31)).astype(np.uint16)
    path = tmp / "p.tif"
    for unit, per in (("CENTIMETER", 1e4), ("INCH", 25400.0)):
        dots = per / 0.1
        tifffile.imwrite(path, stack, metadata=None, resolution=(dots, dots), resolutionunit=unit)
        same(path, stack[3], page=3)
        assert read_micrograph(path).pixel_size_um == Known(
            pytest.approx(0.1), "from TIFF resolution tags"
        )
    narrow = _RNG.integers(0, 255, (6, 24, 3)).astype(np.uint8)
    for metadata in (None, {}):
        tifffile.imwrite(path, narrow, metadata=metadata, photometric="minisblack")
        same(path, narrow[4], page=4)


@row("BigTIFF")
def _big(tmp: Path) -> None:
    for name in ("a.btf", "a.tf8", "a.tif"):
        tifffile.imwrite(
            tmp / name, GREY, bigtiff=True, resolution=(1e5, 1e5), resolutionunit="CENTIMETER"
        )
        same(tmp / name, GREY)
        assert value(tmp / name) == pytest.approx(0.1)


@row("TIFF, compressed")
def _compressed(tmp: Path) -> None:
    lossless = ("lzw", "deflate", "packbits", "lzma", "zstd", "jpeg2000", "jpegxl", "webp", "png")
    for codec in (*lossless, "lerc"):
        tifffile.imwrite(tmp / "c.tif", RGB, photometric="rgb", compression=codec)
        same(tmp / "c.tif", RGB[..., 1], channel=1)
    for codec in ("lzw", "deflate", "zstd"):
        tifffile.imwrite(tmp / "t.tif", GREY, compression=codec, predictor=True, tile=(16, 16))
        same(tmp / "t.tif", GREY)
    Image.fromarray(BYTES).save(tmp / "p.tif", compression="tiff_lzw")
    same(tmp / "p.tif", BYTES)
    numbers = _RNG.normal(size=(24, 31)).astype(np.float32)
    tifffile.imwrite(tmp / "f.tif", numbers, compression="deflate", predictor=3)
    same(tmp / "f.tif", numbers)
    rows, columns = np.mgrid[:64, :48]
    smooth = np.stack([rows * 3, columns * 4, rows + columns], axis=-1).astype(np.uint8)
    tifffile.imwrite(
        tmp / "j.tif", smooth, photometric="rgb", compression="jpeg", compressionargs={"level": 98}
    )
    for k in range(3):
        back = read_micrograph(tmp / "j.tif", channel=k).image
        assert np.abs(back - smooth[..., k]).mean() < 3


@row("TIFF in colour")
def _colour(tmp: Path) -> None:
    stack = _RNG.integers(0, 255, (4, 24, 31, 3)).astype(np.uint8)
    planes = np.moveaxis(stack, -1, 1).copy()
    alpha = np.concatenate([RGB, BYTES[..., None]], axis=-1)
    for options in ({}, {"metadata": None}, {"ome": True}):
        tifffile.imwrite(tmp / "c.tif", stack, photometric="rgb", **options)
        tifffile.imwrite(
            tmp / "p.tif", planes, photometric="rgb", planarconfig="separate", **options
        )
        tifffile.imwrite(tmp / "a.tif", alpha, photometric="rgb", extrasamples=[2], **options)
        for name in ("c.tif", "p.tif"):
            refused(tmp / name, r"colour image .* channel = 0, 1 or 2", page=1)
            for k in range(3):
                same(tmp / name, stack[2, ..., k], channel=k, page=2)
        same(tmp / "a.tif", RGB.astype(float).mean(-1), channel="mean")
    # Planes of colours that a program calls channels stay colours.
    words = b"ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n"
    tifffile.imwrite(
        tmp / "j.tif", planes[0], photometric="rgb", planarconfig="separate", metadata=None,
        description=words,
    )  # fmt: skip
    refused(tmp / "j.tif", "colour image")
    same(tmp / "j.tif", planes[0][2], channel=2)
    tifffile.imwrite(tmp / "same.tif", np.repeat(BYTES[None], 3, 0), photometric="rgb",
                     planarconfig="separate")  # fmt: skip
    same(tmp / "same.tif", BYTES)


@row("TIFF with transparency")
def _transparent(tmp: Path) -> None:
    both = np.stack([BYTES, 255 - BYTES])
    for pixels, layout in ((both, "separate"), (np.moveaxis(both, 0, -1), "contig")):
        tifffile.imwrite(
            tmp / "a.tif", pixels.copy(), photometric="minisblack", planarconfig=layout,
            extrasamples=["unassalpha"],
        )  # fmt: skip
        same(tmp / "a.tif", BYTES)
        refused(tmp / "a.tif", "channel = 1 must be left out", channel=1)
    Image.fromarray(np.moveaxis(both, 0, -1).copy(), "LA").save(tmp / "la.tif")
    same(tmp / "la.tif", BYTES)


@row("TIFF with several numbers a pixel")
def _samples(tmp: Path) -> None:
    for count in (2, 3, 5):
        pixels = _RNG.integers(0, 255, (24, 31, count)).astype(np.uint8)
        for array, layout in ((pixels, "contig"), (np.moveaxis(pixels, -1, 0).copy(), "separate")):
            tifffile.imwrite(
                tmp / "s.tif", array, photometric="minisblack", planarconfig=layout, metadata=None
            )
            refused(tmp / "s.tif", f"{count} numbers a pixel .* choose channel")
            same(tmp / "s.tif", pixels[..., count - 1], channel=count - 1)


@row("TIFF with white as 0")
def _white(tmp: Path) -> None:
    for array, light in (
        (BYTES, 255 - BYTES),
        (GREY, 65535 - GREY),
        (GREY.astype(np.int16), -1 - GREY.astype(np.int16)),
        (BYTES > 99, BYTES <= 99),
    ):
        tifffile.imwrite(tmp / "w.tif", array, photometric="miniswhite")
        same(tmp / "w.tif", light)
    Image.fromarray(BYTES > 99).save(tmp / "one.tif")
    same(tmp / "one.tif", BYTES > 99)
    few = (BYTES % 16).astype(np.uint8)
    tifffile.imwrite(tmp / "four.tif", few, bitspersample=4, photometric="miniswhite")
    same(tmp / "four.tif", 15 - few)


@row("TIFF with a palette")
def _palette(tmp: Path) -> None:
    colours = _RNG.integers(0, 65535, (3, 256)).astype(np.uint16)
    tifffile.imwrite(tmp / "p.tif", BYTES, photometric="palette", colormap=colours)
    refused(tmp / "p.tif", "colour image")
    same(tmp / "p.tif", colours[2][BYTES], channel=2)
    ramp = np.repeat(np.arange(256, dtype=np.uint16)[None, ::-1] * 257, 3, axis=0)
    tifffile.imwrite(tmp / "grey.tif", BYTES, photometric="palette", colormap=ramp)
    same(tmp / "grey.tif", ramp[0][BYTES])
    tifffile.imwrite(tmp / "ij.tif", BYTES, imagej=True, colormap=colours)
    same(tmp / "ij.tif", BYTES)


@row("PNG")
def _png(tmp: Path) -> None:
    path = tmp / "a.png"
    for grey in (BYTES, GREY, BYTES > 99):
        Image.fromarray(grey).save(path)
        same(path, grey)
    Image.fromarray(np.dstack([BYTES, 255 - BYTES]), "LA").save(path)
    same(path, BYTES)
    Image.fromarray(np.dstack([RGB, BYTES])).save(path)
    refused(path, "colour image")
    same(path, RGB[..., 2], channel=2)
    painted = Image.fromarray(RGB).quantize(16)
    painted.save(path)
    same(path, np.asarray(painted.convert("RGB"))[..., 1], channel=1)
    for samples in (2, 3, 4):
        deep = _RNG.integers(0, 65535, (24, 31, samples)).astype(np.uint16)
        path.write_bytes(imagecodecs.png_encode(deep))
        if samples == 2:
            same(path, deep[..., 0])
        else:
            same(path, deep[..., 1], channel=1)
    frames = [Image.fromarray((BYTES + k).astype(np.uint8)) for k in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    same(path, np.asarray(frames[2]), page=2)
    exif = Image.Exif()
    exif[0x010E] = "Plan Apo 60x Numerical Aperture: 1.27 Refractive Index: 1.333"
    Image.fromarray(BYTES).save(path, exif=exif)
    assert read_micrograph(path).known() == {
        "numerical_aperture": Known(1.27, "from EXIF"),
        "immersion_index": Known(1.333, "from EXIF"),
    }


@row("JPEG")
def _jpeg(tmp: Path) -> None:
    path = tmp / "a.jpg"
    rows, columns = np.mgrid[:64, :48]
    smooth = np.stack([rows * 3, columns * 4, rows + columns], axis=-1).astype(np.uint8)
    Image.fromarray(smooth[..., 0]).save(path, quality=95, dpi=(300, 300))
    assert np.abs(read_micrograph(path).image - smooth[..., 0]).max() < 8
    assert read_micrograph(path).known() == {}
    Image.fromarray(smooth).save(path, quality=95)
    refused(path, "colour image")
    assert np.abs(read_micrograph(path, channel=1).image - smooth[..., 1]).mean() < 5
    inks = Image.fromarray(smooth).convert("CMYK")
    inks.save(path, quality=95)
    assert np.abs(read_micrograph(path, channel=1).image - smooth[..., 1]).mean() < 5


@row("BMP")
def _bmp(tmp: Path) -> None:
    path = tmp / "a.bmp"
    Image.fromarray(BYTES).save(path)
    same(path, BYTES)
    Image.fromarray(RGB).save(path)
    same(path, RGB[..., 0], channel=0)
    painted = Image.fromarray(RGB).quantize(16)
    painted.save(path)
    same(path, np.asarray(painted.convert("RGB"))[..., 1], channel=1)


@row("NPY")
def _npy(tmp: Path) -> None:
    path = tmp / "a.npy"
    stack = _RNG.normal(size=(2, 5, 24, 31))
    np.save(path, stack)
    same(path, stack[1, 3], page=8)
    np.save(path, RGB)
    same(path, RGB[..., 2], channel=2)
    for count in (1, 2, 5):
        pixels = _RNG.normal(size=(24, 31, count))
        np.save(path, pixels)
        if count == 1:
            same(path, pixels[..., 0])
        else:
            refused(path, f"{count} numbers a pixel")
            same(path, pixels[..., 1], channel=1)


# --- what is stated and not used ----------------------------------------------------------------


@row("pixels that are not square")
def _not_square(tmp: Path) -> None:
    paths = [ome_tiff(tmp / "a.ome.tif", ome_xml(size=(0.1, 0.2), unit="µm"))]
    # The lesser source must not fill what the better one knows to be wrong.
    paths += [
        ome_tiff(
            tmp / "b.ome.tif", ome_xml(size=(0.1, 0.2), unit="µm"), resolution=(1e5, 1e5),
            resolutionunit="CENTIMETER",
        )
    ]  # fmt: skip
    tifffile.imwrite(tmp / "c.tif", GREY, resolution=(1e5, 5e4), resolutionunit="CENTIMETER")
    tifffile.imwrite(tmp / "d.tif", GREY, imagej=True, resolution=(10, 5), metadata={"unit": "um"})
    for path in (*paths, tmp / "c.tif", tmp / "d.tif"):
        found = read_micrograph(path)
        assert found.pixel_size_um is None
        assert "0.1 × 0.2 µm" in found.doubts["pixel_size_um"]
        assert "only square pixels can be rendered" in found.doubts["pixel_size_um"]
    layer = optics_of({}, None, (0.2, 0.1), ("um", "um"))
    assert layer.pixel_size_um is None and "square" in layer.doubts["pixel_size_um"]


@row("channels of different wavelengths, and none is chosen")
def _wavelengths(tmp: Path) -> None:
    xml = ome_xml((461, 617))
    path = ome_tiff(tmp / "two.ome.tif", xml, np.stack([GREY, GREY[::-1]]))
    for stated in ({"path": path}, {"metadata": {"ome_metadata": xml}}):
        found = optics_of(**stated)  # type: ignore[arg-type]
        assert found.wavelength_um is None and found.pixel_size_um is not None
        assert "0.461 and 0.617" in found.doubts["wavelength_um"]
        for k, wave in enumerate((0.461, 0.617)):
            for choice in (
                {"channel": k}, {"channel": f"dye {k}"}, {"name": f"cells :: dye {k}"},
            ):  # fmt: skip
                known = optics_of(**stated, **choice).wavelength_um  # type: ignore[arg-type]
                assert known is not None and known.value == pytest.approx(wave)
    by_key = optics_of({"ome_metadata": xml, "channel_index": 1}).wavelength_um
    assert by_key is not None and by_key.value == pytest.approx(0.617)
    # A channel that is not described does not borrow from the one that is.
    half = re.sub('<Channel ID="Channel:0:1".*?/>', "", xml)
    ome_tiff(path, half, np.stack([GREY, GREY[::-1]]))
    assert value(path, "wavelength_um", page=0) == pytest.approx(0.461)
    assert value(path, "wavelength_um", page=1) is None
    alike = ome_tiff(tmp / "alike.ome.tif", ome_xml((520, 520)), np.stack([GREY, GREY]))
    assert optics_of({}, alike).wavelength_um is not None


@row("NaN, infinite, negative, zero or impossible numbers")
def _impossible(tmp: Path) -> None:
    path = tmp / "a.ome.tif"
    for odd in ("NaN", "INF", "-INF", "-1", "0", "Not Set", "", "1e999"):
        ome_tiff(path, ome_xml(objective=f'LensNA="{odd}" NominalMagnification="63"'))
        assert set(read_micrograph(path).known()) == {
            "pixel_size_um", "magnification", "immersion_index", "wavelength_um",
        }  # fmt: skip
        ome_tiff(path, ome_xml((odd,), (odd, odd), index=f'RefractiveIndex="{odd}"'))
        known = read_micrograph(path).known()
        assert set(known) == {"numerical_aperture", "magnification", "immersion_index"}
        assert "immersion oil" in known["immersion_index"].source
    for xml in (ome_xml(objective='LensNA="2.5"', index=""), ome_xml((1e9,)), ome_xml((1,))):
        name = "numerical_aperture" if "2.5" in xml else "wavelength_um"
        assert getattr(read_micrograph(ome_tiff(path, xml)), name) is None
    tags = {"resolution": (1e4 / 0.065,) * 2, "resolutionunit": "CENTIMETER"}
    ome_tiff(path, ome_xml(size=("NaN", "NaN")), **tags)
    assert read_micrograph(path).pixel_size_um == Known(
        pytest.approx(0.065, rel=1e-4), "from TIFF resolution tags"
    )
    ome_tiff(path, ome_xml(size=("NaN", 65)))
    assert value(path) == pytest.approx(0.065)
    whole = ome_xml()
    found = optics_of({"ome_metadata": whole[: whole.index("<TiffData")] + "<broken"})
    assert found.pixel_size_um is not None and found.wavelength_um is not None


@row("numbers with a decimal comma")
def _comma(tmp: Path) -> None:
    path = ome_tiff(tmp / "a.ome.tif", ome_xml(size=("0,065", "0,065"), unit="µm"))
    assert value(path) == pytest.approx(0.065)
    assert value(ome_tiff(path, ome_xml(size=("1,234", "1,234"), unit="µm"))) is None


@row("an immersion into which the NA does not fit")
def _dry(tmp: Path) -> None:
    path = ome_tiff(tmp / "a.ome.tif", ome_xml(index='RefractiveIndex="1.0"'))
    found = read_micrograph(path)
    assert found.immersion_index is None and found.numerical_aperture is not None
    assert "NA of 1.4 does not fit" in found.doubts["immersion_index"]


@row("resolution of printers and scanners")
def _printed(tmp: Path) -> None:
    for dots in (72, 96, 300, 600, 2400):
        tifffile.imwrite(tmp / "a.tif", GREY, resolution=(dots, dots), resolutionunit="INCH")
        assert value(tmp / "a.tif") is None
        for unit, ratio in (("inch", dots), ("cm", dots / 2.54)):
            tifffile.imwrite(
                tmp / "a.tif", GREY, imagej=True, resolution=(ratio,) * 2, metadata={"unit": unit}
            )
            assert value(tmp / "a.tif") is None


@row("a unit that is no length")
def _no_length(tmp: Path) -> None:
    for unit in ("pixel", "", "sec", "Mm"):
        tifffile.imwrite(
            tmp / "a.tif", GREY, imagej=True, resolution=(10, 10), metadata={"unit": unit}
        )
        assert value(tmp / "a.tif") is None
    tifffile.imwrite(tmp / "a.tif", GREY, resolution=(1e5, 1e5), resolutionunit="NONE")
    assert value(tmp / "a.tif") is None
    assert value(ome_tiff(tmp / "a.ome.tif", ome_xml(unit="reference frame"))) is None


@row("ImageJ's unit beside the resolution 1/1")
def _unset(tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", GREY, imagej=True, metadata={"unit": "um"})
    assert value(tmp / "a.tif") is None


@row("XML with a document type")
def _document_type(tmp: Path) -> None:
    growing = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghi"))
    head = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa">{growing}]>'
    xml = head + ome_xml().replace("dye 0", "&i;")
    found = read_micrograph(ome_tiff(tmp / "a.ome.tif", xml))
    assert found.known() == {} and found.image.shape == GREY.shape
    assert optics_of({"ome_metadata": xml}).known() == {}


# --- what is refused ----------------------------------------------------------------------------


@row("missing")
def _missing(tmp: Path) -> None:
    refused(tmp / "a.tif", "no such file")


@row("empty")
def _empty(tmp: Path) -> None:
    for name in ("a.tif", "a.png", "a.npy"):
        (tmp / name).touch()
        refused(tmp / name, "0 bytes")


@row("of another kind")
def _other_kind(tmp: Path) -> None:
    for name in ("a.docx", "a"):
        (tmp / name).write_text("words")
        refused(tmp / name, r"is not a kind of image .* \.tif, \.tiff")


@row("no TIFF inside")
def _no_tiff(tmp: Path) -> None:
    Image.fromarray(BYTES).save(tmp / "a.tif", "PNG")
    refused(tmp / "a.tif", "no TIFF, or cut short")


@row("no picture inside")
def _no_picture(tmp: Path) -> None:
    Image.fromarray(BYTES).save(tmp / "a.png", "TIFF")
    refused(tmp / "a.png", "no PNG, JPEG or BMP, or cut short")


@row("cut short")
def _cut_short(tmp: Path) -> None:
    path = tmp / "a.tif"
    for options in ({}, {"compression": "lzw"}, {"tile": (16, 16)}, {"imagej": True}):
        tifffile.imwrite(path, np.stack([GREY] * 3), photometric="minisblack", **options)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 7 // 10])
        same(path, GREY, page=0)
        refused(path, "lacks a part of its pixels|page = 2 must lie", page=2)
    # A part that was never written would be read as zeros.
    tifffile.imwrite(path, GREY, compression="lzw", rowsperstrip=8, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = file.pages[0].tags["StripByteCounts"]
        counts.overwrite([0, *counts.value[1:]])
    refused(path, "lacks a part of its pixels")


@row("plane in a missing file")
def _missing_plane(tmp: Path) -> None:
    xml = ome_xml((461, 617)).replace(
        '<TiffData IFD="0" PlaneCount="2"/>',
        '<TiffData IFD="0" FirstC="0" PlaneCount="1"/><TiffData IFD="0" FirstC="1" PlaneCount="1">'
        '<UUID FileName="gone.ome.tif">urn:uuid:11111111-2222-3333-4444-555555555555</UUID>'
        "</TiffData>",
    )
    path = ome_tiff(tmp / "a.ome.tif", xml)
    same(path, GREY, channel=0)
    refused(path, "lies in another file of the series", channel=1)


@row("without imagecodecs")
def _without(tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", GREY, compression="zstd")
    deep = _RNG.integers(0, 65535, (24, 31, 3)).astype(np.uint16)
    (tmp / "a.png").write_bytes(imagecodecs.png_encode(deep))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "imagecodecs", None)

        def unknown(self: Any, key: int) -> Any:
            raise KeyError(f"{key!r} requires the 'imagecodecs' package")

        patch.setattr(type(tifffile.TIFF.DECOMPRESSORS), "__getitem__", unknown)
        for name, what in (("a.tif", "ZSTD"), ("a.png", "16 bits")):
            refused(tmp / name, f"{what}.* imagecodecs.* run: pip install imagecodecs")
        patch.undo()
        patch.setitem(sys.modules, "imagecodecs", None)

        def lacking(self: Any, **options: Any) -> Any:
            raise ModuleNotFoundError("No module named 'compression'")

        patch.setattr(tifffile.TiffPage, "asarray", lacking)
        refused(tmp / "a.tif", "ZSTD.* imagecodecs.* run: pip install imagecodecs")


@row("unknown compression")
def _unknown_compression(tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", GREY, compression="lzw")
    with tifffile.TiffFile(tmp / "a.tif", mode="r+") as file:
        file.pages[0].tags["Compression"].overwrite(32809)  # of ThunderScan
    refused(tmp / "a.tif", "compressed with THUNDERSCAN.* save it with LZW")


def _retagged(path: Path, pixels: Any, photometric: int) -> Path:
    tifffile.imwrite(path, pixels, metadata=None, photometric="rgb" if pixels.ndim > 2 else None)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["PhotometricInterpretation"].overwrite(photometric)
    return path


@row("inks")
def _inks(tmp: Path) -> None:
    inks = np.concatenate([RGB, BYTES[..., None]], axis=-1)
    tifffile.imwrite(tmp / "a.tif", inks, photometric="separated")
    refused(tmp / "a.tif", "CMYK.* convert it", channel=0)


@row(r"L\*a\*b\*")
def _lab(tmp: Path) -> None:
    refused(_retagged(tmp / "a.tif", RGB, 8), r"L\*a\*b\*.* convert it", channel=0)


@row("mosaic of a colour sensor")
def _mosaic(tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", GREY, photometric="cfa")
    refused(tmp / "a.tif", "mosaic of a colour sensor.* convert it")


@row("YCbCr without JPEG")
def _differences(tmp: Path) -> None:
    refused(_retagged(tmp / "a.tif", RGB, 6), "YCbCr.* convert it", channel=0)


@row("white as 0 in fractions")
def _white_fractions(tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", GREY.astype(np.float32), photometric="miniswhite")
    refused(tmp / "a.tif", "not which of its float32 numbers is black")


@row("complex numbers")
def _complex(tmp: Path) -> None:
    waves = np.ones((6, 7), np.complex64)
    np.save(tmp / "a.npy", waves)
    tifffile.imwrite(tmp / "a.tif", waves)
    for name in ("a.npy", "a.tif"):
        refused(tmp / name, "complex64 values; an image holds real numbers")


@row("colours")
def _colours(tmp: Path) -> None:
    Image.fromarray(RGB).save(tmp / "a.png")
    refused(tmp / "a.png", r"choose channel = 0, 1 or 2 \(red, green, blue\) or 'mean'")


@row("no such channel")
def _no_channel(tmp: Path) -> None:
    path = ome_tiff(tmp / "a.ome.tif", ome_xml((461, 617)), np.stack([GREY, GREY]))
    for channel in (2, -1, "DAPI", True, 0.5):
        refused(path, r"channel = ", channel=channel)
    refused(path, r"channel = 2 must be 0 \(dye 0\) or 1 \(dye 1\) or 'mean'", channel=2)
    tifffile.imwrite(tmp / "grey.tif", GREY)
    refused(tmp / "grey.tif", "must be left out", channel=1)


@row("no such page")
def _no_page(tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", np.stack([GREY] * 3), photometric="minisblack")
    for page in (3, -1):
        refused(tmp / "a.tif", "must lie between 0 and 2", page=page)
    refused(tmp / "a.tif", "must be a whole number", page=0.5)


@row("too many pixels")
def _too_many(tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", BYTES, metadata=None)
    stated = bytearray((tmp / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp / "a.tif") as file:
        tags = file.pages[0].tags
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            kind = "<H" if int(tags[name].dtype) == 3 else "<I"
            struct.pack_into(kind, stated, tags[name].valueoffset, 60_000)
    (tmp / "a.tif").write_bytes(stated)
    refused(tmp / "a.tif", r"60000, 60000.* at most 1e\+09 numbers can be read")
