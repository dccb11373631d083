"""Every body × law × aggregate × kind of image: each pair of them renders finite."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest
import torch

from helpers.bodies import PIECED, SIMPLE
from osog.rendering import Renderer
from osog.scene import AGGREGATES, HABITS, MODALITY_TITLES, SHAPES, Scene
from osog.scene.distributions import LAWS

VOXELS = {
    "volume": {"shape": {"kind": "volume", "array": "cell", "voxel_um": [0.2, 0.15, 0.15]}},
    "mesh": {"shape": {"kind": "mesh", "unit_um": 1.5, "resolution": 12}},
}
HABIT = "habit"
"""Stands for one habit of crystals after the other, which differ in their table of faces alone."""
WEAR = ("broken", "tapered", "striated", "pitted", "stepped", "frayed")
HOLDING = ("granules", "cracked", "satellites")
TOGETHER_IN_ONE = {
    "worn": {
        "shape": {"kind": "box", "size_um": [9, 6, 3]},
        "surface": {k: v for name in WEAR for k, v in PIECED[name]["surface"].items()},
    },
    "holding": {
        "shape": {"kind": "ellipsoid", "semi_axes_um": [4, 3, 2]},
        "inclusions": [each for name in HOLDING for each in PIECED[name]["inclusions"]],
    },
}
OF_PIECES = {k: v for k, v in PIECED.items() if k not in (*HABITS, *WEAR, *HOLDING)}
BODIES: dict[str, dict[str, Any]] = (
    SIMPLE | OF_PIECES | TOGETHER_IN_ONE | VOXELS | {HABIT: PIECED["lysozyme"]}
)
GROUPS = {None: None} | {
    kind: {"kind": kind} if kind == "cross_twin" else {"kind": kind, "members": 2}
    for kind in AGGREGATES
}
for kind in ("satellites", "intergrown"):  # large enough for what lies in them
    GROUPS[kind]["size_ratio"] = 1.0
GROUPS["dendrite"] = {"kind": "dendrite", "arms": 1, "generations": 1}
MODALITIES = tuple(MODALITY_TITLES)
UNFIT = tuple(product(VOXELS, ("reflection", "iscat")))
"""Light that comes back needs surfaces."""
TOGETHER = 13


def law_of(law: str, value: float) -> dict[str, Any]:
    """Return a law of some kind for a length, close about it."""
    low, high = 0.95 * value, 1.05 * value
    between = {"between": [low, high]}
    parts = {
        "uniform": {"low": low, "high": high},
        "loguniform": {"low": low, "high": high},
        "power": {"low": low, "high": high, "exponent": 3},
        "normal": {"mean": value, "std": 0.02 * value, **between},
        "lognormal": {"median": value, "sigma": 0.02, **between},
        "weibull": {"scale": value, "shape": 20, **between},
        "table": {"values": [low, value, high]},
        "choice": {"options": [low, high], "weights": [1, 2]},
        "mixture": {
            "parts": [{"law": "uniform", "low": a, "high": a * 1.02} for a in (low, value)]
        },
        "multiple": {"of": "grid.pixel_size_um", "factor": value / 0.6},
        "ratio": {"numerator": value, "denominator": [0.97, 1.03]},
    }
    return {"law": law, **parts[law]}


def population(name: str, law: str, group: str | None, habit: str) -> dict[str, Any]:
    """A particle or an aggregate of a body, one number of which is drawn."""
    body = PIECED[habit] if name == HABIT else BODIES[name]
    shape = dict(body["shape"])
    field, place = SHAPES.models[shape["kind"]].columns()[0]
    material: dict[str, Any] = {
        "index": 1.37, "absorption_per_um": 0.02, "birefringence": 0.01, "emission_per_um": 1.0,
    }  # fmt: skip
    if law == "poisson":  # whole numbers, which are no lengths
        material["emission_per_um"] = {"law": "poisson", "mean": 3}
    elif place is None:
        value = shape.get(field) or SHAPES.models[shape["kind"]].model_fields[field].default
        shape[field] = law_of(law, value)
    else:
        numbers = list(shape[field])
        numbers[place] = law_of(law, numbers[place])
        shape[field] = numbers
    rest = {key: value for key, value in body.items() if key != "shape"}
    if "inclusions" in rest:  # satellites are smaller than their body
        rest["inclusions"] = [{**one, "radius_um": 0.08} for one in rest["inclusions"]]
    where = {"law": "poisson", "z_um": [-1, 1]}
    return {
        "name": name, "shape": shape, "material": material, "placement": where, **rest,
        "count": 1, "aggregate": GROUPS[group],
    }  # fmt: skip


def chosen(modality: str) -> list[tuple[str, str, str | None]]:
    """Body, law and aggregate of each population that is seen in one kind of image."""
    laws, groups, m = tuple(LAWS), tuple(GROUPS), MODALITIES.index(modality)
    return [
        (name, laws[(b + m) % len(laws)], groups[(b + 2 * m) % len(groups)])
        for b, name in enumerate(BODIES)
        if (name, modality) not in UNFIT
    ]


def test_every_pair_is_among_them() -> None:
    rows = [(*each, m) for m in MODALITIES for each in chosen(m)]
    every = (tuple(BODIES), tuple(LAWS), tuple(GROUPS), MODALITIES)
    for i, j in combinations(range(4), 2):
        wanted = set(product(every[i], every[j])) - set(UNFIT)
        assert not wanted - {(row[i], row[j]) for row in rows}
    assert {body["shape"]["kind"] for body in BODIES.values()} == set(SHAPES)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_pair_renders_finite(modality: str) -> None:
    habit = tuple(HABITS)[MODALITIES.index(modality) % len(HABITS)]
    populations = [population(*each, habit) for each in chosen(modality)]
    renderer = Renderer("cpu")
    for first in range(0, len(populations), TOGETHER):
        scene = Scene.parse(
            {
                "grid": {"shape": [48, 48], "pixel_size_um": 0.6},
                "medium": {"index": 1.33},
                "populations": populations[first : first + TOGETHER],
                "microscope": {"numerical_aperture": 0.25, "modality": {"kind": modality}},
                "numerics": {"accuracy": "draft", "padding_um": 0.5},
            }
        )
        frame = renderer.render(scene, 1)
        assert bool(torch.isfinite(frame.image).all())
        assert float(frame.image.std()) > 0
        assert len(frame.particles) >= len(scene.populations)
