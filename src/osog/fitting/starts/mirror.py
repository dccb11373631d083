"""The other side of focus: the minimum that most resembles a fitted particle's own.

A defocused image and that of the same particle as far on the other side of focus share their
rings. They are the same image where neither lens nor particle gives phase a sign, and a local
minimum of χ² beside the right one elsewhere, into which a far start easily falls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

RELIEF_AZIMUTH = "microscope.modality.azimuth_deg"

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.fitting.problem.parameters import FreeParameters
    from osog.fitting.starts.single_particle import SingleParticle
    from osog.scene import Scene

# Distance from focus, in depths of field, within which both sides are one place.
_IN_FOCUS = 0.1


def mirrored_in_focus(
    single: SingleParticle,
    values: Mapping[str, float],
    parameters: FreeParameters,
    depth_of_field_um: float,
) -> dict[str, float] | None:
    """Values of the same particle as far on the other side of focus.

    Parameters
    ----------
    single : SingleParticle
        Its ``names`` tell which numbers may change.
    values : mapping
        Fitted values by name.
    parameters : FreeParameters
        Their bounds.
    depth_of_field_um : float

    Returns
    -------
    dict or None
        Complete values by name; None where no depth is free, where the particle is in focus, and
        where the bounds leave the other side out.
    """
    names = single.names
    mover, other = ("focus", "z") if "focus" in names else ("z", "focus")
    if mover not in names:
        return None
    name = names[mover]
    fixed = values[names[other]] if other in names else single.values[other]
    there = 2 * fixed - values[name]
    k = parameters.names.index(name)
    inside = parameters.low[k] <= there <= parameters.high[k]
    if not inside or abs(there - fixed) < _IN_FOCUS * depth_of_field_um:
        return None
    out = {**values, name: there}
    if "elevation" in names:
        # A tilted rod's mirror image in the plane in focus is tilted the other way.
        out[names["elevation"]] = -values[names["elevation"]]
    return out


def opposite_relief(scene: Scene) -> Scene | None:
    """Scene whose DIC shears in the opposite direction; None for other modalities.

    Which side of a relief is bright follows from the shear, the bias and the sign of the index
    difference together, and the direction of a prism is easily stated the wrong way round.
    """
    modality = scene.microscope.modality
    if not modality.directional:
        return None
    azimuth = float(scene.get(RELIEF_AZIMUTH))
    return scene.updated({RELIEF_AZIMUTH: (azimuth + 180.0) % 360.0})
