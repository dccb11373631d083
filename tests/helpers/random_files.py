"""Random image files for hypothesis, with what is in them."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import tifffile
from hypothesis import reject
from hypothesis import strategies as st
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import DrawFn

UNITS = {
    "m": 1e6, "cm": 1e4, "mm": 1e3, "um": 1.0, "µm": 1.0, "μm": 1.0, "\\u00B5m": 1.0,
    "micron": 1.0, "microns": 1.0, "nm": 1e-3, "pm": 1e-6, "inch": 25400.0,
}  # fmt: skip
"""Micrometres in units as programs spell them."""
NO_UNITS = ("", "pixel", "pixels", "Mm", "sec", "µ", "reference frame", "?")
OME_UNITS = ("m", "cm", "mm", "µm", "nm", "pm")


@dataclass
class Written:
    """What was written: the planes in the file's order, and their numbers.

    Attributes
    ----------
    planes : list of ndarray
        Each (Y, X), or (Y, X, 3 … S) for colours.
    sides_um : tuple of float, or None
        Width and height of a pixel.
    """

    planes: list[np.ndarray]
    samples: int = 1
    sides_um: tuple[float, float] | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@st.composite
def tiffs(draw: DrawFn, path: Path) -> Written:
    """Write a TIFF of any dialect and layout."""
    kind = draw(st.sampled_from(["plain", "bare", "imagej", "ome"]))
    types = ["u1", "u2", "f4"] if kind == "imagej" else [
        "u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8", "?"
    ]  # fmt: skip
    dtype = np.dtype(draw(st.sampled_from(types)))
    # In shapes of very few pixels the writer takes other axes for rows.
    least = 5 if kind == "imagej" else 2
    rows, columns = draw(st.integers(least, 20)), draw(st.integers(least, 20))
    leading = draw(st.lists(st.integers(1, 4), max_size=3))
    samples = draw(st.sampled_from([1, 1, 1, 3, 4, 2, 5]))
    if kind == "imagej":
        samples = 3 if samples > 1 else 1
        dtype = np.dtype("u1") if samples == 3 else dtype
    if dtype == np.bool_:
        samples = 1
    planar = samples > 1 and draw(st.booleans()) and kind != "imagej"
    colour = samples >= 3 and (kind == "imagej" or draw(st.booleans()))
    white = (
        not colour and kind != "imagej" and dtype.kind in "uib" and draw(st.sampled_from([0, 0, 1]))
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shape = (*leading, rows, columns, samples)
    if dtype.kind == "f":
        array = rng.normal(size=shape).astype(dtype)
    elif dtype == np.bool_:
        array = rng.integers(0, 2, shape).astype(bool)
    else:
        span = np.iinfo(dtype)
        array = rng.integers(span.min, span.max, shape, endpoint=True).astype(dtype)
    stored = np.moveaxis(array, -1, -3) if planar else array
    if samples == 1:
        stored = array[..., 0]
    options: dict[str, Any] = {
        "photometric": "rgb" if colour else "miniswhite" if white else "minisblack",
        "byteorder": draw(st.sampled_from("<>")),
    }
    if samples > 1:
        options["planarconfig"] = "separate" if planar else "contig"
    if kind != "imagej":
        options["bigtiff"] = draw(st.booleans())
        options["compression"] = draw(
            st.sampled_from([None, None, "zlib", "lzw", "zstd", "packbits", "lzma"])
        )
        if dtype == np.bool_:
            options["compression"] = None
        if draw(st.booleans()) and dtype != np.bool_:
            options["tile"] = (16, 16)
        elif draw(st.booleans()):
            options["rowsperstrip"] = draw(st.integers(1, rows))
        if options["compression"] in ("zlib", "lzw") and dtype.itemsize < 8 and draw(st.booleans()):
            options["predictor"] = True
    metadata: dict[str, Any] | None = {}
    sides, unit = None, ""
    if kind in ("imagej", "ome"):
        letters = draw(st.permutations("TZC"))[: len(leading)]
        letters = sorted(letters, key="TZC".index) if kind == "imagej" else letters
        if kind == "imagej" and samples == 3 and "C" in letters:
            letters = [a if a != "C" else "Z" for a in letters]
            letters = list("TZ")[-len(letters) :] if len(letters) < 3 else letters
        axes = "".join(letters) + ("SYX" if planar else "YXS" if samples > 1 else "YX")
        if len(set(axes)) == len(axes):
            metadata["axes"] = axes
    if kind == "imagej":
        unit = draw(st.sampled_from([*UNITS, *NO_UNITS]))
        metadata["unit"] = unit
    if draw(st.booleans()):
        across = draw(st.integers(1, 200_000))
        down = draw(st.sampled_from([across, across, draw(st.integers(1, 200_000))]))
        options["resolution"] = (across, down)
        if kind == "imagej":
            per = UNITS.get(metadata["unit"])
        else:
            unit = draw(st.sampled_from(["inch", "cm", "none"]))
            options["resolutionunit"] = {"cm": "CENTIMETER"}.get(unit, unit.upper())
            per = UNITS.get(unit)
        unset = kind == "imagej" and across == down == 1  # what its writer writes for "unknown"
        if per is not None and not unset:
            sides = (per / across, per / down)
    try:
        tifffile.imwrite(
            path,
            stored,
            imagej=kind == "imagej",
            ome=kind == "ome",
            metadata=None if kind == "bare" else metadata,
            **options,
        )
    except (ValueError, TypeError, KeyError, tifffile.OmeXmlError):
        reject()  # the library cannot write this combination
    light = array
    if white and dtype.kind == "u":
        light = np.iinfo(dtype).max - array
    elif white:
        light = ~array
    planes = list(light.reshape(-1, rows, columns, samples))
    return Written(
        planes, samples, sides, {"kind": kind, "colour": colour, "unit": unit, **options}
    )


@st.composite
def pictures(draw: DrawFn, folder: Path) -> tuple[Path, np.ndarray, int]:
    """Write a PNG, BMP or NPY; return its path, its pixels (Y, X, S) and how many are colours."""
    suffix = draw(st.sampled_from(["png", "bmp", "npy", "deep.png"]))
    samples = draw(
        st.sampled_from({"bmp": [1, 3], "deep.png": [2, 3, 4]}.get(suffix, [1, 2, 3, 4]))
    )
    rows, columns = draw(st.integers(6, 20)), draw(st.integers(6, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    types = {"npy": ["u1", "i2", "f4", ">u2", "f8", "?", "i8"], "deep.png": ["u2"]}
    if suffix == "png" and samples == 1:
        types["png"] = ["u1", "u2", "?"]
    dtype = np.dtype(draw(st.sampled_from(types.get(suffix, ["u1"]))))
    top = 2 if dtype == np.bool_ else 256 if dtype.itemsize == 1 else 30_000
    array = rng.integers(0, top, (rows, columns, samples)).astype(dtype)
    path = folder / f"any.{suffix}"
    stored = array[..., 0] if samples == 1 else array
    if suffix == "npy":
        np.save(path, np.asfortranarray(stored) if draw(st.booleans()) else stored)
    elif suffix == "deep.png":
        path.write_bytes(imagecodecs.png_encode(array))
    else:
        Image.fromarray(stored, "LA" if samples == 2 else None).save(path)
    colours = 3 if samples > 2 else 1 if samples == 2 and suffix != "npy" else samples
    return path, array, colours


_ODD = (
    "NaN", "INF", "-INF", "-1", "0", "0.0", "", " ", "Not Set", "unknown", "1e30", "1e-30", "1e400",
    "1,234", "12abc", "None", "1_0", "0x10", "٣", "--5",
)  # fmt: skip


@dataclass
class Described:
    """OME-XML with the number that each attribute states; None where it is none."""

    text: str
    numbers: dict[str, float | None]
    waves: list[float | None]


@st.composite
def ome_texts(draw: DrawFn, rows: int, columns: int, channels: int) -> Described:
    """OME-XML in which any attribute may be missing, odd or impossible."""

    def stated(low: float, high: float) -> tuple[str | None, float | None]:
        how = draw(st.sampled_from(["good", "good", "odd", "missing", "comma"]))
        if how == "missing":
            return None, None
        if how == "odd":
            return draw(st.sampled_from(_ODD)), None
        value = round(draw(st.floats(low, high)), 4)
        text = f"{value:.4f}"
        return (text.replace(".", ",") if how == "comma" else text), value

    numbers: dict[str, float | None] = {}
    size, side = stated(0.01, 50.0)
    unit = draw(st.sampled_from([None, *OME_UNITS, "pixel", "reference frame", "Mm", "nonsense"]))
    factor = 1.0 if unit is None else UNITS.get(unit)
    um = side * factor if side is not None and factor is not None else None
    numbers["pixel_size_um"] = um if um is not None and 1e-5 <= um <= 1e3 else None
    aperture, numbers["numerical_aperture"] = stated(0.05, 1.7)
    index, numbers["immersion_index"] = stated(1.0, 1.8)
    magnification, numbers["magnification"] = stated(1.0, 150.0)
    waves, elements = [], []
    for k in range(channels):
        wave, value = stated(250.0, 1500.0)
        waves.append(None if value is None else value * 1e-3)
        said = "" if wave is None else f' EmissionWavelength="{wave}"'
        if draw(st.booleans()):
            said += ' EmissionWavelengthUnit="nm"'
        elements.append(f'<Channel ID="Channel:0:{k}" SamplesPerPixel="1"{said}/>')

    def attribute(name: str, value: str | None) -> str:
        return "" if value is None else f' {name}="{value}"'

    immersion = draw(st.sampled_from([None, "Not Set", "Other", "nothing"]))
    size_unit = attribute("PhysicalSizeXUnit", unit) + attribute("PhysicalSizeYUnit", unit)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Instrument ID="Instrument:0"><Objective ID="Objective:0"'
        f"{attribute('LensNA', aperture)}{attribute('NominalMagnification', magnification)}"
        f"{attribute('Immersion', immersion)}/></Instrument>"
        '<Image ID="Image:0">'
        f'<ObjectiveSettings ID="Objective:0"{attribute("RefractiveIndex", index)}/>'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"'
        f' SizeX="{columns}" SizeY="{rows}" SizeZ="1" SizeC="{channels}" SizeT="1"'
        f"{attribute('PhysicalSizeX', size)}{attribute('PhysicalSizeY', size)}{size_unit}>"
        f'{"".join(elements)}<TiffData IFD="0" PlaneCount="{channels}"/></Pixels></Image></OME>'
    )
    na, n = numbers["numerical_aperture"], numbers["immersion_index"]
    if na is not None and n is not None and na >= n:
        numbers["immersion_index"] = None
    return Described(text, numbers, waves)


def entries(data: bytes) -> list[tuple[int, int, int, int]]:
    """Entries of the first directory of a little-endian TIFF: position, tag, type, count."""
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    return [
        (start + 2 + 12 * k, *struct.unpack_from("<HHI", data, start + 2 + 12 * k))
        for k in range(count)
    ]


def is_close(found: float, written: float) -> bool:
    """Whether two numbers agree up to what a rational tag rounds."""
    return math.isclose(found, written, rel_tol=1e-4)
