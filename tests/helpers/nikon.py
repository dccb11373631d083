"""Small ND2 files of version 2, whose numbers are XML, chunk by chunk."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC = 0x0ABECEDA
_SIGNATURE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
_FILE_MAP = b"ND2 FILEMAP SIGNATURE NAME 0001!"
_CHUNK_MAP = b"ND2 CHUNK MAP SIGNATURE 0000001!"


def nd2(
    path: Path,
    stack: NDArray[Any],
    waves: tuple[float, ...] = (461.0, 617.0),
    exposures_ms: tuple[float, ...] = (100.0, 250.0),
    calibrated: bool = True,
    pixel_um: float = 0.11,
    aperture: float = 1.4,
    index: float = 1.515,
    axis: int = 0,
) -> Path:
    """ND2 of a stack (Z, C, Y, X) of 16 bits; `axis` 2 says that columns are times."""
    depth, count, rows, columns = stack.shape
    attributes = {
        "uiWidth": columns, "uiHeight": rows, "uiWidthBytes": columns * count * 2,
        "uiComp": count, "uiBpcInMemory": 16, "uiBpcSignificant": 12,
        "uiSequenceCount": depth, "eCompression": 2,
    }  # fmt: skip
    planes = {
        f"a{k}": {
            "uiCompCount": 1,
            "uiSampleIndex": k,
            "sDescription": f"dye {k}",
            "uiColor": 255,
            "pFluorescentProbe": {
                "m_EmissionSpectrum": {
                    "uiCount": 1,
                    "pPoint": {"Point0": {"eType": 1, "dWavelength": w, "dTValue": 1.0}},
                }
            },
        }
        for k, w in enumerate(waves)
    }
    metadata = {
        "bCalibrated": calibrated, "dCalibration": pixel_um, "dObjectiveMag": 60.0,
        "dObjectiveNA": aperture, "dRefractIndex1": index, "wsObjectiveName": "Plan Apo 60x",
        "ePictureXAxis": axis,
        "sPicturePlanes": {
            "uiCount": count,
            "sPlaneNew": planes,
            "sSampleSetting": {
                f"a{k}": {"dExposureTime": e} for k, e in enumerate(exposures_ms)
            },
        },
    }  # fmt: skip
    loop = {"eType": 4, "uLoopPars": {"uiCount": depth, "dZStep": 0.3}}
    chunks = {
        "ImageAttributes!": _variant(attributes),
        "ImageMetadataSeq|0!": _variant(metadata),
        "ImageMetadata!": _variant(loop),
        "CustomData|AcqTimesCache!": np.arange(depth, dtype=np.float64).tobytes(),
    }
    for z, frame in enumerate(np.moveaxis(stack, 1, -1).astype("<u2")):
        chunks[f"ImageDataSeq|{z}!"] = struct.pack("<d", 0.0) + frame.tobytes()
    content = struct.pack("<IIQ", _MAGIC, 32, 64) + _SIGNATURE + b"Ver2.0".ljust(64, b"\0")
    chunk_map = b""
    for name, data in chunks.items():
        content += bytes(-len(content) % 4096)
        chunk_map += name.encode() + struct.pack("<QQ", len(content), len(data))
        content += struct.pack("<IIQ", _MAGIC, 4072, len(data))
        content += name.encode().ljust(4072, b"\0") + data
    content += bytes(-len(content) % 4096)
    at = len(content)
    chunk_map += _CHUNK_MAP + struct.pack("<Q", at)
    content += struct.pack("<IIQ", _MAGIC, 32, len(chunk_map)) + _FILE_MAP + chunk_map
    path.write_bytes(content)
    return path


def _variant(values: dict[str, Any]) -> bytes:
    inner = "".join(_element(name, value) for name, value in values.items())
    return (
        f'<?xml version="1.0"?><variant version="1.0"><no_name runtype="CLxListVariant">{inner}'
        "</no_name></variant>"
    ).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = "".join(_element(n, v) for n, v in value.items())
        return f'<{name} runtype="CLxListVariant">{inner}</{name}>'
    kind = {bool: "bool", int: "lx_uint32", float: "double", str: "CLxStringW"}[type(value)]
    return f'<{name} runtype="{kind}" value="{str(value).lower() if kind == "bool" else value}"/>'


__all__ = ["nd2"]
