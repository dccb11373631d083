"""Small files of makers' kinds, byte by byte as their programs lay them out."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_UNDEFINED, _LONG, _RATIONAL, _ASCII = 7, 4, 5, 2


def lsm(
    path: Path,
    stack: NDArray[Any],
    voxel_m: float = 1e-7,
    objective: str = "Plan-Apochromat 63x/1.40 Oil DIC M27",
    bands: tuple[tuple[float, float], ...] = ((500, 550), (580, 640)),
    lasers: tuple[float, ...] = (488, 561),
    acquired: tuple[int, ...] = (1, 1),
) -> Path:
    """LSM of a stack (Z, C, Y, X), with a thumbnail behind each plane as Zeiss writes it."""
    depth, count, rows, columns = stack.shape
    scan = _scan_information(objective, bands, lasers, acquired)

    def info(offset_scan: int) -> bytes:
        record = np.zeros(1, np.dtype([(n, t) for n, t in tifffile.TIFF.CZ_LSMINFO if n]))
        record["MagicNumber"], record["StructureSize"] = 0x400494C, record.itemsize
        for axis, size in zip("XYZ", (columns, rows, depth), strict=True):
            record[f"Dimension{axis}"] = size
        record["DimensionChannels"], record["DimensionTime"] = count, 1
        for axis in "XYZ":
            record[f"VoxelSize{axis}"] = voxel_m
        record["OffsetScanInformation"] = offset_scan
        return record.tobytes()

    with tifffile.TiffWriter(path) as file:
        for z in range(depth):
            more: dict[str, Any] = {"photometric": "minisblack"}
            pixels = stack[z]
            if count > 1:
                more |= {"planarconfig": "separate"}
                more["photometric"] = "rgb" if count == 3 else "minisblack"
            else:
                pixels = pixels[0]
            if z == 0:
                more["extratags"] = [(34412, 1, len(info(0)), info(0), True)]
            file.write(pixels, metadata=None, contiguous=False, **more)
            file.write(np.zeros((4, 4, 3), np.uint8), metadata=None, contiguous=False,
                       photometric="rgb", subfiletype=1)  # fmt: skip
    content = path.read_bytes()
    at = content.index(info(0))
    content = content[:at] + info(len(content)) + content[at + len(info(0)) :] + scan
    # Two numbers of bits fit into their entry, and Zeiss writes their place all the same.
    entry = struct.pack("<HHI", 258, 3, 2)
    bits = struct.pack("<HH", *(8 * stack.itemsize,) * 2)
    path.write_bytes(content.replace(entry + bits, entry + struct.pack("<I", len(content))) + bits)
    return path


def _scan_information(
    objective: str,
    bands: tuple[tuple[float, float], ...],
    lasers: tuple[float, ...],
    acquired: tuple[int, ...],
) -> bytes:
    def text(entry: int, words: str) -> bytes:
        raw = words.encode() + b"\0"
        return struct.pack("<III", entry, 2, len(raw)) + raw

    def real(entry: int, value: float) -> bytes:
        return struct.pack("<IIId", entry, 5, 8, value)

    def whole(entry: int, value: int) -> bytes:
        return struct.pack("<IIIi", entry, 4, 4, value)

    def block(entry: int) -> bytes:
        return struct.pack("<III", entry, 0, 0)

    end = block(0xFFFFFFFF)
    tracks = b""
    for band, laser, on in zip(bands, lasers, acquired, strict=True):
        detection = block(0x70000000) + whole(0x7000000B, on)
        detection += real(0x70000022, band[0]) + real(0x70000023, band[1]) + end
        lamp = block(0x90000000) + real(0x90000003, laser) + whole(0x90000004, 1) + end
        tracks += block(0x40000000) + block(0x60000000) + detection + end
        tracks += block(0x80000000) + lamp + end + end
    return block(0x10000000) + text(0x10000004, objective) + block(0x20000000) + tracks + end + end


def stk(
    path: Path,
    stack: NDArray[Any],
    calibration: tuple[int, float, str] = (1, 0.1, "um"),
    waves: tuple[int, ...] | None = None,
    notes: str = "Exposure: 250 ms\r\nBinning: 2 x 2",
    properties: dict[str, float | str] | None = None,
) -> Path:
    """MetaMorph's stack: one page, the other planes right behind it, and tags of four tables."""
    planes = len(stack)
    on, size, unit = calibration
    waves = waves or (525,) * planes
    words = b"".join(notes.encode() + b"\0" for _ in range(planes))
    table2 = struct.pack("<6I", 0, 1, 2450000, 0, 2450000, 0) * planes
    table3 = b"".join(struct.pack("<II", w, 1) for w in waves)
    tags1 = 4 + len(properties or {})
    # The counts of these tags are of planes and of entries, not of bytes.
    tifffile.imwrite(
        path,
        stack[0],
        metadata=None,
        photometric="minisblack",
        contiguous=True,
        extratags=[
            (33628, _LONG, tags1 * 2, (0,) * tags1 * 2, True),
            (33629, _RATIONAL, planes * 3, struct.unpack(f"<{planes * 6}I", table2), True),
            (33630, _RATIONAL, planes, struct.unpack(f"<{planes * 2}I", table3), True),
            (270, _ASCII, len(words), words, True),
        ],
    )
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        tag1, tag2 = page.tags[33628], page.tags[33629]
        strips = page.tags[273]
        places = {t.code: (t.offset, t.valueoffset) for t in page.tags}
        at1, at2 = tag1.offset, tag2.offset
        values1 = places[33628][1]
    content = bytearray(path.read_bytes())
    # The planes go to the end, one behind the other.
    struct.pack_into("<I", content, strips.valueoffset, len(content))
    content += stack.tobytes()

    def keep(data: bytes) -> int:
        place = len(content)
        content.extend(data)
        return place

    label = unit.encode() + b"\0"
    ratio = struct.pack("<II", round(size * 1e6), 1_000_000)
    entries = [
        (3, on),
        (4, keep(ratio)),
        (5, keep(ratio)),
        (6, keep(struct.pack("<I", len(label)) + label)),
    ]
    for name, value in (properties or {}).items():
        raw = name.encode()
        packed = b"\0" * 4 + struct.pack("B", len(raw)) + raw
        if isinstance(value, str):
            packed += struct.pack("<IB", 0, 2) + struct.pack("B", len(value)) + value.encode()
        else:
            packed += struct.pack("<IBII", 0, 1, round(value * 10_000), 10_000)
        entries.append((49, keep(packed)))
    struct.pack_into(f"<{len(entries) * 2}I", content, values1, *(v for e in entries for v in e))
    struct.pack_into("<I", content, at1 + 4, len(entries))
    struct.pack_into("<I", content, at2 + 4, planes)
    path.write_bytes(bytes(content))
    return path


