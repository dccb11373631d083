"""Small files of makers' own kinds: CZI by Zeiss's library, LIF, OIF and OIB byte by byte."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def czi_xml(
    distance_m: float | None = 1e-7,
    waves: tuple[Any, ...] = (461, 617),
    exposures_ns: tuple[Any, ...] = (1e8, 2.5e8),
    objective: str = "<LensNA>1.4</LensNA><NominalMagnification>63</NominalMagnification>"
    "<Immersion>Oil</Immersion>",
    index: str = "<RefractiveIndex>1.515</RefractiveIndex>",
) -> str:
    channels = "".join(
        f'<Channel Id="Channel:{k}" Name="dye {k}"><EmissionWavelength>{w}</EmissionWavelength>'
        f"<ExposureTime>{e}</ExposureTime></Channel>"
        for k, (w, e) in enumerate(zip(waves, exposures_ns, strict=True))
    )
    scaling = "".join(
        f'<Distance Id="{axis}"><Value>{distance_m}</Value></Distance>' for axis in "XY"
    )
    return (
        "<ImageDocument><Metadata><Information><Image>"
        f'<ObjectiveSettings><ObjectiveRef Id="Objective:1"/>{index}</ObjectiveSettings>'
        f"<Dimensions><Channels>{channels}</Channels></Dimensions></Image>"
        f'<Instrument><Objectives><Objective Id="Objective:0"><LensNA>0.3</LensNA></Objective>'
        f'<Objective Id="Objective:1" Name="Plan-Apochromat 63x/1.4 Oil">{objective}</Objective>'
        "</Objectives></Instrument></Information>"
        f"<Scaling><Items>{scaling if distance_m is not None else ''}</Items></Scaling>"
        "</Metadata></ImageDocument>"
    )


def czi(path: Path, tiles: list[tuple[NDArray[Any], dict[str, Any]]], xml: str | None) -> Path:
    """CZI of tiles (Y, X) or (Y, X, 3), each with ``plane``, ``scene`` or ``location``."""
    from pylibCZIrw import czi as library

    with library.create_czi(str(path), exist_ok=True) as file:
        for pixels, more in tiles:
            file.write(pixels[..., None] if pixels.ndim == 2 else pixels, **more)
        file.write_metadata("cells")
    if xml is not None:
        with library.edit_czi(str(path)) as editor, editor.edit_session() as builder:
            builder.set_xml(xml)
    return path


def lif(path: Path, images: list[tuple[NDArray[Any], str, float]]) -> Path:
    """LIF of images (C, Z, Y, X) of 16 bits, each with its settings and the size of a pixel."""
    elements, blocks = "", b""
    for k, (stack, settings, pixel_m) in enumerate(images):
        count, depth, rows, columns = stack.shape
        plane = rows * columns * 2
        channels = "".join(
            f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" Min="0" Max="65535"'
            f' NameOfMeasuredQuantity="" Unit="" LUTName="Gray" IsLUTInverted="0"'
            f' BytesInc="{c * plane}" BitInc="0"/>'
            for c in range(count)
        )
        dimensions = "".join(
            f'<DimensionDescription DimID="{at}" NumberOfElements="{size}" Origin="0"'
            f' Length="{length}" Unit="m" BytesInc="{step}" BitInc="0"/>'
            for at, size, length, step in (
                (1, columns, (columns - 1) * pixel_m, 2),
                (2, rows, (rows - 1) * pixel_m, columns * 2),
                (3, depth, (depth - 1) * 1e-6, plane * count),
            )
        )
        elements += (
            f'<Element Name="series {k}" Visibility="1"><Data><Image><ImageDescription>'
            f"<Channels>{channels}</Channels><Dimensions>{dimensions}</Dimensions>"
            f'</ImageDescription><Attachment Name="HardwareSetting">{settings}</Attachment>'
            f'</Image></Data><Memory Size="{stack.nbytes}" MemoryBlockID="MemBlock_{k}"/>'
            "<Children/></Element>"
        )
        name = f"MemBlock_{k}".encode("utf-16-le")
        data = np.moveaxis(stack, 0, 1).astype("<u2").tobytes()
        blocks += struct.pack("<IIBQBI", 0x70, 0, 0x2A, len(data), 0x2A, len(name) // 2)
        blocks += name + data
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="project" Visibility="1"><Data>'
        '<Experiment Path=""/></Data><Memory Size="0" MemoryBlockID="MemBlock_X"/>'
        f"<Children>{elements}</Children></Element></LMSDataContainerHeader>"
    )
    raw = xml.encode("utf-16-le")
    head = struct.pack("<IIBI", 0x70, len(raw) + 5, 0x2A, len(raw) // 2)
    path.write_bytes(head + raw + blocks)
    return path


def oif_members(
    stack: NDArray[Any],
    waves: tuple[Any, ...],
    width: Any = 0.207,
    aperture: Any = 1.35,
    unit: str = "um",
) -> tuple[str, dict[str, bytes]]:
    """Settings of a scan (C, Z, Y, X), and its planes with theirs."""
    import io

    count, depth, rows, columns = stack.shape
    channels = "".join(
        f'[Channel {k + 1} Parameters]\r\nCH Name="CH{k + 1}"\r\nDyeName="dye {k}"\r\n'
        f"EmissionWavelength={w}\r\nExcitationWavelength=405\r\n"
        for k, w in enumerate(waves)
    )
    axes = "".join(
        f'[Axis {k} Parameters Common]\r\nAxisCode="{code}"\r\nMaxSize={size}\r\n'
        for k, (code, size) in enumerate(
            (("X", columns), ("Y", rows), ("C", count), ("Z", depth), ("T", 0), ("L", 0),
             ("P", 0), ("Q", 0))
        )
    )  # fmt: skip
    main = (
        '[ProfileSaveInfo]\r\nName="cells"\r\nVersion="1.0"\r\n'
        f'[Axis Parameter Common]\r\nAxisOrder="XYCZ"\r\n{axes}{channels}'
        "[Reference Image Parameter]\r\nWidthConvertValue=0.3\r\nHeightConvertValue=0.3\r\n"
        'WidthUnit="um"\r\nHeightUnit="um"\r\nValidBitCounts=12\r\n'
    )
    lens = (
        "[Acquisition Parameters Common]\r\nMagnification=60.0\r\n"
        f'ObjectiveLens NAValue={aperture}\r\nObjectiveLens Name="UPLSAPO   60X O  NA:1.35"\r\n'
        f"[Image Parameters]\r\nWidthConvertValue={width}\r\nHeightConvertValue={width}\r\n"
        f'WidthUnit="um"\r\nHeightUnit="{unit}"\r\n'
    )
    members: dict[str, bytes] = {}
    for c in range(count):
        for z in range(depth):
            stream = io.BytesIO()
            tifffile.imwrite(stream, stack[c, z], metadata=None)
            name = f"s_C{c + 1:03d}Z{z + 1:03d}"
            members[f"{name}.tif"] = stream.getvalue()
            members[f"{name}.pty"] = _settings(lens)
    return main, members


def _settings(text: str) -> bytes:
    return b"\xff\xfe" + text.encode("utf-16-le")


def oif(path: Path, stack: NDArray[Any], waves: tuple[Any, ...], **more: Any) -> Path:
    """OIF, and the folder of its planes beside it."""
    main, members = oif_members(stack, waves, **more)
    path.write_bytes(_settings(main))
    folder = path.with_name(f"{path.name}.files")
    folder.mkdir(exist_ok=True)
    for name, content in members.items():
        (folder / name).write_bytes(content)
    return path


def oib(path: Path, stack: NDArray[Any], waves: tuple[Any, ...], **more: Any) -> Path:
    """OIB: the same files as streams of a compound document, under numbers."""
    main, members = oif_members(stack, waves, **more)
    files = {"cells.oif": _settings(main)} | members
    streams = {f"Stream{k:05d}": content for k, content in enumerate(files.values())}
    info = "[OibSaveInfo]\r\nName=cells\r\nVersion=1.0\r\nMainFileName=Stream00000\r\n"
    info += "".join(f"{n}={file}\r\n" for n, file in zip(streams, files, strict=True))
    path.write_bytes(_compound({"OibInfo.txt": _settings(info)} | streams))
    return path


def _compound(streams: dict[str, bytes]) -> bytes:
    """Compound document (version 3, sectors of 512 bytes) of streams that need no small sectors."""
    end, free, fat_sector, none = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
    padded = {}
    for name, content in streams.items():
        # Shorter ones would go to sectors of 64 bytes; settings bear blanks, and TIFFs zeros.
        blank = "  ".encode("utf-16-le") if content.startswith(b"\xff\xfe") else bytes(4)
        missing = max(4096 - len(content) + 3, 0) // 4
        padded[name] = content + blank * missing
    directory_size = -(-(len(padded) + 1) // 4)
    sizes = [-(-len(content) // 512) for content in padded.values()]
    fat_size = 1
    while fat_size * 128 < fat_size + directory_size + sum(sizes):
        fat_size += 1
    fat = [fat_sector] * fat_size

    def chain(length: int) -> int:
        start = len(fat)
        fat.extend([*range(start + 1, start + length), end])
        return start

    directory_start = chain(directory_size)
    entries, body = [], b""
    for k, ((name, content), size) in enumerate(zip(padded.items(), sizes, strict=True)):
        following = k + 2 if k + 1 < len(padded) else none
        entries.append(_entry(name, 2, none, following, none, chain(size), len(content)))
        body += content + bytes(size * 512 - len(content))
    root = _entry("Root Entry", 5, none, none, 1, end, 0)
    blank_entries = directory_size * 4 - 1 - len(entries)
    directory = root + b"".join(entries) + _entry("", 0, none, none, none, 0, 0) * blank_entries
    fat += [free] * (fat_size * 128 - len(fat))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + struct.pack(
        "<16sHHHHHHIIIIIIIIII",
        bytes(16), 0x3E, 3, 0xFFFE, 9, 6, 0, 0, 0, fat_size, directory_start, 0, 4096,
        end, 0, end, 0,
    )  # fmt: skip
    header += struct.pack("<109I", *range(fat_size), *[free] * (109 - fat_size))
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + body


def _entry(name: str, kind: int, left: int, right: int, child: int, start: int, size: int) -> bytes:
    raw = name.encode("utf-16-le")
    length = len(raw) + 2 if name else 0
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        raw, length, kind, 1, left, right, child, bytes(16), 0, 0, 0, start, size,
    )  # fmt: skip


__all__ = ["czi", "czi_xml", "lif", "oib", "oif", "oif_members"]
