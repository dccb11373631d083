"""How drawn particles are turned."""

from typing import Literal

from osog.scene.model import SceneModel, parameter


class Orientation(SceneModel):
    """How drawn particles are turned."""

    law: Literal["isotropic", "planar", "aligned"] = parameter(
        "isotropic",
        title="Orientation",
        help="Any direction in space, any direction in the image plane, or around one direction.",
    )
    azimuth_deg: float = parameter(
        0.0,
        title="Azimuth",
        help="Direction of the long axis from +x towards +y (aligned only).",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
    )
    elevation_deg: float = parameter(
        0.0,
        title="Elevation",
        help="Angle of the long axis out of the image plane (aligned only).",
        unit="°",
        limits=(-90.0, 90.0),
    )
    roll_deg: float = parameter(
        0.0,
        title="Roll",
        help="Turn about the long axis (aligned only).",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
    )
    spread_deg: float = parameter(
        0.0,
        title="Spread",
        help="Standard deviation around the direction (aligned), or of the tilt (planar).",
        unit="°",
        limits=(0.0, 90.0),
    )
