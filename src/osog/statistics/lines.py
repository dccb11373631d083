"""Elongated objects, whatever their polarity: where they are, and their profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osog.statistics.noise import noise_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIRECTIONS = 16
PROFILE_UM: NDArray[np.float64] = np.linspace(-4.0, 4.0, 81)
"""Distances from the line at which profiles are given, µm."""
_ALONG_UM: NDArray[np.float64] = np.linspace(-1.5, 1.5, 25)
_ENDS_UM = 2.5
_APART_UM = 1.5


@dataclass(frozen=True)
class Lines:
    """Lines of a picture, the clearest first.

    Attributes
    ----------
    x_um, y_um : ndarray (N,)
        Their middles, from the centre of the first pixel.
    azimuth_deg : ndarray (N,)
        Their direction from +x towards +y, 0 … 180.
    profiles : ndarray (N, 81)
        Contrast across each, at the distances `PROFILE_UM` towards azimuth + 90°: the median along
        3 µm of the line, less a straight line through both ends.
    roughness : ndarray (N,)
        Standard deviation along the line of the contrast in its middle 0.6 µm.
    """

    x_um: NDArray[np.float64]
    y_um: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]
    profiles: NDArray[np.float64]
    roughness: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.x_um)


def find_lines(
    contrast: NDArray[np.float64],
    pixel_size_um: float,
    width_um: float = 1.5,
    most: int = 2000,
    signal_to_noise: float = 6.0,
    least_contrast: float = 0.03,
) -> Lines:
    """Find elongated objects by their oriented energy.

    An even and an odd filter across each of 16 directions, second derivative of a Gaussian and
    its Hilbert transform, add in squares, so that dark, bright and one-sided lines answer alike
    (Freeman & Adelson, IEEE PAMI 13, 891 (1991)). Crests are taken in falling order, each of which
    hides what lies within 1.5 µm of it, so that a long line counts by its length. What lies 2.5 to
    4 µm beside the line must be even, and alike on both sides, or it is an edge or a branch.

    Parameters
    ----------
    contrast : ndarray (Y, X)
        Relative contrast.
    pixel_size_um : float
    width_um : float
        Width of line that answers best; half and twice of it answer half as much.
    most : int
        Largest number of lines.
    signal_to_noise : float
        Least amplitude in units of the noise behind the filters.
    least_contrast : float
        Least amplitude of the answer, in relative contrast.

    Returns
    -------
    Lines
    """
    energy, direction, floor = _oriented_energy(contrast, pixel_size_um, width_um)
    least = max(signal_to_noise * floor, least_contrast)
    peaks = _separate_maxima(energy, direction, least**2, pixel_size_um, 3 * most)
    coarse = direction[peaks[:, 0], peaks[:, 1]].astype(np.float64) * (180.0 / DIRECTIONS)
    azimuths = _refined(contrast, pixel_size_um, peaks, coarse)
    patches = _patches(contrast, pixel_size_um, peaks, azimuths)
    profiles = np.median(patches, axis=1)
    ends = np.abs(PROFILE_UM) > _ENDS_UM
    base = np.stack([np.ones(ends.sum()), PROFILE_UM[ends]], axis=1)
    step = _step(profiles)
    fitted = np.linalg.lstsq(base, profiles[:, ends].T, rcond=None)[0]
    profiles = profiles - (np.stack([np.ones_like(PROFILE_UM), PROFILE_UM], axis=1) @ fitted).T
    inner = np.abs(profiles[:, ~ends]).max(axis=1)
    outer = np.sqrt(np.mean(profiles[:, ends] ** 2, axis=1))
    stands_out = (inner > 3.0 * outer) & (inner > 1.5 * step) & (inner > least_contrast)
    clear = np.flatnonzero(stands_out)[:most]
    middle = patches[:, :, np.abs(PROFILE_UM) <= 0.3].mean(axis=2)
    return Lines(
        x_um=peaks[clear, 1] * pixel_size_um,
        y_um=peaks[clear, 0] * pixel_size_um,
        azimuth_deg=azimuths[clear],
        profiles=profiles[clear],
        roughness=middle[clear].std(axis=1),
    )


@dataclass(frozen=True)
class LineShapes:
    """Numbers of the lines of a picture, one for each line.

    Attributes
    ----------
    dark : ndarray of bool (N,)
        Whether the main lobe, the one furthest from the background, is dark.
    depth : ndarray (N,)
        Contrast at its extremum, without sign.
    width_um : ndarray (N,)
        Its full width at half maximum.
    second_lobe : ndarray (N,)
        Height of the highest lobe of the other sign, as a share of the depth.
    """

    dark: NDArray[np.bool_]
    depth: NDArray[np.float64]
    width_um: NDArray[np.float64]
    second_lobe: NDArray[np.float64]


def line_shapes(lines: Lines) -> LineShapes:
    """Polarity, depth, width and second lobe of each line, within 2 µm of its middle.

    Parameters
    ----------
    lines : Lines

    Returns
    -------
    LineShapes
    """
    number = len(lines)
    near = np.abs(PROFILE_UM) <= 2.0
    inner = np.where(near, lines.profiles, 0.0)
    place = np.abs(inner).argmax(axis=1) if number else np.zeros(0, dtype=int)
    peak = inner[np.arange(number), place]
    upright = lines.profiles * np.sign(peak)[:, None]
    depth = np.abs(peak)
    width = np.array(
        [_half_width(row, k) for row, k in zip(upright, place, strict=True)], dtype=np.float64
    )
    other = np.maximum(-np.where(near, upright, 0.0).min(axis=1, initial=0.0), 0.0)
    return LineShapes(peak < 0, depth, width, other / np.maximum(depth, 1e-12))


def relief_profiles(
    lines: Lines, azimuth_deg: float, tolerance_deg: float = 30.0
) -> dict[str, NDArray[np.float64]]:
    """Mean profiles of the lines that lie across a direction, and of those that lie along it.

    Parameters
    ----------
    lines : Lines
    azimuth_deg : float
        Direction of the relief from +x towards +y: that of the shear in DIC, up to a half turn.
    tolerance_deg : float
        Largest angle between a line, or its normal, and the direction.

    Returns
    -------
    dict
        ``across_odd`` and ``across_even``: the two parts of the profile, along the direction, of
        lines across it; ``along_even``: that of lines along it, whose sides are alike. Each (81,),
        NaN where there is no such line. Profiles are centred on the middle of their own energy.
    """
    normal = lines.azimuth_deg + 90.0
    off = (normal - azimuth_deg + 180.0) % 360.0 - 180.0
    ahead = np.abs(off) <= 90.0
    # All normals towards the direction.
    turned = np.where(ahead[:, None], lines.profiles, lines.profiles[:, ::-1])
    angle = np.where(ahead, np.abs(off), 180.0 - np.abs(off))
    centred = _centred(turned)
    across = _mean(centred[angle <= tolerance_deg])
    along = _mean(centred[angle >= 90.0 - tolerance_deg])
    return {
        "across_odd": 0.5 * (across - across[::-1]),
        "across_even": 0.5 * (across + across[::-1]),
        "along_even": 0.5 * (along + along[::-1]),
    }


def profile_distance(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    scale: NDArray[np.float64] | None = None,
) -> float:
    """Root mean square difference of two profiles, relative to that of a third.

    Parameters
    ----------
    first, second : ndarray (K,)
    scale : ndarray (K,), optional
        The second when left out.

    Returns
    -------
    float
        NaN where the scale is 0 throughout.
    """
    unit = float(np.sqrt(np.mean((second if scale is None else scale) ** 2)))
    return float(np.sqrt(np.mean((first - second) ** 2))) / unit if unit > 0 else float("nan")


def _oriented_energy(
    contrast: NDArray[np.float64], pixel_size_um: float, width_um: float
) -> tuple[NDArray[np.float64], NDArray[np.intp], float]:
    """Largest energy over the directions, its direction, and the noise of the amplitude.

    Scaled so that the amplitude on a Gaussian line of that full width is its depth.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    rows, columns = contrast.shape
    reach = int(np.ceil(3 * width_um / pixel_size_um))
    framed = np.pad(contrast, reach, mode="reflect")
    sizes = [next_fast_len(n, real=True) for n in framed.shape]
    waves = rfft2(framed, s=sizes)
    fy = np.fft.fftfreq(sizes[0], pixel_size_um)[:, None]
    fx = np.fft.rfftfreq(sizes[1], pixel_size_um)[None, :]
    across = width_um / 2.3548
    along = 1.2 * width_um
    # The answer of A u² exp(−2π²σ²u²) to the line exp(−x²/2σ²) on its middle is A / (8√2 π²σ²).
    scale = 8 * np.sqrt(2.0) * np.pi**2 * across**2
    energy = np.zeros(framed.shape)
    direction = np.zeros(framed.shape, dtype=np.intp)
    floors = []
    for k in range(DIRECTIONS):
        turn = k * np.pi / DIRECTIONS
        u = -fx * np.sin(turn) + fy * np.cos(turn)
        v = fx * np.cos(turn) + fy * np.sin(turn)
        # Second derivative of a Gaussian across, a Gaussian along.
        even = scale * u**2 * np.exp(-2 * np.pi**2 * ((across * u) ** 2 + (along * v) ** 2))
        one = irfft2(waves * even, s=sizes)[: framed.shape[0], : framed.shape[1]]
        odd = irfft2(waves * (-1j * np.sign(u) * even), s=sizes)
        other = odd[: framed.shape[0], : framed.shape[1]]
        here = one**2 + other**2
        if k % 4 == 0:
            floors.append(noise_of(one[reach:-reach, reach:-reach], block_px=8).sigma)
        better = here > energy
        energy = np.where(better, here, energy)
        direction[better] = k
    inside = (slice(reach, reach + rows), slice(reach, reach + columns))
    return energy[inside], direction[inside], float(np.mean(floors))


