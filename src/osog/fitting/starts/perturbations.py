"""Perturbations out of the local minima of long particles: an end set free, the tilt turned.

A rod that is too short by half a micrometre, with one end in place and its centre shifted along
the axis, is a true minimum of χ²; so is its mirror image in the tilt. They are tried always, for
χ²/n of such a minimum can be good.
"""

from __future__ import annotations

from math import cos, radians, sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.fitting.starts.single_particle import SingleParticle

# Changes of length, as shares of it; each with either end held.
_STRETCHES = (-0.22, -0.11, 0.11, 0.22, 0.34)
_DEPTH_UM = 0.6


def perturbations(single: SingleParticle, values: Mapping[str, float]) -> list[dict[str, float]]:
    """Starts that differ from a fitted long particle by one perturbation.

    Parameters
    ----------
    single : SingleParticle
        Its ``names`` tell which numbers may change.
    values : mapping
        Fitted values by name.

    Returns
    -------
    list of dict
        Complete values by name; empty for particles without a length.
    """
    names = single.names
    if "length" not in names or not {"x", "y"} <= set(names):
        return []
    now = {**single.values, **{key: values[name] for key, name in names.items()}}
    azimuth, elevation = radians(now["azimuth"]), radians(now["elevation"])
    out = []
    for share in _STRETCHES:
        change = share * now["length"]
        for end in (-0.5, 0.5):
            along = end * change
            moved = {
                "length": now["length"] + change,
                "x": now["x"] + along * cos(elevation) * cos(azimuth),
                "y": now["y"] + along * cos(elevation) * sin(azimuth),
            }
            rise = along * sin(elevation)
            if "z" in names:
                moved["z"] = now["z"] + rise
            elif "focus" in names:
                moved["focus"] = now["focus"] - rise
            out.append(moved)
    if "elevation" in names and abs(now["elevation"]) > 1e-3:
        out.append({"elevation": -now["elevation"]})
    depth = "z" if "z" in names else "focus" if "focus" in names else ""
    if depth:
        out += [{depth: now[depth] + step} for step in (-_DEPTH_UM, _DEPTH_UM)]
    return [{**values, **{names[k]: v for k, v in move.items() if k in names}} for move in out]
