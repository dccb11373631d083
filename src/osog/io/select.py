"""One grey plane of a file, with the optics of the channel that it belongs to."""

from __future__ import annotations

import re
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io.arrays import is_real
from osog.io.errors import MicrographError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from osog.io.image_file import ImageFile
    from osog.io.micrograph import Optics

Channel = int | str | None


def one_plane(
    file: ImageFile, name: str, channel: Channel = None, page: int = 0
) -> tuple[NDArray[np.float64], Optics]:
    """Read one grey plane.

    Parameters
    ----------
    file : ImageFile
    name : str
        Of the file, for sentences.
    channel : int, str or None
        See `osog.io.read_micrograph`.
    page : int
        Counts all planes in the order of the file's axes, the last of them fastest; with
        `channel`, those of that channel alone.

    Returns
    -------
    image : ndarray, shape (Y, X), float64
    optics : Optics

    Raises
    ------
    MicrographError
        If there is no such plane or channel, or several pictures in one and none is chosen.
    """
    wanted = _as_channel(file, channel, name)
    of_colours = file.samples > 1
    if of_colours or wanted is None or file.channel_count == 1:
        if not of_colours and wanted not in (None, "mean", 0):
            raise MicrographError(
                f"{name} has one channel; channel = {channel!r} must be left out (page chooses "
                "planes)."
            )
        at = _position(file, page, name, None)
        array = _plane(file, at, name)
        of_channel = at[file.leading.index("C")] if "C" in file.leading else 0
        optics = file.optics_of_channel(of_channel)
        if not of_colours:
            return array.astype(np.float64), optics
        sample, grey = _sample(file, array, wanted, name)
        if file.channel_count == 1 and len(file.optics) == file.samples:
            optics = _of_sample(file, sample)
        elif optics.wavelength_um is not None:
            optics = optics.without("wavelength_um")  # of which colour, the file does not say
        return grey, optics
    if wanted == "mean":
        planes = [
            _plane(file, _position(file, page, name, c), name).astype(np.float64)
            for c in range(file.channel_count)
        ]
        return np.mean(planes, axis=0), file.optics_of_channel(None)
    if isinstance(wanted, str) or not 0 <= wanted < file.channel_count:
        raise MicrographError(f"{name}: channel = {channel!r} must be {_choices(file)} or 'mean'.")
    array = _plane(file, _position(file, page, name, wanted), name)
    return array.astype(np.float64), file.optics_of_channel(wanted)


def channel_named(file: ImageFile, text: str | None) -> int | None:
    """Channel whose name stands in a text, if it is just one; so are layers of channels named.

    Names that are bare numbers or letters say nothing, and of ``GFP`` and ``GFP-2`` the longer one
    counts where both fit.
    """
    if not text:
        return None
    words = text.casefold().strip()
    names = [name.casefold().strip() for name in file.channels]
    if names.count(words) == 1:
        return names.index(words)
    found = {
        name
        for name in names
        if len(name) > 1
        and not name.isdigit()
        and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words)
    }
    longest = [n for n in found if not any(n != other and n in other for other in found)]
    if len(longest) != 1 or names.count(longest[0]) != 1:
        return None
    return names.index(longest[0])


def _as_channel(file: ImageFile, channel: Channel, name: str) -> Channel:
    """Give the number of a channel that is chosen by name or as a numpy integer."""
    if channel is None or channel == "mean":
        return channel
    if isinstance(channel, str):
        named = [i for i, n in enumerate(file.channels) if n.casefold() == channel.casefold()]
        return named[0] if len(named) == 1 else channel
    return _whole(channel, f"{name}: channel", "a whole number, or 'mean'")


def _whole(value: Any, what: str, rule: str) -> int:
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        return index(value)
    except TypeError:
        raise MicrographError(f"{what} = {value!r} must be {rule}.") from None


def _position(file: ImageFile, page: int, name: str, channel: int | None) -> tuple[int, ...]:
    """Indices of the leading axes."""
    sizes = [
        1 if axis == "C" and channel is not None else size
        for axis, size in zip(file.leading, file.shape, strict=False)
    ]
    count = int(np.prod(sizes, dtype=object))
    number = _whole(page, f"{name}: page", "a whole number")
    if not 0 <= number < count:
        raise MicrographError(f"{name}: page = {page} must lie between 0 and {count - 1}.")
    at: list[int] = []
    for size in reversed(sizes):
        number, rest = divmod(number, size)
        at.insert(0, rest)
    if channel is not None and "C" in file.leading:
        at[file.leading.index("C")] = channel
    return tuple(at)


def _plane(file: ImageFile, at: tuple[int, ...], name: str) -> NDArray[Any]:
    array = np.asarray(file.plane(at))
    if not is_real(array):
        raise MicrographError(f"{name} holds {array.dtype} values; an image holds real numbers.")
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


def _sample(
    file: ImageFile, array: NDArray[Any], channel: Channel, name: str
) -> tuple[int | None, NDArray[np.float64]]:
    """One of the samples of each pixel, or a mean of its colours."""
    count = file.colours or file.samples
    used = array[..., :count]
    if count == 1:  # grey with transparency, which says nothing about light
        if channel not in (None, "mean", 0):
            raise MicrographError(
                f"{name} is a grey image; channel = {channel!r} must be left out."
            )
        return 0, used[..., 0].astype(np.float64)
    if channel is None:
        if file.colours and bool(np.all(used == used[..., :1])):
            return None, used[..., 0].astype(np.float64)
        kind = "a colour image" if file.colours else f"an image of {count} numbers a pixel"
        raise MicrographError(
            f"{name} is {kind} of shape {array.shape}; choose channel = {_choices(file)} or 'mean'."
        )
    if channel == "mean":
        return None, used.astype(np.float64).mean(axis=-1)
    if isinstance(channel, str) or not 0 <= channel < count:
        listed = ", ".join(str(i) for i in range(count))
        raise MicrographError(f"{name}: channel = {channel!r} must be {listed} or 'mean'.")
    return channel, used[..., channel].astype(np.float64)


def _of_sample(file: ImageFile, sample: int | None) -> Optics:
    from osog.io.micrograph import Optics

    return Optics.common(file.optics) if sample is None else file.optics[sample]


def _choices(file: ImageFile) -> str:
    if file.colours == 3:
        return "0, 1 or 2 (red, green, blue)"
    count = file.samples if file.samples > 1 else file.channel_count
    names = [f"{i} ({n})" if n else str(i) for i, n in enumerate(file.channels)]
    listed = names if len(names) == count else [str(i) for i in range(count)]
    if len(listed) > 6:
        return f"0 … {count - 1}"
    return f"{', '.join(listed[:-1])} or {listed[-1]}"


__all__ = ["Channel", "channel_named", "one_plane"]
