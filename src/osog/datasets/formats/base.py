"""What a format of a dataset must be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

from osog.datasets.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from osog.datasets.labelled_frame import LabelledFrame

WRITTEN = ("counted", "difficult")
"""States of objects that every format writes."""
SHOWN = (*WRITTEN, "ignored")
"""Those that formats write which can say that an object should not be judged."""


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What is known of a whole dataset once every image is there.

    Attributes
    ----------
    name : str
        Of the dataset: the folder it is in.
    class_names : tuple of str
    splits : mapping of str to int
        Number of images in ``train``, ``val`` and ``test``; those with none are left out.
    shards : int
    pixel_size_um : float
        Of the first image.
    """

    name: str
    class_names: tuple[str, ...]
    splits: Mapping[str, int]
    shards: int
    pixel_size_um: float


class ShardWriter(ABC):
    """Writes the frames of one shard, one after another."""

    @abstractmethod
    def add(self, frame: LabelledFrame, split: str) -> None:
        """Write a frame.

        Parameters
        ----------
        frame : LabelledFrame
        split : str
            ``train``, ``val`` or ``test``.
        """

    @abstractmethod
    def close(self) -> list[Path]:
        """Finish the shard.

        Returns
        -------
        list of Path
            Every file of the shard.
        """


class Format(ABC):
    """One format of a dataset: a folder of its own, filled shard by shard, then finished.

    What is written depends on the frames alone: no times, no random names, no order of a
    dictionary that could change. The same frames give the same bytes.

    Attributes
    ----------
    name : str
        In ``--format``.
    title : str
        In a menu.
    needs : str or None
        Name of the package extra that it takes, where it is not in the base installation.
    module : str or None
        Module that the extra brings.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[str | None] = None
    module: ClassVar[str | None] = None

    def check(self) -> None:
        """Refuse what cannot be written here.

        Raises
        ------
        DatasetError
            If a library is missing.
        """
        if self.module is not None and find_spec(self.module) is None:
            raise DatasetError(
                f"format = '{self.name}' takes the package {self.module}; "
                f"install napari-osog[{self.needs}]."
            )

    @abstractmethod
    def begin(self, folder: Path, shard: int) -> ShardWriter:
        """Begin a shard.

        A shard that was interrupted is begun anew; what is there of it is replaced. Several
        processes write different shards at once.

        Parameters
        ----------
        folder : Path
            Of this format; exists.
        shard : int
        """

    def finish(self, folder: Path, facts: DatasetFacts) -> list[Path]:
        """Write what needs every shard, such as one index of all images.

        Returns
        -------
        list of Path
            Files written, inside ``folder``.
        """
        return []
