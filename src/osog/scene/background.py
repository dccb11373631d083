"""What lies on every micrograph although it is not in the sample."""

from typing import Generic

from osog.scene.model import FitTraits, Number, SceneModel, parameter


class Background(SceneModel, Generic[Number]):
    """Uneven light, dirt on the optics and haze; all of it acts on the irradiance.

    Debris in the sample is a population with ``labelled: false``.
    """

    page = "camera.md#background"

    gradient_x: Number = parameter(
        0.0,
        title="Gradient x",
        help="Rise of the illumination from the left to the right border, relative to its mean.",
        limits=(-1.9, 1.9),
        slider=(-0.5, 0.5),
        step=0.01,
        fit=FitTraits(linear_term="slopes"),
    )
    gradient_y: Number = parameter(
        0.0,
        title="Gradient y",
        help="Rise of the illumination from the upper to the lower border, relative to its mean.",
        limits=(-1.9, 1.9),
        slider=(-0.5, 0.5),
        step=0.01,
        fit=FitTraits(linear_term="slopes"),
    )
    vignette: Number = parameter(
        0.0,
        title="Vignette",
        help="Loss of light at the corners of the frame, growing with the square of the distance.",
        limits=(0.0, 1.0),
        slider=(0.0, 0.8),
        step=0.01,
    )
    haze: Number = parameter(
        0.0,
        title="Haze",
        help="Unmodulated stray light added to the image, in units of the irradiance 1.",
        limits=(0.0, 100.0),
        slider=(0.0, 2.0),
        step=0.01,
        fit=FitTraits(linear_term="offset"),
    )
    structured_haze: Number = parameter(
        0.0,
        title="Cloudy haze",
        help="Root mean square of slow, cloud-like light from far out of focus.",
        limits=(0.0, 10.0),
        slider=(0.0, 0.5),
        step=0.005,
    )
    haze_scale_um: Number = parameter(
        10.0,
        title="Cloud size",
        help="Correlation length of the cloudy haze.",
        unit="µm",
        limits=(0.1, 1e4),
        slider=(1.0, 100.0),
        log=True,
    )
    dust_count: int = parameter(
        0,
        title="Dust",
        help="Specks on the optics near the camera; they stay when the sample moves.",
        limits=(0, 10_000),
        slider=(0, 100),
        step=1,
        shapes_image=False,
    )
    dust_seed: int = parameter(
        0,
        title="Dust pattern",
        help="Which microscope: it keeps its specks of dust from picture to picture.",
        limits=(0, 2**31 - 1),
        panel=False,
        shapes_image=False,
    )
    dust_radius_px: Number = parameter(
        6.0,
        title="Dust size",
        help="Median radius of a speck's shadow on the camera.",
        unit="px",
        limits=(1.0, 500.0),
        slider=(1.0, 50.0),
        log=True,
    )
    dust_darkness: Number = parameter(
        0.2,
        title="Dust darkness",
        help="Share of the light that the densest specks of dust take away.",
        limits=(0.0, 1.0),
        slider=(0.0, 0.8),
        step=0.01,
    )
    crop: tuple[int, int, int, int] | None = parameter(
        None,
        title="Crop",
        help="First row and column of this picture in the whole frame, and the frame's rows and "
        "columns: light, clouds and dust belong to the whole frame.",
        unit="px",
        limits=(0, 65_536),
        panel=False,
        shapes_image=False,
    )
