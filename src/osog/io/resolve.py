"""Optics of an image layer from whatever carries them: its metadata, its file, its scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from osog.io.calibration import calibrated
from osog.io.image_file import ImageFile
from osog.io.metadata.numbers import number, possible
from osog.io.metadata.ome import OmeImage, looks_like_ome, of_ome, of_ome_xml
from osog.io.micrograph import Optics
from osog.io.read import image_file
from osog.io.select import channel_named

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

_OME_KEYS = ("ome_metadata", "ome_types", "raw_image_metadata")
_CHANNEL_KEYS = ("channel", "channel_index", "channel_name")


def optics_of(
    metadata: Mapping[str, Any] | None = None,
    path: str | os.PathLike[str] | None = None,
    scale: Sequence[float] | None = None,
    units: Any = None,
    *,
    channel: int | str | None = None,
    name: str | None = None,
    shape: tuple[int, int] | None = None,
) -> Optics:
    """Find the optics of an image layer, each number with its source.

    Asks in this order: the layer's scale when its unit is a length, OME or OSOG metadata that the
    layer carries, and the file it came from. Where the layer has other pixels than the file, or a
    scale without a unit, the file's pixel size counts as far as both agree; see
    `osog.io.calibration.calibrated`.

    Parameters
    ----------
    metadata : mapping, optional
        Metadata of a layer, as readers fill it; ``channel``, ``channel_index`` or
        ``channel_name`` in it says which channel of a file it shows.
    path : path, optional
        File of the layer.
    scale : sequence of float, optional
        World units per pixel, rows and columns last.
    units : str, pint unit, or a sequence of them, optional
    channel : int or str, optional
        Which channel of its file the layer shows, by number from 0 or by name.
    name : str, optional
        Of the layer: readers name layers after channels.
    shape : (int, int), optional
        Rows and columns of the layer.

    Returns
    -------
    Optics
        Of several channels that differ, when nothing says which of them it is, what they have in
        common; the wavelength is then in doubt.
    """
    stated = metadata or {}
    which = channel
    for key in _CHANNEL_KEYS:
        value = stated.get(key)
        if which is None and isinstance(value, int | str) and not isinstance(value, bool):
            which = value
    out = _of_metadata(stated, which, name)
    frame = None
    if path is not None:
        out = out.otherwise(of_file(path, channel=which, name=name))
        frame = frame_of(path) if shape is not None else None
    return calibrated(out, scale, units, shape, frame)


def of_file(
    path: str | os.PathLike[str], *, channel: int | str | None = None, name: str | None = None
) -> Optics:
    """Optics that a file states; empty for files that say nothing or cannot be read."""
    target = Path(path)
    if not target.is_file():
        return Optics()
    try:
        with image_file(target) as file:
            return _of_one_channel(file, channel, name)
    except Exception:
        # Whatever a damaged or odd file raises: it then states nothing, and reading its pixels
        # gives the sentence about it.
        return Optics()


def frame_of(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Rows and columns of the image in a file; None for one that cannot be read."""
    try:
        with image_file(Path(path)) as file:
            at = file.axes.index("Y")
            return file.shape[at], file.shape[at + 1]
    except Exception:
        # As for its optics.
        return None


def _of_one_channel(file: ImageFile, channel: int | str | None, name: str | None) -> Optics:
    """Optics of the channel that is chosen or named; what all agree on if there is none.

    Of several images in the file, a layer may show any: what they agree on counts.
    """
    each = [_of_one_image(image, channel, name) for image in (file, *file.others)]
    return Optics.common(each)


def _of_one_image(file: ImageFile, channel: int | str | None, name: str | None) -> Optics:
    at = None
    if isinstance(channel, str):
        at = channel_named(file, channel)
    elif channel is not None and 0 <= channel < len(file.optics):
        at = channel
    if at is None and channel is None:
        at = channel_named(file, name)
    if at is not None and at < len(file.optics) and len(file.optics) > 1:
        return file.optics[at]
    return file.optics_of_channel(None)


def _of_metadata(
    metadata: Mapping[str, Any], channel: int | str | None, name: str | None
) -> Optics:
    out = Optics()
    own = metadata.get("osog")
    if isinstance(own, dict):
        out = out.otherwise(_of_own(own))
    for key in _OME_KEYS:
        ome = _of_value(metadata.get(key))
        if ome is not None:
            described = ImageFile(
                axes="CYX",
                shape=(len(ome.optics), 1, 1),
                plane=_no_pixels,
                optics=ome.optics,
                channels=ome.channels,
            )
            out = out.otherwise(_of_one_channel(described, channel, name))
    return out


def _no_pixels(at: tuple[int, ...]) -> Any:
    raise NotImplementedError


def _of_value(value: Any) -> OmeImage | None:
    """OME metadata in a value of a layer, None for anything else."""
    try:
        if isinstance(value, str):
            return of_ome_xml(value) if looks_like_ome(value) else None
        if hasattr(value, "images") and hasattr(value, "to_xml"):
            return of_ome(value)
    except Exception:  # an object that merely looks like OME states nothing
        return None
    return None


def _of_own(own: Mapping[str, Any]) -> Optics:
    """Numbers of a scene that OSOG itself left with the image."""
    scene = own.get("scene", own)
    if hasattr(scene, "to_dict"):
        scene = scene.to_dict()
    if not isinstance(scene, dict):
        return Optics()
    source = "from the simulated scene"
    paths = {
        "pixel_size_um": ("grid", "pixel_size_um"),
        "numerical_aperture": ("microscope", "numerical_aperture"),
        "wavelength_um": ("microscope", "wavelength_um"),
        "immersion_index": ("microscope", "immersion_index"),
        "medium_index": ("medium", "index"),
    }
    found: dict[str, Any] = {}
    for name, (block, field) in paths.items():
        value = scene.get(block, {}).get(field) if isinstance(scene.get(block), dict) else None
        if isinstance(value, int | float):
            found[name] = possible(name, number(value), source)
    return Optics(**found)


__all__ = ["of_file", "optics_of"]
