"""YOLO11n-OBB, trained and used. The only file here that needs Ultralytics, which is AGPL-3.0."""

from __future__ import annotations

import math
import os
import time
from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, Any

os.environ.setdefault("YOLO_OFFLINE", "true")  # nothing is downloaded

import numpy as np
import torch
from boxes import agreed, sifted
from numpy.typing import NDArray
from pictures import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Array = NDArray[np.float64]


def train(
    batches: Iterator[tuple[NDArray[np.uint8], list[Array]]],
    steps: int,
    out: Path,
    *,
    weights: Path | None = None,
    rate: float = 2e-3,
    device: str = "cpu",
    every: int = 50,
    minutes: float | None = None,
) -> Path:
    """Train YOLO11n-OBB on windows.

    Parameters
    ----------
    batches : iterator
        Pictures (B, Y, X), and boxes (n, 5) of each.
    steps : int
    out : Path
        File of the weights, which `ultralytics.YOLO` opens too; written every 200 steps.
    weights : Path, optional
        To begin with; from scratch where they are left out.
    rate : float
        Highest learning rate of AdamW; a cosine brings it down to a hundredth.
    device : str
    every : int
        Steps between two lines of the log.
    minutes : float, optional
        Wall time after which the rest of the steps is left out; the rate then falls by time.

    Returns
    -------
    Path
        `out`.
    """
    from ultralytics.cfg import get_cfg
    from ultralytics.nn.tasks import OBBModel

    if weights is None:
        model = OBBModel("yolo11n-obb.yaml", ch=3, nc=1, verbose=False)
    else:
        from ultralytics import YOLO

        model = YOLO(str(weights), task="obb").model
        for parameter in model.parameters():
            parameter.requires_grad_(True)
    model.args = get_cfg()
    model.names = {0: "particle"}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True  # windows have one size
    # A fifth faster than rows of channels, on CPUs and GPUs alike.
    model = model.to(device, memory_format=torch.channels_last).float().train()
    smooth = deepcopy(model).eval()
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 5e-4},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=rate)
    begun, lately, seconds = time.monotonic(), [], time.process_time()
    for step in range(steps):
        done = step / steps
        if minutes is not None:
            done = max(done, (time.monotonic() - begun) / (60 * minutes))
        if done >= 1:
            break
        for group in optimiser.param_groups:
            cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
            group["lr"] = rate * min(1.0, (step + 1) / 50) * cosine
        loss, parts = model.loss(_batch(*next(batches), device))
        optimiser.zero_grad()
        loss.sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        _follow(smooth, model, min(0.995, 1 - 1 / (step + 2) ** 0.8))
        values = parts.values() if isinstance(parts, dict) else parts
        # Numbers stay where they are made: to ask for them would let a GPU wait.
        lately.append(torch.stack([torch.as_tensor(value).detach() for value in values]))
        if (step + 1) % every == 0:
            words = " ".join(f"{value:.3f}" for value in torch.stack(lately).mean(0).tolist())
            used, past = time.process_time() - seconds, time.monotonic() - begun
            print(f"step {step + 1}: losses {words}, {used:.0f} CPU-s, {past:.0f} s", flush=True)
            lately = []
        if (step + 1) % 200 == 0:
            _save(smooth, out)
    _save(smooth, out)
    return out


def load(weights: Path, device: str = "cpu") -> torch.nn.Module:
    """Open a detector that was trained."""
    from ultralytics import YOLO

    model: torch.nn.Module = YOLO(str(weights), task="obb").model
    return model.to(device).float().eval()


def found(
    detector: torch.nn.Module,
    picture: NDArray[np.uint8],
    least: float = 0.01,
    overlap: float = 0.4,
    device: str = "cpu",
    views: int = 8,
) -> tuple[Array, Array]:
    """Boxes (n, 5) and confidences (n,) of a normalised picture (Y, X), at its own pixels.

    The network is asked directly, and what it says twice is dropped by `boxes.sifted`: the
    predictor of Ultralytics would ask for the binary part of torchvision. It sees the picture
    turned and mirrored too, and `boxes.agreed` averages what it says.

    Parameters
    ----------
    detector : torch module
        Of `load`.
    picture : ndarray of uint8 (Y, X)
        The whole of it at once; the network sees any size.
    least : float
        Lowest confidence.
    overlap : float
        ProbIoU beyond which the less confident of two boxes goes.
    device : str
    views : int
        From 1, the picture as it is, to 8: four quarter turns, and the same of its mirror image.
    """
    said, sure = [], []
    for number in range(views):
        view = np.rot90(picture[:, ::-1] if number >= 4 else picture, number % 4)
        boxes, trust = _said(detector, np.ascontiguousarray(view), least, overlap, device)
        said.append(_turned_back(boxes, number, view.shape))
        sure.append(trust)
    boxes, trust = agreed(np.concatenate(said), np.concatenate(sure), views, max(overlap, 0.5))
    kept = sifted(boxes, overlap)
    kept = kept[trust[kept] >= least]
    return boxes[kept], trust[kept]


