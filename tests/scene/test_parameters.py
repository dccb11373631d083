"""Dotted names: found, described, replaced, refused."""

from __future__ import annotations

from typing import Any

import pytest

import osog
from osog.scene import Scene, SceneError
from osog.scene.parameters import continuous, describe, get, replaced, split


@pytest.fixture
def scene() -> Scene:
    return Scene.parse(
        {
            "populations": [
                {
                    "name": "hidden",
                    "visible": False,
                    "particles": [{"x_um": 1}, {"x_um": 2}],
                },
                {
                    "name": "beads",
                    "shape": {"kind": "sphere", "radius_um": 0.7},
                    "particles": [{"x_um": 5, "radius_um": 0.9}, {"x_um": 6}],
                },
                {
                    "name": "rods",
                    "shape": {"kind": "rod", "length_um": {"law": "uniform", "low": 4, "high": 6}},
                    "particles": [{"z_um": 2, "orientation_deg": [30, 5, 0]}],
                },
                {"name": "dust", "count": 4},
                {"name": "plates", "shape": {"kind": "box", "size_um": [4, 3, 1]}},
            ],
            "microscope": {
                "modality": {"kind": "dic", "shear_um": 0.4},
                "aberrations": {"zernike": {22: 0.05}},
            },
            "camera": {},
        }
    )


def test_split() -> None:
    assert split("particles[3].size_um[2]") == ["particles", 3, "size_um", 2]
    for bad in ("", ".a", "a..b", "a[", "a[x]", "a b[", "a]"):
        with pytest.raises(SceneError, match=r"is not a parameter name"):
            split(bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("microscope.focus_um", 0.0),
        ("microscope.modality.shear_um", 0.4),
        ("microscope.aberrations.zernike[22]", 0.05),
        ("microscope.aberrations.zernike[30]", 0.0),
        ("populations.beads.shape.radius_um", 0.7),
        ("populations[1].shape.radius_um", 0.7),
        ("populations.plates.shape.size_um[1]", 3.0),
        ("populations.hidden.particles[1].x_um", 2.0),
        ("particles[0].x_um", 5.0),  # invisible populations draw no particles
        ("particles[2].orientation_deg[0]", 30.0),
    ],
)
def test_get(scene: Scene, name: str, value: float) -> None:
    assert scene.get(name) == get(scene, name) == value


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("microscope.fokus_um", "'microscope.fokus_um' does not exist; there is modality, focus"),
        ("populations.bead.shape.radius_um", "populations are hidden, beads, rods, dust, plates"),
        ("particles[3].x_um", "particle 3 is drawn by chance; make the particles of population"),
        ("particles[99].x_um", "the scene lists only"),
        ("populations.plates.shape.size_um[5]", "there are only 3 entries"),
        ("microscope.focus_um.x", "does not exist; 'x' lies inside a plain value"),
    ],
)
def test_unknown_names_are_refused_with_what_there_is(scene: Scene, name: str, words: str) -> None:
    for look in (scene.get, lambda name: scene.updated({name: 1.0})):
        with pytest.raises(SceneError) as caught:
            look(name)
        assert words in str(caught.value)


def test_replaced_changes_only_what_is_named(scene: Scene) -> None:
    new = replaced(
        scene,
        {
            "microscope.focus_um": 3.0,
            "particles[1].radius_um": 0.5,
            "particles[2].orientation_deg[1]": -7.0,
            "populations.plates.shape.size_um[0]": 5.0,
            "microscope.aberrations.zernike[37]": 0.01,
        },
    )
    assert new.microscope.focus_um == 3.0
    beads, rods, plates = new.populations[1], new.populations[2], new.populations[4]
    assert beads.particles is not None
    assert [p.radius_um for p in beads.particles] == [0.9, 0.5]
    assert rods.particles is not None
    assert rods.particles[0].orientation_deg == (30.0, -7.0, 0.0)
    assert plates.shape.size_um == (5.0, 3.0, 1.0)  # type: ignore[union-attr]
    assert new.microscope.aberrations.zernike == {22: 0.05, 37: 0.01}
    assert scene.microscope.focus_um == 0.0, "the old scene stays as it was"
    undone = {"microscope.focus_um": 0.0, "populations.plates.shape.size_um[0]": 4.0}
    assert replaced(new, undone).populations[4] == scene.populations[4]


def test_replaced_validates(scene: Scene) -> None:
    for name, value in (
        ("microscope.focus_um", 1e9),
        ("particles[0].radius_um", -1.0),
        ("microscope.modality.kind", "xray"),
        ("microscope.fokus_um", 1.0),
        ("camera.gain", 1.0),
    ):
        with pytest.raises(SceneError):
            replaced(scene, {name: value})
    with pytest.raises(SceneError, match=r"has no camera"):
        replaced(Scene(), {"camera.offset_counts": 1.0})


