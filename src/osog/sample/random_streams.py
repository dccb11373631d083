"""Random numbers of populations: one stream for each column."""

from __future__ import annotations

import numpy as np

OF_BODIES = ("faces", "surface", "pieces", "inclusions")
"""Streams of what the numbers of a body do not say."""
# One random stream per column, so that one more particle or one more law reshuffles nothing else.
# New columns go to the end, so that a seed keeps its particles.
_STREAMS = (
    *("count", "xy", "z", "orientation", "size0", "size1", "size2"),
    *("index", "absorption_per_um", "emission_per_um", "spread", "birefringence"),
    *("size3", "size4", "size5", "size6", "size7"),
    *("direction", "depth", "jitter", "members"),
    *OF_BODIES,
    *("azimuth_deg", "elevation_deg", "roll_deg"),
)
_PLACES = {name: k for k, name in enumerate(_STREAMS)}


class RandomStreams(dict[str, np.random.Generator]):
    """Generators by column, each made when somebody draws from it."""

    def __init__(self, seed: int, number: int) -> None:
        super().__init__()
        self._seed, self._number = seed, number

    def __missing__(self, name: str) -> np.random.Generator:
        place = _PLACES.get(name)
        if place is None:
            raise KeyError(name)
        key = (self._number, place)
        made = np.random.Generator(
            np.random.Philox(np.random.SeedSequence(self._seed, spawn_key=key))
        )
        self[name] = made
        return made


def random_streams(seed: int, number: int) -> dict[str, np.random.Generator]:
    """Random numbers of one population by column."""
    return RandomStreams(seed, number)
