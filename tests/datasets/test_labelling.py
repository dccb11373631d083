"""Boxes, masks and states of the objects of a frame, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from osog import Scene, SceneError
from osog.datasets import FrameSource, LabelSettings, Rule
from osog.datasets.objects import corners_of
from osog.datasets.polygons import area, cut, hull, least_rectangle


def _one(scene: dict, **settings):
    source = FrameSource(Scene.parse(scene), 3, labels=LabelSettings(**settings), device="cpu")
    return source[0]


def _box_scene(x: float, y: float, azimuth: float, size=(3.0, 1.0, 1.0)) -> dict:
    return {
        "grid": {"shape": [60, 80], "pixel_size_um": 0.1},
        "populations": [
            {
                "name": "block",
                "shape": {"kind": "box", "size_um": list(size)},
                "material": {"index": 1.36},
                "particles": [{"x_um": x, "y_um": y, "orientation_deg": [azimuth, 0, 0]}],
            }
        ],
        "microscope": {"numerical_aperture": 0.4},
        "numerics": {"accuracy": "draft"},
    }


def test_only_labelled_populations_become_objects(scene) -> None:
    frame = FrameSource(scene, 1, device="cpu")[0]
    assert frame.objects.class_names == ("rods", "beads")
    kinds = {
        int(k) for k in frame.frame.particles.population[[m[0] for m in frame.objects.particles]]
    }
    assert kinds <= {0, 2}
    assert frame.image.dtype == np.uint8 and frame.white == 255


def test_boxes_hold_their_masks_and_touch_them(scene) -> None:
    for index in range(4):
        frame = FrameSource(scene, 2, device="cpu")[index]
        assert len(frame.objects)
        for k, mask in enumerate(frame.objects.masks):
            rows, columns = np.nonzero(mask.in_frame(frame.shape))
            x, y, width, height, angle = frame.objects.full_box[k]
            along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
            across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
            assert np.abs(along).max() <= width / 2 + 0.71
            assert np.abs(across).max() <= height / 2 + 0.71
            if frame.objects.share_in_frame[k] == 1:
                assert abs(np.ptp(along) + 1 - width) < 1.6
                assert abs(np.ptp(across) + 1 - height) < 1.6


def test_instances_carry_the_numbers_of_objects(scene) -> None:
    frame = FrameSource(scene, 5, device="cpu")[1]
    for k, mask in enumerate(frame.objects.masks):
        own = frame.instances == k + 1
        assert not (own & ~mask.in_frame(frame.shape)).any()
        whole = mask.pixels.sum() / frame.objects.share_in_frame[k]
        assert own.sum() / whole == pytest.approx(frame.objects.visible_fraction[k], abs=0.02)
    assert frame.instances.max() <= len(frame.objects)


def test_a_box_at_the_border_is_cut_and_keeps_its_angle() -> None:
    frame = _one(_box_scene(0.5, 3.0, 0.0))
    x, y, width, height, angle = frame.objects.box[0]
    # The body reaches from −1.0 to 2.0 µm; the frame begins half a pixel before 0.
    assert (x - width / 2, x + width / 2) == pytest.approx((-0.5, 20.0), abs=1e-4)
    assert (y, height, angle) == pytest.approx((30.0, 10.0, 0.0), abs=1e-4)
    assert frame.objects.full_box[0, 2] == pytest.approx(30.0, abs=1e-4)
    turned = _one(_box_scene(0.3, 3.0, 40.0))
    assert np.degrees(turned.objects.box[0, 4]) == pytest.approx(40.0, abs=0.1)
    assert turned.objects.box[0, 2] < turned.objects.full_box[0, 2] - 3
    # Of a block the rectangle of least area would lie along the border.
    block = _one(_box_scene(0.4, 0.0, 30.0, size=(1.2, 1.0, 1.0)))
    assert np.degrees(block.objects.box[0, 4]) == pytest.approx(30.0, abs=0.1)
    assert block.objects.share_in_frame[0] < 0.7


def test_little_of_an_object_in_the_frame_gives_no_label() -> None:
    scene = _box_scene(-1.2, 3.0, 0.0)
    assert len(_one(scene).objects) == 0
    assert len(_one(scene, least_share_in_frame=0.05).objects) == 1
    assert len(_one(_box_scene(-20, 3, 0), least_share_in_frame=0.0).objects) == 0


def test_rules_give_states_and_the_first_one_wins(scene) -> None:
    rules = (
        Rule(state="none", when={"defocus_um": (0.5, None)}),
        Rule(state="ignored", when={"defocus_um": (None, -0.5), "length_px": (10.0, None)}),
    )
    frame = FrameSource(scene, 1, labels=LabelSettings(rules=rules), device="cpu")[0]
    objects = frame.objects
    for k, state in enumerate(objects.state):
        z, length = objects.defocus_um[k], objects.box[k, 2]
        expected = "none" if z >= 0.5 else "ignored" if z <= -0.5 and length >= 10 else "counted"
        assert state == expected
    assert len(set(objects.state)) > 1
    assert set(objects.in_state("none").state) == {"none"}


def test_classes_may_share_a_name_and_must_exist(scene) -> None:
    settings = LabelSettings(classes={"rods": "thing", "beads": "thing"})
    frame = FrameSource(scene, 1, labels=settings, device="cpu")[0]
    assert frame.objects.class_names == ("thing",) and not frame.objects.class_id.any()
    with pytest.raises(SceneError, match=r"classes\.bead is no population"):
        FrameSource(scene, 1, labels=LabelSettings(classes={"bead": "x"}), device="cpu")


def test_own_light_is_that_of_the_object_alone() -> None:
    """A strong neighbour changes the pixels in a box, not the contrast of what it is about."""
    scene = _box_scene(2.0, 3.0, 20.0)
    lonely = _one(scene, own_light=True).objects
    scene["populations"][0]["particles"].append({"x_um": 3.2, "y_um": 3.4, "index": 1.6})
    crowded = _one(scene, own_light=True).objects
    assert crowded.contrast[0] == pytest.approx(lonely.contrast[0], rel=0.05)
    assert crowded.contrast[1] > 2 * crowded.contrast[0]
    assert np.isnan(lonely.signal_to_noise[0])  # no camera, no noise


def test_signal_to_noise_follows_the_exposure() -> None:
    found = []
    for electrons in (1000, 16000):
        scene = _box_scene(4.0, 3.0, 0.0)
        scene["camera"] = {
            "background_electrons": electrons, "read_noise_electrons": 0,
            "gain_electrons_per_count": electrons / 2000, "full_well_electrons": 2 * electrons,
            "bit_depth": 16,
        }  # fmt: skip
        found.append(float(_one(scene, own_light=True).objects.signal_to_noise[0]))
    assert found[1] / found[0] == pytest.approx(4.0, rel=0.1)


def test_visible_boxes_reach_as_far_as_the_light() -> None:
    """Out of focus the picture of a body is wider than the body."""
    scene = _box_scene(4.0, 3.0, 0.0)
    scene["populations"][0]["material"]["absorption_per_um"] = 1.0
    geometry = _one(scene, box="geometry").objects.box[0]
    sharp = _one(scene, box="visible").objects.box[0]
    scene["populations"][0]["particles"][0]["z_um"] = 8.0
    blurred = _one(scene, box="visible").objects.box[0]
    assert geometry[3] == pytest.approx(10, abs=1e-4)
    assert abs(sharp[3] - geometry[3]) < 6
    assert blurred[3] > sharp[3] + 5
    assert _one(scene, margin_px=2.0).objects.box[0, 3] == pytest.approx(14, abs=1e-4)


def test_several_views_share_their_particles(scene) -> None:
    pictures = list(FrameSource(scene, 1, views=3, device="cpu").pictures(2))
    assert [p.stem for p in pictures] == ["0000002", "0000002-1", "0000002-2"]
    first = pictures[0].frame.particles.position
    assert all((p.frame.particles.position == first).all() for p in pictures)
    assert (pictures[0].image != pictures[1].image).any()  # the noise is new


def test_stacks_are_refused_in_words(scene) -> None:
    stack = scene.updated({"microscope.focus_um": [0.0, 1.0]})
    with pytest.raises(SceneError, match="single pictures"):
        FrameSource(stack, 0, device="cpu")


def test_polygons_are_cut_exactly() -> None:
    square = np.array([[-2.0, -2], [6, -2], [6, 6], [-2, 6]])
    assert area(cut(square, (4, 5))) == pytest.approx(5.5 * 0 + 4 * 5)
    assert len(cut(square + 50, (4, 5))) == 0
    turned = corners_of(np.array([[10.0, 10, 8, 3, 0.7]]))[0]
    assert least_rectangle(turned) == pytest.approx([10, 10, 8, 3, 0.7])
    points = np.random.default_rng(0).normal(size=(200, 2))
    around = hull(points)
    x, y, width, _, angle = least_rectangle(points)
    along = (points - [x, y]) @ [np.cos(angle), np.sin(angle)]
    assert np.abs(along).max() == pytest.approx(width / 2)
    assert len(around) < 40


def test_laws_are_drawn_for_every_frame_and_for_every_view(scene) -> None:
    """Each frame has its own focus and exposure; views of one sample share its particles."""
    varied = scene.updated(
        {
            "microscope.focus_um": {"law": "uniform", "low": -3.0, "high": 3.0},
            "camera.background_electrons": {"law": "loguniform", "low": 2000, "high": 9000},
        }
    )
    source = FrameSource(varied, 1, views=2, device="cpu")
    frames = [list(source.pictures(k)) for k in range(3)]
    drawn = [f.scene.microscope.focus_um for pair in frames for f in pair]
    assert len(set(drawn)) == 6 and all(-3 <= z <= 3 for z in drawn)
    assert not any(f.scene.laws_by_name() for pair in frames for f in pair)
    for first, second in frames:
        assert (first.frame.particles.position == second.frame.particles.position).all()
    again = FrameSource(varied, 1, views=2, device="cpu")
    assert (next(again.pictures(2)).image == frames[2][0].image).all()


def test_members_of_an_aggregate_are_one_object_where_they_are_merged(scene) -> None:
    data = scene.to_dict()
    data["populations"] = [
        {
            **data["populations"][0],
            "count": 2,
            "aggregate": {"kind": "sheaf", "members": 5},
            "placement": {"law": "lattice", "z_um": 0.0},
        }
    ]
    apart = FrameSource(Scene.parse(data), 1, device="cpu")[0].objects
    merged = FrameSource(
        Scene.parse(data), 1, labels=LabelSettings(merge_groups=True), device="cpu"
    )[0].objects
    assert len(set(apart.group.tolist())) == 2 and -1 not in apart.group
    assert len(merged) == 2 and sorted(len(m) for m in merged.particles) == [5, 5]
    for k, members in enumerate(merged.particles):
        whole = np.zeros((64, 80), dtype=bool)
        for mask, own in zip(apart.masks, apart.particles, strict=True):
            if own[0] in members:
                whole |= mask.in_frame((64, 80))
        assert not (whole & ~merged.masks[k].in_frame((64, 80))).any()


def test_parts_of_a_volume_have_masks_too() -> None:
    data = {
        "grid": {"shape": [60, 60], "pixel_size_um": 0.3},
        "populations": [
            {
                "name": "cell",
                "shape": {"kind": "volume", "array": "cell"},
                "particles": [{"x_um": 9, "y_um": 9}],
            }
        ],
        "microscope": {"numerical_aperture": 0.4},
        "numerics": {"accuracy": "draft"},
    }
    frame = FrameSource(Scene.parse(data), 0, device="cpu")[0]
    assert len(frame.objects) > 0
    for k, mask in enumerate(frame.objects.masks):
        assert mask.pixels.any()
        own = frame.instances == k + 1
        assert not (own & ~mask.in_frame(frame.shape)).any()
