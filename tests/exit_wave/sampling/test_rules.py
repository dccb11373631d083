"""The rules of sampling, one by one."""

from __future__ import annotations

from math import asin, inf, tan

import pytest

from osog.exit_wave import plan_sampling
from osog.exit_wave.sampling import margin, pitch, slab_spacing
from osog.exit_wave.sampling.accuracy import DRAFT, FINE, STANDARD
from osog.exit_wave.sampling.grid_request import GridRequest, SceneFacts, followed
from osog.exit_wave.sampling.irradiance_band import irradiance_band
from osog.exit_wave.sampling.plan import planned
from osog.exit_wave.sampling.spectral_sample_count import path_difference_um
from osog.exit_wave.sampling.steps import at_least, fast_length, step_down, step_up
from osog.sample import Values, sample
from osog.scene import Scene, SceneError

NA, WAVELENGTH, INDEX = 0.8, 0.55, 1.33


def asked(kind: str = "brightfield", accuracy=STANDARD, resolve=True, **changes) -> GridRequest:
    """One bead of 0.4 µm radius, 4 µm above the plane in focus."""
    scene = Scene.parse(
        {
            "grid": {"shape": [64, 80], "pixel_size_um": 0.1},
            "medium": {"index": INDEX},
            "populations": [
                {
                    "shape": {"kind": "sphere", "radius_um": 0.4},
                    "material": {"index": 1.36},
                    "particles": [{"x_um": 3.0, "y_um": 3.0, "z_um": 4.0}],
                }
            ],
            "microscope": {"modality": {"kind": kind}, "numerical_aperture": NA},
        }
    ).updated(changes)
    return GridRequest(SceneFacts(scene, sample(scene, 0, Values(scene))), accuracy, (), resolve)


def test_the_margin_holds_the_defocused_cone() -> None:
    request = asked()
    spread = step_up(4.4, 1.25) * tan(asin(NA / INDEX))
    assert request.facts.spread_um == pytest.approx(spread)
    expected = 0.75 * spread + 2 * WAVELENGTH / NA
    assert margin.defocused_cone(request, 0.0) == pytest.approx(expected)
    assert followed(margin.MARGIN, request) == pytest.approx(expected)
    assert followed(margin.MARGIN, asked(accuracy=DRAFT)) < expected


def test_a_fine_domain_is_wide_against_the_pupil_s_edge() -> None:
    fine, base = asked(accuracy=FINE), 1.0
    wide = margin.thin_pupil_edge(fine, base)
    assert 2 * wide + 6.4 == pytest.approx(40 * WAVELENGTH / NA)
    assert margin.thin_pupil_edge(asked(), base) == base


def test_halos_motion_and_distortion_ask_for_their_own() -> None:
    ring = {"microscope.modality.ring_width": 0.1}
    halos = asked("phase_contrast", **ring)
    assert margin.halos(halos, 0.0) == pytest.approx(WAVELENGTH / (0.1 * NA))
    assert margin.halos(asked("phase_contrast", accuracy=DRAFT, **ring), 0.0) == 0
    assert margin.motion(asked(camera={"motion_blur_px": 8.0}), 1.0) > 1.4
    barrel = {"microscope.field_aberrations.distortion_percent": -4.0}
    assert margin.barrel(asked(**barrel), 1.0) > 1.2
    pincushion = {"microscope.field_aberrations.distortion_percent": 4.0}
    assert margin.barrel(asked(**pincushion), 1.0) == 1.0


def test_the_user_s_own_numbers_end_every_table() -> None:
    own = {"numerics.padding_um": 3.3, "numerics.pitch_um": 0.07, "numerics.slab_um": 0.21}
    request = asked(**own)
    assert followed(margin.MARGIN, request) == 3.3
    assert followed(pitch.PITCH, request) == 0.07
    assert followed(slab_spacing.SLAB_SPACING, request) == 0.21


def test_the_pitch_follows_the_aperture_and_the_light() -> None:
    assert pitch.aperture(asked(), 0.0) == pytest.approx(WAVELENGTH / (3.7 * NA))
    lit = asked(**{"microscope.condenser_numerical_aperture": NA})
    assert pitch.aperture(lit, 0.0) == pytest.approx(WAVELENGTH / NA / 4.2)
    assert pitch.round_trip(asked("reflection"), 0.2) == 0.1
    assert pitch.round_trip(asked(), 0.2) == 0.2
    confocal = asked("confocal")
    both = 1 / (1 / WAVELENGTH + 1 / 0.488)
    assert pitch.aperture(confocal, 0.0) == pytest.approx(both / (3.7 * NA))


