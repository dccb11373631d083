"""Everything that the bytes of a dataset depend on, as plain values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from osog._version import __version__
from osog.datasets.errors import DatasetError
from osog.datasets.frames import FrameSource, shapes_in
from osog.datasets.settings import LabelSettings
from osog.exit_wave.compiled.choice import draws_compiled
from osog.rendering import choose_device
from osog.sample import checked_seed
from osog.scene import Scene
from osog.scene.voxels import pinned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPLITS = ("train", "val", "test")
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Recipe:
    """Everything that the bytes of a dataset depend on, but its length.

    Attributes
    ----------
    scene : str
        As JSON.
    seed : int
    labels : str
        Settings of the labels as JSON.
    formats : tuple of str
    split : tuple of float
        Shares of training, validation and test.
    views : int
    accuracy : str or None
    device : str
        ``cpu``, ``cuda`` or ``mps``: images are the same to the bit on one class of device.
    shard_size : int
        Samples in a shard.
    compiled : bool
        Whether compiled loops draw the particles: they agree with torch's to rounding, not to the
        bit.
    version : str
        Of osog.
    """

    scene: str
    seed: int
    labels: str
    formats: tuple[str, ...]
    split: tuple[float, ...]
    views: int
    accuracy: str | None
    device: str
    shard_size: int
    compiled: bool
    version: str

    @classmethod
    def of(
        cls,
        scene: Scene,
        *,
        seed: int,
        labels: LabelSettings | None,
        formats: Sequence[str],
        split: Sequence[float],
        views: int,
        accuracy: str | None,
        device: str,
        shard_size: int,
    ) -> Recipe:
        """Check and gather what a user asks for.

        Raises
        ------
        DatasetError
            If shares or sizes are impossible.
        SceneError
            If the seed or the device is.
        """
        shares = tuple(float(share) for share in split)
        if not 1 <= len(shares) <= 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise DatasetError(
                f"split = {','.join(f'{s:g}' for s in shares)} must be one to three shares from 0 "
                "to 1 that add up to 1: training, validation, test."
            )
        if shard_size < 1:
            raise DatasetError(f"shard_size = {shard_size} must be 1 or more.")
        with pinned():
            text = scene.to_json()
        chosen = choose_device(device).type
        return cls(
            scene=text,
            seed=checked_seed(seed),
            labels=(labels or LabelSettings()).model_dump_json(),
            formats=tuple(dict.fromkeys(formats)),
            split=shares,
            views=views,
            accuracy=accuracy,
            device=chosen,
            shard_size=shard_size,
            compiled=draws_compiled(shapes_in(scene), device=chosen),
            version=__version__,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Read what `as_dict` has written.

        Raises
        ------
        DatasetError
            If something is missing.
        """
        try:
            return cls(
                scene=json.dumps(data["scene"]),
                labels=json.dumps(data["labels"]),
                formats=tuple(data["formats"]),
                split=tuple(data["split"]),
                # Torch drew what was written before there was a choice.
                compiled=bool(data.get("compiled", False)),
                **{
                    name: data[name]
                    for name in ("seed", "views", "accuracy", "device", "shard_size", "version")
                },
            )
        except (KeyError, TypeError) as error:
            raise DatasetError(f"the manifest lacks {error}.") from None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a file that people read."""
        return {
            **asdict(self),
            "scene": json.loads(self.scene),
            "labels": json.loads(self.labels),
            "formats": list(self.formats),
            "split": list(self.split),
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of it all."""
        text = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def source(self, device: str | None = None) -> FrameSource:
        """Return what makes its frames."""
        return FrameSource(
            Scene.parse(json.loads(self.scene)),
            self.seed,
            labels=LabelSettings.model_validate_json(self.labels),
            views=self.views,
            accuracy=self.accuracy,
            device=device or self.device,
            compiled=self.compiled,
        )

    def split_of(self, index: int) -> str:
        """Split that a sample belongs to, whatever the length of the dataset.

        Multiples of the golden ratio fill [0, 1) evenly (Weyl 1916), so that any run of samples has
        the shares asked for, to about one sample in a hundred.
        """
        place = (0.5 + index * _GOLDEN) % 1.0
        edges = np.cumsum(self.split)
        return SPLITS[min(int(np.searchsorted(edges, place, side="right")), len(edges) - 1)]

    def difference(self, other: Recipe) -> str | None:
        """Name the first thing that differs from another recipe."""
        mine, theirs = self.as_dict(), other.as_dict()
        return next((name for name in mine if mine[name] != theirs[name]), None)
