"""Slender bodies that are drawn tile by tile leave the same picture as on their whole patches."""

from __future__ import annotations

import pytest
import torch

from osog.geometry import gbuffer, tiles
from osog.sample import sample
from osog.scene import Scene

SHAPES = {
    "rod": {"kind": "rod", "length_um": 9.0, "radius_um": 0.4},
    "cylinder": {"kind": "cylinder", "length_um": 8.0, "radius_um": 0.3},
    "fibre": {"kind": "bent_rod", "length_um": 9.0, "radius_um": 0.3, "bend_deg": 40.0},
    "tube": {"kind": "tube", "length_um": 8.0, "radius_um": 0.4, "wall_um": 0.1},
    "thin": {"kind": "rod", "length_um": 7.0, "radius_um": 0.03},
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [5.0, 0.5, 0.4]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_leave_no_pixel_out(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene.parse(
        {
            "grid": {"shape": [96, 128], "pixel_size_um": 0.1},
            "populations": [{"shape": SHAPES[shape], "material": {"index": 1.4}, "count": 25}],
        }
    )
    batch = sample(scene, 4)
    drawn = []
    for least in (tiles._LEAST_SIDE, 10**6):
        monkeypatch.setattr(tiles, "_LEAST_SIDE", least)
        seen = []
        monkeypatch.setattr(tiles, "_together", recorded(seen))
        drawn.append(gbuffer(batch, (96, 128), 0.1, silhouettes=True))
        assert bool(seen) == (least < 10**6)
    first, second = drawn
    for name in ("instances", "visible_area", "inside_area", "full_area"):
        assert torch.equal(getattr(first, name), getattr(second, name)), name
    for name in ("opd", "path", "depth"):  # a batched matrix product may round otherwise
        torch.testing.assert_close(
            getattr(first, name), getattr(second, name), rtol=1e-4, atol=1e-5, equal_nan=True
        )
    for a, b in zip(first.silhouettes, second.silhouettes, strict=True):
        assert (a.row, a.column) == (b.row, b.column) and (a.pixels == b.pixels).all()


TOGETHER = tiles._together


def recorded(seen: list[int]):
    def together(shape, waiting, pitch_um):
        seen.extend(len(patches.members) for patches in waiting)
        return TOGETHER(shape, waiting, pitch_um)

    return together