def _separate_maxima(
    energy: NDArray[np.float64],
    direction: NDArray[np.intp],
    least: float,
    pixel_size_um: float,
    most: int,
) -> NDArray[np.intp]:
    """Rows and columns (N, 2) of crests of the energy that lie 1.5 µm apart, highest first."""
    border = round((PROFILE_UM[-1] + 0.5) / pixel_size_um)
    inner = np.zeros(energy.shape, dtype=bool)
    inner[border:-border, border:-border] = True
    rows, columns = np.nonzero(inner & (energy > least))
    # A crest is higher than its neighbours across the line; along a straight line it is even.
    turn = direction[rows, columns] * np.pi / DIRECTIONS
    dx, dy = np.rint(-np.sin(turn)).astype(int), np.rint(np.cos(turn)).astype(int)
    here = energy[rows, columns]
    crest = (here >= energy[rows + dy, columns + dx]) & (here > energy[rows - dy, columns - dx])
    rows, columns, here = rows[crest], columns[crest], here[crest]
    reach = max(1, round(_APART_UM / pixel_size_um))
    y, x = np.indices((2 * reach + 1,) * 2) - reach
    hidden = np.hypot(x, y) <= reach
    free = inner
    found: list[tuple[int, int]] = []
    for k in np.argsort(-here, kind="stable"):
        row, column = int(rows[k]), int(columns[k])
        if not free[row, column]:
            continue
        found.append((row, column))
        if len(found) == most:
            break
        top, left = max(row - reach, 0), max(column - reach, 0)
        part = free[top : row + reach + 1, left : column + reach + 1]
        part &= ~hidden[top - row + reach :, left - column + reach :][
            : part.shape[0], : part.shape[1]
        ]
    return np.array(found, dtype=np.intp).reshape(-1, 2)


