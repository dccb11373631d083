"""Where drawn particles lie."""

from typing import Any, Literal

from pydantic import field_validator

from osog.scene.distributions import NumberOrDistribution, Uniform
from osog.scene.model import SceneModel, parameter

POSITION_UM = (-1e5, 1e5)
"""Range of a coordinate of a particle."""


class Placement(SceneModel):
    """Where drawn particles lie."""

    law: Literal["poisson", "non_overlapping", "clustered", "lattice"] = parameter(
        "poisson",
        title="Arrangement",
        help="Independent, non-overlapping, in clusters, or on a square lattice.",
    )
    z_um: NumberOrDistribution = parameter(
        0.0,
        title="Depth",
        help="Height of the particle centres along the light; a number, a range or a law.",
        unit="µm",
        limits=POSITION_UM,
        slider=(-50.0, 50.0),
    )
    margin_um: float = parameter(
        0.0,
        title="Margin",
        help="Also draw particles this far outside the frame, at the same density.",
        unit="µm",
        limits=(0.0, 500.0),
        slider=(0.0, 50.0),
    )
    cluster_size: float = parameter(
        10.0,
        title="Particles per cluster",
        help="Mean number of particles in one cluster (clustered only).",
        limits=(1.0, 1e5),
        slider=(1.0, 100.0),
    )
    cluster_radius_um: float = parameter(
        5.0,
        title="Cluster radius",
        help="Standard deviation of the distance from the cluster's centre (clustered only).",
        unit="µm",
        limits=(0.01, 1e4),
        slider=(0.5, 50.0),
        log=True,
    )

    @field_validator("z_um", mode="before")
    @classmethod
    def _range_is_uniform(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            numbers = all(isinstance(v, int | float) for v in value)
            if len(value) != 2 or not numbers:
                raise ValueError(f"z_um = {value} must be a number, a law or [low, high].")
            return Uniform(low=float(value[0]), high=float(value[1]))
        return value