def micromanager(
    path: Path, stack: NDArray[Any], settings: list[dict[str, Any]], summary: dict[str, Any]
) -> Path:
    """Micro-Manager's stack (T, Z, C, Y, X): its own index at the head, and settings by page."""
    times, depths, count, rows, columns = stack.shape
    words = json.dumps(
        {
            "MicroManagerVersion": "2.0.1",
            "Frames": times,
            "Slices": depths,
            "Channels": count,
            "Positions": 1,
            "SlicesFirst": True,
            "TimeFirst": True,
        }
        | summary
    ).encode()
    content = bytearray(b"II*\0" + bytes(4))
    content += struct.pack("<IIIIIIII", 54773648, 0, 483765892, 0, 99384722, 0, 2355492, len(words))
    content += words
    index = []
    link = 4
    for t in range(times):
        for z in range(depths):
            for c in range(count):
                content += bytes(len(content) % 2)
                at = len(content)
                struct.pack_into("<I", content, link, at)
                index.append((c, z, t, 0, at))
                data = at + 162
                noted = json.dumps(settings[c]).encode() + b"\0"
                size = rows * columns * 2
                entries = [
                    (256, 4, 1, columns), (257, 4, 1, rows), (258, 3, 1, 16), (259, 3, 1, 1),
                    (262, 3, 1, 1), (273, 4, 1, data), (277, 3, 1, 1), (278, 3, 1, rows),
                    (279, 4, 1, size), (282, 5, 1, data + size), (283, 5, 1, data + size + 8),
                    (296, 3, 1, 3), (51123, 2, len(noted), data + size + 16),
                ]  # fmt: skip
                content += struct.pack("<H", len(entries))
                for entry in entries:
                    content += struct.pack("<HHII", *entry)
                link = len(content)
                content += bytes(4)
                content += stack[t, z, c].astype("<u2").tobytes()
                content += struct.pack("<IIII", 1, 1, 1, 1) + noted
    struct.pack_into("<I", content, 12, len(content))
    content += struct.pack("<II", 3453623, len(index))
    for entry in index:
        content += struct.pack("<5I", *entry)
    path.write_bytes(bytes(content))
    return path


