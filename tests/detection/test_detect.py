"""Particles are found without clicks, and nothing is found where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from osog import FitError, Scene, detect, render


def _scene(kind="brightfield", shape=None, count=12, **population):
    return Scene.parse(
        {
            "grid": {"shape": [200, 240], "pixel_size_um": 0.1},
            "medium": {"index": 1.333},
            "populations": [
                {
                    "name": "p",
                    "shape": shape or {"kind": "sphere", "radius_um": 0.5},
                    "material": {"index": 1.40},
                    "count": count,
                    "placement": {
                        "law": "lattice",
                        "z_um": {"law": "uniform", "low": 1.0, "high": 3.0},
                    },
                    "orientation": {"law": "planar"},
                    **population,
                }
            ],
            "microscope": {
                "modality": {"kind": kind},
                "wavelength_um": 0.55,
                "numerical_aperture": 0.6,
            },
            "camera": {
                "background_electrons": 8000,
                "full_well_electrons": 40000,
                "gain_electrons_per_count": 10,
                "offset_counts": 20,
                "bit_depth": 12,
            },
        }
    )


def _matched(particles, truth, within=0.5):
    found = np.array([[p.x_um, p.y_um] for p in particles])
    distance = np.hypot(*(truth[:, None, :2] - found[None]).transpose(2, 0, 1))
    return (distance.min(1) < within).sum(), (distance.min(0) > within).sum()


@pytest.mark.parametrize("kind", ["brightfield", "dic", "phase", "hologram", "fluorescence"])
def test_spheres_of_every_modality(kind):
    scene = _scene(kind)
    frame = render(scene, device="cpu", seed=2)
    particles = detect(frame.image, scene)
    hits, false = _matched(particles, frame.particles.position.numpy())
    assert hits == 12
    assert false == 0


def test_depth_of_a_sphere_is_found():
    scene = _scene("hologram")
    frame = render(scene, device="cpu", seed=2)
    truth = frame.particles.position.numpy()
    off = []
    for particle in detect(frame.image, scene):
        nearest = np.argmin(np.hypot(truth[:, 0] - particle.x_um, truth[:, 1] - particle.y_um))
        off.append(abs(particle.z_um - truth[nearest, 2]))
        assert particle.radius_um == pytest.approx(0.5, rel=0.45)
        assert particle.index > 1.333
    # The templates' amplitude makes up for some depth where rings of neighbours overlap.
    assert np.median(off) < 0.7


def test_rods_are_found_once_with_their_azimuth():
    scene = _scene("dic", {"kind": "rod", "length_um": 3.0, "radius_um": 0.4}, count=6)
    frame = render(scene, device="cpu", seed=4, outputs=("image", "boxes"))
    particles = detect(frame.image, scene)
    truth = frame.particles.position.numpy()
    hits, false = _matched(particles, truth, 0.8)
    assert hits == 6
    assert false == 0
    turns = []
    for particle in particles:
        nearest = np.argmin(np.hypot(truth[:, 0] - particle.x_um, truth[:, 1] - particle.y_um))
        turn = particle.orientation_deg[0] - np.rad2deg(float(frame.boxes[nearest, 4]))
        turns.append(abs((turn + 90) % 180 - 90))
    assert np.median(turns) < 15


def test_a_long_rod_is_one_particle():
    """The ends of a defocused rod look like rods themselves until it is subtracted."""
    scene = _scene("brightfield", {"kind": "rod", "length_um": 4.0, "radius_um": 0.4}, count=6)
    image = render(scene, device="cpu", seed=4).image
    assert len(detect(image, scene)) == 6


def test_nothing_is_found_in_noise():
    scene = _scene()
    rng = np.random.default_rng(0)
    assert detect(rng.normal(800, 9, scene.grid.shape), scene) == ()
    assert detect(np.full(scene.grid.shape, 7.0), scene) == ()


def test_population_is_chosen_by_name():
    scene = _scene()
    with pytest.raises(FitError, match=r"no such population to look for; it has p"):
        detect(np.ones(scene.grid.shape), scene, population="q")
    with pytest.raises(FitError, match=r"scene\.grid\.shape"):
        detect(np.ones((5, 5)), scene)


def test_a_coated_sphere_has_no_azimuth():
    shape = {"kind": "coated_sphere", "radius_um": 0.6, "core_radius_um": 0.4, "core_index": 1.36}
    scene = _scene(shape=shape)
    frame = render(scene, device="cpu", seed=2)
    particles = detect(frame.image, scene)
    assert _matched(particles, frame.particles.position.numpy()) == (12, 0)
    assert all("orientation_deg" not in p.model_fields_set for p in particles)


@pytest.mark.parametrize("form", ["masked array", "mask"])
def test_what_is_masked_is_not_found_and_does_not_hide_the_rest(form):
    scene = _scene()
    picture = render(scene, device="cpu", seed=3)
    clean = detect(picture.image, scene)
    hidden = np.zeros((200, 240), bool)
    hidden[60:75, 100:118] = True
    hidden[:6] = True
    spoilt = np.where(hidden, 4000.0, picture.image.numpy())
    spoilt[62:70, 103:111] = 30.0
    if form == "mask":
        found = detect(np.where(hidden, np.nan, spoilt), scene, mask=~hidden)
    else:
        found = detect(np.ma.array(spoilt, mask=hidden), scene)
    want = [p for p in clean if not hidden[round(p.y_um / 0.1), round(p.x_um / 0.1)]]
    places = np.array([(p.x_um, p.y_um) for p in found])
    for particle in want:
        assert np.hypot(*(places - (particle.x_um, particle.y_um)).T).min() < 0.3
    assert len(found) <= len(clean)


@pytest.mark.parametrize("form", ["bytes", "floats"])
def test_phase_pictures_of_unknown_scale_are_searched_like_phases(form):
    scene = Scene.parse(
        {
            "grid": {"shape": [160, 200], "pixel_size_um": 0.2},
            "medium": {"name": "water"},
            "populations": [
                {
                    "name": "b",
                    "shape": {"kind": "sphere", "radius_um": 2.0},
                    "material": {"index": 1.37},
                    "particles": [
                        {"x_um": 9.0, "y_um": 10.0},
                        {"x_um": 28.0, "y_um": 22.0},
                        {"x_um": 30.0, "y_um": 8.0},
                    ],
                }
            ],
            "microscope": {"modality": {"kind": "phase"}, "numerical_aperture": 0.5},
        }
    )
    phase = render(scene, device="cpu").image.numpy()
    grey = np.round((phase - phase.min()) / np.ptp(phase) * 200 + 20)
    found = detect(grey.astype(np.uint8) if form == "bytes" else grey, scene)
    places = sorted((round(p.x_um), round(p.y_um)) for p in found)
    assert places == [(9, 10), (28, 22), (30, 8)]
    assert all(p.radius_um == pytest.approx(2.0, rel=0.3) and p.index is None for p in found)
    assert all(p.index == pytest.approx(1.37, abs=0.03) for p in detect(phase, scene))
