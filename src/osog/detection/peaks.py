"""The best template at every pixel, and the places that stand out as particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import maximum_filter

from osog.fitting.problem.weights import noise_sigma
from osog.fitting.starts.template_matching import Matcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from osog.fitting.starts.template_matching import Template

    Array = NDArray[np.float64]

# In units of σ²: far beyond what the best of some hundred templates gains on white noise alone.
_CLEAR = 60
# Share of the clearest particle: what is much weaker is rather a piece of its rings.
_WEAKEST = 0.08
# Share of its reduction of χ² that a particle keeps once the clearer ones are subtracted.
_OWN_SHARE = 0.5


@dataclass(frozen=True)
class BestTemplates:
    """Best template at every pixel.

    Attributes
    ----------
    templates : sequence of Template
    chi2_reduction : ndarray, shape (Y, X)
        How much the best one lowers the sum of squares of the contrast, centred at a pixel.
    which : ndarray of int, shape (Y, X)
        Its number.
    amplitude : ndarray, shape (Y, X)
        Factor on its contrast.
    clip : (float, float)
        Range of that factor.
    used : ndarray of bool, shape (Y, X)
        Pixels that count.
    """

    templates: Sequence[Template]
    chi2_reduction: Array
    which: NDArray[np.int64]
    amplitude: Array
    clip: tuple[float, float]
    used: NDArray[np.bool_]

    def template(self, row: int, column: int) -> Template:
        """Best template centred at a pixel."""
        return self.templates[int(self.which[row, column])]


def best_templates(
    cut: Array,
    templates: Sequence[Template],
    size: int,
    used: NDArray[np.bool_],
    *,
    unknown_scale: bool,
) -> BestTemplates:
    """Match every template at every pixel.

    Parameters
    ----------
    cut : ndarray, shape (Y, X)
        Contrast.
    templates : sequence of Template
    size : int
        Rows and columns of a template.
    used : ndarray of bool, shape (Y, X)
        Pixels that count.
    unknown_scale : bool
        Whether brightness is no absolute contrast.
    """
    matcher = Matcher(cut, size, used)
    best = np.zeros(cut.shape)
    which = np.zeros(cut.shape, np.int64)
    amplitude = np.ones(cut.shape)
    clip = (0.2, 3.0) if unknown_scale else (0.45, 2.1)
    for k, template in enumerate(templates):
        reduction, factor = matcher.chi2_reduction(template, clip)
        better = reduction > best
        best = np.where(better, reduction, best)
        which[better] = k
        amplitude = np.where(better, factor, amplitude)
    return BestTemplates(templates, best, which, amplitude, clip, used)


def peaks(best: BestTemplates, cut: Array, apart: float, most: int) -> list[tuple[int, int]]:
    """Places of particles, clearest first.

    A maximum counts when it stands out of the noise, lies `apart` pixels from every better one,
    and still explains half as much after the better ones have been subtracted: the maxima along
    a rod or on the rings of a sphere do not.

    Parameters
    ----------
    best : BestTemplates
    cut : ndarray, shape (Y, X)
        Contrast.
    apart : float
        Least distance in pixels.
    most : int

    Returns
    -------
    list of (int, int)
        Row and column.
    """
    reduction = best.chi2_reduction
    if reduction.size == 0 or reduction.max() <= 0:
        return []
    noise = max(noise_sigma(cut, best.used), 1e-12)
    clearest = float(np.quantile(reduction[reduction > 0], 0.9995))
    least = max(_CLEAR * noise**2, _WEAKEST * clearest)
    top = (reduction == maximum_filter(reduction, size=3)) & (reduction > least)
    rows, columns = np.nonzero(top)
    rest = cut.copy()
    kept: list[tuple[int, int]] = []
    for k in np.argsort(-reduction[rows, columns]):
        r, c = int(rows[k]), int(columns[k])
        if any((r - a) ** 2 + (c - b) ** 2 <= apart**2 for a, b in kept):
            continue
        image, place = _placed(best.template(r, c).image, r, c, rest.shape)
        image = np.where(best.used[place], image, 0.0)
        energy = float(np.sum(image**2))
        match = float(np.sum(rest[place] * image))
        factor = float(np.clip(match / max(energy, 1e-300), *best.clip))
        own = 2 * factor * match - factor**2 * energy
        if own < max(least, _OWN_SHARE * reduction[r, c]):
            continue
        rest[place] -= factor * image
        kept.append((r, c))
        if len(kept) == most:
            break
    return kept


def _placed(
    image: NDArray[np.float32], row: int, column: int, shape: tuple[int, ...]
) -> tuple[Array, tuple[slice, slice]]:
    """Part of a template centred at a pixel that lies inside the image, and where."""
    size = image.shape[0]
    y, x = row - size // 2, column - size // 2
    inner = image[max(0, -y) : shape[0] - y, max(0, -x) : shape[1] - x]
    top, left = max(0, y), max(0, x)
    place = (slice(top, top + inner.shape[0]), slice(left, left + inner.shape[1]))
    return inner.astype(np.float64), place
