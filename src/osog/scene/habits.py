"""Half-spaces of the named crystal habits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import cos, pi, sin
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray


def half_spaces(habit: str) -> NDArray[np.float64]:
    """Planes of a habit that fills the cube −½ … ½ in each direction it spans.

    Parameters
    ----------
    habit : str
        A name of `HABITS`.

    Returns
    -------
    ndarray, shape (F, 4)
        Rows (n_x, n_y, n_z, d) with unit normals: inside where n · x ≤ d.
    """
    rows = HABITS[habit].rows()
    planes = np.asarray(rows, dtype=np.float64)
    unit: NDArray[np.float64] = planes / np.linalg.norm(planes[:, :3], axis=1, keepdims=True)
    return unit


def closed_around_origin(planes: Sequence[Sequence[float]]) -> bool:
    """Tell whether half-spaces enclose a finite body that holds the origin.

    The normals of a bounded body span space with positive weights: there is a strictly positive
    combination of them that vanishes (Farkas 1902), found here by linear programming.
    """
    from scipy.optimize import linprog

    rows = np.asarray(planes, dtype=np.float64)
    norms = np.linalg.norm(rows[:, :3], axis=1)
    if not np.isfinite(rows).all() or (norms < 1e-12).any() or (rows[:, 3] <= 0).any():
        return False
    normals = rows[:, :3] / norms[:, None]
    if np.linalg.matrix_rank(normals, tol=1e-6) < 3:
        return False
    answer = linprog(
        np.ones(len(rows)), A_eq=normals.T, b_eq=np.zeros(3), bounds=[(1, None)] * len(rows)
    )
    return bool(answer.success)


def _octahedron() -> list[list[float]]:
    return [[a, b, c, 0.5] for a, b, c in product((-1, 1), repeat=3)]


def _hexagonal_sides() -> list[list[float]]:
    # The long axis is x; corners of the hexagon touch ±½ along y, its flats lie at ±√3/4 along z.
    return [
        [0.0, cos(pi / 6 + k * pi / 3), sin(pi / 6 + k * pi / 3), 0.5 * cos(pi / 6)]
        for k in range(6)
    ]


def _hexagonal_prism() -> list[list[float]]:
    return [*_hexagonal_sides(), [1, 0, 0, 0.5], [-1, 0, 0, 0.5]]


def _hexagonal_bipyramid() -> list[list[float]]:
    return [
        [s * 0.5 * cos(pi / 6) / 0.5, ny, nz, d]
        for s in (-1, 1)
        for _, ny, nz, d in _hexagonal_sides()
    ]


def _rhombic_dodecahedron() -> list[list[float]]:
    pairs = product((-1, 1), repeat=2)
    return [row for a, b in pairs for row in ([a, b, 0, 0.5], [a, 0, b, 0.5], [0, a, b, 0.5])]


def _cube() -> list[list[float]]:
    return [[s * (k == axis) for k in range(3)] + [0.5] for axis in range(3) for s in (-1, 1)]


def _truncated_octahedron() -> list[list[float]]:
    return [*_cube(), *([a, b, c, 0.75] for a, b, c in product((-1, 1), repeat=3))]


def _tetragonal_prism_tips() -> list[list[float]]:
    sides = [[0, s, 0, 0.5] for s in (-1, 1)] + [[0, 0, s, 0.5] for s in (-1, 1)]
    # Tips take the outer quarter of the length at each end.
    tips = [[s * 2.0, t, 0, 1.0] for s in (-1, 1) for t in (-1, 1)]
    tips += [[s * 2.0, 0, t, 1.0] for s in (-1, 1) for t in (-1, 1)]
    return [*sides, *tips]


def _parallelepiped() -> list[list[float]]:
    # Ends are sheared by a quarter of the width; sides as a block.
    ends = [[s, s * 0.25, 0, 0.375] for s in (-1, 1)]
    sides = [[0, s, 0, 0.5] for s in (-1, 1)] + [[0, 0, s, 0.5] for s in (-1, 1)]
    return [*ends, *sides]


def _needle() -> list[list[float]]:
    # Six sides; each end is a tip of three faces that takes a seventh of the length.
    tips = [[s * 3.0, ny, nz, 1.5] for s in (-1, 1) for _, ny, nz, _ in _sides_down()]
    return [*_hexagonal_sides(), *tips]


def _sides_down() -> list[list[float]]:
    return [row for k, row in enumerate(_hexagonal_sides()) if k % 2 == 0]


def _lath() -> list[list[float]]:
    # A flat needle: bevelled along its length, with ends that slant.
    ends = [[s, s * 0.3, 0, 0.35] for s in (-1, 1)]
    wide = [[0, 0, s, 0.5] for s in (-1, 1)]
    narrow = [[0, s, t * 0.4, 0.5] for s in (-1, 1) for t in (-1, 1)]
    return [*ends, *wide, *narrow]


def _plate() -> list[list[float]]:
    # A rhombic plate with two of its corners cut, thin along z.
    rim = [[s, t, 0, 0.66] for s in (-1, 1) for t in (-1, 1)]
    ends = [[s, 0, 0, 0.5] for s in (-1, 1)]
    faces = [[0, 0, s, 0.5] for s in (-1, 1)]
    return [*rim, *ends, [0, 1, 0, 0.5], [0, -1, 0, 0.5], *faces]


def _hexagonal_plate() -> list[list[float]]:
    # The hexagon lies in the plane of x and y; its corners touch ±½ along x.
    rim = [[y, x, 0.0, d] for _, x, y, d in _hexagonal_sides()]
    return [*rim, [0, 0, 1, 0.5], [0, 0, -1, 0.5]]


@dataclass(frozen=True)
class Habit:
    """A named crystal form: what it looks like in words, and its half-spaces."""

    words: str
    rows: Callable[[], list[list[float]]]


HABITS: dict[str, Habit] = {
    "octahedron": Habit("eight triangles", _octahedron),
    "hexagonal_prism": Habit("six sides along the long axis, two flat ends", _hexagonal_prism),
    "hexagonal_bipyramid": Habit("twelve triangles that meet in two tips", _hexagonal_bipyramid),
    "rhombic_dodecahedron": Habit("twelve rhombi", _rhombic_dodecahedron),
    "truncated_octahedron": Habit("an octahedron with its six corners cut", _truncated_octahedron),
    "tetragonal_prism_tips": Habit(
        "a square prism with pyramid tips, as lysozyme grows", _tetragonal_prism_tips
    ),
    "parallelepiped": Habit("a sheared block with oblique ends", _parallelepiped),
    "needle": Habit("six sides and blunt tips of three faces", _needle),
    "lath": Habit("a flat needle with bevelled sides and slanting ends", _lath),
    "plate": Habit("a thin plate with eight rims", _plate),
    "hexagonal_plate": Habit("a hexagon, thin along its third axis", _hexagonal_plate),
    "cube": Habit("six squares", _cube),
}
"""Every habit by its name in the scene file, in the order of a menu."""

if TYPE_CHECKING:
    HabitName = str
else:
    HabitName = Literal[tuple(HABITS)]