def test_an_index_of_its_own_drops_the_name_of_the_substance() -> None:
    scene = Scene.parse({"medium": {"name": "water"}})
    new = replaced(scene, {"medium.index": 1.4})
    assert new.medium.index == 1.4
    assert new.medium.name is None


def test_continuous_lists_what_shapes_the_image(scene: Scene) -> None:
    names = [p.name for p in continuous(scene)]
    assert len(names) == len(set(names))
    for wanted in (
        "microscope.focus_um",
        "microscope.modality.shear_um",
        "microscope.aberrations.zernike[22]",
        "medium.index",
        "particles[0].radius_um",
        "particles[2].orientation_deg[2]",
        "populations.plates.shape.size_um[2]",
        "camera.gain_electrons_per_count",
    ):
        assert wanted in names
    for unwanted in (
        "microscope.immersion_index",  # acts on no ray
        "particles[0].orientation_deg[0]",  # a ball looks the same from everywhere
        "camera.read_noise_electrons",  # noise only
        "populations.rods.shape.length_um",  # a law
        "populations.hidden.particles[0].x_um",
    ):
        assert unwanted not in names


@pytest.mark.parametrize("preset", osog.presets.names())
def test_every_continuous_parameter_can_be_described_and_replaced(preset: str) -> None:
    scene = osog.presets.load(preset)
    rows = list(continuous(scene))
    assert len(rows) > 10
    for row in rows:
        again = describe(scene, row.name)
        assert (again.title, again.unit, again.value) == (row.title, row.unit, row.value)
        assert row.limits[0] <= row.value <= row.limits[1]
        assert row.limits[0] <= row.slider[0] < row.slider[1] <= row.limits[1]
        assert row.title
        assert row.help
        assert row.step > 0
    for row in rows[::7]:
        assert get(replaced(scene, {row.name: row.value}), row.name) == pytest.approx(row.value)


def test_particles_drawn_by_chance_are_described_by_their_population(scene: Scene) -> None:
    row = describe(scene, "particles[4].radius_um")
    assert row.unit == "µm"
    assert row.value == 0.5
    with pytest.raises(SceneError, match=r"a sphere has no such number"):
        describe(scene, "particles[4].length_um")


@pytest.mark.parametrize(
    "name", ["microscope.modality.kind", "camera.noise", "medium.name", "grid.shape", "microscope"]
)
def test_what_is_no_number_cannot_be_varied(scene: Scene, name: str) -> None:
    with pytest.raises(SceneError, match=r"is not a number that can be varied"):
        describe(scene, name)


def test_drawn_particles_beyond_the_last_are_refused(scene: Scene) -> None:
    names: list[Any] = ["particles[7].x_um", "particles[1000].z_um"]
    with pytest.raises(SceneError, match=r"only 7 particles"):
        describe(scene, names[0])
    with pytest.raises(SceneError, match=r"only 7 particles"):
        describe(scene, names[1])


def test_a_scene_is_updated_by_dotted_names():
    scene = Scene.parse({"populations": [{"name": "beads", "count": 3}]})
    other = scene.updated(
        {"populations.beads.count": 5, "microscope.modality": {"kind": "darkfield"}}
    )
    assert other.populations[0].count == 5 and other.microscope.modality.kind == "darkfield"
    assert scene.populations[0].count == 3
    with pytest.raises(SceneError, match=r"'microscope.focal_um' does not exist"):
        scene.updated({"microscope.focal_um": 1.0})


def test_a_substance_brings_its_index_and_dispersion():
    scene = Scene.parse({"populations": [{"name": "beads", "count": 3}]})
    other = scene.updated({"medium.name": "glycerol", "populations.beads.material.name": "silica"})
    assert other.medium.index == pytest.approx(1.4738, abs=1e-4)
    assert other.medium.dispersion == "glycerol" and other.medium.abbe_number is None
    assert other.populations[0].material.index == pytest.approx(1.4599, abs=1e-4)
    assert other.populations[0].material.dispersion == "silica"
    own = other.updated({"medium.index": 1.4})
    assert own.medium.name is None and own.medium.index == 1.4
    with pytest.raises(SceneError, match="'blah' is not known"):
        scene.updated({"medium.name": "blah"})


@pytest.mark.parametrize("name", ["microscope.focus_um[0]", "grid.pixel_size_um.foo"])
def test_a_name_inside_a_plain_number_is_refused(name):
    with pytest.raises(SceneError, match="lies inside a plain value"):
        Scene.parse({}).updated({name: 1.0})


def test_an_override_is_described_by_its_shape_and_material():
    """By the name of its population as well as by its number among all particles."""
    listed = {"x_um": 1.0, "y_um": 1.0, "radius_um": 0.4, "index": 1.4}
    scene = Scene.parse({"populations": [{"name": "beads", "particles": [listed]}]})
    for field in ("radius_um", "index", "x_um"):
        one = describe(scene, f"particles[0].{field}")
        other = describe(scene, f"populations.beads.particles[0].{field}")
        assert (one.limits, one.title, one.role) == (other.limits, other.title, other.role)
