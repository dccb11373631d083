"""How drawn particles are turned: a class for each law.

A further law is a class like those below with the line ``@ORIENTATIONS.register``: its fields are
its numbers, and `draw` makes angles of random numbers.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from osog.scene.distributions import NumberOrDistribution
from osog.scene.kinds import Kinds
from osog.scene.law import Distribution
from osog.scene.model import SceneModel, parameter

Array = NDArray[np.float64]
Streams = Mapping[str, np.random.Generator]

ANGLES = ("azimuth_deg", "elevation_deg", "roll_deg")
"""Angles of a body, in their order."""
_TAIL = 4.0
"""Standard deviations at which Gaussian spreads are cut."""


def _azimuth(help: str) -> Any:
    return parameter(
        0.0,
        title="Azimuth",
        help=help,
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
    )


def _elevation() -> Any:
    return parameter(
        0.0,
        title="Elevation",
        help="Angle of the mean direction out of the image plane.",
        unit="°",
        limits=(-90.0, 90.0),
    )


def _spread(title: str, help: str) -> Any:
    return parameter(0.0, title=title, help=help, unit="°", limits=(0.0, 90.0))


def _angle(title: str, help: str, most: float) -> Any:
    return parameter(
        0.0,
        title=title,
        help=help,
        unit="°",
        limits=(-most, most),
        slider=(-min(most, 180.0), min(most, 180.0)),
        shapes_image=False,
    )


class Orientation(SceneModel):
    """How drawn particles are turned.

    Attributes
    ----------
    title : str
        Words for a menu.
    """

    page = "scene.md#places"

    title: ClassVar[str]

    law: str

    def draw(self, count: int, streams: Streams) -> Array:
        """Draw the angles of bodies.

        Parameters
        ----------
        count : int
        streams : mapping of numpy Generator
            ``orientation``, ``spread`` and ``direction``. The first two give three numbers for
            each body whatever the law, so that one more body leaves the others as they are.

        Returns
        -------
        ndarray, shape (count, 3)
            Azimuth, elevation and roll of the long axis in degrees.
        """
        raise NotImplementedError

    def turned(self, count: int, streams: Streams, own: Mapping[str, Array]) -> Array:
        """Angles (count, 3) of bodies that may have laws of their own for them.

        Parameters
        ----------
        count, streams
            As for `draw`.
        own : mapping of field to ndarray (count,)
            Angles that were drawn together with other numbers of the particles.
        """
        return self.draw(count, streams)


ORIENTATIONS: Kinds[Orientation] = Kinds(tag="law", default="isotropic", switched=True)
"""Every law by its name in the scene file, in the order of a menu."""


def _uniform(count: int, streams: Streams) -> Array:
    return streams["orientation"].uniform(size=(count, 3))


def _normal(count: int, streams: Streams) -> Array:
    return np.clip(streams["spread"].standard_normal((count, 3)), -_TAIL, _TAIL)


@ORIENTATIONS.register
class Isotropic(Orientation):
    """Any direction in space, any roll."""

    title = "Any direction"

    law: Literal["isotropic"] = "isotropic"

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles of even directions on the sphere."""
        uniform = _uniform(count, streams)
        elevation = np.rad2deg(np.arcsin(2 * uniform[:, 1] - 1))
        return np.stack([360 * uniform[:, 0] - 180, elevation, 360 * uniform[:, 2] - 180], 1)


@ORIENTATIONS.register
class Planar(Orientation):
    """Any direction in the image plane, without roll."""

    title = "In the image plane"

    law: Literal["planar"] = "planar"
    spread_deg: float = _spread("Tilt", "Standard deviation of the tilt out of the image plane.")

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles of even azimuths."""
        uniform, normal = _uniform(count, streams), _normal(count, streams)
        azimuth = 360 * uniform[:, 0] - 180
        return np.stack([azimuth, self.spread_deg * normal[:, 1], np.zeros(count)], 1)


@ORIENTATIONS.register
class Aligned(Orientation):
    """Around one direction, with Gaussian angles."""

    title = "Along one direction"

    law: Literal["aligned"] = "aligned"
    azimuth_deg: float = _azimuth("Direction of the long axis from +x towards +y.")
    elevation_deg: float = _elevation()
    roll_deg: float = parameter(
        0.0,
        title="Roll",
        help="Turn about the long axis.",
        unit="°",
        limits=(-360.0, 360.0),
        slider=(-180.0, 180.0),
    )
    spread_deg: float = _spread("Spread", "Standard deviation of each angle around the direction.")

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles around the stated ones."""
        mean = np.array([self.azimuth_deg, self.elevation_deg, self.roll_deg])
        result: Array = mean + self.spread_deg * _normal(count, streams)
        return result


