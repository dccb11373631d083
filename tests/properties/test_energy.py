"""Light is moved by the lens and taken by absorption, and comes from nowhere."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import osog
from helpers.strategies import bodies, few, small_scene

Populations = list[dict[str, Any]]

WHOLE = {"numerics.padding_um": 0.0}
"""Without a margin the frame is the whole domain of the transforms, so that no light leaves it."""


def mean(populations: Populations, kind: str, **microscope: Any) -> float:
    """Mean irradiance over the whole domain, as a share of the background where it is bright.

    The pixels resolve all that the objective lets through: their mean is that of the light.
    """
    scene = small_scene(populations, {"kind": kind}, **microscope).updated(WHOLE)
    return float(osog.forward(scene, dtype=torch.float64).mean())


def made_of(populations: Populations, **material: float) -> Populations:
    return [{**p, "material": {**p["material"], **material}} for p in populations]


@few
@given(
    populations=bodies(),
    kind=st.sampled_from(
        ["hologram", "brightfield", "dic", "shadowgraph", "fluorescence", "reflection", "iscat"]
    ),
    focus=st.floats(-6, 6),
    spherical=st.floats(-0.2, 0.2),
    coma=st.floats(-0.2, 0.2),
)
def test_focus_and_aberrations_move_light_and_take_none(
    populations: Populations, kind: str, focus: float, spherical: float, coma: float
) -> None:
    sharp = mean(populations, kind)
    blurred = mean(
        populations, kind, focus_um=focus, aberrations={"spherical": spherical, "coma_x": coma}
    )
    assert blurred == pytest.approx(sharp, rel=1e-5)


@few
@given(populations=bodies())
def test_a_clear_sample_passes_all_light_and_an_absorbing_one_less(
    populations: Populations,
) -> None:
    """What leaves the aperture at its edge, and the grids, are worth less than half a percent."""
    clear = made_of(populations, absorption_per_um=0.0, birefringence=0.0)
    passed = mean(clear, "hologram", numerical_aperture=1.3, immersion_index=1.515)
    assert passed == pytest.approx(1.0, abs=5e-3)
    dark = made_of(clear, absorption_per_um=0.3)
    assert mean(dark, "hologram", numerical_aperture=1.3, immersion_index=1.515) < passed
