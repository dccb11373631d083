"""Tables of true numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest


def _with_other_truth(frames):
    """The last frame knows a number that the others do not."""
    frame, split = frames[-1]
    truth = {**frame.objects.truth, "length_um": np.array([2.5, 1 / 3])}
    objects = dataclasses.replace(frame.objects, truth=truth)
    return [*frames[:-1], (dataclasses.replace(frame, objects=objects), split)]


@pytest.mark.parametrize("name", ["table", "parquet"])
def test_every_object_has_a_row_with_its_numbers(name, write, frames) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not part of the environment")
    frames = _with_other_truth(frames)
    folder = write(name, frames)
    path = folder / ("objects.csv" if name == "table" else "objects.parquet")
    read = pd.read_csv if name == "table" else pd.read_parquet
    rows = read(path, dtype={"image": str}) if name == "table" else read(path)
    assert len(rows) == sum(len(frame.objects) for frame, _ in frames)
    assert rows["group"].dtype == rows["seed"].dtype == np.int64
    start = 0
    for frame, split in frames:
        part = rows[start : start + len(frame.objects)]
        start += len(frame.objects)
        assert (part["image"] == frame.stem).all() and (part["split"] == split).all()
        assert part["object"].tolist() == list(range(1, len(frame.objects) + 1))
        for column, values in frame.objects.columns().items():
            if isinstance(values, list):
                assert part[column].tolist() == values
            else:
                np.testing.assert_allclose(part[column].astype(float), values, rtol=1e-8)
    assert rows["length_um"].isna().sum() == len(rows) - 2
