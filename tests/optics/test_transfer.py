from __future__ import annotations

import time
from math import pi
from typing import Any

import numpy as np
import pytest

from osog.optics.transfer import pupil_map, transfer_curve
from osog.scene import MODALITY_TITLES, Scene

CUTOFF = 0.8 / 0.55


def scene_of(kind: str, **numbers: Any) -> Scene:
    from osog.scene import Microscope

    lens = Microscope.model_fields
    modality = {"kind": kind, **{k: v for k, v in numbers.items() if k not in lens}}
    optics = {k: v for k, v in numbers.items() if k in lens}
    return Scene.parse(
        {
            "medium": {"index": 1.33},
            "microscope": {"modality": modality, "numerical_aperture": 0.8, **optics},
        }
    )


def at(scene: Scene, name: str, *nu: float) -> list[float]:
    """Curve at frequencies in NA/λ."""
    curve = transfer_curve(scene)
    return [float(np.interp(x * CUTOFF, curve.frequency_per_um, curve.curves[name])) for x in nu]


def test_emission_against_hopkins() -> None:
    """(2/π)(acos ν − ν √(1 − ν²)) at ν = ¼, ½, ¾ of the cut-off."""
    expected = [2 / pi * (np.arccos(v) - v * np.sqrt(1 - v * v)) for v in (0.25, 0.5, 0.75)]
    assert at(scene_of("fluorescence"), "contrast", 0.5, 1.0, 1.5) == pytest.approx(
        expected, abs=5e-3
    )


@pytest.mark.parametrize(
    ("ratio", "nu", "overlap"),
    [(0.3, 1.0, 0.468097), (0.5, 1.0, 0.446610), (0.5, 1.2, 0.216576), (1.0, 0.5, 0.685038)],
)
def test_amplitude_in_partial_coherence(ratio: float, nu: float, overlap: float) -> None:
    """Area of the source's disc within the shifted pupil."""
    scene = scene_of("brightfield", condenser_numerical_aperture=0.8 * ratio)
    assert at(scene, "amplitude", nu) == pytest.approx([overlap], abs=0.025)
    assert max(abs(v) for v in at(scene, "phase", 0.2, 0.7)) < 1e-6


def test_phase_contrast_has_the_sign_of_its_polarity() -> None:
    """Thin ring: ± 1/a per radian, here a = ½."""
    positive = scene_of("phase_contrast", ring_width=0.02, absorption=0.75)
    negative = scene_of("phase_contrast", ring_width=0.02, absorption=0.75, polarity="negative")
    assert at(positive, "phase", 0.25) == pytest.approx([-2.0], rel=0.1)
    assert at(negative, "phase", 0.25) == pytest.approx([2.0], rel=0.1)


def test_dic_follows_the_sine_of_the_shear() -> None:
    """Coherent, bias π/2: sin(2π f s/2) relative to a background of ½."""
    scene = scene_of("dic", shear_um=0.2, azimuth_deg=30.0, bias_retardance_deg=90.0)
    curve = transfer_curve(scene)
    assert curve.azimuth_deg == 30.0
    expected = abs(np.sin(pi * 0.5 * CUTOFF * 0.2))
    assert at(scene, "phase", 0.5) == pytest.approx([expected], rel=1e-3)


def test_confocal_reaches_further_than_widefield() -> None:
    scene = scene_of("confocal", pinhole_airy_units=0.2)
    curve = transfer_curve(scene)
    assert curve.cutoff_per_um == pytest.approx(2 * 0.8 * (1 / 0.55 + 1 / 0.488))
    assert at(scene, "contrast", 1.9)[0] > 0.05 > at(scene_of("fluorescence"), "contrast", 1.9)[0]
    open_hole = scene_of("confocal", pinhole_airy_units=20.0)
    assert at(open_hole, "contrast", 1.9)[0] < 0.1


def test_darkfield_shows_scattered_light() -> None:
    scene = scene_of("darkfield", inner_numerical_aperture=0.9, outer_numerical_aperture=1.1)
    none, some = at(scene, "light", 0.0, 1.0)
    assert none < 0.02 and 0.15 < some < 0.4


def test_aberrations_lower_the_contrast() -> None:
    clear, blurred = (
        scene_of("fluorescence"),
        scene_of("fluorescence", aberrations={"coma_x": 0.15}),
    )
    assert at(blurred, "contrast", 0.8)[0] < 0.8 * at(clear, "contrast", 0.8)[0]


def test_map_of_the_pupil() -> None:
    scene = scene_of("phase_contrast", aberrations={"spherical": 0.1}, pupil={"obstruction": 0.2},
                     focus_um=[0.0, 1.0], cover_glass={"depth_um": 3.0})  # fmt: skip
    shown = pupil_map(scene, 81)
    amplitude = np.abs(shown.pupil)
    assert amplitude.shape == (81, 81) and amplitude[0, 0] == 0 == amplitude[40, 40]
    sine = shown.sine
    ring = amplitude[40][(np.abs(np.abs(sine) - 0.48) < 0.02)]
    clear = amplitude[40][(np.abs(np.abs(sine) - 0.3) < 0.05)]
    assert ring == pytest.approx(0.5, abs=0.05) and clear == pytest.approx(1.0, abs=1e-6)
    inner, outer, x, y = shown.source or (0, 0, 0, 0)
    assert (inner, outer) == pytest.approx((0.44, 0.52)) and x == y == 0
    assert np.ptp(np.angle(shown.pupil[amplitude > 0.9])) > 0.5
    assert pupil_map(scene_of("fluorescence")).source is None


def test_oblique_light_lies_off_the_axis() -> None:
    scene = scene_of("brightfield", condenser_numerical_aperture=0.3,
                     oblique_numerical_aperture=0.6, oblique_azimuth_deg=90.0)  # fmt: skip
    shown = pupil_map(scene)
    assert shown.source == pytest.approx((0.0, 0.3, 0.0, 0.6), abs=1e-12)
    assert shown.sine[-1] > 0.9
    assert transfer_curve(scene).azimuth_deg == pytest.approx(90.0)


@pytest.mark.parametrize("kind", MODALITY_TITLES)
def test_every_modality_is_quick(kind: str) -> None:
    scene = scene_of(kind)
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        shown, curve = pupil_map(scene), transfer_curve(scene)
        best = min(best, time.perf_counter() - start)
    assert best < 0.2  # a few milliseconds on an idle machine
    assert np.isfinite(shown.pupil).all()
    assert curve.frequency_per_um[-1] == pytest.approx(curve.cutoff_per_um)
    for values in curve.curves.values():
        assert values.shape == curve.frequency_per_um.shape and np.isfinite(values).all()
