"""Numbers of single particles: one column for each law of a population."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from osog.scene import SHAPES, Distribution, Multiple, SceneError
from osog.scene.material import MATERIAL
from osog.scene.orientation import ANGLES
from osog.scene.paths import split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.sample.values import Values
    from osog.scene import Population, Scene

Array = NDArray[np.float64]
Columns = dict[tuple[str, int | None], Array]
"""Drawn numbers (n,) by field and place in its list."""

PLACED = {"z_um": "placement", **dict.fromkeys(ANGLES, "orientation")}
"""Fields of place and direction that may belong to each particle, and their blocks."""


def drawn_columns(
    population: Population, count: int, streams: Mapping[str, np.random.Generator], scene: Scene
) -> tuple[Columns, Columns]:
    """Draw the numbers of the particles of one population.

    Parameters
    ----------
    population : Population
    count : int
    streams : mapping
        Random numbers by the name of the column: ``size0`` … for the numbers of the shape.
    scene : Scene
        Where numbers of other blocks are found, such as the size of a pixel.

    Returns
    -------
    dict
        Sizes and material, only what is drawn; a law that is drawn once for the picture stands
        with its centre.
    dict
        Angles that have laws, and the depth where it hangs on other numbers or they on it.

    Raises
    ------
    SceneError
        If numbers hang on each other, or on one that is not there.
    """
    drawing = _Drawing(population, count, streams, scene)
    return drawing.columns(), drawing.placed()


class _Drawing:
    """Draws each column once, those that others hang on first."""

    def __init__(
        self,
        population: Population,
        count: int,
        streams: Mapping[str, np.random.Generator],
        scene: Scene,
    ) -> None:
        self.population, self.count, self.scene = population, count, scene
        self.streams = streams
        self.stream_of: dict[tuple[str, int | None], str] = {}
        self.stated: dict[tuple[str, int | None], Distribution | float | None] = {}
        for k, (field, component) in enumerate(population.shape.columns()):
            quantity = getattr(population.shape, field)
            key = (field, component)
            self.stated[key] = quantity if component is None else quantity[component]
            self.stream_of[key] = f"size{k}"
        for field in MATERIAL:
            self.stated[field, None] = getattr(population.material, field)
            self.stream_of[field, None] = field
        for field, block in PLACED.items():
            quantity = getattr(getattr(population, block), field, None)
            if quantity is not None:
                self.stated[field, None] = quantity
                self.stream_of[field, None] = "z" if field == "z_um" else field
        self.out: Columns = {}
        self.open: list[tuple[str, int | None]] = []

    def columns(self) -> Columns:
        """Every column that is drawn, as the shape means them."""
        laws = [key for key in self.stated if key[0] not in PLACED and self._law(key) is not None]
        found = {key: self.column(key) for key in laws}
        shape = self.population.shape
        sizes = [field for field, component in shape.columns() if component is None]
        if any((field, None) in found for field in sizes):
            numbers = {f: found.get((f, None), getattr(shape, f)) for f in sizes}
            for field, column in shape.mended(numbers).items():
                found[field, None] = column * np.ones(self.count)
        return found

    def placed(self) -> Columns:
        """Columns of place and direction, after those of the body."""
        found: Columns = {}
        for field, block in PLACED.items():
            key, law = (field, None), self._law((field, None))
            if law is None:
                continue
            # A depth alone is drawn where particles are placed.
            hangs = law.linked or law.follows is not None or key in self.out
            if hangs or block == "orientation":
                found[key] = self.column(key)
        return found

    def _law(self, key: tuple[str, int | None]) -> Distribution | None:
        stated = self.stated[key] if key in self.stated else None
        return stated if isinstance(stated, Distribution) else None

    def column(self, key: tuple[str, int | None]) -> Array:
        """Numbers of one column."""
        if key in self.out:
            return self.out[key]
        law = self.stated[key]
        if not isinstance(law, Distribution):
            assert law is not None
            return np.full(self.count, float(law))
        if key in self.open:
            circle = " → ".join(_name(each) for each in [*self.open[self.open.index(key) :], key])
            raise SceneError(
                f"population '{self.population.name}': these numbers are made of each other: "
                f"{circle}."
            )
        self.open.append(key)
        self.out[key] = self._drawn(key, law)
        self.open.pop()
        return self.out[key]

    def _drawn(self, key: tuple[str, int | None], law: Distribution) -> Array:
        if law.per == "image":
            return np.full(self.count, law.centre)
        rng = self.streams[self.stream_of[key]]
        if isinstance(law, Multiple):
            return law.draw_of(self._other(law.of, key), rng, self.count)
        if law.follows is None:
            return law.draw(rng, self.count)
        leader = self._beside(law.follows)
        stated = self.stated.get(leader) if leader is not None else None
        if leader is None or not isinstance(stated, Distribution):
            raise SceneError(
                f"population '{self.population.name}': {_name(key)} follows {law.follows}, which "
                "is not drawn for each particle."
            )
        if stated.linked:
            raise SceneError(
                f"population '{self.population.name}': {_name(key)} follows {law.follows}, which "
                f"is a {stated.law}, without a law of its own; follow what it is made of."
            )
        try:
            return law.draw_following(stated, self.column(leader), rng, self.count)
        except ValueError as error:
            raise SceneError(f"population '{self.population.name}': {error}") from None

    def _other(self, name: str, key: tuple[str, int | None]) -> Array:
        beside = self._beside(name)
        if beside is not None:
            if self.stated[beside] is None:
                raise SceneError(
                    f"population '{self.population.name}': {_name(key)} is a multiple of {name}, "
                    "which is empty."
                )
            return self.column(beside)
        value: Any = self.scene  # a recorded one, as likely as not, so that no path is looked up
        for step in split(name):
            value = value[step] if isinstance(step, int) else getattr(value, step, None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SceneError(
                f"population '{self.population.name}': {_name(key)} is a multiple of {name}, which "
                "is not one number for the picture."
            )
        return np.full(self.count, float(value))

    def _beside(self, name: str) -> tuple[str, int | None] | None:
        """Column that a name means, by its field alone or by its dotted name."""
        steps = split(name)
        if steps[0] == "populations" and len(steps) > 3:
            index = self.scene.populations.index(self.population)
            if steps[1] not in (self.population.name, index):
                return None
            steps = steps[2:]
        if steps[0] in ("shape", "material", *PLACED.values()):
            steps = steps[1:]
        key = (str(steps[0]), int(steps[1]) if len(steps) > 1 and str(steps[1]).isdigit() else None)
        return key if key in self.stated else None


def owned_columns(
    population: Population,
) -> dict[tuple[str, int | None], tuple[NDArray[np.bool_], Array]]:
    """Numbers (n,) that listed particles give themselves, and which of them do."""
    out: dict[tuple[str, int | None], tuple[NDArray[np.bool_], Array]] = {}
    particles = population.particles
    if not particles:
        return out
    columns = (*population.shape.columns(), *((field, None) for field in MATERIAL))
    for field, component in columns:
        numbers = [getattr(p, field, None) for p in particles]
        if all(n is None for n in numbers):
            continue
        mask = np.array([n is not None for n in numbers])
        plain = [0.0 if n is None else n if component is None else n[component] for n in numbers]
        out[field, component] = (mask, np.array(plain, dtype=np.float64))
    return out


def every_column(
    population: Population, count: int, columns: Columns, factor: Array | float = 1.0
) -> Columns:
    """Numbers (n,) of shape and material of every particle; what is empty is 0 in the shape."""
    out, shape, material = {}, population.shape, population.material
    stated = [(key, shape) for key in shape.columns()]
    for (field, component), part in [*stated, *(((field, None), material) for field in MATERIAL)]:
        quantity: Any = getattr(part, field)
        quantity = quantity if component is None else quantity[component]
        column = columns.get((field, component))
        if column is None and quantity is None and part is material:
            continue
        if column is None:
            column = np.full(count, 0.0 if quantity is None else centre_of(quantity))
        scale = factor if part is shape and is_length(shape, field) else 1.0
        out[field, component] = column * scale
    return out


def is_length(shape: Any, field: str) -> bool:
    """Whether a number of a shape scales with the lengths of an aggregate's member."""
    extra = type(shape).model_fields[field].json_schema_extra
    return isinstance(extra, dict) and extra.get("unit") == "µm"


def centre_of(quantity: Any) -> float:
    """Return the number, or the centre of the law that it is drawn from."""
    return float(quantity) if isinstance(quantity, int | float) else float(quantity.centre)


def check_particle_names(values: Values, total: int) -> None:
    """Refuse numbers of particles that are not there.

    Raises
    ------
    SceneError
        With the name of the first.
    """
    given = values.particle_columns()
    if not given:
        return
    sizes = {column for model in SHAPES.models.values() for column in model.columns()}
    for field, component in (
        *((f, None) for f in ("x_um", "y_um", "z_um", *MATERIAL)),
        *(("orientation_deg", k) for k in range(3)),
        *sorted(sizes, key=str),
    ):
        if (field, component) not in given:
            continue
        for number in values.of_particles(field, component):
            if number >= total:
                raise SceneError(
                    f"'particles[{number}].{field}': the scene draws only {total} particles."
                )


def _name(key: tuple[str, int | None]) -> str:
    field, component = key
    return field if component is None else f"{field}[{component}]"


__all__ = ["MATERIAL", "Columns", "check_particle_names", "drawn_columns", "owned_columns"]
