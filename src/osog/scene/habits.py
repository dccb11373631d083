"""Half-spaces of the named crystal habits.

Unit cells, from which the angles between true faces follow: tetragonal hen egg-white lysozyme
a = 79.1 Å, c = 37.9 Å (Blake et al., Nature 206, 757, 1965); quartz 4.913, 5.405 Å; calcite 4.990,
17.061 Å (Graf, Am. Mineral. 46, 1283, 1961); urea 5.661, 4.712 Å (Sklar, Senko & Post, Acta Cryst.
14, 716, 1961); sucrose 10.863, 8.704, 7.762 Å, 102.94° (Brown & Levy, Acta Cryst. B29, 790, 1973);
alpha glycine 5.102, 11.971, 5.457 Å, 111.7° (Marsh, Acta Cryst. 11, 654, 1958). How far out each
form lies depends on how a crystal grew; those of sucrose, glycine and urea are typical, not
measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import cos, pi, sin
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray


def half_spaces(habit: str) -> NDArray[np.float64]:
    """Planes of a habit of size 1: it fills the cube −½ … ½ in each direction it spans.

    Parameters
    ----------
    habit : str
        A name of `HABITS`.

    Returns
    -------
    ndarray, shape (F, 4)
        Rows (n_x, n_y, n_z, d) with unit normals: inside where n · x ≤ d.
    """
    form = HABITS[habit]
    planes = np.asarray(form.rows(), dtype=np.float64)
    if form.true_angles:
        planes = np.column_stack([planes[:, :3], planes[:, 3:].sum(1)])
    unit: NDArray[np.float64] = planes / np.linalg.norm(planes[:, :3], axis=1, keepdims=True)
    return unit


def true_planes(habit: str) -> NDArray[np.float64] | None:
    """Planes of a habit whose angles between faces are the same whatever its size.

    Parameters
    ----------
    habit : str
        A name of `HABITS`.

    Returns
    -------
    ndarray, shape (F, 6), or None
        Rows (n_x, n_y, n_z, c_a, c_b, c_c): inside where n · x ≤ c · size, in µm. None for a habit
        that is stretched to its size.
    """
    form = HABITS[habit]
    if not form.true_angles:
        return None
    planes = np.asarray(form.rows(), dtype=np.float64)
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


def _cube_cut() -> list[list[float]]:
    # {100} with corners cut by {111}: each cut takes a quarter of the way to the corner.
    side = 0.75 / 2 / 3**0.5
    rows = [[s * (k == axis) for k in range(3)] for axis in range(3) for s in (-1, 1)]
    cube = [[*n, *(0.5 * abs(v) for v in n)] for n in rows]
    cuts = product((-1, 1), repeat=3)
    root = 3**0.5
    return [*cube, *([a / root, b / root, c / root, side, side, side] for a, b, c in cuts)]


def _lysozyme() -> list[list[float]]:
    # {110} are the sides, {101} the tips; c is the long axis, and a and b lie half way between
    # the normals of the sides. Length counts from tip to tip.
    cell = UnitCell(79.1, 79.1, 37.9)
    sides = [[0, s, 0, 0, 0.5, 0] for s in (-1, 1)] + [[0, 0, s, 0, 0, 0.5] for s in (-1, 1)]
    tips = []
    for normal in _equivalents(cell, [(1, 0, 1), (0, 1, 1)]):
        along, (u, v) = (
            normal[2],
            ((normal[0] + normal[1]) / 2**0.5, (normal[1] - normal[0]) / 2**0.5),
        )
        tips.append([along, u, v, abs(along) / 2, 0, 0])
    return [*sides, *tips]


def _urea() -> list[list[float]]:
    # {110} sides along c, {001} ends, edges cut by {111}.
    cell = UnitCell(5.661, 5.661, 4.712)
    sides = [[0, s, 0, 0, 0.5, 0] for s in (-1, 1)] + [[0, 0, s, 0, 0, 0.5] for s in (-1, 1)]
    ends = [[s, 0, 0, 0.5, 0, 0] for s in (-1, 1)]
    cuts = []
    # Of the tetragonal scalenohedral class: half of the eight faces of {111}.
    for normal in cell.normals([(1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1)]):
        along, (u, v) = (
            normal[2],
            ((normal[0] + normal[1]) / 2**0.5, (normal[1] - normal[0]) / 2**0.5),
        )
        cuts.append([along, u, v, abs(along) / 2, 0.2 * abs(u), 0.2 * abs(v)])
    return [*sides, *ends, *cuts]


def _quartz() -> list[list[float]]:
    # The prism m {10-10} with both rhombohedra as caps that meet in a tip on the long axis c.
    cell = UnitCell(4.913, 4.913, 5.405, gamma_deg=120.0)
    rows = []
    for turn in range(6):
        angle = turn * pi / 3
        y, z = cos(angle), sin(angle)
        rows.append([0, y, z, 0, 0.5 * cos(pi / 6) * y * y, 0.5 * cos(pi / 6) * z * z])
    normal = cell.normals([(1, 0, 1)])[0]
    along, across = float(normal[2]), float(np.hypot(normal[0], normal[1]))
    for s in (-1, 1):
        for turn in range(6):
            angle = turn * pi / 3
            rows.append([s * along, across * cos(angle), across * sin(angle), along / 2, 0, 0])
    return rows


def _calcite() -> list[list[float]]:
    # Cleavage faces {10-14}; with three equal sizes the edges are equal. The blunt axis c points
    # along (1, 1, 1) of the three faces' normals.
    cell = UnitCell(4.990, 4.990, 17.061, gamma_deg=120.0)
    normals = cell.normals([(1, 0, 4), (0, -1, 4), (-1, 1, 4)])
    # An edge between two faces is the body's long axis, one of both faces looks along z.
    edge = np.cross(normals[0], normals[1])
    edge = edge / np.linalg.norm(edge)
    up = normals[0]
    frame = np.stack([edge, np.cross(up, edge), up])
    rows = []
    for k, normal in enumerate(normals):
        n = frame @ normal
        size = [0.0, 0.0, 0.0]
        size[(2, 1, 0)[k]] = 0.5
        rows += [[*(s * n), *size] for s in (-1, 1)]
    return rows


def _sucrose() -> list[list[float]]:
    # Long along b; the broad faces are {100}.
    cell = UnitCell(10.863, 8.704, 7.762, beta_deg=102.94)
    forms = {
        (1, 0, 0): 1.0, (0, 0, 1): 1.0, (1, 0, -1): 0.82,
        (1, 1, 0): 0.86, (1, -1, 0): 0.86, (0, 1, 1): 0.84,
    }  # fmt: skip
    return _tangent(cell, forms, long=(0, 1, 0), flat=(1, 0, 0))


def _glycine() -> list[list[float]]:
    # The alpha form: a bipyramid along c of {110} and {011}, with {010} as its broad faces.
    cell = UnitCell(5.102, 11.971, 5.457, beta_deg=111.7)
    forms = {(0, 1, 0): 1.0, (1, 1, 0): 0.9, (1, -1, 0): 0.9, (0, 1, 1): 0.72, (0, -1, 1): 0.72}
    return _tangent(cell, forms, long=(0, 0, 1), flat=(0, 1, 0))


def _tangent(
    cell: "UnitCell",
    forms: dict[tuple[int, int, int], float],
    long: tuple[int, int, int],
    flat: tuple[int, int, int],
) -> list[list[float]]:
    """Faces of a centred crystal that cut its box at a share of the way to the farthest corner."""
    along = cell.direction(long)
    up = cell.normals([flat])[0]
    frame = np.stack([along, np.cross(up, along), up])
    rows = []
    for normal, share in zip(cell.normals(list(forms)), forms.values(), strict=True):
        n = frame @ normal
        rows += [[*(s * n), *(share * abs(n) / 2)] for s in (-1, 1)]
    return rows


def _equivalents(cell: "UnitCell", faces: list[tuple[int, int, int]]) -> list[NDArray[np.float64]]:
    """Normals of all faces that differ in the signs of their indices."""
    every = {
        (a * h, b * k, c * m)
        for h, k, m in faces
        for a, b, c in product((-1, 1), repeat=3)
    }  # fmt: skip
    return list(cell.normals(sorted(every)))


@dataclass(frozen=True)
class UnitCell:
    """A crystal's unit cell, for the directions of its faces.

    Attributes
    ----------
    a, b, c : float
        Edges in Å.
    beta_deg, gamma_deg : float
        Angles between a and c, and between a and b; that between b and c is right.
    """

    a: float
    b: float
    c: float
    beta_deg: float = 90.0
    gamma_deg: float = 90.0

    @property
    def edges(self) -> NDArray[np.float64]:
        """Rows a, b, c in Å."""
        beta, gamma = np.deg2rad([self.beta_deg, self.gamma_deg])
        along = np.array([cos(beta), -cos(beta) * cos(gamma) / sin(gamma), 0.0])
        along[2] = (1 - along[0] ** 2 - along[1] ** 2) ** 0.5
        return np.array(
            [[self.a, 0.0, 0.0], [self.b * cos(gamma), self.b * sin(gamma), 0.0], self.c * along]
        )

    def normals(self, faces: Sequence[tuple[int, int, int]]) -> NDArray[np.float64]:
        """Unit normals (n, 3) of faces (h k l): those of h a* + k b* + l c*."""
        found: NDArray[np.float64] = np.asarray(faces) @ np.linalg.inv(self.edges).T
        unit: NDArray[np.float64] = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit

    def direction(self, steps: tuple[int, int, int]) -> NDArray[np.float64]:
        """Unit vector along [u v w]."""
        found: NDArray[np.float64] = np.asarray(steps) @ self.edges
        unit: NDArray[np.float64] = found / np.linalg.norm(found)
        return unit


@dataclass(frozen=True)
class Habit:
    """A named crystal form: what it looks like in words, and its half-spaces.

    Attributes
    ----------
    words : str
    rows : callable
        Rows (n_x, n_y, n_z, d) of a habit that is stretched to its size; (n_x, n_y, n_z, c_a, c_b,
        c_c) with d = c · size for one that keeps its angles.
    true_angles : bool
        Whether the angles between its faces are those of the crystal, whatever its size.
    """

    words: str
    rows: Callable[[], list[list[float]]]
    true_angles: bool = False


HABITS: dict[str, Habit] = {
    "octahedron": Habit("eight triangles", _octahedron),
    "hexagonal_prism": Habit("six sides along the long axis, two flat ends", _hexagonal_prism),
    "hexagonal_bipyramid": Habit("twelve triangles that meet in two tips", _hexagonal_bipyramid),
    "rhombic_dodecahedron": Habit("twelve rhombi", _rhombic_dodecahedron),
    "truncated_octahedron": Habit("an octahedron with its six corners cut", _truncated_octahedron),
    "tetragonal_prism_tips": Habit(
        "a square prism with pyramid tips of any angle", _tetragonal_prism_tips
    ),
    "parallelepiped": Habit("a sheared block with oblique ends", _parallelepiped),
    "needle": Habit("six sides and blunt tips of three faces", _needle),
    "lath": Habit("a flat needle with bevelled sides and slanting ends", _lath),
    "plate": Habit("a thin plate with eight rims", _plate),
    "hexagonal_plate": Habit("a hexagon, thin along its third axis", _hexagonal_plate),
    "cube": Habit("six squares", _cube),
    "cube_cut": Habit(
        "a cube with its corners cut by {111}, as NaCl and KCl grow", _cube_cut, True
    ),
    "lysozyme": Habit("tetragonal lysozyme: sides {110}, tips {101}", _lysozyme, True),
    "quartz": Habit("a hexagonal prism with caps of two rhombohedra", _quartz, True),
    "calcite": Habit("a cleavage rhombohedron {10-14}", _calcite, True),
    "urea": Habit("square sides {110}, ends {001} and {111}", _urea, True),
    "sucrose": Habit("monoclinic sucrose, long along b", _sucrose, True),
    "glycine": Habit("alpha glycine, long along c, broad faces {010}", _glycine, True),
}
"""Every habit by its name in the scene file, in the order of a menu."""

if TYPE_CHECKING:
    HabitName = str
else:
    HabitName = Literal[tuple(HABITS)]
