"""What every kind of file is read as: planes along named axes, and the optics of each channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osog.io.errors import MicrographError
from osog.io.micrograph import Optics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MOST_PIXELS = 10**9
"""Of one plane; more is a damaged header, or a slide scan of which a part is to be cut out."""

_MOST_SAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An open file; its pixels are read plane by plane.

    Attributes
    ----------
    axes : str
        One letter an axis. Leading axes first: ``C`` channels, ``T`` times, ``Z`` depths, any
        other letter for planes of which no more is known. Then ``YX``, or ``YXS`` with the
        samples of one pixel (red, green, blue, ink, transparency).
    shape : tuple of int
        Along `axes`.
    plane : callable
        From the indices of the leading axes to an array (Y, X) or (Y, X, S).
    optics : tuple of Optics
        One for each channel; or just one, for all of them or for a file that says nothing.
    channels : tuple of str
        Names of the channels, where the file has them.
    colours : int
        How many of the samples, from the first, are colours; the rest is transparency. 0 where
        the samples are no colours but pictures of their own.
    others : tuple of ImageFile
        The other images in the file, of which a layer may show one.
    """

    axes: str
    shape: tuple[int, ...]
    plane: Callable[[tuple[int, ...]], NDArray[Any]]
    optics: tuple[Optics, ...] = (Optics(),)
    channels: tuple[str, ...] = ()
    colours: int = field(default=0)
    others: tuple[ImageFile, ...] = ()

    @classmethod
    def of_array(cls, array: NDArray[Any], axes: str, **more: Any) -> ImageFile:
        """File that is read already."""
        return cls(axes=axes, shape=array.shape, plane=array.__getitem__, **more)

    @property
    def leading(self) -> str:
        """Axes before Y, X and S."""
        return self.axes.removesuffix("S")[:-2]

    @property
    def samples(self) -> int:
        """Samples of one pixel."""
        return self.shape[-1] if self.axes.endswith("S") else 1

    @property
    def channel_count(self) -> int:
        """Channels of a grey image; 1 without such an axis."""
        return self.shape[self.axes.index("C")] if "C" in self.leading else 1

    def optics_of_channel(self, channel: int | None) -> Optics:
        """Optics of one channel; what all agree on if it is not known which."""
        if len(self.optics) == 1:
            return self.optics[0]
        if channel is None or len(self.optics) != self.channel_count:
            return Optics.common(self.optics)
        return self.optics[channel]

    def checked(self, name: str) -> ImageFile:
        """Return itself if it can hold an image.

        Raises
        ------
        MicrographError
        """
        if len(self.axes) != len(self.shape) or not self.axes.removesuffix("S").endswith("YX"):
            raise MicrographError(f"{name} has shape {self.shape}; an image has rows and columns.")
        if min(self.shape) < 1:
            raise MicrographError(f"{name} holds no pixels; its shape is {self.shape}.")
        at = self.axes.index("Y")
        rows, columns = self.shape[at : at + 2]
        if rows * columns * self.samples > MOST_PIXELS:
            raise MicrographError(
                f"{name} states {rows} × {columns} pixels of {self.samples} numbers; at most "
                f"{MOST_PIXELS:.0e} numbers can be read. Cut out a part of it first."
            )
        return self


def guessed_axes(shape: Sequence[int]) -> tuple[str, int]:
    """Axes and number of colours of an array that comes without names.

    Three or four numbers along the last of three or more axes are taken as colours, which is how
    libraries for pictures hand them over; up to five as samples of a pixel, since no image is that
    narrow; everything else as planes.
    """
    colour = len(shape) >= 3 and shape[-1] in (3, 4)
    sampled = len(shape) >= 3 and shape[-1] <= _MOST_SAMPLES < shape[-2]
    axes = "YXS" if colour or sampled else "YX"
    return "Q" * (len(shape) - len(axes)) + axes, 3 if colour else 0


__all__ = ["MOST_PIXELS", "ImageFile", "guessed_axes"]
