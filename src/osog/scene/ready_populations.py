"""Populations with a name of their own: the dirt of real samples."""

from typing import Any

READY: dict[str, dict[str, Any]] = {
    "debris": {
        "name": "debris",
        "shape": {
            "kind": "ellipsoid",
            "semi_axes_um": [
                {"law": "lognormal", "median": 0.8, "sigma": 0.4},
                {"law": "lognormal", "median": 0.5, "sigma": 0.4},
                {"law": "lognormal", "median": 0.4, "sigma": 0.4},
            ],
        },
        "material": {"index": 1.42, "absorption_per_um": 0.05},
        "aggregate": {
            "kind": "random",
            "members": {"law": "uniform", "low": 1.5, "high": 6.5},
            "overlap": 0.8,
            "size_scatter": 0.35,
        },
        "placement": {"law": "poisson", "z_um": [-5.0, 5.0]},
        "labelled": False,
    },
    "out_of_focus": {
        "name": "out of focus",
        "shape": {
            "kind": "sphere",
            "radius_um": {"law": "lognormal", "median": 1.0, "sigma": 0.4},
        },
        "material": {"index": 1.40},
        "placement": {"law": "poisson", "z_um": [-60.0, -20.0], "margin_um": 10.0},
        "labelled": False,
    },
    "coverslip_dirt": {
        "name": "coverslip dirt",
        "shape": {
            "kind": "ellipsoid",
            "semi_axes_um": [
                {"law": "lognormal", "median": 0.5, "sigma": 0.5},
                {"law": "lognormal", "median": 0.4, "sigma": 0.4},
                {"law": "lognormal", "median": 0.2, "sigma": 0.4},
            ],
        },
        "material": {"index": 1.5, "absorption_per_um": 0.3},
        "aggregate": {
            "kind": "random",
            "members": {"law": "uniform", "low": 1.0, "high": 3.5},
            "overlap": 0.6,
            "size_scatter": 0.3,
        },
        "orientation": {"law": "planar", "spread_deg": 10.0},
        "placement": {
            "law": "poisson",
            "z_um": 20.0,
            "depth": {"law": "at_coverslip", "side": "below"},
        },
        "labelled": False,
    },
}
"""What a population takes from the name that it gives under ``ready``.

Sizes and indices are typical of dust, fibre fragments and mineral grains in water, not measured;
what the population states itself stands in their place.
"""


def filled(content: dict[str, Any]) -> dict[str, Any]:
    """Content of a population with what its ``ready`` name brings.

    Raises
    ------
    ValueError
        If there is no such name.
    """
    name = content.get("ready")
    if name is None:
        return {key: value for key, value in content.items() if key != "ready"}
    if name not in READY:
        raise ValueError(f"ready = '{name}' is not one of {', '.join(READY)}.")
    ready = dict(READY[name])
    if content.get("particles") is not None:
        ready.pop("aggregate", None)
    own = {key: value for key, value in content.items() if key != "ready"}
    return {**ready, **own}
