"""Windows straight from the renderer: nothing is written, and no image is made twice."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from boxes import boxes_of
from numpy.typing import NDArray
from pictures import normalised, window
from torch.utils.data import DataLoader, Dataset

import osog

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Array = NDArray[np.float64]
POOL = 128
"""Images that windows are cut from; a new one takes the place of the oldest."""


class Frames(Dataset[Any]):
    """Labelled images of several scenes, in an order that mixes them.

    Image i of a scene is made from seed and i alone, so each worker makes its own, and any of them
    is had again by its number.

    Parameters
    ----------
    scenes : mapping of str to (Scene, LabelSettings)
    counts : mapping of str to int
        Images of each scene.
    seed : int
    device : str
    """

    def __init__(
        self,
        scenes: Mapping[str, tuple[osog.Scene, osog.datasets.LabelSettings]],
        counts: Mapping[str, int],
        seed: int,
        device: str = "cpu",
    ) -> None:
        self._sources = {
            name: osog.datasets.FrameSource(scene, seed, labels=labels, device=device)
            for name, (scene, labels) in scenes.items()
        }
        every = [(name, k) for name in scenes for k in range(counts[name])]
        order = np.random.default_rng(seed).permutation(len(every))
        self._order = [every[k] for k in order]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, number: int) -> tuple[NDArray[np.uint8], Array]:
        """Normalised picture (Y, X), and boxes (n, 5) of what a file of labels would list."""
        name, index = self._order[number]
        frame = self._sources[name][index]
        listed = frame.objects.in_state("counted", "difficult")
        return normalised(frame.picture), boxes_of(listed.corners)


def streamed(
    frames: Frames, side: int, batch: int, steps: int, workers: int = 0, seed: int = 0
) -> Iterator[tuple[NDArray[np.uint8], list[Array]]]:
    """Batches of random windows, without end.

    Parameters
    ----------
    frames : Frames
        Spread over the steps.
    side, batch, steps : int
    workers : int
        Processes that render ahead; 0 renders between the steps.
    seed : int
    """
    loader = iter(DataLoader(frames, batch_size=None, num_workers=workers))
    rng = np.random.default_rng(seed)
    pool: deque[tuple[NDArray[np.uint8], Array]] = deque(maxlen=POOL)
    owed, share = float(min(batch, len(frames))), len(frames) / max(1, steps)
    while True:
        while owed >= 1:
            owed -= 1
            made = next(loader, None)
            if made is not None:
                pool.append(made)
        owed += share
        some = [window(*pool[rng.integers(len(pool))], side, rng) for _ in range(batch)]
        yield np.stack([shown for shown, _ in some]), [held for _, held in some]
