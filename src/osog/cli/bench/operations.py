"""How many operations a frame is made of: counts, which have no noise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

WAITS = frozenset(
    {
        "_local_scalar_dense", "is_nonzero", "masked_select", "nonzero", "unique", "_unique2",
        "unique_consecutive",
    }
)  # fmt: skip
"""Operations whose result the host waits for, where a GPU computes."""


@dataclass(frozen=True)
class OperationsCase:
    """One row: what one image is made of.

    Attributes
    ----------
    frame : str
    particles : int
    operations : int
        That read or write numbers on the device; views are none. Compiled loops and kernels are not
        torch's operations.
    waits : int
        Times that the host would wait for a GPU.
    gigabytes : float
        That the operations read and write.
    commonest : dict
        The commonest operations and their counts.
    """

    frame: str
    particles: int
    operations: int
    waits: int
    gigabytes: float
    commonest: dict[str, int] = field(default_factory=dict)


class Operations(TorchDispatchMode):
    """Counts operations, waits of the host, and bytes that operations read and write.

    Parameters
    ----------
    device : str
        Type of the device whose operations count.
    """

    def __init__(self, device: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = torch.device(device).type
        self.names: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count one operation."""
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        flat, _ = torch.utils._pytree.tree_flatten((args, kwargs, out))
        tensors = [t for t in flat if isinstance(t, torch.Tensor)]
        here = [t for t in tensors if t.device.type == self.device]
        moved = len({t.device.type for t in tensors}) > 1
        if not here:
            return out
        if name in WAITS or (moved and name in ("_to_copy", "copy_")):
            self.waits[name] += 1
        if not getattr(func, "is_view", False):
            self.names[name] += 1
            self.bytes += sum(t.numel() * t.element_size() for t in here)
        return out

    def report(self) -> dict[str, Any]:
        """Return the counts."""
        return {
            "operations": sum(self.names.values()),
            "waits": sum(self.waits.values()),
            "gigabytes": self.bytes / 1e9,
            "commonest": dict(self.names.most_common(12)),
            "waiting": dict(self.waits.most_common(6)),
        }


def counted(frame: str, particles: int, device: str, work: Callable[[], Any]) -> OperationsCase:
    """Count the operations of a piece of work.

    Parameters
    ----------
    frame : str
        Name of the row.
    particles : int
    device : str
    work : callable
        Called once before, so that what is made once is not counted.
    """
    work()
    with Operations(device) as counts:
        work()
    found = counts.report()
    return OperationsCase(
        frame, particles, found["operations"], found["waits"], found["gigabytes"],
        found["commonest"],
    )  # fmt: skip


def operations_table(cases: list[OperationsCase]) -> Table:
    """Lay out the counts for people."""
    from osog.cli.console import table

    titles = ("particles", "operations", "waits", "GB moved")
    rows = [
        (c.frame, f"{c.particles:,}", f"{c.operations:,}", c.waits, f"{c.gigabytes:.2f}")
        for c in cases
    ]
    return table(["frame", *((t, "right") for t in titles)], rows, "Operations of one image")


__all__ = ["WAITS", "Operations", "OperationsCase", "counted", "operations_table"]