def _refined(
    contrast: NDArray[np.float64],
    pixel_size_um: float,
    peaks: NDArray[np.intp],
    azimuths: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Azimuths that make the profile stand out most, within one step of the directions."""
    offsets = np.linspace(-1.0, 1.0, 5) * (180.0 / DIRECTIONS)
    strength = np.stack(
        [
            np.square(
                _patches(contrast, pixel_size_um, peaks, azimuths + offset, 0.2).mean(axis=1)
            ).mean(axis=1)
            for offset in offsets
        ]
    )
    best = strength.argmax(axis=0) if len(peaks) else np.zeros(0, dtype=int)
    refined: NDArray[np.float64] = (azimuths + offsets[best]) % 180.0
    return refined


def _patches(
    contrast: NDArray[np.float64],
    pixel_size_um: float,
    peaks: NDArray[np.intp],
    azimuths: NDArray[np.float64],
    step_um: float = 0.1,
) -> NDArray[np.float64]:
    """Contrast (N, along, across) in a frame that lies on each line."""
    from scipy.ndimage import map_coordinates

    across = PROFILE_UM[:: round(step_um / 0.1)]
    turn = np.deg2rad(azimuths)[:, None, None]
    along = _ALONG_UM[None, :, None]
    x = peaks[:, 1, None, None] + (along * np.cos(turn) - across * np.sin(turn)) / pixel_size_um
    y = peaks[:, 0, None, None] + (along * np.sin(turn) + across * np.cos(turn)) / pixel_size_um
    values: NDArray[np.float64] = map_coordinates(contrast, [y, x], order=1, mode="nearest")
    return values


def _step(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Difference (N,) of the levels on the two sides."""
    sides = [profiles[:, side].mean(axis=1) for side in (PROFILE_UM > 2.0, PROFILE_UM < -2.0)]
    difference: NDArray[np.float64] = np.abs(sides[0] - sides[1])
    return difference


def _half_width(profile: NDArray[np.float64], place: int) -> float:
    """Full width at half maximum of the lobe around a place, µm."""
    half = 0.5 * profile[place]
    ends = []
    for side in (-1, 1):
        k = place
        while 0 < k < len(profile) - 1 and profile[k + side] > half:
            k += side
        nearer, further = profile[k], profile[min(max(k + side, 0), len(profile) - 1)]
        part = (nearer - half) / (nearer - further) if nearer > further else 0.0
        ends.append(abs(k - place) + min(part, 1.0))
    return float(sum(ends) * (PROFILE_UM[1] - PROFILE_UM[0]))


def _centred(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Profiles moved so that the middle of their energy within 2 µm is at 0."""
    energy = np.where(np.abs(PROFILE_UM) <= 2.0, profiles**2, 0.0)
    middle = (energy @ PROFILE_UM) / np.maximum(energy.sum(axis=1), 1e-30)
    moved = [
        np.interp(PROFILE_UM + shift, PROFILE_UM, row)
        for row, shift in zip(profiles, middle, strict=True)
    ]
    return np.array(moved).reshape(-1, len(PROFILE_UM))


def _mean(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(profiles):
        return np.full(len(PROFILE_UM), np.nan)
    mean: NDArray[np.float64] = profiles.mean(axis=0)
    return mean
