"""Optics from what makers of microscopes write into TIFFs: one module for each family of them.

A new dialect is one function that takes the open file and the series that is read, and a line
here. A function is called only where tifffile has found the dialect; whatever it raises on odd
metadata costs the numbers of the dialect, and no pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osog.io.metadata.makers import instruments, metamorph, micromanager, slides, zeiss
from osog.io.metadata.ome import OmeImage, immersed

if TYPE_CHECKING:
    from collections.abc import Callable

_DIALECTS: dict[str, Callable[[Any, Any], OmeImage]] = {
    "is_lsm": zeiss.of_lsm,
    "is_sem": zeiss.of_sem,
    "is_stk": metamorph.of_stk,
    "is_metaseries": metamorph.of_metaseries,
    "is_svs": slides.of_svs,
    "is_scn": slides.of_scn,
    "is_ndpi": slides.of_ndpi,
    "is_sis": instruments.of_sis,
    "is_fluoview": instruments.of_fluoview,
    "is_fei": instruments.of_fei,
    "is_andor": instruments.of_andor,
}


def of_maker(file: Any, series: Any) -> OmeImage | None:
    """Read what the maker's own tags say.

    Parameters
    ----------
    file : tifffile.TiffFile
    series : tifffile.TiffPageSeries
        The one that is read.

    Returns
    -------
    OmeImage or None
        None where tifffile knows no dialect in the file.
    """
    for name, read in _DIALECTS.items():
        if getattr(file, name):
            return _guarded(read, file, series)
    return _guarded(micromanager.of_micromanager, file, series)


def _guarded(
    read: Callable[[Any, Any], OmeImage | None], file: Any, series: Any
) -> OmeImage | None:
    try:
        found = read(file, series)
    except Exception:  # tags of damaged or odd files raise whatever they like
        return None
    if found is None:
        return None
    return OmeImage(tuple(immersed(optics) for optics in found.optics), found.channels)


__all__ = ["of_maker"]
