"""A small crowd with every shape, absorbing and overlapping."""

from __future__ import annotations

import pytest

from osog.scene import Scene

SHAPES = (
    {"kind": "sphere", "radius_um": 0.7},
    {"kind": "ellipsoid", "semi_axes_um": [1.0, 0.6, 0.4]},
    {"kind": "rod", "length_um": 2.4, "radius_um": 0.4},
    {"kind": "cylinder", "length_um": 1.8, "radius_um": 0.5},
    {"kind": "box", "size_um": [1.6, 1.0, 0.7]},
    {"kind": "polyhedron", "habit": "hexagonal_prism", "size_um": [1.8, 1.1, 1.0]},
)


def crowd(**microscope: object) -> Scene:
    populations = [
        {
            "name": shape["kind"],
            "shape": shape,
            "material": {"index": 1.37, "absorption_per_um": 0.08 * (i % 2)},
            "particles": [
                {
                    "x_um": 1.6 + 0.9 * (i % 3),
                    "y_um": 1.9 + 1.1 * (i // 3),
                    "z_um": -1.0 + 0.45 * i,
                    "orientation_deg": [30.0 * i + 11, 17.0 * i - 20, 13.0 * i + 5],
                }
            ],
        }
        for i, shape in enumerate(SHAPES)
    ]
    return Scene.parse(
        {
            "grid": {"shape": [32, 36], "pixel_size_um": 0.15},
            "medium": {"index": 1.33},
            "populations": populations,
            "microscope": {"numerical_aperture": 0.7, **microscope},
            "numerics": {"accuracy": "standard", "padding_um": 1.0},
        }
    )


@pytest.fixture
def every_shape() -> Scene:
    return crowd()


@pytest.fixture
def every_shape_with_condenser() -> Scene:
    return crowd(condenser_numerical_aperture=0.4, source_points=6)
