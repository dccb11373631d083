"""Matched dictionary: templates from the engine, correlated with the image by FFT.

The start decides a fit, not the solver: from templates over depth, size and index the global
optimum is found without any start. The amplitude is clipped, which keeps wrong sizes from
winning by their contrast alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

from osog.fitting.centre import border_plane
from osog.fitting.simulator import Simulator
from osog.scene import EMISSION, Background, Particle, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from osog.scene import Population

    Array = NDArray[np.float64]

DARK = EMISSION | {"darkfield", "polarized"}
"""Modalities whose background is or may be dark, so that brightness is no absolute contrast."""
_ADDITIVE = DARK | {"phase"}
_LARGEST = 160


@dataclass(frozen=True)
class Axes:
    """What the templates run over.

    Attributes
    ----------
    depths : sequence of float
        focus − z in µm.
    radii : sequence of float
        Radii in µm; empty for shapes without one, and where it is known.
    indices : sequence of float
        Refractive indices of the particle.
    azimuths : sequence of float
        Degrees; (0,) for spheres.
    """

    depths: Sequence[float]
    radii: Sequence[float]
    indices: Sequence[float]
    azimuths: Sequence[float] = (0.0,)


@dataclass(frozen=True)
class Entry:
    """One template.

    Attributes
    ----------
    depth, radius, index, azimuth : float
        What it was made with; radius NaN where the shape has none.
    image : ndarray, shape (m, m), float32
        Contrast, with the particle at pixel (m // 2, m // 2).
    energy : float
        Sum of its squares.
    """

    depth: float
    radius: float
    index: float
    azimuth: float
    image: NDArray[np.float32]
    energy: float


@dataclass(frozen=True)
class Match:
    """Where one template fits best.

    Attributes
    ----------
    entry : Entry
    row, column : float
        Pixel of the particle's centre.
    amplitude : float
        Factor on the template's contrast, clipped.
    fall : float
        How much it lowers the sum of squares of the contrast.
    """

    entry: Entry
    row: float
    column: float
    amplitude: float
    fall: float


def contrast(image: Array, kind: str, used: NDArray[np.bool_] | None = None) -> Array:
    """Image relative to the plane through its border, 0 where pixels do not count.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    kind : str
        Kind of the modality: phase and what is dark are differences, the others ratios.
    used : ndarray of bool, shape (Y, X), optional

    Returns
    -------
    ndarray, shape (Y, X)
    """
    plane = border_plane(image, used)
    if kind in _ADDITIVE:
        out = image - plane
    else:
        floor = 1e-3 * max(1e-12, float(np.abs(plane).max()))
        out = image / np.maximum(plane, floor) - 1.0
    return out if used is None else np.where(used, out, 0.0)


def templates(
    scene: Scene,
    population: Population,
    axes: Axes,
    size: int,
    particle: Particle | None = None,
    *,
    device: str = "cpu",
) -> list[Entry]:
    """Render every template with the engine.

    Parameters
    ----------
    scene : Scene
        Gives optics and pixel size.
    population : Population
        Gives the shape; its other numbers stay.
    axes : Axes
    size : int
        Rows and columns of a template in pixels.
    particle : Particle, optional
        Gives sizes and orientation that the axes do not; the population's when left out.
    device : str

    Returns
    -------
    list of Entry
    """
    middle = size // 2 * scene.grid.pixel_size_um
    radii = list(axes.radii) or [float("nan")]
    deepest = max(axes.depths, key=abs)
    known = {} if np.isnan(radii[0]) else {"radius_um": max(radii)}
    base = particle if particle is not None else Particle()
    places = {"x_um": middle, "y_um": middle, "z_um": 0.0}
    index = max(axes.indices, key=_far(scene))
    only = base.model_copy(update={**places, "index": index, **known})
    lone = population.model_copy(
        update={
            "particles": (only,), "count": None, "density_per_mm2": None, "visible": True,
            "shape": centred(population.shape),
        }
    )  # fmt: skip
    small = scene.model_copy(
        update={
            "grid": scene.grid.model_copy(update={"shape": (size, size)}),
            "populations": (lone,),
            "camera": None,
            # Even haze weakens every contrast; the rest belongs to places in the frame.
            "background": Background(haze=scene.background.haze),
            # The plan of the engine pads for the deepest template.
            "microscope": scene.microscope.model_copy(update={"focus_um": deepest}),
        }
    )
    engine = Simulator(small, device=device, accuracy="draft")
    turns = population.shape.kind != "sphere"
    return list(_rendered(engine, small.microscope.modality.kind, axes, radii, turns))


def _far(scene: Scene) -> Callable[[float], float]:
    return lambda index: abs(index - scene.medium.index)


def centred(shape: Any) -> Any:
    """Shape with every law replaced by its centre."""
    update: dict[str, Any] = {}
    for field in type(shape).model_fields:
        value = getattr(shape, field)
        if hasattr(value, "centre"):
            update[field] = number(value)
        elif isinstance(value, tuple):
            update[field] = tuple(v if isinstance(v, tuple) else number(v) for v in value)
    return shape.model_copy(update=update)


def number(quantity: Any) -> float:
    """Value of a number, centre of a law."""
    centre = getattr(quantity, "centre", None)
    return float(quantity if centre is None else centre)


def _rendered(
    engine: Simulator, kind: str, axes: Axes, radii: list[float], turns: bool
) -> Iterator[Entry]:
    for radius in radii:
        for index in axes.indices:
            for azimuth in axes.azimuths:
                values = {"particles[0].index": index}
                if not np.isnan(radius):
                    values["particles[0].radius_um"] = radius
                if turns:
                    values["particles[0].orientation_deg[0]"] = azimuth
                for depth in axes.depths:
                    # Only the focus moves in the inner loop: the exit wave is used again.
                    values["microscope.focus_um"] = depth
                    cut = _relative(engine(values), kind)
                    energy = float(np.sum(cut.astype(np.float64) ** 2))
                    if energy > 0:
                        yield Entry(depth, radius, index, azimuth, cut, energy)


def _relative(image: Array, kind: str) -> NDArray[np.float32]:
    """Contrast of a simulated image, whose background is flat and shows at the border."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    level = float(np.median(border))
    out = image - level if kind in _ADDITIVE else image / max(level, 1e-3) - 1.0
    return out.astype(np.float32)


def brightness_matched(cut: Array, entries: Sequence[Entry], kind: str) -> Array:
    """Contrast on the brightness scale of the templates.

    A luminous particle's brightness says nothing about what it is, so the brightest places of
    the image are made as bright as the templates; other contrasts are absolute and stay.

    Parameters
    ----------
    cut : ndarray, shape (Y, X)
    entries : sequence of Entry
    kind : str
        Kind of the modality.
    """
    if kind not in DARK or not entries:
        return cut
    wanted = float(np.median([entry.image.max() for entry in entries]))
    bright = float(np.quantile(cut, 1 - min(0.5, 20 / cut.size)))
    return cut * (wanted / bright) if bright > 0 and wanted > 0 else cut


class Matcher:
    """Correlates templates with one image.

    Parameters
    ----------
    contrast : ndarray, shape (Y, X)
        Image with its background removed.
    size : int
        Rows and columns of the templates.
    """

    def __init__(self, contrast: Array, size: int) -> None:
        self.shape = contrast.shape
        self._fast = tuple(next_fast_len(n + size, real=True) for n in contrast.shape)
        self._spectrum = rfft2(contrast.astype(np.float32), s=self._fast)
        self._half = size // 2

    def fall(self, entry: Entry, clip: tuple[float, float]) -> tuple[Array, Array]:
        """Fall of the sum of squares with the template centred at each pixel.

        Parameters
        ----------
        entry : Entry
        clip : (float, float)
            Range of the amplitude.

        Returns
        -------
        ndarray, shape (Y, X)
            2 s m − s² |T|² with m the correlation and s the clipped amplitude.
        ndarray, shape (Y, X)
            The amplitude s.
        """
        product = irfft2(self._spectrum * rfft2(entry.image, s=self._fast).conj(), s=self._fast)
        rolled = np.roll(product, (self._half, self._half), (0, 1))
        match = rolled[: self.shape[0], : self.shape[1]]
        amplitude = np.clip(match / entry.energy, *clip)
        return 2 * amplitude * match - amplitude**2 * entry.energy, amplitude


def template_size(
    scene: Scene, radius_um: float, deepest_um: float, pixel_um: float, frame: tuple[int, int]
) -> int:
    """Rows of a template that holds the particle and its defocused cone."""
    sine = min(0.95, scene.microscope.numerical_aperture / scene.medium.index)
    if scene.microscope.modality.kind == "phase":
        sine = min(sine, 0.2)
    reach = radius_um + abs(deepest_um) * np.tan(np.arcsin(sine))
    reach += scene.microscope.wavelength_um / scene.microscope.numerical_aperture
    wanted = 2 * int(np.ceil(1.1 * reach / pixel_um)) + 2
    return int(np.clip(wanted, 16, max(16, min(_LARGEST, *frame))))


def depth_step(scene: Scene) -> float:
    """Half of the depth of field, λ n / (2 NA²), in µm."""
    microscope = scene.microscope
    return 0.5 * microscope.wavelength_um * scene.medium.index / microscope.numerical_aperture**2


def geometric(low: float, high: float, ratio: float, most: int) -> list[float]:
    """Numbers from low to high in equal ratios of about `ratio`, at most `most` of them."""
    if not 0 < low < high:
        return [high]
    count = int(np.clip(np.ceil(np.log(high / low) / np.log(ratio)) + 1, 2, most))
    return [float(v) for v in np.geomspace(low, high, count)]


def best_matches(
    contrast_: Array,
    entries: Sequence[Entry],
    clip: tuple[float, float],
    window: NDArray[np.bool_],
    keep: int,
    step: float,
    *,
    diverse: bool = True,
) -> list[Match]:
    """Templates that explain most, different enough from each other.

    Parameters
    ----------
    contrast_ : ndarray, shape (Y, X)
    entries : sequence of Entry
    clip : (float, float)
    window : ndarray of bool, shape (Y, X)
        Pixels in which the centre may lie.
    keep : int
    step : float
        Step of the depths in µm: a candidate must differ from those kept by more than one step,
        or by more than half in the logarithm of the radius.
    diverse : bool
        False keeps near relatives also.

    Returns
    -------
    list of Match
        Best first.
    """
    if not entries:
        return []
    matcher = Matcher(contrast_, entries[0].image.shape[0])
    found = []
    for entry in entries:
        fall, amplitude = matcher.fall(entry, clip)
        masked = np.where(window, fall, -np.inf)
        row, column = np.unravel_index(int(masked.argmax()), masked.shape)
        dy, dx = _offset(masked, int(row), int(column))
        height, factor = float(fall[row, column]), float(amplitude[row, column])
        found.append(Match(entry, row + dy, column + dx, factor, height))
    found.sort(key=lambda match: -match.fall)
    kept: list[Match] = []
    for match in found:
        if len(kept) == keep:
            break
        if all(_differ(match, other, step, diverse) for other in kept):
            kept.append(match)
    return kept


def _differ(a: Match, b: Match, step: float, diverse: bool) -> bool:
    factor = 1.0 if diverse else 0.3
    if abs(a.entry.depth - b.entry.depth) > 1.01 * step * factor:
        return True
    if np.isfinite(a.entry.radius) and abs(np.log(a.entry.radius / b.entry.radius)) > 0.5 * factor:
        return True
    if not diverse and a.entry.index != b.entry.index:
        return True
    turn = abs(a.entry.azimuth - b.entry.azimuth) % 180
    return min(turn, 180 - turn) > 20


def _offset(score: Array, row: int, column: int) -> tuple[float, float]:
    def along(before: float, here: float, after: float) -> float:
        curvature = before - 2 * here + after
        if not np.isfinite(curvature) or curvature >= 0:
            return 0.0
        return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5))

    dy = dx = 0.0
    if 0 < row < score.shape[0] - 1:
        dy = along(score[row - 1, column], score[row, column], score[row + 1, column])
    if 0 < column < score.shape[1] - 1:
        dx = along(score[row, column - 1], score[row, column], score[row, column + 1])
    return dy, dx
