"""Random scenes for hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import Phase, reject, settings
from hypothesis import strategies as st

import osog
from osog.scene.parameters import continuous

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

few = settings(max_examples=12, phases=(Phase.explicit, Phase.generate, Phase.shrink))
"""Each example renders; the explanation of a failure would render hundreds of times."""

PIXEL_UM, SIDE = 0.2, 40
"""A frame whose fine grid has whole samples per pixel, so that symmetries are exact."""
MIDDLE_UM = (SIDE - 1) / 2 * PIXEL_UM
"""Place of the middle of the frame."""


@st.composite
def varied_presets(draw: DrawFn) -> osog.Scene:
    """A preset with up to four of its numbers moved within their sliders."""
    scene = osog.presets.load(draw(st.sampled_from(osog.presets.names())))
    moved = draw(
        st.lists(st.sampled_from(list(continuous(scene))), max_size=4, unique_by=lambda p: p.name)
    )
    values = {p.name: draw(st.floats(*p.slider)) for p in moved}
    try:
        return scene.updated(values)
    except osog.SceneError:  # numbers that exclude each other, such as an NA beyond its liquid
        reject()


def sizes(*names: str) -> st.SearchStrategy[dict[str, float]]:
    """Independent lengths of 0.3 to 0.9 µm."""
    return st.fixed_dictionaries({name: st.floats(0.3, 0.9) for name in names})


def triples(low: float, high: float) -> st.SearchStrategy[list[float]]:
    """Three independent lengths."""
    return st.lists(st.floats(low, high), min_size=3, max_size=3)


SHAPES = st.one_of(
    sizes("radius_um").map(lambda s: {"kind": "sphere", **s}),
    triples(0.3, 0.9).map(lambda axes: {"kind": "ellipsoid", "semi_axes_um": axes}),
    sizes("radius_um").map(lambda s: {"kind": "rod", "length_um": 2.0, **s}),
    triples(0.6, 1.8).map(lambda size: {"kind": "box", "size_um": size}),
)
"""Shapes that look the same in a mirror."""


def degrees(most: int) -> st.SearchStrategy[float]:
    """Whole degrees up to both ends: what is parallel to an axis is parallel to it."""
    return st.integers(-most, most).map(float)


@st.composite
def bodies(draw: DrawFn, count: tuple[int, int] = (1, 3)) -> list[dict[str, Any]]:
    """Populations of one particle each around the middle of the frame; they may overlap."""
    near = st.floats(-1.6, 1.6)
    made = []
    for number in range(draw(st.integers(*count))):
        angles = draw(st.tuples(degrees(180), degrees(85), degrees(180)))
        made.append(
            {
                "name": f"body {number}",
                "shape": draw(SHAPES),
                "material": {
                    "index": draw(st.floats(1.34, 1.42)),
                    "absorption_per_um": draw(st.sampled_from([0.0, 0.1])),
                    "emission_per_um": draw(st.floats(0.2, 2.0)),
                    "birefringence": 0.02,
                },
                "particles": [
                    {
                        "x_um": MIDDLE_UM + draw(near),
                        "y_um": MIDDLE_UM + draw(near),
                        "z_um": draw(near),
                        "orientation_deg": list(angles),
                    }
                ],
            }
        )
    return made


def small_scene(
    populations: list[dict[str, Any]], modality: dict[str, Any], **microscope: Any
) -> osog.Scene:
    """A frame of `SIDE` pixels without a camera."""
    return osog.Scene.parse(
        {
            "grid": {"shape": [SIDE, SIDE], "pixel_size_um": PIXEL_UM},
            "medium": {"index": 1.33},
            "populations": populations,
            "microscope": {"modality": modality, "numerical_aperture": 0.7, **microscope},
            "numerics": {
                "accuracy": "standard",
                "pitch_um": PIXEL_UM / 2,
                "slab_um": 0.4,
                "padding_um": 12 * PIXEL_UM,
            },
        }
    )