@ORIENTATIONS.register
class VonMises(Orientation):
    """Around one azimuth in the image plane, as axes without head or tail.

    Twice the azimuth has a von Mises distribution, density ∝ exp(κ cos 2(φ − φ₀)): the law for
    axial data (Mardia and Jupp, Directional Statistics, 2000, section 9.4). 0 is any direction in
    the plane; for κ above 3 the standard deviation is near 28.6°/√κ.
    """

    title = "Around one azimuth (von Mises)"

    law: Literal["von_mises"] = "von_mises"
    azimuth_deg: float = _azimuth("Mean direction of the long axis from +x towards +y.")
    concentration: float = parameter(
        4.0,
        title="Concentration",
        help="κ of the von Mises distribution of twice the azimuth; 0 is any direction.",
        limits=(0.0, 1e4),
        slider=(0.0, 50.0),
    )
    tilt_deg: float = _spread("Tilt", "Standard deviation of the tilt out of the image plane.")

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles in the plane."""
        twice = streams["direction"].vonmises(0.0, self.concentration, count)
        azimuth = self.azimuth_deg + np.rad2deg(twice) / 2
        # An axis has two ends: either may be the body's own x.
        azimuth = azimuth + 180 * (_uniform(count, streams)[:, 0] < 0.5)
        return np.stack(
            [azimuth, self.tilt_deg * _normal(count, streams)[:, 1], np.zeros(count)], 1
        )


@ORIENTATIONS.register
class Fisher(Orientation):
    """Around one direction in space, heads and tails told apart; any roll.

    Von Mises–Fisher distribution, density ∝ exp(κ cos ϑ) in the angle ϑ from the mean direction
    (Fisher 1953). For κ above 3 each of the two angles has a standard deviation near 57.3°/√κ.
    """

    title = "Around one direction in space (Fisher)"

    law: Literal["fisher"] = "fisher"
    azimuth_deg: float = _azimuth("Azimuth of the mean direction from +x towards +y.")
    elevation_deg: float = _elevation()
    concentration: float = parameter(
        10.0,
        title="Concentration",
        help="κ; 0 is any direction in space.",
        limits=(0.0, 1e5),
        slider=(0.0, 100.0),
    )

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles around the mean direction, by the inverse of the distribution of cos ϑ."""
        uniform, kappa = _uniform(count, streams), self.concentration
        if kappa < 1e-6:
            cosine = 2 * uniform[:, 1] - 1
        else:
            rest = np.exp(-2 * kappa)
            cosine = 1 + np.log(uniform[:, 1] + (1 - uniform[:, 1]) * rest) / kappa
        return _around(self.azimuth_deg, self.elevation_deg, np.clip(cosine, -1, 1), uniform)


@ORIENTATIONS.register
class Watson(Orientation):
    """Around an axis in space, or around the plane across it; any roll.

    Watson distribution, density ∝ exp(κ cos² ϑ) in the angle ϑ from the axis (Watson 1965): with
    κ > 0 bodies lie along the axis, with κ < 0 across it.
    """

    title = "Around an axis in space (Watson)"

    law: Literal["watson"] = "watson"
    azimuth_deg: float = _azimuth("Azimuth of the axis from +x towards +y.")
    elevation_deg: float = _elevation()
    concentration: float = parameter(
        5.0,
        title="Concentration",
        help="κ; 0 is any direction, negative numbers lay bodies across the axis.",
        limits=(-500.0, 500.0),
        slider=(-50.0, 50.0),
    )

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles around the axis, by the inverse of the tabulated distribution of cos ϑ."""
        uniform = _uniform(count, streams)
        # Finer towards ±1 and 0, where strong concentrations have all their weight.
        half = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 4001))
        cosine = np.concatenate([-half[::-1], half[1:]])
        power = self.concentration * cosine**2
        density = np.exp(power - power.max())
        steps = 0.5 * (density[1:] + density[:-1]) * np.diff(cosine)
        rising = np.concatenate([[0.0], np.cumsum(steps)])
        drawn = np.interp(uniform[:, 1], rising / rising[-1], cosine)
        return _around(self.azimuth_deg, self.elevation_deg, drawn, uniform)


@ORIENTATIONS.register
class Flow(Orientation):
    """In a steady shear flow, turned by it and by Brownian motion; any roll.

    The axis p of a body of revolution follows ṗ = Ωp + β (Ep − (p·Ep) p) with
    β = (r² − 1)/(r² + 1) (Jeffery 1922; Bretherton 1962), and diffuses with D_r. Bodies start at
    random and move for the time 1/D_r, by when less than 0.3 % of the start is left
    (relaxation e^(−6 D_r t)). Each step takes the flow exactly, as p ∝ exp((Ω + βE) t) p₀, between
    two halves of the diffusion (Strang splitting). Dilute bodies without inertia; for Pe ≫ r³ the
    result is the limit of strong flow (Leal and Hinch 1971), which no longer depends on Pe.
    """

    title = "Aligned by flow"

    law: Literal["flow"] = "flow"
    azimuth_deg: float = _azimuth("Direction of the flow from +x towards +y.")
    gradient: Literal["depth", "in_plane"] = parameter(
        "depth",
        title="Gradient",
        help="Whether the flow grows along the light, as over a coverslip, or across the picture.",
    )
    aspect_ratio: float = parameter(
        10.0,
        title="Aspect ratio",
        help="Length over width of the ellipsoid that turns like the bodies; below 1 for discs.",
        limits=(0.01, 100.0),
        slider=(0.1, 50.0),
        log=True,
    )
    peclet: float = parameter(
        100.0,
        title="Péclet number",
        help="Shear rate over the rotational diffusion coefficient; 0 is any direction.",
        limits=(0.0, 1000.0),
        slider=(0.0, 500.0),
    )

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles after the time 1/D_r in the flow."""
        uniform, rng = _uniform(count, streams), streams["direction"]
        height, turn = 2 * uniform[:, 1] - 1, 2 * np.pi * uniform[:, 0]
        across = np.sqrt(1 - height**2)
        # Axes of the flow: 0 along it, 1 along its gradient, 2 along its vorticity.
        axis = np.stack([across * np.cos(turn), across * np.sin(turn), height], 1)
        ratio2 = self.aspect_ratio**2
        beta = (ratio2 - 1) / (ratio2 + 1)
        steps = int(max(100, np.ceil(2 * self.peclet)))
        angle = np.sqrt(2 * 0.5 / steps)  # of each half step of the diffusion
        carried = _flow_map(self.peclet / steps, beta)
        for _ in range(steps):
            axis = _diffused(axis, angle, rng)
            axis = axis @ carried.T
            axis = _diffused(axis / np.linalg.norm(axis, axis=1, keepdims=True), angle, rng)
        along, gradient, vorticity = axis.T
        if self.gradient == "depth":
            x, y, z = along, -vorticity, gradient
        else:
            x, y, z = along, gradient, vorticity
        c, s = np.cos(np.deg2rad(self.azimuth_deg)), np.sin(np.deg2rad(self.azimuth_deg))
        return _angles(np.stack([c * x - s * y, s * x + c * y, z], 1), uniform[:, 2])


