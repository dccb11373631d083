"""Hidden, cut and free particles."""

from __future__ import annotations

import pytest

from osog.geometry import BOX, SPHERE, gbuffer
from osog.labels import visibility


def test_hidden_cut_and_free(make_batch):
    rows = [
        {"kind": SPHERE, "size": (0.5,) * 3, "position": (2, 2, 0)},
        {"kind": BOX, "size": (1, 1, 0.1), "position": (2, 2, 3)},
        {"kind": BOX, "size": (0.5, 0.5, 0.5), "position": (5.95, 2, 3)},
        {"kind": SPHERE, "size": (0.5,) * 3, "position": (20, 20, 0)},
    ]
    seen = visibility(gbuffer(make_batch(rows), (40, 60), 0.1))
    assert seen.tolist() == pytest.approx([0, 1, 0.5, 0], abs=0.02)
