"""The stages of a search, from what lies near to what may lie anywhere."""

from __future__ import annotations

from dataclasses import dataclass

STARTS = ("auto", "scene", "detect")
"""Values of the option ``start`` of `osog.fit`."""


@dataclass(frozen=True)
class Stage:
    """One stage of a search; the search ends with the first that leads to a good fit.

    Attributes
    ----------
    name : str
    starts : tuple of str
        Values of the option ``start`` of `osog.fit` for which it takes place.
    candidates : int
        Most guesses from templates; 0 starts from the scene's own numbers alone.
    over_bounds : bool
        Whether the templates run over all of the bounds, or around the start.
    diverse : bool
        Whether the guesses must differ much.
    finished : int
        How many of the best guesses are carried to their end where none of them is hopeful.
    fruitless : int
        Guesses in a row that lead to minima that are known, after which no more are tried.
    """

    name: str
    starts: tuple[str, ...]
    candidates: int
    over_bounds: bool = False
    diverse: bool = True
    finished: int = 1
    fruitless: int = 5


STAGES = (
    Stage(name="scene", starts=("auto",), candidates=0),
    Stage(name="near", starts=("auto",), candidates=3, finished=2),
    Stage(name="far", starts=("auto", "detect"), candidates=5, over_bounds=True),
    Stage(name="dense", starts=("auto", "detect"), candidates=12, over_bounds=True, diverse=False),
)
"""Stages in their order; `Search.best` runs them."""
