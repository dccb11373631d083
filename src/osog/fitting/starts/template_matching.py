"""Template matching: images of the forward model, correlated with a micrograph by FFT.

The start decides a fit, not the solver: from templates over defocus, size and index the global
optimum is found without any start. The amplitude is clipped, which keeps wrong sizes from
winning by their contrast alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from scipy.fft import irfft2, next_fast_len, rfft2

from osog.cancellation import raise_if_cancelled
from osog.fitting.problem.simulator import SEARCHED, Simulator, with_few_directions
from osog.fitting.starts.border_plane import border_plane
from osog.fitting.starts.extents import number
from osog.scene import Background, Particle
from osog.waves.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from osog.scene import Population, Scene

    Array = NDArray[np.float64]
    Backdrop = Literal["bright", "dark", "phase"]

# Rows and columns of the largest template.
_LARGEST = 160
# Bytes of the templates that are kept.
_KEPT_BYTES = 128 * 2**20
# Sine of the cone that a defocused phase image spreads over: it shows no fringes.
_PHASE_CONE = 0.2


@dataclass(frozen=True)
class TemplateAxes:
    """What the templates run over.

    Attributes
    ----------
    defocuses : sequence of float
        focus − z in µm.
    radii : sequence of float
        Radii in µm; empty for shapes without one, and where it is known.
    indices : sequence of float
        Refractive indices of the particle.
    azimuths : sequence of float
        Degrees; (0,) for balls.
    lengths : sequence of float
        Lengths in µm; empty for shapes without one, and where the particle's own stands.
    """

    defocuses: Sequence[float]
    radii: Sequence[float]
    indices: Sequence[float]
    azimuths: Sequence[float] = (0.0,)
    lengths: Sequence[float] = ()


@dataclass(frozen=True)
class Template:
    """One template.

    Attributes
    ----------
    defocus, radius, index, azimuth : float
        What it was made with; radius NaN where the shape has none.
    image : ndarray, shape (m, m), float32
        Contrast, with the particle at pixel (m // 2, m // 2).
    energy : float
        Sum of its squares.
    length : float
        Length in µm that it was made with; NaN for the particle's own.
    """

    defocus: float
    radius: float
    index: float
    azimuth: float
    image: NDArray[np.float32]
    energy: float
    length: float = float("nan")


@dataclass(frozen=True)
class TemplateMatch:
    """Where one template fits best.

    Attributes
    ----------
    template : Template
    row, column : float
        Pixel of the particle's centre.
    amplitude : float
        Factor on the template's contrast, clipped.
    chi2_reduction : float
        How much it lowers the sum of squares of the contrast.
    """

    template: Template
    row: float
    column: float
    amplitude: float
    chi2_reduction: float


def contrast(image: Array, backdrop: Backdrop, used: NDArray[np.bool_] | None = None) -> Array:
    """Image relative to the plane through its border, 0 where pixels do not count.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    backdrop : {"bright", "dark", "phase"}
        What the modality shows where nothing is: against a bright one contrasts are ratios, else
        differences.
    used : ndarray of bool, shape (Y, X), optional

    Returns
    -------
    ndarray, shape (Y, X)
    """
    plane = border_plane(image, used)
    if backdrop != "bright":
        out = image - plane
    else:
        floor = 1e-3 * max(1e-12, float(np.abs(plane).max()))
        out = image / np.maximum(plane, floor) - 1.0
    return out if used is None else np.where(used, out, 0.0)


def rendered_templates(
    scene: Scene,
    population: Population,
    axes: TemplateAxes,
    size: int,
    particle: Particle | None = None,
    *,
    device: str = "cpu",
) -> list[Template]:
    """Render every template with the forward model; those of the last optics are kept.

    Parameters
    ----------
    scene : Scene
        Gives optics and pixel size.
    population : Population
        Gives the shape; its other numbers stay.
    axes : TemplateAxes
    size : int
        Rows and columns of a template in pixels.
    particle : Particle, optional
        Gives sizes and orientation that the axes do not; the population's when left out.
    device : str

    Returns
    -------
    list of Template
    """
    middle = size // 2 * scene.grid.pixel_size_um
    radii = list(axes.radii) or [float("nan")]
    known = {} if np.isnan(radii[0]) else {"radius_um": max(radii)}
    if axes.lengths:
        known["length_um"] = max(axes.lengths)
    base = particle if particle is not None else Particle()
    places = {"x_um": middle, "y_um": middle, "z_um": 0.0}
    index = max(axes.indices, key=_far(scene))
    only = base.model_copy(update={**places, "index": index, **known})
    lone = population.model_copy(
        update={
            "particles": (only,), "count": None, "density_per_mm2": None, "visible": True,
            "shape": _centred(population.shape),
        }
    )  # fmt: skip
    small = scene.model_copy(
        update={
            "grid": scene.grid.model_copy(update={"shape": (size, size)}),
            "populations": (lone,),
            "camera": None,
            # Even haze weakens every contrast; the rest belongs to places in the frame.
            "background": Background(haze=scene.background.haze),
            # One stack: the light behind the particle is that of all its planes, and the sampling
            # plan pads for the deepest.
            "microscope": scene.microscope.model_copy(update={"focus_um": tuple(axes.defocuses)}),
        }
    )
    turns = not population.shape.isotropic

    def made() -> tuple[Template, ...]:
        simulator = Simulator(small, device=device, accuracy="draft", dtype=torch.float32)
        if small.microscope.source_points == 0 and simulator.source_points > SEARCHED:
            few = with_few_directions(small)
            simulator = Simulator(few, device=device, accuracy="draft", dtype=torch.float32)
        return tuple(_rendered(simulator, small.microscope.modality.backdrop, axes, radii, turns))

    runs = (axes.defocuses, radii, axes.indices, axes.azimuths, axes.lengths)
    key = (small.model_dump_json(), *map(tuple, runs), device)
    return list(KEPT.get(key, made))


def _far(scene: Scene) -> Callable[[float], float]:
    return lambda index: abs(index - scene.medium.index)


def _centred(shape: Any) -> Any:
    """Shape with every distribution replaced by its centre."""
    update: dict[str, Any] = {}
    for field in type(shape).model_fields:
        value = getattr(shape, field)
        if hasattr(value, "centre"):
            update[field] = number(value)
        elif isinstance(value, tuple):
            update[field] = tuple(v if isinstance(v, tuple) else number(v) for v in value)
    return shape.model_copy(update=update)


def _rendered(
    simulator: Simulator, backdrop: Backdrop, axes: TemplateAxes, radii: list[float], turns: bool
) -> Iterator[Template]:
    lengths = list(axes.lengths) or [float("nan")]
    for radius, length, index, azimuth in product(radii, lengths, axes.indices, axes.azimuths):
        if length <= 2 * radius:  # no body is that short
            continue
        values = {"particles[0].index": index}
        if not np.isnan(radius):
            values["particles[0].radius_um"] = radius
        if not np.isnan(length):
            values["particles[0].length_um"] = length
        if turns:
            values["particles[0].orientation_deg[0]"] = azimuth
        raise_if_cancelled()
        for defocus, image in zip(axes.defocuses, simulator(values), strict=True):
            cut = _relative(image, backdrop)
            energy = float(np.sum(cut.astype(np.float64) ** 2))
            if energy > 0:
                yield Template(defocus, radius, index, azimuth, cut, energy, length)


def _relative(image: Array, backdrop: Backdrop) -> NDArray[np.float32]:
    """Contrast of a simulated image, whose background is flat and shows at the border."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    level = float(np.median(border))
    out = image / max(level, 1e-3) - 1.0 if backdrop == "bright" else image - level
    return out.astype(np.float32)


def brightness_matched(cut: Array, templates: Sequence[Template], *, unknown_scale: bool) -> Array:
    """Contrast on the brightness scale of the templates.

    A luminous particle's brightness says nothing about what it is, nor do grey levels of a phase,
    so the brightest places of the image are made as bright as the templates; other contrasts are
    absolute and stay.

    Parameters
    ----------
    cut : ndarray, shape (Y, X)
    templates : sequence of Template
    unknown_scale : bool
        Whether brightness is no absolute contrast.
    """
    if not unknown_scale or not templates:
        return cut
    wanted = float(np.median([template.image.max() for template in templates]))
    bright = float(np.quantile(cut, 1 - min(0.5, 20 / cut.size)))
    return cut * (wanted / bright) if bright > 0 and wanted > 0 else cut


KEPT: RecentlyUsed[tuple[Template, ...]] = RecentlyUsed(
    _KEPT_BYTES, lambda templates: sum(template.image.nbytes for template in templates)
)
"""Templates of the fits and searches before."""


class Matcher:
    """Correlates templates with one image.

    Parameters
    ----------
    contrast : ndarray, shape (Y, X)
        Image with its background removed.
    size : int
        Rows and columns of the templates.
    used : ndarray of bool, shape (Y, X), optional
        Pixels that count; the contrast of others must be 0.
    """

    def __init__(self, contrast: Array, size: int, used: NDArray[np.bool_] | None = None) -> None:
        self.shape = contrast.shape
        self._fast = tuple(next_fast_len(n + size, real=True) for n in contrast.shape)
        self._spectrum = rfft2(contrast.astype(np.float32), s=self._fast)
        self._half = size // 2
        self._left_out: NDArray[np.complexfloating] | None = None
        if used is not None and not used.all():
            self._left_out = rfft2((~used).astype(np.float32), s=self._fast)

    def chi2_reduction(self, template: Template, clip: tuple[float, float]) -> tuple[Array, Array]:
        """How much the template lowers the sum of squares, centred at each pixel.

        Parameters
        ----------
        template : Template
        clip : (float, float)
            Range of the amplitude.

        Returns
        -------
        ndarray, shape (Y, X)
            2 s m − s² |T|² with m the correlation, s the clipped amplitude and |T|² the energy of
            the template over the pixels that count.
        ndarray, shape (Y, X)
            The amplitude s.
        """
        raise_if_cancelled()
        match = self._correlated(self._spectrum, template.image)
        energy: Array | float = template.energy
        if self._left_out is not None:
            hidden = self._correlated(self._left_out, template.image**2)
            energy = np.maximum(template.energy - hidden, 1e-4 * template.energy)
        amplitude = np.clip(match / energy, *clip)
        return 2 * amplitude * match - amplitude**2 * energy, amplitude

    def _correlated(
        self, spectrum: NDArray[np.complexfloating], image: NDArray[np.float32]
    ) -> Array:
        matched = irfft2(spectrum * rfft2(image, s=self._fast).conj(), s=self._fast)
        rolled = np.roll(matched, (self._half, self._half), (0, 1))
        return rolled[: self.shape[0], : self.shape[1]]


def template_size(
    scene: Scene, radius_um: float, deepest_um: float, pixel_um: float, frame: tuple[int, int]
) -> int:
    """Rows of a template that holds the particle and its defocused cone."""
    sine = min(0.95, scene.microscope.numerical_aperture / scene.medium.index)
    if scene.microscope.modality.measures_phase:
        sine = min(sine, _PHASE_CONE)
    reach = radius_um + abs(deepest_um) * np.tan(np.arcsin(sine))
    reach += scene.microscope.wavelength_um / scene.microscope.numerical_aperture
    wanted = 2 * int(np.ceil(1.1 * reach / pixel_um)) + 2
    return int(np.clip(wanted, 16, max(16, min(_LARGEST, *frame))))


def geometric(low: float, high: float, ratio: float, most: int) -> list[float]:
    """Numbers from low to high in equal ratios of about `ratio`, at most `most` of them."""
    if not 0 < low < high:
        return [high]
    count = int(np.clip(np.ceil(np.log(high / low) / np.log(ratio)) + 1, 2, most))
    return [float(v) for v in np.geomspace(low, high, count)]


def best_matches(
    contrast_: Array,
    templates: Sequence[Template],
    clip: tuple[float, float],
    window: NDArray[np.bool_],
    keep: int,
    step: float,
    *,
    diverse: bool = True,
    used: NDArray[np.bool_] | None = None,
) -> list[TemplateMatch]:
    """Templates that explain most, different enough from each other.

    Parameters
    ----------
    contrast_ : ndarray, shape (Y, X)
    templates : sequence of Template
    clip : (float, float)
    window : ndarray of bool, shape (Y, X)
        Pixels in which the centre may lie.
    keep : int
    step : float
        Step of the defocus in µm: a candidate must differ from those kept by more than one step,
        or by more than half in the logarithm of the radius.
    diverse : bool
        False keeps near relatives also.
    used : ndarray of bool, shape (Y, X), optional
        Pixels that count.

    Returns
    -------
    list of TemplateMatch
        Best first.
    """
    if not templates:
        return []
    matcher = Matcher(contrast_, templates[0].image.shape[0], used)
    found = []
    for template in templates:
        reduction, amplitude = matcher.chi2_reduction(template, clip)
        masked = np.where(window, reduction, -np.inf)
        row, column = np.unravel_index(int(masked.argmax()), masked.shape)
        dy, dx = _offset(masked, int(row), int(column))
        height, factor = float(reduction[row, column]), float(amplitude[row, column])
        found.append(TemplateMatch(template, row + dy, column + dx, factor, height))
    found.sort(key=lambda match: -match.chi2_reduction)
    kept: list[TemplateMatch] = []
    for match in found:
        if len(kept) == keep:
            break
        if all(_differ(match, other, step, diverse) for other in kept):
            kept.append(match)
    return kept


def _differ(a: TemplateMatch, b: TemplateMatch, step: float, diverse: bool) -> bool:
    factor = 1.0 if diverse else 0.3
    if abs(a.template.defocus - b.template.defocus) > 1.01 * step * factor:
        return True
    if (
        np.isfinite(a.template.radius)
        and abs(np.log(a.template.radius / b.template.radius)) > 0.5 * factor
    ):
        return True
    if abs(np.log(a.template.length / b.template.length)) > 0.3 * factor:  # False for NaN
        return True
    if not diverse and a.template.index != b.template.index:
        return True
    turn = abs(a.template.azimuth - b.template.azimuth) % 180
    return min(turn, 180 - turn) > 20


def _offset(score: Array, row: int, column: int) -> tuple[float, float]:
    dy = parabola_top(score[:, column], row)
    return dy, parabola_top(score[row], column)


def parabola_top(line: Array, k: int) -> float:
    """Distance of a maximum from its sample k, by a parabola through three samples; ±0.5 at most.

    Parameters
    ----------
    line : ndarray, shape (n,)
    k : int

    Returns
    -------
    float
        0 at the ends of the line and beside values that are not finite.
    """
    if not 0 < k < len(line) - 1:
        return 0.0
    before, here, after = line[k - 1], line[k], line[k + 1]
    curvature = before - 2 * here + after
    if not np.isfinite(curvature) or curvature >= 0:
        return 0.0
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5))