@torch.no_grad()
def _said(
    detector: torch.nn.Module,
    picture: NDArray[np.uint8],
    least: float,
    overlap: float,
    device: str,
) -> tuple[Array, Array]:
    """What the network says of one view."""
    rows, columns = picture.shape
    full = np.full([32 * math.ceil(n / 32) for n in picture.shape], EMPTY, np.uint8)
    full[:rows, :columns] = picture
    image = torch.from_numpy(full).to(device).float()[None, None].expand(1, 3, -1, -1) / 255
    said = detector(image)
    rows_of = (said[0] if isinstance(said, (tuple, list)) else said)[0].T.double().cpu().numpy()
    shown, sure = rows_of[:, [0, 1, 2, 3, -1]], rows_of[:, 4:-1].max(1)
    shown[:, :2] -= 0.5  # it counts from the corner of the first pixel
    chosen = np.flatnonzero(sure >= least)
    chosen = chosen[np.argsort(-sure[chosen], kind="stable")][:3000]
    kept = chosen[sifted(shown[chosen], overlap)]
    return shown[kept], sure[kept]


def _turned_back(boxes: Array, number: int, shape: tuple[int, ...]) -> Array:
    """Bring boxes of a view of `found` back to the picture."""
    out = boxes.copy()
    rows, columns = shape
    for _ in range(number % 4):  # undo one quarter turn of the rows and columns at that time
        out[:, 0], out[:, 1] = rows - 1 - out[:, 1], out[:, 0].copy()
        out[:, 4] += np.pi / 2
        rows, columns = columns, rows
    if number >= 4:
        out[:, 0], out[:, 4] = columns - 1 - out[:, 0], -out[:, 4]
    return out


def _batch(pictures: NDArray[np.uint8], boxes: list[Array], device: str) -> dict[str, Any]:
    """Put windows into the form that Ultralytics takes."""
    image = torch.from_numpy(pictures).to(device).float()[:, None].expand(-1, 3, -1, -1) / 255
    image = image.contiguous(memory_format=torch.channels_last)
    rows = torch.from_numpy(np.concatenate(boxes)).to(device).float()
    rows[:, :2] += 0.5
    rows[:, 0:4:2] /= pictures.shape[2]
    rows[:, 1:4:2] /= pictures.shape[1]
    rows[:, 4] = (rows[:, 4] + torch.pi / 4) % torch.pi - torch.pi / 4  # as its own loader has it
    of = torch.repeat_interleave(
        torch.arange(len(boxes), device=device).float(),
        torch.tensor([len(b) for b in boxes], device=device),
    )
    return {
        "img": image, "bboxes": rows, "cls": torch.zeros(len(rows), 1, device=device),
        "batch_idx": of,
    }  # fmt: skip


def _follow(smooth: torch.nn.Module, model: torch.nn.Module, share: float) -> None:
    """Let averaged weights follow those that are trained."""
    with torch.no_grad():
        theirs, mine, new = model.state_dict(), [], []
        for name, value in smooth.state_dict().items():
            if value.dtype.is_floating_point:
                mine.append(value)
                new.append(theirs[name])
            else:
                value.copy_(theirs[name])
        torch._foreach_lerp_(mine, new, 1 - share)  # all at once: a GPU is slow to begin


def _save(model: torch.nn.Module, out: Path) -> None:
    import ultralytics

    kept = deepcopy(model).cpu().half()
    kept.criterion = None
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".part")
    facts = {
        "model": kept, "ema": None, "train_args": {"task": "obb", "model": "yolo11n-obb.yaml"},
        "date": datetime.now().isoformat(), "version": ultralytics.__version__,
    }  # fmt: skip
    torch.save(facts, temporary)
    temporary.replace(out)
