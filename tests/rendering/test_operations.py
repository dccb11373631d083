"""How many operations a frame starts: a count that has no noise."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from osog.rendering import Renderer
from osog.scene import Scene


class Counted(TorchDispatchMode):
    """Counts operations that read or write data, not views of it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        shared = isinstance(found, torch.Tensor) and found._is_view()
        self.count += not shared
        return found


def operations(points: int, **settings: object) -> int:
    scene = Scene.parse(
        {
            "grid": {"shape": [64, 64], "pixel_size_um": 0.2},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": 0.8},
                    "material": {"index": 1.4},
                    "particles": [{"x_um": 6.0, "y_um": 6.0, "z_um": z} for z in (-3, 0, 3)],
                }
            ],
            "microscope": {
                "modality": {"kind": "dic"},
                "numerical_aperture": 0.35,
                "condenser_numerical_aperture": 0.2,
                "source_points": points,
            },
            **settings,
        }
    )
    with Counted() as counted:
        Renderer("cpu").render(scene)
    return counted.count


@pytest.mark.parametrize("coherence", ["abbe", "weak_object"])
def test_more_directions_of_light_start_few_more_operations(coherence: str) -> None:
    few, many = (operations(n, numerics={"partial_coherence": coherence}) for n in (24, 120))
    # One direction at a time, 96 more start 21,000 operations.
    assert many - few < 96 * 20