def test_small_bodies_refine_a_fine_grid_alone() -> None:
    assert pitch.small_bodies(asked(accuracy=FINE), 0.2) == pytest.approx(0.4 / 3)
    assert pitch.small_bodies(asked(accuracy=FINE, resolve=False), 0.4) == pytest.approx(0.25)
    assert pitch.small_bodies(asked(accuracy=FINE), 0.5) == 0.25
    assert pitch.small_bodies(asked(), 0.5) == 0.5


def test_slabs_are_as_deep_as_the_field_the_sheet_and_the_bodies_allow() -> None:
    deep = WAVELENGTH * INDEX / NA**2
    assert slab_spacing.depth_of_field(asked(), 0.0) == pytest.approx(0.5 * deep)
    assert slab_spacing.emission(asked("fluorescence"), 1.0) == pytest.approx(0.5)
    assert slab_spacing.emission(asked("fluorescence", accuracy=FINE), 1.0) == pytest.approx(1.0)
    assert slab_spacing.emission(asked(), 1.0) == 1.0
    sheet = asked("light_sheet", **{"microscope.modality.waist_um": 0.9})
    assert slab_spacing.light_sheet(sheet, 1.0) == pytest.approx(0.3)
    assert slab_spacing.thin_bodies(asked(), 2.0) == pytest.approx(2.0 / 1.5)
    assert slab_spacing.thin_bodies(asked(accuracy=DRAFT), 2.0) == 2.0
    assert slab_spacing.near_um(asked()) == inf
    assert slab_spacing.near_um(asked("confocal")) < 3


def test_irradiance_has_twice_the_band_and_that_of_its_fringes() -> None:
    def band(kind: str, **changes) -> float:
        facts = asked(kind, **changes).facts
        modality = facts.scene.microscope.modality
        return irradiance_band(modality, NA, WAVELENGTH, facts.resolving_um)

    assert band("brightfield") == pytest.approx(2 * NA / WAVELENGTH)
    assert band("confocal") == pytest.approx(2 * NA * (1 / WAVELENGTH + 1 / 0.488))
    dense = {"microscope.modality.carrier_per_um": 5.0}
    assert band("off_axis_hologram", **dense) == pytest.approx(NA / WAVELENGTH + 5)


def test_paths_that_interfere_add_up() -> None:
    bright = path_difference_um(asked().facts)
    plate = {"microscope.modality.compensator_nm": -500.0}
    assert path_difference_um(asked("polarized", **plate).facts) == pytest.approx(bright + 0.5)
    mirror = {"microscope.modality.interface_um": 10.0}
    below = path_difference_um(asked("reflection", **mirror).facts)
    assert below == pytest.approx(bright + 2 * INDEX * 6.4)
    assert path_difference_um(asked("fluorescence").facts) == 0


def test_the_planes_hold_every_particle() -> None:
    plan = planned(asked())
    assert plan.slab_planes_um[0] < 3.6 and plan.slab_planes_um[-1] > 4.4


def test_numbers_move_in_steps() -> None:
    for value in (0.013, 0.9, 1.0, 7.3):
        assert value <= step_up(value, 1.25) * (1 + 1e-9) < 1.26 * value
        assert value / 1.26 < step_down(value, 1.25) <= value * (1 + 1e-9)
    assert at_least(9, (4, 8, 16), 64) == 16
    assert at_least(100, (4, 8, 16), 12) == 12
    assert at_least(100, (4, 8, 16), 64) == 64
    assert fast_length(97) >= 97 and fast_length(101, slack=0.015) == 100


def test_an_unknown_accuracy_is_refused() -> None:
    facts = asked().facts
    with pytest.raises(SceneError, match="'best' is not one of auto, draft, standard, fine"):
        plan_sampling(facts.scene, facts.batch, accuracy="best")


@pytest.mark.parametrize(("stated", "expected"), [("auto", True), ("draft", False)])
def test_stated_directions_give_way_while_a_slider_moves(stated, expected) -> None:
    """A scene that states a draft itself keeps its directions, however it is asked for."""
    scene = asked().facts.scene.updated(
        {
            "microscope.condenser_numerical_aperture": 0.4,
            "microscope.source_points": 40,
            "numerics.accuracy": stated,
        }
    )
    batch = sample(scene, 0, Values(scene))
    dragged = plan_sampling(scene, batch, accuracy="draft")
    assert sum(dragged.source_rings) == (10 if expected else 38)
    assert sum(plan_sampling(scene, batch).source_rings) == 38
