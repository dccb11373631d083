"""Time series: how many frames, how far apart, in what liquid."""

from osog.scene.model import SceneModel, parameter


class Series(SceneModel):
    """Frames of a time series; the particles move by the ``motion`` of their population."""

    page = "camera.md#time-series"

    frames: int = parameter(
        1,
        title="Frames",
        help="Pictures of the series.",
        limits=(1, 100_000),
        slider=(1, 200),
        step=1,
        shapes_image=False,
    )
    interval_s: float = parameter(
        0.1,
        title="Interval",
        help="Time between two frames.",
        unit="s",
        limits=(1e-6, 1e6),
        slider=(0.001, 10.0),
        log=True,
        shapes_image=False,
    )
    temperature_k: float = parameter(
        293.0,
        title="Temperature",
        help="Of the liquid; acts where the diffusion follows from the particles' size.",
        unit="K",
        limits=(100.0, 2000.0),
        slider=(273.0, 373.0),
        step=1.0,
        shapes_image=False,
    )
    viscosity_mpa_s: float = parameter(
        1.0,
        title="Viscosity",
        help="Of the liquid; water at 20 °C has 1 mPa·s.",
        unit="mPa·s",
        limits=(1e-3, 1e6),
        slider=(0.1, 100.0),
        log=True,
        shapes_image=False,
    )