@ORIENTATIONS.register
class Angles(Orientation):
    """Each angle by a law of its own, which may hang on other numbers of the particle."""

    title = "Each angle by its own law"

    law: Literal["angles"] = "angles"
    azimuth_deg: NumberOrDistribution = _angle(
        "Azimuth", "Direction of the long axis from +x towards +y.", 360.0
    )
    elevation_deg: NumberOrDistribution = _angle(
        "Elevation", "Angle of the long axis out of the image plane.", 90.0
    )
    roll_deg: NumberOrDistribution = _angle("Roll", "Turn about the long axis.", 360.0)

    def draw(self, count: int, streams: Streams) -> Array:
        """Angles of bodies on whose other numbers they do not hang."""
        return self.turned(count, streams, {})

    def turned(self, count: int, streams: Streams, own: Mapping[str, Array]) -> Array:
        """Angles by their laws; those in `own` are drawn already."""

        def column(field: str) -> Array:
            stated = getattr(self, field)
            if field in own:
                return own[field]
            if isinstance(stated, Distribution):
                return stated.draw(streams[field], count)
            return np.full(count, float(stated))

        return np.stack([column(field) for field in ANGLES], 1)


AnyOrientation = Annotated[Orientation, ORIENTATIONS]


def _flow_map(strain: float, beta: float) -> Array:
    """exp((Ω + βE) t) for a shear of γ̇ t = `strain`, in closed form."""
    a, b = 0.5 * strain * (beta + 1), 0.5 * strain * (beta - 1)
    turn = np.sqrt(max(-a * b, 0.0))  # M = [[0, a], [b, 0]], M² = a b ≤ 0
    cosine, sinc = np.cos(turn), np.sinc(turn / np.pi)
    return np.array([[cosine, a * sinc, 0.0], [b * sinc, cosine, 0.0], [0.0, 0.0, 1.0]])


def _diffused(axis: Array, angle: float, rng: np.random.Generator) -> Array:
    """Axes after a small Brownian turn of the given standard deviation about each direction."""
    turn = angle * rng.standard_normal(axis.shape)
    turn -= (turn * axis).sum(1, keepdims=True) * axis  # what is left is Gaussian across the axis
    size = np.linalg.norm(turn, axis=1, keepdims=True)
    result: Array = np.cos(size) * axis + np.sinc(size / np.pi) * turn
    return result


def _around(azimuth_deg: float, elevation_deg: float, cosine: Array, uniform: Array) -> Array:
    """Angles of directions at given angles from one direction, evenly around it."""
    azimuth, elevation = np.deg2rad([azimuth_deg, elevation_deg])
    ca, sa, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    mean, side = np.array([ce * ca, ce * sa, se]), np.array([-sa, ca, 0.0])
    across, turn = np.sqrt(1 - cosine**2), 2 * np.pi * uniform[:, 0]
    direction = (
        cosine[:, None] * mean
        + (across * np.cos(turn))[:, None] * side
        + (across * np.sin(turn))[:, None] * np.cross(mean, side)
    )
    return _angles(direction, uniform[:, 2])


def _angles(direction: Array, roll: Array) -> Array:
    """Angles of directions (n, 3), with an even roll made of numbers 0 … 1."""
    x, y, z = direction.T
    elevation = np.arcsin(np.clip(z, -1, 1))
    return np.stack([*np.rad2deg([np.arctan2(y, x), elevation]), 360 * roll - 180], 1)
