"""A fit run as a file: what was fitted, from where, and what came out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io import atomic
from osog.scene import Scene, SceneError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_osog.panels.fit_trial import FitOutcome
    from osog.fitting import FitResult

_KIND = "osog-fit-run"


class RecordError(ValueError):
    """A file that is no fit run; the message is one sentence."""


@dataclass(frozen=True)
class Record:
    """One run, whole.

    Attributes
    ----------
    target : dict
        Name, file, checksum, shape and frame of the micrograph.
    scene : Scene
        At whose numbers it began.
    seed : int
    free : tuple of str
    bounds : dict
    start : str
    region : (y0, y1, x0, x1) or None
    linear, optics : str
    started : dict
        Free names → value at the start.
    notes : tuple of str
    result : FitResult
    """

    target: Mapping[str, Any]
    scene: Scene
    seed: int
    free: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]]
    start: str
    region: tuple[int, int, int, int] | None
    linear: str
    optics: str
    started: Mapping[str, float]
    notes: tuple[str, ...]
    result: FitResult
    version: str = field(default="")


def checksum(image: NDArray[Any]) -> str:
    """SHA-256 of the pixels, with shape and type."""
    made = hashlib.sha256(f"{image.dtype.str}{image.shape}".encode())
    made.update(np.ascontiguousarray(image).tobytes())
    return made.hexdigest()


def described(layer: Any, image: NDArray[np.float64], point: Any = None) -> dict[str, Any]:
    """Name, file, checksum, shape and frame of a micrograph."""
    path = getattr(getattr(layer, "source", None), "path", None)
    return {
        "name": str(layer.name),
        "path": None if path is None else str(path),
        "sha256": checksum(image),
        "shape": list(image.shape),
        "frame": None if point is None or layer.ndim < 3 else [float(v) for v in point],
    }


def record_of(outcome: FitOutcome, target: Mapping[str, Any]) -> Record:
    """Record of a fit that has ended with a result."""
    from osog import __version__

    request, result = outcome.request, outcome.result
    assert result is not None
    return Record(
        target=target,
        scene=request.scene,
        seed=request.seed,
        free=request.free,
        bounds=dict(request.bounds),
        start=request.start,
        region=request.region,
        linear=request.linear,
        optics=request.optics,
        started=dict(outcome.started),
        notes=outcome.notes,
        result=result,
        version=__version__,
    )


def save(record: Record, path: str | os.PathLike[str]) -> None:
    """Write a run as JSON, whole or not at all."""
    data = {
        "kind": _KIND,
        "version": record.version,
        "target": dict(record.target),
        "seed": record.seed,
        "start": record.start,
        "free": list(record.free),
        "bounds": {name: list(pair) for name, pair in record.bounds.items()},
        "region": None if record.region is None else list(record.region),
        "linear": record.linear,
        "optics": record.optics,
        "started": dict(record.started),
        "notes": list(record.notes),
        "scene": record.scene.to_dict(),
        "result": record.result.to_dict(),
    }
    atomic.write_text(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))


def load(path: str | os.PathLike[str]) -> Record:
    """Read a run; model and residual images are not in the file and come back empty.

    Raises
    ------
    RecordError
        If the file holds no run.
    OSError
        If it cannot be read.
    """
    name = Path(path).name
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        raise RecordError(f"{name} is not a saved fit run: it is not JSON.") from None
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise RecordError(f"{name} is not a saved fit run.")
    try:
        region = data["region"]
        return Record(
            target=data["target"],
            scene=Scene.parse(data["scene"]),
            seed=int(data["seed"]),
            free=tuple(data["free"]),
            bounds={n: (float(low), float(high)) for n, (low, high) in data["bounds"].items()},
            start=str(data["start"]),
            region=None if region is None else tuple(int(v) for v in region),  # type: ignore[arg-type]
            linear=str(data["linear"]),
            optics=str(data["optics"]),
            started={n: float(v) for n, v in data["started"].items()},
            notes=tuple(data["notes"]),
            result=_result(data["result"]),
            version=str(data["version"]),
        )
    except SceneError as error:
        raise RecordError(f"{name}: {str(error).splitlines()[0]}") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RecordError(f"{name} is a damaged fit run: a part of it is missing.") from None


def _result(data: Mapping[str, Any]) -> FitResult:
    from osog.fitting import FitResult

    def real(value: Any, missing: float) -> float:
        return missing if value is None else float(value)

    nothing = np.empty((0, 0))
    matrix = [[real(v, np.inf) for v in row] for row in data["covariance"]["matrix"]]
    return FitResult(
        values={n: real(v, np.nan) for n, v in data["values"].items()},
        sigma={n: real(v, np.inf) for n, v in data["sigma"].items()},
        units=dict(data["units"]),
        undetermined=dict(data["undetermined"]),
        names=tuple(data["covariance"]["names"]),
        covariance=np.array(matrix, dtype=np.float64),
        nuisances={
            n: (real(v["value"], np.nan), real(v["sigma"], np.inf))
            for n, v in data["nuisances"].items()
        },
        linear={n: real(v, np.nan) for n, v in data["linear"].items()},
        scene=Scene.parse(data["scene"]),
        model=nothing,
        residual=nothing,
        region=tuple(int(v) for v in data["region"]),  # type: ignore[arg-type]
        history=list(data["history"]),
        warnings=list(data["warnings"]),
        success=bool(data["success"]),
        converged=bool(data.get("converged", data["success"])),
        chi2_per_pixel=real(data["chi2_per_pixel"], np.nan),
        r_squared=real(data["r_squared"], np.nan),
        rms=real(data["rms"], np.nan),
        stopped=bool(data["stopped"]),
        tests={n: real(v, np.nan) for n, v in data["tests"].items()},
        renders=int(data["renders"]),
        elapsed_s=real(data["elapsed_s"], np.nan),
    )


__all__ = ["Record", "RecordError", "checksum", "described", "load", "record_of", "save"]
