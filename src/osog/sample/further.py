"""Numbers of surfaces, inclusions, cells and members, which stand beside the sizes of particles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from osog.scene import Distribution, Multiple, SceneError
from osog.scene.laws_in_fields import limits
from osog.scene.paths import split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from osog.scene import Population, Scene

Array = NDArray[np.float64]
Key = tuple[str, int | None]


@dataclass(frozen=True)
class Beside:
    """What the laws of one population's bodies and aggregates may hang on.

    Attributes
    ----------
    population : Population
    scene : Scene
        Where numbers of other blocks are found, such as the size of a pixel.
    columns : dict of (field, place in a list) to ndarray (n,)
        Numbers of shape and material of each particle, or of each aggregate, as they are used.
    """

    population: Population
    scene: Scene
    columns: Mapping[Key, Array]

    def draw(
        self,
        block: str,
        model: Any,
        fields: Sequence[str],
        count: int,
        rng: np.random.Generator,
        *,
        rows: NDArray[np.int64] | slice = slice(None),
        known: Mapping[str, Array] | None = None,
    ) -> dict[str, Array]:
        """Draw numbers of one block, those that stand alone first.

        Parameters
        ----------
        block : str
            Name of the block below the population, such as ``surface`` or ``inclusions[0]``.
        model : object
            Holds the numbers or laws.
        fields : sequence of str
        count : int
        rng : numpy Generator
        rows : ndarray of int, shape (count,), or slice
            Particle that each number belongs to.
        known : mapping of field to ndarray (count,), optional
            Numbers of the block that were drawn before.

        Returns
        -------
        dict of field to ndarray (count,)
            A law that is drawn once for the picture stands with its centre.

        Raises
        ------
        SceneError
            If numbers hang on each other, or on one that is not there.
        """
        return _Block(self, block, model, fields, count, rng, rows, dict(known or {})).all()


@dataclass
class _Block:
    """One block whose numbers are being drawn."""

    beside: Beside
    name: str
    model: Any
    fields: Sequence[str]
    count: int
    rng: np.random.Generator
    rows: NDArray[np.int64] | slice
    out: dict[str, Array]
    open: list[str] = field(default_factory=list)

    def all(self) -> dict[str, Array]:
        hanging = []
        for each in self.fields:
            law = getattr(self.model, each)
            if isinstance(law, Distribution) and law.per != "image" and _hangs(law):
                hanging.append(each)
            else:
                self.out[each] = self._alone(law)
        for each in hanging:
            self._column(each)
        return {each: self.out[each] for each in self.fields}

    def _alone(self, quantity: Any) -> Array:
        if not isinstance(quantity, Distribution):
            return np.full(self.count, float(quantity))
        if quantity.per == "image":
            return np.full(self.count, quantity.centre)
        return quantity.draw(self.rng, self.count)

    def _column(self, each: str) -> Array:
        if each not in self.out:
            if each in self.open:
                circle = " → ".join([*self.open[self.open.index(each) :], each])
                raise self._error(f"these numbers of {self.name} are made of each other: {circle}.")
            self.open.append(each)
            self.out[each] = self._hanging(each, getattr(self.model, each))
            self.open.pop()
        return self.out[each]

    def _hanging(self, each: str, law: Distribution) -> Array:
        if isinstance(law, Multiple):
            made = law.draw_of(self._other(law.of, each)[0], self.rng, self.count)
            return self._within(each, made)
        assert law.follows is not None
        values, leader = self._other(law.follows, each)
        if not isinstance(leader, Distribution):
            raise self._error(
                f"{self.name}.{each} follows {law.follows}, which is not drawn for each particle."
            )
        if leader.linked:
            raise self._error(
                f"{self.name}.{each} follows {law.follows}, which is a {leader.law}, without a law "
                "of its own; follow what it is made of."
            )
        try:
            return law.draw_following(leader, values, self.rng, self.count)
        except ValueError as error:
            raise self._error(str(error)) from None

    def _within(self, each: str, made: Array) -> Array:
        """Refuse what the field would refuse, as a number made of others may reach anywhere."""
        low, high = limits(type(self.model).model_fields[each]) or (-np.inf, np.inf)
        outside = (made < low) | (made > high)
        if outside.any():
            raise self._error(
                f"{self.name}.{each} becomes {made[outside][0]:g}; it must lie between {low:g} and "
                f"{high:g}."
            )
        return made

    def _other(self, name: str, each: str) -> tuple[Array, Any]:
        """Numbers (count,) that a law names, and what the scene states for them."""
        population, scene = self.beside.population, self.beside.scene
        steps = split(name)
        if steps[0] == "populations" and len(steps) > 3:
            if steps[1] in (population.name, scene.populations.index(population)):
                steps = steps[2:]
        block = split(self.name)
        if steps[: len(block)] == block:
            steps = steps[len(block) :]
        if len(steps) == 1 and (steps[0] in self.fields or steps[0] in self.out):
            stated = getattr(self.model, str(steps[0]))
            return self._column(str(steps[0])), stated
        if len(steps) == 1 and block != ["shape"] and steps[0] in type(self.model).model_fields:
            stated = getattr(self.model, str(steps[0]))
            if isinstance(stated, int | float):
                return np.full(self.count, float(stated)), stated
            raise self._error(
                f"{self.name}.{each} hangs on {self.name}.{steps[0]}, which is drawn after it; "
                "give the dotted name where another is meant."
            )
        own = steps[1:] if steps[0] in ("shape", "material") else steps
        key = (str(own[0]), own[1] if len(own) > 1 and isinstance(own[1], int) else None)
        if key in self.beside.columns:
            shape, material = population.shape, population.material
            stated = getattr(shape if hasattr(shape, key[0]) else material, key[0])
            stated = stated if key[1] is None else stated[key[1]]
            return self.beside.columns[key][self.rows], stated
        value: Any = scene  # a recorded one, as likely as not, so that no path is looked up
        for step in split(name):
            value = value[step] if isinstance(step, int) else getattr(value, str(step), None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(
                f"{self.name}.{each} hangs on {name}, which is neither a number of its particles' "
                "shape or material nor one number for the picture."
            )
        return np.full(self.count, float(value)), value

    def _error(self, words: str) -> SceneError:
        return SceneError(f"population '{self.beside.population.name}': {words}")


def _hangs(law: Distribution) -> bool:
    return law.linked or law.follows is not None