def sis(path: Path, image: NDArray[Any], pixel_m: float, magnification: float) -> Path:
    """TIFF of Olympus Soft Imaging Solutions: a small table of blocks behind the page."""
    head = struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 1, 1, 1, 1, 120, b"cells", 1)
    exponent = -9
    scale = pixel_m / 10.0**exponent
    data = struct.pack(
        "<10xhdd8xd2x34s32s", exponent, scale, scale, magnification, b"camera", b"picture"
    )
    tifffile.imwrite(path, image, metadata=None, extratags=[(33560, _LONG, 2, (0, 0), True)])
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        tag = file.pages.first.tags[33560]
        place = tag.offset
    at = len(content)
    struct.pack_into("<I", content, place + 4, 1)
    struct.pack_into("<I", content, place + 8, at)
    content += head + struct.pack("<hhI", 1, 1, at + len(head) + 8) + data
    path.write_bytes(bytes(content))
    return path


def fluoview(path: Path, image: NDArray[Any], step: float, unit: str) -> Path:
    """FluoView's TIFF: a table of axes in a tag of its own."""
    record = np.zeros(1, np.dtype(tifffile.TIFF.MM_HEADER))
    rows, columns = image.shape
    record["Dimensions"]["Size"] = 1
    for k, (name, size) in enumerate((("X", columns), ("Y", rows))):
        record["Dimensions"][0, k] = (name.encode(), size, 0.0, step, unit.encode())
    raw = record.tobytes()
    tifffile.imwrite(
        path,
        image,
        metadata=None,
        extratags=[(34361, 1, len(raw), raw, True), (34362, 1, 64, bytes(64), True)],
    )
    return path


def ndpi(path: Path, pixels: NDArray[Any], size_um: float, lens: float) -> Path:
    """Hamamatsu's TIFF of one colour page, whose places in the file have 64 bits."""
    rows, columns, samples = pixels.shape
    made = b"Hamamatsu\0"
    entries, blocks = [], bytearray()
    tags: list[tuple[int, int, Any]] = [
        (256, 4, columns), (257, 4, rows), (258, 3, struct.pack("<3H", 8, 8, 8)), (259, 3, 1),
        (262, 3, 2), (271, 2, made), (273, 4, pixels.tobytes()), (277, 3, samples),
        (278, 4, rows), (279, 4, pixels.nbytes),
        (282, 5, struct.pack("<II", round(1e8 / size_um), 10_000)),
        (283, 5, struct.pack("<II", round(1e8 / size_um), 10_000)), (296, 3, 3),
        (65420, 4, 1), (65421, 11, struct.unpack("<I", struct.pack("<f", lens))[0]),
    ]  # fmt: skip
    place = 12 + 2 + len(tags) * 16 + 8
    sizes = {2: 1, 3: 2, 4: 4, 5: 8, 11: 4}
    for code, kind, value in tags:
        if isinstance(value, bytes):
            count = 1 if code == 273 else len(value) // sizes[kind]
            entries.append((code, kind, count, place + len(blocks)))
            blocks += value + bytes(len(value) % 2)
        else:
            entries.append((code, kind, 1, value))
    content = b"II*\0" + struct.pack("<Q", 12) + struct.pack("<H", len(tags))
    content += b"".join(struct.pack("<HHII", *entry) for entry in entries)
    content += struct.pack("<Q", 0) + bytes(4 * len(tags))  # no next page; high halves
    path.write_bytes(content + blocks)
    return path


__all__ = ["fluoview", "lsm", "micromanager", "ndpi", "sis", "stk"]
