"""Every modality × shape × aberration: finite, and never negative."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osog.rendering import Renderer
from osog.scene import MODALITY_TITLES, Scene

SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"kind": "sphere", "radius_um": 0.7},
    "coated_sphere": {"kind": "coated_sphere", "radius_um": 0.8, "core_radius_um": 0.5},
    "ellipsoid": {"kind": "ellipsoid", "semi_axes_um": [1.1, 0.7, 0.5]},
    "rod": {"kind": "rod", "length_um": 2.6, "radius_um": 0.5},
    "cylinder": {"kind": "cylinder", "length_um": 2.2, "radius_um": 0.6},
    "box": {"kind": "box", "size_um": [2.2, 1.3, 0.8]},
    "polyhedron": {"kind": "polyhedron", "habit": "octahedron", "size_um": [2.0, 1.4, 1.3]},
}
SPECTRA = [{"kind": "monochromatic"}, {"kind": "led", "bandwidth_nm": 20.0}]


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda x: round(x, 4))


WAVES = number(-0.5, 0.5)
ABERRATIONS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("spherical", "astigmatism_0", "astigmatism_45", "coma_x", "coma_y", "trefoil_x"),
            WAVES,
        ),
        "zernike": st.dictionaries(st.integers(2, 36), WAVES, max_size=2),
        "osa": st.dictionaries(st.integers(1, 35), WAVES, max_size=2),
    },
)
FIELD = st.fixed_dictionaries(
    {},
    optional={
        "curvature_um": number(-2, 2),
        "coma": WAVES,
        "vignetting": number(0, 1),
        "distortion_percent": number(-3, 3),
    },
)
OPTICS = st.fixed_dictionaries(
    {
        "numerical_aperture": number(0.1, 1.25),
        "immersion_index": st.just(1.518),
        "condenser_numerical_aperture": st.sampled_from([0.0, 0.2, 0.6]),
        "oblique_numerical_aperture": st.sampled_from([0.0, 0.0, 0.2]),
        "source_points": st.just(3),
        "focus_um": number(-4, 4),
        "aberrations": ABERRATIONS,
        "field_aberrations": st.one_of(st.just({}), FIELD),
        "spectrum": st.sampled_from(SPECTRA),
        "pupil": st.fixed_dictionaries(
            {
                "obstruction": st.sampled_from([0.0, 0.4]),
                "apodisation": st.sampled_from(["uniform", "aplanatic"]),
            }
        ),
        "cover_glass": st.sampled_from([None, {"depth_um": 10.0, "thickness_um": 180.0}]),
    }
)


@pytest.mark.parametrize("modality", MODALITY_TITLES)
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    optics=OPTICS,
    index=number(1.2, 1.6),
    birefringence=number(-0.1, 0.1),
    absorption=st.sampled_from([0.0, 0.3]),
    z=number(-3, 3),
    azimuth=number(-180, 180),
    elevation=number(-90, 90),
    colour=st.sampled_from([None, "monochrome", "rgb"]),
)
def test_every_combination_is_finite_and_never_negative(
    modality: str,
    shape: str,
    optics: dict[str, Any],
    index: float,
    birefringence: float,
    absorption: float,
    z: float,
    azimuth: float,
    elevation: float,
    colour: str | None,
) -> None:
    if modality == "phase":
        optics = {**optics, "spectrum": SPECTRA[0]}
    scene = Scene.parse(
        {
            "grid": {"shape": [14, 16], "pixel_size_um": 0.25},
            "medium": {"index": 1.33},
            "populations": [
                {
                    "name": "body",
                    "shape": SHAPES[shape],
                    "material": {
                        "index": index,
                        "birefringence": birefringence,
                        "absorption_per_um": absorption,
                    },
                    "particles": [
                        {
                            "x_um": 1.9,
                            "y_um": 1.6,
                            "z_um": z,
                            "orientation_deg": [azimuth, elevation, 20.0],
                        }
                    ],
                }
            ],
            "microscope": {"modality": {"kind": modality}, **optics},
            "camera": None if colour is None else {"colour": colour},
            "numerics": {"accuracy": "draft", "padding_um": 1.0},
        }
    )
    frame = Renderer("cpu").render(scene, 0, outputs=("irradiance",))
    image = frame.image
    assert image.shape[:2] == (14, 16)
    assert bool(torch.isfinite(image).all())
    if modality != "phase":
        assert float(image.min()) >= 0
        assert frame.irradiance is not None and float(frame.irradiance.min()) >= 0
